/* run_inside — what the parts of a run (sim/run.c, sim/run_world.c, sim/run_baselines.c) share.
 */
#ifndef STARLING_RUN_INSIDE_H
#define STARLING_RUN_INSIDE_H

#include "sim/experiment.h"
#include "sim/pool.h"
#include "sim/progress.h"
#include "sim/results.h"
#include "sim/run.h"

struct run {
    const struct run_options *options;
    struct experiment *experiment;
    struct pool *pool;
    struct results *results;
    struct progress progress;
    struct summary summary;
    struct node_row *nodes;
    size_t nodes_count;
    double begun_s, written_s; /* when the world began to live; the last checkpoint, or that */
    double wall_before;        /* that it had lived before it was written down */
};

/* The experiment in virtual time: its rounds, what is told of them, the nodes and the summary at
 * the end. `started`: when it began to be made. */
enum starling_error run_virtual(struct run *run, double started, struct problem *problem);

/* Trains the baselines that are asked for, for as many passes as the nodes made; never after an
 * interruption. */
enum starling_error run_baselines(struct run *run, struct problem *problem);

#endif
