#include "node/store.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/files.h"
#include "node/sql.h"

#define STORE_VERSION 2
#define SPOILT_MAX 100     /* names tried for a store moved aside */
#define PRUNE_INTERVAL 256 /* peers put between two looks at their number */

enum {
    ADD_HISTORY,
    PRUNE_HISTORY,
    PUT_PEER,
    PRUNE_PEERS,
    PUT_NUMBER,
    GET_NUMBER,
    PUT_SUMS,
    GET_SUMS,
    STATEMENTS
};

static const char *const statement_texts[STATEMENTS] = {
    [ADD_HISTORY] = "INSERT INTO history (round, time, age, accuracy, loss, merged_accuracy,"
                    " merged_loss, distance, merged, trend) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [PRUNE_HISTORY] = "DELETE FROM history WHERE id <= ?",
    [PUT_PEER] = "INSERT INTO peers (identity, card, last_seen) VALUES (?, ?, ?)"
                 " ON CONFLICT (identity) DO UPDATE SET card = excluded.card,"
                 " last_seen = excluded.last_seen",
    [PRUNE_PEERS] = "DELETE FROM peers WHERE identity IN"
                    " (SELECT identity FROM peers ORDER BY last_seen DESC LIMIT -1 OFFSET ?)",
    [PUT_NUMBER] = "INSERT INTO numbers (name, value) VALUES (?, ?)"
                   " ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
    [GET_NUMBER] = "SELECT value FROM numbers WHERE name = ?",
    [PUT_SUMS] = "INSERT INTO sums (task, heard, bytes) VALUES (?, ?, ?)"
                 " ON CONFLICT (task) DO UPDATE SET heard = excluded.heard, bytes = excluded.bytes",
    [GET_SUMS] = "SELECT heard, bytes FROM sums WHERE task = ?",
};

/* What each version added to the one before it, the first to nothing. */
static const char *const upgrades[STORE_VERSION] = {
    "BEGIN;"
    "CREATE TABLE history (id INTEGER PRIMARY KEY, round INTEGER NOT NULL,"
    " time INTEGER NOT NULL, age REAL NOT NULL, accuracy REAL, loss REAL, merged_accuracy REAL,"
    " merged_loss REAL, distance REAL, merged INTEGER NOT NULL, trend TEXT NOT NULL,"
    " lost INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE peers (identity BLOB PRIMARY KEY, card BLOB NOT NULL,"
    " last_seen INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "PRAGMA user_version=1;"
    "COMMIT",
    "BEGIN;"
    "CREATE TABLE sums (task BLOB PRIMARY KEY, heard INTEGER NOT NULL, bytes BLOB NOT NULL);"
    "PRAGMA user_version=2;"
    "COMMIT",
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    unsigned puts;            /* of peers since they were last counted */
    char path[PATH_MAX - 32]; /* room for what is added when it is moved aside */
    char note[PROBLEM_TEXT_MAX];
};

