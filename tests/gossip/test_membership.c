#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gossip/wire.h"
#include "model/random.h"
#include "tests/gossip/vectors/examples.h"
#include "tests/gossip/vectors/vectors.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool same_membership(const struct membership *a, const struct membership *b)
{
    return memcmp(a->swarm, b->swarm, KEY_BYTES) == 0 &&
           memcmp(a->identity, b->identity, KEY_BYTES) == 0 &&
           memcmp(a->curve, b->curve, KEY_BYTES) == 0 && a->serial == b->serial &&
           a->roles == b->roles && a->not_before == b->not_before && a->not_after == b->not_after;
}

static void a_membership_comes_back_as_it_was_signed(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct random random = random_stream(seed, 0, RANDOM_NETWORK, 0);
        struct membership sent = example_membership(&keys), received;
        sent.serial = random_u64(&random) >> 1 >> random_below(&random, 63);
        sent.roles = 1 + random_below(&random, UINT32_MAX);
        sent.not_before = (int64_t)(random_u64(&random) % (CERTIFICATE_TIME_MAX / 2));
        sent.not_after = sent.not_before + random_below(&random, UINT32_MAX);
        for (int i = 0; i < KEY_BYTES; i++)
            sent.curve[i] = (uint8_t)random_u32(&random);
        uint8_t bytes[MEMBERSHIP_BYTES_MAX];
        size_t size = membership_sign(&sent, keys.authority_secret, bytes);
        if (size == 0 || membership_verify(bytes, size, keys.authority, &received) != REFUSED_NOT ||
            !same_membership(&sent, &received))
            fail_msg("seed %llu", (unsigned long long)seed);
    }
}

static void a_descriptor_comes_back_as_it_was_signed(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    char longest[ENDPOINT_MAX];
    memset(longest, 'a', sizeof longest);
    memcpy(longest, "tcp://", 6);
    strcpy(longest + sizeof longest - 7, ":65535");
    const char *const endpoints[] = {"", "tcp://192.0.2.1:7400", "tcp://[2001:db8::1]:1", longest};
    for (size_t i = 0; i < COUNT(endpoints); i++) {
        struct descriptor sent = example_descriptor(&keys), received;
        strcpy(sent.endpoint, endpoints[i]);
        sent.sequence = i ? INT64_MAX : 0;
        sent.time = i ? CERTIFICATE_TIME_MAX : 0;
        uint8_t bytes[DESCRIPTOR_BYTES_MAX];
        size_t size = descriptor_sign(&sent, keys.identity_secret, bytes);
        assert_true(size > 0);
        assert_int_equal(descriptor_verify(bytes, size, &received), REFUSED_NOT);
        assert_memory_equal(received.identity, keys.identity, KEY_BYTES);
        assert_string_equal(received.endpoint, endpoints[i]);
        assert_true(received.sequence == sent.sequence && received.time == sent.time);
    }
}

static void the_example_certificates_are_the_published_bytes(void **state)
{
    (void)state;
    struct example_certificates certificates;
    example_certificates(&certificates);
    assert_true(bytes_are("membership", certificates.membership, certificates.membership_size,
                          vector_membership));
    assert_true(bytes_are("descriptor", certificates.descriptor, certificates.descriptor_size,
                          vector_descriptor));
    assert_true(bytes_are("card", certificates.card, certificates.card_size, vector_card));
}

static enum refusal verify_membership(const uint8_t *bytes, size_t size)
{
    struct example_keys keys = example_keys();
    struct membership membership;
    return membership_verify(bytes, size, keys.authority, &membership);
}

static enum refusal verify_descriptor(const uint8_t *bytes, size_t size)
{
    struct descriptor descriptor;
    return descriptor_verify(bytes, size, &descriptor);
}

static const struct {
    const char *hex;
    enum refusal (*verify)(const uint8_t *bytes, size_t size);
} certificates[] = {
    {vector_membership, verify_membership},
    {vector_descriptor, verify_descriptor},
};

