#include "node/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOW INT64_C(1800000000)
#define DAY INT64_C(86400)

/* A swarm's authority and one of its nodes, with keys by number. */
struct authority_keys {
    uint8_t swarm[KEY_BYTES], secret[SECRET_KEY_BYTES];
};
struct someone {
    uint8_t identity[KEY_BYTES], secret[SECRET_KEY_BYTES], curve[KEY_BYTES];
    struct membership membership;
    struct descriptor descriptor;
    uint8_t membership_bytes[MEMBERSHIP_BYTES_MAX], descriptor_bytes[DESCRIPTOR_BYTES_MAX];
    uint8_t card_bytes[CARD_BYTES_MAX];
    struct card membership_card, descriptor_card, card;
};

static struct authority_keys authority;

static void seal(struct someone *someone, const struct authority_keys *by)
{
    someone->membership_card =
        (struct card){someone->membership_bytes,
                      membership_sign(&someone->membership, by->secret, someone->membership_bytes)};
    someone->descriptor_card = (struct card){
        someone->descriptor_bytes,
        descriptor_sign(&someone->descriptor, someone->secret, someone->descriptor_bytes)};
    assert_true(someone->membership_card.size > 0 && someone->descriptor_card.size > 0);
    someone->card = (struct card){
        someone->card_bytes,
        card_encode(&someone->membership_card, &someone->descriptor_card, someone->card_bytes)};
    assert_true(someone->card.size > 0);
}

static struct someone *someone_new(uint32_t number, uint64_t sequence)
{
    struct someone *someone = calloc(1, sizeof *someone);
    uint8_t seed[crypto_sign_SEEDBYTES] = {0};
    memcpy(seed, &number, sizeof number);
    crypto_sign_seed_keypair(someone->identity, someone->secret, seed);
    crypto_generichash(someone->curve, KEY_BYTES, seed, sizeof seed, NULL, 0);
    someone->membership = (struct membership){.serial = number + 1,
                                              .roles = ROLE_MEMBER,
                                              .not_before = NOW - DAY,
                                              .not_after = NOW + DAY};
    memcpy(someone->membership.swarm, authority.swarm, KEY_BYTES);
    memcpy(someone->membership.identity, someone->identity, KEY_BYTES);
    memcpy(someone->membership.curve, someone->curve, KEY_BYTES);
    someone->descriptor = (struct descriptor){.sequence = sequence, .time = NOW};
    memcpy(someone->descriptor.identity, someone->identity, KEY_BYTES);
    snprintf(someone->descriptor.endpoint, ENDPOINT_MAX, "tcp://10.0.0.1:%u",
             1000 + (unsigned)(number + sequence) % 60000);
    seal(someone, &authority);
    return someone;
}

static bool keep_even(void *self, peer_id peer)
{
    (void)self;
    return peer % 2 == 0;
}

static bool keep_none(void *self, peer_id peer)
{
    (void)self;
    (void)peer;
    return false;
}

static void begin(struct roster *roster, roster_keep_function *keep)
{
    struct someone *self = someone_new(1000000, 1);
    assert_true(roster_init(roster, authority.swarm, self->identity, self->curve, keep, NULL));
    assert_true(roster_set_self(roster, &self->membership_card, &self->descriptor_card));
    free(self);
}

static peer_id resolve(struct roster *roster, const struct someone *someone, enum refusal *refusal)
{
    peer_id evicted;
    return roster_resolve(roster, &someone->card, NOW, true, refusal, &evicted);
}

static void a_card_becomes_a_peer_and_stays_the_same_one(void **state)
{
    (void)state;
    struct roster roster;
    enum refusal refusal;
    begin(&roster, keep_none);
    struct someone *someone = someone_new(1, 5);
    peer_id peer = resolve(&roster, someone, &refusal);
    assert_int_equal(peer, 1);
    const struct peer_record *record = roster_peer(&roster, peer);
    assert_memory_equal(record->identity, someone->identity, KEY_BYTES);
    assert_string_equal(record->endpoint, someone->descriptor.endpoint);
    assert_int_equal(resolve(&roster, someone, &refusal), peer);
    assert_int_equal(roster_find_identity(&roster, someone->identity), peer);
    assert_int_equal(roster_find_curve(&roster, someone->curve), peer);
    struct card card = roster_card(&roster, peer);
    assert_int_equal(card.size, someone->card.size);
    assert_memory_equal(card.bytes, someone->card.bytes, card.size);
    assert_int_equal(roster.count, 2);
    free(someone);
    roster_clear(&roster);
}

