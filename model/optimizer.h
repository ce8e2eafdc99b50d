/* optimizer — a step down the gradient, in one sweep over the parameters: SGD, Adam, AdamW, and SGD
 * with quasi-global momentum.
 *
 * What an optimiser remembers between steps is its node's own: it is never sent or merged, and goes
 * on through merges; the quasi-global momentum takes in what they do.
 */
#ifndef STARLING_OPTIMIZER_H
#define STARLING_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum optimizer { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW, OPTIMIZER_QUASI_GLOBAL };

#define ADAM_BETA1 0.9
#define ADAM_BETA2 0.999
#define ADAM_EPSILON 1e-8

/* Vectors lie as the parameters do. */
struct optimizer_state {
    float *first;   /* SGD: momentum, NULL without; Adam: the mean gradient; quasi-global: m̂ */
    float *second;  /* Adam: the mean of its squares; else NULL. Behind `first`, in its memory */
    uint64_t steps; /* Adam: that they have seen */
};

/* Vectors that are remembered: 0 to 2. `beta` is of the momentum. */
size_t optimizer_vectors(enum optimizer optimizer, double beta);

/* A state that remembers nothing yet, for `count` parameters; false when memory is out. Freed by
 * optimizer_end. */
bool optimizer_begin(struct optimizer_state *state, enum optimizer optimizer, double beta,
                     size_t count);
void optimizer_end(struct optimizer_state *state);

/* Starts afresh. */
void optimizer_forget(struct optimizer_state *state, size_t count);

/* Makes a gradient that is longer than `most` that long; returns how long it was, ‖g‖. Pascanu,
 * Mikolov, Bengio 2013 (arXiv 1211.5063), algorithm 1. A length that is not finite leaves the
 * gradient as it is or turns it into NaN: the pass is undone as any that went astray. */
double optimizer_clip(float *gradient, double most, size_t count);

/* m = β m + g;  w = w − η (m + λ w)   over `count` values. Heavy ball, Polyak 1964; the decay stays
 * out of the momentum (Loshchilov, Hutter 2019, arXiv 1711.05101, eq. 5 up to their schedule).
 * `momentum` may be NULL: then β is 0 and m is the gradient. */
void optimizer_sgd(float *parameters, float *momentum, const float *gradient, float rate,
                   float beta, float decay, size_t count);

/* With g' = g + λ w for Adam, or g' = g for AdamW, t counting `steps`, from 1 on:
 *   m = β₁ m + (1 − β₁) g';   v = β₂ v + (1 − β₂) g'²
 *   w = w − η m̂ / (√v̂ + ε),   m̂ = m / (1 − β₁ᵗ),   v̂ = v / (1 − β₂ᵗ)
 * and for AdamW − η λ w besides. β₂ and ε as published, β₁ given.
 * Adam: Kingma, Ba 2015 (arXiv 1412.6980), algorithm 1; AdamW: Loshchilov, Hutter 2019
 * (arXiv 1711.05101), algorithm 2 with the decay in proportion to η, as is usual. */
void optimizer_adam(float *parameters, struct optimizer_state *state, const float *gradient,
                    float rate, float beta, float decay, bool decoupled, size_t count);

/* m̂ = keep m̂ + weight (from − to): how a quasi-global momentum turns (model/learner.h). */
void optimizer_turn(float *momentum, float keep, const float *from, const float *to, float weight,
                    size_t count);

#endif
