#include "gossip/agreement.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gossip/sums.h"
#include "model/vector.h"

#define FEATURES 3
#define NODES_MAX 60
#define PERIOD_US 1000000u
#define SEED 7

static const uint8_t task[TASK_ID_BYTES] = {1, 2, 3};

/* A few nodes that know each other, over a network that loses some messages. */
struct swarm {
    size_t count;
    double drop;
    struct agreement nodes[NODES_MAX];
    double sums[NODES_MAX][SUMS * FEATURES];
    struct view views[NODES_MAX];
    struct view_entry entries[NODES_MAX][VIEW_MAX];
    struct random random;
};

/* Values of feature f at a node: around 10 f, except the last, which is the same everywhere. */
static double value_of(struct random *random, size_t node, size_t feature)
{
    if (feature == FEATURES - 1)
        return 2000;
    return 10 * (double)feature + (double)(node % 5) + random_normal(random);
}

static void add_node(struct swarm *swarm, size_t examples, double *all)
{
    size_t node = swarm->count++;
    double *sums = swarm->sums[node];
    memset(sums, 0, sizeof swarm->sums[node]);
    for (size_t i = 0; i < examples; i++)
        for (size_t f = 0; f < FEATURES; f++) {
            double value = value_of(&swarm->random, node, f);
            sums[f]++;
            sums[FEATURES + f] += value;
            sums[2 * FEATURES + f] += value * value;
        }
    for (size_t i = 0; i < SUMS * FEATURES && all; i++)
        all[i] += sums[i];
    agreement_init(&swarm->nodes[node], task, sums, FEATURES, PERIOD_US, SEED);
    view_init(&swarm->views[node], (peer_id)node, swarm->entries[node], 20);
}

static void deliver(struct swarm *swarm, peer_id from, peer_id to, struct sums_message message)
{
    struct sums_message answer;
    bool answered, changed;
    if (random_uniform(&swarm->random) < swarm->drop) {
        version_release(&message.sums);
        return;
    }
    assert_int_equal(agreement_receive(&swarm->nodes[to], &message, &answered, &answer, &changed),
                     REFUSED_NOT);
    if (answered)
        deliver(swarm, to, from, answer);
}

static void live(struct swarm *swarm, uint64_t from_us, uint64_t until_us)
{
    for (uint64_t now = from_us; now < until_us; now += 1000)
        for (size_t node = 0; node < swarm->count; node++) {
            struct sums_message message;
            peer_id to;
            if (agreement_tick(&swarm->nodes[node], &swarm->views[node], (struct now){now, 0}, &to,
                               &message))
                deliver(swarm, (peer_id)node, to, message);
        }
}

static void introduce_all(struct swarm *swarm)
{
    for (size_t node = 0; node < swarm->count; node++)
        while (swarm->views[node].count < 20 && swarm->views[node].count + 1u < swarm->count)
            view_add(&swarm->views[node], random_below(&swarm->random, (uint32_t)swarm->count));
}

static struct swarm *swarm_new(size_t count, double drop, double *all)
{
    struct swarm *swarm = calloc(1, sizeof *swarm);
    assert_non_null(swarm);
    swarm->drop = drop;
    swarm->random = random_stream(SEED, 0, RANDOM_EVALUATE, 0);
    for (size_t node = 0; node < count; node++)
        add_node(swarm, 1 + node % 7, all);
    introduce_all(swarm);
    for (size_t node = 0; node < count; node++)
        agreement_start(&swarm->nodes[node], (peer_id)node, (struct now){0, 0});
    return swarm;
}

/* The scaling of all the data in one place, worked out plainly. */
static void check_scaling(const struct agreement *agreement, const double *all, double tolerance)
{
    float scaling[2 * FEATURES];
    assert_true(agreement->settled);
    agreement_scaling(agreement, scaling);
    for (size_t f = 0; f < FEATURES; f++) {
        double mean = all[FEATURES + f] / all[f];
        double deviation = sqrt(all[2 * FEATURES + f] / all[f] - mean * mean);
        bool constant = f == FEATURES - 1;
        double unit = constant ? 1 : deviation;
        if (fabs((double)scaling[f] - mean) > tolerance * unit)
            fail_msg("feature %zu: shift %g, wanted %g", f, (double)scaling[f], mean);
        if (constant)
            assert_true(scaling[FEATURES + f] == 0.0f);
        else if (fabs((double)scaling[FEATURES + f] * deviation - 1) > tolerance)
            fail_msg("feature %zu: scale %g, wanted %g", f, (double)scaling[FEATURES + f],
                     1 / deviation);
    }
}

