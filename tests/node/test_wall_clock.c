#include "node/wall_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LATER (STARLING_BUILD_EPOCH + 1000000)

/* A device that booted into 1970, `seconds` after its start. */
static struct now boot_time(uint64_t seconds)
{
    return (struct now){.monotonic_us = seconds * 1000000, .wall_s = (int64_t)seconds};
}

static void time_never_runs_below_what_is_stored(void **state)
{
    (void)state;
    struct wall_clock clock;
    int64_t ahead = wall_clock_now(&(struct wall_clock){0}).wall_s + 1000;
    wall_clock_start(&clock, ahead);
    assert_true(wall_clock_now(&clock).wall_s >= ahead);
    wall_clock_start(&clock, 0);
    assert_true(wall_clock_now(&clock).wall_s < ahead);
}

static void a_clock_before_the_build_is_unset(void **state)
{
    (void)state;
    struct now boot = boot_time(5), set = {.wall_s = STARLING_BUILD_EPOCH};
    assert_false(wall_clock_set(&boot));
    assert_true(wall_clock_set(&set));
}

static void two_members_that_agree_set_an_unset_clock(void **state)
{
    (void)state;
    struct wall_clock clock = {0};
    struct now now = boot_time(10);
    assert_false(wall_clock_hear(&clock, 1, LATER, &now));
    now = boot_time(70);
    assert_false(wall_clock_hear(&clock, 1, LATER + 60, &now)); /* the same member again */
    assert_true(wall_clock_hear(&clock, 2, LATER + 60 + 599, &now));
    assert_int_equal(clock.floor_s, LATER + 60);
    assert_int_equal(clock.floor_us, now.monotonic_us);
}

static void members_that_differ_or_know_nothing_do_not(void **state)
{
    (void)state;
    struct wall_clock clock = {0};
    struct now now = boot_time(10);
    assert_false(wall_clock_hear(&clock, 1, 0, &now));
    assert_false(wall_clock_hear(&clock, 2, 0, &now));
    assert_false(wall_clock_hear(&clock, 1, LATER, &now));
    assert_false(wall_clock_hear(&clock, 2, LATER + 601, &now));
    assert_int_equal(clock.floor_s, 0);
    assert_true(wall_clock_hear(&clock, 3, LATER + 700, &now)); /* agrees with the second */
}

static void a_clock_that_is_set_hears_nobody(void **state)
{
    (void)state;
    struct wall_clock clock = {0};
    struct now now = {.monotonic_us = 1000000, .wall_s = LATER};
    assert_false(wall_clock_hear(&clock, 1, LATER + 9000, &now));
    assert_false(wall_clock_hear(&clock, 2, LATER + 9000, &now));
    assert_int_equal(clock.floor_s, 0);
}

static void the_floor_is_what_another_member_confirmed(void **state)
{
    (void)state;
    struct wall_clock clock = {0};
    struct now now = {.monotonic_us = 1000000, .wall_s = LATER};
    assert_int_equal(wall_clock_floor(&clock, &now), 0);
    assert_false(wall_clock_hear(&clock, 1, LATER + 600, &now));
    assert_int_equal(wall_clock_floor(&clock, &now), LATER);
    now = (struct now){.monotonic_us = 11000000, .wall_s = LATER + 10};
    assert_false(wall_clock_hear(&clock, 2, LATER - 500, &now)); /* never back */
    assert_int_equal(wall_clock_floor(&clock, &now), LATER + 10);
    assert_false(wall_clock_hear(&clock, 2, 0, &now));
    assert_int_equal(wall_clock_floor(&clock, &now), LATER + 10);
}

static void a_jump_that_nobody_confirms_leaves_no_trace(void **state)
{
    (void)state;
    struct wall_clock clock = {0};
    struct now now = {.monotonic_us = 1000000, .wall_s = LATER};
    wall_clock_hear(&clock, 1, LATER, &now);
    now = (struct now){.monotonic_us = 3000000, .wall_s = LATER + 20 * INT64_C(31536000)};
    assert_false(wall_clock_hear(&clock, 1, LATER + 2, &now));
    assert_int_equal(wall_clock_floor(&clock, &now), LATER + 2);
}

static void a_floor_ahead_of_the_clock_is_known(void **state)
{
    (void)state;
    struct wall_clock clock;
    wall_clock_start(&clock, 0);
    assert_int_equal(wall_clock_ahead(&clock), 0);
    wall_clock_start(&clock, wall_clock_now(&(struct wall_clock){0}).wall_s + 100000);
    assert_in_range(wall_clock_ahead(&clock), 99000, 100100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(time_never_runs_below_what_is_stored),
        cmocka_unit_test(a_clock_before_the_build_is_unset),
        cmocka_unit_test(two_members_that_agree_set_an_unset_clock),
        cmocka_unit_test(members_that_differ_or_know_nothing_do_not),
        cmocka_unit_test(a_clock_that_is_set_hears_nobody),
        cmocka_unit_test(the_floor_is_what_another_member_confirmed),
        cmocka_unit_test(a_jump_that_nobody_confirms_leaves_no_trace),
        cmocka_unit_test(a_floor_ahead_of_the_clock_is_known),
    };
    return cmocka_run_group_tests_name("wall_clock", tests, NULL, NULL);
}
