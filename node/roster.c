#include "node/roster.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 16

static uint64_t key_mark(const uint8_t key[KEY_BYTES])
{
    uint64_t mark;
    memcpy(&mark, key, sizeof mark);
    return mark;
}

/* Not keyed: a card that collides is compared byte for byte, and found unequal. */
static uint64_t card_mark(const uint8_t *bytes, size_t size)
{
    static const uint8_t key[crypto_shorthash_KEYBYTES] = "roster";
    uint64_t mark;
    crypto_shorthash((uint8_t *)&mark, bytes, size, key);
    return mark;
}

static bool grow_array(void *array, size_t count, size_t size)
{
    void **place = array;
    void *grown = reallocarray(*place, count, size);
    if (!grown)
        return false;
    *place = grown;
    return true;
}

static bool reserve(struct roster *roster)
{
    if (roster->count < roster->capacity)
        return true;
    uint32_t capacity = roster->capacity ? 2 * roster->capacity : CAPACITY_FIRST;
    if (!grow_array(&roster->peers, capacity, sizeof *roster->peers) ||
        !grow_array(&roster->identity_marks, capacity, sizeof *roster->identity_marks) ||
        !grow_array(&roster->curve_marks, capacity, sizeof *roster->curve_marks) ||
        !grow_array(&roster->card_marks, capacity, sizeof *roster->card_marks))
        return false;
    roster->capacity = capacity;
    return true;
}

static void set_keys(struct roster *roster, peer_id peer, const uint8_t *identity,
                     const uint8_t *curve)
{
    memcpy(roster->peers[peer].identity, identity, KEY_BYTES);
    memcpy(roster->peers[peer].curve, curve, KEY_BYTES);
    roster->identity_marks[peer] = key_mark(identity);
    roster->curve_marks[peer] = key_mark(curve);
}

bool roster_init(struct roster *roster, const uint8_t swarm[KEY_BYTES],
                 const uint8_t identity[KEY_BYTES], const uint8_t curve[KEY_BYTES],
                 roster_keep_function *keep, void *self)
{
    *roster = (struct roster){.swarm = swarm, .keep = keep, .self = self};
    if (!reserve(roster)) {
        roster_clear(roster);
        return false;
    }
    roster->peers[ROSTER_SELF] = (struct peer_record){.accuracy_here = NAN};
    roster->card_marks[ROSTER_SELF] = 0;
    set_keys(roster, ROSTER_SELF, identity, curve);
    roster->count = 1;
    return true;
}

void roster_clear(struct roster *roster)
{
    for (uint32_t i = 0; i < roster->count; i++)
        free(roster->peers[i].card);
    free(roster->peers);
    free(roster->identity_marks);
    free(roster->curve_marks);
    free(roster->card_marks);
    *roster = (struct roster){0};
}

struct peer_record *roster_peer(const struct roster *roster, peer_id peer)
{
    return peer < roster->count ? &roster->peers[peer] : NULL;
}

peer_id roster_find_identity(const struct roster *roster, const uint8_t identity[KEY_BYTES])
{
    uint64_t mark = key_mark(identity);
    for (peer_id i = 0; i < roster->count; i++)
        if (roster->identity_marks[i] == mark &&
            memcmp(roster->peers[i].identity, identity, KEY_BYTES) == 0)
            return i;
    return PEER_NONE;
}

peer_id roster_find_curve(const struct roster *roster, const uint8_t curve[KEY_BYTES])
{
    uint64_t mark = key_mark(curve);
    for (peer_id i = 0; i < roster->count; i++)
        if (roster->curve_marks[i] == mark && memcmp(roster->peers[i].curve, curve, KEY_BYTES) == 0)
            return i;
    return PEER_NONE;
}

static peer_id find_card(const struct roster *roster, const struct card *card)
{
    uint64_t mark = card_mark(card->bytes, card->size);
    for (peer_id i = 0; i < roster->count; i++)
        if (roster->card_marks[i] == mark && roster->peers[i].card_size == card->size &&
            memcmp(roster->peers[i].card, card->bytes, card->size) == 0)
            return i;
    return PEER_NONE;
}

static bool set_card(struct roster *roster, peer_id peer, const struct card *membership,
                     const struct card *descriptor)
{
    uint8_t bytes[CARD_BYTES_MAX];
    size_t size = card_encode(membership, descriptor, bytes);
    uint8_t *copy = size > 0 ? malloc(size) : NULL;
    if (!copy)
        return false;
    memcpy(copy, bytes, size);
    struct peer_record *record = &roster->peers[peer];
    free(record->card);
    record->card = copy;
    record->card_size = size;
    roster->card_marks[peer] = card_mark(copy, size);
    return true;
}

bool roster_set_self(struct roster *roster, const struct card *membership,
                     const struct card *descriptor)
{
    return set_card(roster, ROSTER_SELF, membership, descriptor);
}

