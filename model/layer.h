/* layer — a step of a model: how it starts, its way forward and its way back.
 *
 * A layer is one file that defines one `struct layer_kind`, and one line at the end of this header;
 * model.c strings layers together. Batches are row-major: `in` is batch × repeat × inputs, `out` is
 * batch × repeat × outputs. Parameters are the layer's own part of the model's vector.
 */
#ifndef STARLING_LAYER_H
#define STARLING_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "model/random.h"
#include "model/workspace.h"

struct layer {
    const struct layer_kind *kind;
    size_t inputs, outputs;   /* floats it takes and gives at a time */
    size_t repeat;            /* times an example: positions of a sequence, else 1 */
    size_t start, parameters; /* its part of the model's vector */
    size_t saved;             /* floats an example that it keeps from its way forward for its way
                                 back, beside `in` and `out` */
};

struct layer_kind {
    const char *name;

    /* How many parameters a layer of this kind has, its sizes being set. */
    size_t (*count)(const struct layer *layer);

    /* Bytes of workspace that either way takes, and gives back, for a batch; NULL: none. */
    size_t (*scratch)(const struct layer *layer, size_t batch);

    /* Fills the parameters to start training from; `before_relu`: the next layer is a ReLU.
     * NULL where there are none. */
    void (*initialise)(const struct layer *layer, bool before_relu, struct random *random,
                       float *parameters);

    /* `saved` is batch × layer->saved floats to fill in, NULL when there is no way back. */
    void (*forward)(const struct layer *layer, const float *parameters, const float *in,
                    size_t batch, float *out, float *saved, struct workspace *workspace);

    /* From the gradient by `out` those by the parameters (overwritten) and by `in` (overwritten;
     * NULL when nobody wants it). `in`, `out` and `saved` as forward had and left them. */
    void (*backward)(const struct layer *layer, const float *parameters, const float *in,
                     const float *out, const float *saved, const float *out_gradient, size_t batch,
                     float *gradient, float *in_gradient, struct workspace *workspace);
};

extern const struct layer_kind layer_dense; /* out = in Wᵀ + b */
extern const struct layer_kind layer_relu;  /* out = max(in, 0) */

#endif
