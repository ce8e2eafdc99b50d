#include "sim/fedavg.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "model/vector.h"
#include "sim/measure.h"
#include "sim/post.h"

/* A small experiment with settings like {"sim.nodes=10", …, NULL} over a quick base. */
struct setting {
    struct experiment *experiment;
    struct pool *pool;
    struct progress progress;
    struct baseline baseline;
};

static volatile sig_atomic_t interrupted;

static void set_up(struct setting *setting, size_t threads, const char *const *pairs)
{
    struct config config;
    struct problem problem = {0};
    config_defaults(&config);
    static const char *const base[] = {"task.model=mlp:8",    "sim.nodes=9",
                                       "sim.samples=40",      "task.data=synth:writers?writers=4",
                                       "sim.baseline=fedavg", NULL};
    for (size_t i = 0; base[i]; i++)
        assert_int_equal(config_set_pair(&config, base[i], "test", &problem), STARLING_OK);
    for (size_t i = 0; pairs && pairs[i]; i++)
        if (config_set_pair(&config, pairs[i], "test", &problem))
            fail_msg("%s", problem.text);
    setting->experiment = experiment_new(&config, false, &problem);
    if (!setting->experiment)
        fail_msg("%s", problem.text);
    setting->pool = pool_new(threads);
    progress_begin(&setting->progress, "round", 1, true);
    interrupted = 0;
    setting->baseline = (struct baseline){.experiment = setting->experiment,
                                          .pool = setting->pool,
                                          .interrupted = &interrupted,
                                          .progress = &setting->progress};
}

static void tear_down(struct setting *setting)
{
    pool_free(&setting->pool);
    experiment_free(&setting->experiment);
}

static struct fedavg_outcome run(size_t threads, uint64_t passes, const char *const *pairs)
{
    struct setting setting;
    struct fedavg_outcome outcome;
    struct problem problem = {0};
    set_up(&setting, threads, pairs);
    assert_true(fedavg_run(&setting.baseline, passes, &outcome, &problem));
    if (problem.error)
        fail_msg("%s", problem.text);
    tear_down(&setting);
    return outcome;
}

/* One round by hand, in double: every client from the same start, weighed by its examples. */
static void a_round_is_the_mean_of_the_clients_by_examples(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.partition=dirichlet:0.3", "learn.epochs=2", NULL};
    struct setting setting;
    struct fedavg_outcome outcome;
    struct problem problem = {0};
    set_up(&setting, 2, pairs);
    const struct experiment *experiment = setting.experiment;
    size_t count = model_parameters(experiment->model), nodes = experiment->partition->nodes;
    assert_true(fedavg_run(&setting.baseline, nodes, &outcome, &problem));
    assert_int_equal(outcome.rounds, 1);

    struct version *initial = experiment_initial(experiment);
    struct training training;
    struct workspace workspace = {0};
    const struct learn_settings *learn = &experiment->settings.learn;
    double *sum = calloc(count, sizeof *sum);
    float *model = vector_new(count);
    size_t all = 0, trained = 0;
    assert_int_equal(training_gather(experiment, &training, &problem), STARLING_OK);
    for (size_t node = 0; node < nodes; node++) {
        const struct examples examples = {&experiment->data->train,
                                          training.rows + training.start[node],
                                          training.start[node + 1] - training.start[node], NULL};
        struct pass_report report;
        memcpy(model, initial->values, count * sizeof *model);
        assert_true(workspace_reset(&workspace,
                                    learner_workspace(experiment->model, learn, examples.count)));
        learner_pass(experiment->model, learn, &examples, 0,
                     random_stream(experiment->settings.seed, (uint32_t)node, RANDOM_BATCH, 0),
                     model, NULL, &workspace, &report);
        for (size_t i = 0; i < count; i++)
            sum[i] += (double)examples.count * (double)model[i];
        all += examples.count;
        trained += report.samples;
    }
    float *mean = vector_new(count);
    for (size_t i = 0; i < count; i++)
        mean[i] = (float)(sum[i] / (double)all);
    struct version version = {.made = true, .values = mean};
    const struct version *wanted = &version;
    struct measured measured;
    measure(experiment, setting.pool, &wanted, NULL, 1, experiment->test_count, &measured);
    assert_true(fabs(measured.loss - outcome.loss) < 1e-5);
    assert_int_equal(outcome.samples, trained);
    assert_int_equal(trained, 2 * all);

    vector_free(mean);
    vector_free(model);
    free(sum);
    training_free(&training);
    workspace_free(&workspace);
    version_release(&initial);
    tear_down(&setting);
}

