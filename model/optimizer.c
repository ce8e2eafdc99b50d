#include "model/optimizer.h"

#include <math.h>
#include <string.h>

#include "model/clones.h"
#include "model/vector.h"

size_t optimizer_vectors(enum optimizer optimizer, double beta)
{
    bool adam = optimizer == OPTIMIZER_ADAM || optimizer == OPTIMIZER_ADAMW;
    return adam ? 2 : beta > 0;
}

bool optimizer_begin(struct optimizer_state *state, enum optimizer optimizer, double beta,
                     size_t count)
{
    size_t vectors = optimizer_vectors(optimizer, beta);
    *state = (struct optimizer_state){.first = vectors ? vector_new(vectors * count) : NULL};
    if (vectors > 1 && state->first)
        state->second = state->first + count;
    return vectors == 0 || state->first;
}

void optimizer_end(struct optimizer_state *state)
{
    vector_free(state->first);
    *state = (struct optimizer_state){0};
}

void optimizer_forget(struct optimizer_state *state, size_t count)
{
    if (state->first)
        memset(state->first, 0, count * sizeof *state->first);
    if (state->second)
        memset(state->second, 0, count * sizeof *state->second);
    state->steps = 0;
}

double optimizer_clip(float *gradient, double most, size_t count)
{
    double length = sqrt(vector_norm2(gradient, count));
    if (length > most)
        vector_scale(gradient, (float)(most / length), count);
    return length;
}

CLONES static void plain_step(float *restrict parameters, const float *restrict gradient,
                              float rate, float decay, size_t count)
{
    for (size_t i = 0; i < count; i++)
        parameters[i] -= rate * (gradient[i] + decay * parameters[i]);
}

CLONES static void momentum_step(float *restrict parameters, float *restrict momentum,
                                 const float *restrict gradient, float rate, float beta,
                                 float decay, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        momentum[i] = beta * momentum[i] + gradient[i];
        parameters[i] -= rate * (momentum[i] + decay * parameters[i]);
    }
}

void optimizer_sgd(float *parameters, float *momentum, const float *gradient, float rate,
                   float beta, float decay, size_t count)
{
    if (momentum)
        momentum_step(parameters, momentum, gradient, rate, beta, decay, count);
    else
        plain_step(parameters, gradient, rate, decay, count);
}

/* `rate` and `epsilon` hold the corrections for the start: m̂ / (√v̂ + ε) is m times
 * √(1 − β₂ᵗ) / (1 − β₁ᵗ), over √v + ε √(1 − β₂ᵗ). */
CLONES static void adam_step(float *restrict parameters, float *restrict first,
                             float *restrict second, const float *restrict gradient, float rate,
                             float beta1, float epsilon, float coupled, float shrink, size_t count)
{
    const float beta2 = (float)ADAM_BETA2;
    for (size_t i = 0; i < count; i++) {
        float g = gradient[i] + coupled * parameters[i];
        float m = beta1 * first[i] + (1 - beta1) * g;
        float v = beta2 * second[i] + (1 - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        parameters[i] -= rate * m / (sqrtf(v) + epsilon) + shrink * parameters[i];
    }
}

void optimizer_adam(float *parameters, struct optimizer_state *state, const float *gradient,
                    float rate, float beta, float decay, bool decoupled, size_t count)
{
    double t = (double)++state->steps;
    double root = sqrt(1 - pow(ADAM_BETA2, t));
    double corrected = (double)rate * root / (1 - pow((double)beta, t));
    adam_step(parameters, state->first, state->second, gradient, (float)corrected, beta,
              (float)(ADAM_EPSILON * root), decoupled ? 0 : decay, decoupled ? rate * decay : 0,
              count);
}

CLONES void optimizer_turn(float *restrict momentum, float keep, const float *restrict from,
                           const float *restrict to, float weight, size_t count)
{
    for (size_t i = 0; i < count; i++)
        momentum[i] = keep * momentum[i] + weight * (from[i] - to[i]);
}
