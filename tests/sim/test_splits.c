#include "sim/splits.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MINUTE_US 60000000u
#define END_US (60ull * MINUTE_US)
#define NODES 20000u

static struct splits parsed(const char *text)
{
    struct splits splits;
    struct problem problem = {0};
    if (splits_parse(text, END_US, 3, &splits, &problem))
        fail_msg("%s", problem.text);
    return splits;
}

static void what_is_no_split_is_refused_with_advice(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",          "half",        "10m-20m",     "10m-20m:",      "10m-20m:1",
        "10m:2",     "20m-10m:2",   "10m-10m:2",   "10m-20m:2,",    ",10m-20m:2",
        "10-20:2",   "10m-20m:0",   "10m-20m:2.5", "10m-20m:1001",  "10m-20m:nan",
        "10m-20m:x", "10m-20m:-.1", "10m-20m:2:3", "10m-20m-30m:2", "none,10m-20m:2",
        "60m-70m:2", "1d-2d:0.5",   "10m-1e30s:2", "10m-20m:2 ",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct splits splits;
        struct problem problem = {0};
        if (!splits_parse(cases[i], END_US, 1, &splits, &problem))
            fail_msg("'%s' was taken", cases[i]);
        assert_non_null(strstr(problem.text, "sim.partitions: "));
    }
    char many[SPLITS_MAX * 16] = "";
    for (size_t i = 0; i <= SPLITS_MAX; i++)
        strcat(many, i ? ",1m-2m:2" : "1m-2m:2");
    struct splits splits;
    struct problem problem = {0};
    assert_int_equal(splits_parse(many, END_US, 1, &splits, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "more than 32 splits"));
    assert_int_equal(parsed("none").count, 0);
}

/* Groups as large as asked for, within four deviations. */
static void nodes_are_dealt_out_to_the_sides(void **state)
{
    (void)state;
    struct splits splits = parsed("1m-2m:2,3m-4m:5,5m-90m:0.3");
    static const double shares[3][5] = {{.5, .5}, {.2, .2, .2, .2, .2}, {.7, .3}};
    assert_int_equal(splits.count, 3);
    for (size_t i = 0; i < 3; i++) {
        unsigned counts[5] = {0};
        for (peer_id node = 0; node < NODES; node++) {
            uint32_t side = splits_side(&splits, i, node);
            assert_in_range(side, 0, 4);
            assert_int_equal(side, splits_side(&splits, i, node));
            counts[side]++;
        }
        for (size_t side = 0; side < 5; side++) {
            double share = shares[i][side], noise = sqrt(NODES * share * (1 - share));
            assert_true(fabs(counts[side] - NODES * share) <= 4 * noise);
        }
    }
}

/* Each split has sides of its own. */
static void a_split_deals_the_nodes_out_anew(void **state)
{
    (void)state;
    struct splits splits = parsed("1m-2m:2,3m-4m:2");
    unsigned same = 0;
    for (peer_id node = 0; node < NODES; node++)
        same += splits_side(&splits, 0, node) == splits_side(&splits, 1, node);
    assert_in_range(same, NODES / 2 - 300, NODES / 2 + 300);
}

static void who_is_on_the_other_side_is_out_of_reach_until_it_heals(void **state)
{
    (void)state;
    struct splits splits = parsed("10m-20m:2");
    peer_id same = 1, other = 1;
    while (splits_side(&splits, 0, same) != splits_side(&splits, 0, 0))
        same++;
    while (splits_side(&splits, 0, other) == splits_side(&splits, 0, 0))
        other++;
    static const struct {
        uint64_t sent_us, arrives_us;
        bool parted;
    } cases[] = {
        {0, MINUTE_US, false},
        {9 * MINUTE_US, 10 * MINUTE_US - 1, false},
        {9 * MINUTE_US, 10 * MINUTE_US, true}, /* on its way when it happens */
        {9 * MINUTE_US, 30 * MINUTE_US, true},
        {15 * MINUTE_US, 16 * MINUTE_US, true},
        {20 * MINUTE_US - 1, 21 * MINUTE_US, true},
        {20 * MINUTE_US, 21 * MINUTE_US, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t sent = cases[i].sent_us, arrives = cases[i].arrives_us;
        assert_false(splits_part(&splits, 0, same, sent, arrives));
        assert_int_equal(splits_part(&splits, 0, other, sent, arrives), cases[i].parted);
        assert_int_equal(splits_part(&splits, other, 0, sent, arrives), cases[i].parted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_split_is_refused_with_advice),
        cmocka_unit_test(nodes_are_dealt_out_to_the_sides),
        cmocka_unit_test(a_split_deals_the_nodes_out_anew),
        cmocka_unit_test(who_is_on_the_other_side_is_out_of_reach_until_it_heals),
    };
    return cmocka_run_group_tests_name("splits", tests, NULL, NULL);
}
