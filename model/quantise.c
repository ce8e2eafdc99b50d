#include "model/quantise.h"

#include <string.h>

#include "model/clones.h"

#define F16_LARGEST 0x477FE000u         /* 65504 as a float */
#define F16_SMALLEST_NORMAL 0x38800000u /* 2^−14 */
#define I8_LEAST 0x1p-100f

static inline uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline void put16(uint8_t *at, uint16_t bits)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(at, &bits, sizeof bits);
#else
    at[0] = (uint8_t)bits;
    at[1] = (uint8_t)(bits >> 8);
#endif
}

static inline uint16_t get16(const uint8_t *at)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint16_t bits;
    memcpy(&bits, at, sizeof bits);
    return bits;
#else
    return (uint16_t)(at[0] | at[1] << 8);
#endif
}

static inline void put_float(uint8_t *at, float value)
{
    uint32_t bits = bits_of(value);
    put16(at, (uint16_t)bits);
    put16(at + 2, (uint16_t)(bits >> 16));
}

static inline float get_float(const uint8_t *at)
{
    return float_of(get16(at) | (uint32_t)get16(at + 2) << 16);
}

/* In the byte order of the wire; nothing but a copy on most machines. */
static void swap_order(uint8_t *bytes, size_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    (void)bytes;
    (void)count;
#else
    for (size_t i = 0; i < count; i++, bytes += 4) {
        uint32_t bits;
        memcpy(&bits, bytes, sizeof bits);
        bits = __builtin_bswap32(bits);
        memcpy(bytes, &bits, sizeof bits);
    }
#endif
}

void quantise_f32(const float *values, size_t count, uint8_t *bytes)
{
    memcpy(bytes, values, count * sizeof *values);
    swap_order(bytes, count);
}

void dequantise_f32(const uint8_t *bytes, size_t count, float *values)
{
    memcpy(values, bytes, count * sizeof *values);
    swap_order((uint8_t *)values, count);
}

/* A normal half keeps 10 of 23 bits, rounded by adding just under half of the last one; for one
 * that is less, the addition to 0.5 leaves its bits at the end, rounded by the machine. */
CLONES void quantise_f16(const float *values, size_t count, uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = bits_of(values[i]);
        uint32_t size = bits & 0x7FFFFFFFu;
        size = size < F16_LARGEST ? size : F16_LARGEST;
        uint32_t normal = (size + 0xFFFu + (size >> 13 & 1) - 0x38000000u) >> 13;
        uint32_t less = bits_of(float_of(size) + 0.5f) - 0x3F000000u;
        uint32_t half = size < F16_SMALLEST_NORMAL ? less : normal;
        put16(bytes + 2 * i, (uint16_t)(half | (bits >> 16 & 0x8000u)));
    }
}

CLONES void dequantise_f16(const uint8_t *bytes, size_t count, float *values)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t half = get16(bytes + 2 * i);
        uint32_t size = (half & 0x7FFFu) << 13;
        uint32_t normal = size + 0x38000000u;
        uint32_t less = bits_of(float_of(size + F16_SMALLEST_NORMAL) - 0x1p-14f);
        uint32_t bits = size < 0x400u << 13 ? less : normal;
        values[i] = float_of(bits | (half & 0x8000u) << 16);
    }
}

CLONES bool f16_finite(const uint8_t *bytes, size_t count)
{
    uint32_t found = 0;
    for (size_t i = 0; i < count; i++)
        found |= (get16(bytes + 2 * i) & 0x7C00u) == 0x7C00u;
    return !found;
}

size_t i8_bytes(size_t count)
{
    return count + (count + I8_BLOCK - 1) / I8_BLOCK * I8_SCALE_BYTES;
}

/* 128 + v + chance, cut to an integer, is 128 + q; between 128 and 256 a float has 16 bits behind
 * the point, which the chance fills. */
static inline int8_t round_by(float value, uint32_t chance)
{
    float place = value + float_of(0x43000000u | chance);
    place = place > 1.0f ? place : 1.0f;
    place = place < 255.5f ? place : 255.5f;
    return (int8_t)((int32_t)place - 128);
}

CLONED_INLINE void quantise_block(const float *restrict values, size_t count, uint64_t seed,
                                  uint32_t first, uint8_t *restrict bytes)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t size = bits_of(values[i]) & 0x7FFFFFFFu;
        largest = size > largest ? size : largest;
    }
    float scale = float_of(largest) * (1.0f / 127.0f), inverse = 0;
    if (float_of(largest) <= I8_LEAST)
        scale = 0;
    else if (scale > I8_SCALE_MAX)
        scale = I8_SCALE_MAX;
    if (scale > 0)
        inverse = 1.0f / scale;
    put_float(bytes, scale);
    int8_t *restrict out = (int8_t *)bytes + I8_SCALE_BYTES;
    uint32_t chances[I8_BLOCK / 2];
    for (uint32_t i = 0; i < I8_BLOCK / 2; i++)
        chances[i] = quantise_hash(seed, first / 2 + i);
    size_t half = count < I8_BLOCK / 2 ? count : I8_BLOCK / 2;
    for (size_t i = 0; i < half; i++)
        out[i] = round_by(values[i] * inverse, chances[i] >> 16);
    for (size_t i = half; i < count; i++)
        out[i] = round_by(values[i] * inverse, chances[i - half] & 0xFFFFu);
}

CLONES void quantise_i8(const float *values, size_t count, uint64_t seed, size_t first,
                        uint8_t *bytes)
{
    size_t whole = count / I8_BLOCK, rest = count % I8_BLOCK;
    for (size_t b = 0; b < whole; b++, values += I8_BLOCK, bytes += I8_SCALE_BYTES + I8_BLOCK)
        quantise_block(values, I8_BLOCK, seed, (uint32_t)(first + b * I8_BLOCK), bytes);
    if (rest > 0)
        quantise_block(values, rest, seed, (uint32_t)(first + whole * I8_BLOCK), bytes);
}

CLONES void dequantise_i8(const uint8_t *bytes, size_t count, float *values)
{
    while (count > 0) {
        size_t block = count < I8_BLOCK ? count : I8_BLOCK;
        float scale = get_float(bytes);
        const int8_t *in = (const int8_t *)bytes + I8_SCALE_BYTES;
        for (size_t i = 0; i < block; i++)
            values[i] = scale * (float)in[i];
        bytes += I8_SCALE_BYTES + block;
        values += block;
        count -= block;
    }
}

bool i8_sound(const uint8_t *bytes, size_t count)
{
    for (size_t done = 0; done < count; done += I8_BLOCK, bytes += I8_SCALE_BYTES + I8_BLOCK) {
        float scale = get_float(bytes);
        if (!(bits_of(scale) <= bits_of(I8_SCALE_MAX)))
            return false;
    }
    return true;
}
