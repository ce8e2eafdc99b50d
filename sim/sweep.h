/* sweep — an experiment under every combination of varied settings and seeds: the runs side by
 * side, then one table. The same command again goes on where an earlier one ended.
 */
#ifndef STARLING_SWEEP_H
#define STARLING_SWEEP_H

#include "sim/sweep_plan.h"

#include <signal.h>

struct sweep_options {
    bool force;       /* make complete runs again */
    bool quiet;       /* no progress */
    bool json;        /* sweep.json on stdout rather than the table */
    const char *out;  /* NULL: runs/NAME */
    const char *file; /* the experiment's, for its name; may be NULL */
    size_t jobs;      /* runs at a time; 0: one a core */
    const volatile sig_atomic_t *interrupted;
};

/* Makes the runs of `plan` over `base`, prints the table on stdout and leaves sweep.csv, sweep.json
 * and sweep.ini in the folder. *failed: runs that failed. Interrupted, it ends with what it has. */
enum starling_error sweep(const struct config *base, struct sweep_plan *plan,
                          const struct sweep_options *options, size_t *failed,
                          struct problem *problem);

#endif
