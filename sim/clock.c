#include "sim/clock.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define RING 4096u      /* windows ahead; what is later waits in `far` */
#define CHUNK_EVENTS 31 /* so that a chunk is a kilobyte */
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)
#define FEW 64 /* events that are sorted without counting digits */

struct chunk {
    struct chunk *next;
    size_t count;
    struct event events[CHUNK_EVENTS];
};

/* What a window's events are sorted by: the receiver, and the place in the array. */
struct key {
    uint32_t receiver, place;
};

struct clock {
    uint64_t window_us;
    uint64_t open;    /* the window taken last: none before it has events */
    uint64_t scanned; /* nor has any before this one */
    uint64_t horizon; /* windows from `open` up to here, at most RING, are in the ring */
    struct chunk *ring[RING];
    struct chunk *far, *spare;
    size_t chunks; /* in all */
    struct event *unsorted, *sorted;
    struct key *keys, *other_keys;
    size_t capacity; /* of each of the four */
};

struct clock *clock_new(uint64_t window_us)
{
    assert(window_us > 0);
    struct clock *clock = calloc(1, sizeof *clock);
    if (clock) {
        clock->window_us = window_us;
        clock->horizon = RING;
    }
    return clock;
}

static void free_chunks(struct chunk *chunk)
{
    while (chunk) {
        struct chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void clock_free(struct clock **clock)
{
    if (!*clock)
        return;
    for (size_t i = 0; i < RING; i++)
        free_chunks((*clock)->ring[i]);
    free_chunks((*clock)->far);
    free_chunks((*clock)->spare);
    free((*clock)->unsorted);
    free((*clock)->sorted);
    free((*clock)->keys);
    free((*clock)->other_keys);
    free(*clock);
    *clock = NULL;
}

bool event_before(const struct event *a, const struct event *b)
{
    if (a->time_us != b->time_us)
        return a->time_us < b->time_us;
    if (a->sender != b->sender)
        return a->sender < b->sender;
    if (a->kind != b->kind)
        return a->kind < b->kind;
    return a->sequence < b->sequence;
}

static bool put(struct clock *clock, struct chunk **list, const struct event *event)
{
    struct chunk *chunk = *list;
    if (!chunk || chunk->count == CHUNK_EVENTS) {
        chunk = clock->spare;
        if (chunk)
            clock->spare = chunk->next;
        else if ((chunk = malloc(sizeof *chunk)))
            clock->chunks++;
        else
            return false;
        chunk->next = *list;
        chunk->count = 0;
        *list = chunk;
    }
    chunk->events[chunk->count++] = *event;
    return true;
}

bool clock_add(struct clock *clock, const struct event *event)
{
    uint64_t window = event->time_us / clock->window_us;
    assert(window >= clock->open);
    if (window < clock->scanned)
        clock->scanned = window;
    return put(clock, window < clock->horizon ? &clock->ring[window % RING] : &clock->far, event);
}

static struct chunk *give_back(struct clock *clock, struct chunk *chunk)
{
    struct chunk *next = chunk->next;
    chunk->next = clock->spare;
    clock->spare = chunk;
    return next;
}

/* Windows up to RING after `open` come into the ring. False when memory is out; then nothing is
 * lost. */
static bool draw_near(struct clock *clock)
{
    struct chunk *old = clock->far;
    bool good = true;
    clock->far = NULL;
    clock->horizon = clock->open + RING;
    while (old && good) {
        while (old->count > 0 && good) {
            good = clock_add(clock, &old->events[old->count - 1]);
            old->count -= good;
        }
        if (good)
            old = give_back(clock, old);
    }
    while (old) { /* only when memory is out: what is left stays far, and the run ends */
        struct chunk *next = old->next;
        old->next = clock->far;
        clock->far = old;
        old = next;
    }
    return good;
}

static uint64_t first_of_far(const struct clock *clock)
{
    uint64_t first = UINT64_MAX;
    for (const struct chunk *chunk = clock->far; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->count; i++)
            if (chunk->events[i].time_us / clock->window_us < first)
                first = chunk->events[i].time_us / clock->window_us;
    return first;
}

uint64_t clock_first(struct clock *clock)
{
    if (clock->scanned < clock->open)
        clock->scanned = clock->open;
    for (; clock->scanned < clock->horizon; clock->scanned++)
        if (clock->ring[clock->scanned % RING])
            return clock->scanned;
    return first_of_far(clock);
}

static bool make_room(struct clock *clock, size_t count)
{
    if (count <= clock->capacity)
        return true;
    size_t capacity = count + count / 4;
    free(clock->unsorted);
    free(clock->sorted);
    free(clock->keys);
    free(clock->other_keys);
    clock->unsorted = malloc(capacity * sizeof *clock->unsorted);
    clock->sorted = malloc(capacity * sizeof *clock->sorted);
    clock->keys = malloc(capacity * sizeof *clock->keys);
    clock->other_keys = malloc(capacity * sizeof *clock->other_keys);
    bool good = clock->unsorted && clock->sorted && clock->keys && clock->other_keys;
    clock->capacity = good ? capacity : 0;
    return good;
}

/* One digit of the receivers, least significant first: a stable counting sort. */
static void sort_digit(const struct key *from, struct key *to, size_t count, unsigned shift)
{
    uint32_t starts[DIGITS] = {0}, sum = 0;
    for (size_t i = 0; i < count; i++)
        starts[from[i].receiver >> shift & (DIGITS - 1)]++;
    for (size_t digit = 0; digit < DIGITS; digit++) {
        uint32_t here = starts[digit];
        starts[digit] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++)
        to[starts[from[i].receiver >> shift & (DIGITS - 1)]++] = from[i];
}

static void sort_by_receiver(struct clock *clock, size_t count)
{
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++) {
        clock->keys[i] = (struct key){clock->unsorted[i].receiver, (uint32_t)i};
        all |= clock->keys[i].receiver;
    }
    for (unsigned shift = 0; shift < 32 && all >> shift && count > FEW; shift += DIGIT_BITS) {
        sort_digit(clock->keys, clock->other_keys, count, shift);
        struct key *sorted = clock->other_keys;
        clock->other_keys = clock->keys;
        clock->keys = sorted;
    }
    for (size_t i = 0; i < count; i++)
        clock->sorted[i] = clock->unsorted[clock->keys[i].place];
}

/* By insertion: short where only the events of one receiver are out of order. */
static void sort_the_rest(struct event *events, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct event event = events[i];
        size_t place = i;
        while (place > 0 && (events[place - 1].receiver > event.receiver ||
                             (events[place - 1].receiver == event.receiver &&
                              event_before(&event, &events[place - 1])))) {
            events[place] = events[place - 1];
            place--;
        }
        if (place < i)
            events[place] = event;
    }
}

