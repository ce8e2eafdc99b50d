/* trace — when the nodes of a measured world were there.
 *
 * A text file, gzip or not: "NODE START END" a line, blanks or tabs between: that node, a number
 * from 0, was there from START until END, in seconds from the beginning. In any order; comments
 * behind # at the start of a line. Stays that follow on each other within a millisecond are one.
 * There are as many nodes as the highest number says; one that is never named is never there.
 */
#ifndef STARLING_TRACE_H
#define STARLING_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

#define TRACE_STAYS_MAX (1u << 24)
#define TRACE_TIME_MAX_S 1e9 /* 30 years */
#define TRACE_LEAST_US 1000u /* no stay or absence is shorter */

struct stay {
    uint64_t from_us, until_us;
};

struct trace {
    size_t nodes;
    uint32_t *first;    /* nodes + 1: the stays of node i, from stays[first[i]] to first[i + 1] */
    struct stay *stays; /* of each node in order */
};

/* Reads `path`. Refused, with a problem that names file and line: what is no stay, one that ends
 * before it begins or lasts less than TRACE_LEAST_US, a node number of `nodes_max` or more; and,
 * naming the file, two stays of a node at once, more than TRACE_STAYS_MAX, none at all. */
enum starling_error trace_read(const char *path, size_t nodes_max, struct trace *trace,
                               struct problem *problem);
void trace_clear(struct trace *trace);

#endif
