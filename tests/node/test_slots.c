#include "node/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <signal.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "model/vector.h"
#include "tests/node/folder.h"

#define PARAMETERS 97
#define MAX_BYTES 1048576

/* What save `n` would hold, with so many vectors of an optimiser. */
static struct saved sample(unsigned n, int optimizer, bool readout)
{
    struct saved saved = {.age = n + 0.25, .round = n, .works = 2 * n, .samples = 1000 * n};
    saved.sequence = 7 * n;
    saved.steps = 5 * n;
    saved.parameters = PARAMETERS;
    memset(saved.task, (int)n, sizeof saved.task);
    float **vectors[] = {&saved.model, &saved.first, &saved.second, &saved.readout};
    for (int v = 0; v < 4; v++) {
        if ((v == 1 && optimizer < 1) || (v == 2 && optimizer < 2) || (v == 3 && !readout))
            continue;
        *vectors[v] = vector_new(PARAMETERS);
        assert_non_null(*vectors[v]);
        for (size_t i = 0; i < PARAMETERS; i++)
            (*vectors[v])[i] = (float)(n * 1000 + (unsigned)v * 100 + i);
    }
    return saved;
}

static void save(struct folder *folder, unsigned n, int optimizer, bool readout)
{
    struct saved saved = sample(n, optimizer, readout);
    struct problem problem = {0};
    if (slots_save(folder->path, &saved, &problem))
        fail_msg("%s", problem.text);
    saved_clear(&saved);
}

/* Loads, and checks that everything is as save `n` had it. 0: nothing must be found. */
static void expect(struct folder *folder, unsigned n, int optimizer, bool readout)
{
    struct saved got, wanted = sample(n, optimizer, readout);
    bool found;
    char note[PROBLEM_TEXT_MAX];
    assert_int_equal(slots_load(folder->path, MAX_BYTES, &got, &found, note, NULL), 0);
    assert_int_equal(found, n > 0);
    if (found) {
        assert_memory_equal(got.task, wanted.task, sizeof got.task);
        assert_true(got.age == wanted.age);
        assert_int_equal(got.round, wanted.round);
        assert_int_equal(got.works, wanted.works);
        assert_int_equal(got.samples, wanted.samples);
        assert_int_equal(got.sequence, wanted.sequence);
        assert_int_equal(got.steps, wanted.steps);
        assert_int_equal(got.parameters, PARAMETERS);
        assert_memory_equal(got.model, wanted.model, PARAMETERS * sizeof(float));
        assert_int_equal(got.first != NULL, optimizer > 0);
        assert_int_equal(got.second != NULL, optimizer > 1);
        assert_int_equal(got.readout != NULL, readout);
        if (optimizer > 0)
            assert_memory_equal(got.first, wanted.first, PARAMETERS * sizeof(float));
        if (optimizer > 1)
            assert_memory_equal(got.second, wanted.second, PARAMETERS * sizeof(float));
        if (readout)
            assert_memory_equal(got.readout, wanted.readout, PARAMETERS * sizeof(float));
    }
    saved_clear(&got);
    saved_clear(&wanted);
}

static void an_empty_folder_has_nothing(void **state)
{
    struct saved saved;
    bool found = true;
    char note[PROBLEM_TEXT_MAX];
    assert_int_equal(
        slots_load(((struct folder *)*state)->path, MAX_BYTES, &saved, &found, note, NULL), 0);
    assert_false(found);
    assert_string_equal(note, "");
}

static void the_newest_save_comes_back_whole(void **state)
{
    for (unsigned n = 1; n <= 12; n++) {
        save(*state, n, (int)(n % 3), n & 2);
        expect(*state, n, (int)(n % 3), n & 2);
    }
}

