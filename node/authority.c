#include "node/authority.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/files.h"
#include "node/key_text.h"
#include "node/sql.h"

#define FILE_TEXT_MAX 1024
#define AUTHORITY_KIND "starling-authority"
#define ISSUED_VERSION 1

struct authority {
    char key_file[PATH_MAX], swarm_file[PATH_MAX], issued_file[PATH_MAX];
    uint8_t swarm[KEY_BYTES];
    uint8_t *secret; /* SECRET_KEY_BYTES, sodium_malloc */
    sqlite3 *issued;
};

static struct authority *allocate(const char *dir, struct problem *problem)
{
    struct authority *authority = NULL;
    if (sodium_init() >= 0)
        authority = calloc(1, sizeof *authority);
    if (authority)
        authority->secret = sodium_malloc(SECRET_KEY_BYTES);
    if (!authority || !authority->secret) {
        problem_set(problem, STARLING_NO_MEMORY,
                    "authority: no locked memory for its key: raise ulimit -l or free memory");
        authority_close(&authority);
        return NULL;
    }
    if (file_path(authority->key_file, PATH_MAX, dir, "authority.key", problem) ||
        file_path(authority->swarm_file, PATH_MAX, dir, "swarm.pub", problem) ||
        file_path(authority->issued_file, PATH_MAX, dir, "issued.db", problem))
        authority_close(&authority);
    return authority;
}

void authority_close(struct authority **authority)
{
    struct authority *ours = *authority;
    *authority = NULL;
    if (!ours)
        return;
    sodium_free(ours->secret);
    sqlite3_close(ours->issued);
    free(ours);
}

const uint8_t *authority_swarm(const struct authority *authority)
{
    return authority->swarm;
}

/* FULL: a serial is on disk before its certificate exists, so none is ever given out twice. */
static enum starling_error open_issued(struct authority *authority, bool create,
                                       struct problem *problem)
{
    int version = 0;
    authority->issued = sql_open(authority->issued_file, create, NULL, problem);
    if (!authority->issued)
        return STARLING_FAILED;
    enum starling_error error = sql_run(authority->issued, "PRAGMA synchronous=FULL", problem);
    if (!error && create)
        error = sql_run(authority->issued,
                        "BEGIN;"
                        "CREATE TABLE issued (serial INTEGER PRIMARY KEY AUTOINCREMENT,"
                        " identity TEXT NOT NULL, curve TEXT NOT NULL, roles INTEGER NOT NULL,"
                        " not_before INTEGER NOT NULL, not_after INTEGER NOT NULL,"
                        " issued_at INTEGER NOT NULL);"
                        "PRAGMA user_version=1; COMMIT",
                        problem);
    if (!error)
        error = sql_version(authority->issued, &version, problem);
    if (!error && version != ISSUED_VERSION)
        error =
            problem_set(problem, STARLING_INVALID,
                        "%s: is of version %d, known is %d: restore it, or use a newer starling",
                        authority->issued_file, version, ISSUED_VERSION);
    return error;
}

static enum starling_error write_key(const struct authority *authority, struct problem *problem)
{
    char text[FILE_TEXT_MAX], public[KEY_HEX_SIZE], secret[2 * SECRET_KEY_BYTES + 1];
    key_hex(authority->swarm, public);
    sodium_bin2hex(secret, sizeof secret, authority->secret, SECRET_KEY_BYTES);
    int length = snprintf(text, sizeof text,
                          AUTHORITY_KIND
                          " 1\n"
                          "# Secret: whoever has this file decides who belongs to the swarm.\n"
                          "swarm %s\nsecret %s\n",
                          public, secret);
    enum starling_error error =
        file_create(authority->key_file, 0600, text, (size_t)length, problem);
    sodium_memzero(text, sizeof text);
    sodium_memzero(secret, sizeof secret);
    return error;
}

struct authority *authority_create(const char *dir, struct problem *problem)
{
    struct authority *authority = allocate(dir, problem);
    if (!authority)
        return NULL;
    const char *files[] = {authority->key_file, authority->swarm_file, authority->issued_file};
    for (size_t i = 0; i < 3; i++)
        if (!access(files[i], F_OK)) {
            problem_set(problem, STARLING_INVALID,
                        "%s: there is an authority already: choose another folder", files[i]);
            authority_close(&authority);
            return NULL;
        }
    bool made = !mkdir(dir, 0700);
    if (!made && errno != EEXIST) {
        problem_set(problem, STARLING_FAILED, "%s: cannot be made: %s", dir, strerror(errno));
        authority_close(&authority);
        return NULL;
    }
    crypto_sign_ed25519_keypair(authority->swarm, authority->secret);
    if (open_issued(authority, true, problem) ||
        swarm_write(authority->swarm_file, authority->swarm, problem) ||
        write_key(authority, problem)) {
        for (size_t i = 0; i < 3; i++)
            unlink(files[i]);
        if (made)
            rmdir(dir);
        authority_close(&authority);
    }
    return authority;
}

