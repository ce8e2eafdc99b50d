/* frozen_participant — all that a participant has become, written and read back (model/frozen.h).
 *
 * Who reads begins with participant_init, of the same settings and examples. No work may be with
 * the driver that was not run.
 */
#ifndef STARLING_FROZEN_PARTICIPANT_H
#define STARLING_FROZEN_PARTICIPANT_H

#include "gossip/frozen_gossip.h"
#include "node/participant.h"

/* What was read can be cleared, also when it was refused. */
void frozen_participant(struct frozen *frozen, struct participant *participant,
                        const struct frozen_bounds *bounds);

#endif
