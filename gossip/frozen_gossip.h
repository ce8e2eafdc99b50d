/* frozen_gossip — a node's side of the conversation, and what is under way, written and read back
 * (model/frozen.h).
 *
 * What belongs to the settings is not in it: who reads begins with gossip_init, or agreement_init,
 * of the same.
 */
#ifndef STARLING_FROZEN_GOSSIP_H
#define STARLING_FROZEN_GOSSIP_H

#include "gossip/agreement.h"
#include "gossip/protocol.h"
#include "model/frozen.h"

/* What numbers in it are bounded by: peers are 0 … peers − 1. */
struct frozen_bounds {
    size_t peers, parameters, features;
};

void frozen_gossip(struct frozen *frozen, struct gossip *gossip,
                   const struct frozen_bounds *bounds);

/* A message; without its version when `bare`. Reading, it is written over, and is released by the
 * caller in any case. */
void frozen_message(struct frozen *frozen, struct gossip_message *message, bool bare,
                    const struct frozen_bounds *bounds);

void frozen_agreement(struct frozen *frozen, struct agreement *agreement);

/* A version of sums, as in struct sums_message. */
size_t frozen_sums_floats(size_t features);

#endif
