/* pace — a world lives through a round in steps that a person can watch: short enough that progress
 * moves where a round takes minutes, and none at all where it takes no time.
 *
 * The steps change no bit of what happens.
 */
#ifndef STARLING_PACE_H
#define STARLING_PACE_H

#include "sim/progress.h"
#include "sim/world.h"

struct pace {
    uint64_t step_us; /* of virtual time; 0: not known yet */
};

/* crash_world_live from the beginning of round `round`, counted from 1, to its end, and the
 * progress on the way there; the latest evaluation, or NULL. */
enum starling_error pace_live(struct pace *pace, struct world *world,
                              const struct experiment *experiment, struct pool *pool,
                              uint64_t round, const volatile sig_atomic_t *interrupted,
                              uint64_t *reached_us, struct progress *progress,
                              const struct round_row *latest, struct problem *problem);

#endif
