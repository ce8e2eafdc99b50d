/* overlay_world — who knows whom in a world, as sim/overlay.h measures it. */
#ifndef STARLING_OVERLAY_WORLD_H
#define STARLING_OVERLAY_WORLD_H

#include "sim/results.h"
#include "sim/world.h"

/* Measures the views of the world's `nodes` participants; fills in the in-degree in rows[nodes]. */
enum starling_error overlay_world(const struct world *world, size_t nodes, uint64_t seed,
                                  struct node_row *rows, struct overlay *overlay,
                                  struct problem *problem);

#endif
