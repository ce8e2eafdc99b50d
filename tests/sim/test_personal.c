#include "sim/personal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/baseline.h"

enum { NODES = 12, ROUNDS = 8 };

static volatile sig_atomic_t not_interrupted = 0;

struct setting {
    struct experiment *experiment;
    struct pool *pool;
    struct world *world;
};

/* A world of people who write differently, some way into its learning. */
static void set_up(struct setting *setting, size_t threads, const char *steps)
{
    struct config config;
    struct problem problem = {0};
    uint64_t reached;
    config_defaults(&config);
    const char *const settings[][2] = {{"task.model", "mlp:8"},   {"sim.nodes", "12"},
                                       {"sim.samples", "60"},     {"task.data", "synth:writers"},
                                       {"sim.partition", "user"}, {"learn.rate", "0.3"},
                                       {"learn.personal", steps}};
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (config_set(&config, settings[i][0], settings[i][1], "test", &problem))
            fail_msg("%s", problem.text);
    setting->experiment = experiment_new(&config, false, &problem);
    if (!setting->experiment)
        fail_msg("%s", problem.text);
    setting->pool = pool_new(threads);
    setting->world = world_new(setting->experiment, setting->pool, &problem);
    uint64_t until = ROUNDS * setting->experiment->config.gossip.period_us;
    assert_non_null(setting->world);
    assert_int_equal(world_live(setting->world, until, NULL, &reached, &problem), STARLING_OK);
}

static void tear_down(struct setting *setting)
{
    world_free(&setting->world);
    pool_free(&setting->pool);
    experiment_free(&setting->experiment);
}

static void personalise(struct setting *setting, struct node_row *rows)
{
    struct progress progress;
    progress_begin(&progress, "personal", NODES, true);
    assert_int_equal(
        personal_run(setting->world, setting->pool, &not_interrupted, &progress, rows, NODES, NULL),
        STARLING_OK);
    progress_end(&progress);
}

static void run(size_t threads, const char *steps, struct node_row *rows, char digest[65],
                struct world_counts *counts)
{
    struct setting setting;
    set_up(&setting, threads, steps);
    for (size_t i = 0; i < NODES; i++)
        rows[i] = node_row_empty(i);
    if (setting.experiment->settings.personal > 0)
        personalise(&setting, rows);
    world_digest(setting.world, digest);
    *counts = *world_counts(setting.world);
    tear_down(&setting);
}

static void a_personal_model_is_never_sent(void **state)
{
    (void)state;
    struct node_row rows[NODES];
    struct world_counts without, with;
    char digest[65], digest_without[65];
    run(2, "0", rows, digest_without, &without);
    assert_int_equal(rows[0].own.tested, 0);
    run(2, "60", rows, digest, &with);
    assert_true(rows[0].own.tested > 0);
    assert_string_equal(digest, digest_without);
    assert_int_equal(with.messages, without.messages);
    assert_int_equal(with.bytes, without.bytes);
}

static void every_number_of_threads_gives_the_same(void **state)
{
    (void)state;
    struct node_row one[NODES], many[NODES];
    struct world_counts counts;
    char digest[65];
    run(1, "60", one, digest, &counts);
    run(3, "60", many, digest, &counts);
    for (size_t i = 0; i < NODES; i++) {
        assert_true(one[i].own.tested > 0);
        assert_int_equal(one[i].own.tested, many[i].own.tested);
        assert_true(one[i].own.shared == many[i].own.shared);
        assert_true(one[i].own.personal == many[i].own.personal);
        assert_true(one[i].own.steps == many[i].own.steps);
    }
}

static void the_summary_holds_the_means_of_the_nodes_that_tested(void **state)
{
    (void)state;
    struct node_row rows[3];
    struct summary summary = {0};
    for (size_t i = 0; i < 3; i++)
        rows[i] = node_row_empty(i);
    personal_summarise(rows, 3, &summary);
    assert_int_equal(summary.personal.nodes, 0);
    rows[0].own = (struct own_row){10, 0.5, 0.6, 0.7, 40};
    rows[2].own = (struct own_row){20, 0.7, 0.6, 0.9, 0};
    personal_summarise(rows, 3, &summary);
    assert_int_equal(summary.personal.nodes, 2);
    assert_true(fabs(summary.personal.alone - 0.6) < 1e-12);
    assert_true(fabs(summary.personal.swarm - 0.6) < 1e-12);
    assert_true(fabs(summary.personal.accuracy - 0.8) < 1e-12);
}

/* A share of as many examples as the others are tested on. */
static void alone_is_tested_on_the_same_examples(void **state)
{
    (void)state;
    struct setting setting;
    struct problem problem = {0};
    struct node_row rows[NODES];
    struct measured reached[NODES], own[NODES];
    set_up(&setting, 2, "60");
    for (size_t i = 0; i < NODES; i++)
        rows[i] = node_row_empty(i);
    personalise(&setting, rows);
    struct progress progress;
    progress_begin(&progress, "alone", NODES, true);
    const struct baseline baseline = {setting.experiment, setting.pool, &not_interrupted, &progress,
                                      NULL};
    assert_true(baseline_local(&baseline, ROUNDS, reached, own, &problem));
    progress_end(&progress);
    for (size_t i = 0; i < NODES; i++) {
        double right = own[i].accuracy * (double)rows[i].own.tested;
        assert_true(fabs(right - round(right)) < 1e-9);
    }
    tear_down(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_personal_model_is_never_sent),
        cmocka_unit_test(every_number_of_threads_gives_the_same),
        cmocka_unit_test(the_summary_holds_the_means_of_the_nodes_that_tested),
        cmocka_unit_test(alone_is_tested_on_the_same_examples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
