#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/random.h"
#include "model/vector.h"

#define MOST 9000
#define SPARE 16 /* beyond the vector: must stay as it was */

/* Lengths around every width and block of the kernels. */
static const size_t counts[] = {0,  1,  2,   7,   8,   15,  16,   17,   31,   57,   63,   64,
                                65, 80, 100, 127, 255, 784, 1000, 4095, 4096, 4097, 8192, MOST};
#define COUNTS (sizeof counts / sizeof *counts)

static float *a, *b, *shift, *out, *before;

static int make_vectors(void **state)
{
    (void)state;
    float **all[] = {&a, &b, &shift, &out, &before};
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 0);
    for (size_t v = 0; v < sizeof all / sizeof *all; v++) {
        *all[v] = vector_new(MOST + 2 * SPARE);
        for (size_t i = 0; i < MOST + 2 * SPARE; i++)
            (*all[v])[i] = (float)random_normal(&random);
    }
    return 0;
}

static int free_vectors(void **state)
{
    (void)state;
    float *all[] = {a, b, shift, out, before};
    for (size_t v = 0; v < sizeof all / sizeof *all; v++)
        vector_free(all[v]);
    return 0;
}

static void assert_near(double saw, double wanted, double tolerance, size_t count)
{
    if (!(fabs(saw - wanted) <= tolerance))
        fail_msg("%zu values: saw %.9g, wanted %.9g", count, saw, wanted);
}

/* `out` + offset holds what a kernel made of `before`: checks it against f and that nothing around
 * it was touched. */
static void assert_each(size_t offset, size_t count, double (*f)(size_t))
{
    for (size_t i = 0; i < MOST + 2 * SPARE; i++)
        if (i < offset || i >= offset + count)
            assert_memory_equal(&out[i], &before[i], sizeof *out);
        else
            assert_near((double)out[i], f(i), 1e-6, count);
}

static void restore(void)
{
    memcpy(out, before, (MOST + 2 * SPARE) * sizeof *out);
}

static double blended(size_t i)
{
    return (double)before[i] + (double)0.3f * ((double)a[i] - (double)before[i]);
}

static double blended_to(size_t i)
{
    return (double)b[i] + (double)0.3f * ((double)a[i] - (double)b[i]);
}

static double added(size_t i)
{
    return (double)before[i] - 0.75 * (double)a[i];
}

static double scaled(size_t i)
{
    return 1.5 * (double)before[i];
}

static double standardised(size_t i)
{
    return ((double)a[i] - (double)shift[i]) * (double)b[i];
}

static void elementwise_kernels_agree_with_the_plain_ones(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNTS; c++)
        for (size_t offset = 0; offset < 3; offset++) {
            size_t count = counts[c];
            float *to = out + offset;
            restore();
            vector_blend(to, a + offset, 0.3f, count);
            assert_each(offset, count, blended);
            restore();
            vector_blend_to(to, b + offset, a + offset, 0.3f, count);
            assert_each(offset, count, blended_to);
            restore();
            vector_blend_to(to, to, a + offset, 0.3f, count);
            assert_each(offset, count, blended);
            restore();
            vector_add_scaled(to, a + offset, -0.75f, count);
            assert_each(offset, count, added);
            restore();
            vector_scale(to, 1.5f, count);
            assert_each(offset, count, scaled);
            restore();
            vector_standardise(to, a + offset, shift + offset, b + offset, count);
            assert_each(offset, count, standardised);
        }
}

static void sums_agree_with_the_plain_ones(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNTS; c++)
        for (size_t offset = 0; offset < 3; offset++) {
            size_t count = counts[c];
            double dot = 0, norm2 = 0, distance2 = 0;
            for (size_t i = offset; i < offset + count; i++) {
                double x = (double)a[i], y = (double)b[i];
                dot += x * y;
                norm2 += x * x;
                distance2 += (x - y) * (x - y);
            }
            double tolerance = 1e-5 * (double)count + 1e-12;
            assert_near(vector_dot(a + offset, b + offset, count), dot, tolerance, count);
            assert_near(vector_norm2(a + offset, count), norm2, tolerance, count);
            assert_near(vector_distance2(a + offset, b + offset, count), distance2, tolerance,
                        count);
        }
}

