/* run — one experiment from its config to its result files: in virtual time or with real nodes,
 * and its baselines.
 */
#ifndef STARLING_RUN_H
#define STARLING_RUN_H

#include <signal.h>
#include <stdbool.h>

#include "node/config.h"

struct run_options {
    bool live;  /* real starling-node processes */
    bool force; /* replace an earlier run's results */
    bool quiet; /* no progress */
    bool json;
    bool watch;         /* report.html follows the run */
    const char *out;    /* NULL: runs/NAME-SEED */
    const char *resume; /* the folder of a run to go on with, from its checkpoint; NULL: none */
    const volatile sig_atomic_t *interrupted;
};

/* Prints progress on stderr and the result on stdout (a table, or summary.json). Interrupted, it
 * ends with what it has: STARLING_OK, and *complete false. */
enum starling_error run_experiment(const struct config *config, const struct run_options *options,
                                   bool *complete, struct problem *problem);

#endif
