/* layer — a step of a model: how it starts, its way forward and its way back.
 *
 * A layer is one file that defines one `struct layer_kind`, and one line at the end of this header;
 * plan.c strings layers together, model.c runs them. Batches are row-major: `in` is batch × repeat
 * × inputs, `out` is batch × repeat × outputs; images lie in lanes (lanes.h) from `lanes` to
 * `rows`. Parameters are the layer's own part of the model's vector.
 */
#ifndef STARLING_LAYER_H
#define STARLING_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "model/convolution.h"
#include "model/descent.h"
#include "model/lanes.h"
#include "model/random.h"
#include "model/workspace.h"

struct layer {
    const struct layer_kind *kind;
    size_t inputs, outputs;    /* floats it takes and gives at a time */
    size_t repeat;             /* times an example: positions of a sequence, else 1 */
    size_t symbols;            /* of what takes their numbers: how many there are */
    bool lanes;                /* `out` is in lanes: layer_values counts its floats */
    struct convolution window; /* of images: their sizes, and what is looked at together */
    size_t start, parameters;  /* its part of the model's vector */
    size_t saved;              /* floats an example that it keeps from its way forward for its way
                                  back, beside `in` and `out` */
};

/* Floats that a layer gives for a batch. */
static inline size_t layer_values(const struct layer *layer, size_t batch)
{
    return (layer->lanes ? lanes_groups(batch) * LANES : batch) * layer->repeat * layer->outputs;
}

struct layer_kind {
    const char *name;

    bool chooses; /* gives on only what it takes: what comes behind it counts as its own next */

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

    /* Backward, and at once the step of `descent` by the parameters' gradient, which need not be
     * stored; momentum lies as the parameters do (NULL: none). `in_gradient` is that before the
     * step. NULL: the step is made afterwards. */
    void (*descend)(const struct layer *layer, float *parameters, float *momentum, const float *in,
                    const float *out, const float *saved, const float *out_gradient, size_t batch,
                    const struct descent *descent, float *in_gradient, struct workspace *workspace);
};

extern const struct layer_kind layer_conv;    /* out = in ⋆ W + b, in lanes */
extern const struct layer_kind layer_dense;   /* out = in Wᵀ + b */
extern const struct layer_kind layer_embed;   /* out = the row of W that `in` is the number of */
extern const struct layer_kind layer_gru;     /* out = a state that goes along, `in` its gates' */
extern const struct layer_kind layer_lanes;   /* rows into lanes */
extern const struct layer_kind layer_maxpool; /* out = the largest of each window of in, in lanes */
extern const struct layer_kind layer_relu;    /* out = max(in, 0) */
extern const struct layer_kind layer_rows;    /* lanes into rows */
extern const struct layer_kind layer_sparse;  /* dense, its weights in the order of
                                                 product_sparse.h; of no plan, but of what
                                                 model_sparse makes of it */
extern const struct layer_kind layer_tanh;    /* out = tanh(in) */

#endif
