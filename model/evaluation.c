#include "model/evaluation.h"

#include <math.h>

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

size_t evaluation_workspace(const struct model *model)
{
    size_t batch = batch_of(model), rows = batch * model_positions(model);
    return workspace_cost(batch * model_features(model) * sizeof(float)) +
           workspace_cost(rows * sizeof(float)) + 2 * workspace_cost(rows * sizeof(uint16_t)) +
           model_workspace(model, batch);
}

struct evaluation evaluate(const struct model *model, const float *parameters,
                           const struct examples *examples, struct workspace *workspace)
{
    struct evaluation evaluation = {0};
    size_t used = workspace->used, most = batch_of(model), positions = model_positions(model);
    size_t rows = most * positions;
    float *inputs = workspace_take(workspace, most * model_features(model) * sizeof *inputs);
    float *losses = workspace_take(workspace, rows * sizeof *losses);
    uint16_t *labels = workspace_take(workspace, rows * sizeof *labels);
    uint16_t *predicted = workspace_take(workspace, rows * sizeof *predicted);

    for (size_t start = 0; start < examples->count; start += most) {
        size_t left = examples->count - start, batch = left < most ? left : most;
        dataset_gather_scaled(examples->data, examples->scaling, examples->rows + start, batch,
                              inputs, labels);
        model_predict(model, parameters, inputs, labels, batch, losses, predicted, workspace);
        for (size_t r = 0; r < batch * positions; r++) {
            double loss = (double)losses[r];
            if (labels[r] == LABEL_NONE)
                continue;
            evaluation.examples++;
            evaluation.correct += predicted[r] == labels[r];
            evaluation.loss_sum += loss;
            evaluation.loss_sum2 += loss * loss;
        }
    }
    workspace->used = used;
    return evaluation;
}
