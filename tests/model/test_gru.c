#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/dataset.h"
#include "model/model.h"
#include "model/vector.h"
#include "tests/model/trial.h"

#define UNITS_MAX 64
#define LAYERS_MAX 4

/* A recurrent model, and sequences to try it on. */
static const struct kind {
    const char *specification;
    size_t symbols, positions, batch;
    struct {
        char kind; /* e(mbed), g(ru), d(ense), t(anh); 0 ends the list */
        size_t width;
    } layers[LAYERS_MAX + 1];
} kinds[] = {
    {"gru:1", 3, 2, 1, {{'g', 1}}},
    {"gru:5", 4, 1, 3, {{'g', 5}}},
    {"gru:7", 2, 6, 4, {{'g', 7}}},
    {"gru:17", 5, 9, 9, {{'g', 17}}},
    {"gru 3", 3, 5, 2, {{'g', 3}}},
    {"gru:6,4", 3, 5, 3, {{'g', 6}, {'g', 4}}},
    {"embed 3, gru 5", 6, 4, 2, {{'e', 3}, {'g', 5}}},
    {"embed 2, tanh, gru 4, dense 3", 4, 7, 5, {{'e', 2}, {'t', 2}, {'g', 4}, {'d', 3}}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static struct shape shape_of(const struct kind *kind)
{
    return (struct shape){.features = kind->positions,
                          .classes = kind->symbols,
                          .symbols = kind->symbols,
                          .positions = kind->positions};
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* out = W in + b, W a row an output. Returns what lies behind them. */
static const double *plain_dense(const double *parameters, const double *in, size_t inputs,
                                 size_t outputs, double *out)
{
    for (size_t o = 0; o < outputs; o++) {
        out[o] = parameters[outputs * inputs + o];
        for (size_t i = 0; i < inputs; i++)
            out[o] += parameters[o * inputs + i] * in[i];
    }
    return parameters + (inputs + 1) * outputs;
}

/* The equations of the paper, a unit at a time: `in` are the gates' shares of the input. */
static const double *plain_units(const double *parameters, const double *in, size_t units,
                                 double *state)
{
    double before[UNITS_MAX];
    memcpy(before, state, units * sizeof *state);
    for (size_t j = 0; j < units; j++) {
        double sums[3] = {0, 0, 0};
        for (size_t i = 0; i < units; i++)
            for (size_t gate = 0; gate < 3; gate++)
                sums[gate] += before[i] * parameters[(3 * i + gate) * units + j];
        double reset = logistic(in[j] + sums[0]), update = logistic(in[units + j] + sums[1]);
        double candidate = sums[2] + parameters[3 * units * units + j];
        candidate = tanh(in[2 * units + j] + reset * candidate);
        state[j] = (1 - update) * candidate + update * before[j];
    }
    return parameters + (3 * units + 1) * units;
}

/* One position through all layers; what the layers remember is in `states`. */
static void plain_step(const struct kind *kind, const double *parameters, size_t symbol,
                       double states[LAYERS_MAX][UNITS_MAX], double *out)
{
    double in[3 * UNITS_MAX], next[3 * UNITS_MAX];
    size_t width = 0; /* 0: nothing but the symbol yet */
    for (size_t l = 0; kind->layers[l].kind; l++) {
        size_t outputs = kind->layers[l].width;
        size_t wide = kind->layers[l].kind == 'g' ? 3 * outputs : outputs;
        if (kind->layers[l].kind == 't') {
            for (size_t i = 0; i < width; i++)
                in[i] = tanh(in[i]);
            continue;
        }
        if (width == 0) {
            memcpy(next, parameters + symbol * wide, wide * sizeof *next);
            parameters += kind->symbols * wide;
        } else
            parameters = plain_dense(parameters, in, width, wide, next);
        width = outputs;
        if (kind->layers[l].kind == 'g') {
            parameters = plain_units(parameters, next, outputs, states[l]);
            memcpy(next, states[l], outputs * sizeof *next);
        }
        memcpy(in, next, width * sizeof *in);
    }
    (void)plain_dense(parameters, in, width, kind->symbols == 2 ? 1 : kind->symbols, out);
    if (kind->symbols == 2) { /* one logit for class 1, as if class 0 had a zero */
        out[1] = out[0];
        out[0] = 0;
    }
}

/* The sum of the labelled positions' losses of one example. */
static double plain_loss(const void *of, const double *parameters, const float *inputs,
                         const uint16_t *labels)
{
    const struct kind *kind = of;
    double states[LAYERS_MAX][UNITS_MAX] = {{0}}, out[UNITS_MAX], loss = 0;
    for (size_t t = 0; t < kind->positions; t++) {
        double sum = 0;
        plain_step(kind, parameters, (size_t)inputs[t], states, out);
        for (size_t c = 0; c < kind->symbols; c++)
            sum += exp(out[c]);
        if (labels[t] != LABEL_NONE)
            loss += log(sum) - out[labels[t]];
    }
    return loss;
}

static struct trial try_out(const struct kind *kind)
{
    return trial_new(kind->specification, shape_of(kind), kind->batch, plain_loss, kind);
}

static void gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct trial trial = try_out(&kinds[k]);
        trial_check_gradient(&trial);
        trial_free(&trial);
    }
}

/* As many as training works on at a time or not: each example for itself starts from nothing. */
static void an_example_is_predicted_alike_in_any_batch(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct trial trial = try_out(&kinds[k]);
        double *parameters = trial_parameters(&trial);
        size_t positions = kinds[k].positions;
        float all[128], alone[16];
        model_predict(trial.model, trial.parameters, trial.inputs, trial.labels, kinds[k].batch,
                      all, NULL, &trial.workspace);
        for (size_t b = 0; b < kinds[k].batch; b++) {
            const float *inputs = trial.inputs + b * positions;
            const uint16_t *labels = trial.labels + b * positions;
            double sum = 0, wanted = plain_loss(&kinds[k], parameters, inputs, labels);
            model_predict(trial.model, trial.parameters, inputs, labels, 1, alone, NULL,
                          &trial.workspace);
            for (size_t t = 0; t < positions; t++) {
                assert_true(fabsf(alone[t] - all[b * positions + t]) <= 1e-5f * (1 + alone[t]));
                sum += (double)alone[t];
            }
            if (!(fabs(sum - wanted) <= 1e-5 * (1 + wanted)))
                fail_msg("%s, example %zu: loss %.9g, wanted %.9g", kinds[k].specification, b, sum,
                         wanted);
        }
        free(parameters);
        trial_free(&trial);
    }
}

