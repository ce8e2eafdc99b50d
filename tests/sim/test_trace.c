#include "sim/trace.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/model/files.h"

static void stays_are_sorted_and_those_that_touch_are_one(void **state)
{
    (void)state;
    static const char text[] = "# node start end\n"
                               "3\t0 7.5\n"
                               "0 20 30\n\n"
                               "0 10 20\n"
                               "  0 30.0005 31  \n"
                               "0 0 5.25\r\n"
                               "3 100 1e3\n";
    struct trace trace;
    struct problem problem = {0};
    if (trace_read(files_text("trace.gz", text), 10, &trace, &problem))
        fail_msg("%s", problem.text);
    static const uint32_t first[] = {0, 2, 2, 2, 4};
    static const struct stay stays[] = {
        {0, 5250000}, {10000000, 31000000}, {0, 7500000}, {100000000, 1000000000}};
    assert_int_equal(trace.nodes, 4);
    for (size_t i = 0; i <= 4; i++)
        assert_int_equal(trace.first[i], first[i]);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(trace.stays[i].from_us, stays[i].from_us);
        assert_int_equal(trace.stays[i].until_us, stays[i].until_us);
    }
    trace_clear(&trace);
}

static void what_is_no_trace_is_refused_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", ": holds no stay"},
        {"# nobody\n", ": holds no stay"},
        {"0 1\n", ":1: is no stay"},
        {"0 1 2 3\n", ":1: is no stay"},
        {"a 1 2\n", ":1: is no stay"},
        {"-1 1 2\n", ":1: is no stay"},
        {"1.5 1 2\n", ":1: is no stay"},
        {"0 -1 2\n", ":1: is no stay"},
        {"0 1 nan\n", ":1: is no stay"},
        {"0 1 1e10\n", ":1: is no stay"},
        {"0 1 1e999\n", ":1: is no stay"},
        {"0 \"1 2\n", ":1: is no stay"},
        {"0 1 2\n10 3 4\n", ":2: there is no node 10: sim.nodes is 10"},
        {"99999999999999999999 3 4\n", ":1: there is no node 99999999999999999999"},
        {"4294967296 3 4\n", ":1: there is no node 4294967296"},
        {"0 5 5\n", ":1: a stay ends a millisecond after it begins"},
        {"0 5 5.0009\n", ":1: a stay ends a millisecond after it begins"},
        {"0 6 5\n", ":1: a stay ends a millisecond after it begins"},
        {"1 1 3\n0 1 2\n1 2 4\n", ": node 1 is there twice at 2.000000 s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct trace trace;
        struct problem problem = {0};
        if (!trace_read(files_text("bad", cases[i].text), 10, &trace, &problem))
            fail_msg("'%s' was taken", cases[i].text);
        if (problem.error != STARLING_INVALID || !strstr(problem.text, cases[i].says) ||
            strchr(problem.text, '\n'))
            fail_msg("'%s': %s", cases[i].text, problem.text);
        assert_null(trace.stays);
    }
    struct trace trace;
    struct problem problem = {0};
    assert_int_equal(trace_read("/absent/trace", 10, &trace, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "/absent/trace: No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_are_sorted_and_those_that_touch_are_one),
        cmocka_unit_test(what_is_no_trace_is_refused_in_one_line),
    };
    return cmocka_run_group_tests_name("trace", tests, files_setup, files_teardown);
}
