/* baseline — what the same nodes reach without gossip, on the same examples and as many passes.
 *
 * alone    each node by itself: a swarm of one, run by the participant that gossips elsewhere
 * central  one learner that holds every node's training examples
 * (fedavg  a server that averages what clients learn: sim/fedavg.h)
 */
#ifndef STARLING_BASELINE_H
#define STARLING_BASELINE_H

#include <signal.h>

#include "sim/experiment.h"
#include "sim/measure.h"
#include "sim/pool.h"
#include "sim/progress.h"

/* What a baseline is given. */
struct baseline {
    const struct experiment *experiment;
    struct pool *pool;
    const volatile sig_atomic_t *interrupted;
    struct progress *progress; /* begun */
    struct results *results;   /* takes the rows of its curve; NULL: no curve is wanted */
};

/* Each trains for `passes` and is tested on the whole test set; false when interrupted. A problem
 * is left in *problem (error STARLING_OK when there is none). */

/* reached[node] by each node alone, and own[node] (own may be NULL) on the half of its own hold-out
 * that chooses nothing: NaN where it has none. */
bool baseline_local(const struct baseline *baseline, uint64_t passes, struct measured *reached,
                    struct measured *own, struct problem *problem);

/* Its curve has a row every sim.eval_every passes. */
bool baseline_central(const struct baseline *baseline, uint64_t passes, struct measured *reached,
                      struct problem *problem);

/* What the nodes train on, without what they hold out: node i has rows[start[i]] up to
 * rows[start[i + 1]], in the order in which its participant holds them. */
struct training {
    uint32_t *rows;
    size_t *start; /* nodes + 1 */
};
enum starling_error training_gather(const struct experiment *experiment, struct training *training,
                                    struct problem *problem);
void training_free(struct training *training);

#endif
