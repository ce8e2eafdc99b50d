/* report and compare, as a person uses them on runs that were made. */
#include "tests/sim/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>

#define FEW "--quiet --nodes 6 --samples 30 --model linear "

static void make_runs(void)
{
    run_well("run " FEW "--rounds 3 --out runs/a");
    run_well("run " FEW "--rounds 5 --out runs/b --set gossip.merge=average --seed 2");
}

static char page[1 << 19];

static void report_draws_the_page_again(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    make_runs();
    discard("runs/a/report.html");
    run_well("report runs/a");
    assert_string_equal(said.out, "runs/a/report.html\n");
    read_whole("runs/a/report.html", page, sizeof page);
    assert_non_null(strstr(page, "</html>"));
    discard("runs/a/summary.json"); /* as of a run that was killed */
    discard("runs/a/nodes.csv");
    run_well("report runs/a/");
    read_whole("runs/a/report.html", page, sizeof page);
    assert_non_null(strstr(page, "ended before its last round"));
    discard("runs");
}

static void compare_tells_how_good_and_how_soon(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    make_runs();
    run_well("compare runs/a/ runs/b --json");
    json_t *json = json_loads(said.out, 0, NULL), *runs = json_object_get(json, "runs");
    assert_int_equal(json_array_size(runs), 2);
    assert_string_equal(json_string_value(json_object_get(json, "page")), "runs/compare.html");
    json_t *a = json_array_get(runs, 0), *b = json_array_get(runs, 1);
    assert_string_equal(json_string_value(json_object_get(a, "name")), "a");
    assert_int_equal(json_integer_value(json_object_get(b, "rounds")), 5);
    assert_true(json_is_true(json_object_get(a, "complete")));
    /* The one that the target is of reaches it in its own last round, at the latest. */
    double target = json_number_value(json_object_get(json, "target"));
    assert_true(target > 0 && target < 1);
    for (size_t i = 0; i < 2; i++) {
        json_t *each = json_array_get(runs, i), *reached = json_object_get(each, "reached");
        assert_true(json_integer_value(json_object_get(reached, "round")) <=
                    json_integer_value(json_object_get(each, "rounds")));
        assert_true(json_number_value(json_object_get(reached, "bytes_a_node")) <=
                    json_number_value(json_object_get(each, "bytes_a_node")));
        assert_true(json_number_value(json_object_get(json_object_get(each, "best"), "accuracy")) >=
                    target);
    }
    json_t *differ = json_object_get(json, "differ");
    assert_int_equal(json_object_size(differ), 3);
    json_t *merge = json_object_get(differ, "gossip.merge");
    assert_string_equal(json_string_value(json_array_get(merge, 0)), "limited");
    assert_string_equal(json_string_value(json_array_get(merge, 1)), "average");
    assert_non_null(json_object_get(differ, "sim.seed"));
    assert_non_null(json_object_get(differ, "sim.rounds"));
    json_decref(json);
    discard("runs");
}

static void compare_draws_a_page_that_fetches_nothing(void **state)
{
    (void)state;
    static const char *const parts[] = {"id=\"accuracy\"", "id=\"by-time\"",   "id=\"by-traffic\"",
                                        "id=\"loss\"",     "id=\"consensus\"", "id=\"spread\"",
                                        "id=\"cost\"",     "id=\"figures\"",   "id=\"settings\"",
                                        "gossip.merge",    "</html>"};
    static const char *const fetching[] = {"<script", "<link", "<img", "http:", "url(", "nan"};
    if (!program[0])
        skip();
    make_runs();
    run_well("compare runs/a runs/b --out seen.html");
    assert_non_null(strstr(said.out, "accuracy %"));
    assert_non_null(strstr(said.out, "\nseen.html\n"));
    read_whole("seen.html", page, sizeof page);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!strstr(page, parts[i]))
            fail_msg("the page lacks %s", parts[i]);
    for (size_t i = 0; i < sizeof fetching / sizeof *fetching; i++)
        if (strstr(page, fetching[i]))
            fail_msg("the page holds %s", fetching[i]);
    run_well("compare runs/a runs/b --out seen.html"); /* its own page is replaced */
    discard("seen.html");
    discard("runs");
}

static void runs_of_one_name_are_told_apart(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    run_well("run " FEW "--rounds 1 --out x/same");
    run_well("run " FEW "--rounds 1 --out y/same");
    run_well("compare x/same y/same");
    assert_non_null(strstr(said.out, "x/same "));
    assert_non_null(strstr(said.out, "y/same "));
    assert_non_null(strstr(said.out, "all settings are the same"));
    discard("x");
    discard("y");
}

static void what_makes_no_sense_is_refused_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *part;
    } cases[] = {
        {"report", "report: name one folder"},
        {"report runs/a runs/b", "report: name one folder"},
        {"report nowhere", "nowhere: holds no run"},
        {"report runs", "runs: holds no run"},
        {"report runs/a --nodes 5", "report: takes the folder of a run and nothing else"},
        {"report runs/a --json", "report: takes the folder"},
        {"compare runs/a", "compare: name two folders"},
        {"compare runs/a nowhere", "nowhere: holds no run"},
        {"compare runs/a runs/b --seed 1", "compare: takes folders of runs"},
        {"compare runs/a runs/b --out notes.txt", "notes.txt: is no page of starling-sim"},
        {"compare runs/a runs/b --out nowhere/", "names no file"},
    };
    if (!program[0])
        skip();
    make_runs();
    write_text("notes.txt", "mine\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(cases[i].arguments);
        expect_line(cases[i].arguments, 2, cases[i].part);
    }
    read_whole("notes.txt", page, sizeof page);
    assert_string_equal(page, "mine\n");
    run("compare runs/a runs/b --out nowhere/x.html");
    expect_line("compare", 1, "nowhere/x.html");
    run_well("compare runs/a runs/b --out notes.txt --force");
    discard("notes.txt");
    discard("runs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_draws_the_page_again),
        cmocka_unit_test(compare_tells_how_good_and_how_soon),
        cmocka_unit_test(compare_draws_a_page_that_fetches_nothing),
        cmocka_unit_test(runs_of_one_name_are_told_apart),
        cmocka_unit_test(what_makes_no_sense_is_refused_in_one_line),
    };
    if (command_begin())
        return 1;
    int failed = cmocka_run_group_tests_name("compare", tests, NULL, NULL);
    command_end();
    return failed;
}
