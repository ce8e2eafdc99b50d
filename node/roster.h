/* roster — who the small integers of the protocol are: keys, cards, and what each did.
 *
 * Entry 0 is the node itself. A peer is entered only with a membership and a descriptor that both
 * verified; the bytes of its card are kept, so that passing it on costs nothing and seeing it again
 * costs no signature check. A known peer's entry only moves forward: to a descriptor with a higher
 * sequence and a membership no older. There are at most ROSTER_MAX entries; a full roster gives up
 * the one heard from longest ago that its owner does not want kept.
 */
#ifndef STARLING_ROSTER_H
#define STARLING_ROSTER_H

#include "gossip/membership.h"
#include "gossip/peer.h"
#include "gossip/protocol.h"
#include "model/evaluation.h"

#define ROSTER_MAX 4096
#define ROSTER_SELF 0

struct peer_record {
    uint8_t identity[KEY_BYTES], curve[KEY_BYTES];
    char endpoint[ENDPOINT_MAX]; /* "": it only dials out */
    uint8_t *card;               /* owned */
    size_t card_size;
    uint64_t serial, sequence; /* of its membership, of its descriptor */
    int64_t not_before, not_after;
    bool connected, cut;
    uint64_t heard_us;   /* monotonic; 0: never over a connection */
    uint64_t touched_us; /* heard from or of: the longest ago is given up first */
    uint64_t round_trip_us;
    bool round_trip_known;
    uint64_t models_in, models_out, bytes_in, bytes_out;
    uint64_t rejected;    /* messages of it that were refused */
    double accuracy_here; /* of its last model on this node's hold-out; NaN: not known */
    uint32_t failures;    /* dials in a row that came to nothing */
    uint32_t offences;    /* since it connected */
};

/* Whether an entry is in use (in the view, say) and must not be given up. */
typedef bool roster_keep_function(void *self, peer_id peer);

struct roster {
    const uint8_t *swarm; /* KEY_BYTES, the owner's */
    roster_keep_function *keep;
    void *self;
    uint32_t count, capacity;
    struct peer_record *peers;
    uint64_t *identity_marks, *curve_marks, *card_marks; /* a few bytes of each, to search fast */
};

/* With entry 0 for these keys, without a card yet. False when memory is out. */
bool roster_init(struct roster *roster, const uint8_t swarm[KEY_BYTES],
                 const uint8_t identity[KEY_BYTES], const uint8_t curve[KEY_BYTES],
                 roster_keep_function *keep, void *self);
void roster_clear(struct roster *roster);

/* NULL for a number that is nobody's. Valid until the next entry is made. */
struct peer_record *roster_peer(const struct roster *roster, peer_id peer);

peer_id roster_find_identity(const struct roster *roster, const uint8_t identity[KEY_BYTES]);
peer_id roster_find_curve(const struct roster *roster, const uint8_t curve[KEY_BYTES]);

/* Sets the card of entry 0. False when memory is out. */
bool roster_set_self(struct roster *roster, const struct card *membership,
                     const struct card *descriptor);

/* Enters or moves forward a peer whose two envelopes have been verified. PEER_NONE when there is
 * no room or no memory. *evicted becomes the number that now means somebody else, or PEER_NONE. */
peer_id roster_learn(struct roster *roster, const struct membership *membership,
                     const struct descriptor *descriptor, const struct card *membership_bytes,
                     const struct card *descriptor_bytes, peer_id *evicted);

/* The peer a card names: verified now, or known from before byte for byte. PEER_NONE with the
 * reason in *refusal, or with REFUSED_NOT when there was no room. Nobody's time is judged unless
 * `clock_set`. */
peer_id roster_resolve(struct roster *roster, const struct card *card, int64_t wall_s,
                       bool clock_set, enum refusal *refusal, peer_id *evicted);

/* Its card; size 0 where there is none. */
struct card roster_card(const struct roster *roster, peer_id peer);

#endif
