#include "tests/model/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset.h"
#include "model/optimizer.h"
#include "model/random.h"
#include "model/vector.h"

#define STEP 1e-6 /* of finite differences */

static size_t positions_of(const struct trial *trial)
{
    return model_positions(trial->model);
}

static void draw(struct trial *trial, size_t values)
{
    bool symbols = trial->shape.symbols > 0;
    double spread = symbols ? 0.7 : 0.5;
    struct random random = random_stream(3, (uint32_t)trial->batch, RANDOM_INITIAL, values);
    for (size_t i = 0; i < model_parameters(trial->model); i++)
        trial->parameters[i] = (float)(spread * random_normal(&random));
    for (size_t i = 0; i < values; i++)
        trial->inputs[i] =
            symbols ? (float)(i % trial->shape.symbols) : (float)random_normal(&random);
    for (size_t i = 0; i < trial->batch * positions_of(trial); i++) {
        trial->labels[i] = (uint16_t)random_below(&random, (uint32_t)trial->shape.classes);
        if (symbols && i % 5 == 3)
            trial->labels[i] = LABEL_NONE;
        trial->labelled += trial->labels[i] != LABEL_NONE;
    }
}

struct trial trial_new(const char *specification, struct shape shape, size_t batch,
                       trial_loss *loss, const void *kind)
{
    struct problem problem = {0};
    size_t values = batch * shape.features;
    struct trial trial = {
        .specification = specification,
        .kind = kind,
        .loss = loss,
        .shape = shape,
        .batch = batch,
        .model = model_new(specification, shape, &problem),
        .inputs = vector_new(values),
    };
    if (!trial.model)
        fail_msg("%s", problem.text);
    trial.labels = malloc(batch * positions_of(&trial) * sizeof *trial.labels);
    trial.parameters = vector_new(model_parameters(trial.model));
    trial.gradient = vector_new(model_parameters(trial.model));
    assert_true(trial.inputs && trial.labels && trial.parameters && trial.gradient);
    assert_true(workspace_reset(&trial.workspace, model_workspace(trial.model, batch)));
    draw(&trial, values);
    return trial;
}

void trial_free(struct trial *trial)
{
    workspace_free(&trial->workspace);
    free(trial->labels);
    vector_free(trial->inputs);
    vector_free(trial->gradient);
    vector_free(trial->parameters);
    model_free(&trial->model);
}

double trial_gradient(struct trial *trial)
{
    return model_gradient(trial->model, trial->parameters, trial->inputs, trial->labels, NULL,
                          trial->batch, trial->gradient, &trial->workspace);
}

double *trial_parameters(const struct trial *trial)
{
    size_t count = model_parameters(trial->model);
    double *parameters = malloc(count * sizeof *parameters);
    assert_non_null(parameters);
    for (size_t i = 0; i < count; i++)
        parameters[i] = (double)trial->parameters[i];
    return parameters;
}

static double mean_loss(const struct trial *trial, const double *parameters)
{
    double sum = 0;
    for (size_t b = 0; b < trial->batch; b++)
        sum += trial->loss(trial->kind, parameters, trial->inputs + b * trial->shape.features,
                           trial->labels + b * positions_of(trial));
    return sum / (double)trial->labelled;
}

void trial_check_gradient(struct trial *trial)
{
    double *parameters = trial_parameters(trial);
    double loss = trial_gradient(trial), wanted_loss = mean_loss(trial, parameters);
    assert_int_equal(trial->workspace.used, 0);
    if (!(fabs(loss - wanted_loss) <= 1e-5 * (1 + wanted_loss)))
        fail_msg("%s: loss %.9g, wanted %.9g", trial->specification, loss, wanted_loss);
    for (size_t i = 0; i < model_parameters(trial->model); i++) {
        double kept = parameters[i], saw = (double)trial->gradient[i];
        parameters[i] = kept + STEP;
        double above = mean_loss(trial, parameters);
        parameters[i] = kept - STEP;
        double wanted = (above - mean_loss(trial, parameters)) / (2 * STEP);
        parameters[i] = kept;
        if (!(fabs(saw - wanted) <= 2e-5 * (1 + fabs(wanted))))
            fail_msg("%s, batch %zu, parameter %zu: gradient %.9g, wanted %.9g",
                     trial->specification, trial->batch, i, saw, wanted);
    }
    free(parameters);
}

void trial_check_descent(struct trial *trial, const struct descent *descent)
{
    size_t count = model_parameters(trial->model);
    float *wanted = vector_new(count), *momentum = vector_new(count), *m = NULL;
    float *wanted_momentum = vector_new(count), *wanted_m = NULL;
    assert_true(wanted && momentum && wanted_momentum);
    for (size_t i = 0; i < count; i++) {
        wanted[i] = trial->parameters[i];
        momentum[i] = wanted_momentum[i] = 0.1f * trial->parameters[count - 1 - i];
    }
    if (descent->beta > 0.0f) {
        m = momentum;
        wanted_m = wanted_momentum;
    }
    double wanted_loss = trial_gradient(trial);
    optimizer_sgd(wanted, wanted_m, trial->gradient, descent->rate, descent->beta, descent->decay,
                  count);
    double loss = model_descend(trial->model, trial->parameters, m, trial->inputs, trial->labels,
                                NULL, trial->batch, descent, &trial->workspace);
    assert_true(loss == wanted_loss);
    assert_int_equal(trial->workspace.used, 0);
    for (size_t i = 0; i < count; i++) {
        float off = fabsf(trial->parameters[i] - wanted[i]);
        float off_momentum = fabsf(momentum[i] - wanted_momentum[i]);
        if (!(off <= 1e-5f && off_momentum <= 1e-5f))
            fail_msg("%s, parameter %zu: saw %.9g, wanted %.9g", trial->specification, i,
                     (double)trial->parameters[i], (double)wanted[i]);
    }
    vector_free(wanted);
    vector_free(momentum);
    vector_free(wanted_momentum);
}

static void check_predictions_lost(struct trial *trial)
{
    float *losses = vector_new(trial->batch);
    uint16_t *predicted = calloc(trial->batch, sizeof *predicted);
    assert_true(losses && predicted);
    model_predict(trial->model, trial->parameters, trial->inputs, trial->labels, trial->batch,
                  losses, predicted, &trial->workspace);
    for (size_t b = 0; b < trial->batch; b++) {
        assert_true(isinf(losses[b]) && losses[b] > 0);
        assert_int_equal(predicted[b], 0);
    }
    vector_free(losses);
    free(predicted);
}

void trial_check_not_finite(struct trial *trial)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < model_parameters(trial->model); i++)
        for (size_t v = 0; v < sizeof bad / sizeof *bad; v++) {
            float kept = trial->parameters[i];
            trial->parameters[i] = bad[v];
            double loss = trial_gradient(trial);
            if (!isinf(loss))
                fail_msg("%s: with %g in parameter %zu the loss is %g", trial->specification,
                         (double)bad[v], i, loss);
            if (positions_of(trial) == 1)
                check_predictions_lost(trial);
            trial->parameters[i] = kept;
        }
}
