#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/convolution.h"
#include "model/lanes.h"
#include "model/random.h"
#include "model/vector.h"

/* Sizes that need every size of block, on either side of it, and every kind of rim. */
static const struct convolution cases[] = {
    {{1, 28, 28}, {6, 28, 28}, 5, 5, 2, 2},  {{6, 14, 14}, {16, 10, 10}, 5, 5, 0, 0},
    {{1, 1, 1}, {1, 1, 1}, 1, 1, 0, 0},      {{2, 3, 4}, {3, 3, 4}, 1, 1, 0, 0},
    {{3, 5, 4}, {7, 5, 4}, 3, 3, 1, 1},      {{2, 6, 9}, {5, 5, 3}, 2, 7, 0, 0},
    {{1, 2, 3}, {2, 4, 5}, 3, 3, 2, 2},      {{1, 1, 1}, {4, 1, 1}, 5, 5, 2, 2},
    {{4, 7, 17}, {11, 8, 18}, 4, 4, 2, 2},   {{13, 3, 3}, {9, 1, 1}, 3, 3, 0, 0},
    {{2, 4, 20}, {1, 4, 14}, 5, 11, 2, 2},   {{5, 3, 12}, {23, 3, 12}, 3, 3, 1, 1},
    {{1, 40, 60}, {24, 36, 56}, 5, 5, 0, 0}, {{2, 3, 3}, {3, 5, 5}, 7, 7, 4, 4},
};
#define CASES (sizeof cases / sizeof *cases)

static float *random_vector(size_t count, uint64_t seed)
{
    float *vector = vector_new(count);
    assert_non_null(vector);
    struct random random = random_stream(seed, 0, RANDOM_INITIAL, 0);
    for (size_t i = 0; i < count; i++)
        vector[i] = (float)random_normal(&random);
    return vector;
}

static const float *at(const float *group, const struct image *image, size_t c, size_t y, size_t x)
{
    return group + ((c * image->height + y) * image->width + x) * LANES;
}

/* The value at (y, x) of what is padded, which may lie outside. */
static double padded_at(const float *group, const struct convolution *window, size_t c, size_t y,
                        size_t x, size_t lane)
{
    const struct image *in = &window->in;
    if (y < window->pad_height || x < window->pad_width || y - window->pad_height >= in->height ||
        x - window->pad_width >= in->width)
        return 0;
    return (double)at(group, in, c, y - window->pad_height, x - window->pad_width)[lane];
}

/* A sum of `terms` products of numbers around 1, added up as floats. */
static void check(const char *what, size_t number, size_t place, double saw, double wanted,
                  size_t terms)
{
    if (fabs(saw - wanted) > 1e-5 * sqrt((double)terms))
        fail_msg("case %zu, %s %zu: saw %.9g, wanted %.9g", number, what, place, saw, wanted);
}

static float *padded_copy(const float *group, struct image image, size_t pad)
{
    float *padded = vector_new(convolution_padded(image, pad));
    assert_non_null(padded);
    convolution_pad(padded, group, image, pad);
    return padded;
}

static void sums_agree_with_the_plain_ones(void **state)
{
    (void)state;
    for (size_t n = 0; n < CASES; n++) {
        const struct convolution *window = &cases[n];
        const struct image *to = &window->out;
        float *in = random_vector(convolution_group(window->in), n);
        float *weights = random_vector(convolution_weights(window), 100 + n);
        float *biases = random_vector(to->channels, 200 + n);
        float *out = random_vector(convolution_group(*to), 300 + n);
        float *padded = padded_copy(in, window->in, window->pad_width);
        convolution_sum(window, padded, weights, biases, out);
        for (size_t i = 0; i < convolution_group(*to); i++) {
            size_t lane = i % LANES, x = i / LANES % to->width;
            size_t y = i / LANES / to->width % to->height, o = i / LANES / to->width / to->height;
            const float *weight = weights + o * (convolution_weights(window) / to->channels);
            double wanted = (double)biases[o];
            for (size_t c = 0; c < window->in.channels; c++)
                for (size_t ky = 0; ky < window->kernel_height; ky++)
                    for (size_t kx = 0; kx < window->kernel_width; kx++)
                        wanted +=
                            (double)*weight++ * padded_at(in, window, c, y + ky, x + kx, lane);
            check("output", n, i, (double)out[i], wanted, convolution_weights(window));
        }
        vector_free(in);
        vector_free(weights);
        vector_free(biases);
        vector_free(out);
        vector_free(padded);
    }
}