static void every_node_comes_to_the_scaling_of_all_data(void **state)
{
    (void)state;
    static const struct {
        size_t nodes;
        double drop, tolerance;
    } cases[] = {{2, 0, 1e-6}, {10, 0, 1e-4}, {60, 0, 1e-3}, {60, 0.3, 0.25}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        double all[SUMS * FEATURES] = {0};
        struct swarm *swarm = swarm_new(cases[c].nodes, cases[c].drop, all);
        live(swarm, 0, 40 * PERIOD_US / 5);
        for (size_t node = 0; node < cases[c].nodes; node++)
            check_scaling(&swarm->nodes[node], all, cases[c].tolerance);
        free(swarm);
    }
}

static void who_comes_late_takes_over_what_the_swarm_settled_on(void **state)
{
    (void)state;
    double all[SUMS * FEATURES] = {0};
    struct swarm *swarm = swarm_new(20, 0, all);
    live(swarm, 0, 40 * PERIOD_US / 5);
    add_node(swarm, 3, NULL);
    view_add(&swarm->views[20], 4);
    agreement_start(&swarm->nodes[20], 20, (struct now){50 * PERIOD_US, 0});
    live(swarm, 50 * PERIOD_US, 51 * PERIOD_US);
    check_scaling(&swarm->nodes[20], all, 1e-3);
    assert_memory_equal(swarm->sums[20], swarm->sums[4], sizeof swarm->sums[4]);
    free(swarm);
}

static void who_meets_nobody_settles_alone_and_gives_way_to_a_swarm(void **state)
{
    (void)state;
    double all[SUMS * FEATURES] = {0}, own[SUMS * FEATURES] = {0};
    struct swarm *swarm = swarm_new(20, 0, all);
    add_node(swarm, 9, own);
    agreement_start(&swarm->nodes[20], 20, (struct now){0, 0});
    live(swarm, 0, 40 * PERIOD_US / 5);
    check_scaling(&swarm->nodes[20], own, 1e-6);
    struct sums_message greeting;
    assert_false(agreement_greet(&swarm->nodes[3], &greeting));
    assert_true(agreement_greet(&swarm->nodes[20], &greeting));
    deliver(swarm, 20, 3, greeting);
    assert_memory_equal(swarm->sums[20], swarm->sums[3], sizeof swarm->sums[3]);
    check_scaling(&swarm->nodes[3], all, 1e-3);
    free(swarm);
}

static void of_two_that_settled_alone_one_gives_way_whoever_speaks(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct swarm *swarm = swarm_new(0, 0, NULL);
        for (size_t node = 0; node < 2; node++) {
            add_node(swarm, 5, NULL);
            agreement_start(&swarm->nodes[node], (peer_id)node, (struct now){0, 0});
        }
        live(swarm, 0, 40 * PERIOD_US / 5);
        double before[2][SUMS * FEATURES];
        memcpy(before, swarm->sums, sizeof before);
        int winner = memcmp(before[0], before[1], sizeof before[0]) < 0 ? 0 : 1;
        struct sums_message greeting;
        assert_true(agreement_greet(&swarm->nodes[first], &greeting));
        deliver(swarm, (peer_id)first, (peer_id)!first, greeting);
        for (size_t node = 0; node < 2; node++)
            assert_memory_equal(swarm->sums[node], before[winner], sizeof before[0]);
        free(swarm);
    }
}

static void what_can_be_no_sums_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    struct swarm *swarm = swarm_new(1, 0, NULL);
    double before[SUMS * FEATURES];
    memcpy(before, swarm->sums[0], sizeof before);
    static const struct {
        size_t at;
        double value;
    } bad[] = {{0, NAN},           {1, -1},       {FEATURES, INFINITY}, {FEATURES, 1e3},
               {2 * FEATURES, -2}, {0, INFINITY}, {2 * FEATURES, NAN}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sums_message message = {.features = FEATURES, .sums = sums_new(FEATURES)}, answer;
        bool answered, changed;
        memcpy(message.task, task, TASK_ID_BYTES);
        double *sums = sums_values(message.sums);
        for (size_t f = 0; f < SUMS * FEATURES; f++)
            sums[f] = 1;
        sums[bad[i].at] = bad[i].value;
        assert_int_equal(
            agreement_receive(&swarm->nodes[0], &message, &answered, &answer, &changed),
            REFUSED_MALFORMED);
        assert_false(answered || changed);
    }
    struct sums_message other = {.features = FEATURES, .sums = sums_new(FEATURES)}, answer;
    bool answered, changed;
    assert_int_equal(agreement_receive(&swarm->nodes[0], &other, &answered, &answer, &changed),
                     REFUSED_TASK);
    assert_memory_equal(swarm->sums[0], before, sizeof before);
    free(swarm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_comes_to_the_scaling_of_all_data),
        cmocka_unit_test(who_comes_late_takes_over_what_the_swarm_settled_on),
        cmocka_unit_test(who_meets_nobody_settles_alone_and_gives_way_to_a_swarm),
        cmocka_unit_test(of_two_that_settled_alone_one_gives_way_whoever_speaks),
        cmocka_unit_test(what_can_be_no_sums_is_refused_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