static void no_certificate_survives_a_flipped_bit(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(certificates); c++) {
        uint8_t bytes[MEMBERSHIP_BYTES_MAX];
        size_t size = bytes_of_hex(certificates[c].hex, bytes, sizeof bytes);
        assert_int_equal(certificates[c].verify(bytes, size), REFUSED_NOT);
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (certificates[c].verify(bytes, size) == REFUSED_NOT)
                fail_msg("certificate %zu, bit %zu", c, bit);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void a_truncated_or_longer_certificate_is_malformed(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(certificates); c++) {
        uint8_t whole[MEMBERSHIP_BYTES_MAX + 1] = {0};
        size_t size = bytes_of_hex(certificates[c].hex, whole, sizeof whole);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *bytes = malloc(cut ? cut : 1);
            assert_non_null(bytes);
            memcpy(bytes, whole, cut);
            assert_int_equal(certificates[c].verify(bytes, cut), REFUSED_MALFORMED);
            free(bytes);
        }
        assert_int_equal(certificates[c].verify(whole, size + 1), REFUSED_MALFORMED);
        assert_int_equal(certificates[c].verify(whole, sizeof whole), REFUSED_MALFORMED);
        assert_int_equal(certificates[c].verify(NULL, 0), REFUSED_MALFORMED);
    }
}

/* Makes an envelope from the description in docs/protocol.md alone. Returns its size. */
static size_t seal(unsigned version, const char *context, const uint8_t *body, size_t body_size,
                   const uint8_t secret[SECRET_KEY_BYTES], uint8_t out[MEMBERSHIP_BYTES_MAX])
{
    uint8_t covered[512];
    size_t context_size = strlen(context) + 1;
    memcpy(covered, context, context_size);
    covered[context_size] = (uint8_t)version;
    memcpy(covered + context_size + 1, body, body_size);
    uint8_t signature[crypto_sign_BYTES];
    crypto_sign_detached(signature, NULL, covered, context_size + 1 + body_size, secret);
    size_t size = 0;
    out[size++] = 0x93;
    out[size++] = (uint8_t)version;
    out[size++] = 0xc4;
    out[size++] = (uint8_t)body_size;
    memcpy(out + size, body, body_size);
    size += body_size;
    out[size++] = 0xc4;
    out[size++] = sizeof signature;
    memcpy(out + size, signature, sizeof signature);
    return size + sizeof signature;
}

/* The body of the example membership, with room for more. */
static size_t example_body(uint8_t body[256])
{
    uint8_t envelope[MEMBERSHIP_BYTES_MAX];
    bytes_of_hex(vector_membership, envelope, sizeof envelope);
    memcpy(body, envelope + 4, envelope[3]);
    return envelope[3];
}

static void the_signature_covers_context_version_and_body_as_described(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    uint8_t body[256], bytes[MEMBERSHIP_BYTES_MAX];
    size_t body_size = example_body(body);
    size_t size = seal(1, "starling membership", body, body_size, keys.authority_secret, bytes);
    assert_true(bytes_are("sealed", bytes, size, vector_membership));
    size = seal(1, "starling descriptor", body, body_size, keys.authority_secret, bytes);
    assert_int_equal(verify_membership(bytes, size), REFUSED_BAD_SIGNATURE);
    size = seal(2, "starling membership", body, body_size, keys.authority_secret, bytes);
    assert_int_equal(verify_membership(bytes, size), REFUSED_VERSION);
    bytes[1] = 1; /* a signature of another version */
    assert_int_equal(verify_membership(bytes, size), REFUSED_BAD_SIGNATURE);
}