static void a_descent_is_the_gradient_and_a_step(void **state)
{
    (void)state;
    static const struct descent descents[] = {{0.1f, 0.0f, 0.0f}, {0.05f, 0.9f, 0.01f}};
    for (size_t k = 0; k < 2 * KINDS; k++) {
        struct trial trial = try_out(&kinds[k / 2]);
        trial_check_descent(&trial, &descents[k % 2]);
        trial_free(&trial);
    }
}

/* Gates squash what they get: an infinite weight would go unseen. */
static void a_parameter_that_is_not_finite_makes_the_loss_infinite(void **state)
{
    (void)state;
    for (size_t k = 2; k < KINDS; k++) { /* all symbols occur, and positions behind others */
        struct trial trial = try_out(&kinds[k]);
        trial_check_not_finite(&trial);
        trial_free(&trial);
    }
}

static void an_empty_batch_costs_nothing(void **state)
{
    (void)state;
    struct trial trial = try_out(&kinds[3]);
    assert_true(model_gradient(trial.model, trial.parameters, trial.inputs, trial.labels, NULL, 0,
                               trial.gradient, &trial.workspace) == 0.0);
    assert_true(vector_norm2(trial.gradient, model_parameters(trial.model)) == 0.0);
    trial_free(&trial);
}

/* Whether positions 0, 1, 0, 1, … can be told from 0, 0, 1, 1, …: only by remembering. */
static void it_learns_what_takes_a_memory(void **state)
{
    (void)state;
    const struct kind kind = {"gru:8", 2, 16, 8, {{'g', 8}}};
    struct trial trial = try_out(&kind);
    for (size_t b = 0; b < kind.batch; b++)
        for (size_t t = 0; t < kind.positions; t++) { /* period 4, at each of its phases */
            trial.inputs[b * kind.positions + t] = (float)((t + b) / 2 % 2);
            trial.labels[b * kind.positions + t] = (uint16_t)((t + b + 1) / 2 % 2);
        }
    model_initialise(trial.model, 5, trial.parameters);
    const struct descent descent = {.rate = 0.5f};
    double loss = 0;
    for (size_t step = 0; step < 600; step++)
        loss = model_descend(trial.model, trial.parameters, NULL, trial.inputs, trial.labels, NULL,
                             kind.batch, &descent, &trial.workspace);
    if (!(loss < 0.1)) /* the first position of each window cannot be known */
        fail_msg("loss %g", loss);
    trial_free(&trial);
}

static void gates_start_with_the_variance_of_glorot(void **state)
{
    (void)state;
    const struct kind kind = {"gru:60", 30, 4, 1, {{'g', 60}}};
    struct trial trial = try_out(&kind);
    model_initialise(trial.model, 1, trial.parameters);
    size_t table = 30 * 180, recurrent = 180 * 60;
    double by_symbols = vector_norm2(trial.parameters, table) / (double)table;
    double by_state = vector_norm2(trial.parameters + table, recurrent) / (double)recurrent;
    assert_true(fabs(by_symbols * (30 + 180) / 2 - 1) < 0.05);
    assert_true(fabs(by_state * 120 / 2 - 1) < 0.05);
    assert_true(vector_norm2(trial.parameters + table + recurrent, 60) == 0.0);
    trial_free(&trial);
}

