/* quantise — vectors in fewer bits: IEEE half precision, and bytes with a scale a block.
 *
 * Bytes are little-endian and mean the same on every machine. Every call is a pure function of what
 * it is handed: on one machine the same values and seed give the same bytes, in however many calls
 * of whole blocks they are encoded. Values are finite. `bytes` may be unaligned. Kernels as in
 * model/vector.h.
 *
 * Sources: stochastic rounding and a scale a block, Alistarh et al. 2017 (QSGD, arXiv 1610.02132);
 * the hash's rounds and constants, Wellons' lowbias32.
 */
#ifndef STARLING_QUANTISE_H
#define STARLING_QUANTISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define I8_BLOCK 256          /* values that share a scale */
#define I8_SCALE_BYTES 4      /* in front of each block: a float */
#define I8_SCALE_MAX 0x1p120f /* a larger one is none: 127 of it must stay finite */

/* A number that follows from `seed` and `index` alone. */
static inline uint32_t quantise_hash(uint64_t seed, uint32_t index)
{
    uint32_t x = index * 0x9E3779B9u + (uint32_t)seed;
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= (uint32_t)(seed >> 32);
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ x >> 16;
}

/* 4 bytes a value, as it is. */
void quantise_f32(const float *values, size_t count, uint8_t *bytes);
void dequantise_f32(const uint8_t *bytes, size_t count, float *values);

/* 2 bytes a value, rounded to the nearest, ties to even; what is beyond ±65504 becomes that. */
void quantise_f16(const float *values, size_t count, uint8_t *bytes);
void dequantise_f16(const uint8_t *bytes, size_t count, float *values);

/* No infinity and no NaN among `count` halves. */
bool f16_finite(const uint8_t *bytes, size_t count);

/* Bytes of `count` values as blocks: the last one may be shorter. */
size_t i8_bytes(size_t count);

/* Blocks of I8_BLOCK values: the scale s, a float, is the largest absolute value / 127; then a
 * byte q a value, v / s rounded up or down by chance so that q s is v on average. `first` is how
 * many values, whole blocks of them, come before these. The chance of value i of block b is half of
 * quantise_hash(seed, 128 b + i mod 128): the high half where i < 128, else the low one. A block
 * without a value beyond 2^−100 becomes zeros. */
void quantise_i8(const float *values, size_t count, uint64_t seed, size_t first, uint8_t *bytes);
void dequantise_i8(const uint8_t *bytes, size_t count, float *values);

/* Every scale is between 0 and I8_SCALE_MAX. */
bool i8_sound(const uint8_t *bytes, size_t count);

#endif
