#include "sim/measure.h"

#include <math.h>
#include <stdlib.h>

#include "model/vector.h"

struct measuring {
    const struct experiment *experiment;
    const struct version *const *models;
    const float *const *scalings;
    struct examples examples;
    struct measured *results;
};

static void measure_one(void *self, size_t number, struct workspace *workspace)
{
    const struct measuring *measuring = self;
    const struct model *model = measuring->experiment->model;
    struct evaluation evaluation = {0};
    struct examples examples = measuring->examples;
    if (measuring->scalings)
        examples.scaling = measuring->scalings[number];
    if (workspace_reset(workspace, evaluation_workspace(model)))
        evaluation = evaluate(model, measuring->models[number]->values, &examples, workspace);
    measuring->results[number] =
        (struct measured){evaluation_accuracy(&evaluation), evaluation_loss(&evaluation)};
}

void measure(const struct experiment *experiment, struct pool *pool,
             const struct version *const *models, const float *const *scalings, size_t count,
             size_t examples, struct measured *results)
{
    size_t most = experiment->test_count;
    struct measuring measuring = {
        .experiment = experiment,
        .models = models,
        .scalings = scalings,
        .examples = {.data = experiment->test,
                     .rows = experiment->test_rows,
                     .count = examples < most ? examples : most},
        .results = results,
    };
    pool_run(pool, measure_one, &measuring, count, 1);
}

double consensus_distance(const struct experiment *experiment, const struct version *const *models,
                          size_t count)
{
    size_t parameters = model_parameters(experiment->model);
    float *mean = vector_new(parameters);
    if (!mean || count == 0) {
        vector_free(mean);
        return NAN;
    }
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        vector_add_scaled(mean, models[i]->values, 1 / (float)count, parameters);
    for (size_t i = 0; i < count; i++)
        sum += vector_distance2(models[i]->values, mean, parameters);
    vector_free(mean);
    return sqrt(sum / (double)count);
}

enum starling_error measure_round(const struct experiment *experiment, struct pool *pool,
                                  const struct version *const *models, const float *const *scalings,
                                  size_t count, struct round_row *row, struct problem *problem)
{
    struct measured *measured = malloc(count * sizeof *measured);
    double *accuracy = malloc(count * sizeof *accuracy), loss = 0;
    if (!measured || !accuracy) {
        free(measured);
        free(accuracy);
        return problem_no_memory(problem, "an evaluation");
    }
    measure(experiment, pool, models, scalings, count, experiment->config.sim.eval_examples,
            measured);
    for (size_t i = 0; i < count; i++) {
        accuracy[i] = measured[i].accuracy;
        loss += measured[i].loss;
    }
    struct spread spread = spread_of(accuracy, count);
    row->accuracy_mean = spread.mean;
    row->accuracy_std = spread.std;
    row->accuracy_min = spread.min;
    row->accuracy_p10 = spread.p10;
    row->accuracy_p50 = spread.p50;
    row->accuracy_p90 = spread.p90;
    row->loss_mean = loss / (double)count;
    row->consensus_distance = consensus_distance(experiment, models, count);
    free(measured);
    free(accuracy);
    return STARLING_OK;
}
