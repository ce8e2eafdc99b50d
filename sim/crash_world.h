/* crash_world — a world lives on, and those crash in it whose time has come.
 *
 * A crash happens to the whole world at once, between two events: all that is earlier has happened,
 * and nothing of that moment or later.
 */
#ifndef STARLING_CRASH_WORLD_H
#define STARLING_CRASH_WORLD_H

#include "sim/world.h"

/* As world_live (sim/world.h), with the crashes of the experiment that are due before `until_us`.
 * The best are those whose served models are right on most of the first sim.eval_examples test
 * examples. */
enum starling_error crash_world_live(struct world *world, const struct experiment *experiment,
                                     struct pool *pool, uint64_t until_us,
                                     const volatile sig_atomic_t *interrupted, uint64_t *reached_us,
                                     struct problem *problem);

#endif
