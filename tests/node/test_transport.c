/* Nodes that know each other, and what becomes of their connections. */
#include "tests/node/ends.h"

static void messages_pass_both_ways_once_both_have_greeted(void **state)
{
    (void)state;
    struct end a, b;
    meet(&a, &b);
    assert_true(a.round_trip_us > 0);
    assert_true(say(&a, &b, "hither", true));
    assert_true(say(&b, &a, "thither", false));
    turn_until(&a, &b, b.received, 1);
    turn_until(&a, &b, a.received, 1);
    assert_string_equal(b.texts[0], "hither");
    assert_int_equal(b.payloads[0], sizeof shared_payload);
    assert_string_equal(a.texts[0], "thither");
    assert_int_equal(a.payloads[0], 0);
    assert_int_equal(a.sent, 1);
    assert_int_equal(b.sent, 1);
    finish(&a, &b);
    assert_int_equal(a.released, 1); /* lent, not copied, and given back */
}

static void what_is_said_before_they_met_waits_and_the_newest_stay(void **state)
{
    (void)state;
    struct end a, b;
    end_begin(&a);
    end_begin(&b);
    assert_true(say(&a, &b, "first", true));
    assert_true(say(&a, &b, "second", true));
    assert_true(say(&a, &b, "third", true));
    turn_until(&a, &b, b.received, 2);
    turn_a_while(&a, &b);
    assert_int_equal(b.received, 2);
    assert_string_equal(b.texts[0], "second");
    assert_string_equal(b.texts[1], "third");
    finish(&a, &b);
    assert_int_equal(a.released, 3);
}

static void who_is_refused_gets_nothing_and_is_denied_on_return(void **state)
{
    (void)state;
    struct end a, b;
    end_begin(&a);
    end_begin(&b);
    b.verdict = REFUSED_EXPIRED;
    assert_true(say(&a, &b, "let me in", false));
    turn_until(&a, &b, b.refused[REFUSED_EXPIRED], 1);
    turn_until(&a, &b, a.failures, 1);
    assert_int_equal(a.judged, 0); /* no HELLO came back */
    assert_int_equal(b.received, 0);
    transport_forget_failures(a.transport);
    assert_true(dial(&a, &b));
    turn_until(&a, &b, b.refused[REFUSED_EXPIRED], 2);
    assert_int_equal(b.judged, 1); /* the handler denied the key before it could say a word */
    b.skew_us += TRANSPORT_REFUSED_US;
    b.verdict = REFUSED_NOT;
    transport_forget_failures(a.transport);
    turn_until(&a, &b, (dial(&a, &b), a.ups), 1); /* forgiven after a while */
    finish(&a, &b);
}

static void a_shut_transport_denies_everyone_and_says_nothing(void **state)
{
    (void)state;
    struct end a, b;
    meet(&a, &b);
    transport_set_open(b.transport, false, now_of(&b));
    turn_until(&a, &b, a.downs, 1);
    assert_int_equal(b.downs, 1);
    assert_true(dial(&a, &b));
    turn_until(&a, &b, a.failures, 1);
    assert_int_equal(b.judged, 1);
    finish(&a, &b);
}

static void a_cut_peer_is_heard_no_more_and_its_socket_is_shut(void **state)
{
    (void)state;
    struct end a, b;
    meet(&a, &b);
    assert_true(say(&a, &b, "before", false));
    turn_until(&a, &b, b.received, 1);
    transport_cut(b.transport, a.identity->keys.curve, REFUSED_MALFORMED, now_of(&b));
    assert_true(say(&a, &b, "after", false));
    turn_until(&a, &b, a.downs, 1); /* shutdown(2) of libzmq's socket does reach the other side */
    assert_int_equal(b.received, 1);
    assert_false(say(&b, &a, "back", false));
    assert_true(dial(&a, &b));
    turn_until(&a, &b, b.refused[REFUSED_MALFORMED], 1);
    assert_int_equal(b.judged, 1);
    finish(&a, &b);
}