static void disconnect(struct store *store)
{
    for (size_t i = 0; i < STATEMENTS; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
    sqlite3_close(store->db);
    store->db = NULL;
}

/* Every page is looked at once, so that damage is met here and not in the middle of a round. */
static enum starling_error check(sqlite3 *db, bool *damaged, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    enum starling_error error = sql_prepare(db, "PRAGMA quick_check(1)", &statement, problem);
    if (!error && sqlite3_step(statement) == SQLITE_ROW) {
        const char *said = (const char *)sqlite3_column_text(statement, 0);
        *damaged = !said || strcmp(said, "ok") != 0;
        if (*damaged)
            error = problem_set(problem, STARLING_FAILED, "%.300s: is damaged",
                                sqlite3_db_filename(db, "main"));
    } else if (!error) {
        error = sql_problem(db, problem);
    }
    sqlite3_finalize(statement);
    return error;
}

static enum starling_error prepare(struct store *store, int version, struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    if (version > STORE_VERSION)
        return problem_set(
            problem, STARLING_INVALID,
            "%s: was written by a newer starling (version %d, known is %d): use that", store->path,
            version, STORE_VERSION);
    for (int v = version; v < STORE_VERSION && !error; v++)
        error = sql_run(store->db, upgrades[v], problem);
    for (size_t i = 0; i < STATEMENTS && !error; i++)
        error = sql_prepare(store->db, statement_texts[i], &store->statements[i], problem);
    return error;
}

/* Opens what is at store->path. *damaged tells whether it is beyond use, as against in use by
 * another or out of reach. */
static enum starling_error connect(struct store *store, bool *damaged, struct problem *problem)
{
    int version = 0, code = 0;
    *damaged = false;
    store->db = sql_open(store->path, true, &code, problem);
    if (!store->db)
        return STARLING_FAILED;
    enum starling_error error = sql_version(store->db, &version, problem);
    if (!error)
        error = sql_run(store->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", problem);
    if (!error)
        error = check(store->db, damaged, problem);
    if (!error)
        error = prepare(store, version, problem);
    if (error) {
        code = sqlite3_errcode(store->db);
        *damaged = *damaged || code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
                   (code == SQLITE_ERROR && version == STORE_VERSION);
        disconnect(store);
    }
    return error;
}

/* Out of the way, with its journal: it may still be of use to a person. */
static enum starling_error move_aside(struct store *store, struct problem *problem)
{
    static const char *const suffixes[] = {"-wal", "-shm", ""};
    char from[PATH_MAX], to[PATH_MAX];
    int n = 1;
    for (; n <= SPOILT_MAX; n++) {
        snprintf(to, sizeof to, "%s.corrupt-%d", store->path, n);
        if (access(to, F_OK))
            break;
    }
    for (size_t i = 0; i < 3; i++) {
        snprintf(from, sizeof from, "%s%s", store->path, suffixes[i]);
        snprintf(to, sizeof to, "%s.corrupt-%d%s", store->path, n, suffixes[i]);
        if (rename(from, to) && errno != ENOENT)
            return problem_set(problem, STARLING_FAILED,
                               "%s: is damaged and cannot be moved aside: %s", from,
                               strerror(errno));
    }
    snprintf(store->note, sizeof store->note,
             "%.200s: was damaged; it lies in %.230s now, and history and peers begin anew",
             store->path, to);
    return STARLING_OK;
}

static struct store *allocate(const char *dir, struct problem *problem)
{
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        problem_no_memory(problem, "the store");
    else if (file_path(store->path, sizeof store->path, dir, "state.db", problem))
        store_close(&store);
    return store;
}

struct store *store_open(const char *dir, struct problem *problem)
{
    bool damaged;
    struct store *store = allocate(dir, problem);
    if (!store)
        return NULL;
    enum starling_error error = connect(store, &damaged, problem);
    if (error && damaged) {
        error = move_aside(store, problem);
        if (!error)
            error = connect(store, &damaged, problem);
    }
    if (error)
        store_close(&store);
    return store;
}

struct store *store_open_reader(const char *dir, struct problem *problem)
{
    int version = 0;
    struct store *store = allocate(dir, problem);
    if (!store)
        return NULL;
    store->db = sql_open(store->path, false, NULL, problem);
    bool good = store->db && !sql_run(store->db, "PRAGMA query_only=1", problem) &&
                !sql_version(store->db, &version, problem);
    if (good && version != STORE_VERSION) {
        problem_set(problem, STARLING_INVALID, "%s: is of version %d, known is %d", store->path,
                    version, STORE_VERSION);
        good = false;
    }
    if (!good || prepare(store, version, problem))
        store_close(&store);
    return store;
}

void store_close(struct store **store)
{
    struct store *ours = *store;
    *store = NULL;
    if (!ours)
        return;
    if (ours->db)
        disconnect(ours);
    free(ours);
}

const char *store_note(const struct store *store)
{
    return store->note;
}

static void bind_real(sqlite3_stmt *statement, int column, double value)
{
    if (isnan(value))
        sqlite3_bind_null(statement, column);
    else
        sqlite3_bind_double(statement, column, value);
}

static double column_real(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(statement, column);
}

enum starling_error store_add_history(struct store *store, const struct history_row *row,
                                      struct problem *problem)
{
    sqlite3_stmt *add = store->statements[ADD_HISTORY], *prune = store->statements[PRUNE_HISTORY];
    sqlite3_bind_int64(add, 1, (sqlite3_int64)row->round);
    sqlite3_bind_int64(add, 2, row->time);
    sqlite3_bind_double(add, 3, row->age);
    bind_real(add, 4, row->accuracy);
    bind_real(add, 5, row->loss);
    bind_real(add, 6, row->merged_accuracy);
    bind_real(add, 7, row->merged_loss);
    bind_real(add, 8, row->distance);
    sqlite3_bind_int64(add, 9, row->merged);
    sqlite3_bind_text(add, 10, row->trend, (int)strnlen(row->trend, sizeof row->trend),
                      SQLITE_TRANSIENT);
    enum starling_error error = sql_step(add, problem);
    if (error)
        return error;
    sqlite3_int64 newest = sqlite3_last_insert_rowid(store->db);
    if (newest <= STORE_HISTORY_MAX)
        return STARLING_OK;
    sqlite3_bind_int64(prune, 1, newest - STORE_HISTORY_MAX);
    return sql_step(prune, problem);
}

static void read_row(sqlite3_stmt *statement, struct history_row *row)
{
    const char *trend = (const char *)sqlite3_column_text(statement, 9);
    *row = (struct history_row){
        .round = (uint64_t)sqlite3_column_int64(statement, 0),
        .time = sqlite3_column_int64(statement, 1),
        .age = sqlite3_column_double(statement, 2),
        .accuracy = column_real(statement, 3),
        .loss = column_real(statement, 4),
        .merged_accuracy = column_real(statement, 5),
        .merged_loss = column_real(statement, 6),
        .distance = column_real(statement, 7),
        .merged = (uint32_t)sqlite3_column_int64(statement, 8),
        .lost = sqlite3_column_int(statement, 10) != 0,
    };
    snprintf(row->trend, sizeof row->trend, "%s", trend ? trend : "");
}

enum starling_error store_history(struct store *store, struct history_row *rows, size_t most,
                                  size_t *count, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    int result = SQLITE_DONE;
    *count = 0;
    enum starling_error error =
        sql_prepare(store->db,
                    "SELECT round, time, age, accuracy, loss, merged_accuracy, merged_loss,"
                    " distance, merged, trend, lost FROM history ORDER BY id DESC LIMIT ?",
                    &statement, problem);
    if (error)
        return error;
    if (most > STORE_HISTORY_MAX)
        most = STORE_HISTORY_MAX;
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)most);
    while (*count < most && (result = sqlite3_step(statement)) == SQLITE_ROW)
        read_row(statement, &rows[(*count)++]);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        error = sql_problem(store->db, problem);
    sqlite3_finalize(statement);
    for (size_t i = 0; i < *count / 2; i++) {
        struct history_row row = rows[i];
        rows[i] = rows[*count - 1 - i];
        rows[*count - 1 - i] = row;
    }
    return error;
}

