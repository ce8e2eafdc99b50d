/* partition — dealing a data set out to nodes.
 *
 * iid: every node a random sample, disjoint.
 *
 * dirichlet:A: each class's examples over the nodes in proportions drawn from Dir(A) (Hsu, Qi,
 * Brown 2019, arXiv 1909.06335).
 *
 * classes:K: exactly K labels a node, each class's examples shared by the nodes that hold it.
 *
 * shards:K: label-sorted shards, K a node (McMahan et al. 2017, section 3).
 *
 * sizes:MIN-MAX[,dirichlet:A]: nodes of unequal size, a random sample each: sizes evenly spread
 * between the two on a logarithmic scale, or where there are too few examples for that, with a
 * density of x^−s, s > 1 being as small as the data allows. With dirichlet each node mixes the
 * classes in proportions of its own, drawn from Dir(A), as far as they last.
 *
 * user: each node one user of the data (node i holds user i modulo the users; a user that several
 * nodes hold is dealt out among them).
 *
 * draw:K: K examples a node, drawn from all of them with replacement: for more nodes than there are
 * examples.
 *
 * Shares that must be equal differ by at most one example. dirichlet can leave a node with nothing:
 * each such node is then given one example, drawn at random from those of nodes that hold more.
 * classes:K deals the labels round, newly shuffled each time, so that no label has two holders more
 * than another; labels without an example, and users without one, are passed over. Whatever the
 * cap, a node of classes:K keeps an example of each of its labels.
 */
#ifndef STARLING_PARTITION_H
#define STARLING_PARTITION_H

#include "model/dataset.h"

struct partition {
    size_t nodes;
    size_t *start;  /* nodes + 1: node i holds rows[start[i]] to rows[start[i + 1] − 1] */
    uint32_t *rows; /* each row of the data set at most once, unless drawn */
};

/* Deals `dataset` out to `nodes` > 0 by `specification`; `samples` caps a node's examples (0: no
 * cap). Every node gets at least one example or the call fails saying which setting to change.
 * NULL and a problem when it cannot be done. Freed by partition_free. */
struct partition *partition_new(const char *specification, const struct dataset *dataset,
                                size_t nodes, size_t samples, uint64_t seed,
                                struct problem *problem);
void partition_free(struct partition **partition);

const uint32_t *partition_rows(const struct partition *partition, size_t node, size_t *count);

#endif
