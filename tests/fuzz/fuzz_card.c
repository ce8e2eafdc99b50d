/* Any bytes as a peer's card; and any two bodies, signed here, as one. The roster must enter a peer
 * only when both parts verify and name the same identity, and then know it again. */
#include "tests/fuzz/fuzz.h"

#include "node/roster.h"
#include "tests/fuzz/seal.h"

static bool keep_none(void *self, peer_id peer)
{
    (void)self;
    (void)peer;
    return false;
}

static void check_entered(const struct roster *roster, const struct card *card, peer_id peer)
{
    const struct peer_record *record = roster_peer(roster, peer);
    struct card membership_bytes, descriptor_bytes, kept = roster_card(roster, peer);
    struct membership membership;
    struct descriptor descriptor;
    must(record && card_decode(card->bytes, card->size, &membership_bytes, &descriptor_bytes));
    must(membership_verify(membership_bytes.bytes, membership_bytes.size, roster->swarm,
                           &membership) == REFUSED_NOT);
    must(descriptor_verify(descriptor_bytes.bytes, descriptor_bytes.size, &descriptor) ==
         REFUSED_NOT);
    must(memcmp(membership.identity, descriptor.identity, KEY_BYTES) == 0);
    must(memcmp(membership.identity, record->identity, KEY_BYTES) == 0);
    must(membership.roles & ROLE_MEMBER && strlen(record->endpoint) < ENDPOINT_MAX);
    must(kept.size > 0 && kept.size <= CARD_BYTES_MAX);
}

static void check_card(const struct card *card, const uint8_t swarm[KEY_BYTES])
{
    static const uint8_t self[KEY_BYTES] = {9};
    struct roster roster;
    enum refusal refusal;
    peer_id evicted;
    must(roster_init(&roster, swarm, self, self, keep_none, NULL));
    peer_id peer = roster_resolve(&roster, card, 1700000000, true, &refusal, &evicted);
    if (peer == PEER_NONE) {
        must(refusal != REFUSED_NOT && roster.count == 1);
    } else {
        must(refusal == REFUSED_NOT && roster.count == 2);
        check_entered(&roster, card, peer);
        struct card again = roster_card(&roster, peer);
        must(roster_resolve(&roster, &again, 1700000000, true, &refusal, &evicted) == peer);
        must(roster.count == 2);
    }
    roster_clear(&roster);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t swarm[KEY_BYTES], identity[KEY_BYTES];
    uint8_t authority_secret[SECRET_KEY_BYTES], secret[SECRET_KEY_BYTES];
    uint8_t membership[MEMBERSHIP_BYTES_MAX], descriptor[DESCRIPTOR_BYTES_MAX];
    uint8_t bytes[CARD_BYTES_MAX];
    seal_keys(SEAL_AUTHORITY, swarm, authority_secret);
    seal_keys(SEAL_NODE, identity, secret);
    check_card(&(struct card){data, size}, swarm);

    struct part input = {data, size}, first = part_next(&input);
    struct card parts[2] = {
        {membership, seal("membership", first.bytes, first.size, authority_secret, membership,
                          sizeof membership)},
        {descriptor,
         seal("descriptor", input.bytes, input.size, secret, descriptor, sizeof descriptor)},
    };
    size_t card_size =
        parts[0].size && parts[1].size ? card_encode(&parts[0], &parts[1], bytes) : 0;
    if (card_size > 0)
        check_card(&(struct card){bytes, card_size}, swarm);
    return 0;
}
