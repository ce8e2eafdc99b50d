/* live_swarm — the processes of a live run as one: made, brought together, started, ended.
 *
 * An authority made for the run admits every node for a day. All of it lies in one folder, which
 * goes with the run unless somebody named it.
 */
#ifndef STARLING_LIVE_SWARM_H
#define STARLING_LIVE_SWARM_H

#include <signal.h>

#include "sim/experiment.h"
#include "sim/live_node.h"

struct live_swarm {
    const struct experiment *experiment;
    const volatile sig_atomic_t *interrupted; /* NULL: never */
    char *dir;
    bool keep;               /* the folder */
    size_t count, made;      /* nodes wanted; of which so many have a folder */
    struct live_node *nodes; /* count */
};

/* Folders, keys, memberships, settings and data, under `dir` or, when it is NULL, a folder in
 * TMPDIR. An interruption ends this call and the next early, without a problem. Whatever it
 * returns, live_swarm_clear takes it back. */
enum starling_error live_swarm_make(struct live_swarm *swarm, const struct experiment *experiment,
                                    const char *dir, const volatile sig_atomic_t *interrupted,
                                    struct problem *problem);

/* Starts `program` for every node, introduces them to each other, and waits until each has heard
 * the HELLO of everyone it was told of. */
enum starling_error live_swarm_bring_up(struct live_swarm *swarm, const char *program,
                                        struct problem *problem);

/* The start signal. */
enum starling_error live_swarm_start(struct live_swarm *swarm, struct problem *problem);

/* The signal to learn no more and average for so many periods; and a wait until all have. */
enum starling_error live_swarm_conclude(struct live_swarm *swarm, uint64_t periods,
                                        struct problem *problem);
enum starling_error live_swarm_await_end(struct live_swarm *swarm, struct problem *problem);

/* STARLING_OK while every node runs. */
enum starling_error live_swarm_check(struct live_swarm *swarm, struct problem *problem);

bool live_swarm_interrupted(const struct live_swarm *swarm);

/* Ends every node: SIGTERM, and SIGKILL for those that do not heed it. */
void live_swarm_end(struct live_swarm *swarm);

/* Ends what still runs, and removes the folder unless it is kept. */
void live_swarm_clear(struct live_swarm *swarm);

/* Rests for at most so long; a signal ends it sooner. */
void live_rest(double seconds);

#endif
