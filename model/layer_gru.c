/* gru — gated recurrent units: a state that each position of a sequence changes in part.
 *
 * Cho et al. 2014 (arXiv 1406.1078v1, section 2.3), the reset behind the product, as cuDNN and
 * PyTorch have it. With a = (a_r, a_z, a_n) what the layer before makes of a position's input, a
 * third of `in` each, U = (U_r, U_z, U_n), and h from 0 at the first position of each example:
 *
 *   r = σ(a_r + h U_r)     z = σ(a_z + h U_z)     c = h U_n + b     n = tanh(a_n + r c)
 *   h' = (1 − z) n + z h
 *
 * The way back goes through all positions of an example and no further (Williams, Peng 1990: the
 * example is the window). From g, the gradient by h', with σ' = s (1 − s), tanh' = 1 − n²:
 *
 *   by a_n: g (1 − z) (1 − n²)   by c: r (by a_n)   by a_r: c (by a_n) r (1 − r)
 *   by a_z: g (h − n) z (1 − z)  by h: g z + (by a_r, by a_z, by c) Uᵀ
 *
 * Parameters: U, outputs × 3 outputs, then b. Kept for the way back: r, z, n, c of each position.
 */
#include "model/layer.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "model/clones.h"
#include "model/curve.h"
#include "model/initial.h"
#include "model/product.h"

static size_t gru_count(const struct layer *layer)
{
    return (3 * layer->outputs + 1) * layer->outputs;
}

static void gru_initialise(const struct layer *layer, bool before_relu, struct random *random,
                           float *parameters)
{
    (void)before_relu; /* the products end in gates */
    size_t units = layer->outputs, weights = 3 * units * units;
    initial_weights(parameters, weights, units, units, false, random);
    initial_biases(parameters + weights, units);
}

/* What either way takes of the workspace; `wide` are columns as product_ab_packed gives them. */
struct forward_lent {
    float *packed; /* U: units × wide */
    float *sums;   /* batch × wide: h U */
    float *zeros;  /* units: h in front of the first position */
    float *kept;   /* 4 × units: r, z, n, c of one position, where nobody wants them */
};

struct backward_lent {
    float *packed; /* Uᵀ: 3 units × wide */
    float *sums;   /* batch × wide: what the gradient by h has from h U */
    float *direct; /* batch × units: and what from z h */
    float *gates;  /* batch × positions × 3 units: the gradients by h U */
    float *zeros;
};

static size_t cost(size_t count)
{
    return workspace_cost(count * sizeof(float));
}

static size_t gru_scratch(const struct layer *layer, size_t batch)
{
    size_t units = layer->outputs, three = product_packed_columns(3 * units);
    size_t one = product_packed_columns(units);
    size_t forward = cost(units * three) + cost(batch * three) + cost(units) + cost(4 * units);
    size_t backward = cost(3 * units * one) + cost(batch * one) + cost(batch * units) +
                      cost(batch * layer->repeat * 3 * units) + cost(units);
    return forward > backward ? forward : backward;
}

static float *take(struct workspace *workspace, size_t count)
{
    return workspace_take(workspace, count * sizeof(float));
}

/* What is not finite stays, so that it is seen in the loss: gates would squash it. */
CLONED_INLINE float or_astray(float value, float gates)
{
    uint32_t bits;
    memcpy(&bits, &gates, sizeof bits);
    return (bits & 0x7F800000u) == 0x7F800000u ? gates : value;
}

/* One position of one example. */
CLONES static void unit_forward(const float *restrict in, const float *restrict sums,
                                const float *restrict biases, const float *restrict before,
                                float *restrict kept, float *restrict out, size_t units)
{
    /* The parts of `kept` lie side by side and do not overlap, which a compiler cannot see. */
    float *r_kept = kept, *z_kept = kept + units, *n_kept = z_kept + units,
          *c_kept = n_kept + units;
#pragma GCC ivdep
    for (size_t i = 0; i < units; i++) {
        float by_r = in[i] + sums[i], by_z = in[units + i] + sums[units + i];
        float r = curve_logistic(by_r), z = curve_logistic(by_z);
        float c = sums[2 * units + i] + biases[i], by_n = in[2 * units + i] + r * c;
        float n = curve_tanh(by_n);
        r_kept[i] = r;
        z_kept[i] = z;
        n_kept[i] = n;
        c_kept[i] = c;
        out[i] = or_astray(n + z * (before[i] - n), by_r + by_z + by_n);
    }
}

