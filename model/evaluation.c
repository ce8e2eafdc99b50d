#include "model/evaluation.h"

#include <math.h>

#define BATCH 256 /* examples tested at a time */

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
    return workspace_cost(BATCH * model_features(model) * sizeof(float)) +
           workspace_cost(BATCH * sizeof(float)) + 2 * workspace_cost(BATCH * sizeof(uint16_t)) +
           model_workspace(model, BATCH);
}

struct evaluation evaluate(const struct model *model, const float *parameters,
                           const struct examples *examples, struct workspace *workspace)
{
    struct evaluation evaluation = {0};
    size_t used = workspace->used;
    float *inputs = workspace_take(workspace, BATCH * model_features(model) * sizeof *inputs);
    float *losses = workspace_take(workspace, BATCH * sizeof *losses);
    uint16_t *labels = workspace_take(workspace, BATCH * sizeof *labels);
    uint16_t *predicted = workspace_take(workspace, BATCH * sizeof *predicted);

    for (size_t start = 0; start < examples->count; start += BATCH) {
        size_t left = examples->count - start, batch = left < BATCH ? left : BATCH;
        dataset_gather(examples->data, examples->rows + start, batch, inputs, labels);
        model_predict(model, parameters, inputs, labels, batch, losses, predicted, workspace);
        for (size_t b = 0; b < batch; b++) {
            double loss = (double)losses[b];
            evaluation.correct += predicted[b] == labels[b];
            evaluation.loss_sum += loss;
            evaluation.loss_sum2 += loss * loss;
        }
    }
    evaluation.examples = examples->count;
    workspace->used = used;
    return evaluation;
}
