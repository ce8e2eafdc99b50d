#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/learner.h"
#include "model/optimizer.h"
#include "model/vector.h"

#define FEATURES 6
#define EXAMPLES 50

static const struct learn_settings defaults = {
    .rate = 0.1,
    .momentum = 0.9,
    .decay = 1e-4,
    .rate_floor = 0.1,
    .batch = 8,
    .epochs = 1,
    .schedule = SCHEDULE_INVERSE,
};

static struct dataset data;
static uint32_t rows[EXAMPLES]; /* of the data, from the last to the first */

/* Three classes, told apart by which of the first three features is the largest. */
static int make_data(void **state)
{
    (void)state;
    data = (struct dataset){.examples = EXAMPLES, .features = FEATURES, .classes = 3};
    if (dataset_allocate(&data, 0, 0, NULL) != STARLING_OK)
        return 1;
    struct random random = random_stream(4, 0, RANDOM_INITIAL, 0);
    for (uint32_t e = 0; e < EXAMPLES; e++) {
        float *x = data.floats + e * FEATURES;
        for (size_t f = 0; f < FEATURES; f++)
            x[f] = (float)random_normal(&random);
        data.labels[e] = (uint16_t)(x[0] > x[1] ? (x[0] > x[2] ? 0 : 2) : (x[1] > x[2] ? 1 : 2));
        rows[e] = EXAMPLES - 1 - e;
    }
    return 0;
}

static int free_data(void **state)
{
    (void)state;
    dataset_clear(&data);
    return 0;
}

/* A pass over the first `count` rows; what `parameters` and `momentum` held is what it starts
 * from. */
static struct pass_report pass(const struct model *model, const struct learn_settings *settings,
                               size_t count, double age, float *parameters, float *momentum)
{
    struct workspace workspace = {0};
    struct optimizer_state state = {.first = momentum};
    struct pass_report report;
    struct examples examples = {.data = &data, .rows = rows, .count = count};
    assert_true(workspace_reset(&workspace, learner_workspace(model, settings, count)));
    learner_pass(model, settings, &examples, age, random_stream(9, 1, RANDOM_BATCH, 5), parameters,
                 &state, &workspace, &report);
    workspace_free(&workspace);
    return report;
}

static void the_share_is_one_for_everything_whatever_the_epochs(void **state)
{
    (void)state;
    static const struct {
        uint32_t batch, epochs, max_batches;
        size_t count, samples;
        double share;
    } cases[] = {
        {32, 1, 0, 100, 100, 1.0},   {32, 3, 0, 100, 300, 1.0},  {32, 1, 4, 100, 100, 1.0},
        {32, 1, 3, 100, 96, 0.96},   {32, 2, 3, 100, 96, 0.48},  {32, 2, 5, 100, 132, 0.66},
        {32, 2, 8, 100, 200, 1.0},   {32, 2, 99, 100, 200, 1.0}, {200, 1, 1, 100, 100, 1.0},
        {200, 4, 1, 100, 100, 0.25}, {1, 1, 7, 10, 7, 0.7},      {32, 1, 0, 0, 0, 0.0},
        {32, 1, 5, 0, 0, 0.0},       {10, 1, 9, 100, 90, 0.9},   {65536, 1, 0, 1, 1, 1.0},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct learn_settings settings = defaults;
        settings.batch = cases[c].batch;
        settings.epochs = cases[c].epochs;
        settings.max_batches = cases[c].max_batches;
        double share = -1;
        assert_int_equal(learner_samples(&settings, cases[c].count, &share), cases[c].samples);
        if (fabs(share - cases[c].share) > 1e-12)
            fail_msg("case %zu: share %g, wanted %g", c, share, cases[c].share);
    }
}