static void gru_forward(const struct layer *layer, const float *parameters, const float *in,
                        size_t batch, float *out, float *saved, struct workspace *workspace)
{
    size_t units = layer->outputs, positions = layer->repeat, used = workspace->used;
    size_t wide = product_packed_columns(3 * units), row = positions * units;
    const float *biases = parameters + 3 * units * units;
    struct forward_lent lent = {.packed = take(workspace, units * wide),
                                .sums = take(workspace, batch * wide),
                                .zeros = take(workspace, units),
                                .kept = take(workspace, 4 * units)};
    memset(lent.sums, 0, batch * wide * sizeof *lent.sums);
    memset(lent.zeros, 0, units * sizeof *lent.zeros);
    if (positions > 1)
        product_pack(lent.packed, parameters, 3 * units, units);
    for (size_t t = 0; t < positions; t++) {
        if (t > 0)
            product_ab_packed(lent.sums, wide, out + (t - 1) * units, row, lent.packed, batch,
                              3 * units, units);
        for (size_t b = 0; b < batch; b++) {
            size_t at = b * positions + t;
            unit_forward(in + at * 3 * units, lent.sums + b * wide, biases,
                         t > 0 ? out + (at - 1) * units : lent.zeros,
                         saved ? saved + at * 4 * units : lent.kept, out + at * units, units);
        }
    }
    workspace->used = used;
}

/* One position of one example; `sums` and `direct` hold the gradient by h', `direct` is left
 * holding z's share of that by h. `gates` get the gradients by h U, `by_in` those by a. */
CLONES static void unit_backward(const float *restrict kept, const float *restrict before,
                                 const float *restrict by_out, const float *restrict sums,
                                 float *restrict direct, float *restrict gates,
                                 float *restrict by_in, float *restrict by_biases, size_t units)
{
    const float *r_kept = kept, *z_kept = kept + units, *n_kept = z_kept + units;
    const float *c_kept = n_kept + units;
#pragma GCC ivdep
    for (size_t i = 0; i < units; i++) {
        float r = r_kept[i], z = z_kept[i], n = n_kept[i], c = c_kept[i];
        float g = by_out[i] + sums[i] + direct[i];
        float by_n = g * (1.0f - z) * (1.0f - n * n);
        float by_r = by_n * c * r * (1.0f - r), by_c = by_n * r;
        float by_z = g * (before[i] - n) * z * (1.0f - z);
        direct[i] = g * z;
        by_in[i] = gates[i] = by_r;
        by_in[units + i] = gates[units + i] = by_z;
        by_in[2 * units + i] = by_n;
        gates[2 * units + i] = by_c;
        by_biases[i] += by_c;
    }
}

static void gru_backward(const struct layer *layer, const float *parameters, const float *in,
                         const float *out, const float *saved, const float *out_gradient,
                         size_t batch, float *gradient, float *in_gradient,
                         struct workspace *workspace)
{
    (void)in;
    assert(in_gradient); /* what makes `in` learns too */
    size_t units = layer->outputs, positions = layer->repeat, used = workspace->used;
    size_t wide = product_packed_columns(units), rows = batch * positions;
    struct backward_lent lent = {.packed = take(workspace, 3 * units * wide),
                                 .sums = take(workspace, batch * wide),
                                 .direct = take(workspace, batch * units),
                                 .gates = take(workspace, rows * 3 * units),
                                 .zeros = take(workspace, units)};
    float *by_biases = gradient + 3 * units * units;
    memset(lent.sums, 0, batch * wide * sizeof *lent.sums);
    memset(lent.direct, 0, batch * units * sizeof *lent.direct);
    memset(lent.zeros, 0, units * sizeof *lent.zeros);
    memset(by_biases, 0, units * sizeof *by_biases);
    if (positions > 1)
        product_pack_transposed(lent.packed, parameters, units, 3 * units);
    for (size_t t = positions; t-- > 0;) {
        for (size_t b = 0; b < batch; b++) {
            size_t at = b * positions + t;
            unit_backward(saved + at * 4 * units, t > 0 ? out + (at - 1) * units : lent.zeros,
                          out_gradient + at * units, lent.sums + b * wide, lent.direct + b * units,
                          lent.gates + at * 3 * units, in_gradient + at * 3 * units, by_biases,
                          units);
            if (t == 0) /* h U is 0 there whatever U is */
                memset(lent.gates + at * 3 * units, 0, 3 * units * sizeof *lent.gates);
        }
        if (t > 0)
            product_ab_packed(lent.sums, wide, lent.gates + t * 3 * units, positions * 3 * units,
                              lent.packed, batch, units, 3 * units);
    }
    /* Row by row the state before a position; that before the first of an example, the last of
     * another, meets zeros. */
    product_atb(gradient, out, lent.gates + 3 * units, units, 3 * units, rows > 0 ? rows - 1 : 0);
    workspace->used = used;
}

const struct layer_kind layer_gru = {
    .name = "gru",
    .count = gru_count,
    .scratch = gru_scratch,
    .initialise = gru_initialise,
    .forward = gru_forward,
    .backward = gru_backward,
};
