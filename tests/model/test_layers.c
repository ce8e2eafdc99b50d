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

#define VALUES_MAX 2048

/* One layer of a list, for the plain version: a kernel's or window's sides, the channels or width
 * behind it, and how far it reaches over the rim. */
struct plain_layer {
    char kind; /* c, p (pool), d, r, t; 0 ends the list */
    size_t height, width, outputs, pad;
};

/* A model that lists its layers, and data to try it on. */
static const struct kind {
    const char *specification;
    struct shape shape;
    size_t batch;
    struct plain_layer layers[10];
} kinds[] = {
    {"conv 3x3x2", {30, 3, 6, 5, 1, 0, 1}, 1, {{'c', 3, 3, 2, 0}}},
    {"conv 3x2x3 pad 1, relu", {30, 2, 5, 6, 1, 0, 1}, 5, {{'c', 3, 2, 3, 1}, {.kind = 'r'}}},
    {"conv 2x2x3, tanh", {40, 4, 4, 5, 2, 0, 1}, 17, {{'c', 2, 2, 3, 0}, {.kind = 't'}}},
    {"conv 3x3x2, conv 2x3x3", {75, 3, 5, 5, 3, 0, 1}, 16, {{'c', 3, 3, 2, 0}, {'c', 2, 3, 3, 0}}},
    {"maxpool 2", {25, 3, 5, 5, 1, 0, 1}, 3, {{'p', 2, 2, 0, 0}}},
    {"tanh, maxpool 3, relu",
     {49, 3, 7, 7, 1, 0, 1},
     18,
     {{.kind = 't'}, {'p', 3, 3, 0, 0}, {.kind = 'r'}}},
    {"conv 3x3x4 pad 1, relu, maxpool 2, conv 2x2x3, tanh, maxpool 2, dense 7, relu, dense 5",
     {196, 10, 14, 14, 1, 0, 1},
     20,
     {{'c', 3, 3, 4, 1},
      {.kind = 'r'},
      {'p', 2, 2, 0, 0},
      {'c', 2, 2, 3, 0},
      {.kind = 't'},
      {'p', 2, 2, 0, 0},
      {'d', 0, 0, 7, 0},
      {.kind = 'r'},
      {'d', 0, 0, 5, 0}}},
    {"dense 6, tanh, dense 5",
     {8, 3, 0, 0, 0, 0, 1},
     9,
     {{'d', 0, 0, 6, 0}, {.kind = 't'}, {'d', 0, 0, 5, 0}}},
    {"relu", {8, 3, 0, 0, 0, 0, 1}, 9, {{.kind = 'r'}}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* What one example is on its way: channels × height × width, or height 0 and `width` values. */
struct plain {
    size_t channels, height, width;
    double values[VALUES_MAX];
    const double *parameters; /* those not used yet */
};

static void plain_conv(struct plain *plain, const struct plain_layer *layer)
{
    static double out[VALUES_MAX];
    size_t height = plain->height + 2 * layer->pad - layer->height + 1;
    size_t width = plain->width + 2 * layer->pad - layer->width + 1, at = 0;
    size_t kernel = plain->channels * layer->height * layer->width;
    const double *biases = plain->parameters + layer->outputs * kernel;
    for (size_t o = 0; o < layer->outputs; o++)
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++) {
                double sum = biases[o];
                for (size_t k = 0; k < kernel; k++) {
                    size_t c = k / layer->width / layer->height;
                    size_t row = y + k / layer->width % layer->height - layer->pad;
                    size_t column = x + k % layer->width - layer->pad;
                    if (row < plain->height && column < plain->width)
                        sum += plain->parameters[o * kernel + k] *
                               plain->values[(c * plain->height + row) * plain->width + column];
                }
                out[at++] = sum;
            }
    memcpy(plain->values, out, at * sizeof *out);
    plain->parameters = biases + layer->outputs;
    plain->channels = layer->outputs;
    plain->height = height;
    plain->width = width;
}

static void plain_pool(struct plain *plain, const struct plain_layer *layer)
{
    size_t height = plain->height / layer->height, width = plain->width / layer->width, at = 0;
    for (size_t c = 0; c < plain->channels; c++)
        for (size_t y = 0; y < height; y++)
            for (size_t x = 0; x < width; x++) {
                double most = -INFINITY;
                for (size_t k = 0; k < layer->height * layer->width; k++) {
                    size_t row = y * layer->height + k / layer->width;
                    size_t column = x * layer->width + k % layer->width;
                    most = fmax(most,
                                plain->values[(c * plain->height + row) * plain->width + column]);
                }
                plain->values[at++] = most;
            }
    plain->height = height;
    plain->width = width;
}

static void plain_dense(struct plain *plain, size_t outputs)
{
    static double out[VALUES_MAX];
    size_t inputs = plain->height ? plain->channels * plain->height * plain->width : plain->width;
    const double *biases = plain->parameters + inputs * outputs;
    for (size_t o = 0; o < outputs; o++) {
        out[o] = biases[o];
        for (size_t i = 0; i < inputs; i++)
            out[o] += plain->parameters[o * inputs + i] * plain->values[i];
    }
    memcpy(plain->values, out, outputs * sizeof *out);
    plain->parameters = biases + outputs;
    plain->height = 0;
    plain->width = outputs;
}

static double plain_loss(const struct kind *kind, const double *parameters, const float *input,
                         size_t label, size_t *predicted)
{
    static struct plain plain;
    const struct shape *shape = &kind->shape;
    plain.parameters = parameters;
    plain.channels = shape->channels;
    plain.height = shape->height;
    plain.width = shape->height ? shape->width : shape->features;
    for (size_t i = 0; i < shape->features;
         i++) { /* the features have a pixel's channels together */
        size_t places = shape->height * shape->width;
        size_t from = places ? i % places * shape->channels + i / places : i;
        plain.values[i] = (double)input[from];
    }
    for (const struct plain_layer *layer = kind->layers; layer->kind; layer++) {
        size_t count = plain.height ? plain.channels * plain.height * plain.width : plain.width;
        if (layer->kind == 'c')
            plain_conv(&plain, layer);
        else if (layer->kind == 'p')
            plain_pool(&plain, layer);
        else if (layer->kind == 'd')
            plain_dense(&plain, layer->outputs);
        for (size_t i = 0; i < count && (layer->kind == 'r' || layer->kind == 't'); i++)
            plain.values[i] = layer->kind == 'r' ? fmax(plain.values[i], 0) : tanh(plain.values[i]);
    }
    plain_dense(&plain, shape->classes == 2 ? 1 : shape->classes);
    double *out = plain.values, most = -INFINITY, sum = 0;
    if (shape->classes == 2) { /* one logit for class 1, as if class 0 had a zero */
        out[1] = out[0];
        out[0] = 0;
    }
    for (size_t c = 0; c < shape->classes; c++)
        if (out[c] > most) {
            most = out[c];
            *predicted = c;
        }
    for (size_t c = 0; c < shape->classes; c++)
        sum += exp(out[c] - most);
    return log(sum) + most - out[label];
}

static double example_loss(const void *kind, const double *parameters, const float *inputs,
                           const uint16_t *labels)
{
    size_t predicted;
    return plain_loss(kind, parameters, inputs, labels[0], &predicted);
}

static struct trial try_out(const struct kind *kind)
{
    return trial_new(kind->specification, kind->shape, kind->batch, example_loss, kind);
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
            double loss =
                plain_loss(&kinds[k], parameters, trial.inputs + b * kinds[k].shape.features,
                           trial.labels[b], &wanted);
            if (fabs((double)losses[b] - loss) > 1e-4 * (1 + loss) || predicted[b] != wanted)
                fail_msg("%s, example %zu: loss %.9g and class %d, wanted %.9g and %zu",
                         kinds[k].specification, b, (double)losses[b], predicted[b], loss, wanted);
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

/* An example's prediction is the same to the bit whoever it shares a batch with: evaluations may
 * cut their examples as they like. */
static void an_example_is_predicted_alike_in_any_batch(void **state)
{
    (void)state;
    struct trial trial = try_out(&kinds[6]);
    float losses[64], loss;
    model_predict(trial.model, trial.parameters, trial.inputs, trial.labels, 16, losses, NULL,
                  &trial.workspace);
    for (size_t b = 0; b < 16; b++) {
        model_predict(trial.model, trial.parameters, trial.inputs + b * trial.shape.features,
                      trial.labels + b, 1, &loss, NULL, &trial.workspace);
        assert_true(fabsf(loss - losses[b]) <= 1e-5f * (1 + losses[b]));
    }
    trial_free(&trial);
}

static void a_parameter_that_is_not_finite_makes_the_loss_infinite(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct trial trial = try_out(&kinds[k]);
        trial_check_not_finite(&trial);
        trial_free(&trial);
    }
}

/* The tangent by itself: one weight of 1 in front of it, one behind. */
static void the_tangent_is_as_good_as_a_float(void **state)
{
    (void)state;
    struct model *model = model_new("dense 1, tanh", shape_flat(1, 2), NULL);
    struct workspace workspace = {0};
    assert_true(workspace_reset(&workspace, model_workspace(model, 1)));
    float parameters[] = {1, 0, 1, 0}, loss;
    uint16_t label = 1;
    for (double x = -12; x < 12; x += 0.00371) {
        float input = (float)x;
        model_predict(model, parameters, &input, &label, 1, &loss, NULL, &workspace);
        double saw = -log(expm1((double)loss)), wanted = tanh((double)input); /* the logit */
        if (fabs(saw - wanted) > 1e-6)
            fail_msg("tanh(%g): saw %.9g, wanted %.9g", x, saw, wanted);
    }
    workspace_free(&workspace);
    model_free(&model);
}

static void a_list_has_a_normal_form_and_a_size(void **state)
{
    (void)state;
    const struct shape pixels = {784, 10, 28, 28, 1, 0, 1}, colours = {3072, 10, 32, 32, 3, 0, 1};
    static const char lenet[] = "conv 5x5x6 pad 2, relu, maxpool 2, conv 5x5x16, relu, maxpool 2, "
                                "dense 120, relu, dense 84, relu";
    static const char wide[] = "conv  05x5x6  pad\t2,relu ,maxpool 2 ,conv 5x5x16, relu,maxpool 2,"
                               "dense 120, relu, dense 084,relu";
    const struct {
        const char *specification, *name;
        struct shape shape;
        size_t parameters;
    } cases[] = {
        {"lenet", "lenet", pixels, 61706},
        {lenet, lenet, pixels, 61706},
        {wide, lenet, pixels, 61706},
        {"conv 5x5x6", "conv 5x5x6", colours, 5 * 5 * 6 * 3 + 6 + 28 * 28 * 6 * 10 + 10},
        {"maxpool 3", "maxpool 3", colours, 10 * 10 * 3 * 10 + 10},
        {"dense 7, tanh", "dense 7, tanh", shape_flat(5, 2), 5 * 7 + 7 + 8},
        {"relu", "relu", shape_flat(5, 2), 6},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct problem problem = {0};
        struct model *model = model_new(cases[c].specification, cases[c].shape, &problem);
        if (!model)
            fail_msg("%s", problem.text);
        assert_string_equal(model_name(model), cases[c].name);
        assert_int_equal(model_parameters(model), cases[c].parameters);
        assert_true(model_rate(model) > 0 && model_rate(model) <= 1);
        model_free(&model);
    }
}

static void a_list_that_makes_no_sense_says_what_to_do(void **state)
{
    (void)state;
    const struct shape pixels = {784, 10, 28, 28, 1, 0, 1}, flat = shape_flat(784, 10);
    const struct shape symbols = {64, 30, 0, 0, 0, 30, 64};
    const struct {
        const char *specification, *says;
        struct shape shape;
    } cases[] = {
        {"conv 5x5x6", "layer 1, 'conv 5x5x6': it needs images", flat},
        {"lenet", "?shape=28x28", flat},
        {"maxpool 2", "?shape=28x28", flat},
        {"lenet", "use a recurrent model", symbols},
        {"lenet:5", "write lenet, or list", pixels},
        {"cov 5x5x6", "did you mean 'conv'?", pixels},
        {"relu, cov 5x5x6", "layer 2, 'cov 5x5x6': there is no such layer: did you mean 'conv'?",
         pixels},
        {"relu, attention", "use conv, dense, embed, gru, maxpool, relu or tanh", pixels},
        {"relu,", "layer 2, '': there is no such layer", pixels},
        {"relu, , relu", "layer 2, '': there is no such layer", pixels},
        {"relu 3", "layer 1, 'relu 3': it takes nothing", pixels},
        {"conv", "write the kernel's height, width and channels", pixels},
        {"conv 5x5", "conv 5x5x6 pad 2", pixels},
        {"conv 5x5x0", "conv 5x5x6 pad 2", pixels},
        {"conv 5x5x6 pad", "conv 5x5x6 pad 2", pixels},
        {"conv 5x5x6 pad 2 2", "conv 5x5x6 pad 2", pixels},
        {"conv 5x5x6 stride 2", "conv 5x5x6 pad 2", pixels},
        {"conv 65x5x6", "conv 5x5x6 pad 2", pixels},
        {"conv 5x5x65537", "conv 5x5x6 pad 2", pixels},
        {"conv 5x3x6 pad 3", "pad by less", pixels},
        {"conv 29x3x6", "the kernel is larger than", pixels},
        {"conv 28x28x3, conv 2x1x1", "layer 2, 'conv 2x1x1': the kernel is larger", pixels},
        {"conv 1x1x65536", "use fewer channels", pixels},
        {"maxpool", "write the side of its windows", pixels},
        {"maxpool 0", "write the side of its windows", pixels},
        {"maxpool 29", "its windows are larger", pixels},
        {"dense", "write its width", pixels},
        {"dense 70000", "write its width", pixels},
        {"dense 10, conv 5x5x6", "layer 2, 'conv 5x5x6': a dense layer leaves no image", pixels},
        {"dense 65536, dense 65536", "parameters on this data", pixels},
        {"conv 5x5x6                                                                     , relu, "
         "conv 5x5x666666666666666666666666666666666666666666666666666666666666",
         "layer 3: a list has at most", pixels},
        {"relu,relu,relu,relu,relu,relu,relu,relu,relu,relu,relu,relu,relu,relu,relu,relu,relu,"
         "relu,relu,relu,relu,relu,relu,relu,relu",
         "layer 25: a list has at most 24 layers", pixels},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct problem problem = {0};
        assert_null(model_new(cases[c].specification, cases[c].shape, &problem));
        assert_int_equal(problem.error, STARLING_INVALID);
        if (!strstr(problem.text, cases[c].says))
            fail_msg("'%s': saw \"%s\", wanted \"%s\" in it", cases[c].specification, problem.text,
                     cases[c].says);
        assert_null(model_new(cases[c].specification, cases[c].shape, NULL));
    }
}

static double variance(const float *values, size_t count)
{
    return vector_norm2(values, count) / (double)count;
}

static void convolutions_start_with_the_variances_of_he_and_glorot(void **state)
{
    (void)state;
    const struct shape shape = {400, 10, 10, 10, 4, 0, 1};
    struct model *model =
        model_new("conv 3x3x500, maxpool 2, relu, conv 3x3x20, tanh", shape, NULL);
    float *parameters = vector_new(model_parameters(model));
    model_initialise(model, 1, parameters);
    size_t first = 500 * 4 * 9, second = 20 * 500 * 9;
    assert_true(fabs(variance(parameters, first) * 36 / 2 - 1) < 0.05); /* a ReLU comes next */
    assert_true(vector_norm2(parameters + first, 500) == 0.0);
    assert_true(fabs(variance(parameters + first + 500, second) * 520 * 9 / 2 - 1) < 0.05);
    vector_free(parameters);
    model_free(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(predictions_agree_with_the_plain_ones),
        cmocka_unit_test(a_descent_is_the_gradient_and_a_step),
        cmocka_unit_test(an_example_is_predicted_alike_in_any_batch),
        cmocka_unit_test(a_parameter_that_is_not_finite_makes_the_loss_infinite),
        cmocka_unit_test(the_tangent_is_as_good_as_a_float),
        cmocka_unit_test(a_list_has_a_normal_form_and_a_size),
        cmocka_unit_test(a_list_that_makes_no_sense_says_what_to_do),
        cmocka_unit_test(convolutions_start_with_the_variances_of_he_and_glorot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