static void the_rate_falls_with_age_down_to_its_floor(void **state)
{
    (void)state;
    struct learn_settings settings = defaults;
    assert_true(fabs(learner_rate(&settings, 0) - 0.1) < 1e-12);
    assert_true(fabs(learner_rate(&settings, 50) - 0.05) < 1e-12);
    assert_true(fabs(learner_rate(&settings, 449) - 0.1 / 9.98) < 1e-12);
    assert_true(fabs(learner_rate(&settings, 1e9) - 0.01) < 1e-12);
    settings.schedule = SCHEDULE_CONSTANT;
    assert_true(fabs(learner_rate(&settings, 1e9) - 0.1) < 1e-12);
}

static void the_rate_falls_along_a_cosine_to_its_floor(void **state)
{
    (void)state;
    struct learn_settings settings = defaults;
    settings.schedule = SCHEDULE_COSINE;
    settings.horizon = 60;
    static const double points[][2] = {{0, .1}, {20, .0775}, {30, .055}, {60, .01}, {1e9, .01}};
    for (size_t p = 0; p < sizeof points / sizeof *points; p++)
        if (fabs(learner_rate(&settings, points[p][0]) - points[p][1]) > 1e-12)
            fail_msg("at %g: %g, wanted %g", points[p][0], learner_rate(&settings, points[p][0]),
                     points[p][1]);
    settings.rate_floor = 0;
    assert_true(fabs(learner_rate(&settings, 60)) < 1e-15);
    assert_true(learner_time(&settings, 7, 3) == 3);
    settings.schedule = SCHEDULE_INVERSE;
    assert_true(learner_time(&settings, 7, 3) == 7);
}

/* Kingma, Ba 2015, algorithm 1, and Loshchilov, Hutter 2019, algorithm 2, in their own words. */
static void steps_of_adam_follow_their_algorithm(void **state)
{
    (void)state;
    for (int decoupled = 0; decoupled < 2; decoupled++) {
        const size_t count = 37;
        const double rate = 0.01, decay = 0.1;
        float w[37];
        double theta[37], m[37] = {0}, v[37] = {0};
        struct optimizer_state adam;
        struct random random = random_stream(6, 0, RANDOM_INITIAL, 0);
        assert_true(optimizer_begin(&adam, OPTIMIZER_ADAM, 0.9, count));
        for (size_t i = 0; i < count; i++)
            theta[i] = (double)(w[i] = (float)random_normal(&random));
        for (int t = 1; t <= 20; t++) {
            float gradient[37];
            for (size_t i = 0; i < count; i++) {
                gradient[i] = (float)random_normal(&random);
                double g = (double)gradient[i] + (decoupled ? 0 : decay * theta[i]);
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                double mean = m[i] / (1 - pow(0.9, t)), square = v[i] / (1 - pow(0.999, t));
                theta[i] -=
                    rate * mean / (sqrt(square) + 1e-8) + (decoupled ? rate * decay * theta[i] : 0);
            }
            optimizer_adam(w, &adam, gradient, (float)rate, 0.9f, (float)decay, decoupled, count);
            assert_int_equal(adam.steps, t);
        }
        for (size_t i = 0; i < count; i++)
            if (fabs((double)w[i] - theta[i]) > 1e-5)
                fail_msg("value %zu: %g, wanted %g", i, (double)w[i], theta[i]);
        optimizer_forget(&adam, count);
        assert_true(adam.steps == 0 && adam.first[5] == 0 && adam.second[5] == 0);
        optimizer_end(&adam);
    }
}

/* The published update of P2Pegasos: age++, η = 1/(λ age), w = (1 − 1/age) w, and + η y x where
 * y ⟨w, x⟩ < 1; the bias is a feature that is 1. */