enum starling_error store_mark_lost(struct store *store, uint64_t round, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    enum starling_error error =
        sql_prepare(store->db, "UPDATE history SET lost = 1 WHERE round > ?", &statement, problem);
    if (error)
        return error;
    sqlite3_bind_int64(statement, 1, round < INT64_MAX ? (sqlite3_int64)round : INT64_MAX);
    error = sql_step(statement, problem);
    sqlite3_finalize(statement);
    return error;
}

enum starling_error store_put_peer(struct store *store, const uint8_t identity[KEY_BYTES],
                                   const struct card *card, int64_t last_seen,
                                   struct problem *problem)
{
    sqlite3_stmt *put = store->statements[PUT_PEER], *prune = store->statements[PRUNE_PEERS];
    if (card->size > CARD_BYTES_MAX)
        return problem_set(problem, STARLING_INVALID, "%s: a card of %zu bytes is not kept",
                           store->path, card->size);
    sqlite3_bind_blob(put, 1, identity, KEY_BYTES, SQLITE_TRANSIENT);
    sqlite3_bind_blob(put, 2, card->bytes, (int)card->size, SQLITE_TRANSIENT);
    sqlite3_bind_int64(put, 3, last_seen);
    enum starling_error error = sql_step(put, problem);
    if (error || ++store->puts < PRUNE_INTERVAL)
        return error;
    store->puts = 0;
    sqlite3_bind_int64(prune, 1, STORE_PEERS_MAX);
    return sql_step(prune, problem);
}

