/* The final phase: read-outs become their mean. */
#include "sim/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "model/vector.h"
#include "tests/sim/setting.h"

enum { NODES = 200, ROUNDS = 3 };

struct spread_of_models {
    double *mean; /* of each parameter; the caller's */
    double variance;
};

/* Mean and variance over all read-outs, summed in double precision. */
static void measure_spread(const struct setting *setting, struct spread_of_models *spread)
{
    size_t count = model_parameters(setting->experiment->model);
    spread->mean = test_calloc(count, sizeof *spread->mean);
    spread->variance = 0;
    for (size_t node = 0; node < NODES; node++)
        for (size_t i = 0; i < count; i++)
            spread->mean[i] +=
                (double)participant_readout(world_participant(setting->world, node))->values[i] /
                NODES;
    for (size_t node = 0; node < NODES; node++)
        for (size_t i = 0; i < count; i++)
            spread->variance +=
                pow((double)participant_readout(world_participant(setting->world, node))
                            ->values[i] -
                        spread->mean[i],
                    2) /
                NODES;
}

/* How much the mean has moved, against its length. */
static double moved(const struct setting *setting, const struct spread_of_models *from,
                    const struct spread_of_models *to)
{
    double distance = 0, length = 0;
    for (size_t i = 0; i < model_parameters(setting->experiment->model); i++) {
        distance += pow(to->mean[i] - from->mean[i], 2);
        length += pow(from->mean[i], 2);
    }
    return sqrt(distance / length);
}

/* The variance left of one, a cycle, on average over CYCLES; the move of the mean in *drift. */
static double conclude(const char *const *pairs, double *drift)
{
    enum { CYCLES = 10 };
    struct setting setting;
    struct spread_of_models before, after;
    set_up(&setting, 2, pairs);
    live(&setting, ROUNDS);
    world_conclude(setting.world);
    uint64_t passes = world_counts(setting.world)->passes;
    live(&setting, ROUNDS + 1); /* passes under way end, and messages arrive */
    measure_spread(&setting, &before);
    live(&setting, ROUNDS + 1 + CYCLES);
    measure_spread(&setting, &after);
    assert_true(world_counts(setting.world)->passes <= passes + NODES);
    *drift = moved(&setting, &before, &after);
    double factor = pow(after.variance / before.variance, 1. / CYCLES);
    test_free(before.mean);
    test_free(after.mean);
    tear_down(&setting);
    return factor;
}

static void the_variance_falls_and_the_mean_stays(void **state)
{
    (void)state;
    static const char *const cases[][5] = {
        {"sim.nodes=200", NULL},
        {"sim.nodes=200", "gossip.exchange=pull", "gossip.fragments=3", "gossip.encoding=i8", NULL},
        {"sim.nodes=200", "gossip.readout=off", "gossip.flow=token", "sim.wire=on", NULL},
        {"sim.nodes=200", "sim.topology=full", "gossip.exchange=pushpull", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *pairs[9] = {"task.model=linear", "task.data=synth:writers?writers=200",
                                "sim.latency=constant:1ms"}; /* none under way when measured */
        for (size_t j = 0; cases[i][j]; j++)
            pairs[j + 3] = cases[i][j];
        double drift, factor = conclude(pairs, &drift);
        if (drift > 1e-5 || factor < .2 || factor > .42) /* 1 / (2 √e) = .303 a cycle */
            fail_msg("case %zu: variance × %.3f a cycle, mean moved by %.3g", i, factor, drift);
    }
}

static void loss_moves_the_mean_and_no_more(void **state)
{
    (void)state;
    static const char *const pairs[] = {"task.model=linear", "task.data=synth:writers?writers=200",
                                        "sim.nodes=200", "sim.drop=0.2", NULL};
    double drift, factor = conclude(pairs, &drift);
    assert_true(factor < .6);
    assert_true(drift > 1e-5 && drift < .2);
}

static void the_bits_do_not_depend_on_threads_or_codec(void **state)
{
    (void)state;
    static const char *const wire[] = {"sim.wire=on", NULL};
    char digests[3][65];
    for (size_t i = 0; i < 3; i++) {
        struct setting setting;
        set_up(&setting, 1 + i, i == 2 ? wire : NULL);
        live(&setting, 4);
        world_conclude(setting.world);
        live(&setting, 10);
        world_digest(setting.world, digests[i]);
        tear_down(&setting);
    }
    assert_string_equal(digests[0], digests[1]);
    assert_string_equal(digests[0], digests[2]);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_variance_falls_and_the_mean_stays),
        cmocka_unit_test(loss_moves_the_mean_and_no_more),
        cmocka_unit_test(the_bits_do_not_depend_on_threads_or_codec),
    };
    return cmocka_run_group_tests_name("conclude", tests, NULL, NULL);
}
