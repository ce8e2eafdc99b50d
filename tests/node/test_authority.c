#include "node/authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/node/folder.h"

#define DAY 86400

static struct authority *create(struct folder *folder)
{
    struct problem problem = {0};
    struct authority *authority = authority_create(folder_file(folder, "swarm"), &problem);
    if (!authority)
        fail_msg("%s", problem.text);
    return authority;
}

static struct public_keys new_keys(void)
{
    struct identity *identity = identity_new(NULL);
    struct public_keys keys = identity->keys;
    identity_free(&identity);
    return keys;
}

static void a_certificate_verifies_for_its_swarm_alone(void **state)
{
    struct folder *folder = *state;
    struct authority *authority = create(folder);
    struct public_keys keys = new_keys();
    uint8_t bytes[MEMBERSHIP_BYTES_MAX], other[KEY_BYTES];
    size_t size;
    struct membership told, got;
    assert_int_equal(authority_admit(authority, &keys, ROLE_MEMBER | ROLE_PUBLISHER, 1000, 2000,
                                     bytes, &size, &told, NULL),
                     0);
    assert_int_equal(membership_verify(bytes, size, authority_swarm(authority), &got), REFUSED_NOT);
    assert_memory_equal(got.identity, keys.identity, KEY_BYTES);
    assert_memory_equal(got.curve, keys.curve, KEY_BYTES);
    assert_int_equal(got.roles, ROLE_MEMBER | ROLE_PUBLISHER);
    assert_int_equal(got.not_before, 1000);
    assert_int_equal(got.not_after, 2000);
    assert_int_equal(got.serial, 1);
    assert_int_equal(told.serial, 1);
    crypto_sign_ed25519_keypair(other, (uint8_t[SECRET_KEY_BYTES]){0});
    assert_int_equal(membership_verify(bytes, size, other, &got), REFUSED_WRONG_SWARM);
    authority_close(&authority);
    assert_null(authority);
}