enum starling_error store_peers(struct store *store, size_t most, store_peer_function *each,
                                void *self, struct problem *problem)
{
    sqlite3_stmt *statement = NULL;
    int result;
    enum starling_error error =
        sql_prepare(store->db, "SELECT card, last_seen FROM peers ORDER BY last_seen DESC LIMIT ?",
                    &statement, problem);
    if (error)
        return error;
    sqlite3_bind_int64(statement, 1,
                       most < STORE_PEERS_MAX ? (sqlite3_int64)most : STORE_PEERS_MAX);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        const void *card = sqlite3_column_blob(statement, 0);
        int size = sqlite3_column_bytes(statement, 0);
        if (card && size <= CARD_BYTES_MAX)
            each(self, card, (size_t)size, sqlite3_column_int64(statement, 1));
    }
    if (result != SQLITE_DONE)
        error = sql_problem(store->db, problem);
    sqlite3_finalize(statement);
    return error;
}

enum starling_error store_get_number(struct store *store, const char *name, uint64_t *value,
                                     struct problem *problem)
{
    sqlite3_stmt *get = store->statements[GET_NUMBER];
    enum starling_error error = STARLING_OK;
    *value = 0;
    sqlite3_bind_text(get, 1, name, -1, SQLITE_TRANSIENT);
    int result = sqlite3_step(get);
    if (result == SQLITE_ROW && sqlite3_column_int64(get, 0) > 0)
        *value = (uint64_t)sqlite3_column_int64(get, 0);
    else if (result != SQLITE_ROW && result != SQLITE_DONE)
        error = sql_problem(store->db, problem);
    sqlite3_reset(get);
    return error;
}

/* On disk when it returns. */
static enum starling_error step_for_good(struct store *store, sqlite3_stmt *statement,
                                         struct problem *problem)
{
    enum starling_error error = sql_run(store->db, "PRAGMA synchronous=FULL", problem);
    if (error)
        return error;
    error = sql_step(statement, problem);
    enum starling_error after = sql_run(store->db, "PRAGMA synchronous=NORMAL", NULL);
    return error ? error : after;
}

enum starling_error store_put_number(struct store *store, const char *name, uint64_t value,
                                     struct problem *problem)
{
    sqlite3_stmt *put = store->statements[PUT_NUMBER];
    if (value > INT64_MAX)
        return problem_set(problem, STARLING_INVALID, "%s: \"%s\" cannot grow further", store->path,
                           name);
    sqlite3_bind_text(put, 1, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int64(put, 2, (sqlite3_int64)value);
    return step_for_good(store, put, problem);
}

enum starling_error store_put_sums(struct store *store, const uint8_t task[TASK_ID_BYTES],
                                   const uint8_t *bytes, size_t size, uint32_t heard,
                                   struct problem *problem)
{
    sqlite3_stmt *put = store->statements[PUT_SUMS];
    sqlite3_bind_blob(put, 1, task, TASK_ID_BYTES, SQLITE_TRANSIENT);
    sqlite3_bind_int64(put, 2, heard);
    sqlite3_bind_blob64(put, 3, bytes, size, SQLITE_TRANSIENT);
    return step_for_good(store, put, problem);
}

enum starling_error store_get_sums(struct store *store, const uint8_t task[TASK_ID_BYTES],
                                   uint8_t *bytes, size_t size, uint32_t *heard, bool *found,
                                   struct problem *problem)
{
    sqlite3_stmt *get = store->statements[GET_SUMS];
    enum starling_error error = STARLING_OK;
    *found = false;
    sqlite3_bind_blob(get, 1, task, TASK_ID_BYTES, SQLITE_TRANSIENT);
    int result = sqlite3_step(get);
    if (result == SQLITE_ROW) {
        const void *kept = sqlite3_column_blob(get, 1);
        sqlite3_int64 from = sqlite3_column_int64(get, 0);
        *found =
            kept && (size_t)sqlite3_column_bytes(get, 1) == size && from >= 0 && from <= UINT32_MAX;
        if (*found) {
            memcpy(bytes, kept, size);
            *heard = (uint32_t)from;
        }
    } else if (result != SQLITE_DONE) {
        error = sql_problem(store->db, problem);
    }
    sqlite3_reset(get);
    return error;
}
