#include "node/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/node/folder.h"

static struct store *open_store(struct folder *folder)
{
    struct problem problem = {0};
    struct store *store = store_open(folder->path, &problem);
    if (!store)
        fail_msg("%s", problem.text);
    return store;
}

static struct history_row row_of(uint64_t round)
{
    struct history_row row = {.round = round,
                              .time = 1700000000 + (int64_t)round,
                              .age = (double)round / 2,
                              .accuracy = round % 2 ? NAN : 0.5,
                              .loss = 1.25,
                              .merged_accuracy = NAN,
                              .merged_loss = 2.5,
                              .distance = 0.125,
                              .merged = (uint32_t)round % 5};
    snprintf(row.trend, sizeof row.trend, "getting worse");
    return row;
}

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static void history_comes_back_oldest_first_over_a_restart(void **state)
{
    struct store *store = open_store(*state);
    assert_string_equal(store_note(store), "");
    for (uint64_t round = 1; round <= 30; round++) {
        struct history_row row = row_of(round);
        assert_int_equal(store_add_history(store, &row, NULL), 0);
    }
    store_close(&store);
    assert_null(store);
    store = open_store(*state);
    struct history_row rows[100];
    size_t count = 0;
    assert_int_equal(store_history(store, rows, 10, &count, NULL), 0);
    assert_int_equal(count, 10);
    for (size_t i = 0; i < count; i++) {
        struct history_row wanted = row_of(21 + i);
        assert_int_equal(rows[i].round, wanted.round);
        assert_int_equal(rows[i].time, wanted.time);
        assert_true(rows[i].age == wanted.age && rows[i].merged == wanted.merged);
        assert_true(same(rows[i].accuracy, wanted.accuracy) && same(rows[i].loss, wanted.loss));
        assert_true(same(rows[i].merged_accuracy, wanted.merged_accuracy));
        assert_true(same(rows[i].merged_loss, wanted.merged_loss));
        assert_true(same(rows[i].distance, wanted.distance));
        assert_string_equal(rows[i].trend, "getting worse");
        assert_false(rows[i].lost);
    }
    assert_int_equal(store_history(store, rows, 100, &count, NULL), 0);
    assert_int_equal(count, 30);
    assert_int_equal(store_history(store, rows, 0, &count, NULL), 0);
    assert_int_equal(count, 0);
    store_close(&store);
}

static void rows_later_than_the_slot_are_marked(void **state)
{
    struct store *store = open_store(*state);
    struct history_row rows[10];
    size_t count;
    for (uint64_t round = 1; round <= 6; round++) {
        struct history_row row = row_of(round);
        assert_int_equal(store_add_history(store, &row, NULL), 0);
    }
    assert_int_equal(store_mark_lost(store, 4, NULL), 0);
    struct history_row again = row_of(5);
    assert_int_equal(store_add_history(store, &again, NULL), 0);
    assert_int_equal(store_history(store, rows, 10, &count, NULL), 0);
    assert_int_equal(count, 7);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(rows[i].lost, i == 4 || i == 5);
    store_close(&store);
}