static void ones_own_card_is_oneself(void **state)
{
    (void)state;
    struct roster roster;
    enum refusal refusal;
    begin(&roster, keep_none);
    struct someone *self = someone_new(1000000, 1), *later = someone_new(1000000, 2);
    assert_int_equal(resolve(&roster, self, &refusal), ROSTER_SELF);
    assert_int_equal(resolve(&roster, later, &refusal), ROSTER_SELF);
    assert_int_equal(roster_card(&roster, ROSTER_SELF).size, self->card.size);
    assert_int_equal(roster.count, 1);
    free(self);
    free(later);
    roster_clear(&roster);
}

static void a_peer_only_moves_forward(void **state)
{
    (void)state;
    struct roster roster;
    enum refusal refusal;
    begin(&roster, keep_none);
    struct someone *first = someone_new(1, 5), *older = someone_new(1, 4),
                   *newer = someone_new(1, 6), *demoted = someone_new(1, 7);
    demoted->membership.serial--; /* an older membership under a newer descriptor */
    seal(demoted, &authority);
    peer_id peer = resolve(&roster, first, &refusal);
    assert_int_equal(resolve(&roster, older, &refusal), peer);
    assert_string_equal(roster_peer(&roster, peer)->endpoint, first->descriptor.endpoint);
    assert_int_equal(resolve(&roster, newer, &refusal), peer);
    assert_string_equal(roster_peer(&roster, peer)->endpoint, newer->descriptor.endpoint);
    assert_int_equal(resolve(&roster, demoted, &refusal), peer);
    assert_int_equal(roster_peer(&roster, peer)->sequence, 6);
    assert_int_equal(roster.count, 2);
    free(first);
    free(older);
    free(newer);
    free(demoted);
    roster_clear(&roster);
}

enum change { SWARM, EXPIRED, EARLY, FORGED, ANOTHERS, ROLE, CUT_SHORT };

static void what_does_not_hold_water_is_nobody(void **state)
{
    (void)state;
    static const struct {
        enum change change;
        enum refusal refusal;
    } cases[] = {
        {SWARM, REFUSED_WRONG_SWARM},      {EXPIRED, REFUSED_EXPIRED},
        {EARLY, REFUSED_NOT_YET_VALID},    {FORGED, REFUSED_BAD_SIGNATURE},
        {ANOTHERS, REFUSED_BAD_SIGNATURE}, {ROLE, REFUSED_NO_MEMBERSHIP},
        {CUT_SHORT, REFUSED_MALFORMED},
    };
    struct roster roster;
    begin(&roster, keep_none);
    struct authority_keys other;
    crypto_sign_keypair(other.swarm, other.secret);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct someone *someone = someone_new(50 + (uint32_t)i, 1), *another = someone_new(99, 1);
        enum refusal refusal;
        switch (cases[i].change) {
        case SWARM:
            memcpy(someone->membership.swarm, other.swarm, KEY_BYTES);
            seal(someone, &other);
            break;
        case EXPIRED:
            someone->membership.not_after = NOW - CLOCK_TOLERANCE_S - 1;
            seal(someone, &authority);
            break;
        case EARLY:
            someone->membership.not_before = NOW + CLOCK_TOLERANCE_S + 1;
            seal(someone, &authority);
            break;
        case FORGED:
            seal(someone, &other);
            break;
        case ANOTHERS: /* a descriptor that somebody else signed for himself */
            someone->card.size = card_encode(&someone->membership_card, &another->descriptor_card,
                                             someone->card_bytes);
            break;
        case ROLE:
            someone->membership.roles = ROLE_PUBLISHER;
            seal(someone, &authority);
            break;
        case CUT_SHORT:
            someone->card.size--;
            break;
        }
        peer_id peer = resolve(&roster, someone, &refusal);
        if (peer != PEER_NONE || refusal != cases[i].refusal)
            fail_msg("case %zu: peer %u, refused as %s, wanted %s", i, peer, refusal_name(refusal),
                     refusal_name(cases[i].refusal));
        free(someone);
        free(another);
    }
    assert_int_equal(roster.count, 1);
    roster_clear(&roster);
}

