/* message — what nodes say to each other, as structs, and as bytes.
 *
 * The wire format is written down in docs/protocol.md. A message is one header frame in msgpack
 * and, for a model, one frame of encoded parameters (gossip/encoding.h). Decoding trusts nothing:
 * size, depth and counts are bounded by the bytes that are there before anything is unpacked.
 *
 * HELLO is not here but in gossip/hello.h: it is about the swarm, and settled before any of these
 * may pass.
 */
#ifndef STARLING_MESSAGE_H
#define STARLING_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/encoding.h"
#include "gossip/peer.h"
#include "gossip/view.h"
#include "model/version.h"

#define TASK_ID_BYTES 16
#define PROTOCOL_VERSION 1
#define HEADER_BYTES_MAX 16384 /* a header frame is never larger */
#define CARD_BYTES_MAX 1024    /* a peer's card: membership and descriptor, signed */

/* Beyond these a header is malformed, and is not encoded. */
#define PARAMETERS_MAX (1u << 31) /* values in one message, at least 1 */
#define AGE_MAX 1000000000000u    /* passes: one a millisecond for 30 years */

enum message_kind {
    MESSAGE_MODEL = 1,   /* here is my model; perhaps: and give me yours */
    MESSAGE_SHUFFLE = 2, /* here are peers I know; tell me of yours */
    MESSAGE_SHUFFLE_REPLY = 3,
    MESSAGE_PULL = 4, /* send me your model */
    MESSAGE_SUMS = 5, /* what I know of the features: a share of it, or what I settled on */
};

struct model_message {
    uint8_t task[TASK_ID_BYTES];
    struct piece piece;    /* which of the parameters it carries, and how */
    double age;            /* passes */
    uint64_t sequence;     /* grows with every model its sender sends */
    bool answer;           /* push-pull: the receiver sends its own back */
    bool last;             /* of the final phase: a read-out, to be averaged half and half */
    bool decoded;          /* the version holds the piece's values, as they came as bytes; else it
                              is the sender's whole model, still to be encoded. Not on the wire */
    struct version *model; /* a reference that the message's holder owns */
};

struct shuffle_message {
    uint32_t count;
    uint32_t nonce; /* comes back in the reply, so that a round trip can be measured */
    struct view_entry entries[SHUFFLE_MAX];
};

struct pull_message {
    uint8_t task[TASK_ID_BYTES];
    uint32_t nonce; /* tells the asks of one sender apart */
};

struct sums_message {
    uint8_t task[TASK_ID_BYTES];
    bool settled;   /* not a share to add, but a scaling to take over */
    uint32_t heard; /* shares in it; of a settled one 0: nobody's but the sender's */
    size_t features;
    struct version *sums; /* a reference that the message's holder owns; see gossip/sums.h */
};

struct gossip_message {
    enum message_kind kind;
    union {
        struct model_message model;
        struct shuffle_message shuffle;
        struct pull_message pull;
        struct sums_message sums;
    };
};

/* Why something from outside was refused; counted by reason, named in every output. */
enum refusal {
    REFUSED_NOT, /* fine */
    REFUSED_NO_MEMBERSHIP,
    REFUSED_EXPIRED,
    REFUSED_NOT_YET_VALID,
    REFUSED_WRONG_SWARM,
    REFUSED_REVOKED,
    REFUSED_BAD_SIGNATURE,
    REFUSED_NO_CURVE,
    REFUSED_VERSION,
    REFUSED_TASK,
    REFUSED_RATE,
    REFUSED_MALFORMED,
    REFUSALS,
};

/* "no-membership", "expired", …; "accepted" for REFUSED_NOT. */
const char *refusal_name(enum refusal refusal);

/* A peer's card as bytes: who it is and where, in its own and the authority's signed words. */
struct card {
    const uint8_t *bytes;
    size_t size;
};

/* Encodes the header frame of `message` into out (HEADER_BYTES_MAX); for a shuffle, cards[i] goes
 * with entry i (a size without bytes will do when out is NULL; 1 to CARD_BYTES_MAX). Returns its
 * size; out may be NULL to learn the size alone. 0 when it would not fit, or when message_decode
 * would refuse it: a number beyond its bounds, an age that is not finite. */
size_t message_encode(const struct gossip_message *message, const struct card *cards, uint8_t *out);

/* Whether cards of peers belong to a message: whether it is a shuffle, or a reply to one. */
bool message_has_cards(const struct gossip_message *message);

/* Where a message keeps the reference to what travels in its second frame, NULL for a message of
 * one frame; message_release gives that reference back, if there is one. */
struct version **message_version(struct gossip_message *message);
void message_release(struct gossip_message *message);

/* Takes a header frame apart. For a model, message->model.model stays NULL and the caller holds the
 * piece against its own model with piece_fits, and decodes the second frame with piece_decode; for
 * sums it holds them against its own features, and takes that frame with sums_take. For a shuffle,
 * entries get PEER_NONE, their ages, and cards[i] points into `bytes`; the caller resolves them.
 * Never allocates more than a fixed amount, whatever the bytes. */
enum refusal message_decode(const uint8_t *bytes, size_t size, struct gossip_message *message,
                            struct card cards[SHUFFLE_MAX]);

/* Bytes on the wire of a message with a header frame of this size: the frames themselves and what
 * ZMTP 3.1 with CURVE adds to each (RFC 23/26: a MESSAGE command of 1 flag byte, length of 1 or 8
 * bytes, its name, 8 bytes of nonce, 16 of authenticator, 1 of inner flags). */
size_t message_wire_bytes(const struct gossip_message *message, size_t header_size);

#endif
