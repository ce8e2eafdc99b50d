/* seal — signs any body as docs/protocol.md describes it, sense or not, so that the fuzzer gets
 * past the signature; with the keys of the examples there. */
#ifndef STARLING_FUZZ_SEAL_H
#define STARLING_FUZZ_SEAL_H

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "gossip/membership.h"
#include "gossip/wire.h"

#define SEAL_AUTHORITY 1
#define SEAL_NODE 2

static inline void seal_keys(uint8_t whose, uint8_t public[KEY_BYTES],
                             uint8_t secret[SECRET_KEY_BYTES])
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    memset(seed, whose, sizeof seed);
    crypto_sign_seed_keypair(public, secret, seed);
}

/* An envelope around `body` (DESCRIPTOR_BYTES_MAX at most); its size, 0 when it does not fit. */
static inline size_t seal(const char *what, const uint8_t *body, size_t size,
                          const uint8_t secret[SECRET_KEY_BYTES], uint8_t *out, size_t capacity)
{
    uint8_t covered[32 + DESCRIPTOR_BYTES_MAX], signature[crypto_sign_BYTES];
    size_t context = (size_t)snprintf((char *)covered, 32, "starling %s", what) + 1;
    covered[context++] = 1;
    if (size > DESCRIPTOR_BYTES_MAX)
        return 0;
    if (size > 0)
        memcpy(covered + context, body, size);
    crypto_sign_detached(signature, NULL, covered, context + size, secret);
    struct wire_writer writer = wire_writer(out, capacity);
    wire_put_array(&writer, 3);
    wire_put_uint(&writer, 1);
    wire_put_bytes(&writer, body, size);
    wire_put_bytes(&writer, signature, sizeof signature);
    return wire_written(&writer);
}

#endif
