#include "sim/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/random.h"

static int later(const struct event *a, const struct event *b)
{
    if (a->time_us != b->time_us)
        return a->time_us > b->time_us;
    if (a->receiver != b->receiver)
        return a->receiver > b->receiver;
    if (a->sender != b->sender)
        return a->sender > b->sender;
    return a->kind != b->kind ? a->kind > b->kind : a->sequence > b->sequence;
}

/* Every event comes out once and in order, though each that is taken causes others: at once, in the
 * same window, in later ones, and far beyond the calendar's ring. */
static void events_come_out_in_their_total_order(void **state)
{
    (void)state;
    struct clock *clock = clock_new(1000);
    struct random random = random_stream(1, 0, RANDOM_NETWORK, 0);
    uint64_t sequence = 0;
    for (; sequence < 500; sequence++)
        assert_true(clock_add(clock, (struct event){.time_us = random_below(&random, 3000),
                                                    .receiver = random_below(&random, 5),
                                                    .sequence = sequence}));
    struct event event, before = {0};
    uint64_t taken = 0;
    while (clock_next(clock, UINT64_MAX / 2, &event)) {
        assert_false(taken > 0 && !later(&event, &before));
        before = event;
        taken++;
        static const uint32_t reach[] = {1, 300, 20000, 9000000};
        if (sequence < 20000)
            assert_true(clock_add(
                clock, (struct event){.time_us = event.time_us + 1 +
                                                 random_below(&random, reach[sequence % 4]),
                                      .receiver = random_below(&random, 5),
                                      .sequence = sequence}));
        sequence += sequence < 20000;
        if (taken == sequence)
            break;
    }
    assert_int_equal(taken, 20000);
    clock_free(&clock);
}

static void nothing_comes_out_at_or_after_the_end(void **state)
{
    (void)state;
    struct clock *clock = clock_new(50);
    struct event event;
    assert_true(clock_add(clock, (struct event){.time_us = 100, .sequence = 1}));
    assert_true(clock_add(clock, (struct event){.time_us = 99, .sequence = 2}));
    assert_true(clock_next(clock, 100, &event));
    assert_int_equal(event.sequence, 2);
    assert_false(clock_next(clock, 100, &event));
    assert_true(clock_next(clock, 101, &event));
    assert_int_equal(event.sequence, 1);
    assert_false(clock_next(clock, 1000000, &event));
    clock_free(&clock);
}

static void draining_gives_every_event_back(void **state)
{
    (void)state;
    struct clock *clock = clock_new(10);
    struct event event;
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(clock_add(clock, (struct event){.time_us = i * i, .sequence = i}));
    for (int i = 0; i < 10; i++)
        assert_true(clock_next(clock, UINT64_MAX / 2, &event));
    size_t left = 0;
    while (clock_drain(clock, &event))
        left++;
    assert_int_equal(left, 990);
    clock_free(&clock);
    clock_free(&clock); /* nothing left to free: fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_in_their_total_order),
        cmocka_unit_test(nothing_comes_out_at_or_after_the_end),
        cmocka_unit_test(draining_gives_every_event_back),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
