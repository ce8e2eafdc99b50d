/* sums — what a message of sums carries: for each feature how often it is present, the sum of its
 * values and that of their squares. Its second frame holds them as little-endian doubles.
 */
#ifndef STARLING_SUMS_H
#define STARLING_SUMS_H

#include "gossip/message.h"

/* The numbers of a version that travels in such a message: SUMS × features doubles. */
double *sums_values(const struct version *version);

/* Room for them, as a version that is made; the caller's reference, NULL when memory is out. */
struct version *sums_new(size_t features);

/* Whether they can be sums of anything: finite, counts and squares not negative, and no sum larger
 * than its squares allow (Cauchy and Schwarz). */
bool sums_sound(const double *sums, size_t features);

/* The size of the second frame, for so many features. */
size_t sums_bytes(size_t features);

/* Writes it. */
void sums_encode(const double *sums, size_t features, uint8_t *out);

/* Takes a second frame of the right size apart; false unless its sums are sound. */
bool sums_decode(const uint8_t *bytes, size_t features, double *sums);

/* The same for a message: message->sums becomes a version of its own. A frame of another size or
 * without sound sums is REFUSED_MALFORMED; REFUSED_RATE when memory is out. */
enum refusal sums_take(struct sums_message *message, const uint8_t *bytes, size_t size);

#endif