static void a_signed_body_obeys_the_rule_of_growth(void **state)
{
    (void)state;
    static const struct {
        const char *more; /* behind the seven pairs, which become eight */
        enum refusal refusal;
    } cases[] = {
        {"0763", REFUSED_NOT},           {"cd0fff93010203", REFUSED_NOT},
        {"ff63", REFUSED_VERSION},       {"d08001", REFUSED_VERSION},
        {"0309", REFUSED_MALFORMED},     {"a10163", REFUSED_MALFORMED},
        {"07d40000", REFUSED_MALFORMED}, {"07", REFUSED_MALFORMED},
    };
    struct example_keys keys = example_keys();
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t body[256], bytes[MEMBERSHIP_BYTES_MAX];
        size_t size = example_body(body);
        body[0]++;
        size += bytes_of_hex(cases[i].more, body + size, sizeof body - size);
        size = seal(1, "starling membership", body, size, keys.authority_secret, bytes);
        if (verify_membership(bytes, size) != cases[i].refusal)
            fail_msg("%s", cases[i].more);
    }
}

static void another_authority_is_another_swarm_and_a_false_claim_a_bad_signature(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    uint8_t other[KEY_BYTES], other_secret[SECRET_KEY_BYTES], bytes[MEMBERSHIP_BYTES_MAX];
    example_key_pair(9, other, other_secret);
    struct membership membership = example_membership(&keys);
    size_t size = membership_sign(&membership, other_secret, bytes);
    assert_int_equal(verify_membership(bytes, size), REFUSED_BAD_SIGNATURE);
    memcpy(membership.swarm, other, KEY_BYTES);
    size = membership_sign(&membership, other_secret, bytes);
    assert_int_equal(verify_membership(bytes, size), REFUSED_WRONG_SWARM);
    assert_int_equal(membership_verify(bytes, size, other, &membership), REFUSED_NOT);
}

static void a_key_of_small_order_signs_nothing(void **state)
{
    (void)state;
    /* Under the neutral element every message would have the signature (R = B, S = 1). */
    struct example_keys keys = example_keys();
    struct descriptor descriptor = example_descriptor(&keys);
    memset(descriptor.identity, 0, KEY_BYTES);
    descriptor.identity[0] = 1;
    uint8_t bytes[DESCRIPTOR_BYTES_MAX];
    size_t size = descriptor_sign(&descriptor, keys.identity_secret, bytes);
    assert_true(size > 64);
    memset(bytes + size - 64, 0x66, 32);
    bytes[size - 64] = 0x58;
    memset(bytes + size - 32, 0, 32);
    bytes[size - 32] = 1;
    assert_int_equal(verify_descriptor(bytes, size), REFUSED_BAD_SIGNATURE);
}

static void what_makes_no_sense_is_not_signed(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    uint8_t out[MEMBERSHIP_BYTES_MAX];
    static const struct {
        int64_t from, until;
        uint64_t serial;
        uint32_t roles;
        bool sound;
    } memberships[] = {
        {10, 10, 0, 1, true},
        {10, 9, 0, 1, false},
        {-1, 9, 0, 1, false},
        {0, CERTIFICATE_TIME_MAX, INT64_MAX, 3, true},
        {0, CERTIFICATE_TIME_MAX + 1, 0, 1, false},
        {0, 9, (uint64_t)INT64_MAX + 1, 1, false},
        {0, 9, 0, 0, false},
    };
    for (size_t i = 0; i < COUNT(memberships); i++) {
        struct membership membership = example_membership(&keys);
        membership.not_before = memberships[i].from;
        membership.not_after = memberships[i].until;
        membership.serial = memberships[i].serial;
        membership.roles = memberships[i].roles;
        assert_int_equal(membership_sign(&membership, keys.authority_secret, out) > 0,
                         memberships[i].sound);
    }

    struct descriptor descriptor = example_descriptor(&keys);
    descriptor.time = -1;
    assert_int_equal(descriptor_sign(&descriptor, keys.identity_secret, out), 0);
    descriptor = example_descriptor(&keys);
    descriptor.sequence = (uint64_t)INT64_MAX + 1;
    assert_int_equal(descriptor_sign(&descriptor, keys.identity_secret, out), 0);
    descriptor = example_descriptor(&keys);
    strcpy(descriptor.endpoint, "ipc:///tmp/x");
    assert_int_equal(descriptor_sign(&descriptor, keys.identity_secret, out), 0);
    memset(descriptor.endpoint, 'a', ENDPOINT_MAX); /* without an end */
    assert_int_equal(descriptor_sign(&descriptor, keys.identity_secret, out), 0);
}

