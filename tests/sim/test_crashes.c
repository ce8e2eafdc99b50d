#include "sim/crashes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define END_US 3600000000u
#define NODES 1000u

static struct crashes parsed(const char *text)
{
    struct crashes crashes;
    struct problem problem = {0};
    if (crashes_parse(text, END_US, 3, &crashes, &problem))
        fail_msg("%s", problem.text);
    return crashes;
}

static void what_is_no_crash_is_refused_with_advice(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "all",
        "0.5",
        "0.5@",
        "@10m",
        "0@10m",
        "1@10m",
        "-0.5@10m",
        "nan@10m",
        "50%@10m",
        "0.5@10m:",
        "0.5@10m:worst",
        "0.5@10m,",
        "0.5@10",
        "0.5@soon",
        "0.5@10m:best:",
        "0.5@1h",
        "0.5@30d",
        "none,0.5@10m",
        "0.5@10m:best,,0.1@1m",
        "0.5@99999999999d",
        "2@10m",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct crashes crashes;
        struct problem problem = {0};
        if (!crashes_parse(cases[i], END_US, 1, &crashes, &problem))
            fail_msg("'%s' was taken", cases[i]);
        assert_non_null(strstr(problem.text, "sim.crash: "));
    }
    char many[CRASHES_MAX * 16] = "";
    for (size_t i = 0; i <= CRASHES_MAX; i++)
        strcat(many, i ? ",0.1@1m" : "0.1@1m");
    struct crashes crashes;
    struct problem problem = {0};
    assert_int_equal(crashes_parse(many, END_US, 1, &crashes, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "more than 32 crashes"));
    assert_int_equal(parsed("none").count, 0);
}

static void crashes_come_in_the_order_of_time(void **state)
{
    (void)state;
    struct crashes crashes = parsed("0.3@20m:best,0.7@10m,0.1@10m:random");
    assert_int_equal(crashes.count, 3);
    assert_true(crashes.crashes[0].share == .7 && !crashes.crashes[0].best);
    assert_true(crashes.crashes[1].share == .1 && !crashes.crashes[1].best);
    assert_true(crashes.crashes[2].share == .3 && crashes.crashes[2].best);
    assert_true(crashes.crashes[2].at_us == 1200000000);
}

static void all_nodes(uint32_t nodes[NODES])
{
    for (uint32_t i = 0; i < NODES; i++)
        nodes[i] = i;
}

/* As many as asked for; whatever order the nodes come in, the same ones. */
static void who_crashes_at_random_the_seed_says(void **state)
{
    (void)state;
    struct crashes crashes = parsed("0.7@10m,0.7@20m");
    uint32_t one[NODES], other[NODES];
    bool crashed[NODES] = {false};
    all_nodes(one);
    for (uint32_t i = 0; i < NODES; i++)
        other[i] = NODES - 1 - i;
    assert_int_equal(crashes_choose(&crashes, 0, one, NODES, NULL), 700);
    assert_int_equal(crashes_choose(&crashes, 0, other, NODES, NULL), 700);
    double sum = 0;
    for (size_t i = 0; i < 700; i++) {
        assert_int_equal(one[i], other[i]);
        assert_false(crashed[one[i]]);
        crashed[one[i]] = true;
        sum += one[i];
    }
    assert_true(fabs(sum / 700 - 499.5) < 40); /* four deviations */
    all_nodes(other);
    assert_int_equal(crashes_choose(&crashes, 1, other, NODES, NULL), 700);
    unsigned twice = 0;
    for (size_t i = 0; i < 700; i++)
        twice += crashed[other[i]];
    assert_in_range(twice, 450, 530);
}

static void the_best_go_first_and_of_equals_any(void **state)
{
    (void)state;
    struct crashes crashes = parsed("0.3@10m:best");
    uint32_t nodes[NODES];
    double accuracy[NODES];
    all_nodes(nodes);
    for (uint32_t i = 0; i < NODES; i++) /* 100 best, 400 next, 500 whose accuracy is unknown */
        accuracy[i] = i % 10 == 3 ? .9 : i % 2 ? .8 : (double)NAN;
    assert_int_equal(crashes_choose(&crashes, 0, nodes, NODES, accuracy), 300);
    double sum = 0;
    for (size_t i = 0; i < 300; i++) {
        assert_true(i < 100 ? nodes[i] % 10 == 3 : nodes[i] % 10 != 3 && nodes[i] % 2 == 1);
        sum += i < 100 ? 0 : nodes[i];
    }
    assert_true(fabs(sum / 200 - 499.5) < 60);
}

static void one_at_least_crashes_and_one_at_least_is_left(void **state)
{
    (void)state;
    struct crashes crashes = parsed("0.99@10m");
    uint32_t nodes[3] = {5, 6, 7};
    assert_int_equal(crashes_choose(&crashes, 0, nodes, 3, NULL), 2);
    assert_int_equal(crashes_choose(&crashes, 0, nodes, 1, NULL), 0);
    assert_int_equal(crashes_choose(&crashes, 0, nodes, 0, NULL), 0);
    crashes = parsed("0.001@10m");
    assert_int_equal(crashes_choose(&crashes, 0, nodes, 3, NULL), 1);
    assert_int_equal(crashes_choose(&crashes, 0, nodes, 1, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_crash_is_refused_with_advice),
        cmocka_unit_test(crashes_come_in_the_order_of_time),
        cmocka_unit_test(who_crashes_at_random_the_seed_says),
        cmocka_unit_test(the_best_go_first_and_of_equals_any),
        cmocka_unit_test(one_at_least_crashes_and_one_at_least_is_left),
    };
    return cmocka_run_group_tests_name("crashes", tests, NULL, NULL);
}
