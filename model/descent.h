/* descent — a step down the gradient, taken while the gradient is made.
 *
 * The step of optimizer_sgd: m = β m + g;  w = w − η (m + λ w), m = g without momentum. Where the
 * gradient by a weight is ready in a register, the weight is changed at once, and the gradient
 * never goes through memory.
 */
#ifndef STARLING_DESCENT_H
#define STARLING_DESCENT_H

struct descent {
    float rate, beta, decay; /* η, β, λ */
};

#endif
