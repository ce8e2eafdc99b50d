#include "gossip/merge.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct merge_settings settings(const char *rule)
{
    return (struct merge_settings){.rule = merge_rule_find(rule), .age_limit = 3, .alpha_max = 1};
}

static void limited_merge_follows_its_equations(void **state)
{
    (void)state;
    static const struct {
        double mine, theirs;
        bool ignore;
        float alpha;
        double age;
    } cases[] = {
        {10, 6.9, true, 0, 10},       /* mine is much older */
        {10, 7, false, 7 / 17.f, 10}, /* at the limit: weighed */
        {10, 10, false, .5f, 10},     {10, 13, false, 13 / 23.f, 13},
        {10, 13.1, false, 1, 13.1}, /* theirs is much older: adopted */
        {0, 0, false, .5f, 0},      /* nobody has learned yet */
        {0, 2, false, 1, 2},          {2, 0, false, 0, 2},
    };
    struct merge_settings limited = settings("limited");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct merge_verdict verdict = merge_judge(&limited, cases[i].mine, cases[i].theirs, 1);
        assert_int_equal(verdict.ignore, cases[i].ignore);
        assert_float_equal(verdict.alpha, cases[i].alpha, 1e-6f);
        assert_float_equal(verdict.age, cases[i].age, 0);
    }
}

static void average_and_age_follow_theirs(void **state)
{
    (void)state;
    struct merge_settings average = settings("average"), age = settings("age");
    struct merge_verdict verdict = merge_judge(&average, 100, 1, 2);
    assert_float_equal(verdict.alpha, .5f, 0);
    assert_float_equal(verdict.age, 100, 0);
    verdict = merge_judge(&age, 30, 10, 3);
    assert_false(verdict.ignore);
    assert_float_equal(verdict.alpha, .25f, 1e-6f);
}

/* w = (w + Σ received) / (1 + #received), whatever their ages. */
static void uniform_merge_weighs_all_of_a_round_the_same(void **state)
{
    (void)state;
    struct merge_settings uniform = settings("uniform");
    static const double received[] = {8, -3, 5, 100};
    double own = 2, blended = own, sum = own, age = 10;
    for (unsigned nth = 1; nth <= 4; nth++) {
        struct merge_verdict verdict = merge_judge(&uniform, age, 9.0 + nth, nth);
        assert_false(verdict.ignore);
        assert_float_equal(verdict.alpha, (float)(1 / (nth + 1.0)), 0);
        assert_float_equal(verdict.age, fmax(age, 9.0 + nth), 0);
        age = verdict.age;
        blended += (double)verdict.alpha * (received[nth - 1] - blended);
        sum += received[nth - 1];
        assert_true(fabs(blended - sum / (nth + 1.0)) < 1e-5);
    }
}

static void no_rule_gives_more_than_alpha_max(void **state)
{
    (void)state;
    for (size_t i = 0; merge_rule_names[i]; i++) {
        struct merge_settings half = settings(merge_rule_names[i]);
        half.alpha_max = .5;
        for (double theirs = 0; theirs < 20; theirs++) {
            struct merge_verdict verdict = merge_judge(&half, 5, theirs, 1);
            assert_true(verdict.alpha <= .5f && verdict.alpha >= 0);
            assert_true(verdict.age >= 5);
        }
    }
}

static void an_unknown_rule_is_not_found(void **state)
{
    (void)state;
    assert_null(merge_rule_find("mean"));
    assert_null(merge_rule_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limited_merge_follows_its_equations),
        cmocka_unit_test(average_and_age_follow_theirs),
        cmocka_unit_test(uniform_merge_weighs_all_of_a_round_the_same),
        cmocka_unit_test(no_rule_gives_more_than_alpha_max),
        cmocka_unit_test(an_unknown_rule_is_not_found),
    };
    return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
