#include "sim/speed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NODES 20000u

static struct speed parsed(const char *text)
{
    struct speed speed;
    struct problem problem = {0};
    if (speed_parse(text, 3, &speed, &problem))
        fail_msg("%s", problem.text);
    return speed;
}

static void what_is_no_speed_is_refused_with_advice(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",           "fast",         "0",           "-1",           "0.0009",
        "1001",       "nan",          "inf",         "1,",           "1 ",
        "uniform:",   "uniform:1",    "uniform:2-1", "uniform:0-1",  "uniform:1-2-3",
        "lognormal:", "lognormal:-1", "lognormal:4", "lognormal:1,", "lognormal:x",
        " 1",         "uniform:-1-1", "1x",          "0x1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct speed speed;
        struct problem problem = {0};
        if (!speed_parse(cases[i], 1, &speed, &problem))
            fail_msg("'%s' was taken", cases[i]);
        assert_non_null(strstr(problem.text, "sim.speed: "));
    }
}

static void all_are_alike_unless_they_differ(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double speed;
    } cases[] = {{"1", 1}, {"0.25", .25}, {"uniform:3-3", 3}, {"lognormal:0", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct speed speed = parsed(cases[i].text);
        assert_true(speed_is_alike(&speed));
        for (peer_id node = 0; node < 10; node++)
            assert_true(speed_of(&speed, node) == cases[i].speed);
    }
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Their 5th, 50th and 95th percentiles are what the law says. */
static void speeds_have_the_shape_that_was_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double quantiles[3];
    } cases[] = {
        {"uniform:0.5-2.5", {.6, 1.5, 2.4}},
        {"lognormal:0.5", {.4394, 1, 2.276}}, /* exp(± 1.645 σ) */
    };
    static double drawn[NODES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct speed speed = parsed(cases[i].text);
        assert_false(speed_is_alike(&speed));
        for (peer_id node = 0; node < NODES; node++) {
            drawn[node] = speed_of(&speed, node);
            assert_true(drawn[node] == speed_of(&speed, node));
            assert_true(drawn[node] >= SPEED_LEAST && drawn[node] <= SPEED_MOST);
        }
        qsort(drawn, NODES, sizeof *drawn, by_size);
        for (size_t q = 0; q < 3; q++) {
            double seen = drawn[NODES / 20 + q * (NODES * 9 / 20)], wanted = cases[i].quantiles[q];
            if (fabs(seen - wanted) > .03 * wanted)
                fail_msg("%s: quantile %zu is %g, wanted %g", cases[i].text, q, seen, wanted);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_speed_is_refused_with_advice),
        cmocka_unit_test(all_are_alike_unless_they_differ),
        cmocka_unit_test(speeds_have_the_shape_that_was_asked_for),
    };
    return cmocka_run_group_tests_name("speed", tests, NULL, NULL);
}