/* Version 1 had neither the steps nor the second vector of an optimiser. */
static void a_slot_of_version_1_is_read_and_followed_by_a_newer(void **state)
{
    struct folder *folder = *state;
    unsigned char bytes[4096];
    save(folder, 1, 1, true);
    long was = folder_read(folder, "parameters-a.slot", bytes, sizeof bytes);
    if (was < 200 || was > (long)sizeof bytes)
        fail_msg("a slot of %ld bytes", was);
    size_t size = (size_t)was - 8;
    bytes[8] = 1;
    memmove(bytes + 96, bytes + 104, size - 96); /* the steps: the last of the fields */
    crypto_generichash(bytes + 96, 16, bytes, 96, NULL, 0);
    crypto_generichash(bytes + size - 32, 32, bytes, size - 32, NULL, 0);
    folder_write(folder, "parameters-a.slot", bytes, size);
    struct saved got, wanted = sample(1, 1, true);
    bool found;
    assert_int_equal(slots_load(folder->path, MAX_BYTES, &got, &found, NULL, NULL), 0);
    assert_true(found && got.age == wanted.age && got.sequence == wanted.sequence);
    assert_int_equal(got.steps, 0);
    assert_null(got.second);
    assert_memory_equal(got.model, wanted.model, PARAMETERS * sizeof(float));
    assert_memory_equal(got.first, wanted.first, PARAMETERS * sizeof(float));
    assert_memory_equal(got.readout, wanted.readout, PARAMETERS * sizeof(float));
    saved_clear(&got);
    saved_clear(&wanted);
    save(folder, 2, 2, true);
    expect(folder, 2, 2, true);
    assert_int_equal(access(folder_file(folder, "parameters-a.slot"), F_OK), 0);

    bytes[12] |= 4; /* a second vector, which it cannot have */
    crypto_generichash(bytes + 96, 16, bytes, 96, NULL, 0);
    folder_write(folder, "parameters-b.slot", bytes, (size_t)size);
    folder_write(folder, "parameters-a.slot", "", 0);
    expect(folder, 0, 0, false);
}

static void numbers_grow_over_restarts(void **state)
{
    struct folder *folder = *state;
    for (uint64_t n = 1; n <= 4; n++) {
        struct saved saved = sample(1, 0, false); /* number 0, as after a start */
        assert_int_equal(slots_save(folder->path, &saved, NULL), 0);
        assert_int_equal(saved.number, n);
        saved_clear(&saved);
    }
}

/* The slot of the newest save, cut at every length, and with every byte changed: the one before
 * must come back, and the note must name the file. */
static void a_damaged_newest_slot_gives_way_to_the_one_before(void **state)
{
    struct folder *folder = *state;
    static unsigned char bytes[4096];
    save(folder, 1, 2, true);
    save(folder, 2, 2, true);
    long size = folder_read(folder, "parameters-b.slot", bytes, sizeof bytes);
    assert_true(size > 4 * PARAMETERS * 4 && size < (long)sizeof bytes);
    for (long i = 0; i < size; i++) {
        struct saved saved;
        bool found;
        char note[PROBLEM_TEXT_MAX];
        for (int cut = 0; cut < 2; cut++) {
            bytes[i] = (unsigned char)(bytes[i] ^ (cut ? 0 : 0x55));
            folder_write(folder, "parameters-b.slot", bytes, (size_t)(cut ? i : size));
            if (!cut)
                bytes[i] = (unsigned char)(bytes[i] ^ 0x55);
            if (!cut && i >= 8 && i < 12) { /* a newer version's, for all we know */
                assert_int_not_equal(
                    slots_load(folder->path, MAX_BYTES, &saved, &found, note, NULL), 0);
                assert_false(found);
                continue;
            }
            assert_int_equal(slots_load(folder->path, MAX_BYTES, &saved, &found, note, NULL), 0);
            assert_true(found);
            if (saved.round != 1)
                fail_msg("byte %ld, cut %d: round %llu", i, cut, (unsigned long long)saved.round);
            saved_clear(&saved);
            /* a header that is not even one makes the slot the older, which is not looked at */
            assert_true(!*note || strstr(note, "parameters-b.slot"));
        }
    }
    folder_write(folder, "parameters-b.slot", bytes, (size_t)size);
    expect(folder, 2, 2, true);
}

/* After it there could be no newer one. */
static void a_slot_with_the_greatest_number_is_passed_over(void **state)
{
    struct folder *folder = *state;
    save(folder, 1, 0, false);
    struct saved greatest = sample(2, 0, false), saved;
    greatest.number = UINT64_MAX - 1;
    assert_int_equal(slots_save(folder->path, &greatest, NULL), 0);
    saved_clear(&greatest);
    bool found;
    char note[PROBLEM_TEXT_MAX];
    assert_int_equal(slots_load(folder->path, MAX_BYTES, &saved, &found, note, NULL), 0);
    assert_true(found);
    assert_int_equal(saved.round, 1);
    saved_clear(&saved);
    save(folder, 3, 0, false);
    expect(folder, 3, 0, false);
}

static void a_longer_slot_is_moved_aside(void **state)
{
    struct folder *folder = *state;
    unsigned char bytes[4096] = {0};
    save(folder, 1, 0, false);
    long size = folder_read(folder, "parameters-a.slot", bytes, sizeof bytes);
    folder_write(folder, "parameters-a.slot", bytes, (size_t)size + 4);
    expect(folder, 0, 0, false);
}

