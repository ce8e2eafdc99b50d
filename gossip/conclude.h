/* conclude — the final phase: read-outs are averaged in pairs until all are their mean.
 *
 * A part of the protocol (gossip/protocol.h), which calls it and says more; pure.
 */
#ifndef STARLING_CONCLUDE_H
#define STARLING_CONCLUDE_H

#include "gossip/protocol.h"

/* A period's exchange; an answer that has not come by now is given up. */
void conclude_tick(struct gossip *gossip, struct actions *actions);

/* A read-out of somebody who is as far; the message's reference is taken over. */
void conclude_receive(struct gossip *gossip, peer_id from, struct model_message *message,
                      struct actions *actions);

#endif