static void one_client_is_a_node_alone(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.nodes=1", "sim.samples=300", "gossip.readout=off",
                                        "learn.schedule=inverse", NULL};
    struct setting setting;
    struct fedavg_outcome outcome;
    struct problem problem = {0};
    struct measured alone;
    set_up(&setting, 2, pairs);
    assert_true(fedavg_run(&setting.baseline, 7, &outcome, &problem));
    assert_true(baseline_local(&setting.baseline, 7, &alone, NULL, &problem));
    assert_true(outcome.accuracy == alone.accuracy && alone.accuracy > .5);
    assert_true(fabs(outcome.loss - alone.loss) < 1e-6); /* n w / n is not quite w */
    assert_int_equal(outcome.rounds, 7);
    tear_down(&setting);
}

static void the_outcome_is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    static const char *const cases[][3] = {{NULL},
                                           {"sim.fedavg_clients=0.4", "learn.momentum=0.9", NULL}};
    for (size_t i = 0; i < 2; i++) {
        struct fedavg_outcome one = run(1, 36, cases[i]);
        for (size_t threads = 2; threads <= 4; threads++) {
            struct fedavg_outcome more = run(threads, 36, cases[i]);
            assert_true(more.loss == one.loss && more.accuracy == one.accuracy);
            assert_int_equal(more.samples, one.samples);
            assert_int_equal(more.bytes, one.bytes);
        }
    }
}

static void it_stops_at_the_passes_that_gossip_made(void **state)
{
    (void)state;
    static const struct {
        const char *share;
        uint64_t passes, clients, rounds;
    } cases[] = {
        {"sim.fedavg_clients=1", 90, 9, 10}, {"sim.fedavg_clients=1", 94, 9, 10},
        {"sim.fedavg_clients=1", 1, 9, 1},   {"sim.fedavg_clients=0.34", 90, 3, 30},
        {"sim.fedavg_clients=0", 90, 1, 90}, {"sim.fedavg_clients=0.01", 4, 1, 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const pairs[] = {cases[i].share, "task.model=linear", NULL};
        struct fedavg_outcome outcome = run(2, cases[i].passes, pairs);
        assert_int_equal(outcome.rounds, cases[i].rounds);
        assert_int_equal(outcome.messages, 2 * cases[i].clients * cases[i].rounds);
    }
}

static void a_message_costs_what_gossip_pays(void **state)
{
    (void)state;
    struct setting setting;
    struct fedavg_outcome outcome;
    struct problem problem = {0};
    set_up(&setting, 1, NULL);
    struct post *post =
        post_new(9, model_parameters(setting.experiment->model), 1, false, &problem);
    struct gossip_message message = {
        .kind = MESSAGE_MODEL,
        .model = {.piece = piece_whole(model_parameters(setting.experiment->model)),
                  .sequence = 1}};
    assert_true(fedavg_run(&setting.baseline, 9, &outcome, &problem));
    assert_int_equal(outcome.bytes, 2 * 9 * post_bytes(post, &message));
    post_free(&post);
    tear_down(&setting);
}

static void an_interruption_ends_it(void **state)
{
    (void)state;
    struct setting setting;
    struct fedavg_outcome outcome;
    struct problem problem = {0};
    set_up(&setting, 1, NULL);
    interrupted = 1;
    assert_false(fedavg_run(&setting.baseline, 90, &outcome, &problem));
    assert_int_equal(outcome.rounds, 0);
    assert_true(isnan(outcome.accuracy));
    tear_down(&setting);
}

static void a_client_that_diverges_is_left_out(void **state)
{
    (void)state;
    static const char *const pairs[] = {"learn.rate=1000", "learn.epochs=50", NULL};
    struct fedavg_outcome outcome = run(2, 45, pairs);
    assert_int_equal(outcome.rounds, 5);
    assert_true(isfinite(outcome.accuracy));
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_is_the_mean_of_the_clients_by_examples),
        cmocka_unit_test(one_client_is_a_node_alone),
        cmocka_unit_test(the_outcome_is_the_same_for_any_number_of_threads),
        cmocka_unit_test(it_stops_at_the_passes_that_gossip_made),
        cmocka_unit_test(a_message_costs_what_gossip_pays),
        cmocka_unit_test(an_interruption_ends_it),
        cmocka_unit_test(a_client_that_diverges_is_left_out),
    };
    return cmocka_run_group_tests_name("fedavg", tests, NULL, NULL);
}
