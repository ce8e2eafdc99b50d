#include "sim/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/random.h"

#define WINDOW_US 1000u

/* Takes what there is in the first window with events before `until_us`; false when there is none.
 */
static bool take(struct clock *clock, uint64_t until_us, struct event **events, size_t *count)
{
    uint64_t window = clock_first(clock);
    if (window == UINT64_MAX || window * WINDOW_US >= until_us)
        return false;
    assert_true(clock_take(clock, window, until_us, events, count));
    for (size_t i = 0; i < *count; i++)
        assert_int_equal((*events)[i].time_us / WINDOW_US, window);
    return true;
}

/* Every event comes out once, window by window and in each by receiver and in order, though every
 * one that is taken causes another: in the next window, in later ones, far beyond the ring. */
static void events_come_out_window_by_window_in_their_order(void **state)
{
    (void)state;
    enum { MOST = 40000 };
    struct clock *clock = clock_new(WINDOW_US);
    struct random random = random_stream(1, 0, RANDOM_NETWORK, 0);
    bool *seen = calloc(MOST, sizeof *seen);
    uint32_t made = 0;
    for (; made < 5000; made++)
        assert_true(clock_add(clock, &(struct event){.time_us = random_below(&random, 3000),
                                                     .receiver = random_below(&random, 5000),
                                                     .sequence = made}));
    struct event *events;
    uint64_t before = 0, taken = 0;
    for (size_t count; take(clock, UINT64_MAX, &events, &count);) {
        uint64_t window = events[0].time_us / WINDOW_US;
        assert_true(taken == 0 || window > before);
        before = window;
        taken += count;
        struct event *copy = malloc(count * sizeof *copy);
        memcpy(copy, events, count * sizeof *copy);
        for (size_t i = 0; i < count; i++) {
            if (i > 0 && copy[i].receiver == copy[i - 1].receiver)
                assert_true(event_before(&copy[i - 1], &copy[i]));
            else
                assert_true(i == 0 || copy[i].receiver > copy[i - 1].receiver);
            assert_false(seen[copy[i].sequence]);
            seen[copy[i].sequence] = true;
            static const uint32_t reach[] = {1, 300, 20000, 9000000};
            if (made < MOST)
                assert_true(clock_add(
                    clock, &(struct event){.time_us = (window + 1) * WINDOW_US +
                                                      random_below(&random, reach[made % 4]),
                                           .receiver = random_below(&random, 70000),
                                           .sequence = made}));
            made += made < MOST;
        }
        free(copy);
    }
    assert_int_equal(taken, MOST);
    free(seen);
    clock_free(&clock);
}

static void at_one_receiver_time_comes_first_then_sender_kind_and_sequence(void **state)
{
    (void)state;
    static const struct event order[] = {
        {.time_us = 1, .sender = 9, .kind = EVENT_TICK, .sequence = 9},
        {.time_us = 2, .sender = 1, .kind = EVENT_TICK, .sequence = 9},
        {.time_us = 2, .sender = 2, .kind = EVENT_DONE, .sequence = 9},
        {.time_us = 2, .sender = 2, .kind = EVENT_ARRIVE, .sequence = 1},
        {.time_us = 2, .sender = 2, .kind = EVENT_ARRIVE, .sequence = 2},
    };
    enum { COUNT = sizeof order / sizeof *order };
    struct clock *clock = clock_new(WINDOW_US);
    for (size_t i = COUNT; i-- > 0;)
        assert_true(clock_add(clock, &order[i]));
    struct event *events;
    size_t count;
    assert_true(take(clock, WINDOW_US, &events, &count));
    assert_int_equal(count, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        assert_memory_equal(&events[i], &order[i], sizeof order[i]);
    clock_free(&clock);
}

static void nothing_comes_out_at_or_after_the_end(void **state)
{
    (void)state;
    struct clock *clock = clock_new(WINDOW_US);
    struct event *events;
    size_t count;
    assert_true(clock_add(clock, &(struct event){.time_us = 100, .sequence = 1}));
    assert_true(clock_add(clock, &(struct event){.time_us = 99, .sequence = 2}));
    assert_true(take(clock, 100, &events, &count));
    assert_int_equal(count, 1);
    assert_int_equal(events[0].sequence, 2);
    assert_true(take(clock, 100, &events, &count));
    assert_int_equal(count, 0);
    assert_true(take(clock, 101, &events, &count));
    assert_int_equal(count, 1);
    assert_int_equal(events[0].sequence, 1);
    assert_false(take(clock, UINT64_MAX, &events, &count));
    clock_free(&clock);
}

/* A window far away does not hide one that is nearer and filled later. */
static void a_nearer_window_may_be_filled_later(void **state)
{
    (void)state;
    struct clock *clock = clock_new(WINDOW_US);
    struct event *events;
    size_t count;
    assert_true(clock_add(clock, &(struct event){.time_us = 77000000 * (uint64_t)WINDOW_US}));
    assert_int_equal(clock_first(clock), 77000000);
    assert_true(clock_add(clock, &(struct event){.time_us = 5000 * (uint64_t)WINDOW_US}));
    assert_int_equal(clock_first(clock), 5000);
    assert_true(clock_add(clock, &(struct event){.time_us = 3 * (uint64_t)WINDOW_US}));
    assert_int_equal(clock_first(clock), 3);
    for (int i = 0; i < 3; i++) {
        assert_true(take(clock, UINT64_MAX, &events, &count));
        assert_int_equal(count, 1);
    }
    assert_false(take(clock, UINT64_MAX, &events, &count));
    clock_free(&clock);
}

static void draining_gives_every_event_back(void **state)
{
    (void)state;
    struct clock *clock = clock_new(WINDOW_US);
    struct event event, *events;
    size_t count, left = 0;
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(
            clock_add(clock, &(struct event){.time_us = (uint64_t)i * i * 100, .sequence = i}));
    assert_true(take(clock, UINT64_MAX, &events, &count));
    while (clock_drain(clock, &event))
        left++;
    assert_int_equal(left, 1000 - count);
    clock_free(&clock);
    clock_free(&clock); /* nothing left to free: fine */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_out_window_by_window_in_their_order),
        cmocka_unit_test(at_one_receiver_time_comes_first_then_sender_kind_and_sequence),
        cmocka_unit_test(nothing_comes_out_at_or_after_the_end),
        cmocka_unit_test(a_nearer_window_may_be_filled_later),
        cmocka_unit_test(draining_gives_every_event_back),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
