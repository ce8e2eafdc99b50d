/* Worlds whose messages carry pieces of models: fewer bits, fragments, subsamples. */
#include "sim/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "model/vector.h"
#include "sim/measure.h"
#include "tests/sim/setting.h"

/* Every kind of piece with every kind of exchange, merge and flow at least once. */
static const char *const cases[][6] = {
    {"gossip.encoding=f16", NULL},
    {"gossip.encoding=i8", NULL},
    {"gossip.fragments=4", NULL},
    {"gossip.sample=0.3", NULL},
    {"gossip.encoding=i8", "gossip.fragments=5", "gossip.sample=0.5", NULL},
    {"gossip.encoding=i8", "gossip.fragments=3", "gossip.exchange=pushpull", NULL},
    {"gossip.encoding=f16", "gossip.fragments=3", "gossip.exchange=pull", "gossip.fanout=2", NULL},
    {"gossip.fragments=4", "gossip.merge=uniform", "gossip.fanout=4", NULL},
    {"gossip.sample=0.2", "gossip.merge=average", "sim.drop=0.3", NULL},
    {"gossip.fragments=7", "gossip.merge=age", "gossip.flow=token", "gossip.token_least=2", NULL},
    {"gossip.encoding=i8", "gossip.fragments=2", "gossip.readout=off", "sim.preset=af", NULL},
};
enum { CASES = sizeof cases / sizeof cases[0] };

static void threads_and_codec_change_no_bit(void **state)
{
    (void)state;
    struct outcome whole = run(2, 8, NULL);
    for (size_t i = 0; i < CASES; i++) {
        const char *wire[8] = {"sim.wire=on"};
        for (size_t j = 0; cases[i][j]; j++)
            wire[j + 1] = cases[i][j];
        struct outcome one = run(1, 8, cases[i]), more = run(2, 8, cases[i]);
        struct outcome coded = run(2, 8, wire);
        if (strcmp(one.digest, more.digest) != 0 || strcmp(one.digest, coded.digest) != 0)
            fail_msg("%s …: 1 thread %s, 2 threads %s, bytes %s", cases[i][0], one.digest,
                     more.digest, coded.digest);
        assert_string_not_equal(one.digest, whole.digest);
        assert_int_equal(one.counts.bytes, coded.counts.bytes);
        assert_int_equal(one.counts.messages, coded.counts.messages);
        assert_int_equal(one.counts.updates, coded.counts.updates);
        assert_int_equal(coded.counts.rejected, 0);
    }
}

/* All of the model, in one fragment, is what there was before there were pieces. */
static void a_whole_model_as_it_is_is_no_piece(void **state)
{
    (void)state;
    static const char *const said[] = {"gossip.encoding=f32", "gossip.fragments=1",
                                       "gossip.sample=1", NULL};
    assert_string_equal(run(2, 6, said).digest, run(2, 6, NULL).digest);
}

/* Without shuffles all messages are models: a header, and what piece_bytes says. */
static void a_message_costs_what_its_piece_takes(void **state)
{
    (void)state;
    static const struct {
        const char *encoding, *fragments, *sample;
    } rows[] = {
        {"gossip.encoding=f32", "gossip.fragments=1", "gossip.sample=1"},
        {"gossip.encoding=f16", "gossip.fragments=1", "gossip.sample=1"},
        {"gossip.encoding=i8", "gossip.fragments=1", "gossip.sample=1"},
        {"gossip.encoding=i8", "gossip.fragments=1", "gossip.sample=0.1"},
    };
    static const double bits[] = {32, 16, 8.125, .8125};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const pairs[] = {rows[i].encoding,    rows[i].fragments,   rows[i].sample,
                                     "sim.topology=full", "task.model=mlp:64", NULL};
        struct setting setting;
        set_up(&setting, 2, pairs);
        live(&setting, 5);
        const struct world_counts *counts = world_counts(setting.world);
        double parameters = (double)model_parameters(setting.experiment->model);
        double bytes = (double)counts->bytes / (double)counts->messages;
        assert_in_range(bytes - parameters * bits[i] / 8, 100, 160); /* headers and framing */
        tear_down(&setting);
    }
}

static double mean_accuracy(const char *const *pairs)
{
    enum { NODES = 12 };
    struct setting setting;
    struct measured measured[NODES];
    const struct version *served[NODES];
    double sum = 0;
    set_up(&setting, 2, pairs);
    live(&setting, 60);
    for (size_t node = 0; node < NODES; node++)
        served[node] = participant_readout(world_participant(setting.world, node));
    measure(setting.experiment, setting.pool, served, NULL, NODES, 1000, measured);
    for (size_t node = 0; node < NODES; node++)
        sum += measured[node].accuracy / NODES;
    tear_down(&setting);
    return sum;
}

static void a_swarm_learns_from_pieces_as_from_models(void **state)
{
    (void)state;
    static const char *const whole[] = {"task.model=linear", "sim.samples=200", NULL};
    static const char *const pieces[] = {"task.model=linear", "sim.samples=200",
                                         "gossip.encoding=i8", "gossip.fragments=3", NULL};
    static const char *const samples[] = {"task.model=linear", "sim.samples=200",
                                          "gossip.encoding=i8", "gossip.sample=0.4", NULL};
    double wholly = mean_accuracy(whole), some = mean_accuracy(pieces);
    double sampled = mean_accuracy(samples);
    if (wholly < .7 || some < wholly - .03 || sampled < wholly - .03)
        fail_msg("accuracy %.3f of whole models, %.3f of fragments, %.3f of samples", wholly, some,
                 sampled);
}

static void ages_are_kept_only_of_fragments(void **state)
{
    (void)state;
    static const char *const eighths[] = {"gossip.fragments=8", NULL};
    struct setting setting;
    set_up(&setting, 1, NULL);
    double whole = world_bytes_per_node(setting.world);
    tear_down(&setting);
    set_up(&setting, 1, eighths);
    assert_in_range(world_bytes_per_node(setting.world) - whole, 8 * 2 * 8, 8 * 2 * 8 + 8 * 40);
    tear_down(&setting);
}

static void more_fragments_than_parameters_are_refused(void **state)
{
    (void)state;
    struct config config;
    struct problem problem = {0};
    config_defaults(&config);
    static const char *const pairs[] = {"task.model=linear", "sim.nodes=4", "sim.samples=30",
                                        "gossip.fragments=60000"};
    for (size_t j = 0; j < sizeof pairs / sizeof *pairs; j++)
        assert_int_equal(config_set_pair(&config, pairs[j], "test", &problem), STARLING_OK);
    assert_null(experiment_new(&config, false, &problem));
    assert_int_equal(strncmp(problem.text, "gossip.fragments: 60000 are more than the ", 42), 0);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_codec_change_no_bit),
        cmocka_unit_test(a_whole_model_as_it_is_is_no_piece),
        cmocka_unit_test(a_message_costs_what_its_piece_takes),
        cmocka_unit_test(a_swarm_learns_from_pieces_as_from_models),
        cmocka_unit_test(ages_are_kept_only_of_fragments),
        cmocka_unit_test(more_fragments_than_parameters_are_refused),
    };
    return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