static void a_peer_that_comes_back_greets_again(void **state)
{
    (void)state;
    struct end a, b;
    struct problem problem;
    char endpoint[ENDPOINT_MAX];
    meet(&a, &b);
    snprintf(endpoint, sizeof endpoint, "%s", transport_endpoint(b.transport));
    transport_close(&b.transport);
    turn_until(&a, NULL, a.downs, 1);
    b.transport = open_at(&b, endpoint, &problem);
    assert_non_null(b.transport);
    transport_set_open(b.transport, true, now_of(&b));
    turn_until(&a, &b, (dial(&a, &b), a.ups), 2);
    assert_true(say(&a, &b, "again", false));
    turn_until(&a, &b, b.received, 1);
    finish(&a, &b);
}

static void nobody_listening_is_known_at_once_and_tried_later_each_time(void **state)
{
    (void)state;
    struct end a, b;
    end_begin(&a);
    end_begin(&b);
    char endpoint[ENDPOINT_MAX];
    snprintf(endpoint, sizeof endpoint, "%s", transport_endpoint(b.transport));
    transport_close(&b.transport);
    const uint8_t *curve = b.identity->keys.curve;
    uint64_t began_us = real_us();
    assert_true(transport_dial(a.transport, curve, endpoint, now_of(&a)));
    turn_until(&a, NULL, a.failures, 1);
    assert_true(real_us() - began_us < TRANSPORT_PATIENCE_US);
    assert_false(transport_dial(a.transport, curve, endpoint, now_of(&a)));
    a.skew_us += 200000;
    assert_true(transport_dial(a.transport, curve, endpoint, now_of(&a)));
    turn_until(&a, NULL, a.failures, 2);
    transport_close(&a.transport);
    identity_free(&a.identity);
    identity_free(&b.identity);
}

static void an_idle_connection_is_closed_by_who_dialled_it(void **state)
{
    (void)state;
    struct end a, b;
    meet(&a, &b);
    a.skew_us += 61000000;
    turn_until(&a, &b, a.downs, 1);
    turn_until(&a, &b, b.downs, 1);
    finish(&a, &b);
}

static void a_flood_of_messages_is_thinned_out(void **state)
{
    (void)state;
    struct end a, b;
    meet(&a, &b);
    for (int i = 0; i < 400; i++) {
        for (int j = 0; j < 15; j++)
            say(&a, &b, "again and again", false);
        turn(&a, &b);
        if (b.refused[REFUSED_RATE] > 0)
            break;
    }
    assert_true(b.refused[REFUSED_RATE] > 0);
    assert_int_equal(b.downs, 0);
    finish(&a, &b);
}

static void a_place_where_it_cannot_listen_is_named(void **state)
{
    (void)state;
    struct end a, b;
    end_begin(&a);
    struct {
        const char *listen, *said;
        enum starling_error error;
    } cases[] = {
        {transport_endpoint(a.transport), "address already in use: set node.listen",
         STARLING_FAILED},
        {"tcp://nowhere at all", "set node.listen", STARLING_INVALID},
        {"ipc:///tmp/x", "is no tcp:// endpoint", STARLING_INVALID},
        {"tcp://203.0.113.7:0", "an address of this machine", STARLING_FAILED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        b = (struct end){.identity = a.identity};
        assert_null(open_at(&b, cases[i].listen, &problem));
        if (!strstr(problem.text, cases[i].said) || !strstr(problem.text, cases[i].listen) ||
            problem.error != cases[i].error)
            fail_msg("%s: said (%d) \"%s\", wanted \"%s\"", cases[i].listen, problem.error,
                     problem.text, cases[i].said);
    }
    end_finish(&a);
}

static int begin(void **state)
{
    (void)state;
    return sodium_init() < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_pass_both_ways_once_both_have_greeted),
        cmocka_unit_test(what_is_said_before_they_met_waits_and_the_newest_stay),
        cmocka_unit_test(who_is_refused_gets_nothing_and_is_denied_on_return),
        cmocka_unit_test(a_shut_transport_denies_everyone_and_says_nothing),
        cmocka_unit_test(a_cut_peer_is_heard_no_more_and_its_socket_is_shut),
        cmocka_unit_test(a_peer_that_comes_back_greets_again),
        cmocka_unit_test(nobody_listening_is_known_at_once_and_tried_later_each_time),
        cmocka_unit_test(an_idle_connection_is_closed_by_who_dialled_it),
        cmocka_unit_test(a_flood_of_messages_is_thinned_out),
        cmocka_unit_test(a_place_where_it_cannot_listen_is_named),
    };
    return cmocka_run_group_tests_name("transport", tests, begin, NULL);
}
