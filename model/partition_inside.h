/* partition_inside — what the files that deal out examples share: partition.c, which reads a
 * specification, partition_classes.c and partition_sizes.c.
 */
#ifndef STARLING_PARTITION_INSIDE_H
#define STARLING_PARTITION_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/partition.h"
#include "model/random.h"

#define NOBODY UINT32_MAX

/* Which stream a choice is drawn from: the step of RANDOM_PARTITION. */
enum deal_step {
    STEP_ORDER,
    STEP_LABELS,
    STEP_SHARDS,
    STEP_SHARES, /* + class */
    STEP_SIZES = STEP_SHARES + DATASET_CLASSES_MAX,
    STEP_MIXES, /* + node */
};

/* A deal in the making. */
struct deal {
    const struct dataset *dataset;
    size_t nodes, samples;
    uint64_t seed;
    size_t examples;
    uint32_t *order; /* every row, in random order: a node's rows follow it, so that the first of
                        them are a random sample of them all */
    uint32_t *owner; /* of each row: a node or NOBODY */
    bool *first;     /* rows that their node keeps whatever the cap; NULL where there are none */
    struct problem *problem;
};

struct random deal_random(const struct deal *deal, uint64_t step);
enum starling_error deal_no_memory(const struct deal *deal);

/* Rows by class or by user, in the deal's random order within each. */
struct groups {
    size_t count;
    size_t *start;  /* count + 1 */
    uint32_t *rows; /* group g: rows[start[g]] to rows[start[g + 1] − 1] */
};

enum starling_error groups_make(struct groups *groups, const struct deal *deal, bool by_user);
void groups_clear(struct groups *groups);
size_t groups_size(const struct groups *groups, size_t group);

/* Where share i of `parts` even shares of `count` begins; they differ by at most one. */
size_t share_start(size_t count, size_t parts, size_t i);

/* The ways to deal, each its owner of every row. */
enum starling_error deal_classes(struct deal *deal, size_t per_node);
enum starling_error deal_sizes(struct deal *deal, size_t least, size_t most, double mix);

#endif
