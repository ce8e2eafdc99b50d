/* overlay — the graph of who knows whom, as the views have it: how evenly the nodes are known, how
 * tightly neighbours know one another, and whether all are still one swarm.
 *
 * Pure. A link goes from a node to each peer in its view; what counts is among the nodes that are
 * there, links to others are dead. Beside each figure stands that of a random graph of as many
 * nodes and links: in-degrees follow Binomial(n − 1, p), and two nodes are neighbours, one way or
 * the other, with chance 1 − (1 − p)², where p is the chance of a link.
 *
 * Sources: Watts and Strogatz 1998, Nature 393 (clustering coefficient); Jelasity, Voulgaris,
 * Guerraoui, Kermarrec, van Steen 2007, ACM TOCS 25(3), sections 4 to 6 (these figures for peer
 * sampling); union-find with path halving, Tarjan and van Leeuwen 1984.
 */
#ifndef STARLING_OVERLAY_H
#define STARLING_OVERLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

/* Nodes whose neighbourhood is looked at for the clustering coefficient, at most: a random sample
 * where there are more. Each costs some tens of thousands of comparisons at 20 peers a view. */
#define OVERLAY_SAMPLE_MAX 2000
#define OVERLAY_NEIGHBOURS_MAX 256 /* of a node that are compared; of more, so many at random */

#define OVERLAY_AWAY UINT32_MAX /* in-degree of a node that is not there */

/* A graph, told by its owner. */
struct overlay_graph {
    size_t nodes;
    const void *self;
    bool (*there)(const void *self, size_t node);
    size_t (*degree)(const void *self, size_t node);               /* peers in its view */
    uint32_t (*peer)(const void *self, size_t node, size_t index); /* one of them, < nodes */
};

struct overlay {
    uint64_t nodes;    /* that are there; 0: nothing is known */
    double out_degree; /* mean of links to nodes that are there */
    double dead_share; /* of all links of nodes that are there */
    struct {
        double mean, std;
        uint64_t min, max;
    } in_degree;
    double clustering; /* mean over clustering_nodes of them; 0 below two neighbours */
    uint64_t clustering_nodes;
    uint64_t components, largest; /* of the graph without directions; nodes in the largest */
    struct {
        double in_degree_std, clustering;
    } random; /* what a random graph has */
};

/* Measures the graph; in_degrees[nodes] are filled in. `seed` picks the sample. Takes 8 bytes a
 * node for as long as it runs. */
enum starling_error overlay_measure(const struct overlay_graph *graph, uint64_t seed,
                                    uint32_t *in_degrees, struct overlay *overlay,
                                    struct problem *problem);

/* How many of overlay->nodes a random graph is expected to show at this in-degree. */
double overlay_random_nodes(const struct overlay *overlay, uint64_t in_degree);

#endif
