/* A small world for tests, and what becomes of it. cmocka.h comes before this. */
#ifndef STARLING_TESTS_SETTING_H
#define STARLING_TESTS_SETTING_H

#include <string.h>

#include "sim/world.h"

#define PERIOD_US 10000000u

/* A small world with settings like {"sim.nodes=10", …, NULL} over a quick base. */
struct setting {
    struct experiment *experiment;
    struct pool *pool;
    struct world *world;
};

static inline void set_up(struct setting *setting, size_t threads, const char *const *pairs)
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

static inline void live(struct setting *setting, uint64_t rounds)
{
    struct problem problem = {0};
    uint64_t reached;
    if (world_live(setting->world, rounds * PERIOD_US, NULL, &reached, &problem))
        fail_msg("%s", problem.text);
    assert_true(reached == rounds * PERIOD_US);
}

static inline void tear_down(struct setting *setting)
{
    world_free(&setting->world);
    pool_free(&setting->pool);
    experiment_free(&setting->experiment);
}

struct outcome {
    char digest[65];
    struct world_counts counts;
};

static inline struct outcome run(size_t threads, uint64_t rounds, const char *const *pairs)
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

/* Whether nodes in step are taken or, as their rounds are too short, refused, with these settings.
 */
static inline void expect_in_step(const char *nodes, const char *first, const char *second,
                                  bool taken)
{
    struct config config;
    struct problem problem = {0};
    config_defaults(&config);
    const char *const pairs[] = {
        "sim.sync=rounds", "task.model=linear", nodes, "sim.samples=30", first, second};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_int_equal(config_set_pair(&config, pairs[i], "test", &problem), STARLING_OK);
    struct experiment *experiment = experiment_new(&config, false, &problem);
    if ((experiment != NULL) != taken ||
        (!experiment && strncmp(problem.text, "sim.sync: ", 10) != 0))
        fail_msg("%s, %s: %s", first, second, problem.text);
    experiment_free(&experiment);
}

#endif
