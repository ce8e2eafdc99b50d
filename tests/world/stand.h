/* stand — what the linker finds in place of a device's transport, trainer, control socket and
 * clock: they live in a world's virtual time.
 */
#ifndef STARLING_TEST_STAND_H
#define STARLING_TEST_STAND_H

#include "tests/world/world.h"

/* The device whose code runs now; NULL: nobody's, and the clock is the machine's. */
extern struct device *stand_device;

/* A transport is handed a packet, and says when it wants to be asked again. */
void stand_transport_take(struct transport *transport, struct packet *packet);
/* Goes without taking leave, as when the power fails. */
void stand_transport_silence(struct transport *transport);
/* Whether a verified connection to the peer is there. */
bool stand_transport_has(const struct transport *transport, peer_id peer);
size_t stand_transport_lines(const struct transport *transport);

/* When the next job is done; NEVER: there is none. */
uint64_t stand_trainer_due(const struct trainer *trainer);
/* Every job is done at once from now on: the device is about to end. */
void stand_trainer_hurry(struct trainer *trainer);
/* The power fails: what waits is dropped, as it lies. */
void stand_trainer_abandon(struct trainer **trainer);

/* Vectors that are held now, by anybody. */
size_t stand_vectors(void);

/* libsodium's random numbers come from the world's stream from now on. */
void stand_random(struct random *random);

#endif