bool clock_take(struct clock *clock, uint64_t number, uint64_t until_us, struct event **events,
                size_t *count)
{
    assert(number >= clock->open);
    clock->open = number;
    if (number + RING / 2 >= clock->horizon && !draw_near(clock))
        return false;
    struct chunk *chunk = clock->ring[number % RING];
    size_t all = 0, taken = 0;
    for (const struct chunk *each = chunk; each; each = each->next)
        all += each->count;
    if (!make_room(clock, all))
        return false;
    clock->ring[number % RING] = NULL;
    while (chunk) {
        for (size_t i = 0; i < chunk->count; i++)
            if (chunk->events[i].time_us < until_us)
                clock->unsorted[taken++] = chunk->events[i];
            else if (!put(clock, &clock->ring[number % RING], &chunk->events[i]))
                return false;
        chunk = give_back(clock, chunk);
    }
    sort_by_receiver(clock, taken);
    sort_the_rest(clock->sorted, taken);
    *events = clock->sorted;
    *count = taken;
    return true;
}

void clock_each(struct clock *clock, clock_viewer *view, void *self)
{
    for (size_t i = 0; i <= RING; i++)
        for (struct chunk *chunk = i < RING ? clock->ring[i] : clock->far; chunk;
             chunk = chunk->next)
            for (size_t k = 0; k < chunk->count; k++)
                view(self, &chunk->events[k]);
}

bool clock_drain(struct clock *clock, struct event *event)
{
    struct chunk **list = &clock->far;
    for (size_t i = 0; i < RING && !*list; i++)
        list = &clock->ring[i];
    if (!*list)
        return false;
    struct chunk *chunk = *list;
    *event = chunk->events[--chunk->count];
    if (chunk->count == 0)
        *list = give_back(clock, chunk);
    return true;
}

size_t clock_bytes(const struct clock *clock)
{
    return sizeof *clock + clock->chunks * sizeof(struct chunk) +
           clock->capacity * 2 * (sizeof(struct event) + sizeof(struct key));
}