static int count_rows(struct folder *folder, const char *where)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    char text[200];
    snprintf(text, sizeof text, "SELECT count(*) FROM issued WHERE %s", where);
    assert_int_equal(sqlite3_open(folder_file(folder, "swarm/issued.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int count = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return count;
}

static void serials_grow_over_restarts_and_are_on_record(void **state)
{
    struct folder *folder = *state;
    struct authority *authority = create(folder);
    uint8_t swarm[KEY_BYTES], bytes[MEMBERSHIP_BYTES_MAX];
    memcpy(swarm, authority_swarm(authority), KEY_BYTES);
    for (uint64_t wanted = 1; wanted <= 5; wanted++) {
        struct public_keys keys = new_keys();
        struct membership membership;
        size_t size;
        char where[200], hex[KEY_HEX_SIZE];
        assert_int_equal(
            authority_admit(authority, &keys, ROLE_MEMBER, 0, DAY, bytes, &size, &membership, NULL),
            0);
        assert_int_equal(membership.serial, wanted);
        key_hex(keys.identity, hex);
        snprintf(where, sizeof where, "identity = '%s' AND serial = %d", hex, (int)wanted);
        assert_int_equal(count_rows(folder, where), 1);
        authority_close(&authority);
        authority = authority_open(folder_file(folder, "swarm"), NULL);
        assert_non_null(authority);
        assert_memory_equal(authority_swarm(authority), swarm, KEY_BYTES);
    }
    authority_close(&authority);
}

static void a_membership_that_makes_no_sense_leaves_no_record(void **state)
{
    struct folder *folder = *state;
    struct authority *authority = create(folder);
    struct public_keys keys = new_keys();
    struct problem problem = {0};
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    assert_int_equal(
        authority_admit(authority, &keys, ROLE_MEMBER, 2000, 1000, bytes, &size, NULL, &problem),
        STARLING_INVALID);
    assert_non_null(strstr(problem.text, "makes no sense"));
    assert_int_equal(count_rows(folder, "1"), 0);
    assert_int_equal(authority_admit(authority, &keys, ROLE_MEMBER, 0, 1, bytes, &size, NULL, NULL),
                     0);
    assert_int_equal(count_rows(folder, "1"), 1);
    authority_close(&authority);
}

static void a_record_that_cannot_be_kept_gives_no_certificate(void **state)
{
    struct folder *folder = *state;
    struct authority *authority = create(folder);
    struct public_keys keys = new_keys();
    struct problem problem = {0};
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    sqlite3 *db;
    assert_int_equal(sqlite3_open(folder_file(folder, "swarm/issued.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(
        authority_admit(authority, &keys, ROLE_MEMBER, 0, 1, bytes, &size, NULL, &problem),
        STARLING_FAILED);
    assert_non_null(strstr(problem.text, "issued.db: database is locked: end the other program"));
    sqlite3_close(db);
    authority_close(&authority);
}

static void an_authority_is_never_overwritten(void **state)
{
    struct folder *folder = *state;
    static const char *const files[] = {"authority.key", "swarm.pub", "issued.db"};
    struct authority *authority = create(folder);
    authority_close(&authority);
    for (size_t i = 0; i < 3; i++) {
        struct problem problem = {0};
        char path[64];
        assert_null(authority_create(folder_file(folder, "swarm"), &problem));
        assert_non_null(strstr(problem.text, "there is an authority already"));
        snprintf(path, sizeof path, "swarm/%s", files[i]);
        assert_int_equal(unlink(folder_file(folder, path)), 0);
    }
    authority = create(folder);
    authority_close(&authority);
    struct stat about;
    assert_int_equal(stat(folder_file(folder, "swarm/authority.key"), &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
}

static void an_authority_that_cannot_be_made_leaves_nothing(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    assert_null(authority_create(folder_file(folder, "no/swarm"), &problem));
    assert_non_null(strstr(problem.text, "no/swarm: cannot be made: No such file"));
    folder_write(folder, "file", "x", 1);
    assert_null(authority_create(folder_file(folder, "file"), &problem));
    /* a folder in the place of a temporary file: swarm.pub cannot be written */
    assert_int_equal(mkdir(folder_file(folder, "s"), 0700), 0);
    assert_int_equal(mkdir(folder_file(folder, "s/swarm.pub.tmp"), 0700), 0);
    assert_null(authority_create(folder_file(folder, "s"), &problem));
    assert_int_not_equal(access(folder_file(folder, "s/issued.db"), F_OK), 0);
    assert_int_not_equal(access(folder_file(folder, "s/authority.key"), F_OK), 0);
}

static void what_is_missing_or_open_to_others_is_refused(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    struct authority *authority = create(folder);
    authority_close(&authority);
    assert_int_equal(chmod(folder_file(folder, "swarm/authority.key"), 0640), 0);
    assert_null(authority_open(folder_file(folder, "swarm"), &problem));
    assert_non_null(strstr(problem.text, "chmod 600 "));
    assert_int_equal(chmod(folder_file(folder, "swarm/authority.key"), 0600), 0);
    assert_int_equal(unlink(folder_file(folder, "swarm/issued.db")), 0);
    assert_null(authority_open(folder_file(folder, "swarm"), &problem));
    assert_non_null(strstr(problem.text, "issued.db: cannot be opened"));
    folder_write(folder, "swarm/issued.db", "", 0);
    assert_null(authority_open(folder_file(folder, "swarm"), &problem));
    assert_non_null(strstr(problem.text, "issued.db: is of version 0"));
    folder_write(folder, "swarm/issued.db", "this is not a database, is it?", 30);
    assert_null(authority_open(folder_file(folder, "swarm"), &problem));
    assert_non_null(strstr(problem.text, "not a database"));
    assert_null(authority_open(folder_file(folder, "absent"), &problem));
}

static void a_damaged_authority_key_is_refused(void **state)
{
    struct folder *folder = *state;
    char text[1024], changed[1024];
    struct authority *authority = create(folder);
    uint8_t swarm[KEY_BYTES];
    memcpy(swarm, authority_swarm(authority), KEY_BYTES);
    authority_close(&authority);
    long size = folder_read(folder, "swarm/authority.key", text, sizeof text);
    for (long i = 0; i < size; i += 3) {
        memcpy(changed, text, (size_t)size);
        changed[i] = (char)(changed[i] ^ 2);
        folder_write(folder, "swarm/authority.key", changed, (size_t)size);
        authority = authority_open(folder_file(folder, "swarm"), NULL);
        if (authority)
            assert_memory_equal(authority_swarm(authority), swarm, KEY_BYTES);
        authority_close(&authority);
    }
    folder_write(folder, "swarm/authority.key", text, (size_t)size / 2);
    assert_null(authority_open(folder_file(folder, "swarm"), NULL));
}

static void a_certificate_file_reads_back(void **state)
{
    struct folder *folder = *state;
    uint8_t bytes[MEMBERSHIP_BYTES_MAX], back[MEMBERSHIP_BYTES_MAX];
    randombytes_buf(bytes, sizeof bytes);
    for (size_t size = 1; size <= sizeof bytes; size++) {
        size_t got = 0;
        assert_int_equal(certificate_write(folder_file(folder, "c.cert"), bytes, size, NULL), 0);
        assert_int_equal(certificate_read(folder_file(folder, "c.cert"), back, &got, NULL), 0);
        assert_int_equal(got, size);
        assert_memory_equal(back, bytes, size);
    }
    assert_int_not_equal(certificate_write(folder_file(folder, "c.cert"), bytes, 0, NULL), 0);
    assert_int_not_equal(
        certificate_write(folder_file(folder, "c.cert"), bytes, MEMBERSHIP_BYTES_MAX + 1, NULL), 0);
}

static void what_is_no_certificate_is_refused(void **state)
{
    struct folder *folder = *state;
    static char large[2000];
    memset(large, 'A', sizeof large - 1);
    memcpy(large, "starling-membership 1\n", 22);
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", "is not a certificate"},
        {"starling-swarm 1\n", "is not a certificate"},
        {"starling-membership 2\nQUJD\n", "c.cert:1: is not of version 1"},
        {"starling-membership 1\n", "c.cert:2: is damaged"},
        {"starling-membership 1\nQUJ!\n", "c.cert:2: is damaged"},
        {"starling-membership 1\nQUJDQ\n", "c.cert:2: is damaged"},
        {large, "is larger than"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[MEMBERSHIP_BYTES_MAX];
        size_t size;
        struct problem problem = {0};
        folder_write(folder, "c.cert", cases[i].text, strlen(cases[i].text));
        assert_int_equal(certificate_read(folder_file(folder, "c.cert"), bytes, &size, &problem),
                         STARLING_INVALID);
        if (!strstr(problem.text, cases[i].said))
            fail_msg("said \"%s\", wanted \"%s\"", problem.text, cases[i].said);
    }
}

static void swarm_pub_reads_back_and_damage_is_refused(void **state)
{
    struct folder *folder = *state;
    struct authority *authority = create(folder);
    uint8_t swarm[KEY_BYTES];
    assert_int_equal(swarm_read(folder_file(folder, "swarm/swarm.pub"), swarm, NULL), 0);
    assert_memory_equal(swarm, authority_swarm(authority), KEY_BYTES);
    authority_close(&authority);
    static const char *const texts[] = {
        "starling-swarm 1\nswarm 00\n",
        ("starling-swarm 1\nswarm "
         "0000000000000000000000000000000000000000000000000000000000000000\n"),
        "starling-swarm 9\n",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        folder_write(folder, "s.pub", texts[i], strlen(texts[i]));
        assert_int_equal(swarm_read(folder_file(folder, "s.pub"), swarm, NULL), STARLING_INVALID);
    }
}

static void a_write_that_fails_leaves_what_was_there(void **state)
{
    struct folder *folder = *state;
    uint8_t bytes[] = {1, 2, 3}, back[MEMBERSHIP_BYTES_MAX];
    struct problem problem = {0};
    size_t size;
    assert_int_equal(certificate_write(folder_file(folder, "c.cert"), bytes, 3, NULL), 0);
    assert_int_equal(mkdir(folder_file(folder, "c.cert.tmp"), 0700), 0);
    assert_int_equal(certificate_write(folder_file(folder, "c.cert"), bytes, 2, &problem),
                     STARLING_FAILED);
    assert_non_null(strstr(problem.text, "c.cert.tmp"));
    assert_int_equal(certificate_read(folder_file(folder, "c.cert"), back, &size, NULL), 0);
    assert_int_equal(size, 3);
    /* a leftover of an interrupted write is no obstacle */
    assert_int_equal(rmdir(folder_file(folder, "c.cert.tmp")), 0);
    folder_write(folder, "c.cert.tmp", "half", 4);
    assert_int_equal(certificate_write(folder_file(folder, "c.cert"), bytes, 2, NULL), 0);
    assert_int_not_equal(access(folder_file(folder, "c.cert.tmp"), F_OK), 0);
    assert_int_equal(mkdir(folder_file(folder, "d.cert"), 0700), 0);
    assert_int_equal(certificate_write(folder_file(folder, "d.cert"), bytes, 2, NULL),
                     STARLING_FAILED);
    assert_int_not_equal(access(folder_file(folder, "d.cert.tmp"), F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_verifies_for_its_swarm_alone, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(serials_grow_over_restarts_and_are_on_record, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_membership_that_makes_no_sense_leaves_no_record,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_record_that_cannot_be_kept_gives_no_certificate,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(an_authority_is_never_overwritten, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(an_authority_that_cannot_be_made_leaves_nothing,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(what_is_missing_or_open_to_others_is_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_authority_key_is_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_certificate_file_reads_back, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_certificate_is_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(swarm_pub_reads_back_and_damage_is_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_write_that_fails_leaves_what_was_there, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
