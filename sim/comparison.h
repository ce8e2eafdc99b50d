/* comparison — two runs or more beside each other: how good, how soon, for how many bytes, and in
 * which settings they differ.
 *
 * How soon is asked of the accuracy that the last evaluation of the worst of them came to: the
 * first evaluation of each run that is as good.
 */
#ifndef STARLING_COMPARISON_H
#define STARLING_COMPARISON_H

#include "sim/past.h"

#define COMPARISON_RUNS_MAX 16

/* The first evaluation that reaches the target. */
struct reached {
    bool ever;
    uint64_t round;
    double time_s, bytes_a_node;
};

struct compared {
    struct past *past;
    const char *name; /* the end of its folder's path, as much as tells it from the others */
    double best;      /* accuracy of its best evaluation; NaN: none */
    uint64_t best_round;
    double bytes_a_node;
    double time_s; /* of its last evaluation */
    struct reached reached;
};

/* A setting that is not the same in all runs; threads and names, which change nothing, are left
 * out. */
struct difference {
    char *name;    /* "gossip.merge" */
    char **values; /* one a run */
};

struct comparison {
    size_t count;
    struct compared runs[COMPARISON_RUNS_MAX];
    double target; /* NaN when a run was never evaluated */
    size_t lowest; /* the run whose last accuracy it is */
    struct difference *differences;
    size_t difference_count;
};

/* Reads the runs in the folders; NULL and a problem when one is none. */
struct comparison *comparison_new(char *const *dirs, size_t count, struct problem *problem);
void comparison_free(struct comparison **comparison);

#endif
