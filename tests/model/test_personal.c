#include "model/personal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/optimizer.h"
#include "model/vector.h"

enum { FEATURES = 5, EXAMPLES = 60, TRAIN = 40, CHOOSE = EXAMPLES - TRAIN };

/* Three classes by which of the first three features is largest; in `other` the labels of the
 * examples that choose are wrong. */
struct setting {
    struct dataset data, other;
    uint32_t rows[EXAMPLES];
    struct examples train, choose, astray, none;
    struct model *model;
    float *shared, *kept;
    struct workspace workspace;
    struct learn_settings learn;
};

static void fill(struct dataset *data, bool astray)
{
    *data = (struct dataset){.examples = EXAMPLES, .features = FEATURES, .classes = 3};
    assert_int_equal(dataset_allocate(data, 0, 0, NULL), STARLING_OK);
    struct random random = random_stream(4, 0, RANDOM_INITIAL, 0);
    for (uint32_t e = 0; e < EXAMPLES; e++) {
        float *x = data->floats + e * FEATURES;
        for (size_t f = 0; f < FEATURES; f++)
            x[f] = (float)random_normal(&random);
        int label = x[0] > x[1] ? (x[0] > x[2] ? 0 : 2) : (x[1] > x[2] ? 1 : 2);
        data->labels[e] = (uint16_t)(astray && e >= TRAIN ? (label + 1) % 3 : label);
    }
}

static int set_up(void **state)
{
    struct setting *setting = calloc(1, sizeof *setting);
    fill(&setting->data, false);
    fill(&setting->other, true);
    for (uint32_t i = 0; i < EXAMPLES; i++)
        setting->rows[i] = i;
    setting->train = (struct examples){&setting->data, setting->rows, TRAIN, NULL};
    setting->choose = (struct examples){&setting->data, setting->rows + TRAIN, CHOOSE, NULL};
    setting->astray = (struct examples){&setting->other, setting->rows + TRAIN, CHOOSE, NULL};
    setting->none = (struct examples){&setting->data, setting->rows, 0, NULL};
    setting->model = model_new("mlp:7", shape_flat(FEATURES, 3), NULL);
    setting->shared = vector_new(model_parameters(setting->model));
    setting->kept = vector_new(model_parameters(setting->model));
    setting->learn = (struct learn_settings){.rate = 0.4,
                                             .momentum = 0.9,
                                             .decay = 1e-3,
                                             .batch = 8,
                                             .epochs = 1,
                                             .schedule = SCHEDULE_INVERSE};
    model_initialise(setting->model, 3, setting->shared);
    *state = setting;
    return 0;
}

static int tear_down(void **state)
{
    struct setting *setting = *state;
    dataset_clear(&setting->data);
    dataset_clear(&setting->other);
    model_free(&setting->model);
    vector_free(setting->shared);
    vector_free(setting->kept);
    workspace_free(&setting->workspace);
    free(setting);
    return 0;
}

static struct personal_report fit(struct setting *setting, uint32_t steps,
                                  const struct examples *train, const struct examples *choose,
                                  uint64_t stream)
{
    struct personal_report report;
    assert_true(workspace_reset(&setting->workspace,
                                personal_workspace(setting->model, &setting->learn, train->count)));
    personal_fit(setting->model, &setting->learn, steps, train, choose, 50,
                 random_stream(1, 2, RANDOM_PERSONAL, stream), setting->shared, setting->kept,
                 &setting->workspace, &report);
    return report;
}

static size_t bytes(const struct setting *setting)
{
    return model_parameters(setting->model) * sizeof(float);
}

/* The swarm's momentum is no part of it: plain steps, as of sgd. */
static void a_quasi_global_momentum_stays_out(void **state)
{
    struct setting *setting = *state;
    size_t count = model_parameters(setting->model);
    float *plain = vector_new(count);
    struct personal_report first = fit(setting, 20, &setting->train, &setting->choose, 0);
    memcpy(plain, setting->kept, bytes(setting));
    setting->learn.optimizer = OPTIMIZER_QUASI_GLOBAL;
    struct personal_report second = fit(setting, 20, &setting->train, &setting->choose, 0);
    assert_true(first.steps > 0);
    assert_int_equal(second.steps, first.steps);
    assert_memory_equal(setting->kept, plain, bytes(setting));
    vector_free(plain);
}

/* Batches of all there is: then the order of the examples hardly matters. */
static void the_steps_are_those_of_the_equation(void **state)
{
    struct setting *setting = *state;
    size_t count = model_parameters(setting->model);
    static const double rates[] = {0.3, 0.15, 0.075, 0.075};
    setting->learn.batch = TRAIN;
    struct personal_report report = fit(setting, 4, &setting->train, &setting->choose, 0);
    assert_int_equal(report.steps, 4);
    float inputs[TRAIN * FEATURES], *expected = vector_new(count), *gradient = vector_new(count);
    uint16_t labels[TRAIN];
    memcpy(expected, setting->shared, bytes(setting));
    dataset_gather(&setting->data, setting->rows, TRAIN, inputs, labels);
    for (size_t step = 0; step < 4; step++) {
        assert_true(workspace_reset(&setting->workspace, model_workspace(setting->model, TRAIN)));
        (void)model_gradient(setting->model, expected, inputs, labels, NULL, TRAIN, gradient,
                             &setting->workspace);
        optimizer_sgd(expected, NULL, gradient, (float)(rates[step] * setting->learn.rate), 0,
                      (float)setting->learn.decay, count);
    }
    for (size_t i = 0; i < count; i++)
        if (fabsf(setting->kept[i] - expected[i]) > 1e-5f)
            fail_msg("parameter %zu is %.7g, the equation says %.7g", i, (double)setting->kept[i],
                     (double)expected[i]);
    vector_free(expected);
    vector_free(gradient);
}

