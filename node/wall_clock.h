/* wall_clock — the time a node goes by: deadlines by one clock, validity by another.
 *
 * Wall time never runs below a floor: the latest time that another member confirmed, its clock and
 * this device's being no more than CLOCK_TOLERANCE_S apart, and what passed since by the monotonic
 * clock. Only the floor is stored. So a clock that is set back does not revive what has expired,
 * and one that jumps ahead, with nobody to confirm it, is forgotten when it is set right. A device
 * that boots before the build's own date, and has stored nothing later, does not know the time: it
 * judges nobody's expiry until its clock is set, or two members agree on a time.
 */
#ifndef STARLING_WALL_CLOCK_H
#define STARLING_WALL_CLOCK_H

#include <stdbool.h>

#include "gossip/peer.h"

/* Seconds since 1970 that no honest clock of this build shows less than; configure sets it. */
#ifndef STARLING_BUILD_EPOCH
#define STARLING_BUILD_EPOCH INT64_C(1735689600) /* 2025-01-01 */
#endif

struct wall_clock {
    int64_t floor_s;   /* wall time at floor_us was at least this */
    uint64_t floor_us; /* monotonic */
    int64_t heard_s;   /* what a member said the time was at heard_us; 0: nobody yet */
    uint64_t heard_us;
    peer_id heard_from;
};

/* `stored_s`: the floor on disk, 0 for none. */
void wall_clock_start(struct wall_clock *clock, int64_t stored_s);

struct now wall_clock_now(const struct wall_clock *clock);

/* A verified member's word on the time. When this device's clock is set and agrees, the earlier of
 * the two becomes the floor, unless that is later already. When it is not set, and another member
 * said the same before, to CLOCK_TOLERANCE_S, the earlier of these two becomes the floor: true. */
bool wall_clock_hear(struct wall_clock *clock, peer_id from, int64_t said_s, const struct now *now);

/* The floor now, to be stored; 0 when there is none. */
int64_t wall_clock_floor(const struct wall_clock *clock, const struct now *now);

/* Seconds by which the floor is ahead of the device's clock; 0 when it is not. */
int64_t wall_clock_ahead(const struct wall_clock *clock);

/* False while the time is not known: then nobody's validity is judged. */
bool wall_clock_set(const struct now *now);

#endif