/* A number for somebody new. */
static peer_id make_room(struct roster *roster, peer_id *evicted)
{
    if (roster->count < ROSTER_MAX) {
        if (!reserve(roster))
            return PEER_NONE;
        return roster->count;
    }
    peer_id oldest = PEER_NONE;
    for (peer_id i = ROSTER_SELF + 1; i < roster->count; i++) {
        const struct peer_record *record = &roster->peers[i];
        if (record->connected || roster->keep(roster->self, i))
            continue;
        if (oldest == PEER_NONE || record->touched_us < roster->peers[oldest].touched_us)
            oldest = i;
    }
    if (oldest != PEER_NONE) {
        free(roster->peers[oldest].card);
        roster->peers[oldest].card = NULL;
        *evicted = oldest;
    }
    return oldest;
}

static void set_claims(struct peer_record *record, const struct membership *membership,
                       const struct descriptor *descriptor)
{
    memcpy(record->endpoint, descriptor->endpoint, ENDPOINT_MAX);
    record->serial = membership->serial;
    record->not_before = membership->not_before;
    record->not_after = membership->not_after;
    record->sequence = descriptor->sequence;
}

peer_id roster_learn(struct roster *roster, const struct membership *membership,
                     const struct descriptor *descriptor, const struct card *membership_bytes,
                     const struct card *descriptor_bytes, peer_id *evicted)
{
    *evicted = PEER_NONE;
    peer_id peer = roster_find_identity(roster, membership->identity);
    if (peer == ROSTER_SELF)
        return peer;
    if (peer != PEER_NONE) {
        struct peer_record *record = &roster->peers[peer];
        if (descriptor->sequence > record->sequence && membership->serial >= record->serial &&
            set_card(roster, peer, membership_bytes, descriptor_bytes)) {
            set_keys(roster, peer, membership->identity, membership->curve);
            set_claims(record, membership, descriptor);
        }
        return peer;
    }
    peer = make_room(roster, evicted);
    if (peer == PEER_NONE)
        return PEER_NONE;
    bool added = peer == roster->count;
    roster->peers[peer] = (struct peer_record){.accuracy_here = NAN};
    roster->card_marks[peer] = 0;
    set_keys(roster, peer, membership->identity, membership->curve);
    set_claims(&roster->peers[peer], membership, descriptor);
    if (added)
        roster->count++;
    if (!set_card(roster, peer, membership_bytes, descriptor_bytes))
        roster->peers[peer].sequence =
            0; /* without a card it is not passed on; the next is taken */
    return peer;
}

static enum refusal valid_at(const struct peer_record *record, int64_t wall_s)
{
    struct membership membership = {.not_before = record->not_before,
                                    .not_after = record->not_after};
    return membership_valid_at(&membership, wall_s);
}

peer_id roster_resolve(struct roster *roster, const struct card *card, int64_t wall_s,
                       bool clock_set, enum refusal *refusal, peer_id *evicted)
{
    *refusal = REFUSED_NOT;
    *evicted = PEER_NONE;
    peer_id known = find_card(roster, card);
    if (known == ROSTER_SELF)
        return known;
    if (known != PEER_NONE) {
        if (clock_set)
            *refusal = valid_at(&roster->peers[known], wall_s);
        return *refusal == REFUSED_NOT ? known : PEER_NONE;
    }
    struct card membership_bytes, descriptor_bytes;
    struct membership membership;
    struct descriptor descriptor;
    if (!card_decode(card->bytes, card->size, &membership_bytes, &descriptor_bytes))
        *refusal = REFUSED_MALFORMED;
    else
        *refusal = membership_verify(membership_bytes.bytes, membership_bytes.size, roster->swarm,
                                     &membership);
    if (*refusal == REFUSED_NOT && clock_set)
        *refusal = membership_valid_at(&membership, wall_s);
    if (*refusal == REFUSED_NOT)
        *refusal = descriptor_verify(descriptor_bytes.bytes, descriptor_bytes.size, &descriptor);
    if (*refusal == REFUSED_NOT && memcmp(descriptor.identity, membership.identity, KEY_BYTES) != 0)
        *refusal = REFUSED_BAD_SIGNATURE;
    if (*refusal == REFUSED_NOT && !(membership.roles & ROLE_MEMBER))
        *refusal = REFUSED_NO_MEMBERSHIP;
    if (*refusal != REFUSED_NOT)
        return PEER_NONE;
    return roster_learn(roster, &membership, &descriptor, &membership_bytes, &descriptor_bytes,
                        evicted);
}

struct card roster_card(const struct roster *roster, peer_id peer)
{
    const struct peer_record *record = roster_peer(roster, peer);
    return record && record->card ? (struct card){record->card, record->card_size}
                                  : (struct card){0};
}
