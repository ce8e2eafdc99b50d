/* Any bytes as a membership of the example swarm, and as a card. What verifies must be something
 * that its authority signed: since the fuzzer has no key, the example or its like. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/membership.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_membership(const uint8_t *data, size_t size)
{
    uint8_t seed[crypto_sign_SEEDBYTES], swarm[KEY_BYTES], secret[SECRET_KEY_BYTES];
    memset(seed, 1, sizeof seed);
    crypto_sign_seed_keypair(swarm, secret, seed);
    struct membership membership;
    if (membership_verify(data, size, swarm, &membership) != REFUSED_NOT)
        return;
    must(memcmp(membership.swarm, swarm, KEY_BYTES) == 0 && membership.roles != 0);
    must(membership.not_before <= membership.not_after);
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    must(membership_sign(&membership, secret, bytes) > 0);
    membership_valid_at(&membership, 1700000000);
}

static void check_card(const uint8_t *data, size_t size)
{
    struct card membership, descriptor;
    if (!card_decode(data, size, &membership, &descriptor))
        return;
    must(membership.bytes >= data && membership.bytes + membership.size <= data + size);
    must(descriptor.bytes >= data && descriptor.bytes + descriptor.size <= data + size);
    uint8_t bytes[CARD_BYTES_MAX];
    must(card_encode(&membership, &descriptor, bytes) > 0);
    check_membership(membership.bytes, membership.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_membership(data, size);
    check_card(data, size);
    return 0;
}