static void saving_heals_damage(void **state)
{
    struct folder *folder = *state;
    save(folder, 1, 0, true);
    save(folder, 2, 0, true);
    folder_write(folder, "parameters-b.slot", "rubbish", 7);
    save(folder, 3, 0, true);
    expect(folder, 3, 0, true);
    folder_write(folder, "parameters-a.slot", "", 0);
    expect(folder, 3, 0, true);
    save(folder, 4, 0, true);
    expect(folder, 4, 0, true);
}

static void both_damaged_are_moved_aside_and_said(void **state)
{
    struct folder *folder = *state;
    struct saved saved;
    bool found = true;
    char note[PROBLEM_TEXT_MAX];
    save(folder, 1, 0, false);
    folder_write(folder, "parameters-a.slot", "starslot", 8);
    folder_write(folder, "parameters-b.slot",
                 "something else that is long enough to be read: "
                 "something else that is long enough to be read, "
                 "is it not? it is long.",
                 114);
    assert_int_equal(slots_load(folder->path, MAX_BYTES, &saved, &found, note, NULL), 0);
    assert_false(found);
    assert_non_null(strstr(note, "parameters-a.slot: is cut short"));
    assert_non_null(strstr(note, "parameters-b.slot: is not a slot"));
    assert_int_equal(access(folder_file(folder, "parameters-a.slot.corrupt-1"), F_OK), 0);
    assert_int_equal(access(folder_file(folder, "parameters-b.slot.corrupt-1"), F_OK), 0);
    assert_int_not_equal(access(folder_file(folder, "parameters-a.slot"), F_OK), 0);
    folder_write(folder, "parameters-a.slot", "again", 5);
    expect(folder, 0, 0, false);
    assert_int_equal(access(folder_file(folder, "parameters-a.slot.corrupt-2"), F_OK), 0);
}

/* Whatever the other slot holds: the one that is barred may be the newer. */
static void assert_barred(struct folder *folder, const char *wanted)
{
    struct saved saved, next = sample(3, 0, false);
    struct problem problem = {0};
    bool found = true;
    char note[PROBLEM_TEXT_MAX];
    assert_int_equal(slots_load(folder->path, MAX_BYTES, &saved, &found, note, &problem),
                     STARLING_FAILED);
    assert_false(found);
    if (!strstr(problem.text, wanted) || !strstr(problem.text, "parameters-b.slot: "))
        fail_msg("said \"%s\", wanted \"%s\"", problem.text, wanted);
    problem.text[0] = '\0';
    assert_int_equal(slots_save(folder->path, &next, &problem), STARLING_FAILED);
    assert_non_null(strstr(problem.text, wanted));
    saved_clear(&next);
}

static void a_slot_that_cannot_be_read_stops_everything(void **state)
{
    struct folder *folder = *state;
    char path[1024];
    save(folder, 1, 0, false);
    snprintf(path, sizeof path, "%s", folder_file(folder, "parameters-b.slot"));
    assert_int_equal(symlink("parameters-b.slot", path), 0); /* to itself */
    assert_barred(folder, "cannot be opened: ");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_barred(folder, "is not a regular file");
    rmdir(path);
    expect(folder, 1, 0, false);
}

static void a_slot_of_a_newer_version_stops_everything(void **state)
{
    struct folder *folder = *state;
    unsigned char bytes[4096], again[4096];
    save(folder, 1, 0, false);
    save(folder, 2, 0, false);
    long size = folder_read(folder, "parameters-b.slot", bytes, sizeof bytes);
    bytes[8]++;
    folder_write(folder, "parameters-b.slot", bytes, (size_t)size);
    assert_barred(folder, "newer starling");
    assert_int_equal(folder_read(folder, "parameters-b.slot", again, sizeof again), size);
    assert_memory_equal(bytes, again, (size_t)size);
}

static void a_model_larger_than_allowed_is_refused_unread(void **state)
{
    struct folder *folder = *state;
    struct saved saved;
    bool found;
    char note[PROBLEM_TEXT_MAX];
    save(folder, 1, 2, true);
    struct problem problem = {0};
    assert_int_equal(slots_load(folder->path, PARAMETERS * 4 - 1, &saved, &found, note, &problem),
                     STARLING_FAILED);
    assert_false(found);
    assert_non_null(strstr(problem.text, "larger than node.max_model"));
    assert_int_equal(slots_load(folder->path, PARAMETERS * 4, &saved, &found, note, NULL), 0);
    assert_true(found);
    saved_clear(&saved);
}

