/* optimizer — a step of stochastic gradient descent, in one sweep over the parameters. */
#ifndef STARLING_OPTIMIZER_H
#define STARLING_OPTIMIZER_H

#include <stddef.h>

/* m = β m + g;  w = w − η (m + λ w)   over `count` values. Heavy ball, Polyak 1964; the decay stays
 * out of the momentum (Loshchilov, Hutter 2019, arXiv 1711.05101, eq. 5 up to their schedule).
 * `momentum` may be NULL: then β is 0 and m is the gradient. */
void optimizer_sgd(float *parameters, float *momentum, const float *gradient, float rate,
                   float beta, float decay, size_t count);

#endif
