/* dense — every output a weighted sum of every input.
 *
 * Parameters: weights, outputs × inputs (row o holds the weights of output o), then one bias an
 * output. */
#include "model/layer.h"

#include "model/biases.h"
#include "model/initial.h"
#include "model/product.h"

static size_t dense_count(const struct layer *layer)
{
    return (layer->inputs + 1) * layer->outputs;
}

static void dense_initialise(const struct layer *layer, bool before_relu, struct random *random,
                             float *parameters)
{
    size_t weights = layer->inputs * layer->outputs;
    initial_weights(parameters, weights, layer->inputs, layer->outputs, before_relu, random);
    initial_biases(parameters + weights, layer->outputs);
}

static void dense_forward(const struct layer *layer, const float *parameters, const float *in,
                          size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)saved;
    (void)workspace;
    size_t rows = batch * layer->repeat;
    product_abt(out, in, parameters, rows, layer->outputs, layer->inputs);
    biases_add(out, parameters + layer->inputs * layer->outputs, rows, layer->outputs);
}

static void dense_backward(const struct layer *layer, const float *parameters, const float *in,
                           const float *out, const float *saved, const float *out_gradient,
                           size_t batch, float *gradient, float *in_gradient,
                           struct workspace *workspace)
{
    (void)out;
    (void)saved;
    (void)workspace;
    size_t rows = batch * layer->repeat;
    product_atb(gradient, out_gradient, in, layer->outputs, layer->inputs, rows);
    biases_gradient(gradient + layer->inputs * layer->outputs, out_gradient, rows, layer->outputs);
    if (in_gradient)
        product_ab(in_gradient, out_gradient, parameters, rows, layer->inputs, layer->outputs);
}

static void dense_descend(const struct layer *layer, float *parameters, float *momentum,
                          const float *in, const float *out, const float *saved,
                          const float *out_gradient, size_t batch, const struct descent *descent,
                          float *in_gradient, struct workspace *workspace)
{
    (void)out;
    (void)saved;
    (void)workspace;
    size_t rows = batch * layer->repeat, weights = layer->inputs * layer->outputs;
    if (in_gradient)
        product_ab(in_gradient, out_gradient, parameters, rows, layer->inputs, layer->outputs);
    product_atb_descend(parameters, momentum, out_gradient, in, layer->outputs, layer->inputs, rows,
                        descent);
    biases_descend(parameters + weights, momentum ? momentum + weights : NULL, out_gradient, rows,
                   layer->outputs, descent);
}

const struct layer_kind layer_dense = {
    .name = "dense",
    .count = dense_count,
    .initialise = dense_initialise,
    .forward = dense_forward,
    .backward = dense_backward,
    .descend = dense_descend,
};
