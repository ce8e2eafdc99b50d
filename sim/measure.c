#include "sim/measure.h"

#include <math.h>

#include "model/vector.h"

struct measuring {
    const struct experiment *experiment;
    const struct version *const *models;
    struct examples examples;
    struct measured *results;
};

static void measure_one(void *self, size_t number, struct workspace *workspace)
{
    const struct measuring *measuring = self;
    const struct model *model = measuring->experiment->model;
    struct evaluation evaluation = {0};
    if (workspace_reset(workspace, evaluation_workspace(model)))
        evaluation =
            evaluate(model, measuring->models[number]->values, &measuring->examples, workspace);
    measuring->results[number] =
        (struct measured){evaluation_accuracy(&evaluation), evaluation_loss(&evaluation)};
}

void measure(const struct experiment *experiment, struct pool *pool,
             const struct version *const *models, size_t count, size_t examples,
             struct measured *results)
{
    size_t most = experiment->test_count;
    struct measuring measuring = {
        .experiment = experiment,
        .models = models,
        .examples = {experiment->test, experiment->test_rows, examples < most ? examples : most},
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
