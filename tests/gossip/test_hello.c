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

static void a_hello_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    static uint8_t content[MEMBERSHIP_BYTES_MAX];
    for (uint64_t seed = 0; seed < 1000; seed++) {
        struct random random = random_stream(seed, 0, RANDOM_NETWORK, 0);
        struct hello sent = {
            .version_least = random_u32(&random) >> 1,
            .membership = {content, random_below(&random, MEMBERSHIP_BYTES_MAX + 1)},
            .descriptor = {content, random_below(&random, DESCRIPTOR_BYTES_MAX + 1)},
            .revocation = random_u64(&random) >> random_below(&random, 64),
            .task_count = random_below(&random, HELLO_TASKS_MAX + 1),
            .time = random_u32(&random) % 3 ? random_u32(&random) : 0,
            .reply = random_u32(&random) & 1,
        };
        sent.version_most = sent.version_least + random_below(&random, 1000);
        memset(content, (int)random_below(&random, 256), sizeof content);
        memset(sent.swarm, (int)random_below(&random, 256), KEY_BYTES);
        for (uint32_t i = 0; i < sent.task_count; i++)
            memset(sent.tasks[i], (int)random_below(&random, 256), TASK_ID_BYTES);

        uint8_t bytes[HELLO_BYTES_MAX];
        size_t size = hello_encode(&sent, bytes);
        struct hello received;
        assert_true(size > 0);
        assert_int_equal(hello_decode(bytes, size, &received), REFUSED_NOT);
        assert_true(hello_is(bytes, size));
        assert_int_equal(received.version_least, sent.version_least);
        assert_int_equal(received.version_most, sent.version_most);
        assert_memory_equal(received.swarm, sent.swarm, KEY_BYTES);
        assert_int_equal(received.membership.size, sent.membership.size);
        assert_int_equal(received.descriptor.size, sent.descriptor.size);
        if (sent.membership.size > 0)
            assert_memory_equal(received.membership.bytes, content, sent.membership.size);
        if (sent.descriptor.size > 0)
            assert_memory_equal(received.descriptor.bytes, content, sent.descriptor.size);
        assert_true(received.revocation == sent.revocation);
        assert_int_equal(received.task_count, sent.task_count);
        assert_memory_equal(received.tasks, sent.tasks, sent.task_count * TASK_ID_BYTES);
        assert_int_equal(received.reply, sent.reply);
        assert_true(received.time == sent.time);
    }
}

static void the_example_hellos_are_the_published_bytes(void **state)
{
    (void)state;
    struct example_certificates certificates;
    example_certificates(&certificates);
    struct hello hello = example_hello(&certificates);
    uint8_t bytes[HELLO_BYTES_MAX];
    assert_true(bytes_are("hello", bytes, hello_encode(&hello, bytes), vector_hello));
    hello.membership = hello.descriptor = (struct card){0};
    hello.reply = true;
    assert_true(bytes_are("hello_without_membership", bytes, hello_encode(&hello, bytes),
                          vector_hello_without_membership));
}

static void a_truncated_or_longer_hello_is_malformed(void **state)
{
    (void)state;
    uint8_t whole[HELLO_BYTES_MAX + 1] = {0};
    size_t size = bytes_of_hex(vector_hello, whole, sizeof whole);
    struct hello hello;
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *bytes = malloc(cut ? cut : 1);
        assert_non_null(bytes);
        memcpy(bytes, whole, cut);
        assert_int_equal(hello_decode(bytes, cut, &hello), REFUSED_MALFORMED);
        assert_false(hello_is(bytes, cut));
        free(bytes);
    }
    assert_int_equal(hello_decode(whole, size + 1, &hello), REFUSED_MALFORMED);
    assert_int_equal(hello_decode(whole, sizeof whole, &hello), REFUSED_MALFORMED);
    assert_false(hello_is(whole, sizeof whole));
}

static enum refusal judge(const struct hello *hello)
{
    struct example_keys keys = example_keys();
    struct membership membership;
    struct descriptor descriptor;
    return hello_judge(hello, keys.authority, keys.curve, 1700000000, true, &membership,
                       &descriptor);
}

