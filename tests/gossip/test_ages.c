#include "gossip/ages.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/random.h"

enum { PARAMETERS = 1024, FRAGMENTS = 4 }; /* 256 each */

struct kept {
    double each[FRAGMENTS], whole;
    struct ages ages;
};

static void begin(struct kept *kept, bool fragments, double age)
{
    kept->ages = (struct ages){PARAMETERS, fragments ? FRAGMENTS : 1, fragments ? kept->each : NULL,
                               &kept->whole};
    ages_set(&kept->ages, age);
}

static struct piece fragment(uint32_t number, uint32_t of, double sample)
{
    return piece_of(PARAMETERS, number, of, sample, ENCODING_F32);
}

static void of_one_fragment_there_is_one_age(void **state)
{
    (void)state;
    struct kept kept;
    const struct piece whole = piece_whole(PARAMETERS);
    begin(&kept, false, 3);
    assert_true(ages_of(&kept.ages, &whole) == 3);
    ages_renew(&kept.ages, &whole, 7.1);
    assert_true(kept.whole == 7.1); /* to the bit */
    ages_add(&kept.ages, .1, 100);
    assert_true(kept.whole == 7.1 + .1);
    ages_add(&kept.ages, 1, 7.5);
    assert_true(kept.whole == 7.5);
}

static void a_fragment_leaves_the_others_as_old(void **state)
{
    (void)state;
    struct kept kept;
    const struct piece second = fragment(1, FRAGMENTS, 1);
    begin(&kept, true, 2);
    ages_renew(&kept.ages, &second, 10);
    assert_true(kept.each[0] == 2 && kept.each[1] == 10 && kept.each[2] == 2);
    assert_true(ages_of(&kept.ages, &second) == 10);
    assert_float_equal(kept.whole, 4, 1e-12);
    ages_add(&kept.ages, 1, 1000);
    assert_true(kept.each[0] == 3 && kept.each[1] == 11);
    assert_float_equal(kept.whole, 5, 1e-12);
}

static void a_subsample_renews_its_share(void **state)
{
    (void)state;
    struct kept kept;
    const struct piece half = fragment(2, FRAGMENTS, .5), tenth = fragment(0, 1, .1);
    begin(&kept, true, 2);
    ages_renew(&kept.ages, &half, 10);
    assert_float_equal(kept.each[2], 6, 1e-12);
    begin(&kept, false, 2);
    ages_renew(&kept.ages, &tenth, 12);
    assert_float_equal(kept.whole, 3, .01);
}

static void who_cuts_otherwise_is_understood(void **state)
{
    (void)state;
    struct kept kept;
    const struct piece half = fragment(0, 2, 1), third = fragment(0, 3, 1);
    const struct piece whole = piece_whole(PARAMETERS);
    begin(&kept, true, 2);
    kept.each[1] = 6;
    assert_float_equal(ages_of(&kept.ages, &half), 4, 1e-12);
    assert_float_equal(ages_of(&kept.ages, &whole), 3, 1e-12);
    ages_renew(&kept.ages, &half, 8);
    assert_true(kept.each[0] == 8 && kept.each[1] == 8 && kept.each[2] == 2);
    /* Thirds are whole blocks, too: the first of them is the first fragment. */
    ages_renew(&kept.ages, &third, 10);
    assert_true(kept.each[0] == 10 && kept.each[1] == 8);
    begin(&kept, false, 2);
    ages_renew(&kept.ages, &half, 4);
    assert_float_equal(kept.whole, 3, .1);
}

/* Whatever comes: an age stays between what it was and what came. */
static void ages_stay_between_old_and_new(void **state)
{
    (void)state;
    struct kept kept;
    struct random random = random_stream(1, 0, RANDOM_PIECE, 0);
    begin(&kept, true, 5);
    for (int i = 0; i < 2000; i++) {
        uint32_t of = 1 + random_below(&random, 9);
        struct piece piece = fragment(random_below(&random, of), of, random_uniform(&random));
        double before[FRAGMENTS], age = 100 * random_uniform(&random), sum = 0;
        for (int j = 0; j < FRAGMENTS; j++)
            before[j] = kept.each[j];
        ages_renew(&kept.ages, &piece, age);
        for (int j = 0; j < FRAGMENTS; j++) {
            assert_true(kept.each[j] >= fmin(before[j], age) - 1e-9);
            assert_true(kept.each[j] <= fmax(before[j], age) + 1e-9);
            sum += kept.each[j] / FRAGMENTS;
        }
        assert_float_equal(sum, kept.whole, 1e-9);
    }
}

/* What is mixed in makes nothing younger, though it is younger than what lies there in part. */
static void what_is_mixed_in_makes_nothing_younger(void **state)
{
    (void)state;
    struct kept kept;
    const struct piece half = fragment(0, 2, 1), whole = piece_whole(PARAMETERS);
    begin(&kept, true, 2);
    kept.each[1] = 9;
    ages_raise(&kept.ages, &half, 6);
    assert_true(kept.each[0] == 6 && kept.each[1] == 9 && kept.each[2] == 2);
    assert_float_equal(kept.whole, (6 + 9 + 2 + 2) / 4., 1e-12);
    begin(&kept, false, 5);
    ages_raise(&kept.ages, &whole, 4);
    assert_true(kept.whole == 5);
    ages_raise(&kept.ages, &whole, 7.1);
    assert_true(kept.whole == 7.1); /* to the bit */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_one_fragment_there_is_one_age),
        cmocka_unit_test(a_fragment_leaves_the_others_as_old),
        cmocka_unit_test(a_subsample_renews_its_share),
        cmocka_unit_test(who_cuts_otherwise_is_understood),
        cmocka_unit_test(ages_stay_between_old_and_new),
        cmocka_unit_test(what_is_mixed_in_makes_nothing_younger),
    };
    return cmocka_run_group_tests_name("ages", tests, NULL, NULL);
}
