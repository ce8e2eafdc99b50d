/* bench_step — examples a second through the local training step (gradient and update) on one
 * thread. Prints one JSON object; torch_step.py measures the same with PyTorch. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/model.h"
#include "model/optimizer.h"
#include "model/random.h"
#include "model/vector.h"

#define REPEATS 5
#define REPEAT_SECONDS 0.1

static const struct step {
    const char *name, *model;
    size_t features, classes, batch;
} steps[] = {
    {"linear_57_2_batch_1", "linear", 57, 2, 1},
    {"linear_57_2_batch_32", "linear", 57, 2, 32},
    {"linear_784_10_batch_32", "linear", 784, 10, 32},
    {"mlp_784_128_10_batch_32", "mlp:128", 784, 10, 32},
};

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Examples a second, the median of REPEATS. Several batches take turns, as in real data. */
static double measure(const struct step *step)
{
    enum { BATCHES = 16 };
    struct model *model = model_new(step->model, step->features, step->classes, NULL);
    size_t count = model ? model_parameters(model) : 0;
    size_t inputs_count = BATCHES * step->batch * step->features;
    float *parameters = vector_new(count), *momentum = vector_new(count);
    float *gradient = vector_new(count), *inputs = vector_new(inputs_count);
    uint16_t *labels = calloc(BATCHES * step->batch, sizeof *labels);
    struct workspace workspace = {0};
    if (!model || !parameters || !momentum || !gradient || !inputs || !labels ||
        !workspace_reset(&workspace, model_workspace(model, step->batch)))
        abort();
    struct random random = random_stream(1, 0, RANDOM_BATCH, 0);
    for (size_t i = 0; i < inputs_count; i++)
        inputs[i] = (float)random_uniform(&random);
    for (size_t i = 0; i < BATCHES * step->batch; i++)
        labels[i] = (uint16_t)random_below(&random, (uint32_t)step->classes);
    model_initialise(model, 1, parameters);

    double rates[REPEATS];
    for (int r = 0; r < REPEATS; r++) {
        double start = seconds(), taken;
        size_t done = 0;
        do {
            for (size_t b = 0; b < BATCHES; b++) {
                model_gradient(model, parameters, inputs + b * step->batch * step->features,
                               labels + b * step->batch, step->batch, gradient, &workspace);
                optimizer_sgd(parameters, momentum, gradient, 0.01f, 0.9f, 1e-4f, count);
            }
            done += BATCHES * step->batch;
            taken = seconds() - start;
        } while (taken < REPEAT_SECONDS);
        rates[r] = (double)done / taken;
    }
    qsort(rates, REPEATS, sizeof *rates, compare);
    workspace_free(&workspace);
    free(labels);
    vector_free(inputs);
    vector_free(gradient);
    vector_free(momentum);
    vector_free(parameters);
    model_free(&model);
    return rates[REPEATS / 2];
}

int main(void)
{
    printf("{");
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++)
        printf("\"%s\": %.0f, ", steps[s].name, measure(&steps[s]));
    printf("\"blas_core\": \"%s\", \"kernels\": \"%s\"}\n", openblas_get_corename(),
           vector_kernels());
    return 0;
}