/* Whatever a flipped bit leaves readable is not believed, but for what no signature covers. */
static void a_flipped_bit_never_changes_who_somebody_is(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    struct example_certificates made;
    example_certificates(&made);
    uint8_t bytes[HELLO_BYTES_MAX];
    size_t size = bytes_of_hex(vector_hello, bytes, sizeof bytes);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        struct hello hello;
        if (hello_decode(bytes, size, &hello) == REFUSED_NOT && judge(&hello) == REFUSED_NOT) {
            assert_memory_equal(hello.swarm, keys.authority, KEY_BYTES);
            assert_memory_equal(hello.membership.bytes, made.membership, made.membership_size);
            assert_memory_equal(hello.descriptor.bytes, made.descriptor, made.descriptor_size);
        }
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void only_a_hello_is_one_whatever_its_version(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        bool is;
        enum refusal refusal;
    } cases[] = {
        {vector_hello, true, REFUSED_NOT},
        {vector_hello_without_membership, true, REFUSED_NOT},
        {"8200020100", true, REFUSED_VERSION},
        {"8200010100", true, REFUSED_MALFORMED},
        {"830001010020c3", true, REFUSED_MALFORMED},
        {"8300010100e0c3", true, REFUSED_VERSION},
        {vector_model, false, REFUSED_MALFORMED},
        {vector_shuffle, false, REFUSED_MALFORMED},
        {vector_membership, false, REFUSED_MALFORMED},
        {"81a4696e666f01", false, REFUSED_MALFORMED},
        {"df80000000", false, REFUSED_MALFORMED},
        {"00", false, REFUSED_MALFORMED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bytes[HELLO_BYTES_MAX];
        size_t size = bytes_of_hex(cases[i].hex, bytes, sizeof bytes);
        struct hello hello;
        if (hello_is(bytes, size) != cases[i].is ||
            hello_decode(bytes, size, &hello) != cases[i].refusal)
            fail_msg("case %zu", i);
    }
}

static void a_hello_that_no_one_would_decode_is_not_encoded(void **state)
{
    (void)state;
    static const uint8_t content[DESCRIPTOR_BYTES_MAX + 1];
    const struct hello cases[] = {
        {.version_least = 2, .version_most = 1},
        {.task_count = HELLO_TASKS_MAX + 1},
        {.membership = {content, MEMBERSHIP_BYTES_MAX + 1}},
        {.descriptor = {content, DESCRIPTOR_BYTES_MAX + 1}},
        {.time = -1},
        {.time = CERTIFICATE_TIME_MAX + 1},
    };
    uint8_t bytes[HELLO_BYTES_MAX];
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(hello_encode(&cases[i], bytes), 0);
    struct hello largest = {
        .version_least = UINT32_MAX,
        .version_most = UINT32_MAX,
        .membership = {content, MEMBERSHIP_BYTES_MAX},
        .descriptor = {content, DESCRIPTOR_BYTES_MAX},
        .revocation = UINT64_MAX,
        .task_count = HELLO_TASKS_MAX,
        .time = CERTIFICATE_TIME_MAX,
    };
    assert_true(hello_encode(&largest, bytes) > 0);
}

/* The example HELLO's bytes, with the value of `key` replaced by the bytes of `hex`. */
static size_t hello_with(int64_t key, const char *hex, uint8_t bytes[HELLO_BYTES_MAX])
{
    struct wire_writer writer = wire_writer(bytes, HELLO_BYTES_MAX);
    wire_put_map(&writer, 8);
    static const int64_t order[] = {0, 1, 2, 3, 4, 7, 8, 9};
    static const uint8_t swarm[KEY_BYTES];
    for (size_t i = 0; i < COUNT(order); i++) {
        wire_put_key(&writer, order[i]);
        if (order[i] == key)
            writer.size += bytes_of_hex(hex, bytes + writer.size, HELLO_BYTES_MAX - writer.size);
        else if (order[i] == 4)
            wire_put_bytes(&writer, swarm, sizeof swarm);
        else if (order[i] == 8)
            wire_put_array(&writer, 0);
        else if (order[i] == 9)
            wire_put_bool(&writer, false);
        else
            wire_put_uint(&writer, order[i] == 1 ? 0 : 1);
    }
    return wire_written(&writer);
}

static void every_value_of_a_hello_is_checked(void **state)
{
    (void)state;
    static const struct {
        int64_t key;
        const char *hex;
        enum refusal refusal;
    } cases[] = {
        {-1, "", REFUSED_NOT},
        {2, "02", REFUSED_MALFORMED}, /* least above most */
        {2, "cf0000000100000000", REFUSED_MALFORMED},
        {3, "cf0000000100000000", REFUSED_MALFORMED},
        {3, "c0", REFUSED_MALFORMED},
        {4, "c40100", REFUSED_MALFORMED},
        {4, "a0", REFUSED_MALFORMED},
        {7, "ff", REFUSED_MALFORMED},
        {7, "cfffffffffffffffff", REFUSED_NOT},
        {8, "9f0000000000000000000000000000000000", REFUSED_MALFORMED},
        {8, "91c40f000000000000000000000000000000", REFUSED_MALFORMED},
        {8, "91c41000000000000000000000000000000000", REFUSED_NOT},
        {8, "80", REFUSED_MALFORMED},
        {9, "01", REFUSED_MALFORMED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t bytes[HELLO_BYTES_MAX];
        struct hello hello;
        size_t size = hello_with(cases[i].key, cases[i].hex, bytes);
        if (hello_decode(bytes, size, &hello) != cases[i].refusal)
            fail_msg("case %zu", i);
    }
    /* Seventeen tasks. */
    uint8_t bytes[HELLO_BYTES_MAX];
    char many[2 * (3 + 17 * 18) + 1] = "dc0011";
    for (int i = 0; i < 17; i++)
        strcat(many, "c41000000000000000000000000000000000");
    struct hello hello;
    assert_int_equal(hello_decode(bytes, hello_with(8, many, bytes), &hello), REFUSED_MALFORMED);
}

static void a_member_is_accepted_and_known(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    struct example_certificates made;
    example_certificates(&made);
    struct hello hello = example_hello(&made);
    struct membership membership;
    struct descriptor descriptor;
    assert_int_equal(
        hello_judge(&hello, keys.authority, keys.curve, 1700000000, true, &membership, &descriptor),
        REFUSED_NOT);
    assert_memory_equal(membership.identity, keys.identity, KEY_BYTES);
    assert_int_equal(membership.serial, 7);
    assert_memory_equal(descriptor.identity, keys.identity, KEY_BYTES);
    assert_string_equal(descriptor.endpoint, "tcp://192.0.2.1:7400");
}

/* One thing wrong after the other, the later ones first: the reason is always the earliest. */
static void the_first_thing_that_is_wrong_is_the_reason(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    struct example_certificates made;
    example_certificates(&made);
    struct hello hello = example_hello(&made);
    uint8_t other[KEY_BYTES], other_secret[SECRET_KEY_BYTES];
    example_key_pair(9, other, other_secret);

    uint8_t stranger[DESCRIPTOR_BYTES_MAX];
    struct descriptor of_other = example_descriptor(&keys);
    memcpy(of_other.identity, other, KEY_BYTES);
    hello.descriptor = (struct card){stranger, descriptor_sign(&of_other, other_secret, stranger)};
    assert_int_equal(judge(&hello), REFUSED_BAD_SIGNATURE); /* somebody else's descriptor */
    hello.descriptor.size = descriptor_sign(&of_other, keys.identity_secret, stranger);
    assert_int_equal(judge(&hello), REFUSED_BAD_SIGNATURE); /* a forged one */
    hello.descriptor.size = 0;
    assert_int_equal(judge(&hello), REFUSED_MALFORMED); /* none */

    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    struct membership membership = example_membership(&keys);
    membership.not_after = 1700000000 - CLOCK_TOLERANCE_S - 1;
    membership.not_before = membership.not_after;
    hello.membership =
        (struct card){bytes, membership_sign(&membership, keys.authority_secret, bytes)};
    assert_int_equal(judge(&hello), REFUSED_EXPIRED);
    membership.not_before = membership.not_after = 1700000000 + CLOCK_TOLERANCE_S + 1;
    hello.membership.size = membership_sign(&membership, keys.authority_secret, bytes);
    assert_int_equal(judge(&hello), REFUSED_NOT_YET_VALID);
    membership.roles = ROLE_PUBLISHER; /* and no member */
    hello.membership.size = membership_sign(&membership, keys.authority_secret, bytes);
    assert_int_equal(judge(&hello), REFUSED_NO_MEMBERSHIP);
    membership.roles = ROLE_MEMBER;
    memcpy(membership.curve, other, KEY_BYTES); /* a membership of another connection's key */
    hello.membership.size = membership_sign(&membership, keys.authority_secret, bytes);
    assert_int_equal(judge(&hello), REFUSED_NO_MEMBERSHIP);
    hello.membership.size = membership_sign(&membership, other_secret, bytes);
    assert_int_equal(judge(&hello), REFUSED_BAD_SIGNATURE); /* claims our swarm */
    memcpy(membership.swarm, other, KEY_BYTES);
    hello.membership.size = membership_sign(&membership, other_secret, bytes);
    assert_int_equal(judge(&hello), REFUSED_WRONG_SWARM); /* of another swarm, and says so */
    hello.membership.size--;
    assert_int_equal(judge(&hello), REFUSED_MALFORMED);
    hello.membership.size = 0;
    assert_int_equal(judge(&hello), REFUSED_NO_MEMBERSHIP);
    memcpy(hello.swarm, other, KEY_BYTES);
    assert_int_equal(judge(&hello), REFUSED_WRONG_SWARM);
    hello.version_least = hello.version_most = PROTOCOL_VERSION + 1;
    assert_int_equal(judge(&hello), REFUSED_VERSION);
    hello.version_least = hello.version_most = PROTOCOL_VERSION - 1;
    assert_int_equal(judge(&hello), REFUSED_VERSION);
}

static void any_range_of_versions_with_ours_in_it_will_do(void **state)
{
    (void)state;
    struct example_certificates made;
    example_certificates(&made);
    struct hello hello = example_hello(&made);
    hello.version_least = 0;
    hello.version_most = UINT32_MAX;
    assert_int_equal(judge(&hello), REFUSED_NOT);
}

static void a_node_that_knows_no_time_judges_no_expiry(void **state)
{
    (void)state;
    struct example_keys keys = example_keys();
    struct example_certificates made;
    example_certificates(&made);
    struct hello hello = example_hello(&made);
    struct membership membership;
    struct descriptor descriptor;
    assert_int_equal(
        hello_judge(&hello, keys.authority, keys.curve, 0, false, &membership, &descriptor),
        REFUSED_NOT);
    assert_int_equal(
        hello_judge(&hello, keys.authority, keys.curve, 0, true, &membership, &descriptor),
        REFUSED_NOT_YET_VALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_comes_back_as_it_was_sent),
        cmocka_unit_test(the_example_hellos_are_the_published_bytes),
        cmocka_unit_test(a_truncated_or_longer_hello_is_malformed),
        cmocka_unit_test(a_flipped_bit_never_changes_who_somebody_is),
        cmocka_unit_test(only_a_hello_is_one_whatever_its_version),
        cmocka_unit_test(a_hello_that_no_one_would_decode_is_not_encoded),
        cmocka_unit_test(every_value_of_a_hello_is_checked),
        cmocka_unit_test(a_member_is_accepted_and_known),
        cmocka_unit_test(the_first_thing_that_is_wrong_is_the_reason),
        cmocka_unit_test(any_range_of_versions_with_ours_in_it_will_do),
        cmocka_unit_test(a_node_that_knows_no_time_judges_no_expiry),
    };
    return cmocka_run_group_tests_name("hello", tests, NULL, NULL);
}
