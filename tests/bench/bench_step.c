/* bench_step — examples a second through the local training step (gradient and update) on one
 * thread, or positions of sequences a second.
 *
 * Prints a line with what the processor runs, then answers each name of a step on stdin with a
 * rate. torch_step.py does the same with PyTorch, so that bench.py can let them take turns. Behind
 * "products " a name is answered with how much of a step its matrix products take, and their speed
 * as a share of what sgemm reaches on large matrices. Time is the processor's, so that others on
 * the machine count less. */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "model/model.h"
#include "model/optimizer.h"
#include "model/random.h"
#include "model/vector.h"
#include "tests/bench/bench_products.h"

#define PIXELS 784
#define SYMBOLS 65 /* of tiny-shakespeare */
#define PEAK_SIDE 512
#define BATCHES 16 /* take turns, as in real data */
#define TURN_SECONDS 0.15

static const struct step {
    const char *name, *model;
    size_t features, classes, batch; /* SYMBOLS classes: sequences */
} steps[] = {
    {"step_linear_57_2_batch_1", "linear", 57, 2, 1},
    {"step_linear_57_2_batch_32", "linear", 57, 2, 32},
    {"step_linear_784_10_batch_32", "linear", 784, 10, 32},
    {"step_mlp_784_128_10_batch_32", "mlp:128", 784, 10, 32},
    {"step_lenet_batch_32", "lenet", 784, 10, 32},
    {"step_gru_128_batch_8", "gru:128", 64, SYMBOLS, 8},
};

/* A model with data to train on. */
struct training {
    const struct step *step;
    struct model *model;
    size_t count;
    float *parameters, *momentum, *inputs;
    uint16_t *labels;
    struct workspace workspace;
};

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static struct shape shape_of(const struct step *step)
{
    struct shape shape = shape_flat(step->features, step->classes);
    if (step->features == PIXELS)
        shape.height = shape.width = 28, shape.channels = 1;
    if (step->classes == SYMBOLS)
        shape.symbols = SYMBOLS, shape.positions = step->features;
    return shape;
}

static void begin(struct training *training, const struct step *step)
{
    size_t examples = BATCHES * step->batch, values = examples * step->features;
    struct shape shape = shape_of(step);
    size_t labels = examples * shape.positions;
    struct model *model = model_new(step->model, shape, NULL);
    size_t count = model ? model_parameters(model) : 0;
    *training = (struct training){.step = step,
                                  .model = model,
                                  .count = count,
                                  .parameters = vector_new(count),
                                  .momentum = vector_new(count),
                                  .inputs = vector_new(values),
                                  .labels = calloc(labels, sizeof(uint16_t))};
    if (!model || !training->parameters || !training->momentum || !training->inputs ||
        !training->labels ||
        !workspace_reset(&training->workspace, model_workspace(model, step->batch)))
        abort();
    struct random random = random_stream(1, 0, RANDOM_BATCH, 0);
    for (size_t i = 0; i < values; i++)
        training->inputs[i] = shape.symbols > 0 ? (float)random_below(&random, SYMBOLS)
                                                : (float)random_uniform(&random);
    for (size_t i = 0; i < labels; i++)
        training->labels[i] = (uint16_t)random_below(&random, (uint32_t)step->classes);
    model_initialise(model, 1, training->parameters);
}

static void end(struct training *training)
{
    workspace_free(&training->workspace);
    free(training->labels);
    vector_free(training->inputs);
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
                      training->labels + b * step->batch * model_positions(training->model), NULL,
                      step->batch, &descent, &training->workspace);
    }
}

/* Examples, or positions, a second. */
static double measure(const struct step *step)
{
    struct training training;
    begin(&training, step);
    train(&training);
    size_t done = 0;
    double start = seconds(), taken;
    do {
        train(&training);
        done += BATCHES * step->batch * model_positions(training.model);
        taken = seconds() - start;
    } while (taken < TURN_SECONDS);
    end(&training);
    return (double)done / taken;
}

/* What sgemm reaches on large matrices, in operations a second. */
static double measure_peak(void)
{
    static float matrices[3][PEAK_SIDE * PEAK_SIDE];
    for (size_t i = 0; i < PEAK_SIDE * PEAK_SIDE; i++)
        matrices[0][i] = matrices[1][i] = (float)(i % 7);
    double start = seconds(), taken, done = 0;
    do {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, PEAK_SIDE, PEAK_SIDE, PEAK_SIDE,
                    1.0f, matrices[0], PEAK_SIDE, matrices[1], PEAK_SIDE, 0.0f, matrices[2],
                    PEAK_SIDE);
        done += 2.0 * PEAK_SIDE * PEAK_SIDE * PEAK_SIDE;
        taken = seconds() - start;
    } while (taken < TURN_SECONDS);
    return done / taken;
}

/* The products of a step, and what both measures above make of them. */
static void answer_products(const struct step *step)
{
    static struct plan plan;
    struct shape shape = shape_of(step);
    struct products products;
    if (plan_make(&plan, step->model, &shape, NULL) != STARLING_OK)
        abort();
    products_begin(&products, &plan, step->batch);
    double rate = measure(step), start = seconds(), taken;
    size_t times = 0;
    do {
        for (size_t b = 0; b < BATCHES; b++)
            products_run(&products);
        times += BATCHES;
        taken = seconds() - start;
    } while (taken < TURN_SECONDS);
    double each = taken / (double)times, whole = (double)(step->batch * shape.positions) / rate;
    double speed = products_operations(&products) / each;
    printf("{\"share\": %.4f, \"of_peak\": %.4f}\n", each / whole, speed / measure_peak());
    products_end(&products);
}

static const struct step *find_step(const char *name)
{
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(steps[i].name, name) == 0)
            return &steps[i];
    return NULL;
}

int main(void)
{
    char line[80];
    openblas_set_num_threads(1);
    printf("{\"blas_core\": \"%s\", \"kernels\": \"%s\"}\n", openblas_get_corename(),
           vector_kernels());
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        static const char products[] = "products ";
        line[strcspn(line, "\n")] = '\0';
        bool of_products = strncmp(line, products, strlen(products)) == 0;
        const char *name = of_products ? line + strlen(products) : line;
        const struct step *step = find_step(name);
        if (!step) {
            fprintf(stderr, "bench_step: %s: no such step\n", name);
            return 1;
        }
        if (of_products)
            answer_products(step);
        else
            printf("%.0f\n", measure(step));
        fflush(stdout);
    }
    return 0;
}
