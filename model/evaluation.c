#include "model/evaluation.h"

#include <math.h>

#include "model/sparse.h"
#include "model/vector.h"

#define BATCH_MOST 256      /* examples tested at a time, */
#define POSITIONS_MOST 2048 /* and of sequences so many positions */

static size_t batch_of(const struct model *model)
{
    size_t batch = POSITIONS_MOST / model_positions(model);
    return batch < 1 ? 1 : batch > BATCH_MOST ? BATCH_MOST : batch;
}

double evaluation_accuracy(const struct evaluation *evaluation)
{
    if (evaluation->examples == 0)
        return NAN;
    return (double)evaluation->correct / (double)evaluation->examples;
}

double evaluation_loss(const struct evaluation *evaluation)
{
    if (evaluation->examples == 0)
        return NAN;
    return evaluation->loss_sum / (double)evaluation->examples;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

size_t evaluation_workspace(const struct model *model)
{
    const struct model *sparse = model_sparse(model);
    size_t batch = batch_of(model), rows = batch * model_positions(model);
    size_t most = model_workspace(model, batch), packed = 0;
    if (sparse) {
        most = larger(most, model_workspace(sparse, batch));
        packed = workspace_cost(model_parameters(model) * sizeof(float));
    }
    return workspace_cost(batch * model_features(model) * sizeof(float)) +
           workspace_cost(rows * sizeof(float)) + 2 * workspace_cost(rows * sizeof(uint16_t)) +
           packed + larger(most, sparse_workspace(model));
}

size_t evaluation_batches(const struct model *model, size_t examples)
{
    size_t most = batch_of(model);
    return examples / most + (examples % most > 0);
}

void evaluation_add(struct evaluation *sum, const struct evaluation *batch)
{
    sum->examples += batch->examples;
    sum->correct += batch->correct;
    sum->loss_sum += batch->loss_sum;
    sum->loss_sum2 += batch->loss_sum2;
}

/* What was predicted of so many rows. */
static struct evaluation sum_up(const float *losses, const uint16_t *labels,
                                const uint16_t *predicted, size_t rows)
{
    struct evaluation evaluation = {0};
    for (size_t r = 0; r < rows; r++) {
        double loss = (double)losses[r];
        if (labels[r] == LABEL_NONE)
            continue;
        evaluation.examples++;
        evaluation.correct += predicted[r] == labels[r];
        evaluation.loss_sum += loss;
        evaluation.loss_sum2 += loss * loss;
    }
    return evaluation;
}

void evaluate_batch(const struct candidate *candidates, size_t count,
                    const struct examples *examples, size_t batch, struct evaluation *evaluations,
                    struct workspace *workspace)
{
    if (count == 0)
        return;
    const struct model *model = candidates[0].model;
    size_t used = workspace->used, most = batch_of(model), first = batch * most;
    size_t left = examples->count - first, taken = left < most ? left : most;
    size_t rows = taken * model_positions(model);
    float *inputs = workspace_take(workspace, taken * model_features(model) * sizeof *inputs);
    float *losses = workspace_take(workspace, rows * sizeof *losses);
    uint16_t *labels = workspace_take(workspace, rows * sizeof *labels);
    uint16_t *predicted = workspace_take(workspace, rows * sizeof *predicted);
    dataset_gather_scaled(examples->data, examples->scaling, examples->rows + first, taken, inputs,
                          labels);
    for (size_t i = 0; i < count; i++) {
        model_predict(candidates[i].model, candidates[i].parameters, inputs, labels, taken, losses,
                      predicted, workspace);
        evaluations[i] = sum_up(losses, labels, predicted, rows);
    }
    workspace->used = used;
}

const struct model *evaluation_model(const struct model *model, const float *parameters,
                                     const struct examples *examples, struct workspace *workspace)
{
    const struct model *choice = sparse_choice(model, examples, examples->count, 1, workspace);
    return choice == model || vector_finite(parameters, model_parameters(model)) ? choice : model;
}

struct evaluation evaluate(const struct model *model, const float *parameters,
                           const struct examples *examples, struct workspace *workspace)
{
    struct evaluation sum = {0};
    size_t used = workspace->used, batches = evaluation_batches(model, examples->count);
    struct candidate candidate = {evaluation_model(model, parameters, examples, workspace),
                                  parameters};
    if (candidate.model != model) {
        float *packed = workspace_take(workspace, model_parameters(model) * sizeof *packed);
        model_sparse_pack(candidate.model, packed, parameters);
        candidate.parameters = packed;
    }
    for (size_t b = 0; b < batches; b++) {
        struct evaluation evaluation;
        evaluate_batch(&candidate, 1, examples, b, &evaluation, workspace);
        evaluation_add(&sum, &evaluation);
    }
    workspace->used = used;
    return sum;
}
