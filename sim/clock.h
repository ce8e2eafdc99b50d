/* clock — the events of a simulated world, window by window.
 *
 * An array calendar: time is cut into windows no longer than the least latency, each a list of
 * chunks of unsorted events until it is taken, and then sorted once. Within a window nobody hears
 * of what others do, so events are taken node by node and, at each, in their order; what a node
 * causes for itself within a window that is taken, its driver keeps. (Brown 1988, "Calendar
 * queues", CACM 31(10), with windows in place of its resizing days.)
 */
#ifndef STARLING_CLOCK_H
#define STARLING_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/peer.h"

enum event_kind {
    EVENT_DONE,   /* a pass ends */
    EVENT_ARRIVE, /* a message is there */
    EVENT_TICK,   /* a deadline of the protocol */
    EVENT_LEAVE,  /* a node is away from now on */
    EVENT_JOIN,   /* and back again */
};

struct parcel;

/* What happens at a receiver is ordered by (time_us, sender, kind, sequence): no two are equal. */
struct event {
    uint64_t time_us;
    peer_id receiver, sender;
    uint32_t sequence, kind;
    struct parcel *parcel; /* of EVENT_ARRIVE */
};

/* Whether `a` happens before `b`, at the same receiver. */
bool event_before(const struct event *a, const struct event *b);

struct clock;

/* `window_us` > 0. NULL when memory is out. */
struct clock *clock_new(uint64_t window_us);
void clock_free(struct clock **clock);

/* Adds an event of the window taken last, or a later one. False when memory is out. */
bool clock_add(struct clock *clock, const struct event *event);

/* The first window that has events; UINT64_MAX when there is none. */
uint64_t clock_first(struct clock *clock);

/* Takes the events of window `number`, the first that has any or one before it, that are earlier
 * than `until_us`: by receiver, then in their order. The array is valid until the next call. False
 * when memory is out. */
bool clock_take(struct clock *clock, uint64_t number, uint64_t until_us, struct event **events,
                size_t *count);

/* Shows every event, in no order. */
typedef void clock_viewer(void *self, struct event *event);
void clock_each(struct clock *clock, clock_viewer *view, void *self);

/* Takes any event at all, in no order, for clearing up; false when none is left. */
bool clock_drain(struct clock *clock, struct event *event);

/* Bytes that the events take. */
size_t clock_bytes(const struct clock *clock);

#endif
