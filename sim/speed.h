/* speed — how fast the nodes of a simulated world compute.
 *
 * 1                  all as sim.compute says; another number: all so many times as fast
 * uniform:A-B        each so many times as fast, drawn once a node
 * lognormal:SIGMA    likewise, exp(SIGMA·N(0,1)): half are faster, half are slower
 */
#ifndef STARLING_SPEED_H
#define STARLING_SPEED_H

#include <stdbool.h>
#include <stdint.h>

#include "gossip/peer.h"
#include "model/problem.h"

#define SPEED_LEAST 0.001 /* of a node drawn from a spread too */
#define SPEED_MOST 1000.0

struct speed {
    double low, high; /* both, or between them */
    double sigma;
    uint64_t seed;
};

enum starling_error speed_parse(const char *text, uint64_t seed, struct speed *speed,
                                struct problem *problem);

bool speed_is_alike(const struct speed *speed);

/* How many times as fast as sim.compute a node is. */
double speed_of(const struct speed *speed, peer_id node);

#endif
