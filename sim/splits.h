/* splits — the times when the network falls apart, and heals.
 *
 * none
 * START-END:PARTS,…   from START until END the nodes are in PARTS groups, each node in one of them
 *                     at random: 10m-20m:2
 * START-END:SHARE,…   each node with that probability is cut off together with the others cut off:
 *                     10m-20m:0.3
 *
 * A message between two groups is lost if the network is split at any moment from its sending to
 * its arrival. Several splits may overlap; each deals the nodes out anew.
 */
#ifndef STARLING_SPLITS_H
#define STARLING_SPLITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/peer.h"
#include "model/problem.h"

#define SPLITS_MAX 32u
#define SPLIT_PARTS_MAX 1000u

struct splits {
    size_t count;
    uint64_t seed;
    struct split {
        uint64_t from_us, until_us;
        uint32_t parts; /* 0: a share is cut off */
        double share;
    } splits[SPLITS_MAX];
};

/* `end_us`: of the run; a split that begins later is refused. */
enum starling_error splits_parse(const char *text, uint64_t end_us, uint64_t seed,
                                 struct splits *splits, struct problem *problem);

/* The group of a node in the split of that number. */
uint32_t splits_side(const struct splits *splits, size_t number, peer_id node);

/* Whether a message sent and arriving then is lost between two groups. */
bool splits_part(const struct splits *splits, peer_id sender, peer_id receiver, uint64_t sent_us,
                 uint64_t arrives_us);

#endif
