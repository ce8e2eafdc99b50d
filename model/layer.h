/* layer — a step of a model: how it starts, its way forward and its way back.
 *
 * A layer is one file that defines one `struct layer_kind`, and one line at the end of this header;
 * model.c strings layers together. Batches are row-major: `in` is batch × inputs, `out` is
 * batch × outputs. Parameters are the layer's own part of the model's vector.
 */
#ifndef STARLING_LAYER_H
#define STARLING_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "model/random.h"

struct layer {
    const struct layer_kind *kind;
    size_t inputs, outputs;
    size_t start, parameters; /* its part of the model's vector */
};

struct layer_kind {
    const char *name;

    /* How many parameters a layer of this kind has. */
    size_t (*count)(size_t inputs, size_t outputs);

    /* Fills the parameters to start training from; `before_relu`: the next layer is a ReLU.
     * NULL where there are none. */
    void (*initialise)(const struct layer *layer, bool before_relu, struct random *random,
                       float *parameters);

    void (*forward)(const struct layer *layer, const float *parameters, const float *in,
                    size_t batch, float *out);

    /* From the gradient by `out` those by the parameters (overwritten) and by `in` (overwritten;
     * NULL when nobody wants it). `in` and `out` as in forward. */
    void (*backward)(const struct layer *layer, const float *parameters, const float *in,
                     const float *out, const float *out_gradient, size_t batch, float *gradient,
                     float *in_gradient);
};

extern const struct layer_kind layer_dense; /* out = in Wᵀ + b */
extern const struct layer_kind layer_relu;  /* out = max(in, 0) */

#endif