static void history_is_bounded(void **state)
{
    struct folder *folder = *state;
    struct store *store = open_store(folder);
    store_close(&store);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(folder_file(folder, "state.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                     "100005) INSERT INTO history (round, time, age, merged, trend)"
                     " SELECT i, i, i, 0, '' FROM n",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
    store = open_store(folder);
    struct history_row row = row_of(100006);
    assert_int_equal(store_add_history(store, &row, NULL), 0);
    struct history_row *rows = malloc((STORE_HISTORY_MAX + 10) * sizeof *rows);
    size_t count = 0;
    assert_int_equal(store_history(store, rows, STORE_HISTORY_MAX + 10, &count, NULL), 0);
    assert_int_equal(count, STORE_HISTORY_MAX);
    assert_int_equal(rows[0].round, 7);
    assert_int_equal(rows[count - 1].round, 100006);
    free(rows);
    store_close(&store);
}

struct seen {
    size_t count;
    int64_t last;
    uint8_t first_byte[64];
};

static void note_peer(void *self, const uint8_t *card, size_t size, int64_t last_seen)
{
    struct seen *seen = self;
    assert_true(size >= 1 && size <= CARD_BYTES_MAX);
    assert_true(seen->count == 0 || last_seen <= seen->last);
    seen->last = last_seen;
    if (seen->count < sizeof seen->first_byte)
        seen->first_byte[seen->count] = card[0];
    seen->count++;
}

static void the_peers_seen_last_come_first(void **state)
{
    struct store *store = open_store(*state);
    uint8_t identity[KEY_BYTES] = {0}, bytes[CARD_BYTES_MAX + 1] = {0};
    struct card card = {bytes, 10};
    for (uint8_t i = 0; i < 50; i++) {
        identity[0] = i;
        bytes[0] = i;
        assert_int_equal(store_put_peer(store, identity, &card, 1000 + i, NULL), 0);
    }
    identity[0] = 7;
    bytes[0] = 207;
    card.size = CARD_BYTES_MAX;
    assert_int_equal(store_put_peer(store, identity, &card, 2000, NULL), 0);
    card.size = CARD_BYTES_MAX + 1;
    assert_int_equal(store_put_peer(store, identity, &card, 3000, NULL), STARLING_INVALID);
    struct seen seen = {0};
    assert_int_equal(store_peers(store, 5, note_peer, &seen, NULL), 0);
    assert_int_equal(seen.count, 5);
    assert_int_equal(seen.first_byte[0], 207);
    assert_int_equal(seen.first_byte[1], 49);
    seen = (struct seen){0};
    assert_int_equal(store_peers(store, 1000, note_peer, &seen, NULL), 0);
    assert_int_equal(seen.count, 50);
    store_close(&store);
}

static void peers_are_bounded(void **state)
{
    struct store *store = open_store(*state);
    uint8_t identity[KEY_BYTES] = {0}, byte = 1;
    struct card card = {&byte, 1};
    for (uint32_t i = 0; i < STORE_PEERS_MAX + 512; i++) {
        memcpy(identity, &i, sizeof i);
        assert_int_equal(store_put_peer(store, identity, &card, i, NULL), 0);
    }
    store_close(&store);
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(folder_file(*state, "state.db"), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT count(*), min(last_seen) FROM peers", -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(statement, 0), STORE_PEERS_MAX);
    assert_int_equal(sqlite3_column_int(statement, 1), 512);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void a_number_only_grows_and_survives_a_kill(void **state)
{
    struct folder *folder = *state;
    struct store *store = open_store(folder);
    uint64_t value = 9;
    assert_int_equal(store_get_number(store, "wall-clock", &value, NULL), 0);
    assert_int_equal(value, 0);
    assert_int_equal(store_put_number(store, "wall-clock", 100, NULL), 0);
    assert_int_equal(store_put_number(store, "wall-clock", 50, NULL), 0);
    assert_int_equal(store_get_number(store, "wall-clock", &value, NULL), 0);
    assert_int_equal(value, 100);
    assert_int_equal(store_put_number(store, "wall-clock", UINT64_C(1) << 63, NULL),
                     STARLING_INVALID);
    store_close(&store);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        store = store_open(folder->path, NULL);
        if (!store || store_put_number(store, "descriptor-sequence", INT64_MAX, NULL))
            _exit(1);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    store = open_store(folder);
    assert_int_equal(store_get_number(store, "descriptor-sequence", &value, NULL), 0);
    assert_true(value == INT64_MAX);
    assert_int_equal(store_get_number(store, "wall-clock", &value, NULL), 0);
    assert_int_equal(value, 100);
    store_close(&store);
}

/* Fills a store, spoils it as `spoil` says, and wants a node that starts all the same. */
static void expect_new_start(struct folder *folder, void (*spoil)(struct folder *), int n)
{
    struct store *store = open_store(folder);
    for (uint64_t round = 1; round <= 300; round++) {
        struct history_row row = row_of(round);
        assert_int_equal(store_add_history(store, &row, NULL), 0);
    }
    store_close(&store);
    spoil(folder);
    store = open_store(folder);
    char name[64];
    snprintf(name, sizeof name, "state.db.corrupt-%d", n);
    if (!strstr(store_note(store), name))
        fail_msg("note: \"%s\", wanted %s", store_note(store), name);
    assert_int_equal(access(folder_file(folder, name), F_OK), 0);
    struct history_row row = row_of(1);
    size_t count;
    assert_int_equal(store_history(store, &row, 1, &count, NULL), 0);
    assert_int_equal(count, 0);
    assert_int_equal(store_add_history(store, &row, NULL), 0);
    store_close(&store);
    store = open_store(folder);
    assert_string_equal(store_note(store), "");
    store_close(&store);
}

static void spoil_head(struct folder *folder)
{
    folder_write(folder, "state.db", "this was a database once, and is one no longer", 46);
}

static void spoil_middle(struct folder *folder)
{
    FILE *file = fopen(folder_file(folder, "state.db"), "r+b");
    assert_non_null(file);
    for (long page = 1; page < 5; page++) {
        fseek(file, page * 4096, SEEK_SET);
        for (int i = 0; i < 4096; i++)
            fputc(0xA5, file);
    }
    fclose(file);
}

static void spoil_end(struct folder *folder)
{
    assert_int_equal(truncate(folder_file(folder, "state.db"), 4096), 0);
}

static void spoil_schema(struct folder *folder)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(folder_file(folder, "state.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE numbers", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void a_damaged_store_is_moved_aside(void **state)
{
    expect_new_start(*state, spoil_head, 1);
    expect_new_start(*state, spoil_middle, 2);
    expect_new_start(*state, spoil_end, 3);
    expect_new_start(*state, spoil_schema, 4);
}

static void a_store_of_a_newer_version_is_left_alone(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    struct store *store = open_store(folder);
    store_close(&store);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(folder_file(folder, "state.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_null(store_open(folder->path, &problem));
    assert_int_equal(problem.error, STARLING_INVALID);
    assert_non_null(strstr(problem.text, "written by a newer starling (version 99"));
    assert_int_not_equal(access(folder_file(folder, "state.db.corrupt-1"), F_OK), 0);
}

static void a_store_in_use_is_said_and_not_moved(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    struct store *store = open_store(folder);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(folder_file(folder, "state.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct history_row row = row_of(1);
    assert_int_equal(store_add_history(store, &row, &problem), STARLING_FAILED);
    assert_non_null(strstr(problem.text, "database is locked"));
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(store_add_history(store, &row, &problem), 0);
    sqlite3_close(db);
    store_close(&store);
}

static void a_reader_sees_what_is_written_and_writes_nothing(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    assert_null(store_open_reader(folder->path, &problem));
    assert_non_null(strstr(problem.text, "state.db: cannot be opened"));
    struct store *store = open_store(folder), *reader = store_open_reader(folder->path, &problem);
    if (!reader)
        fail_msg("%s", problem.text);
    struct history_row row = row_of(1), back;
    size_t count = 0;
    assert_int_equal(store_add_history(store, &row, NULL), 0);
    assert_int_equal(store_history(reader, &back, 1, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(store_add_history(reader, &row, &problem), STARLING_FAILED);
    store_close(&reader);
    store_close(&store);
}

static const uint8_t one[TASK_ID_BYTES] = {1}, another[TASK_ID_BYTES] = {2};

static void assert_sums(struct store *store, const uint8_t *task, const char *wanted,
                        uint32_t wanted_heard)
{
    uint8_t bytes[8];
    uint32_t heard = 0;
    bool found = false;
    assert_int_equal(store_get_sums(store, task, bytes, sizeof bytes, &heard, &found, NULL), 0);
    assert_int_equal(found, wanted != NULL);
    if (wanted) {
        assert_memory_equal(bytes, wanted, sizeof bytes);
        assert_int_equal(heard, wanted_heard);
    }
}

static void the_latest_sums_of_each_task_come_back(void **state)
{
    struct store *store = open_store(*state);
    assert_sums(store, one, NULL, 0);
    assert_int_equal(store_put_sums(store, one, (const uint8_t *)"earlier!", 8, 0, NULL), 0);
    assert_int_equal(store_put_sums(store, one, (const uint8_t *)"of a few", 8, UINT32_MAX, NULL),
                     0);
    assert_int_equal(store_put_sums(store, another, (const uint8_t *)"of other", 8, 3, NULL), 0);
    store_close(&store);
    store = open_store(*state);
    assert_sums(store, one, "of a few", UINT32_MAX);
    assert_sums(store, another, "of other", 3);
    /* what has another number of features is none */
    assert_int_equal(store_put_sums(store, one, (const uint8_t *)"short", 5, 1, NULL), 0);
    assert_sums(store, one, NULL, 0);
    store_close(&store);
}

static void a_store_of_version_1_is_brought_up_to_date(void **state)
{
    struct folder *folder = *state;
    struct store *store = open_store(folder);
    struct history_row row = row_of(3);
    assert_int_equal(store_add_history(store, &row, NULL), 0);
    store_close(&store);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(folder_file(folder, "state.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE sums; PRAGMA user_version=1", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    store = open_store(folder);
    assert_string_equal(store_note(store), "");
    size_t count = 0;
    assert_int_equal(store_history(store, &row, 1, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(store_put_sums(store, one, (const uint8_t *)"upgraded", 8, 1, NULL), 0);
    assert_sums(store, one, "upgraded", 1);
    store_close(&store);
}

static void a_folder_that_is_gone_is_said(void **state)
{
    (void)state;
    struct problem problem = {0};
    assert_null(store_open("/nonexistent/folder", &problem));
    assert_non_null(strstr(problem.text, "/nonexistent/folder/state.db: cannot be opened"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(history_comes_back_oldest_first_over_a_restart,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(rows_later_than_the_slot_are_marked, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(history_is_bounded, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(the_peers_seen_last_come_first, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(peers_are_bounded, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_number_only_grows_and_survives_a_kill, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_store_is_moved_aside, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_store_of_a_newer_version_is_left_alone, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_store_in_use_is_said_and_not_moved, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_reader_sees_what_is_written_and_writes_nothing,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(the_latest_sums_of_each_task_come_back, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_store_of_version_1_is_brought_up_to_date, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(a_folder_that_is_gone_is_said),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
