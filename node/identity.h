/* identity — a node's two keys, and the public file that tells others of them.
 *
 * Ed25519 is the identity and signs; X25519 carries the connection (CURVE). A new node's CURVE key
 * is the X25519 form of its identity, so that IDENTITY@ENDPOINT is enough to dial it; they are
 * stored, certified and can be replaced apart from each other.
 * DIR/identity.key (0600) holds both secrets, DIR/node.pub both public keys, as text.
 */
#ifndef STARLING_IDENTITY_H
#define STARLING_IDENTITY_H

#include "gossip/membership.h"
#include "model/problem.h"

#define KEY_HEX_SIZE (2 * KEY_BYTES + 1)
#define KEY_Z85_SIZE 41

struct public_keys {
    uint8_t identity[KEY_BYTES], curve[KEY_BYTES];
};

struct identity {
    struct public_keys keys;
    uint8_t *identity_secret; /* SECRET_KEY_BYTES, sodium_malloc */
    uint8_t *curve_secret;    /* KEY_BYTES, sodium_malloc */
};

/* New keys, in memory only. NULL when memory is out. Freed (and wiped) by identity_free. */
struct identity *identity_new(struct problem *problem);
void identity_free(struct identity **identity);

/* Writes DIR/identity.key and DIR/node.pub; refuses to overwrite. */
enum starling_error identity_save(const struct identity *identity, const char *dir,
                                  struct problem *problem);
/* Reads DIR/identity.key; refuses a file that others can read. */
struct identity *identity_load(const char *dir, struct problem *problem);

/* A node.pub file. */
enum starling_error public_keys_read(const char *file, struct public_keys *keys,
                                     struct problem *problem);

/* Where to find a peer: KEY@ENDPOINT, KEY the identity (64 hex digits) or the CURVE key (Z85, 40
 * characters). Fills the CURVE key to dial and the endpoint (ENDPOINT_MAX). */
enum starling_error seed_parse(const char *text, uint8_t curve[KEY_BYTES], char *endpoint,
                               struct problem *problem);

void key_hex(const uint8_t key[KEY_BYTES], char out[KEY_HEX_SIZE]);
bool key_from_hex(const char *text, uint8_t key[KEY_BYTES]);

#endif
