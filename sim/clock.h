/* clock — the events of a simulated world, in their one total order.
 *
 * An array calendar: time is cut into windows no longer than the least latency, each an unsorted
 * array until it is reached and then sorted once. Events of the window that is open, which only a
 * short computation can cause, wait in a small heap beside it. (Brown 1988, "Calendar queues",
 * CACM 31(10), with windows in place of its resizing days.)
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

/* Ordered by (time_us, receiver, sender, kind, sequence): no two are equal. */
struct event {
    uint64_t time_us;
    peer_id receiver, sender;
    uint64_t sequence;
    uint32_t kind;
    uint32_t parcel; /* of EVENT_ARRIVE */
};

struct clock;

/* `window_us` > 0. NULL when memory is out. */
struct clock *clock_new(uint64_t window_us);
void clock_free(struct clock **clock);

/* Adds an event that is not earlier than the last one taken. False when memory is out. */
bool clock_add(struct clock *clock, struct event event);

/* Takes the next event before `until_us`; false when there is none, or when memory is out
 * (clock_failed tells). */
bool clock_next(struct clock *clock, uint64_t until_us, struct event *event);
/* Takes any event at all, in no order, for clearing up; false when none is left. */
bool clock_drain(struct clock *clock, struct event *event);

bool clock_failed(const struct clock *clock);

#endif
