#include "model/optimizer.h"

#include "model/clones.h"

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
