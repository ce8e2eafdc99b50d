#include "sim/measure.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "model/vector.h"

#define TOGETHER 64                     /* models tested at a time at most, */
#define PACKED_BYTES ((size_t)64 << 20) /* and what they may take in another order */
#define TASKS 32                        /* of a test at least, models and examples permitting */

/* Some models on their way through the same examples. Every batch of examples is gathered once for
 * all models of a part; what each did on each is kept apart, and added up in the same order
 * whatever the threads. */
struct measuring {
    const struct model *model;
    const struct version *const *models;
    const float *const *scalings; /* of each model, or NULL */
    struct examples examples;
    size_t count, batches, parts;
    struct candidate *candidates;   /* count; their parameters are the model's or `packed` */
    float **packed;                 /* count, or NULL each */
    struct evaluation *evaluations; /* batches × count */
    atomic_bool failed;
};

static struct examples examples_for(const struct measuring *measuring, size_t number)
{
    struct examples examples = measuring->examples;
    if (measuring->scalings)
        examples.scaling = measuring->scalings[number];
    return examples;
}

/* Makes a model ready; as it lies, it is, if slower. */
static void prepare(void *self, size_t number, struct workspace *workspace)
{
    struct measuring *measuring = self;
    const struct model *model = measuring->model;
    struct candidate *candidate = &measuring->candidates[number];
    const struct examples examples = examples_for(measuring, number);
    *candidate = (struct candidate){model, measuring->models[number]->values};
    if (!workspace_reset(workspace, evaluation_workspace(model)))
        return;
    const struct model *choice =
        evaluation_model(model, candidate->parameters, &examples, workspace);
    float *packed = choice != model ? vector_new(model_parameters(model)) : NULL;
    if (!packed)
        return;
    model_sparse_pack(choice, packed, candidate->parameters);
    *candidate = (struct candidate){choice, packed};
    measuring->packed[number] = packed;
}

/* One part of the models on one batch, as many at a time as see it scaled alike. */
static void test_part(void *self, size_t number, struct workspace *workspace)
{
    struct measuring *measuring = self;
    size_t batch = number / measuring->parts, part = number % measuring->parts;
    size_t first = part * measuring->count / measuring->parts;
    size_t end = (part + 1) * measuring->count / measuring->parts;
    if (!workspace_reset(workspace, evaluation_workspace(measuring->model))) {
        measuring->failed = true;
        return;
    }
    for (size_t i = first, next; i < end; i = next) {
        const struct examples examples = examples_for(measuring, i);
        for (next = i + 1; next < end; next++)
            if (measuring->scalings && measuring->scalings[next] != examples.scaling)
                break;
        evaluate_batch(measuring->candidates + i, next - i, &examples, batch,
                       measuring->evaluations + batch * measuring->count + i, workspace);
    }
}

static void measure_together(struct measuring *measuring, struct pool *pool,
                             struct measured *results)
{
    size_t count = measuring->count, batches = measuring->batches;
    struct candidate candidates[TOGETHER];
    float *packed[TOGETHER] = {NULL};
    measuring->candidates = candidates;
    measuring->packed = packed;
    measuring->parts = batches > 0 && batches < TASKS ? (TASKS + batches - 1) / batches : 1;
    measuring->parts = measuring->parts < count ? measuring->parts : count;
    pool_run(pool, prepare, measuring, count, 1);
    pool_run(pool, test_part, measuring, batches * measuring->parts, 1);
    for (size_t i = 0; i < count; i++) {
        struct evaluation sum = {0};
        for (size_t b = 0; b < batches && !measuring->failed; b++)
            evaluation_add(&sum, &measuring->evaluations[b * count + i]);
        results[i] = (struct measured){evaluation_accuracy(&sum), evaluation_loss(&sum)};
        vector_free(packed[i]);
    }
}

void measure(const struct experiment *experiment, struct pool *pool,
             const struct version *const *models, const float *const *scalings, size_t count,
             size_t examples, struct measured *results)
{
    const struct model *model = experiment->model;
    size_t most = experiment->test_count, tested = examples < most ? examples : most;
    size_t batches = evaluation_batches(model, tested);
    size_t together = PACKED_BYTES / (model_parameters(model) * sizeof(float));
    together = together < 1 ? 1 : together < TOGETHER ? together : TOGETHER;
    struct evaluation *evaluations = calloc(batches * together + 1, sizeof *evaluations);
    for (size_t first = 0; first < count; first += together) {
        size_t left = count - first;
        struct measuring measuring = {
            .model = model,
            .models = models + first,
            .scalings = scalings ? scalings + first : NULL,
            .examples = {.data = experiment->test, .rows = experiment->test_rows, .count = tested},
            .count = left < together ? left : together,
            .batches = evaluations ? batches : 0,
            .evaluations = evaluations,
        };
        measure_together(&measuring, pool, results + first);
    }
    free(evaluations);
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
