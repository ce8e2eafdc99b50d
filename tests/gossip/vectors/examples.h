/* examples — the keys, certificates and messages that the test vectors are made of.
 *
 * docs/protocol.md tells the same in words. Everything follows from fixed seeds.
 */
#ifndef STARLING_TEST_EXAMPLES_H
#define STARLING_TEST_EXAMPLES_H

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "gossip/hello.h"
#include "gossip/sums.h"
#include "model/dataset.h"

struct example_keys {
    uint8_t authority[KEY_BYTES], authority_secret[SECRET_KEY_BYTES]; /* seed: 32 bytes 01 */
    uint8_t identity[KEY_BYTES], identity_secret[SECRET_KEY_BYTES];   /* seed: 32 bytes 02 */
    uint8_t curve[KEY_BYTES];                                         /* 32 bytes 03 */
};

static inline void example_key_pair(uint8_t seed_byte, uint8_t key[KEY_BYTES],
                                    uint8_t secret[SECRET_KEY_BYTES])
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    memset(seed, seed_byte, sizeof seed);
    crypto_sign_seed_keypair(key, secret, seed);
}

static inline struct example_keys example_keys(void)
{
    struct example_keys keys;
    example_key_pair(1, keys.authority, keys.authority_secret);
    example_key_pair(2, keys.identity, keys.identity_secret);
    memset(keys.curve, 3, KEY_BYTES);
    return keys;
}

static inline struct membership example_membership(const struct example_keys *keys)
{
    struct membership membership = {
        .serial = 7,
        .roles = ROLE_MEMBER,
        .not_before = 1700000000,
        .not_after = 1707776000,
    };
    memcpy(membership.swarm, keys->authority, KEY_BYTES);
    memcpy(membership.identity, keys->identity, KEY_BYTES);
    memcpy(membership.curve, keys->curve, KEY_BYTES);
    return membership;
}

static inline struct descriptor example_descriptor(const struct example_keys *keys)
{
    struct descriptor descriptor = {
        .endpoint = "tcp://192.0.2.1:7400",
        .sequence = 3,
        .time = 1700000100,
    };
    memcpy(descriptor.identity, keys->identity, KEY_BYTES);
    return descriptor;
}

/* The example node's certificates as bytes. */
struct example_certificates {
    uint8_t membership[MEMBERSHIP_BYTES_MAX], descriptor[DESCRIPTOR_BYTES_MAX];
    uint8_t card[CARD_BYTES_MAX];
    size_t membership_size, descriptor_size, card_size;
};

static inline void example_certificates(struct example_certificates *certificates)
{
    struct example_keys keys = example_keys();
    struct membership membership = example_membership(&keys);
    struct descriptor descriptor = example_descriptor(&keys);
    certificates->membership_size =
        membership_sign(&membership, keys.authority_secret, certificates->membership);
    certificates->descriptor_size =
        descriptor_sign(&descriptor, keys.identity_secret, certificates->descriptor);
    certificates->card_size =
        card_encode(&(struct card){certificates->membership, certificates->membership_size},
                    &(struct card){certificates->descriptor, certificates->descriptor_size},
                    certificates->card);
}

static inline void example_task(uint8_t task[TASK_ID_BYTES])
{
    for (uint8_t i = 0; i < TASK_ID_BYTES; i++)
        task[i] = i;
}

/* The cards point into `certificates`. */
static inline struct hello example_hello(const struct example_certificates *certificates)
{
    struct example_keys keys = example_keys();
    struct hello hello = {
        .version_least = 1,
        .version_most = 1,
        .membership = {certificates->membership, certificates->membership_size},
        .descriptor = {certificates->descriptor, certificates->descriptor_size},
        .revocation = 5,
        .task_count = 1,
    };
    memcpy(hello.swarm, keys.authority, KEY_BYTES);
    example_task(hello.tasks[0]);
    return hello;
}

static inline struct gossip_message example_model(void)
{
    struct gossip_message message = {
        .kind = MESSAGE_MODEL,
        .model = {.piece = piece_whole(4), .age = 12.5, .sequence = 42, .answer = true},
    };
    example_task(message.model.task);
    return message;
}

/* Half of the second of three fragments of a model, in bytes. */
static inline struct gossip_message example_piece(void)
{
    struct gossip_message message = example_model();
    message.model.answer = false;
    message.model.piece = (struct piece){.seed = 0x0102030405060708,
                                         .fragment = 1,
                                         .fragments = 3,
                                         .count = 128,
                                         .encoding = ENCODING_I8};
    return message;
}

/* One entry, to go with the example card. */
static inline struct gossip_message example_shuffle(void)
{
    return (struct gossip_message){
        .kind = MESSAGE_SHUFFLE,
        .shuffle = {.count = 1, .nonce = 0x01020304, .entries = {{PEER_NONE, 3}}},
    };
}

static inline struct gossip_message example_pull(void)
{
    struct gossip_message message = {.kind = MESSAGE_PULL, .pull = {.nonce = 7}};
    example_task(message.pull.task);
    return message;
}

/* One feature that three examples have, of 1, 2 and 4; `sums` is room for them. */
static inline struct gossip_message example_sums(struct version *sums)
{
    static const double values[] = {3, 7, 21};
    struct gossip_message message = {
        .kind = MESSAGE_SUMS, .sums = {.settled = true, .heard = 2, .features = 1, .sums = sums}};
    example_task(message.sums.task);
    memcpy(sums_values(sums), values, sizeof values);
    return message;
}

/* Bytes written as hexadecimal digits. Returns how many; 0 when `hex` is none or too long. */
static inline size_t bytes_of_hex(const char *hex, uint8_t *out, size_t capacity)
{
    size_t size = 0;
    if (sodium_hex2bin(out, capacity, hex, strlen(hex), NULL, &size, NULL) != 0 ||
        size * 2 != strlen(hex))
        return 0;
    return size;
}

/* Whether `bytes` are those of `hex`; says on stderr what they were when not. */
static inline bool bytes_are(const char *name, const uint8_t *bytes, size_t size, const char *hex)
{
    char *seen = malloc(size * 2 + 1);
    if (!seen)
        return false;
    sodium_bin2hex(seen, size * 2 + 1, bytes, size);
    bool same = strcmp(seen, hex) == 0;
    if (!same)
        fprintf(stderr, "%s: saw    %s\n%s: wanted %s\n", name, seen, name, hex);
    free(seen);
    return same;
}

#endif
