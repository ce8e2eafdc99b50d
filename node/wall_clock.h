/* wall_clock — the time a node goes by: deadlines by one clock, validity by another.
 *
 * Wall time never runs below the latest that was seen and stored. A device that boots before the
 * build's own date, and has stored nothing later, does not know the time: it judges nobody's
 * expiry until its clock is set.
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
};

/* `stored_s`: the latest wall time on disk, 0 for none. */
void wall_clock_start(struct wall_clock *clock, int64_t stored_s);

struct now wall_clock_now(const struct wall_clock *clock);

/* False while the time is not known: then nobody's validity is judged. */
bool wall_clock_set(const struct now *now);

#endif
