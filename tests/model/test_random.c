#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/random.h"

/* kat_vectors of the Random123 distribution, the lines for philox4x32 10. */
static void philox_gives_the_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], answer[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct random random = {.used = 4};
        memcpy(random.counter, cases[c].counter, sizeof random.counter);
        memcpy(random.key, cases[c].key, sizeof random.key);
        for (int i = 0; i < 4; i++)
            assert_int_equal(random_u32(&random), cases[c].answer[i]);
    }
}

/* Results of past runs depend on it. */
static void a_stream_is_named_by_seed_node_purpose_and_step(void **state)
{
    (void)state;
    struct random random =
        random_stream(0x1122334455667788, 0x99aabbcc, RANDOM_PEER, 0xd00e12345678);
    assert_int_equal(random.key[0], 0x55667788);
    assert_int_equal(random.key[1], 0x11223344);
    assert_int_equal(random.counter[0], 0);
    assert_int_equal(random.counter[1], 0x12345678);
    assert_int_equal(random.counter[2], 0x99aabbcc);
    assert_int_equal(random.counter[3], 0x0008d00e);
}

static void streams_differ_in_every_part_of_their_name(void **state)
{
    (void)state;
    struct random streams[] = {
        random_stream(1, 2, RANDOM_BATCH, 3),
        random_stream(9, 2, RANDOM_BATCH, 3),
        random_stream(1 | 1ull << 40, 2, RANDOM_BATCH, 3),
        random_stream(1, 9, RANDOM_BATCH, 3),
        random_stream(1, 2, RANDOM_PEER, 3),
        random_stream(1, 2, RANDOM_BATCH, 4),
        random_stream(1, 2, RANDOM_BATCH, 3 | 1ull << 40),
    };
    size_t count = sizeof streams / sizeof *streams;
    uint64_t first[sizeof streams / sizeof *streams];
    for (size_t i = 0; i < count; i++)
        first[i] = random_u64(&streams[i]);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(first[i] != first[j]);
}

static void a_stream_does_not_depend_on_what_else_is_drawn(void **state)
{
    (void)state;
    struct random alone = random_stream(5, 6, RANDOM_DIGIT, 7);
    struct random beside = alone, other = random_stream(5, 7, RANDOM_DIGIT, 7);
    for (int i = 0; i < 1000; i++) {
        random_u32(&other);
        assert_int_equal(random_u32(&alone), random_u32(&beside));
    }
}

static void below_is_within_its_bound_and_even(void **state)
{
    (void)state;
    struct random random = random_stream(1, 0, RANDOM_PEER, 0);
    static const uint32_t bounds[] = {1, 2, 3, 7, 10, 1000, 0x80000001u, UINT32_MAX};
    for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++)
        for (int i = 0; i < 1000; i++)
            assert_true(random_below(&random, bounds[b]) < bounds[b]);

    /* A third of 2^32 and more: without the correction the lower half would come twice as often. */
    int low = 0, draws = 100000;
    for (int i = 0; i < draws; i++)
        low += random_below(&random, 0xC0000000u) < 0x60000000u;
    assert_true(abs(low - draws / 2) < 800); /* five standard deviations */
}

static void uniform_numbers_fill_the_unit_interval(void **state)
{
    (void)state;
    struct random random = random_stream(2, 0, RANDOM_PEER, 0);
    double sum = 0, least = 1, most = 0;
    for (int i = 0; i < 100000; i++) {
        double x = random_uniform(&random);
        assert_true(x >= 0.0 && x < 1.0);
        sum += x;
        least = fmin(least, x);
        most = fmax(most, x);
    }
    assert_true(fabs(sum / 100000 - 0.5) < 0.005);
    assert_true(least < 0.001 && most > 0.999);
}

static void normal_numbers_have_the_moments_of_the_bell(void **state)
{
    (void)state;
    struct random random = random_stream(3, 0, RANDOM_PEER, 0);
    double sum[5] = {0};
    int draws = 200000;
    for (int i = 0; i < draws; i++) {
        double x = random_normal(&random);
        assert_true(isfinite(x));
        for (int power = 1; power <= 4; power++)
            sum[power] += pow(x, power) / draws;
    }
    assert_true(fabs(sum[1]) < 0.015);
    assert_true(fabs(sum[2] - 1) < 0.02);
    assert_true(fabs(sum[3]) < 0.05);
    assert_true(fabs(sum[4] - 3) < 0.15);
}

static void gamma_numbers_have_the_mean_and_variance_of_their_shape(void **state)
{
    (void)state;
    static const double shapes[] = {0.05, 0.3, 0.9, 1.0, 2.5, 40.0};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        struct random random = random_stream(4, (uint32_t)s, RANDOM_PARTITION, 0);
        double sum = 0, sum2 = 0;
        int draws = 200000;
        for (int i = 0; i < draws; i++) {
            double x = random_gamma(&random, shapes[s]);
            assert_true(x >= 0.0 && isfinite(x));
            sum += x / draws;
            sum2 += x * x / draws;
        }
        double tolerance = 5 * sqrt(shapes[s] / draws);
        assert_true(fabs(sum - shapes[s]) < tolerance);
        assert_true(fabs((sum2 - sum * sum) / shapes[s] - 1) < 0.1);
    }
}

static void a_permutation_keeps_every_item(void **state)
{
    (void)state;
    for (size_t count = 0; count < 100; count++) {
        struct random random = random_stream(6, (uint32_t)count, RANDOM_BATCH, 0);
        uint32_t items[100];
        bool seen[100] = {false};
        for (uint32_t i = 0; i < count; i++)
            items[i] = i;
        random_permute(&random, items, count);
        for (size_t i = 0; i < count; i++) {
            assert_true(items[i] < count && !seen[items[i]]);
            seen[items[i]] = true;
        }
    }
}

static void all_permutations_are_equally_likely(void **state)
{
    (void)state;
    struct random random = random_stream(7, 0, RANDOM_BATCH, 0);
    int times[27] = {0}, draws = 60000;
    for (int i = 0; i < draws; i++) {
        uint32_t items[] = {0, 1, 2};
        random_permute(&random, items, 3);
        times[9 * items[0] + 3 * items[1] + items[2]]++;
    }
    int kinds = 0;
    for (int i = 0; i < 27; i++) {
        kinds += times[i] > 0;
        assert_true(times[i] == 0 || abs(times[i] - draws / 6) < 460);
    }
    assert_int_equal(kinds, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_known_answers),
        cmocka_unit_test(a_stream_is_named_by_seed_node_purpose_and_step),
        cmocka_unit_test(streams_differ_in_every_part_of_their_name),
        cmocka_unit_test(a_stream_does_not_depend_on_what_else_is_drawn),
        cmocka_unit_test(below_is_within_its_bound_and_even),
        cmocka_unit_test(uniform_numbers_fill_the_unit_interval),
        cmocka_unit_test(normal_numbers_have_the_moments_of_the_bell),
        cmocka_unit_test(gamma_numbers_have_the_mean_and_variance_of_their_shape),
        cmocka_unit_test(a_permutation_keeps_every_item),
        cmocka_unit_test(all_permutations_are_equally_likely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
