/* Any bytes as a descriptor; and as the body of one, signed here, so that the fuzzer gets past the
 * signature. What verifies must be signed again and come back the same. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/membership.h"
#include "gossip/wire.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_descriptor(const uint8_t *data, size_t size, const uint8_t *secret)
{
    struct descriptor descriptor, again;
    if (descriptor_verify(data, size, &descriptor) != REFUSED_NOT)
        return;
    must(memchr(descriptor.endpoint, '\0', ENDPOINT_MAX) && endpoint_valid(descriptor.endpoint));
    uint8_t bytes[DESCRIPTOR_BYTES_MAX];
    size_t signed_size = descriptor_sign(&descriptor, secret, bytes);
    must(signed_size > 0);
    if (memcmp(descriptor.identity, secret + SECRET_KEY_BYTES - KEY_BYTES, KEY_BYTES) != 0)
        return;
    must(descriptor_verify(bytes, signed_size, &again) == REFUSED_NOT);
    must(strcmp(descriptor.endpoint, again.endpoint) == 0 &&
         descriptor.sequence == again.sequence && descriptor.time == again.time);
}

/* An envelope around any body, as docs/protocol.md describes it. */
static size_t seal(const uint8_t *body, size_t size, const uint8_t *secret, uint8_t *out,
                   size_t capacity)
{
    static const char context[] = "starling descriptor\0\1";
    uint8_t covered[sizeof context + DESCRIPTOR_BYTES_MAX], signature[crypto_sign_BYTES];
    memcpy(covered, context, sizeof context - 1);
    memcpy(covered + sizeof context - 1, body, size);
    crypto_sign_detached(signature, NULL, covered, sizeof context - 1 + size, secret);
    struct wire_writer writer = wire_writer(out, capacity);
    wire_put_array(&writer, 3);
    wire_put_uint(&writer, 1);
    wire_put_bytes(&writer, body, size);
    wire_put_bytes(&writer, signature, sizeof signature);
    return wire_written(&writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t seed[crypto_sign_SEEDBYTES], identity[KEY_BYTES], secret[SECRET_KEY_BYTES];
    memset(seed, 2, sizeof seed);
    crypto_sign_seed_keypair(identity, secret, seed);
    check_descriptor(data, size, secret);
    if (size > DESCRIPTOR_BYTES_MAX)
        return 0;
    uint8_t sealed[2 * DESCRIPTOR_BYTES_MAX];
    size_t sealed_size = seal(data, size, secret, sealed, sizeof sealed);
    check_descriptor(sealed, sealed_size, secret);
    return 0;
}
