/* Swarms that learn characters: dealt out by windows and by speakers, on any number of threads. */
#include "sim/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/random.h"
#include "sim/measure.h"
#include "tests/model/files.h"

#define PERIOD_US 10000000u

/* A play: speakers take turns, and each has words of their own. Its path. */
static const char *play(void)
{
    static const char *const names[] = {"ANN", "BOB", "CLEO", "DAN"};
    static const char *const words[][3] = {{"alpha", "beta", "gamma"},
                                           {"one", "two", "three"},
                                           {"red", "green", "blue"},
                                           {"salt", "pepper", "sugar"}};
    char text[32768];
    size_t length = 0;
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 0);
    for (size_t speech = 0; speech < 160; speech++) {
        length += (size_t)sprintf(text + length, "%s:\n", names[speech % 4]);
        for (size_t word = 0; word < 12; word++)
            length +=
                (size_t)sprintf(text + length, "%s ", words[speech % 4][random_below(&random, 3)]);
        length += (size_t)sprintf(text + length, "\n\n");
    }
    assert_true(length < sizeof text);
    return files_text("play.txt", text);
}

struct outcome {
    char digest[65];
    struct measured measured; /* of the first node */
};

/* Of a text with these options, and settings like {"sim.nodes=10", …, NULL}. */
static struct outcome run(size_t threads, uint64_t rounds, const char *options,
                          const char *const *pairs)
{
    struct config config;
    struct problem problem = {0};
    struct outcome outcome;
    char data[1200];
    config_defaults(&config);
    snprintf(data, sizeof data, "task.data=text:%s?length=16%s", play(), options);
    static const char *const base[] = {"task.model=gru:9", "sim.nodes=4", "learn.rate=1",
                                       "learn.momentum=0.5", NULL};
    assert_int_equal(config_set_pair(&config, data, "test", &problem), STARLING_OK);
    for (size_t i = 0; base[i]; i++)
        assert_int_equal(config_set_pair(&config, base[i], "test", &problem), STARLING_OK);
    for (size_t i = 0; pairs && pairs[i]; i++)
        if (config_set_pair(&config, pairs[i], "test", &problem))
            fail_msg("%s", problem.text);
    struct experiment *experiment = experiment_new(&config, false, &problem);
    if (!experiment)
        fail_msg("%s", problem.text);
    struct pool *pool = pool_new(threads);
    struct world *world = world_new(experiment, pool, &problem);
    if (!world)
        fail_msg("%s", problem.text);
    uint64_t reached;
    if (world_live(world, rounds * PERIOD_US, NULL, &reached, &problem))
        fail_msg("%s", problem.text);
    world_digest(world, outcome.digest);
    const struct version *served = participant_readout(world_participant(world, 0));
    measure(experiment, pool, &served, NULL, 1, experiment->test_count, &outcome.measured);
    world_free(&world);
    pool_free(&pool);
    experiment_free(&experiment);
    return outcome;
}

static void the_bits_do_not_depend_on_threads_or_codec(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        {NULL},
        {"learn.clip=0.01", "gossip.exchange=pushpull", NULL},
        {"learn.optimizer=adam", "learn.rate=0.01", "learn.momentum=auto", NULL},
        {"learn.clip=0", "sim.wire=on", NULL},
    };
    char last[65] = "";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct outcome one = run(1, 4, "", cases[i]);
        for (size_t threads = 2; threads <= 3; threads++)
            assert_string_equal(run(threads, 4, "", cases[i]).digest, one.digest);
        assert_string_not_equal(one.digest, last);
        strcpy(last, one.digest);
    }
}

/* The lines of a play: after some letters of a word the others are known. */
static void a_swarm_learns_a_text(void **state)
{
    (void)state;
    struct outcome outcome = run(2, 30, "", NULL);
    if (!(outcome.measured.loss < 1.2 && outcome.measured.accuracy > 0.6))
        fail_msg("loss %g, accuracy %g", outcome.measured.loss, outcome.measured.accuracy);
}

static void nodes_that_are_speakers_learn_from_each_other(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.partition=user", "gossip.period=10s", NULL};
    static const char *const alone[] = {"sim.partition=user", "sim.drop=1", NULL};
    double together = run(2, 30, "&by=speaker", pairs).measured.loss;
    double apart = run(2, 30, "&by=speaker", alone).measured.loss;
    if (!(together < 0.8 * apart))
        fail_msg("loss %g together, %g alone", together, apart);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_do_not_depend_on_threads_or_codec),
        cmocka_unit_test(a_swarm_learns_a_text),
        cmocka_unit_test(nodes_that_are_speakers_learn_from_each_other),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown);
}