/* A lane that holds 2^30 drops the ones added to it: for a block, not for the whole vector. */
static void long_sums_lose_little(void **state)
{
    (void)state;
    size_t count = 1000 * 1000;
    float *values = vector_new(count), *ones = vector_new(count);
    assert_true(values && ones);
    for (size_t i = 0; i < count; i++)
        values[i] = ones[i] = 1.0f;
    values[0] = 0x1p30f;
    assert_near(vector_dot(values, ones, count), 0x1p30 + (double)(count - 1), 4096, count);
    vector_free(values);
    vector_free(ones);
}

static void a_value_that_is_not_finite_is_found_wherever_it_is(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0x7F800000, 0xFF800000, 0x7FC00000, 0x7F800001, 0xFFFFFFFF};
    restore();
    out[3] = 3.4e38f;
    out[4] = 1e-45f;
    out[5] = -0.0f;
    for (size_t c = 0; c < COUNTS; c++) {
        size_t count = counts[c], step = count / 50 + 1;
        assert_true(vector_finite(out, count));
        for (size_t i = 0; i < count; i += step) {
            float kept = out[i];
            memcpy(&out[i], &bad[i % 5], sizeof *out);
            assert_false(vector_finite(out, count));
            out[i] = kept;
        }
        out[count] = NAN; /* just behind the end */
        assert_true(vector_finite(out, count));
        out[count] = 1.0f;
    }
}

static void zeros_are_counted_and_nothing_else(void **state)
{
    (void)state;
    static const float others[] = {NAN, 1e-45f, -1e-45f, INFINITY, 1};
    restore();
    for (size_t c = 0; c < COUNTS; c++) {
        size_t zeros = 0;
        for (size_t i = 0; i < counts[c]; i++) {
            out[i] = i % 3 == 0 ? 0.0f : i % 7 == 0 ? -0.0f : others[i % 5];
            zeros += i % 3 == 0 || i % 7 == 0;
        }
        out[counts[c]] = 0; /* just behind the end */
        assert_int_equal(vector_zeros(out, counts[c]), zeros);
    }
}

static void bytes_become_zero_to_one(void **state)
{
    (void)state;
    unsigned char bytes[256];
    float values[256];
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (unsigned char)i;
    vector_from_bytes(values, bytes, 256);
    for (size_t i = 0; i < 256; i++)
        assert_near((double)values[i], (double)i / 255.0, 1e-7, 256);
    assert_true(values[0] == 0.0f && values[255] == 1.0f);
}

static void new_vectors_are_aligned_and_zero(void **state)
{
    (void)state;
    for (size_t count = 0; count < 100; count++) {
        float *vector = vector_new(count);
        assert_non_null(vector);
        assert_int_equal((uintptr_t)vector % 64, 0);
        for (size_t i = 0; i < count; i++)
            assert_true(vector[i] == 0.0f);
        vector_free(vector);
    }
    vector_free(NULL);
}

static void a_vector_beyond_all_memory_is_null(void **state)
{
    (void)state;
    assert_null(vector_new(SIZE_MAX));
    assert_null(vector_new(SIZE_MAX / sizeof(float)));
    assert_null(vector_new(SIZE_MAX / 8));
}

static void the_kernels_have_a_name(void **state)
{
    (void)state;
    const char *name = vector_kernels();
    assert_true(strcmp(name, "avx512") == 0 || strcmp(name, "avx2") == 0 ||
                strcmp(name, "generic") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise_kernels_agree_with_the_plain_ones),
        cmocka_unit_test(sums_agree_with_the_plain_ones),
        cmocka_unit_test(long_sums_lose_little),
        cmocka_unit_test(a_value_that_is_not_finite_is_found_wherever_it_is),
        cmocka_unit_test(zeros_are_counted_and_nothing_else),
        cmocka_unit_test(bytes_become_zero_to_one),
        cmocka_unit_test(new_vectors_are_aligned_and_zero),
        cmocka_unit_test(a_vector_beyond_all_memory_is_null),
        cmocka_unit_test(the_kernels_have_a_name),
    };
    return cmocka_run_group_tests(tests, make_vectors, free_vectors);
}
