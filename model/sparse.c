#include "model/sparse.h"

#include "model/vector.h"

#define SAMPLE 8    /* examples looked at */
#define ZEROS 0.33  /* the share of their values from which on zeros are worth looking for */
#define EXAMPLES 64 /* that make up for the change of order of a vector, there and back */

size_t sparse_workspace(const struct model *model)
{
    return workspace_cost(SAMPLE * model_features(model) * sizeof(float)) +
           workspace_cost(SAMPLE * model_positions(model) * sizeof(uint16_t));
}

const struct model *sparse_choice(const struct model *model, const struct examples *examples,
                                  size_t count, size_t vectors, struct workspace *workspace)
{
    const struct model *sparse = model_sparse(model);
    if (!sparse || count < EXAMPLES * vectors || examples->count < SAMPLE)
        return model;
    size_t used = workspace->used, values = SAMPLE * model_features(model);
    float *inputs = workspace_take(workspace, values * sizeof *inputs);
    uint16_t *labels = workspace_take(workspace, SAMPLE * model_positions(model) * sizeof *labels);
    dataset_gather_scaled(examples->data, examples->scaling, examples->rows, SAMPLE, inputs,
                          labels);
    size_t zeros = vector_zeros(inputs, values);
    workspace->used = used;
    return (double)zeros > ZEROS * (double)values ? sparse : model;
}
