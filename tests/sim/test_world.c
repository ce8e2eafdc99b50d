#include "sim/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "model/vector.h"
#include "sim/measure.h"

#define PERIOD_US 10000000u

/* A small world with settings like {"sim.nodes=10", …, NULL} over a quick base. */
struct setting {
    struct experiment *experiment;
    struct pool *pool;
    struct world *world;
};

static void set_up(struct setting *setting, size_t threads, const char *const *pairs)
{
    struct config config;
    struct problem problem = {0};
    config_defaults(&config);
    static const char *const base[] = {"task.model=mlp:8",
                                       "sim.nodes=12",
                                       "sim.samples=40",
                                       "task.data=synth:writers?writers=4",
                                       "sim.latency=uniform:5ms-200ms",
                                       NULL};
    for (size_t i = 0; base[i]; i++)
        assert_int_equal(config_set_pair(&config, base[i], "test", &problem), STARLING_OK);
    for (size_t i = 0; pairs && pairs[i]; i++)
        if (config_set_pair(&config, pairs[i], "test", &problem))
            fail_msg("%s", problem.text);
    setting->experiment = experiment_new(&config, false, &problem);
    if (!setting->experiment)
        fail_msg("%s", problem.text);
    setting->pool = pool_new(threads);
    setting->world = world_new(setting->experiment, setting->pool, &problem);
    if (!setting->world)
        fail_msg("%s", problem.text);
}

static void live(struct setting *setting, uint64_t rounds)
{
    struct problem problem = {0};
    uint64_t reached;
    if (world_live(setting->world, rounds * PERIOD_US, NULL, &reached, &problem))
        fail_msg("%s", problem.text);
    assert_true(reached == rounds * PERIOD_US);
}

static void tear_down(struct setting *setting)
{
    world_free(&setting->world);
    pool_free(&setting->pool);
    experiment_free(&setting->experiment);
}

struct outcome {
    char digest[65];
    struct world_counts counts;
};

static struct outcome run(size_t threads, uint64_t rounds, const char *const *pairs)
{
    struct setting setting;
    struct outcome outcome;
    set_up(&setting, threads, pairs);
    live(&setting, rounds);
    world_digest(setting.world, outcome.digest);
    outcome.counts = *world_counts(setting.world);
    tear_down(&setting);
    return outcome;
}

static void the_digest_is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    struct outcome one = run(1, 6, NULL);
    for (size_t threads = 2; threads <= 5; threads++) {
        struct outcome more = run(threads, 6, NULL);
        assert_string_equal(more.digest, one.digest);
        assert_int_equal(more.counts.bytes, one.counts.bytes);
        assert_int_equal(more.counts.updates, one.counts.updates);
    }
    static const char *const other[] = {"sim.seed=2", NULL};
    struct outcome another = run(2, 6, other);
    assert_string_not_equal(another.digest, one.digest);
}

static void the_codec_changes_neither_digest_nor_bytes(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        {"sim.wire=off", NULL},
        {"sim.wire=off", "gossip.exchange=pushpull", "gossip.fanout=3", NULL},
        {"sim.wire=off", "sim.drop=0.3", "gossip.view=4", NULL},
        {"sim.wire=off", "gossip.merge=uniform", "gossip.fanout=5", NULL},
        {"sim.wire=off", "gossip.exchange=pull", "gossip.fanout=2", NULL},
        {"sim.wire=off", "gossip.flow=token", "gossip.token_least=2", NULL},
        {"sim.wire=off", "task.agree=on", "task.scale=standard", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *wire[5] = {"sim.wire=on"};
        for (size_t j = 1; j < 4 && cases[i][j]; j++)
            wire[j] = cases[i][j];
        struct outcome plain = run(2, 6, cases[i]), coded = run(2, 6, wire);
        assert_string_equal(plain.digest, coded.digest);
        assert_int_equal(plain.counts.bytes, coded.counts.bytes);
        assert_int_equal(plain.counts.messages, coded.counts.messages);
        assert_int_equal(coded.counts.rejected, 0);
    }
}

static void living_on_is_the_same_as_living_at_once(void **state)
{
    (void)state;
    struct setting setting;
    char digest[65];
    set_up(&setting, 2, NULL);
    for (uint64_t round = 1; round <= 6; round++)
        live(&setting, round);
    world_digest(setting.world, digest);
    tear_down(&setting);
    assert_string_equal(digest, run(2, 6, NULL).digest);
}

static void what_is_sent_arrives_is_lost_or_is_under_way(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.drop=0.25", NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    live(&setting, 20);
    const struct world_counts *counts = world_counts(setting.world);
    uint64_t in = 0, out = 0, bytes_out = 0;
    for (size_t node = 0; node < 12; node++) {
        in += world_traffic(setting.world, node)->messages_in;
        out += world_traffic(setting.world, node)->messages_out;
        bytes_out += world_traffic(setting.world, node)->bytes_out;
    }
    assert_int_equal(out, counts->messages);
    assert_int_equal(bytes_out, counts->bytes);
    assert_in_range(out - in - counts->dropped, 0, 12);
    assert_true(counts->dropped > out / 8 && counts->dropped < out / 2);
    /* one pass a period, whoever was heard: 12 nodes, 20 periods, jitter at the ends */
    assert_in_range(counts->passes, 12 * 20 - 12, 12 * 20 + 12);
    tear_down(&setting);
}

static void one_node_alone_learns(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.nodes=1", "sim.samples=600", "task.model=linear",
                                        NULL};
    struct setting setting;
    struct measured before, after;
    set_up(&setting, 1, pairs);
    const struct version *served = participant_readout(world_participant(setting.world, 0));
    measure(setting.experiment, setting.pool, &served, NULL, 1, 1000, &before);
    live(&setting, 20);
    served = participant_readout(world_participant(setting.world, 0));
    measure(setting.experiment, setting.pool, &served, NULL, 1, 1000, &after);
    assert_true(after.accuracy > before.accuracy + .3);
    assert_int_equal(world_counts(setting.world)->messages, 0);
    tear_down(&setting);
}

static void parameters_stay_finite_at_an_absurd_rate(void **state)
{
    (void)state;
    static const char *const pairs[] = {"learn.rate=1000", "sim.nodes=6", NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    live(&setting, 10);
    for (size_t node = 0; node < 6; node++)
        assert_true(vector_finite(world_participant(setting.world, node)->gossip.published->values,
                                  model_parameters(setting.experiment->model)));
    tear_down(&setting);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_the_same_for_any_number_of_threads),
        cmocka_unit_test(the_codec_changes_neither_digest_nor_bytes),
        cmocka_unit_test(living_on_is_the_same_as_living_at_once),
        cmocka_unit_test(what_is_sent_arrives_is_lost_or_is_under_way),
        cmocka_unit_test(one_node_alone_learns),
        cmocka_unit_test(parameters_stay_finite_at_an_absurd_rate),
    };
    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