static void a_pass_of_an_svm_is_a_step_of_pegasos_an_example(void **state)
{
    (void)state;
    struct dataset two = {.examples = EXAMPLES, .features = FEATURES, .classes = 2};
    assert_int_equal(dataset_allocate(&two, 0, 0, NULL), STARLING_OK);
    memcpy(two.floats, data.floats, EXAMPLES * FEATURES * sizeof(float));
    for (size_t e = 0; e < EXAMPLES; e++)
        two.labels[e] = data.labels[e] > 0;
    struct model *model = model_new("svm", shape_flat(FEATURES, 2), NULL);
    assert_int_equal(learner_schedule_auto(model), SCHEDULE_PEGASOS);
    const struct learn_settings settings = {
        .decay = 0.01, .batch = 1, .epochs = 1, .schedule = SCHEDULE_PEGASOS};
    float w[FEATURES + 1];
    double wanted[FEATURES + 1];
    struct workspace workspace = {0};
    struct pass_report report;
    for (double age = 0; age < 12; age += 4) {
        struct random random = random_stream(2, 0, RANDOM_BATCH, 1);
        uint32_t order[EXAMPLES];
        memcpy(order, rows, sizeof order);
        for (size_t i = 0; i <= FEATURES; i++)
            wanted[i] = (double)(w[i] = (float)i);
        const struct examples examples = {.data = &two, .rows = rows, .count = EXAMPLES};
        assert_true(workspace_reset(&workspace, learner_workspace(model, &settings, EXAMPLES)));
        learner_pass(model, &settings, &examples, age, random, w, NULL, &workspace, &report);
        random_permute(&random, order, EXAMPLES);
        double t = age * EXAMPLES;
        for (size_t e = 0; e < EXAMPLES; e++) {
            const float *x = two.floats + order[e] * FEATURES;
            double y = two.labels[order[e]] ? 1 : -1, inner = wanted[FEATURES];
            for (size_t i = 0; i < FEATURES; i++)
                inner += wanted[i] * (double)x[i];
            t++;
            for (size_t i = 0; i <= FEATURES; i++) {
                wanted[i] *= 1 - 1 / t;
                if (y * inner < 1)
                    wanted[i] += y * (i < FEATURES ? (double)x[i] : 1) / (settings.decay * t);
            }
        }
        for (size_t i = 0; i <= FEATURES; i++)
            if (fabs((double)w[i] - wanted[i]) > 1e-4 * (1 + fabs(wanted[i])))
                fail_msg("age %g: w[%zu] is %g, wanted %g", age, i, (double)w[i], wanted[i]);
    }
    workspace_free(&workspace);
    model_free(&model);
    dataset_clear(&two);
}

/* 45 of class 0 and 5 of class 1, in one batch: each class pulls with half the weight; with 50 of
 * one class and none of the others, nothing changes. */
static void balanced_classes_weigh_alike(void **state)
{
    (void)state;
    struct dataset rare = {.examples = EXAMPLES, .features = 1, .classes = 3};
    assert_int_equal(dataset_allocate(&rare, 0, 0, NULL), STARLING_OK);
    struct model *model = model_new("linear", shape_flat(1, 3), NULL);
    struct learn_settings settings = {.rate = 1, .batch = EXAMPLES, .epochs = 1};
    const struct examples examples = {.data = &rare, .rows = rows, .count = EXAMPLES};
    struct workspace workspace = {0};
    struct pass_report report;
    static const struct {
        size_t rare;
        bool balance;
        double
            bias[3]; /* after a step from 0: less the gradient, weighted means of one-hot − 1/3 */
    } cases[] = {
        {5, false, {0.9 - 1. / 3, 0.1 - 1. / 3, -1. / 3}},
        {5, true, {0.5 - 1. / 3, 0.5 - 1. / 3, -1. / 3}},
        {0, true, {1 - 1. / 3, -1. / 3, -1. / 3}},
        {1, true, {0.5 - 0.7 / 3, 0.2 - 0.7 / 3, -0.7 / 3}}, /* 25 times would be beyond 10 */
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float parameters[6] = {0};
        settings.balance = cases[c].balance;
        for (size_t e = 0; e < EXAMPLES; e++)
            rare.labels[e] = e < cases[c].rare;
        assert_true(workspace_reset(&workspace, learner_workspace(model, &settings, EXAMPLES)));
        learner_pass(model, &settings, &examples, 0, random_stream(1, 0, RANDOM_BATCH, 0),
                     parameters, NULL, &workspace, &report);
        for (size_t k = 0; k < 3; k++)
            if (fabs((double)parameters[3 + k] - cases[c].bias[k]) > 1e-6)
                fail_msg("case %zu, class %zu: %g, wanted %g", c, k, (double)parameters[3 + k],
                         cases[c].bias[k]);
    }
    workspace_free(&workspace);
    model_free(&model);
    dataset_clear(&rare);
}

