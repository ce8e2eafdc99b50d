/* activation — exp, tanh and the logistic function of many numbers at once, and softmax.
 *
 * Vector kernels as in vector.h; how exact they are says curve.h. `out` may be `in`.
 */
#ifndef STARLING_ACTIVATION_H
#define STARLING_ACTIVATION_H

#include <stddef.h>

void vector_exp(float *out, const float *in, size_t count);
void vector_tanh(float *out, const float *in, size_t count);
void vector_logistic(float *out, const float *in, size_t count); /* 1 / (1 + e^−in) */

/* Turns each of `count` rows, `width` ≥ 1 floats each, into factor times its softmax,
 * e^(x − most) / sum, most the row's largest; log_sums[i] becomes most + ln(sum): less what the row
 * held somewhere, −ln of the probability there. A row that holds a NaN or an infinity comes out as
 * anything. */
void softmax_rows(float *rows, float factor, double *log_sums, size_t count, size_t width);

#endif