static void gradients_by_weights_agree_with_the_plain_ones(void **state)
{
    (void)state;
    const size_t groups = 2;
    for (size_t n = 0; n < CASES; n++) {
        const struct convolution *window = &cases[n];
        const struct image *to = &window->out, *from = &window->in;
        size_t in_group = convolution_group(*from), out_group = convolution_group(*to);
        size_t padded_group = convolution_padded(*from, window->pad_width);
        float *in = random_vector(groups * in_group, n);
        float *by_out = random_vector(groups * out_group, 100 + n);
        float *padded = vector_new(groups * padded_group);
        for (size_t g = 0; g < groups; g++)
            convolution_pad(padded + g * padded_group, in + g * in_group, *from, window->pad_width);
        float *lent = random_vector(convolution_lent(window), 200 + n);
        float *gradient = random_vector(convolution_weights(window), 300 + n);
        convolution_gradient(window, padded, by_out, groups, lent, gradient);
        size_t kernel = window->kernel_height * window->kernel_width;
        for (size_t i = 0; i < convolution_weights(window); i += 1 + i / 100) {
            size_t kx = i % window->kernel_width,
                   ky = i / window->kernel_width % window->kernel_height;
            size_t c = i / kernel % from->channels, o = i / kernel / from->channels;
            double wanted = 0;
            for (size_t g = 0; g < groups; g++)
                for (size_t y = 0; y < to->height; y++)
                    for (size_t x = 0; x < to->width; x++)
                        for (size_t lane = 0; lane < LANES; lane++)
                            wanted += (double)at(by_out + g * out_group, to, o, y, x)[lane] *
                                      padded_at(in + g * in_group, window, c, y + ky, x + kx, lane);
            check("weight", n, i, (double)gradient[i], wanted, groups * out_group);
        }
        vector_free(in);
        vector_free(by_out);
        vector_free(padded);
        vector_free(lent);
        vector_free(gradient);
    }
}

/* Σ by_out out(in) = Σ by_in in for every `in` says that the way back is the way forward turned. */
static void the_way_back_is_the_transposed_way_forward(void **state)
{
    (void)state;
    for (size_t n = 0; n < CASES; n++) {
        const struct convolution *window = &cases[n];
        struct convolution back = convolution_back(window);
        float *in = random_vector(convolution_group(window->in), n);
        float *weights = random_vector(convolution_weights(window), 100 + n);
        float *turned = vector_new(convolution_weights(window));
        float *out = vector_new(convolution_group(window->out));
        float *by_out = random_vector(convolution_group(window->out), 200 + n);
        float *by_in = vector_new(convolution_group(window->in));
        float *padded = padded_copy(in, window->in, window->pad_width);
        float *by_padded = padded_copy(by_out, back.in, back.pad_width);
        convolution_sum(window, padded, weights, NULL, out);
        convolution_turn(window, weights, turned);
        convolution_sum(&back, by_padded, turned, NULL, by_in);
        double forward = vector_dot(by_out, out, convolution_group(window->out));
        double backward = vector_dot(by_in, in, convolution_group(window->in));
        double scale = sqrt(vector_norm2(by_in, convolution_group(window->in)) *
                            vector_norm2(in, convolution_group(window->in)));
        if (fabs(forward - backward) > 1e-5 * (1 + scale))
            fail_msg("case %zu: forward %.9g, backward %.9g", n, forward, backward);
        vector_free(in);
        vector_free(weights);
        vector_free(turned);
        vector_free(out);
        vector_free(by_out);
        vector_free(by_in);
        vector_free(padded);
        vector_free(by_padded);
    }
}

static void lanes_and_rows_lead_to_each_other(void **state)
{
    (void)state;
    static const size_t batches[] = {1, 15, 16, 17, 40};
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
        for (size_t channels = 1; channels <= 3; channels++) {
            size_t batch = batches[b], values = 35 * channels;
            size_t count = lanes_groups(batch) * LANES * values;
            float *rows = random_vector(batch * values, b), *again = vector_new(batch * values);
            float *lanes = random_vector(count, 50 + b);
            lanes_from_rows(lanes, rows, batch, values, channels);
            for (size_t i = 0; i < count; i++) {
                size_t example = i / (LANES * values) * LANES + i % LANES;
                size_t place = i / LANES % values, each = values / channels;
                size_t from = place % each * channels + place / each;
                float wanted = example < batch ? rows[example * values + from] : 0.0f;
                assert_true(lanes[i] == wanted);
            }
            lanes_to_rows(again, lanes, batch, values, channels);
            assert_memory_equal(again, rows, batch * values * sizeof *rows);
            vector_free(rows);
            vector_free(again);
            vector_free(lanes);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_agree_with_the_plain_ones),
        cmocka_unit_test(gradients_by_weights_agree_with_the_plain_ones),
        cmocka_unit_test(the_way_back_is_the_transposed_way_forward),
        cmocka_unit_test(lanes_and_rows_lead_to_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
