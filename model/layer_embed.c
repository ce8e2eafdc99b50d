/* embed — a row of weights for each symbol: what a dense layer makes of its one-hot code.
 *
 * Parameters: weights, symbols × outputs. `in` holds the symbols' numbers. */
#include "model/layer.h"

#include <assert.h>
#include <string.h>

#include "model/clones.h"
#include "model/initial.h"

static size_t embed_count(const struct layer *layer)
{
    return layer->symbols * layer->outputs;
}

static void embed_initialise(const struct layer *layer, bool before_relu, struct random *random,
                             float *parameters)
{
    initial_weights(parameters, embed_count(layer), layer->symbols, layer->outputs, before_relu,
                    random);
}

static size_t symbol_of(const struct layer *layer, float in)
{
    assert(in >= 0.0f && in < (float)layer->symbols); /* datasets see to it */
    return (size_t)in;
}

static void embed_forward(const struct layer *layer, const float *parameters, const float *in,
                          size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)saved;
    (void)workspace;
    size_t width = layer->outputs;
    for (size_t r = 0; r < batch * layer->repeat; r++)
        memcpy(out + r * width, parameters + symbol_of(layer, in[r]) * width, width * sizeof *out);
}

CLONES static void add_row(float *restrict sum, const float *restrict row, size_t width)
{
    for (size_t i = 0; i < width; i++)
        sum[i] += row[i];
}

static void embed_backward(const struct layer *layer, const float *parameters, const float *in,
                           const float *out, const float *saved, const float *out_gradient,
                           size_t batch, float *gradient, float *in_gradient,
                           struct workspace *workspace)
{
    (void)parameters;
    (void)out;
    (void)saved;
    (void)workspace;
    assert(!in_gradient);
    size_t width = layer->outputs;
    memset(gradient, 0, embed_count(layer) * sizeof *gradient);
    for (size_t r = 0; r < batch * layer->repeat; r++)
        add_row(gradient + symbol_of(layer, in[r]) * width, out_gradient + r * width, width);
}

const struct layer_kind layer_embed = {
    .name = "embed",
    .count = embed_count,
    .initialise = embed_initialise,
    .forward = embed_forward,
    .backward = embed_backward,
};
