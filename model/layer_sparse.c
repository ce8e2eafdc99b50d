/* sparse — the dense layer for inputs that are often zero, and the first of a model: nobody asks it
 * for the gradient by its inputs.
 *
 * Parameters: weights as product_sparse_pack lays them, then one bias an output. */
#include "model/layer.h"

#include <assert.h>
#include <string.h>

#include "model/biases.h"
#include "model/product_sparse.h"

static size_t sparse_count(const struct layer *layer)
{
    return (layer->inputs + 1) * layer->outputs;
}

static size_t sparse_scratch(const struct layer *layer, size_t batch)
{
    (void)layer;
    return workspace_cost(product_sparse_scratch(batch));
}

static void sparse_forward(const struct layer *layer, const float *parameters, const float *in,
                           size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)saved;
    (void)workspace;
    size_t width = layer->outputs;
    for (size_t b = 0; b < batch; b++)
        memcpy(out + b * width, parameters + layer->inputs * width, width * sizeof *out);
    product_sparse_add(out, in, parameters, batch, width, layer->inputs);
}

static void sparse_backward(const struct layer *layer, const float *parameters, const float *in,
                            const float *out, const float *saved, const float *out_gradient,
                            size_t batch, float *gradient, float *in_gradient,
                            struct workspace *workspace)
{
    (void)parameters;
    (void)out;
    (void)saved;
    assert(!in_gradient);
    size_t used = workspace->used, width = layer->outputs;
    void *scratch = workspace_take(workspace, product_sparse_scratch(batch));
    product_sparse_gradient(gradient, in, out_gradient, batch, width, layer->inputs, scratch);
    biases_gradient(gradient + layer->inputs * width, out_gradient, batch, width);
    workspace->used = used;
}

static void sparse_descend(const struct layer *layer, float *parameters, float *momentum,
                           const float *in, const float *out, const float *saved,
                           const float *out_gradient, size_t batch, const struct descent *descent,
                           float *in_gradient, struct workspace *workspace)
{
    (void)out;
    (void)saved;
    assert(!in_gradient);
    size_t used = workspace->used, width = layer->outputs, weights = layer->inputs * width;
    void *scratch = workspace_take(workspace, product_sparse_scratch(batch));
    product_sparse_descend(parameters, momentum, in, out_gradient, batch, width, layer->inputs,
                           descent, scratch);
    biases_descend(parameters + weights, momentum ? momentum + weights : NULL, out_gradient, batch,
                   width, descent);
    workspace->used = used;
}

const struct layer_kind layer_sparse = {
    .name = "sparse",
    .count = sparse_count,
    .scratch = sparse_scratch,
    .forward = sparse_forward,
    .backward = sparse_backward,
    .descend = sparse_descend,
};
