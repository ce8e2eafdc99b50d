/* tanh — the hyperbolic tangent of each value. */
#include "model/layer.h"

#include <stdint.h>
#include <string.h>

#include "model/clones.h"
#include "model/curve.h"

static size_t tanh_count(const struct layer *layer)
{
    (void)layer;
    return 0;
}

/* What is not finite stays, so that it is seen in the loss. */
CLONED_INLINE float tangent(float in)
{
    uint32_t bits;
    memcpy(&bits, &in, sizeof bits);
    float out = curve_tanh(in);
    return (bits & 0x7F800000u) == 0x7F800000u ? in : out;
}

CLONES static void tanh_forward(const struct layer *layer, const float *parameters, const float *in,
                                size_t batch, float *out, float *saved, struct workspace *workspace)
{
    (void)parameters;
    (void)saved;
    (void)workspace;
    size_t count = layer_values(layer, batch);
    for (size_t i = 0; i < count; i++)
        out[i] = tangent(in[i]);
}

CLONES static void tanh_backward(const struct layer *layer, const float *parameters,
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
    for (size_t i = 0; i < count; i++)
        in_gradient[i] = out_gradient[i] * (1.0f - out[i] * out[i]);
}

const struct layer_kind layer_tanh = {
    .name = "tanh",
    .count = tanh_count,
    .forward = tanh_forward,
    .backward = tanh_backward,
};
