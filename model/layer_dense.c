/* dense — every output a weighted sum of every input.
 *
 * Parameters: weights, outputs × inputs (row o holds the weights of output o), then one bias an
 * output. */
#include "model/layer.h"

#include "model/biases.h"
#include "model/clones.h"
#include "model/initial.h"
#include "model/product.h"
#include "model/vector.h"

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

/* One output of one example, the step of a linear model of two classes: without the way through
 * products of matrices, which takes longer than the arithmetic. */
static bool is_lone(const struct layer *layer, size_t rows)
{
    return rows == 1 && layer->outputs == 1;
}

/* The weights, and behind them the bias, whose input is 1. */
CLONES static void descend_lone(float *parameters, float *momentum, const float *in,
                                float out_gradient, size_t inputs, const struct descent *descent)
{
    float rate = descent->rate, beta = descent->beta, decay = descent->decay;
    float last = out_gradient;
    if (!momentum) {
        for (size_t i = 0; i < inputs; i++)
            parameters[i] -= rate * (out_gradient * in[i] + decay * parameters[i]);
    } else {
        for (size_t i = 0; i < inputs; i++) {
            momentum[i] = beta * momentum[i] + out_gradient * in[i];
            parameters[i] -= rate * (momentum[i] + decay * parameters[i]);
        }
        last = momentum[inputs] = beta * momentum[inputs] + out_gradient;
    }
    parameters[inputs] -= rate * (last + decay * parameters[inputs]);
}

static void dense_forward(const struct layer *layer, const float *parameters, const float *in,
                          size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)saved;
    (void)workspace;
    size_t rows = batch * layer->repeat;
    if (is_lone(layer, rows)) {
        *out = (float)vector_dot(in, parameters, layer->inputs) + parameters[layer->inputs];
        return;
    }
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
    if (is_lone(layer, rows)) {
        descend_lone(parameters, momentum, in, *out_gradient, layer->inputs, descent);
        return;
    }
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
