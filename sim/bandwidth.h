/* bandwidth — how long a message's bytes take on the lines of two nodes.
 *
 * off                        no time at all
 * RATE                       the same up and down, with a unit: 10Mbit/s
 * UP/DOWN                    what a node sends with, and what it receives with: 10Mbit/s/50Mbit/s
 * lognormal:RATE,SIGMA       either of them times exp(SIGMA·N(0,1)), drawn once a node for both
 * lognormal:UP/DOWN,SIGMA    directions
 *
 * A node's messages leave one after another: each takes its line for bytes / UP, and is through
 * after bytes / min(UP, the receiver's DOWN); the latency comes on top. What would wait longer than
 * BANDWIDTH_WAIT_PERIODS gossip periods for the line is lost there. Messages that come to one
 * receiver from several senders do not get in each other's way, and a message that is lost on its
 * way has taken the line all the same.
 */
#ifndef STARLING_BANDWIDTH_H
#define STARLING_BANDWIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/peer.h"
#include "model/problem.h"

#define BANDWIDTH_WAIT_PERIODS 10u
#define BANDWIDTH_LEAST 1000u           /* bit/s, of a node drawn from a spread too */
#define BANDWIDTH_MOST 1000000000000ull /* likewise */

struct bandwidth {
    uint64_t up, down; /* bit/s; 0: off */
    double sigma;
    uint64_t wait_most_us;
    uint64_t seed;
};

/* When a node's line is free again: its own, which nobody else reads. */
typedef uint64_t uplink;

enum starling_error bandwidth_parse(const char *text, uint64_t period_us, uint64_t seed,
                                    struct bandwidth *bandwidth, struct problem *problem);

bool bandwidth_is_on(const struct bandwidth *bandwidth);

/* A node's lines in bit/s. */
void bandwidth_of(const struct bandwidth *bandwidth, peer_id node, double *up, double *down);

/* Sends `bytes` at `now_us`: how long it takes until they are through, without the latency. False
 * when the line is taken for too long. */
bool bandwidth_send(const struct bandwidth *bandwidth, uplink *line, peer_id sender,
                    peer_id receiver, size_t bytes, uint64_t now_us, uint64_t *takes_us);

#endif
