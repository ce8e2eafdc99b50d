/* topology — who may talk to whom in a simulated world.
 *
 * random     everybody, through a view that shuffles keep changing: what devices do
 * full       everybody, each period's peers drawn uniformly from all nodes
 * ring       one's two neighbours by number
 * regular:K  K random neighbours each: a connected graph by the seed, from the pairing model
 * (Bollobás 1980, European J. of Combinatorics 1) with pairs that clash, and parts that do not hang
 *            together, mended by switching edges
 * file:F     the edges of a file, one "A B" a line, nodes from 0
 *
 * The last three are static: edges go both ways and stay as they are, a node's view is its
 * neighbours.
 */
#ifndef STARLING_TOPOLOGY_H
#define STARLING_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/view.h"
#include "model/problem.h"

#define TOPOLOGY_DEGREE_MAX VIEW_MAX

enum topology_kind {
    TOPOLOGY_RANDOM,
    TOPOLOGY_FULL,
    TOPOLOGY_RING,
    TOPOLOGY_REGULAR,
    TOPOLOGY_FILE,
};

struct topology {
    enum topology_kind kind;
    size_t nodes;
    size_t degree_most;  /* neighbours that a node has at most; 0 unless static */
    const char *file;    /* of TOPOLOGY_FILE: points into the text it was read from */
    size_t *start;       /* nodes + 1; NULL unless static */
    peer_id *neighbours; /* of node i: from start[i] up to start[i + 1], in rising order */
};

/* Reads `text` and checks what can be without a graph; fills in kind, nodes, file and degree_most
 * (of regular:K). */
enum starling_error topology_parse(const char *text, size_t nodes, struct topology *topology,
                                   struct problem *problem);

/* Parses `text` and makes the graph by the seed. A graph in parts, a node without a neighbour
 * where there are several, or one with more than TOPOLOGY_DEGREE_MAX is refused. */
enum starling_error topology_make(const char *text, size_t nodes, uint64_t seed,
                                  struct topology *topology, struct problem *problem);
void topology_clear(struct topology *topology);

bool topology_is_static(const struct topology *topology);

/* The neighbours of a node in a static topology. */
const peer_id *topology_neighbours(const struct topology *topology, size_t node, size_t *count);

#endif
