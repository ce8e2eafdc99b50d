/* curve — exp, tanh and the logistic function of one number, to be inlined into cloned loops.
 *
 * Nothing but arithmetic and selections, so a loop around them becomes vector instructions; right
 * also where the compiler reorders sums (KERNEL_CFLAGS). Off from the exact result by at most 3
 * (exp), 4 (logistic) and 6 (tanh) units in its last place. NaN stays NaN, infinities give the
 * limits, and a result below the smallest normal float is 0.
 */
#ifndef STARLING_CURVE_H
#define STARLING_CURVE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "model/clones.h"

/* e^x where the result and 1 / result are normal: x from −87.3 to 88.7, not checked.
 *
 * x = n ln 2 + r with |r| ≤ ln 2 / 2 (Cody and Waite 1980). n times the upper bits of ln 2 is
 * exact; the lower bits, small as they are, enter by a factor: a compiler free to reorder sums
 * would add the two parts up again. The polynomial is the best of its degree, 3e-9 off. */
CLONED_INLINE float curve_exp_normal(float x)
{
    const float log2_e = 1.44269504f, ln2_upper = 0.693145752f, ln2_lower = 1.42860677e-06f;
    int32_t n = (int32_t)(x * log2_e + 127.5f) - 127; /* the nearest: what is cut is positive */
    float whole = (float)n, r = x - whole * ln2_upper;
    float q = 0.00138145986f;
    q = q * r + 0.00836871691f;
    q = q * r + 0.0416683881f;
    q = q * r + 0.166665206f;
    q = q * r + 0.499999934f;
    float power = 1.0f + (r + r * r * q);
    power *= 1.0f - whole * ln2_lower;
    int32_t bits;
    memcpy(&bits, &power, sizeof bits);
    bits += n * (1 << 23); /* times 2^n */
    memcpy(&power, &bits, sizeof power);
    return power;
}

CLONED_INLINE float curve_exp(float x)
{
    const float least = -87.33654f, most = 88.72283f;
    float inside = x > least ? x : least;
    inside = inside < most ? inside : most;
    float power = curve_exp_normal(inside);
    power = x > most ? INFINITY : power;
    power = x < least ? 0.0f : power;
    return x != x ? x : power;
}

/* 1 / (1 + e^−x), small results with all their digits. */
CLONED_INLINE float curve_logistic(float x)
{
    const float most = 87.33654f; /* beyond it e^−|x| is no normal float */
    float size = fabsf(x);
    float small = curve_exp_normal(-(size < most ? size : most));
    small = size > most ? 0.0f : small;
    float share = (x > 0.0f ? 1.0f : small) / (1.0f + small);
    return x != x ? x : share;
}

/* A quotient of polynomials with the least relative error up to 9.02, from where on the nearest
 * float is 1. */
CLONED_INLINE float curve_tanh(float x)
{
    const float most = 9.02f;
    float inside = x > most ? most : x;
    inside = inside < -most ? -most : inside;
    float square = inside * inside;
    float above = 1.33190848e-08f;
    above = above * square + 2.05834909e-05f;
    above = above * square + 0.00349403515f;
    above = above * square + 0.133797184f;
    above = above * square + 1.0f;
    float below = 7.76202483e-07f;
    below = below * square + 0.000328309380f;
    below = below * square + 0.0258710755f;
    below = below * square + 0.467130337f;
    below = below * square + 1.0f;
    float quotient = inside * above / below;
    quotient = quotient > 1.0f ? 1.0f : quotient;
    return quotient < -1.0f ? -1.0f : quotient;
}

#endif