/* Pascanu, Mikolov, Bengio 2013, algorithm 1: the direction stays. */
static void a_long_gradient_is_made_as_long_as_it_may_be(void **state)
{
    (void)state;
    static const struct {
        float gradient[3], wanted[3];
        double most, length;
    } cases[] = {
        {{3, 0, 4}, {0.6f, 0, 0.8f}, 1, 5},           {{3, 0, 4}, {3, 0, 4}, 5, 5},
        {{0.3f, 0, -0.4f}, {0.3f, 0, -0.4f}, 1, 0.5}, {{0, 0, 0}, {0, 0, 0}, 1, 0},
        {{0, -1e19f, 0}, {0, -2, 0}, 2, 1e19},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float g[3];
        memcpy(g, cases[c].gradient, sizeof g);
        double length = optimizer_clip(g, cases[c].most, 3);
        assert_true(fabs(length - cases[c].length) <= 1e-6 * length);
        for (size_t i = 0; i < 3; i++)
            assert_true(fabsf(g[i] - cases[c].wanted[i]) <= 1e-6f * fabsf(g[i]));
    }
    float astray[2] = {NAN, 1};
    assert_true(isnan(optimizer_clip(astray, 1, 2)));
    assert_true(isnan(astray[0]));
}

/* With a rate of 1 and nothing else a step is as long as its gradient. */
static void a_step_of_a_pass_is_clipped(void **state)
{
    (void)state;
    const struct examples examples = {.data = &data, .rows = rows, .count = EXAMPLES};
    struct model *model = model_new("mlp:16", shape_flat(FEATURES, 3), NULL);
    size_t count = model_parameters(model);
    float *start = vector_new(count), *w = vector_new(count);
    struct workspace workspace = {0};
    struct pass_report report;
    model_initialise(model, 1, start);
    static const double clips[] = {0, 1e-3, 1e9};
    double moved[3];
    for (size_t c = 0; c < 3; c++) {
        struct learn_settings settings = {.rate = 1,
                                          .batch = 8,
                                          .epochs = 1,
                                          .max_batches = 1,
                                          .schedule = SCHEDULE_CONSTANT,
                                          .clip = clips[c]};
        memcpy(w, start, count * sizeof *w);
        assert_true(workspace_reset(&workspace, learner_workspace(model, &settings, EXAMPLES)));
        learner_pass(model, &settings, &examples, 0, random_stream(9, 1, RANDOM_BATCH, 0), w, NULL,
                     &workspace, &report);
        moved[c] = sqrt(vector_distance2(w, start, count));
    }
    assert_true(moved[0] > 0.1);
    assert_true(fabs(moved[1] - 1e-3) < 1e-6);
    assert_true(fabs(moved[2] - moved[0]) < 1e-5 * moved[0]);
    workspace_free(&workspace);
    vector_free(start);
    vector_free(w);
    model_free(&model);
}

/* An optimiser that goes on from pass to pass, in a batch or two. */
static void adam_learns(void **state)
{
    (void)state;
    for (enum optimizer kind = OPTIMIZER_ADAM; kind <= OPTIMIZER_ADAMW; kind++) {
        struct model *model = model_new("mlp:16", shape_flat(FEATURES, 3), NULL);
        struct learn_settings settings = defaults;
        settings.optimizer = kind;
        settings.rate = 0.01;
        float *parameters = vector_new(model_parameters(model));
        struct optimizer_state adam;
        struct workspace workspace = {0};
        struct pass_report report;
        const struct examples examples = {.data = &data, .rows = rows, .count = EXAMPLES};
        assert_true(optimizer_begin(&adam, kind, 0.9, model_parameters(model)));
        model_initialise(model, 1, parameters);
        for (uint64_t t = 0; t < 60; t++) {
            assert_true(workspace_reset(&workspace, learner_workspace(model, &settings, EXAMPLES)));
            learner_pass(model, &settings, &examples, (double)t,
                         random_stream(9, 1, RANDOM_BATCH, t), parameters, &adam, &workspace,
                         &report);
        }
        assert_int_equal(adam.steps, 60 * 7);
        assert_true(report.mean_loss < 0.3);
        workspace_free(&workspace);
        optimizer_end(&adam);
        vector_free(parameters);
        model_free(&model);
    }
}

