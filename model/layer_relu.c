/* relu — what is negative becomes zero. */
#include "model/layer.h"

#include <stdint.h>
#include <string.h>

#include "model/clones.h"

static size_t relu_count(const struct layer *layer)
{
    (void)layer;
    return 0;
}

/* By the bits: a set sign on a finite number becomes zero. What is infinite or NaN stays, so that
 * it is seen in the loss; compilers that may reorder sums lose a NaN in a comparison of floats. */
CLONES static void relu_forward(const struct layer *layer, const float *parameters, const float *in,
                                size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)parameters;
    (void)saved;
    (void)workspace;
    size_t count = layer_values(layer, batch);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &in[i], sizeof bits);
        bits = bits - 0x80000000u < 0x7F800000u ? 0 : bits;
        memcpy(&out[i], &bits, sizeof bits);
    }
}

CLONES static void relu_backward(const struct layer *layer, const float *parameters,
                                 const float *in, const float *out, const float *saved,
                                 const float *out_gradient, size_t batch, float *gradient,
                                 float *in_gradient, struct workspace *workspace)
{
    (void)parameters;
    (void)in;
    (void)saved;
    (void)gradient;
    (void)workspace;
    if (!in_gradient)
        return;
    size_t count = layer_values(layer, batch);
    for (size_t i = 0; i < count; i++) {
        float given = out_gradient[i]; /* read at any rate, so that the loop has no branch */
        in_gradient[i] = out[i] > 0.0f ? given : 0.0f;
    }
}

const struct layer_kind layer_relu = {
    .name = "relu",
    .count = relu_count,
    .forward = relu_forward,
    .backward = relu_backward,
};
