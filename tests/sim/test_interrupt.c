/* Runs that a person looks on at, and ends. */
#include "tests/sim/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <signal.h>

#define ENDLESS "--quiet --nodes 4 --set sim.samples=30 --rounds 1000000 --model linear --out o "

static char text[1 << 20];

static void read_when_there(const char *name)
{
    text[0] = '\0';
    if (is_there(name))
        read_whole(name, text, sizeof text);
}

/* Waits until a file of the run holds `part`. */
static void await_part(const char *name, const char *part)
{
    double deadline = seconds() + DEADLINE_S;
    do {
        rest();
        read_when_there(name);
    } while (!strstr(text, part) && seconds() < deadline);
    if (!strstr(text, part))
        fail_msg("%s never held %s", name, part);
}

/* What a person does who has no time: the rows are there, and more can be drawn of them. */
static void a_second_interrupt_ends_at_once(void **state)
{
    (void)state;
    /* Ten million examples to be tested at the end: the first interrupt alone takes long. */
    static const char arguments[] =
        "run --quiet --nodes 20000 --set sim.samples=3 --rounds 1000000 "
        "--model linear --set sim.eval_examples=2000 --out o";
    if (!program[0])
        skip();
    pid_t process = launch(arguments, HOLD_NOT);
    await_part("o/rounds.csv", "\n1,");
    kill(process, SIGINT);
    double begun = seconds();
    while (!is_there("o/summary.json") && seconds() < begun + 0.2)
        rest();
    kill(process, SIGINT);
    await(process, arguments);
    assert_int_equal(said.status, 130);
    assert_true(seconds() - begun < DEADLINE_S / 2);
    await_part("o/rounds.csv", "\n1,");
    run_well("report o");
    await_part("o/report.html", "ended before its last round");
    discard("o");
}

static void a_page_that_is_watched_follows_the_run(void **state)
{
    (void)state;
    static const char arguments[] = "run --watch " ENDLESS;
    if (!program[0])
        skip();
    pid_t process = launch(arguments, HOLD_NOT);
    await_part("o/report.html", "http-equiv=\"refresh\"");
    await_part("o/report.html", "Running: round ");
    kill(process, SIGINT);
    await(process, arguments);
    assert_int_equal(said.status, 130);
    read_when_there("o/report.html");
    assert_null(strstr(text, "http-equiv=\"refresh\""));
    assert_non_null(strstr(text, "ended before its last round"));
    assert_non_null(strstr(text, "</html>"));
    discard("o");
}

static void only_one_run_is_watched(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    run("sweep --watch --seeds 1-2");
    expect_line("sweep --watch", 2, "--watch: is for one run");
}

/* A killed run is drawn from what it wrote, and the same command takes its place when forced. */
static void what_a_killed_run_wrote_is_kept(void **state)
{
    (void)state;
    static const char arguments[] = "run " ENDLESS;
    if (!program[0])
        skip();
    pid_t process = launch(arguments, HOLD_NOT);
    await_part("o/rounds.csv", "\n3,");
    kill(process, SIGKILL);
    await(process, arguments);
    assert_int_equal(said.status, -SIGKILL);
    run_well("report o");
    await_part("o/report.html", "ended before its last round");
    run(arguments);
    expect_line(arguments, 2, "o: holds a run already");
    run_well(
        "run --quiet --force --nodes 4 --set sim.samples=30 --rounds 2 --model linear --out o");
    discard("o");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_interrupt_ends_at_once),
        cmocka_unit_test(a_page_that_is_watched_follows_the_run),
        cmocka_unit_test(only_one_run_is_watched),
        cmocka_unit_test(what_a_killed_run_wrote_is_kept),
    };
    if (command_begin())
        return 1;
    int failed = cmocka_run_group_tests_name("interrupt", tests, NULL, NULL);
    command_end();
    return failed;
}