/* Lin et al. 2021, algorithm 1, over a pass of K steps and a merge after it. */
static void a_quasi_global_momentum_follows_its_algorithm(void **state)
{
    (void)state;
    struct learn_settings settings = defaults;
    settings.optimizer = OPTIMIZER_QUASI_GLOBAL;
    struct model *model = model_new("linear", shape_flat(FEATURES, 3), NULL);
    size_t count = model_parameters(model), steps = learner_steps(&settings, EXAMPLES);
    assert_int_equal(steps, 7);
    float *w = vector_new(count), *m = vector_new(count), *half = vector_new(count);
    float *plain = vector_new(count), *merged = vector_new(count);
    struct optimizer_state memory = {.first = m};
    for (size_t i = 0; i < count; i++) {
        w[i] = plain[i] = 0.01f * (float)i;
        m[i] = 0.1f - 0.02f * (float)(i % 11);
    }
    /* one step of all examples without and with the momentum differ by η β m̂ */
    settings.batch = EXAMPLES;
    memcpy(half, w, count * sizeof *half);
    memcpy(merged, m, count * sizeof *merged);
    pass(model, &settings, EXAMPLES, 50, half, merged);
    settings.optimizer = OPTIMIZER_SGD;
    settings.momentum = 0;
    pass(model, &settings, EXAMPLES, 50, plain, NULL);
    for (size_t i = 0; i < count; i++)
        assert_float_equal(half[i], plain[i] - 0.05f * 0.9f * m[i], 1e-6f);
    /* and from x over x½ to x⁺ it turns to μ m̂ + (1 − μ) (x − x⁺) / (K η) */
    settings.optimizer = OPTIMIZER_QUASI_GLOBAL;
    settings.momentum = 0.9;
    settings.batch = 8;
    for (size_t i = 0; i < count; i++)
        plain[i] = m[i];
    memcpy(half, w, count * sizeof *half);
    pass(model, &settings, EXAMPLES, 50, half, m);
    for (size_t i = 0; i < count; i++)
        merged[i] = half[i] + 0.003f * (float)(i % 5);
    learner_merged(model, &settings, EXAMPLES, 50, half, merged, &memory);
    for (size_t i = 0; i < count; i++)
        assert_float_equal(m[i], 0.9f * plain[i] + 0.1f * (w[i] - merged[i]) / (7 * 0.05f), 1e-6f);
    vector_free(w);
    vector_free(m);
    vector_free(half);
    vector_free(plain);
    vector_free(merged);
    model_free(&model);
}

static void a_step_follows_its_equation(void **state)
{
    (void)state;
    for (size_t count = 0; count < 70; count++) {
        float w[70], m[70], g[70], plain[70];
        struct random random = random_stream(5, (uint32_t)count, RANDOM_INITIAL, 0);
        for (size_t i = 0; i < 70; i++) {
            plain[i] = w[i] = (float)random_normal(&random);
            m[i] = (float)random_normal(&random);
            g[i] = (float)random_normal(&random);
        }
        float w0[70], m0[70];
        memcpy(w0, w, sizeof w0);
        memcpy(m0, m, sizeof m0);
        optimizer_sgd(w, m, g, 0.3f, 0.9f, 0.01f, count);
        optimizer_sgd(plain, NULL, g, 0.3f, 0.9f, 0.01f, count);
        for (size_t i = 0; i < 70; i++) {
            bool touched = i < count;
            double start = (double)w0[i], moment = (double)m0[i];
            double m1 = touched ? 0.9 * moment + (double)g[i] : moment;
            double w1 = touched ? start - 0.3 * (m1 + 0.01 * start) : start;
            double p1 = touched ? start - 0.3 * ((double)g[i] + 0.01 * start) : start;
            assert_true(fabs((double)m[i] - m1) < 1e-6);
            assert_true(fabs((double)w[i] - w1) < 1e-6);
            assert_true(fabs((double)plain[i] - p1) < 1e-6);
        }
    }
}