static void an_interrupted_save_is_cleared_away(void **state)
{
    struct folder *folder = *state;
    save(folder, 1, 0, false);
    folder_write(folder, "parameters-b.slot.tmp", "half a slo", 10);
    expect(folder, 1, 0, false);
    assert_int_not_equal(access(folder_file(folder, "parameters-b.slot.tmp"), F_OK), 0);
    folder_write(folder, "parameters-b.slot.tmp", "half a slo", 10);
    save(folder, 2, 0, false);
    expect(folder, 2, 0, false);
}

/* A file may grow to `limit` bytes only, as on a full disk; in a child, so that it ends there. */
static void a_full_disk_leaves_the_last_save(void **state)
{
    struct folder *folder = *state;
    save(folder, 1, 2, true);
    save(folder, 2, 2, true);
    for (rlim_t limit = 0; limit < 4 * PARAMETERS * 4; limit += 60) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct rlimit small = {limit, limit};
            struct saved saved = sample(3, 2, true);
            struct problem problem = {0};
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &small);
            bool good = slots_save(folder->path, &saved, &problem) == STARLING_FAILED &&
                        strstr(problem.text, "cannot be written") && saved.number == 0;
            _exit(good ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_not_equal(access(folder_file(folder, "parameters-a.slot.tmp"), F_OK), 0);
        expect(folder, 2, 2, true);
    }
}

/* kill -9 at any instant of a stream of saves: what is found is whole, and not older than the
 * last save that was reported done. */
static void a_kill_at_any_instant_leaves_a_whole_slot(void **state)
{
    struct folder *folder = *state;
    save(folder, 1, 2, true);
    for (int run = 0; run < 20; run++) {
        int done[2];
        assert_int_equal(pipe(done), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (unsigned n = 2; n < 200; n++) {
                struct saved saved = sample(n, 2, true);
                unsigned char byte = (unsigned char)n;
                if (slots_save(folder->path, &saved, NULL) || write(done[1], &byte, 1) != 1)
                    _exit(1);
                saved_clear(&saved);
            }
            _exit(0);
        }
        close(done[1]);
        unsigned char last = 0;
        for (int i = 0; i <= run; i++)
            assert_int_equal(read(done[0], &last, 1), 1);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(done[0], &last, 1) == 1)
            ;
        close(done[0]);
        struct saved saved;
        bool found;
        assert_int_equal(slots_load(folder->path, MAX_BYTES, &saved, &found, NULL, NULL), 0);
        assert_true(found && saved.round >= last);
        unsigned newest = (unsigned)saved.round;
        saved_clear(&saved);
        expect(folder, newest, 2, true);
    }
}

static void a_folder_that_is_gone_is_said(void **state)
{
    (void)state;
    struct saved saved = sample(1, 0, false);
    struct problem problem = {0};
    assert_int_equal(slots_save("/nonexistent/folder", &saved, &problem), STARLING_FAILED);
    assert_non_null(strstr(problem.text, "/nonexistent/folder/parameters-a.slot: cannot be made"));
    saved_clear(&saved);
    bool found;
    assert_int_equal(slots_load("/nonexistent/folder", MAX_BYTES, &saved, &found, NULL, NULL), 0);
    assert_false(found);
}

static void an_age_that_is_no_number_is_not_read(void **state)
{
    struct folder *folder = *state;
    struct saved saved = sample(1, 0, false);
    saved.age = NAN;
    assert_int_equal(slots_save(folder->path, &saved, NULL), 0);
    saved_clear(&saved);
    expect(folder, 0, 0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_folder_has_nothing, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(the_newest_save_comes_back_whole, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_slot_of_version_1_is_read_and_followed_by_a_newer,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(numbers_grow_over_restarts, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_newest_slot_gives_way_to_the_one_before,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_slot_with_the_greatest_number_is_passed_over,
                                        folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_longer_slot_is_moved_aside, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(saving_heals_damage, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(both_damaged_are_moved_aside_and_said, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_slot_that_cannot_be_read_stops_everything, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_slot_of_a_newer_version_stops_everything, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_model_larger_than_allowed_is_refused_unread, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(an_interrupted_save_is_cleared_away, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_full_disk_leaves_the_last_save, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_kill_at_any_instant_leaves_a_whole_slot, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(a_folder_that_is_gone_is_said),
        cmocka_unit_test_setup_teardown(an_age_that_is_no_number_is_not_read, folder_setup,
                                        folder_teardown),
    };
    return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
