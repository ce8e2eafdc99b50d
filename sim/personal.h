/* personal — every node's own model at the end of a run, beside the swarm's and what the node makes
 * alone, each tested on the half of the node's hold-out that chooses nothing.
 */
#ifndef STARLING_SIM_PERSONAL_H
#define STARLING_SIM_PERSONAL_H

#include <signal.h>

#include "sim/pool.h"
#include "sim/progress.h"
#include "sim/results.h"
#include "sim/world.h"

/* Tunes what each of the `count` nodes of the world serves and fills rows[node].own in, but for the
 * node alone; a node whose features have no scaling yet is left out. `progress` is begun. Set
 * *interrupted ends it early. */
enum starling_error personal_run(const struct world *world, struct pool *pool,
                                 const volatile sig_atomic_t *interrupted,
                                 struct progress *progress, struct node_row *rows, size_t count,
                                 struct problem *problem);

/* The means over the nodes that tested something. */
void personal_summarise(const struct node_row *rows, size_t count, struct summary *summary);

#endif