/* The slow plain version of learner_pass. */
static double plain_pass(const struct model *model, const struct learn_settings *settings,
                         size_t count, double age, float *parameters, float *momentum)
{
    size_t parameter_count = model_parameters(model), steps = 0, samples = 0;
    struct random random = random_stream(9, 1, RANDOM_BATCH, 5);
    struct workspace workspace = {0};
    float inputs[EXAMPLES * FEATURES], *gradient = vector_new(parameter_count);
    uint32_t order[EXAMPLES];
    uint16_t labels[EXAMPLES];
    double loss = 0, rate = learner_rate(settings, age);
    memcpy(order, rows, count * sizeof *order);
    for (uint32_t epoch = 0; epoch < settings->epochs; epoch++) {
        random_permute(&random, order, count);
        for (size_t start = 0; start < count; start += settings->batch) {
            size_t batch = count - start < settings->batch ? count - start : settings->batch;
            if (settings->max_batches && steps++ == settings->max_batches)
                goto done;
            dataset_gather(&data, order + start, batch, inputs, labels);
            assert_true(workspace_reset(&workspace, model_workspace(model, batch)));
            loss += (double)batch * model_gradient(model, parameters, inputs, labels, NULL, batch,
                                                   gradient, &workspace);
            samples += batch;
            for (size_t i = 0; i < parameter_count; i++) {
                momentum[i] = (float)settings->momentum * momentum[i] + gradient[i];
                parameters[i] -=
                    (float)rate * (momentum[i] + (float)settings->decay * parameters[i]);
            }
        }
    }
done:
    workspace_free(&workspace);
    vector_free(gradient);
    return loss / (double)samples;
}

static void a_pass_agrees_with_the_plain_one(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        uint32_t batch, epochs, max_batches;
        size_t count;
    } cases[] = {
        {"linear", 1, 1, 0, 20},  {"linear", 8, 1, 0, 50}, {"mlp:9", 8, 3, 0, 45},
        {"mlp:9", 8, 2, 9, 50},   {"mlp:9", 50, 1, 0, 50}, {"mlp:9", 500, 2, 0, 3},
        {"mlp:4,4", 7, 2, 3, 33},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct learn_settings settings = defaults;
        settings.batch = cases[c].batch;
        settings.epochs = cases[c].epochs;
        settings.max_batches = cases[c].max_batches;
        struct model *model = model_new(cases[c].model, shape_flat(FEATURES, 3), NULL);
        size_t count = model_parameters(model);
        float *saw = vector_new(count), *wanted = vector_new(count);
        float *momentum = vector_new(count), *plain_momentum = vector_new(count);
        model_initialise(model, 1, saw);
        model_initialise(model, 1, wanted);
        struct pass_report report = pass(model, &settings, cases[c].count, 20, saw, momentum);
        double loss = plain_pass(model, &settings, cases[c].count, 20, wanted, plain_momentum);
        assert_true(fabs(report.mean_loss - loss) < 1e-5);
        assert_true(vector_norm2(wanted, count) > 0);
        if (vector_distance2(saw, wanted, count) > 1e-9)
            fail_msg("case %zu: %g away", c, vector_distance2(saw, wanted, count));
        double share;
        assert_int_equal(report.samples, learner_samples(&settings, cases[c].count, &share));
        assert_true(report.share == share);
        vector_free(saw);
        vector_free(wanted);
        vector_free(momentum);
        vector_free(plain_momentum);
        model_free(&model);
    }
}

