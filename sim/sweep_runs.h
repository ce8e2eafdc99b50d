/* sweep_runs — the runs of a sweep as processes of this very program, several side by side.
 *
 * Each run is `starling-sim run --quiet --out DIR/NAME` with the settings that are not the
 * defaults, so one that crashes takes none of the others along. Beside its results lies asked.ini,
 * what the sweep asked for: a run that is complete and was asked for the same is not made again.
 */
#ifndef STARLING_SWEEP_RUNS_H
#define STARLING_SWEEP_RUNS_H

#include <signal.h>

#include "sim/sweep_plan.h"

enum sweep_state {
    SWEEP_WAITING,
    SWEEP_RUNNING,
    SWEEP_DONE,    /* in this call */
    SWEEP_SKIPPED, /* was complete before */
    SWEEP_FAILED,
};

struct sweep_run {
    enum sweep_state state;
    char *why; /* it failed, or NULL */
};

struct sweep_runs {
    const struct sweep_plan *plan;
    const struct config *base;
    const char *dir;
    size_t jobs;       /* at a time; 0: as many as there are cores */
    bool force, quiet; /* make complete runs again; no progress */
    const volatile sig_atomic_t *interrupted;
    struct sweep_run *runs; /* plan->run_count, the caller's */
};

/* Finds out which runs are there already. One that is complete but was asked for something else is
 * a problem, unless `force`. Changes nothing on disk. */
enum starling_error sweep_runs_survey(struct sweep_runs *sweep, struct problem *problem);

/* Makes what is waiting. A run that fails is told on stderr, and the rest goes on; interrupted, the
 * running ones are ended and left for the next time. An error is one of the sweep itself. */
enum starling_error sweep_runs_make(struct sweep_runs *sweep, struct problem *problem);

size_t sweep_runs_count(const struct sweep_runs *sweep, enum sweep_state state);

/* DIR/NAME of a run, the caller's to free; NULL when memory is out. */
char *sweep_run_folder(const struct sweep_runs *sweep, size_t run);

void sweep_runs_clear(struct sweep_runs *sweep);

#endif