static void a_list_has_a_normal_form_and_a_size(void **state)
{
    (void)state;
    const struct shape shape = {64, 65, 0, 0, 0, 65, 64};
    const struct {
        const char *specification, *name;
        size_t parameters;
    } cases[] = {
        {"gru:128", "gru:128", 65 * 384 + 128 * 384 + 128 + 129 * 65},
        {"gru:0128", "gru:128", 65 * 384 + 128 * 384 + 128 + 129 * 65},
        {" gru  128", "gru 128", 65 * 384 + 128 * 384 + 128 + 129 * 65},
        {"gru:8,4", "gru:8,4", 65 * 24 + 8 * 24 + 8 + 9 * 12 + 4 * 12 + 4 + 5 * 65},
        {"embed 9,gru 8", "embed 9, gru 8", 65 * 9 + 10 * 24 + 8 * 24 + 8 + 9 * 65},
        {"embed 9", "embed 9", 65 * 9 + 10 * 65},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct problem problem = {0};
        struct model *model = model_new(cases[c].specification, shape, &problem);
        if (!model)
            fail_msg("%s", problem.text);
        assert_string_equal(model_name(model), cases[c].name);
        assert_int_equal(model_parameters(model), cases[c].parameters);
        assert_true(model_rate(model) > 0);
        assert_true(model_clip(model) == (strstr(cases[c].name, "gru") ? 1 : 0));
        model_free(&model);
    }
}

static void what_makes_no_sense_says_what_to_do(void **state)
{
    (void)state;
    const struct shape text = {64, 65, 0, 0, 0, 65, 64}, flat = shape_flat(64, 10);
    const struct shape last = {64, 65, 0, 0, 0, 65, 1}, alike = {64, 1, 0, 0, 0, 1, 64};
    static const char many[] =
        "gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,"
        "gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1,gru 1";
    const struct {
        const char *specification, *says;
        struct shape shape;
    } cases[] = {
        {"gru:128", "'gru' takes sequences of symbols, and the data are none", flat},
        {"gru 128", "layer 1, 'gru 128': it takes sequences", flat},
        {"embed 3", "use text:FILE", flat},
        {"gru", "lacks the width of its hidden layer: write for example gru:128", text},
        {"gru:", "not 1 to 8 widths", text},
        {"gru:0", "not 1 to 8 widths", text},
        {"gru:70000", "not 1 to 8 widths", text},
        {"gru:65536", "parameters on this data", text},
        {"gru:4,", "not 1 to 8 widths", text},
        {"gru:1,1,1,1,1,1,1,1,1", "not 1 to 8 widths", text},
        {"gru 4, embed 3", "layer 2, 'embed 3': it takes symbols: put it first", text},
        {"gru 4 4", "for example gru 128 or embed 32", text},
        {"embed", "for example gru 128 or embed 32", text},
        {"dense 4", "put gru 128 or embed 32 in front", text},
        {"relu, gru 4", "layer 1, 'relu': it takes numbers", text},
        {"gru 4, conv 3x3x2", "layer 2, 'conv 3x3x2': it needs images", text},
        {"maxpool 2", "it needs images, and the data are sequences", text},
        {"gru 4, gro 4", "did you mean 'gru'?", text},
        {"gru:4", "a model takes one at each position", last},
        {"gru:4", "1 classes", alike},
        {many, "layer 25: a list has at most 24 layers", text},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct problem problem = {0};
        assert_null(model_new(cases[c].specification, cases[c].shape, &problem));
        assert_int_equal(problem.error, STARLING_INVALID);
        if (!strstr(problem.text, cases[c].says))
            fail_msg("'%s': saw \"%s\", wanted \"%s\" in it", cases[c].specification, problem.text,
                     cases[c].says);
    }
}

/* The longest list there is runs. */
static void twenty_four_layers_fit(void **state)
{
    (void)state;
    char list[24 * 7 + 1] = "";
    for (size_t i = 0; i < 24; i++)
        strcat(list, i ? ",gru 1" : "gru 1");
    const struct kind kind = {list, 3, 4, 2, {{0}}};
    struct trial trial = try_out(&kind);
    double loss = model_gradient(trial.model, trial.parameters, trial.inputs, trial.labels, NULL,
                                 kind.batch, trial.gradient, &trial.workspace);
    assert_true(isfinite(loss));
    trial_free(&trial);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(an_example_is_predicted_alike_in_any_batch),
        cmocka_unit_test(a_descent_is_the_gradient_and_a_step),
        cmocka_unit_test(a_parameter_that_is_not_finite_makes_the_loss_infinite),
        cmocka_unit_test(an_empty_batch_costs_nothing),
        cmocka_unit_test(it_learns_what_takes_a_memory),
        cmocka_unit_test(gates_start_with_the_variance_of_glorot),
        cmocka_unit_test(a_list_has_a_normal_form_and_a_size),
        cmocka_unit_test(what_makes_no_sense_says_what_to_do),
        cmocka_unit_test(twenty_four_layers_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
