#include "model/quantise.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/random.h"

#define MOST 1500

static void normals(float *values, size_t count, uint64_t seed, double scale)
{
    struct random random = random_stream(seed, 0, RANDOM_INITIAL, 0);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(scale * random_normal(&random));
}

/* By the definition: the half nearest to `value` in double arithmetic, ties to even. */
static uint16_t plain_half(float value)
{
    double size = fabs((double)value), step = 0x1p-24;
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    if (size >= 65504)
        return sign | 0x7BFF;
    int exponent = size >= 0x1p-14 ? ilogb(size) : -14;
    step = ldexp(1, exponent - 10);
    double steps = nearbyint(size / step); /* to even, as the machine rounds by default */
    if (steps * step >= 65504)
        return sign | 0x7BFF;
    unsigned bits = (unsigned)steps; /* up to 2^11: carries into the exponent by itself */
    if (size >= 0x1p-14)
        bits += (unsigned)(exponent + 14) << 10;
    return (uint16_t)(sign | bits);
}

static void a_half_is_the_nearest(void **state)
{
    (void)state;
    static const float special[] = {0,           1,        -2.5f,    65504,          65519,
                                    65520,       -1e38f,   0x1p-14f, 0x1p-24f,       0x1p-25f,
                                    0x1.8p-25f,  0x1p-26f, 1e-40f,   1.00048828125f, 1.00146484375f,
                                    0.33333334f, 2049,     2051,     -0x1.ffcp-15f,  0x1.ffep-15f};
    enum { SPECIAL = sizeof special / sizeof *special };
    float values[MOST];
    uint8_t bytes[2 * MOST];
    struct random random = random_stream(3, 0, RANDOM_INITIAL, 0);
    memcpy(values, special, sizeof special);
    for (size_t i = SPECIAL; i < MOST; i++)
        values[i] = (float)ldexp(random_normal(&random), (int)random_below(&random, 50) - 32);
    quantise_f16(values, MOST, bytes);
    for (size_t i = 0; i < MOST; i++) {
        unsigned saw = bytes[2 * i] | (unsigned)bytes[2 * i + 1] << 8;
        if (saw != plain_half(values[i]))
            fail_msg("%a: saw %04x, wanted %04x", (double)values[i], saw, plain_half(values[i]));
    }
    assert_true(f16_finite(bytes, MOST));
}

static void every_finite_half_comes_back(void **state)
{
    (void)state;
    for (unsigned half = 0; half < 0x10000; half++) {
        uint8_t bytes[2] = {(uint8_t)half, (uint8_t)(half >> 8)}, again[2];
        bool finite = (half & 0x7C00) != 0x7C00;
        float value;
        assert_int_equal(f16_finite(bytes, 1), finite);
        if (!finite)
            continue;
        dequantise_f16(bytes, 1, &value);
        quantise_f16(&value, 1, again);
        if (half != 0x8000)
            assert_memory_equal(bytes, again, 2);
        double size = ldexp(half & 0x3FF, -24);
        if (half & 0x7C00)
            size = ldexp(1024 + (half & 0x3FF), (int)(half >> 10 & 31) - 25);
        assert_true((double)value == (half & 0x8000 ? -size : size));
    }
}

static void a_byte_is_one_step_off_at_most(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 7, 127, 128, 129, 255, 256, 257, 511, 513, 1024, MOST};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        size_t count = counts[c];
        float values[MOST], back[MOST];
        uint8_t bytes[2 * MOST];
        memset(bytes, 0xA5, sizeof bytes);
        normals(values, count, c, 0.3);
        quantise_i8(values, count, 99 + c, 0, bytes);
        assert_int_equal(bytes[i8_bytes(count)], 0xA5);
        assert_true(i8_sound(bytes, count));
        dequantise_i8(bytes, count, back);
        for (size_t i = 0; i < count; i++) {
            float largest = 0;
            for (size_t j = i / I8_BLOCK * I8_BLOCK; j < count && j / I8_BLOCK == i / I8_BLOCK; j++)
                largest = fmaxf(largest, fabsf(values[j]));
            float step = largest / 127;
            if (!(fabsf(back[i] - values[i]) <= step * 1.0001f))
                fail_msg("%zu of %zu: saw %g, wanted %g ± %g", i, count, (double)back[i],
                         (double)values[i], (double)step);
        }
    }
}

/* The mean over many seeds is the value, and its error is what independent chances give; errors
 * of different values do not go together. */
