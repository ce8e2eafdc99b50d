#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/model.h"
#include "model/vector.h"
#include "tests/model/trial.h"

#define LAYERS_MAX 9

/* A model and a batch to try it on. The widths repeat the specification for the plain version. */
static const struct kind {
    const char *specification;
    size_t features, classes, batch;
    size_t hidden, widths[LAYERS_MAX];
} kinds[] = {
    {"linear", 57, 2, 1, 0, {0}},
    {"linear", 57, 2, 32, 0, {0}},
    {"linear", 16, 10, 5, 0, {0}},
    {"linear", 5, 3, 1, 0, {0}},
    {"mlp:7", 4, 2, 3, 1, {7}},
    {"mlp:7", 4, 5, 1, 1, {7}},
    {"mlp:6,5", 9, 3, 10, 2, {6, 5}},
    {"mlp:40", 30, 12, 33, 1, {40}},
    {"mlp:3,4,5,4,3", 6, 4, 8, 5, {3, 4, 5, 4, 3}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* One example's loss, plainly and in double; `parameters` as the model lays them out. */
static double plain_loss(const struct kind *kind, const double *parameters, const float *input,
                         size_t label, size_t *predicted)
{
    double in[64], out[64], most = -INFINITY, sum = 0;
    size_t inputs = kind->features, last = kind->classes == 2 ? 1 : kind->classes;
    for (size_t i = 0; i < inputs; i++)
        in[i] = (double)input[i];
    for (size_t l = 0; l <= kind->hidden; l++) {
        size_t outputs = l < kind->hidden ? kind->widths[l] : last;
        const double *biases = parameters + inputs * outputs;
        for (size_t o = 0; o < outputs; o++) {
            out[o] = biases[o];
            for (size_t i = 0; i < inputs; i++)
                out[o] += parameters[o * inputs + i] * in[i];
        }
        for (size_t o = 0; o < outputs; o++)
            in[o] = l < kind->hidden ? fmax(out[o], 0) : out[o];
        parameters = biases + outputs;
        inputs = outputs;
    }
    if (kind->classes == 2) { /* one logit for class 1, as if class 0 had a zero */
        in[1] = in[0];
        in[0] = 0;
    }
    for (size_t c = 0; c < kind->classes; c++)
        if (in[c] > most) {
            most = in[c];
            *predicted = c;
        }
    for (size_t c = 0; c < kind->classes; c++)
        sum += exp(in[c] - most);
    return log(sum) + most - in[label];
}

static double example_loss(const void *kind, const double *parameters, const float *inputs,
                           const uint16_t *labels)
{
    size_t predicted;
    return plain_loss(kind, parameters, inputs, labels[0], &predicted);
}

static struct trial try_out(const struct kind *kind)
{
    return trial_new(kind->specification, shape_flat(kind->features, kind->classes), kind->batch,
                     example_loss, kind);
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

static void predictions_agree_with_the_plain_ones(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct trial trial = try_out(&kinds[k]);
        double *parameters = trial_parameters(&trial);
        float losses[64];
        uint16_t predicted[64];
        model_predict(trial.model, trial.parameters, trial.inputs, trial.labels, kinds[k].batch,
                      losses, predicted, &trial.workspace);
        for (size_t b = 0; b < kinds[k].batch; b++) {
            size_t wanted = 0;
            double loss = plain_loss(&kinds[k], parameters, trial.inputs + b * kinds[k].features,
                                     trial.labels[b], &wanted);
            assert_true(fabs((double)losses[b] - loss) < 1e-4 * (1 + loss));
            assert_int_equal(predicted[b], wanted);
        }
        free(parameters);
        trial_free(&trial);
    }
}

static void what_a_prediction_is_not_asked_for_may_be_null(void **state)
{
    (void)state;
    struct trial trial = try_out(&kinds[7]);
    size_t batch = trial.batch;
    float losses[64], again[64];
    uint16_t predicted[64], alone[64];
    model_predict(trial.model, trial.parameters, trial.inputs, trial.labels, batch, losses,
                  predicted, &trial.workspace);
    model_predict(trial.model, trial.parameters, trial.inputs, trial.labels, batch, again, NULL,
                  &trial.workspace);
    model_predict(trial.model, trial.parameters, trial.inputs, NULL, batch, NULL, alone,
                  &trial.workspace);
    assert_memory_equal(losses, again, batch * sizeof *losses);
    assert_memory_equal(predicted, alone, batch * sizeof *predicted);
    trial_free(&trial);
}

static void the_workspace_is_given_back_and_was_enough(void **state)
{
    (void)state;
    struct trial trial = try_out(&kinds[6]);
    size_t batch = trial.batch, used = trial.workspace.used;
    trial_gradient(&trial);
    assert_int_equal(trial.workspace.used, used);
    model_predict(trial.model, trial.parameters, trial.inputs, trial.labels, batch, NULL, NULL,
                  &trial.workspace);
    assert_int_equal(trial.workspace.used, used);
    assert_true(model_workspace(trial.model, 1) <= model_workspace(trial.model, batch));
    trial_free(&trial);
}

static void a_parameter_that_is_not_finite_makes_the_loss_infinite(void **state)
{
    (void)state;
    static const size_t tried[] = {1, 2, 5, 6};
    for (size_t k = 0; k < sizeof tried / sizeof *tried; k++) {
        struct trial trial = try_out(&kinds[tried[k]]);
        trial_check_not_finite(&trial);
        trial_free(&trial);
    }
}

static void huge_outputs_neither_overflow_nor_crash(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct trial trial = try_out(&kinds[k]);
        vector_scale(trial.parameters, 1e4f, model_parameters(trial.model));
        double loss = trial_gradient(&trial);
        assert_true(loss >= 0 && isfinite(loss));
        assert_true(vector_finite(trial.gradient, model_parameters(trial.model)));
        vector_scale(trial.parameters, 1e34f, model_parameters(trial.model));
        assert_true(trial_gradient(&trial) >= 0);
        trial_free(&trial);
    }
}

static void an_empty_batch_costs_nothing(void **state)
{
    (void)state;
    struct trial trial = try_out(&kinds[6]);
    size_t count = model_parameters(trial.model);
    trial.gradient[0] = 1.0f;
    assert_true(model_gradient(trial.model, trial.parameters, trial.inputs, trial.labels, NULL, 0,
                               trial.gradient, &trial.workspace) == 0.0);
    assert_true(vector_norm2(trial.gradient, count) == 0.0);
    trial_free(&trial);
}

static void specifications_have_a_normal_form_and_a_size(void **state)
{
    (void)state;
    static const struct {
        const char *specification, *name;
        size_t features, classes, parameters;
    } cases[] = {
        {"linear", "linear", 57, 2, 58},
        {"linear", "linear", 784, 10, 7850},
        {"svm", "svm", 57, 2, 58},
        {"svm", "svm", 16, 10, 170},
        {"mlp:128", "mlp:128", 784, 10, 784 * 128 + 128 + 128 * 10 + 10},
        {"mlp:064,32", "mlp:64,32", 16, 2, 16 * 64 + 64 + 64 * 32 + 32 + 32 + 1},
        {"mlp:1,1,1,1,1,1,1,1", "mlp:1,1,1,1,1,1,1,1", 1, 3, 22},
        {"mlp:65536", "mlp:65536", 1, 2, 3 * 65536 + 1},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct model *model = model_new(cases[c].specification,
                                        shape_flat(cases[c].features, cases[c].classes), NULL);
        assert_non_null(model);
        assert_string_equal(model_name(model), cases[c].name);
        assert_int_equal(model_parameters(model), cases[c].parameters);
        assert_int_equal(model_features(model), cases[c].features);
        assert_int_equal(model_classes(model), cases[c].classes);
        assert_true(model_rate(model) > 0 && model_rate(model) <= 1);
        model_free(&model);
        assert_null(model);
    }
}

static void a_specification_that_makes_no_sense_says_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *specification, *says;
        size_t features, classes;
    } cases[] = {
        {"lineer", "task.model: there is no model 'lineer': did you mean 'linear'?", 4, 2},
        {"mpl:64", "did you mean 'mlp'?", 4, 2},
        {"svm:3", "write svm", 4, 2},
        {"transformer", "use linear, svm, mlp:WIDTH", 4, 2},
        {"", "task.model: there is no model ''", 4, 2},
        {"an-absurdly-long-word-that-names-no-model-at-all:3", "task.model: there is no", 4, 2},
        {"linear:3", "write linear", 4, 2},
        {"linear:", "write linear", 4, 2},
        {"mlp", "lacks the width", 4, 2},
        {"mlp:", "write for example mlp:128", 4, 2},
        {"mlp:0", "task.model: 'mlp:0' is not", 4, 2},
        {"mlp:65537", "1 to 65536", 4, 2},
        {"mlp:99999999999999999999999", "1 to 65536", 4, 2},
        {"mlp:64,", "is not 1 to 8 widths", 4, 2},
        {"mlp:,64", "is not 1 to 8 widths", 4, 2},
        {"mlp:64x", "is not 1 to 8 widths", 4, 2},
        {"mlp:-4", "is not 1 to 8 widths", 4, 2},
        {"mlp:1,2,3,4,5,6,7,8,9", "is not 1 to 8 widths", 4, 2},
        {"mlp:65536,65536", "parameters on this data", 4, 2},
        {"linear", "task.data: 0 features", 0, 2},
        {"linear", "task.data: 1 classes", 4, 1},
        {"linear", "task.data: 20000 classes", 4, 20000},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct problem problem = {0};
        assert_null(model_new(cases[c].specification,
                              shape_flat(cases[c].features, cases[c].classes), &problem));
        assert_int_equal(problem.error, STARLING_INVALID);
        if (!strstr(problem.text, cases[c].says))
            fail_msg("'%s': saw \"%s\", wanted \"%s\" in it", cases[c].specification, problem.text,
                     cases[c].says);
        assert_null(model_new(cases[c].specification,
                              shape_flat(cases[c].features, cases[c].classes), NULL));
    }
}

