/* What becomes of results where the disk is full, where two write in one place, and where a sweep
 * is killed at any moment. */
#include "tests/sim/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>

#define FEW "--quiet --nodes 4 --set sim.samples=30 --model linear "

static char text[1 << 16];

/* Files may hold 2,048 bytes: rows and nodes fit, the page does not. */
static void a_page_that_does_not_fit_takes_nothing_along(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    run_held("run " FEW "--rounds 3 --out o", HOLD_FILE_SIZE);
    expect_line("run", 1, "o/report.html: cannot be written: File too large: make room");
    assert_false(is_there("o/report.html.tmp"));
    read_whole("o/nodes.csv", text, sizeof text);
    assert_non_null(strstr(text, "\n3,"));
    read_whole("o/rounds.csv", text, sizeof text);
    assert_non_null(strstr(text, "\n3,"));
    run_held("report o", HOLD_FILE_SIZE);
    expect_line("report", 1, "o/report.html: cannot be written");
    run_well("report o");
    run_held("compare o o", HOLD_FILE_SIZE);
    expect_line("compare", 1, "compare.html: cannot be written");
    assert_false(is_there("compare.html"));
    discard("o");
}

static void a_sweep_on_a_full_disk_says_so_and_goes_on_later(void **state)
{
    (void)state;
    static const char arguments[] = "sweep " FEW "--rounds 3 --seeds 1-2 --out s";
    if (!program[0])
        skip();
    run_held(arguments, HOLD_FILE_SIZE);
    assert_int_equal(said.status, 1);
    assert_non_null(strstr(said.err, "File too large: make room"));
    run_well(arguments);
    assert_true(is_there("s/sweep.csv") && is_there("s/seed-2/summary.json"));
    discard("s");
}

static void what_a_world_is_made_of_is_looked_for_first(void **state)
{
    (void)state;
    static const char *const settings[] = {"sim.latency", "sim.churn", "sim.topology"};
    char arguments[200], part[100];
    if (!program[0])
        skip();
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        snprintf(arguments, sizeof arguments, "sweep " FEW "--seeds 1-3 --out s --set %s=file:no/f",
                 settings[i]);
        snprintf(part, sizeof part, "%s: no/f: No such file or directory: name a file",
                 settings[i]);
        run(arguments);
        expect_line(arguments, 2, part);
        assert_false(is_there("s"));
    }
}

static void two_runs_never_write_in_one_folder(void **state)
{
    (void)state;
    static const char endless[] = "run " FEW "--rounds 1000000 --out o";
    if (!program[0])
        skip();
    pid_t first = launch(endless, HOLD_NOT);
    double deadline = seconds() + DEADLINE_S;
    while (!is_there("o/rounds.csv") && seconds() < deadline)
        rest();
    kill(first, SIGSTOP); /* it is there, and does not end */
    pid_t second = launch("run " FEW "--rounds 2 --out o", HOLD_NOT);
    await(second, "run");
    assert_int_equal(said.status, 2);
    assert_non_null(strstr(said.err, "o: another run is at work there"));
    pid_t third = launch("run " FEW "--rounds 2 --force --out o", HOLD_NOT);
    kill(first, SIGKILL);
    kill(first, SIGCONT);
    await(third, "run --force"); /* it waited */
    assert_int_equal(said.status, 0);
    waitpid(first, NULL, 0);
    read_whole("o/rounds.csv", text, sizeof text);
    assert_null(strstr(text, "\n3,"));
    discard("o");
}

static void digest_of(const char *name, char digest[65])
{
    json_t *summary = json_load_file(folder_file(&folder, name), 0, NULL);
    const char *found = json_string_value(json_object_get(summary, "digest"));
    snprintf(digest, 65, "%s", found ? found : "none");
    assert_true(json_is_true(json_object_get(summary, "complete")));
    json_decref(summary);
}

static void a_killed_sweep_goes_on_to_the_same_results(void **state)
{
    (void)state;
    static const char parts[] = FEW "--rounds 60 --vary gossip.merge=limited,average --jobs 2 ";
    char arguments[400], name[100], wanted[65], found[65];
    if (!program[0])
        skip();
    snprintf(arguments, sizeof arguments, "sweep %s--out whole", parts);
    run_well(arguments);
    snprintf(arguments, sizeof arguments, "sweep %s--out s", parts);
    for (int kills = 0; kills < 6; kills++) {
        pid_t process = launch(arguments, HOLD_NOT);
        double moment = seconds() + 0.02 * (kills + 1);
        while (seconds() < moment)
            rest();
        kill(process, SIGKILL);
        await(process, arguments);
    }
    run_well(arguments);
    for (size_t i = 0; i < 2; i++) {
        static const char *const runs[] = {"merge-limited_seed-1", "merge-average_seed-1"};
        snprintf(name, sizeof name, "whole/%s/summary.json", runs[i]);
        digest_of(name, wanted);
        snprintf(name, sizeof name, "s/%s/summary.json", runs[i]);
        digest_of(name, found);
        assert_string_equal(found, wanted);
    }
    discard("whole");
    discard("s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_that_does_not_fit_takes_nothing_along),
        cmocka_unit_test(a_sweep_on_a_full_disk_says_so_and_goes_on_later),
        cmocka_unit_test(what_a_world_is_made_of_is_looked_for_first),
        cmocka_unit_test(two_runs_never_write_in_one_folder),
        cmocka_unit_test(a_killed_sweep_goes_on_to_the_same_results),
    };
    if (command_begin())
        return 1;
    int failed = cmocka_run_group_tests_name("disk", tests, NULL, NULL);
    command_end();
    return failed;
}
