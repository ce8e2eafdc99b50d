#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/evaluation.h"

/* Losses of a made-up node: a slope a round, and noise of deviation 1 whose neighbours resemble
 * each other by `memory` (an AR(1) process). The same seed gives the same losses. */
static enum trend trend_of_noise(uint32_t seed, int rounds, double memory, double slope)
{
    struct random random = random_stream(7, seed, RANDOM_EVALUATE, (uint64_t)rounds);
    struct trend_window window = {0};
    double noise = random_normal(&random);
    for (int i = 0; i < rounds; i++) {
        trend_add(&window, 5.0 + slope * i + noise);
        noise = memory * noise + sqrt(1 - memory * memory) * random_normal(&random);
    }
    return trend_of(&window);
}

/* How often a word comes out, in percent. */
static double percent(enum trend trend, int rounds, double memory, double slope)
{
    int times = 0, runs = 2000;
    for (int r = 0; r < runs; r++)
        times += trend_of_noise((uint32_t)r, rounds, memory, slope) == trend;
    return 100.0 * times / runs;
}

static enum trend trend_of_values(const double *values, int count)
{
    struct trend_window window = {0};
    for (int i = 0; i < count; i++)
        trend_add(&window, values[i]);
    return trend_of(&window);
}

static void a_few_evaluations_are_a_start(void **state)
{
    (void)state;
    struct trend_window window = {0};
    for (int i = 0; i < TREND_LEAST; i++) {
        assert_int_equal(trend_of(&window), TREND_STARTING);
        trend_add(&window, 2.0 - 0.1 * i);
    }
    assert_int_equal(trend_of(&window), TREND_LEARNING);
}

static void a_steady_fall_is_learning_and_a_rise_getting_worse(void **state)
{
    (void)state;
    for (int rounds = TREND_LEAST; rounds < 100; rounds++) {
        struct trend_window fall = {0}, rise = {0}, flat = {0};
        for (int i = 0; i < rounds; i++) {
            trend_add(&fall, 1.0 / (1 + i));
            trend_add(&rise, 0.3 + 0.01 * i);
            trend_add(&flat, 0.7);
        }
        assert_int_equal(trend_of(&fall), TREND_LEARNING);
        assert_int_equal(trend_of(&rise), TREND_WORSE);
        assert_int_equal(trend_of(&flat), TREND_CONVERGED);
    }
}

static void only_the_last_evaluations_count(void **state)
{
    (void)state;
    struct trend_window window = {0};
    for (int i = 0; i < 50; i++)
        trend_add(&window, 9.0 - 0.1 * i);
    for (int i = 0; i < TREND_WINDOW; i++)
        trend_add(&window, 1.0 + 0.1 * (i % 2));
    assert_int_equal(trend_of(&window), TREND_CONVERGED);
    for (int i = 0; i < TREND_WINDOW - 5; i++)
        trend_add(&window, 2.0 + 0.1 * i);
    assert_int_equal(trend_of(&window), TREND_WORSE);
}

/* Mann–Kendall by hand: 10 values have 45 pairs, S = 45 less twice the pairs that fall, and a
 * variance of 125, so |S| − 1 must exceed 1.96 · √125 = 21.9. */
static void the_line_is_where_the_tables_put_it(void **state)
{
    (void)state;
    static const double falling_11[] = {3, 4, 1, 2, 9, 5, 8, 6, 10, 7}; /* S = 23 */
    static const double falling_12[] = {3, 4, 1, 9, 2, 5, 8, 6, 10, 7}; /* S = 21 */
    double mirrored_11[10], mirrored_12[10];
    for (int i = 0; i < 10; i++) {
        mirrored_11[i] = -falling_11[i];
        mirrored_12[i] = -falling_12[i];
    }
    assert_int_equal(trend_of_values(falling_11, 10), TREND_WORSE);
    assert_int_equal(trend_of_values(falling_12, 10), TREND_CONVERGED);
    assert_int_equal(trend_of_values(mirrored_11, 10), TREND_LEARNING);
    assert_int_equal(trend_of_values(mirrored_12, 10), TREND_CONVERGED);
}

static void what_is_not_finite_is_worse_than_anything(void **state)
{
    (void)state;
    static const double bad[] = {INFINITY, NAN, -INFINITY};
    for (size_t b = 0; b < 3; b++) {
        struct trend_window healing = {0}, breaking = {0}, broken = {0};
        for (int i = 0; i < 20; i++) {
            trend_add(&healing, i < 10 ? bad[b] : 1.0 - 0.01 * i);
            trend_add(&breaking, i < 19 ? 1.0 - 0.01 * i : bad[b]);
            trend_add(&broken, bad[b]);
        }
        assert_int_equal(trend_of(&healing), TREND_LEARNING);
        assert_int_equal(trend_of(&breaking), TREND_WORSE);
        assert_int_equal(trend_of(&broken), TREND_WORSE);
    }
}

static void noise_alone_rarely_raises_a_false_alarm(void **state)
{
    (void)state;
    for (int rounds = TREND_LEAST; rounds <= TREND_WINDOW; rounds += 11) {
        double wrong = 100.0 - percent(TREND_CONVERGED, rounds, 0, 0);
        if (wrong >= 8.0)
            fail_msg("white noise, %d rounds: %.1f %% wrong, wanted under 8 %%", rounds, wrong);
    }
}

static void noise_with_memory_is_not_taken_for_a_trend_too_often(void **state)
{
    (void)state;
    double wrong = 100.0 - percent(TREND_CONVERGED, TREND_WINDOW, 0.6, 0);
    if (wrong >= 26.0) /* 30 % without the correction */
        fail_msg("noise with memory: %.1f %% wrong, wanted under 26 %%", wrong);
}

static void a_slow_fall_in_noise_is_seen(void **state)
{
    (void)state;
    assert_true(percent(TREND_LEARNING, TREND_WINDOW, 0, -0.1) > 95);
    assert_true(percent(TREND_WORSE, TREND_WINDOW, 0, 0.1) > 95);
    assert_true(percent(TREND_WORSE, TREND_WINDOW, 0, -0.05) < 1);
}

static void every_trend_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(trend_name(TREND_STARTING), "starting");
    assert_string_equal(trend_name(TREND_LEARNING), "learning");
    assert_string_equal(trend_name(TREND_CONVERGED), "converged");
    assert_string_equal(trend_name(TREND_WORSE), "getting worse");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_evaluations_are_a_start),
        cmocka_unit_test(a_steady_fall_is_learning_and_a_rise_getting_worse),
        cmocka_unit_test(only_the_last_evaluations_count),
        cmocka_unit_test(the_line_is_where_the_tables_put_it),
        cmocka_unit_test(what_is_not_finite_is_worse_than_anything),
        cmocka_unit_test(noise_alone_rarely_raises_a_false_alarm),
        cmocka_unit_test(noise_with_memory_is_not_taken_for_a_trend_too_often),
        cmocka_unit_test(a_slow_fall_in_noise_is_seen),
        cmocka_unit_test(every_trend_has_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
