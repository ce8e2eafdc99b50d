/* inbox — what a node has heard and not merged yet, and what becomes of it.
 *
 * A part of the protocol (gossip/protocol.h), which calls it; pure. Its memory is as large as what
 * waits, and gone when nothing does.
 */
#ifndef STARLING_INBOX_H
#define STARLING_INBOX_H

#include "gossip/protocol.h"

/* Takes a message's model over. The newest of each peer's models waits, or of each fragment of it;
 * a full inbox, and one that memory is out for, pushes out what waited longest. False when this one
 * is no newer, or does not wait. */
bool inbox_keep(struct gossip *gossip, peer_id from, const struct model_message *message);

/* Room for `room` of them, not fewer than wait and 1 at least; false when memory is out. */
bool inbox_make_room(struct gossip *gossip, uint32_t room);

/* Gives all up. */
void inbox_clear(struct gossip *gossip);

/* All that waited has been taken over by others. */
void inbox_taken(struct gossip *gossip);

/* What waits at `place` is this piece of a model. */
struct waiting_piece inbox_piece(const struct gossip *gossip, uint32_t place);

/* What the merge rule says of what waits at `place`, to a model of these ages, which become those
 * of the result. */
struct merge_verdict inbox_judge(const struct gossip *gossip, uint32_t place,
                                 const struct ages *ages);

#endif
