/* topology_regular — a random regular graph: the pairing model, mended.
 */
#ifndef STARLING_TOPOLOGY_REGULAR_H
#define STARLING_TOPOLOGY_REGULAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/peer.h"
#include "model/problem.h"

/* Whether there is a connected graph in which each of `nodes` has `degree` neighbours. */
bool regular_exists(size_t nodes, size_t degree);

/* Fills `neighbours` (nodes × degree): node i's are neighbours[i · degree …], in no order. The
 * graph is connected, without loops or double edges, and follows from the seed. It must exist. */
enum starling_error regular_make(size_t nodes, size_t degree, uint64_t seed, peer_id *neighbours,
                                 struct problem *problem);

#endif