static void a_descriptor_with_a_false_endpoint_is_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint8_t size;
        enum refusal refusal;
    } cases[] = {
        {"tcp://a:1", 9, REFUSED_NOT},           {"", 0, REFUSED_NOT},
        {"tcp://a:1\0x", 11, REFUSED_MALFORMED}, {"\0tcp://a:1", 10, REFUSED_MALFORMED},
        {"inproc://a", 10, REFUSED_MALFORMED},
    };
    struct example_keys keys = example_keys();
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t body[128] = {0x84, 0x00, 0xc4, KEY_BYTES}, bytes[MEMBERSHIP_BYTES_MAX];
        memcpy(body + 4, keys.identity, KEY_BYTES);
        size_t size = 4 + KEY_BYTES;
        body[size++] = 0x01;
        body[size++] = (uint8_t)(0xa0 | cases[i].size);
        memcpy(body + size, cases[i].text, cases[i].size);
        size += cases[i].size;
        static const uint8_t rest[] = {0x02, 0x01, 0x03, 0x01}; /* sequence and time */
        memcpy(body + size, rest, sizeof rest);
        size =
            seal(1, "starling descriptor", body, size + sizeof rest, keys.identity_secret, bytes);
        assert_int_equal(verify_descriptor(bytes, size), cases[i].refusal);
    }
}

static void validity_has_ten_minutes_of_tolerance_on_both_sides(void **state)
{
    (void)state;
    struct membership membership = {.not_before = 1000000, .not_after = 2000000};
    static const struct {
        int64_t wall_s;
        enum refusal refusal;
    } cases[] = {
        {0, REFUSED_NOT_YET_VALID},
        {1000000 - CLOCK_TOLERANCE_S - 1, REFUSED_NOT_YET_VALID},
        {1000000 - CLOCK_TOLERANCE_S, REFUSED_NOT},
        {1500000, REFUSED_NOT},
        {2000000 + CLOCK_TOLERANCE_S, REFUSED_NOT},
        {2000000 + CLOCK_TOLERANCE_S + 1, REFUSED_EXPIRED},
        {INT64_MAX, REFUSED_EXPIRED},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(membership_valid_at(&membership, cases[i].wall_s), cases[i].refusal);
}

static void endpoints_are_tcp_host_and_port_and_nothing_else(void **state)
{
    (void)state;
    static const char *const sound[] = {
        "",
        "tcp://127.0.0.1:1",
        "tcp://node-7.example.org:65535",
        "tcp://[::1]:7400",
        "tcp://[2001:db8::192.0.2.1]:80",
        "tcp://a:10000",
    };
    static const char *const false_ones[] = {
        "tcp",
        "tcp://",
        "tcp://:1",
        "tcp://a",
        "tcp://a:",
        "tcp://a:0",
        "tcp://a:65536",
        "tcp://a:00001",
        "tcp://a:1 ",
        " tcp://a:1",
        "tcp://a:1;tcp://b:2",
        "tcp://a:-1",
        "tcp://a:123456",
        "tcp://a:18446744073709551617",
        "tcp://a_b:1",
        "tcp://a/b:1",
        "tcp://*:7400",
        "tcp://a:*",
        "tcp://[]:1",
        "tcp://[::1:1",
        "tcp://[::1]1",
        "tcp://[::1%eth0]:1",
        "tcp://[zz]:1",
        "tcp://::1:80",
        "TCP://a:1",
        "udp://a:1",
        "ipc://a:1",
        "tcp://a@b:1",
        "tcp://\xc3\xa4:1",
        "tcp://a:1\n",
    };
    for (size_t i = 0; i < COUNT(sound); i++)
        if (!endpoint_valid(sound[i]))
            fail_msg("refused: %s", sound[i]);
    for (size_t i = 0; i < COUNT(false_ones); i++)
        if (endpoint_valid(false_ones[i]))
            fail_msg("accepted: %s", false_ones[i]);
    char longer[ENDPOINT_MAX + 1];
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "tcp://", 6);
    strcpy(longer + sizeof longer - 3, ":1");
    assert_int_equal(strlen(longer), ENDPOINT_MAX);
    assert_false(endpoint_valid(longer));
}

