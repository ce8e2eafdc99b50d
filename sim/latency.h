/* latency — how long a message is on its way, without the time that its bytes take.
 *
 * constant:T
 * uniform:A-B
 * lognormal:MEDIAN,SIGMA   SIGMA of the logarithm
 * file:F                   measured round-trip times between places, half of them one way: a square
 *                          matrix in ms, a row a line, tabs, commas or blanks between, gzip or not;
 *                          row i, column j: from place i to place j; comments
 *                          behind # at the start of a line
 *
 * Never below LATENCY_LEAST_US, never above LATENCY_MOST_US. The nodes of a world lie in the places
 * of a file in an order that the seed deals out, as evenly as can be: there is no jitter then, and
 * two nodes of one place are LATENCY_LEAST_US apart. An entry that is 0, negative or no number was
 * not measured: the time of the other direction stands for it or, where that is missing too, the
 * median of all.
 */
#ifndef STARLING_LATENCY_H
#define STARLING_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#include "gossip/peer.h"
#include "model/problem.h"
#include "model/random.h"

#define LATENCY_LEAST_US 1000u
#define LATENCY_MOST_US (3600ull * 1000000)
#define LATENCY_PLACES_MAX 4096u

struct latency {
    enum { LATENCY_CONSTANT, LATENCY_UNIFORM, LATENCY_LOGNORMAL, LATENCY_FILE } kind;
    uint64_t low_us, high_us; /* constant and median: low; uniform, file: the least and the most */
    double sigma;
    const char *file; /* points into the text it was read from */
    size_t places;
    uint32_t *matrix_us; /* places × places, one way; NULL but for a file's */
    uint32_t *place;     /* of node i: place[i % places] */
};

/* Reads a setting's text; a file is not opened. */
enum starling_error latency_parse(const char *text, struct latency *latency,
                                  struct problem *problem);

/* Opens the file, where there is one, for so many nodes. */
enum starling_error latency_open(struct latency *latency, size_t nodes, uint64_t seed,
                                 struct problem *problem);
void latency_clear(struct latency *latency);

/* The least and the most there can be; UINT64_MAX where there is no bound worth the name. */
uint64_t latency_least_us(const struct latency *latency);
uint64_t latency_most_us(const struct latency *latency);

/* A message's, by its own stream. */
uint64_t latency_draw(const struct latency *latency, peer_id sender, peer_id receiver,
                      struct random *random);

#endif
