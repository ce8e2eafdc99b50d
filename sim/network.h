/* network — how long a message takes, and whether it arrives at all.
 *
 * Latency: "constant:50ms", "uniform:20ms-80ms", "lognormal:MEDIAN,SIGMA" (SIGMA of the logarithm).
 * Never below NETWORK_LEAST_US. Each message's fate is drawn from the stream of its sender and its
 * number alone.
 */
#ifndef STARLING_NETWORK_H
#define STARLING_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "gossip/peer.h"
#include "model/problem.h"

#define NETWORK_LEAST_US 1000u

struct network {
    enum { LATENCY_CONSTANT, LATENCY_UNIFORM, LATENCY_LOGNORMAL } kind;
    uint64_t low_us, high_us; /* constant and median: low; uniform: both */
    double sigma;
    double drop;
    uint64_t seed;
};

enum starling_error network_parse(const char *latency, double drop, uint64_t seed,
                                  struct network *network, struct problem *problem);

/* The least latency there can be. */
uint64_t network_least_us(const struct network *network);

/* The most there can be; UINT64_MAX where the distribution has no bound worth the name. */
uint64_t network_most_us(const struct network *network);

/* True when the `number`-th message of `sender` arrives, and then after how long. */
bool network_carry(const struct network *network, peer_id sender, uint64_t number,
                   uint64_t *delay_us);

#endif
