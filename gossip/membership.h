/* membership — who belongs to a swarm, and where they are: certificates with signatures.
 *
 * A swarm has an authority, an Ed25519 key kept offline. A membership, signed by it, binds swarm,
 * identity (Ed25519), connection key (X25519, CURVE), serial, roles and validity. A descriptor,
 * signed by its node, tells an endpoint, with a sequence that only grows. Both travel as the exact
 * bytes that were signed: an envelope [version, body, signature] in msgpack, the signature over
 * a context string, the version and the body (docs/protocol.md).
 *
 * Pure: no files, no clock. Verification costs an Ed25519 check; callers remember what they know.
 */
#ifndef STARLING_MEMBERSHIP_H
#define STARLING_MEMBERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/message.h"

#define KEY_BYTES 32
#define SECRET_KEY_BYTES 64 /* Ed25519, as libsodium keeps it */
#define ENDPOINT_MAX 128
#define MEMBERSHIP_BYTES_MAX 384
#define DESCRIPTOR_BYTES_MAX 384
#define CLOCK_TOLERANCE_S 600
#define CERTIFICATE_TIME_MAX 253402300799 /* the last second of the year 9999 */

enum role { ROLE_MEMBER = 1, ROLE_PUBLISHER = 2 }; /* bits */

struct membership {
    uint8_t swarm[KEY_BYTES];    /* the authority's public key: a swarm's id */
    uint8_t identity[KEY_BYTES]; /* Ed25519 */
    uint8_t curve[KEY_BYTES];    /* X25519 */
    uint64_t serial;
    uint32_t roles;
    int64_t not_before, not_after; /* seconds since 1970, UTC */
};

struct descriptor {
    uint8_t identity[KEY_BYTES];
    char endpoint[ENDPOINT_MAX]; /* "tcp://host:port", or "" for a node that only dials out */
    uint64_t sequence;
    int64_t time; /* when it was signed */
};

/* Signs; `out` takes MEMBERSHIP_BYTES_MAX / DESCRIPTOR_BYTES_MAX bytes. Returns the size, 0 when
 * the content makes no sense: validity that ends before it begins, no role, an endpoint that is
 * none, a time outside 0 to CERTIFICATE_TIME_MAX, a serial or sequence above INT64_MAX. */
size_t membership_sign(const struct membership *membership,
                       const uint8_t authority_secret[SECRET_KEY_BYTES], uint8_t *out);
size_t descriptor_sign(const struct descriptor *descriptor,
                       const uint8_t identity_secret[SECRET_KEY_BYTES], uint8_t *out);

/* Takes an envelope apart and checks the signature, not the time; what does not parse is
 * REFUSED_MALFORMED, an unknown version REFUSED_VERSION, another swarm's REFUSED_WRONG_SWARM,
 * a signature that fails REFUSED_BAD_SIGNATURE. */
enum refusal membership_verify(const uint8_t *bytes, size_t size, const uint8_t swarm[KEY_BYTES],
                               struct membership *membership);
enum refusal descriptor_verify(const uint8_t *bytes, size_t size, struct descriptor *descriptor);

/* REFUSED_EXPIRED or REFUSED_NOT_YET_VALID, with CLOCK_TOLERANCE_S on both sides. */
enum refusal membership_valid_at(const struct membership *membership, int64_t wall_s);

/* "tcp://host:port" with a host of letters, digits, '.' and '-', or of hexadecimal digits, '.' and
 * ':' in brackets, and a port of 1 to 65535 — and nothing else; "" is fine too. */
bool endpoint_valid(const char *endpoint);

/* A card: both, as one frame element. Splits into the two envelopes; false when malformed. */
size_t card_encode(const struct card *membership, const struct card *descriptor,
                   uint8_t out[CARD_BYTES_MAX]);
bool card_decode(const uint8_t *bytes, size_t size, struct card *membership,
                 struct card *descriptor);

#endif
