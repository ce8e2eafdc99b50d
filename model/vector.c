#include "model/vector.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/clones.h"

#define ALIGNMENT 64
#define BLOCK 4096 /* floats summed in float before their sum goes into a double */

float *vector_new(size_t count)
{
    if (count > (PTRDIFF_MAX - ALIGNMENT) / sizeof(float))
        return NULL;
    size_t lines = (count * sizeof(float) + ALIGNMENT - 1) / ALIGNMENT;
    size_t bytes = (lines ? lines : 1) * ALIGNMENT;
    /* malloc keeps small blocks at hand for each thread; aligned_alloc does not, and leaves crumbs
     * of others behind. So the block is aligned here, and where it begins is kept before the
     * vector. */
    unsigned char *block = malloc(bytes + ALIGNMENT);
    if (!block)
        return NULL;
    size_t offset = ALIGNMENT - (uintptr_t)block % ALIGNMENT;
    float *vector = (float *)(void *)(block + offset);
    memcpy(block + offset - sizeof block, &block, sizeof block);
    memset(vector, 0, bytes);
    return vector;
}

void vector_free(float *vector)
{
    unsigned char *block = NULL;
    if (vector)
        memcpy(&block, (unsigned char *)vector - sizeof block, sizeof block);
    free(block);
}

CLONES void vector_blend(float *into, const float *from, float alpha, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += alpha * (from[i] - into[i]);
}

CLONES void vector_blend_to(float *out, const float *base, const float *from, float alpha,
                            size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = base[i] + alpha * (from[i] - base[i]);
}

CLONES void vector_add_scaled(float *into, const float *from, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        into[i] += factor * from[i];
}

CLONES void vector_scale(float *vector, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        vector[i] *= factor;
}

/* Four sums side by side, a quarter of the block each: one alone would wait for its own last
 * addition at every step. */
CLONED_INLINE float block_dot(const float *a, const float *b, size_t count)
{
    size_t quarter = count / 64 * 16;
    const float *a1 = a + quarter, *a2 = a1 + quarter, *a3 = a2 + quarter;
    const float *b1 = b + quarter, *b2 = b1 + quarter, *b3 = b2 + quarter;
    float sum0 = 0.0f, sum1 = 0.0f, sum2 = 0.0f, sum3 = 0.0f;
    for (size_t i = 0; i < quarter; i++) {
        sum0 += a[i] * b[i];
        sum1 += a1[i] * b1[i];
        sum2 += a2[i] * b2[i];
        sum3 += a3[i] * b3[i];
    }
    for (size_t i = 4 * quarter; i < count; i++)
        sum0 += a[i] * b[i];
    return (sum0 + sum1) + (sum2 + sum3);
}

CLONED_INLINE float block_distance2(const float *a, const float *b, size_t count)
{
    size_t half = count / 32 * 16;
    const float *a1 = a + half, *b1 = b + half;
    float sum0 = 0.0f, sum1 = 0.0f;
    for (size_t i = 0; i < half; i++) {
        sum0 += (a[i] - b[i]) * (a[i] - b[i]);
        sum1 += (a1[i] - b1[i]) * (a1[i] - b1[i]);
    }
    for (size_t i = 2 * half; i < count; i++)
        sum0 += (a[i] - b[i]) * (a[i] - b[i]);
    return sum0 + sum1;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

CLONES double vector_dot(const float *a, const float *b, size_t count)
{
    double sum = 0.0;
    for (size_t start = 0; start < count; start += BLOCK)
        sum += (double)block_dot(a + start, b + start, smaller(count - start, BLOCK));
    return sum;
}

double vector_norm2(const float *vector, size_t count)
{
    return vector_dot(vector, vector, count);
}

CLONES double vector_distance2(const float *a, const float *b, size_t count)
{
    double sum = 0.0;
    for (size_t start = 0; start < count; start += BLOCK)
        sum += (double)block_distance2(a + start, b + start, smaller(count - start, BLOCK));
    return sum;
}

/* By the bits, not by comparing values: an exponent of all ones is an infinity or a NaN, and no
 * compiler flag about arithmetic can take that away. */
CLONES bool vector_finite(const float *vector, size_t count)
{
    for (size_t start = 0; start < count; start += BLOCK) {
        const float *block = vector + start;
        size_t block_count = smaller(count - start, BLOCK);
        uint32_t found = 0;
        for (size_t i = 0; i < block_count; i++) {
            uint32_t bits;
            memcpy(&bits, &block[i], sizeof bits);
            found |= (bits & 0x7F800000u) == 0x7F800000u;
        }
        if (found)
            return false;
    }
    return true;
}

CLONES void vector_standardise(float *out, const float *in, const float *shift, const float *scale,
                               size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (in[i] - shift[i]) * scale[i];
}

CLONES size_t vector_zeros(const float *vector, size_t count)
{
    size_t zeros = 0;
    for (size_t i = 0; i < count; i++)
        zeros += vector[i] == 0.0f;
    return zeros;
}

CLONES void vector_from_bytes(float *restrict out, const unsigned char *restrict in, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)in[i] * (1.0f / 255.0f);
}

const char *vector_kernels(void)
{
#if CLONES_CHOSEN
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4"))
        return "avx512";
    if (__builtin_cpu_supports("x86-64-v3"))
        return "avx2";
#endif
    return "generic";
}