static void a_convex_model_starts_from_zero(void **state)
{
    (void)state;
    struct model *model = model_new("linear", shape_flat(20, 5), NULL);
    float *parameters = vector_new(model_parameters(model));
    parameters[3] = 1.0f;
    model_initialise(model, 1, parameters);
    assert_true(vector_norm2(parameters, model_parameters(model)) == 0.0);
    vector_free(parameters);
    model_free(&model);
}

static double variance(const float *values, size_t count)
{
    return vector_norm2(values, count) / (double)count;
}

static void a_network_starts_with_the_variances_of_he_and_glorot(void **state)
{
    (void)state;
    struct model *model = model_new("mlp:300", shape_flat(200, 100), NULL);
    size_t first = 200 * 300, second = 300 * 100, count = model_parameters(model);
    float *parameters = vector_new(count), *again = vector_new(count), *other = vector_new(count);
    model_initialise(model, 1, parameters);
    model_initialise(model, 1, again);
    model_initialise(model, 2, other);
    assert_true(fabs(variance(parameters, first) * 200 / 2 - 1) < 0.05);
    assert_true(vector_norm2(parameters + first, 300) == 0.0);
    const float *output = parameters + first + 300;
    assert_true(fabs(variance(output, second) * 400 / 2 - 1) < 0.05);
    for (size_t i = 0; i < second; i++)
        assert_true(fabs((double)output[i]) <= sqrt(6.0 / 400));
    assert_true(vector_norm2(output + second, 100) == 0.0);
    assert_true(vector_distance2(parameters, again, count) == 0.0);
    assert_true(vector_distance2(parameters, other, first) > 100);
    vector_free(parameters);
    vector_free(again);
    vector_free(other);
    model_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(predictions_agree_with_the_plain_ones),
        cmocka_unit_test(what_a_prediction_is_not_asked_for_may_be_null),
        cmocka_unit_test(the_workspace_is_given_back_and_was_enough),
        cmocka_unit_test(a_parameter_that_is_not_finite_makes_the_loss_infinite),
        cmocka_unit_test(huge_outputs_neither_overflow_nor_crash),
        cmocka_unit_test(an_empty_batch_costs_nothing),
        cmocka_unit_test(specifications_have_a_normal_form_and_a_size),
        cmocka_unit_test(a_specification_that_makes_no_sense_says_what_to_do),
        cmocka_unit_test(a_convex_model_starts_from_zero),
        cmocka_unit_test(a_network_starts_with_the_variances_of_he_and_glorot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