static void tuning_is_taken_unless_it_is_right_less_often(void **state)
{
    (void)state;
    const struct evaluation more = {10, 8, 4, 3}, less = {10, 7, 2, 1}, same = {10, 8, 9, 9};
    assert_true(personal_better(&more, &less));
    assert_false(personal_better(&less, &more));
    assert_true(personal_better(&same, &more));
}

static void what_does_better_on_the_choosing_examples_is_kept(void **state)
{
    struct setting *setting = *state;
    struct personal_report report = fit(setting, 80, &setting->train, &setting->choose, 0);
    assert_true(report.steps > 0);
    assert_true(report.personal.correct > report.shared.correct);
    assert_memory_not_equal(setting->kept, setting->shared, bytes(setting));
}

/* What was learned of the examples that choose is lost by learning others. */
static void what_does_worse_is_not_kept(void **state)
{
    struct setting *setting = *state;
    setting->learn.rate = 1;
    for (uint64_t times = 0; times < 3; times++) {
        fit(setting, 400, &setting->astray, &setting->astray, times);
        memcpy(setting->shared, setting->kept, bytes(setting));
    }
    struct personal_report report = fit(setting, 400, &setting->train, &setting->astray, 9);
    assert_int_equal(report.steps, 0);
    assert_memory_equal(setting->kept, setting->shared, bytes(setting));
    assert_true(report.personal.loss_sum == report.shared.loss_sum);
}

static void with_nothing_to_train_on_or_to_choose_by_it_is_what_is_shared(void **state)
{
    struct setting *setting = *state;
    assert_int_equal(fit(setting, 40, &setting->train, &setting->none, 0).steps, 0);
    assert_memory_equal(setting->kept, setting->shared, bytes(setting));
    assert_int_equal(fit(setting, 40, &setting->none, &setting->choose, 0).steps, 0);
    assert_memory_equal(setting->kept, setting->shared, bytes(setting));
    assert_int_equal(fit(setting, 0, &setting->train, &setting->choose, 0).steps, 0);
    assert_memory_equal(setting->kept, setting->shared, bytes(setting));
}

static void what_grows_beyond_all_bounds_is_not_kept(void **state)
{
    struct setting *setting = *state;
    setting->learn.rate = 1e30;
    struct personal_report report = fit(setting, 40, &setting->train, &setting->choose, 0);
    assert_true(vector_finite(setting->kept, model_parameters(setting->model)));
    assert_true(report.personal.correct >= report.shared.correct);
}

static void a_stream_decides_all_that_is_random(void **state)
{
    struct setting *setting = *state;
    float *first = vector_new(model_parameters(setting->model));
    fit(setting, 30, &setting->train, &setting->choose, 0);
    memcpy(first, setting->kept, bytes(setting));
    fit(setting, 30, &setting->train, &setting->choose, 0);
    assert_memory_equal(first, setting->kept, bytes(setting));
    fit(setting, 30, &setting->train, &setting->choose, 1);
    assert_memory_not_equal(first, setting->kept, bytes(setting));
    vector_free(first);
}

static void any_optimiser_tunes(void **state)
{
    struct setting *setting = *state;
    static const enum optimizer optimizers[] = {OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW};
    for (size_t i = 0; i < sizeof optimizers / sizeof optimizers[0]; i++) {
        setting->learn.optimizer = optimizers[i];
        setting->learn.rate = i == 0 ? 0.4 : 0.05;
        struct personal_report report = fit(setting, 80, &setting->train, &setting->choose, 0);
        assert_true(report.steps > 0);
        assert_true(report.personal.correct > report.shared.correct);
    }
}

static void pegasos_goes_on_with_its_schedule(void **state)
{
    struct setting *setting = *state;
    model_free(&setting->model);
    setting->model = model_new("svm", shape_flat(FEATURES, 3), NULL);
    memset(setting->shared, 0, bytes(setting));
    setting->learn.schedule = SCHEDULE_PEGASOS;
    setting->learn.decay = 0.01;
    struct personal_report report = fit(setting, 80, &setting->train, &setting->choose, 0);
    assert_true(report.steps > 0);
    assert_true(report.personal.correct > report.shared.correct);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_steps_are_those_of_the_equation),
        TEST(tuning_is_taken_unless_it_is_right_less_often),
        TEST(what_does_better_on_the_choosing_examples_is_kept),
        TEST(what_does_worse_is_not_kept),
        TEST(with_nothing_to_train_on_or_to_choose_by_it_is_what_is_shared),
        TEST(what_grows_beyond_all_bounds_is_not_kept),
        TEST(a_stream_decides_all_that_is_random),
        TEST(any_optimiser_tunes),
        TEST(a_quasi_global_momentum_stays_out),
        TEST(pegasos_goes_on_with_its_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