static void a_known_card_runs_out_too_but_not_without_a_clock(void **state)
{
    (void)state;
    struct roster roster;
    enum refusal refusal;
    peer_id evicted;
    begin(&roster, keep_none);
    struct someone *someone = someone_new(1, 1);
    peer_id peer = resolve(&roster, someone, &refusal);
    int64_t late = NOW + DAY + CLOCK_TOLERANCE_S + 1;
    assert_int_equal(roster_resolve(&roster, &someone->card, late, true, &refusal, &evicted),
                     PEER_NONE);
    assert_int_equal(refusal, REFUSED_EXPIRED);
    assert_int_equal(roster_resolve(&roster, &someone->card, late, false, &refusal, &evicted),
                     peer);
    free(someone);
    roster_clear(&roster);
}

/* Entered without signatures: they are not what this is about. */
static peer_id learn(struct roster *roster, uint32_t number, peer_id *evicted)
{
    struct membership membership = {.serial = 1, .not_before = 0, .not_after = NOW + DAY};
    struct descriptor descriptor = {.sequence = 1};
    uint8_t bytes[8] = {0};
    memcpy(bytes, &number, sizeof number);
    crypto_generichash(membership.identity, KEY_BYTES, bytes, sizeof bytes, NULL, 0);
    memcpy(descriptor.identity, membership.identity, KEY_BYTES);
    memcpy(membership.curve, membership.identity, KEY_BYTES);
    struct card card = {bytes, sizeof bytes};
    return roster_learn(roster, &membership, &descriptor, &card, &card, evicted);
}

static void a_full_roster_gives_up_who_was_touched_longest_ago_and_is_not_kept(void **state)
{
    (void)state;
    struct roster roster;
    peer_id evicted = PEER_NONE;
    begin(&roster, keep_even);
    for (uint32_t i = 1; i < ROSTER_MAX; i++) {
        peer_id peer = learn(&roster, i, &evicted);
        assert_int_equal(peer, i);
        assert_int_equal(evicted, PEER_NONE);
        roster_peer(&roster, peer)->touched_us = 2 * ROSTER_MAX - i; /* later ones longer ago */
    }
    roster_peer(&roster, ROSTER_MAX - 1)->connected = true;
    peer_id peer = learn(&roster, ROSTER_MAX, &evicted);
    assert_int_equal(evicted, ROSTER_MAX - 3); /* even ones are kept, and that one is connected */
    assert_int_equal(peer, evicted);
    assert_int_equal(roster.count, ROSTER_MAX);
    assert_null(roster_peer(&roster, ROSTER_MAX));
    roster_clear(&roster);
}

static void a_roster_where_all_are_kept_takes_nobody(void **state)
{
    (void)state;
    struct roster roster;
    peer_id evicted;
    begin(&roster, keep_none);
    for (uint32_t i = 1; i < ROSTER_MAX; i++)
        roster_peer(&roster, learn(&roster, i, &evicted))->connected = true;
    assert_int_equal(learn(&roster, ROSTER_MAX, &evicted), PEER_NONE);
    assert_int_equal(evicted, PEER_NONE);
    roster_clear(&roster);
}

static int set_up(void **state)
{
    (void)state;
    if (sodium_init() < 0)
        return -1;
    return crypto_sign_keypair(authority.swarm, authority.secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_becomes_a_peer_and_stays_the_same_one),
        cmocka_unit_test(ones_own_card_is_oneself),
        cmocka_unit_test(a_peer_only_moves_forward),
        cmocka_unit_test(what_does_not_hold_water_is_nobody),
        cmocka_unit_test(a_known_card_runs_out_too_but_not_without_a_clock),
        cmocka_unit_test(a_full_roster_gives_up_who_was_touched_longest_ago_and_is_not_kept),
        cmocka_unit_test(a_roster_where_all_are_kept_takes_nobody),
    };
    return cmocka_run_group_tests_name("roster", tests, set_up, NULL);
}
