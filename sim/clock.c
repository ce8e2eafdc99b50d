#include "sim/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RING 4096u /* windows ahead; what is later waits in `far` */

struct bag {
    struct event *events;
    size_t count, capacity;
};

struct clock {
    uint64_t window_us;
    uint64_t open; /* number of the window that `current` was made from */
    bool opened;   /* false: window `open` has not been sorted yet */
    size_t taken;  /* of current */
    struct bag current;
    struct bag near; /* a heap: events added to the open window */
    struct bag far;  /* beyond the ring */
    struct bag ring[RING];
    bool failed;
};

struct clock *clock_new(uint64_t window_us)
{
    assert(window_us > 0);
    struct clock *clock = calloc(1, sizeof *clock);
    if (clock)
        clock->window_us = window_us;
    return clock;
}

void clock_free(struct clock **clock)
{
    if (!*clock)
        return;
    for (size_t i = 0; i < RING; i++)
        free((*clock)->ring[i].events);
    free((*clock)->current.events);
    free((*clock)->near.events);
    free((*clock)->far.events);
    free(*clock);
    *clock = NULL;
}

static int compare(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    if (a->time_us != b->time_us)
        return a->time_us < b->time_us ? -1 : 1;
    if (a->receiver != b->receiver)
        return a->receiver < b->receiver ? -1 : 1;
    if (a->sender != b->sender)
        return a->sender < b->sender ? -1 : 1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->sequence < b->sequence ? -1 : a->sequence > b->sequence;
}

static bool put(struct bag *bag, struct event event)
{
    if (bag->count == bag->capacity) {
        size_t capacity = bag->capacity ? 2 * bag->capacity : 16;
        struct event *events = realloc(bag->events, capacity * sizeof *events);
        if (!events)
            return false;
        bag->events = events;
        bag->capacity = capacity;
    }
    bag->events[bag->count++] = event;
    return true;
}

static void swap(struct event *a, struct event *b)
{
    struct event other = *a;
    *a = *b;
    *b = other;
}

static bool heap_put(struct bag *heap, struct event event)
{
    if (!put(heap, event))
        return false;
    for (size_t i = heap->count - 1; i > 0; i = (i - 1) / 2) {
        if (compare(&heap->events[(i - 1) / 2], &heap->events[i]) <= 0)
            break;
        swap(&heap->events[(i - 1) / 2], &heap->events[i]);
    }
    return true;
}

static struct event heap_take(struct bag *heap)
{
    struct event first = heap->events[0];
    heap->events[0] = heap->events[--heap->count];
    for (size_t i = 0;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < heap->count; child++)
            if (compare(&heap->events[child], &heap->events[least]) < 0)
                least = child;
        if (least == i)
            return first;
        swap(&heap->events[i], &heap->events[least]);
        i = least;
    }
}

bool clock_add(struct clock *clock, struct event event)
{
    uint64_t window = event.time_us / clock->window_us;
    bool added;
    assert(window >= clock->open);
    if (window == clock->open && clock->opened)
        added = heap_put(&clock->near, event);
    else if (window - clock->open < RING)
        added = put(&clock->ring[window % RING], event);
    else
        added = put(&clock->far, event);
    clock->failed |= !added;
    return added;
}

/* Events that have come within reach of the ring move into it. */
static void draw_near(struct clock *clock)
{
    size_t kept = 0;
    for (size_t i = 0; i < clock->far.count; i++) {
        struct event event = clock->far.events[i];
        uint64_t window = event.time_us / clock->window_us;
        if (window - clock->open >= RING)
            clock->far.events[kept++] = event;
        else if (!put(&clock->ring[window % RING], event))
            clock->failed = true;
    }
    clock->far.count = kept;
}

static void open_window(struct clock *clock)
{
    struct bag *bag = &clock->ring[clock->open % RING];
    struct bag spent = clock->current;
    spent.count = 0;
    clock->current = *bag;
    *bag = spent;
    if (clock->current.count > 1)
        qsort(clock->current.events, clock->current.count, sizeof(struct event), compare);
    clock->taken = 0;
    clock->opened = true;
}

bool clock_next(struct clock *clock, uint64_t until_us, struct event *event)
{
    while (!clock->failed) {
        if (!clock->opened)
            open_window(clock);
        const struct event *first =
            clock->taken < clock->current.count ? &clock->current.events[clock->taken] : NULL;
        bool from_near =
            clock->near.count > 0 && (!first || compare(&clock->near.events[0], first) < 0);
        if (from_near)
            first = &clock->near.events[0];
        if (first) {
            if (first->time_us >= until_us)
                return false;
            if (from_near) {
                *event = heap_take(&clock->near);
            } else {
                *event = *first;
                clock->taken++;
            }
            return true;
        }
        if ((clock->open + 1) * clock->window_us >= until_us)
            return false;
        clock->open++;
        clock->opened = false;
        if (clock->open % RING == 0)
            draw_near(clock);
    }
    return false;
}

bool clock_drain(struct clock *clock, struct event *event)
{
    if (clock->taken < clock->current.count) {
        *event = clock->current.events[clock->taken++];
        return true;
    }
    struct bag *bag = clock->near.count ? &clock->near : &clock->far;
    for (size_t i = 0; i < RING && bag->count == 0; i++)
        bag = &clock->ring[i];
    if (bag->count == 0)
        return false;
    *event = bag->events[--bag->count];
    return true;
}

bool clock_failed(const struct clock *clock)
{
    return clock->failed;
}