static void a_byte_is_right_on_average(void **state)
{
    (void)state;
    enum { SEEDS = 4000, COUNT = 2 * I8_BLOCK };
    float values[COUNT], back[COUNT];
    double sum[COUNT] = {0}, all = 0, all_squared = 0;
    uint8_t bytes[2 * COUNT];
    normals(values, COUNT, 1, 1);
    values[0] = values[I8_BLOCK] = 4; /* the scale of both blocks: 4 / 127 */
    double step = 4.0 / 127, expected = 0;
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = fmaxf(-4, fminf(values[i], 4));
        double part = (double)values[i] / step - floor((double)values[i] / step);
        expected += part * (1 - part) * step * step;
    }
    struct random random = random_stream(7, 0, RANDOM_INITIAL, 1);
    for (int s = 0; s < SEEDS; s++) {
        double total = 0;
        /* seeds at random, and seeds that follow one another: both happen */
        quantise_i8(values, COUNT, s % 2 ? random_u64(&random) : (uint64_t)s, 0, bytes);
        dequantise_i8(bytes, COUNT, back);
        for (size_t i = 0; i < COUNT; i++) {
            double error = (double)back[i] - (double)values[i];
            sum[i] += error;
            total += error;
        }
        all += total;
        all_squared += total * total;
    }
    for (size_t i = 0; i < COUNT; i++) /* 5 standard deviations of the mean of the worst variance */
        if (fabs(sum[i] / SEEDS) > 5 * step / 2 / sqrt(SEEDS))
            fail_msg("value %zu: %g steps off on average", i, sum[i] / SEEDS / step);
    assert_true(fabs(all / SEEDS) < 5 * sqrt(expected / SEEDS));
    double ratio = all_squared / SEEDS / expected;
    if (ratio < 0.8 || ratio > 1.25)
        fail_msg("the errors' sum has %.3f times the variance of independent ones", ratio);
}

static void blocks_may_be_encoded_in_several_calls(void **state)
{
    (void)state;
    float values[MOST];
    uint8_t whole[2 * MOST], parts[2 * MOST];
    normals(values, MOST, 5, 1);
    quantise_i8(values, MOST, 12345678901234567ull, 0, whole);
    quantise_i8(values, 512, 12345678901234567ull, 0, parts);
    quantise_i8(values + 512, MOST - 512, 12345678901234567ull, 512, parts + i8_bytes(512));
    assert_memory_equal(whole, parts, i8_bytes(MOST));
}

static void extremes_stay_finite(void **state)
{
    (void)state;
    static const float extremes[] = {0, 1e-45f, 0x1p-101f, 0x1p-99f, 1e-20f, 1e30f, 3.4028235e38f};
    for (size_t e = 0; e < sizeof extremes / sizeof *extremes; e++) {
        float values[3] = {extremes[e], -extremes[e], extremes[e] / 3}, back[3];
        uint8_t bytes[I8_SCALE_BYTES + 3];
        quantise_i8(values, 3, e, 0, bytes);
        assert_true(i8_sound(bytes, 3));
        dequantise_i8(bytes, 3, back);
        for (int i = 0; i < 3; i++)
            assert_true(isfinite(back[i]));
        bool zero = extremes[e]<0x1p-100f, capped = extremes[e]> 1e38f;
        if (zero)
            assert_true(back[0] == 0 && back[1] == 0);
        else if (!capped)
            assert_true(fabsf(back[0] - values[0]) <= values[0] / 127);
    }
}

static void a_scale_that_is_none_is_found(void **state)
{
    (void)state;
    static const float scales[] = {NAN, INFINITY, -1, -0x1p-149f, 0x1.000002p120f};
    float values[300], back[300];
    uint8_t bytes[400];
    normals(values, 300, 5, 1);
    for (size_t s = 0; s < sizeof scales / sizeof *scales; s++)
        for (size_t block = 0; block < 2; block++) {
            quantise_i8(values, 300, 1, 0, bytes);
            quantise_f32(&scales[s], 1, bytes + block * (I8_SCALE_BYTES + I8_BLOCK));
            assert_false(i8_sound(bytes, 300));
        }
    const float most = I8_SCALE_MAX;
    memset(bytes, 0x80, sizeof bytes); /* −128 each, which no encoder writes */
    quantise_f32(&most, 1, bytes);
    assert_true(i8_sound(bytes, 200));
    dequantise_i8(bytes, 200, back);
    assert_true(isfinite(back[199]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_is_the_nearest),
        cmocka_unit_test(every_finite_half_comes_back),
        cmocka_unit_test(a_byte_is_one_step_off_at_most),
        cmocka_unit_test(a_byte_is_right_on_average),
        cmocka_unit_test(blocks_may_be_encoded_in_several_calls),
        cmocka_unit_test(extremes_stay_finite),
        cmocka_unit_test(a_scale_that_is_none_is_found),
    };
    return cmocka_run_group_tests_name("quantise", tests, NULL, NULL);
}
