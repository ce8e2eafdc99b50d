/* live — an experiment with real starling-node processes on loopback, over CURVE.
 *
 * Makes an authority, keys, memberships, and each node's own folder with its own share of the data
 * (IDX where the data is pixels, else CSV of the scaled features) in temporary storage; starts the
 * nodes, introduces them, waits until all have said HELLO, gives the start signal, gathers
 * read-outs through their control sockets and tests them on the same examples. However it ends,
 * every node is ended too.
 */
#ifndef STARLING_LIVE_H
#define STARLING_LIVE_H

#include <signal.h>
#include <stdbool.h>

#include "sim/experiment.h"
#include "sim/progress.h"
#include "sim/results.h"

struct live_options {
    const char *node_program; /* NULL: starling-node beside the running program, else from PATH */
    const char *dir;          /* keep the nodes' folders here; NULL: temporary, removed */
    bool quiet;               /* no progress */
    const volatile sig_atomic_t *interrupted; /* NULL: never */
};

#define LIVE_NODES_MAX 1000 /* each is a process */

/* Begins and ends `progress`. Fills `summary` (accuracy, traffic, memory, times; init_seconds grows
 * by its own; not the baselines) and *nodes (malloc'ed, one a node; accuracy NaN where it was never
 * asked). A node that ends by itself ends the run with a problem.
 * Interrupted: ends with what it has, tested on the first eval_examples; complete = false. */
enum starling_error live_run(const struct experiment *experiment,
                             const struct live_options *options, struct results *results,
                             struct progress *progress, struct summary *summary,
                             struct node_row **nodes, struct problem *problem);

#endif