static void a_card_splits_into_what_it_was_made_of(void **state)
{
    (void)state;
    struct example_certificates made;
    example_certificates(&made);
    struct card membership, descriptor;
    assert_true(card_decode(made.card, made.card_size, &membership, &descriptor));
    assert_int_equal(membership.size, made.membership_size);
    assert_memory_equal(membership.bytes, made.membership, membership.size);
    assert_int_equal(descriptor.size, made.descriptor_size);
    assert_memory_equal(descriptor.bytes, made.descriptor, descriptor.size);
    for (size_t cut = 0; cut < made.card_size; cut++)
        assert_false(card_decode(made.card, cut, &membership, &descriptor));
}

static void a_card_with_a_part_missing_or_too_large_is_refused(void **state)
{
    (void)state;
    static const uint8_t content[CARD_BYTES_MAX + 1];
    static const struct {
        size_t membership, descriptor;
        bool sound;
    } cases[] = {
        {1, 1, true},
        {MEMBERSHIP_BYTES_MAX, DESCRIPTOR_BYTES_MAX, true},
        {0, 1, false},
        {1, 0, false},
        {MEMBERSHIP_BYTES_MAX + 1, 1, false},
        {1, DESCRIPTOR_BYTES_MAX + 1, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct card membership = {content, cases[i].membership};
        struct card descriptor = {content, cases[i].descriptor};
        uint8_t out[CARD_BYTES_MAX];
        assert_int_equal(card_encode(&membership, &descriptor, out) > 0, cases[i].sound);
        struct wire_writer writer = wire_writer(out, sizeof out);
        wire_put_map(&writer, 2);
        wire_put_key(&writer, 0);
        wire_put_bytes(&writer, content, cases[i].membership);
        wire_put_key(&writer, 1);
        wire_put_bytes(&writer, content, cases[i].descriptor);
        assert_int_equal(card_decode(out, wire_written(&writer), &membership, &descriptor),
                         cases[i].sound);
    }
    struct card membership, descriptor;
    assert_false(card_decode(content, sizeof content, &membership, &descriptor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_membership_comes_back_as_it_was_signed),
        cmocka_unit_test(a_descriptor_comes_back_as_it_was_signed),
        cmocka_unit_test(the_example_certificates_are_the_published_bytes),
        cmocka_unit_test(no_certificate_survives_a_flipped_bit),
        cmocka_unit_test(a_truncated_or_longer_certificate_is_malformed),
        cmocka_unit_test(the_signature_covers_context_version_and_body_as_described),
        cmocka_unit_test(a_signed_body_obeys_the_rule_of_growth),
        cmocka_unit_test(another_authority_is_another_swarm_and_a_false_claim_a_bad_signature),
        cmocka_unit_test(a_key_of_small_order_signs_nothing),
        cmocka_unit_test(what_makes_no_sense_is_not_signed),
        cmocka_unit_test(a_descriptor_with_a_false_endpoint_is_malformed),
        cmocka_unit_test(validity_has_ten_minutes_of_tolerance_on_both_sides),
        cmocka_unit_test(endpoints_are_tcp_host_and_port_and_nothing_else),
        cmocka_unit_test(a_card_splits_into_what_it_was_made_of),
        cmocka_unit_test(a_card_with_a_part_missing_or_too_large_is_refused),
    };
    return cmocka_run_group_tests_name("membership", tests, NULL, NULL);
}