static void a_pass_repeats_to_the_bit(void **state)
{
    (void)state;
    struct model *model = model_new("mlp:9", shape_flat(FEATURES, 3), NULL);
    size_t count = model_parameters(model);
    float *first = vector_new(count), *second = vector_new(count);
    for (int run = 0; run < 2; run++) {
        float *momentum = vector_new(count);
        model_initialise(model, 1, run ? second : first);
        pass(model, &defaults, EXAMPLES, 0, run ? second : first, momentum);
        vector_free(momentum);
    }
    assert_memory_equal(first, second, count * sizeof *first);
    vector_free(first);
    vector_free(second);
    model_free(&model);
}

static void a_pass_over_nothing_changes_nothing(void **state)
{
    (void)state;
    struct model *model = model_new("mlp:9", shape_flat(FEATURES, 3), NULL);
    size_t count = model_parameters(model);
    float *parameters = vector_new(count), *start = vector_new(count),
          *momentum = vector_new(count);
    model_initialise(model, 1, parameters);
    model_initialise(model, 1, start);
    momentum[0] = 1.0f;
    struct pass_report report = pass(model, &defaults, 0, 3, parameters, momentum);
    assert_int_equal(report.samples, 0);
    assert_true(report.share == 0.0 && report.mean_loss == 0.0);
    assert_memory_equal(parameters, start, count * sizeof *start);
    assert_true(momentum[0] == 1.0f);
    vector_free(parameters);
    vector_free(start);
    vector_free(momentum);
    model_free(&model);
}

static void passes_lower_the_loss(void **state)
{
    (void)state;
    static const char *const specifications[] = {"linear", "mlp:16"};
    for (size_t s = 0; s < 2; s++) {
        struct model *model = model_new(specifications[s], shape_flat(FEATURES, 3), NULL);
        size_t count = model_parameters(model);
        float *parameters = vector_new(count);
        struct learn_settings settings = defaults;
        settings.momentum = 0;
        model_initialise(model, 1, parameters);
        double first = pass(model, &settings, EXAMPLES, 0, parameters, NULL).mean_loss,
               last = first;
        for (int t = 1; t < 60; t++)
            last = pass(model, &settings, EXAMPLES, t, parameters, NULL).mean_loss;
        assert_true(first > 0.8 && last < 0.4);
        vector_free(parameters);
        model_free(&model);
    }
}

static void a_broken_model_trains_without_crashing_and_shows_it(void **state)
{
    (void)state;
    struct model *model = model_new("mlp:9", shape_flat(FEATURES, 3), NULL);
    size_t count = model_parameters(model);
    float *parameters = vector_new(count), *momentum = vector_new(count);
    model_initialise(model, 1, parameters);
    parameters[4] = NAN;
    struct pass_report report = pass(model, &defaults, EXAMPLES, 0, parameters, momentum);
    assert_true(isinf(report.mean_loss));
    assert_false(vector_finite(parameters, count));
    vector_free(parameters);
    vector_free(momentum);
    model_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_is_one_for_everything_whatever_the_epochs),
        cmocka_unit_test(the_rate_falls_with_age_down_to_its_floor),
        cmocka_unit_test(the_rate_falls_along_a_cosine_to_its_floor),
        cmocka_unit_test(a_quasi_global_momentum_follows_its_algorithm),
        cmocka_unit_test(a_step_follows_its_equation),
        cmocka_unit_test(steps_of_adam_follow_their_algorithm),
        cmocka_unit_test(a_pass_of_an_svm_is_a_step_of_pegasos_an_example),
        cmocka_unit_test(balanced_classes_weigh_alike),
        cmocka_unit_test(a_long_gradient_is_made_as_long_as_it_may_be),
        cmocka_unit_test(a_step_of_a_pass_is_clipped),
        cmocka_unit_test(adam_learns),
        cmocka_unit_test(a_pass_agrees_with_the_plain_one),
        cmocka_unit_test(a_pass_repeats_to_the_bit),
        cmocka_unit_test(a_pass_over_nothing_changes_nothing),
        cmocka_unit_test(passes_lower_the_loss),
        cmocka_unit_test(a_broken_model_trains_without_crashing_and_shows_it),
    };
    return cmocka_run_group_tests(tests, make_data, free_data);
}
