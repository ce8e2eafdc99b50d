/* vector — the float kernels, and the memory they work on.
 *
 * Vectors are `count` floats. Those from vector_new are 64-byte aligned; the kernels accept any
 * alignment. Each kernel is compiled for several processors and chosen at run time, so one build
 * runs on any x86-64 and on arm64. Sums are kept in float lanes and added up in double per block
 * of 4096; their last bits depend on the processor, never on threads.
 */
#ifndef STARLING_VECTOR_H
#define STARLING_VECTOR_H

#include <stdbool.h>
#include <stddef.h>

/* `count` floats, 64-byte aligned and zeroed; NULL when memory is out. Freed by vector_free. */
float *vector_new(size_t count);
void vector_free(float *vector);

/* into = into + alpha (from − into) */
void vector_blend(float *into, const float *from, float alpha, size_t count);

/* out = base + alpha (from − base); out may be base. */
void vector_blend_to(float *out, const float *base, const float *from, float alpha, size_t count);

/* into = into + factor from */
void vector_add_scaled(float *into, const float *from, float factor, size_t count);

/* vector = factor vector */
void vector_scale(float *vector, float factor, size_t count);

double vector_dot(const float *a, const float *b, size_t count);

/* The squared Euclidean norm, and distance. */
double vector_norm2(const float *vector, size_t count);
double vector_distance2(const float *a, const float *b, size_t count);

/* True when no value is infinite or NaN. */
bool vector_finite(const float *vector, size_t count);

/* How many values are zero. */
size_t vector_zeros(const float *vector, size_t count);

/* out[i] = (in[i] − shift[i]) scale[i] */
void vector_standardise(float *out, const float *in, const float *shift, const float *scale,
                        size_t count);

/* out[i] = in[i] / 255 */
void vector_from_bytes(float *out, const unsigned char *in, size_t count);

/* The name of the variant this processor runs: "avx512", "avx2", "generic". */
const char *vector_kernels(void);

#endif
