/* network — whether a message arrives, and when.
 *
 * It is lost with the probability sim.drop, where a split (sim/splits.h) comes between, and where
 * its sender's line is taken for too long (sim/bandwidth.h); else it arrives after what its bytes
 * take on the lines (sim/bandwidth.h) and its latency (sim/latency.h).
 *
 * Each message's fate follows from its sender and its number, from what never changes, and from the
 * sender's own line alone.
 */
#ifndef STARLING_NETWORK_H
#define STARLING_NETWORK_H

#include "node/config.h"
#include "sim/bandwidth.h"
#include "sim/latency.h"
#include "sim/splits.h"

#define NETWORK_LEAST_US LATENCY_LEAST_US /* no message takes less */

struct network {
    struct latency latency;
    struct bandwidth bandwidth;
    struct splits splits;
    double drop;
    uint64_t seed;
};

/* Reads the settings of sim.latency, .drop, .bandwidth and .partitions, and opens no file. The
 * network points into `config`. */
enum starling_error network_parse(const struct config *config, struct network *network,
                                  struct problem *problem);

/* Parses, and reads what the settings name. Freed by network_clear. */
enum starling_error network_make(const struct config *config, struct network *network,
                                 struct problem *problem);
void network_clear(struct network *network);

/* The least time that a message can take. */
uint64_t network_least_us(const struct network *network);

/* The most; UINT64_MAX where there is no bound worth the name. */
uint64_t network_most_us(const struct network *network);

/* Whether nodes have lines that messages wait for. */
bool network_has_lines(const struct network *network);

/* True when the `number`-th message of `sender`, sent now, arrives, and then after how long.
 * `line`, the sender's, 0 at first, is not read without lines. */
bool network_carry(const struct network *network, uplink *line, peer_id sender, uint64_t number,
                   peer_id receiver, size_t bytes, uint64_t now_us, uint64_t *delay_us);

#endif
