/* dense — every output a weighted sum of every input.
 *
 * Parameters: weights, outputs × inputs (row o holds the weights of output o), then one bias an
 * output. */
#include "model/layer.h"

#include <string.h>

#include "model/clones.h"
#include "model/initial.h"
#include "model/optimizer.h"
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

/* Adds to each row of `rows` (batch × width). */
CLONES static void add_to_rows(float *rows, const float *added, size_t batch, size_t width)
{
    for (size_t b = 0; b < batch; b++)
        for (size_t i = 0; i < width; i++)
            rows[b * width + i] += added[i];
}

CLONES static void sum_rows(float *sum, const float *rows, size_t batch, size_t width)
{
    memset(sum, 0, width * sizeof *sum);
    for (size_t b = 0; b < batch; b++)
        for (size_t i = 0; i < width; i++)
            sum[i] += rows[b * width + i];
}

static void dense_forward(const struct layer *layer, const float *parameters, const float *in,
                          size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)saved;
    (void)workspace;
    size_t rows = batch * layer->repeat;
    product_abt(out, in, parameters, rows, layer->outputs, layer->inputs);
    add_to_rows(out, parameters + layer->inputs * layer->outputs, rows, layer->outputs);
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
    sum_rows(gradient + layer->inputs * layer->outputs, out_gradient, rows, layer->outputs);
    if (in_gradient)
        product_ab(in_gradient, out_gradient, parameters, rows, layer->inputs, layer->outputs);
}

#define BIASES 64 /* stepped at a time */

CLONES static void descend_biases(float *biases, float *momentum, const float *out_gradient,
                                  size_t rows, size_t width, const struct descent *descent)
{
    for (size_t start = 0; start < width; start += BIASES) {
        float sum[BIASES] = {0.0f};
        size_t count = width - start < BIASES ? width - start : BIASES;
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < count; i++)
                sum[i] += out_gradient[r * width + start + i];
        optimizer_sgd(biases + start, momentum ? momentum + start : NULL, sum, descent->rate,
                      descent->beta, descent->decay, count);
    }
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
    descend_biases(parameters + weights, momentum ? momentum + weights : NULL, out_gradient, rows,
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