static enum starling_error read_key(struct authority *authority, struct problem *problem)
{
    char text[FILE_TEXT_MAX];
    uint8_t public[KEY_BYTES], secret[SECRET_KEY_BYTES];
    size_t size;
    struct key_text reader;
    const char *file = authority->key_file;
    enum starling_error error = file_read(file, true, text, sizeof text - 1, &size, problem);
    if (error)
        return error;
    text[size] = '\0';
    error = key_text_begin(&reader, file, AUTHORITY_KIND, text, problem);
    if (!error)
        error = key_text_hex(&reader, "swarm", authority->swarm, KEY_BYTES, problem);
    if (!error)
        error = key_text_hex(&reader, "secret", authority->secret, SECRET_KEY_BYTES, problem);
    if (!error)
        error = key_text_end(&reader, problem);
    sodium_memzero(text, sizeof text);
    if (error)
        return error;
    crypto_sign_ed25519_seed_keypair(public, secret, authority->secret);
    if (sodium_memcmp(public, authority->swarm, KEY_BYTES) ||
        sodium_memcmp(secret, authority->secret, SECRET_KEY_BYTES))
        error = problem_set(problem, STARLING_INVALID,
                            "%s: its public and secret key do not belong together: restore it from "
                            "a copy",
                            file);
    sodium_memzero(secret, sizeof secret);
    return error;
}

struct authority *authority_open(const char *dir, struct problem *problem)
{
    struct authority *authority = allocate(dir, problem);
    if (authority && (read_key(authority, problem) || open_issued(authority, false, problem)))
        authority_close(&authority);
    return authority;
}

/* The row of a certificate to be; its number is the serial. */
static enum starling_error record(sqlite3 *issued, struct membership *membership,
                                  struct problem *problem)
{
    char identity[KEY_HEX_SIZE], curve[KEY_HEX_SIZE];
    sqlite3_stmt *statement = NULL;
    enum starling_error error =
        sql_prepare(issued,
                    "INSERT INTO issued (identity, curve, roles, not_before, not_after, issued_at)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    &statement, problem);
    if (error)
        return error;
    key_hex(membership->identity, identity);
    key_hex(membership->curve, curve);
    sqlite3_bind_text(statement, 1, identity, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, curve, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, membership->roles);
    sqlite3_bind_int64(statement, 4, membership->not_before);
    sqlite3_bind_int64(statement, 5, membership->not_after);
    sqlite3_bind_int64(statement, 6, (sqlite3_int64)time(NULL));
    error = sql_step(statement, problem);
    sqlite3_finalize(statement);
    membership->serial = (uint64_t)sqlite3_last_insert_rowid(issued);
    return error;
}

enum starling_error authority_admit(struct authority *authority, const struct public_keys *keys,
                                    uint32_t roles, int64_t not_before, int64_t not_after,
                                    uint8_t *bytes, size_t *size, struct membership *membership,
                                    struct problem *problem)
{
    struct membership made = {.roles = roles, .not_before = not_before, .not_after = not_after};
    memcpy(made.swarm, authority->swarm, KEY_BYTES);
    memcpy(made.identity, keys->identity, KEY_BYTES);
    memcpy(made.curve, keys->curve, KEY_BYTES);
    enum starling_error error = sql_run(authority->issued, "BEGIN IMMEDIATE", problem);
    if (error)
        return error;
    error = record(authority->issued, &made, problem);
    if (!error) {
        *size = membership_sign(&made, authority->secret, bytes);
        if (*size == 0)
            error = problem_set(problem, STARLING_INVALID,
                                "membership: from %lld to %lld makes no sense: let it end after it "
                                "begins",
                                (long long)not_before, (long long)not_after);
    }
    if (!error)
        error = sql_run(authority->issued, "COMMIT", problem);
    if (error) {
        sql_run(authority->issued, "ROLLBACK", NULL);
        sodium_memzero(bytes, MEMBERSHIP_BYTES_MAX);
        return error;
    }
    if (membership)
        *membership = made;
    return STARLING_OK;
}
