/* view — a small, always changing sample of the swarm: whom this node may gossip with.
 *
 * Cyclon (Voulgaris, Gavidia, van Steen 2005, J. Network and Systems Management 13(2)): now and
 * then a node sends a few of its entries to its oldest neighbour, gets a few back, and both replace
 * what they sent by what they got. Ages count shuffles. Entries never name the owner, and no peer
 * twice.
 */
#ifndef STARLING_VIEW_H
#define STARLING_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "gossip/peer.h"
#include "model/random.h"

#define VIEW_MAX 64
#define SHUFFLE_MAX 8 /* entries in one shuffle message */
#define VIEW_AGE_MAX UINT16_MAX

/* Without a gap: a large world holds tens of millions of them. */
struct __attribute__((packed, aligned(2))) view_entry {
    peer_id peer;
    uint16_t age; /* at most VIEW_AGE_MAX */
};

struct view {
    peer_id self;
    uint16_t count, capacity;
    struct view_entry *entries; /* capacity of them, the caller's */
};

void view_init(struct view *view, peer_id self, struct view_entry *entries, size_t capacity);

/* Adds a peer at age 0 when it is new and there is room; true when it was added. */
bool view_add(struct view *view, peer_id peer);
bool view_has(const struct view *view, peer_id peer);
void view_remove(struct view *view, peer_id peer);

/* Makes a peer, new or not, the next that view_shuffle turns to: in a full view it takes the place
 * of the oldest. Not oneself. */
void view_put_first(struct view *view, peer_id peer);

/* A uniformly random peer, PEER_NONE when the view is empty. */
peer_id view_pick(const struct view *view, struct random *random);

/* Starts a shuffle: every entry ages by one, the oldest becomes *partner and leaves the view (so
 * that the dead are forgotten; the last entry of all stays), and oneself at age 0 and up to
 * SHUFFLE_MAX − 1 random others go into `sent`. Returns how many entries were filled in; 0 (and
 * *partner PEER_NONE) when the view is empty. */
size_t view_shuffle(struct view *view, struct random *random, peer_id *partner,
                    struct view_entry sent[SHUFFLE_MAX]);

/* The answer to a shuffle: up to SHUFFLE_MAX random entries, not the asker. */
size_t view_answer(const struct view *view, struct random *random, peer_id asker,
                   struct view_entry sent[SHUFFLE_MAX]);

/* Takes received entries in: fills free room first, then replaces entries of `sent`. Returns how
 * many entered. */
size_t view_merge(struct view *view, const struct view_entry *received, size_t received_count,
                  const struct view_entry *sent, size_t sent_count);

#endif
