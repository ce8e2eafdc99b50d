/* bench_step — examples a second through the local training step (gradient and update) on one
 * thread.
 *
 * Prints a line with what the processor runs, then answers each name of a step on stdin with a
 * rate. torch_step.py does the same with PyTorch, so that bench.py can let them take turns. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/model.h"
#include "model/optimizer.h"
#include "model/random.h"
#include "model/vector.h"

#define PIXELS 784
#define BATCHES 16 /* take turns, as in real data */
#define TURN_SECONDS 0.15

static const struct step {
    const char *name, *model;
    size_t features, classes, batch;
} steps[] = {
    {"step_linear_57_2_batch_1", "linear", 57, 2, 1},
    {"step_linear_57_2_batch_32", "linear", 57, 2, 32},
    {"step_linear_784_10_batch_32", "linear", 784, 10, 32},
    {"step_mlp_784_128_10_batch_32", "mlp:128", 784, 10, 32},
    {"step_lenet_batch_32", "lenet", 784, 10, 32},
};

/* A model with data to train on. */
struct training {
    const struct step *step;
    struct model *model;
    size_t count;
    float *parameters, *momentum, *gradient, *inputs;
    uint16_t *labels;
    struct workspace workspace;
};

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void begin(struct training *training, const struct step *step)
{
    size_t examples = BATCHES * step->batch, values = examples * step->features;
    struct shape shape = shape_flat(step->features, step->classes);
    if (step->features == PIXELS)
        shape.height = shape.width = 28, shape.channels = 1;
    struct model *model = model_new(step->model, shape, NULL);
    size_t count = model ? model_parameters(model) : 0;
    *training = (struct training){.step = step,
                                  .model = model,
                                  .count = count,
                                  .parameters = vector_new(count),
                                  .momentum = vector_new(count),
                                  .gradient = vector_new(count),
                                  .inputs = vector_new(values),
                                  .labels = calloc(examples, sizeof(uint16_t))};
    if (!model || !training->parameters || !training->momentum || !training->gradient ||
        !training->inputs || !training->labels ||
        !workspace_reset(&training->workspace, model_workspace(model, step->batch)))
        abort();
    struct random random = random_stream(1, 0, RANDOM_BATCH, 0);
    for (size_t i = 0; i < values; i++)
        training->inputs[i] = (float)random_uniform(&random);
    for (size_t i = 0; i < examples; i++)
        training->labels[i] = (uint16_t)random_below(&random, (uint32_t)step->classes);
    model_initialise(model, 1, training->parameters);
}

static void end(struct training *training)
{
    workspace_free(&training->workspace);
    free(training->labels);
    vector_free(training->inputs);
    vector_free(training->gradient);
    vector_free(training->momentum);
    vector_free(training->parameters);
    model_free(&training->model);
}

/* Once through all batches. */
static void train(struct training *training)
{
    static const struct descent descent = {.rate = 0.01f, .beta = 0.9f, .decay = 1e-4f};
    const struct step *step = training->step;
    for (size_t b = 0; b < BATCHES; b++) {
        model_descend(training->model, training->parameters, training->momentum,
                      training->inputs + b * step->batch * step->features,
                      training->labels + b * step->batch, NULL, step->batch, &descent,
                      &training->workspace);
    }
}

/* Examples a second. */
static double measure(const struct step *step)
{
    struct training training;
    begin(&training, step);
    train(&training);
    size_t done = 0;
    double start = seconds(), taken;
    do {
        train(&training);
        done += BATCHES * step->batch;
        taken = seconds() - start;
    } while (taken < TURN_SECONDS);
    end(&training);
    return (double)done / taken;
}

int main(void)
{
    char name[64];
    printf("{\"blas_core\": \"%s\", \"kernels\": \"%s\"}\n", openblas_get_corename(),
           vector_kernels());
    fflush(stdout);
    while (fgets(name, sizeof name, stdin)) {
        const struct step *step = NULL;
        name[strcspn(name, "\n")] = '\0';
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (strcmp(steps[i].name, name) == 0)
                step = &steps[i];
        if (!step) {
            fprintf(stderr, "bench_step: %s: no such step\n", name);
            return 1;
        }
        printf("%.0f\n", measure(step));
        fflush(stdout);
    }
    return 0;
}
