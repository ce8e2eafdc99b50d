#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/activation.h"
#include "model/random.h"

#define SOME 1031 /* values at a time; no kernel's width divides it */
#define STRIDE 509u

struct curve {
    const char *name;
    void (*kernel)(float *out, const float *in, size_t count);
    double (*exact)(double);
    double ulps; /* at most off, in units in the last place */
};

static double logistic(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static const struct curve curves[] = {
    {"exp", vector_exp, exp, 3.0},
    {"logistic", vector_logistic, logistic, 4.0},
    {"tanh", vector_tanh, tanh, 6.0},
};
#define CURVES (sizeof curves / sizeof *curves)

/* How far `saw` is from `exact`, in units in the last place of the nearest float. */
static double ulps_off(float saw, double exact)
{
    float nearest = fabsf((float)exact);
    return fabs((double)saw - exact) / (double)(nextafterf(nearest, INFINITY) - nearest);
}

static void check(const struct curve *curve, float x, float saw)
{
    double exact = curve->exact((double)x);
    bool right;
    if (isnan(x))
        right = isnan(saw);
    else if (isinf((float)exact))
        right = saw == (float)exact;
    else if (fabs(exact) < (double)0x1p-126f)
        right = fabs((double)saw) <= (double)0x1.1p-126f;
    else
        right = ulps_off(saw, exact) <= curve->ulps;
    if (!right)
        fail_msg("%s of %a (%.9g): saw %.9g, wanted %.9g", curve->name, (double)x, (double)x,
                 (double)saw, exact);
}

/* All floats would take minutes: every STRIDE-th, of both signs, NaN and infinities among them. */
static void curves_are_near_the_exact_ones_over_all_floats(void **state)
{
    (void)state;
    float in[SOME], out[SOME];
    for (size_t c = 0; c < CURVES; c++)
        for (uint64_t bits = 0; bits <= UINT32_MAX; bits += (uint64_t)SOME * STRIDE) {
            for (size_t i = 0; i < SOME; i++) {
                uint32_t one = (uint32_t)(bits + i * STRIDE);
                memcpy(&in[i], &one, sizeof one);
            }
            curves[c].kernel(out, in, SOME);
            for (size_t i = 0; i < SOME; i++)
                check(&curves[c], in[i], out[i]);
        }
}

static void curves_keep_the_meaning_of_what_is_not_finite(void **state)
{
    (void)state;
    float in[] = {INFINITY, -INFINITY, NAN, 0.0f, 1000.0f, -1000.0f}, out[6];
    vector_exp(out, in, 6);
    assert_true(out[0] == INFINITY && out[1] == 0.0f && isnan(out[2]) && out[3] == 1.0f);
    assert_true(out[4] == INFINITY && out[5] == 0.0f);
    vector_logistic(out, in, 6);
    assert_true(out[0] == 1.0f && out[1] == 0.0f && isnan(out[2]) && out[3] == 0.5f);
    assert_true(out[4] == 1.0f && out[5] == 0.0f);
    vector_tanh(out, in, 6);
    assert_true(out[0] == 1.0f && out[1] == -1.0f && isnan(out[2]) && out[3] == 0.0f);
    assert_true(out[4] == 1.0f && out[5] == -1.0f);
}

static void curves_work_in_place_and_touch_nothing_else(void **state)
{
    (void)state;
    float in[80], out[80];
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 0);
    for (size_t c = 0; c < CURVES; c++)
        for (size_t count = 0; count <= 70; count++) {
            for (size_t i = 0; i < 80; i++)
                out[i] = in[i] = (float)(4.0 * random_normal(&random));
            curves[c].kernel(out + 3, out + 3, count);
            for (size_t i = 0; i < 80; i++)
                if (i >= 3 && i < 3 + count)
                    check(&curves[c], in[i], out[i]);
                else
                    assert_true(out[i] == in[i]);
        }
}

static void softmax_agrees_with_the_plain_one(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 2, 3, 10, 16, 65, 256};
    static float rows[150 * 256], before[150 * 256];
    double log_sums[150];
    struct random random = random_stream(2, 0, RANDOM_INITIAL, 0);
    for (size_t w = 0; w < sizeof widths / sizeof *widths; w++) {
        size_t width = widths[w];
        for (size_t i = 0; i < 150 * width; i++)
            rows[i] = before[i] = (float)(20.0 * random_normal(&random));
        softmax_rows(rows, 0.25f, log_sums, 150, width);
        for (size_t r = 0; r < 150; r++) {
            double most = -INFINITY, sum = 0.0;
            for (size_t c = 0; c < width; c++)
                most = fmax(most, (double)before[r * width + c]);
            for (size_t c = 0; c < width; c++)
                sum += exp((double)before[r * width + c] - most);
            if (!(fabs(log_sums[r] - (most + log(sum))) <= 1e-5))
                fail_msg("width %zu, row %zu: saw log sum %.9g, wanted %.9g", width, r, log_sums[r],
                         most + log(sum));
            for (size_t c = 0; c < width; c++) {
                double wanted = 0.25 * exp((double)before[r * width + c] - most) / sum;
                double saw = (double)rows[r * width + c];
                if (!(fabs(saw - wanted) <= 1e-6))
                    fail_msg("width %zu, row %zu: saw %.9g, wanted %.9g", width, r, saw, wanted);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_are_near_the_exact_ones_over_all_floats),
        cmocka_unit_test(curves_keep_the_meaning_of_what_is_not_finite),
        cmocka_unit_test(curves_work_in_place_and_touch_nothing_else),
        cmocka_unit_test(softmax_agrees_with_the_plain_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
