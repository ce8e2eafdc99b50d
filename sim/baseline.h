/* baseline — what the same nodes reach without gossip, on the same examples and as many passes.
 *
 * alone    each node by itself: a swarm of one, run by the participant that gossips elsewhere
 * central  one learner that holds every node's training examples
 */
#ifndef STARLING_BASELINE_H
#define STARLING_BASELINE_H

#include <signal.h>

#include "sim/experiment.h"
#include "sim/pool.h"
#include "sim/progress.h"

/* Both train for `rounds` passes and are tested on the whole test set; false when interrupted.
 * A problem is left in *problem (error STARLING_OK when there is none). `progress` has begun. */

/* accuracy[node] of each node alone. */
bool baseline_local(const struct experiment *experiment, struct pool *pool, uint64_t rounds,
                    const volatile sig_atomic_t *interrupted, struct progress *progress,
                    double *accuracy, struct problem *problem);

bool baseline_central(const struct experiment *experiment, uint64_t rounds,
                      const volatile sig_atomic_t *interrupted, struct progress *progress,
                      double *accuracy, struct problem *problem);

#endif
