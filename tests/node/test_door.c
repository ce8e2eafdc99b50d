/* Who is not let in: strangers with bindings of their own, or without any. */
#include "tests/node/ends.h"

#include <arpa/inet.h>
#include <czmq.h>
#include <sys/socket.h>

/* A stranger with a binding of its own. `server`: the key it takes for ours. */
static zsock_t *stranger_at(const char *endpoint, const uint8_t *server)
{
    zcert_t *certificate = zcert_new();
    zsock_t *sock = zsock_new(ZMQ_DEALER);
    zsock_set_linger(sock, 0);
    zsock_set_rcvtimeo(sock, 0);
    zsock_set_sndtimeo(sock, 0); /* refused already, it has nowhere to send to */
    zsock_set_reconnect_ivl(sock, -1);
    if (server) {
        zcert_apply(certificate, sock);
        zsock_set_curve_serverkey_bin(sock, server);
    }
    zcert_destroy(&certificate);
    assert_int_equal(zsock_connect(sock, "%s", endpoint), 0);
    return sock;
}

static zsock_t *stranger(const struct end *to, const uint8_t *server)
{
    return stranger_at(transport_endpoint(to->transport), server);
}

static void assert_silence(zsock_t *sock)
{
    zmsg_t *heard = zmsg_recv(sock);
    assert_null(heard);
}

static void without_curve_nobody_gets_anything(void **state)
{
    (void)state;
    struct end a;
    end_begin(&a);
    uint8_t other[KEY_BYTES];
    struct identity *identity = identity_new(NULL);
    memcpy(other, identity->keys.curve, KEY_BYTES);
    identity_free(&identity);
    for (int kind = 0; kind < 3; kind++) { /* NULL, PLAIN, another's key for ours */
        zsock_t *sock = stranger(&a, kind == 2 ? other : NULL);
        if (kind == 1) {
            zsock_set_plain_username(sock, "name");
            zsock_set_plain_password(sock, "word");
            zsock_connect(sock, "%s", transport_endpoint(a.transport));
        }
        zsock_send(sock, "s", "hello");
        turn_until(&a, NULL, a.refused[REFUSED_NO_CURVE], kind + 1);
        assert_silence(sock);
        zsock_destroy(&sock);
    }
    turn_a_while(&a, NULL);
    assert_int_equal(transport_unverified(a.transport), 0);
    assert_int_equal(a.judged, 0);
    end_finish(&a);
}

static int plain_socket(const struct end *to, const char *text)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_port = htons((uint16_t)atoi(strrchr(transport_endpoint(to->transport), ':') + 1));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (text)
        assert_true(send(fd, text, strlen(text), MSG_NOSIGNAL) > 0);
    return fd;
}

static void what_is_not_even_zeromq_counts_as_no_curve(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "short",
        "\xff\x01\x02\x03\x04\x05\x06\x07\x08\x7f\x03\x01and then sixty-four and more bytes that "
        "do not mean a thing to anybody who listens there",
        NULL, /* connects and hangs up */
    };
    struct end a;
    end_begin(&a);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int fd = plain_socket(&a, texts[i]);
        if (!texts[i])
            close(fd);
        turn_until(&a, NULL, a.refused[REFUSED_NO_CURVE], i + 1);
        if (texts[i])
            close(fd);
    }
    turn_a_while(&a, NULL);
    assert_int_equal(transport_unverified(a.transport), 0);
    assert_int_equal(a.refused[REFUSED_NO_CURVE], 4);
    end_finish(&a);
}

static void members_who_come_by_do_not_hide_who_has_no_curve(void **state)
{
    (void)state;
    struct end a, b;
    end_begin(&b);
    for (uint64_t i = 1; i <= 5; i++) {
        end_begin(&a);
        assert_true(dial(&a, &b));
        turn_until(&a, &b, a.ups, 1);
        int fd = plain_socket(&b, "GET / HTTP/1.1\r\n\r\n");
        turn_until(&a, &b, b.refused[REFUSED_NO_CURVE], i);
        close(fd);
        end_finish(&a);
        turn_until(&b, NULL, b.downs, i);
    }
    assert_int_equal(b.refused[REFUSED_NO_MEMBERSHIP], 0);
    end_finish(&b);
}

static void unverified_connections_are_few_and_the_oldest_give_way(void **state)
{
    (void)state;
    enum { MANY = TRANSPORT_UNVERIFIED_MAX + 10 };
    struct end a, b;
    int fds[MANY];
    end_begin(&a);
    end_begin(&b);
    for (int i = 0; i < MANY; i++) {
        fds[i] = plain_socket(&a, NULL);
        turn(&a, NULL);
    }
    turn_until(&a, NULL, a.refused[REFUSED_RATE], 10);
    assert_true(transport_unverified(a.transport) <= TRANSPORT_UNVERIFIED_MAX);
    assert_true(dial(&b, &a)); /* an honest node gets in all the same */
    turn_until(&a, &b, b.ups, 1);
    char byte[64];
    ssize_t got;
    do
        got = recv(fds[0], byte, sizeof byte, 0); /* libzmq's greeting, then the end */
    while (got > 0);
    assert_true(got <= 0);
    for (int i = 0; i < MANY; i++)
        close(fds[i]);
    finish(&a, &b);
}

static void one_address_cannot_connect_without_end(void **state)
{
    (void)state;
    enum { OPEN = TRANSPORT_UNVERIFIED_MAX / 2, MOST = 2000 };
    struct end a;
    int fds[OPEN];
    end_begin(&a);
    memset(fds, -1, sizeof fds);
    for (int i = 0; i < MOST && a.refused[REFUSED_RATE] == 0; i++) {
        if (fds[i % OPEN] >= 0)
            close(fds[i % OPEN]);
        fds[i % OPEN] = plain_socket(&a, NULL);
        turn(&a, NULL);
    }
    assert_true(a.refused[REFUSED_RATE] > 0);
    for (int i = 0; i < OPEN; i++)
        close(fds[i]);
    end_finish(&a);
}

static void who_shakes_hands_and_says_nothing_is_sent_away(void **state)
{
    (void)state;
    struct end a;
    end_begin(&a);
    zsock_t *sock = stranger(&a, a.identity->keys.curve);
    turn_until(&a, NULL, transport_unverified(a.transport), 1);
    turn_a_while(&a, NULL);
    a.skew_us += TRANSPORT_PATIENCE_US + 1;
    turn_until(&a, NULL, a.refused[REFUSED_NO_MEMBERSHIP], 1);
    assert_int_equal(transport_unverified(a.transport), 0);
    assert_int_equal(a.refused[REFUSED_NO_CURVE], 0);
    assert_silence(sock);
    zsock_destroy(&sock);
    end_finish(&a);
}

static void a_hello_is_judged_even_when_its_sender_hangs_up(void **state)
{
    (void)state;
    struct end a;
    uint8_t hello[HELLO_BYTES_MAX];
    end_begin(&a);
    a.verdict = REFUSED_WRONG_SWARM;
    size_t size = greet(&a, false, hello);
    zsock_t *sock = stranger(&a, a.identity->keys.curve);
    zsock_set_linger(sock, 1000);
    zmq_send(zsock_resolve(sock), hello, size, 0);
    zsock_destroy(&sock);
    turn_until(&a, NULL, a.refused[REFUSED_WRONG_SWARM] + a.refused[REFUSED_NO_MEMBERSHIP], 1);
    end_finish(&a);
}

static void the_first_word_must_be_a_hello_in_one_frame(void **state)
{
    (void)state;
    struct end a;
    end_begin(&a);
    uint8_t hello[HELLO_BYTES_MAX];
    size_t size = greet(&a, false, hello);
    for (int kind = 0; kind < 4; kind++) {
        zsock_t *sock = stranger(&a, a.identity->keys.curve);
        void *raw = zsock_resolve(sock);
        if (kind == 0) /* no HELLO at all */
            zmq_send(raw, "please", 6, 0);
        if (kind == 1) { /* two frames */
            zmq_send(raw, hello, size, ZMQ_SNDMORE);
            zmq_send(raw, "more", 4, 0);
        }
        if (kind == 2) { /* many frames */
            for (int i = 0; i < 100; i++)
                zmq_send(raw, hello, size, ZMQ_SNDMORE);
            zmq_send(raw, "", 0, 0);
        }
        if (kind == 3) { /* too large for one */
            static uint8_t large[100000];
            memcpy(large, hello, size);
            zmq_send(raw, large, sizeof large, 0);
        }
        turn_until(&a, NULL, a.refused[REFUSED_MALFORMED] + a.refused[REFUSED_RATE], kind + 1);
        assert_silence(sock);
        zsock_destroy(&sock);
    }
    assert_int_equal(a.ups, 0);
    end_finish(&a);
}

static void a_connection_that_names_itself_is_refused(void **state)
{
    (void)state;
    struct end a;
    end_begin(&a);
    uint8_t hello[HELLO_BYTES_MAX];
    size_t size = greet(&a, false, hello);
    zsock_t *sock = zsock_new(ZMQ_DEALER);
    zcert_t *certificate = zcert_new();
    zcert_apply(certificate, sock);
    zcert_destroy(&certificate);
    zsock_set_linger(sock, 0);
    zsock_set_rcvtimeo(sock, 0);
    zsock_set_identity(sock, "mine");
    zsock_set_curve_serverkey_bin(sock, a.identity->keys.curve);
    zsock_connect(sock, "%s", transport_endpoint(a.transport));
    zmq_send(zsock_resolve(sock), hello, size, 0);
    turn_until(&a, NULL, a.refused[REFUSED_MALFORMED], 1);
    assert_int_equal(a.ups, 0);
    assert_silence(sock);
    zsock_destroy(&sock);
    end_finish(&a);
}

/* A wire that carries so many bytes towards the node, and then holds the rest back. */
struct wire {
    int listener, outer, inner; /* -1: not yet, or over */
    size_t left;
};

static void wire_carry(struct wire *wire, int from, int to, size_t most)
{
    char bytes[65536];
    size_t want = most < sizeof bytes ? most : sizeof bytes;
    ssize_t got = want > 0 ? recv(from, bytes, want, MSG_DONTWAIT) : -1;
    if (got > 0 && to == wire->inner)
        wire->left -= (size_t)got;
    for (ssize_t done = 0; done < got;) {
        ssize_t put = send(to, bytes + done, (size_t)(got - done), MSG_NOSIGNAL);
        if (put <= 0)
            return;
        done += put;
    }
}

static void wire_turn(struct wire *wire, const struct end *to)
{
    if (wire->outer < 0) {
        wire->outer = accept4(wire->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        wire->inner = wire->outer >= 0 ? plain_socket(to, NULL) : -1;
    } else {
        wire_carry(wire, wire->outer, wire->inner, wire->left);
        wire_carry(wire, wire->inner, wire->outer, SIZE_MAX);
    }
}

/* libzmq keeps the frames of a message until the last has come: somebody who never sends that could
 * fill the memory of a node without ever saying a word. */
static void a_message_without_end_is_cut_off(void **state)
{
    (void)state;
    struct end a;
    struct wire wire = {.outer = -1, .inner = -1, .left = 400000};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    end_begin(&a);
    wire.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    assert_int_equal(bind(wire.listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(wire.listener, 1), 0);
    getsockname(wire.listener, (struct sockaddr *)&address, &size);

    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", (unsigned)ntohs(address.sin_port));
    zsock_t *sock = stranger_at(endpoint, a.identity->keys.curve);
    static uint8_t frame[60000];
    for (int i = 0; i < 10; i++)
        zmq_send(zsock_resolve(sock), frame, sizeof frame, i < 9 ? ZMQ_SNDMORE : 0);
    uint64_t deadline_us = real_us() + DEADLINE_US;
    while (a.refused[REFUSED_RATE] == 0 && real_us() < deadline_us) {
        wire_turn(&wire, &a);
        turn(&a, NULL);
    }
    assert_int_equal(a.refused[REFUSED_RATE], 1);
    assert_int_equal(transport_unverified(a.transport), 0);
    close(wire.listener);
    close(wire.outer);
    close(wire.inner);
    zsock_destroy(&sock);
    end_finish(&a);
}

static void a_frame_larger_than_allowed_ends_the_connection(void **state)
{
    (void)state;
    struct end a;
    end_begin(&a);
    uint8_t hello[HELLO_BYTES_MAX];
    size_t size = greet(&a, false, hello);
    zsock_t *sock = stranger(&a, a.identity->keys.curve);
    void *raw = zsock_resolve(sock);
    zmq_send(raw, hello, size, 0);
    turn_until(&a, NULL, a.ups, 1);
    uint8_t *large = calloc(1, FRAME_MAX + 1000);
    zmq_send(raw, large, FRAME_MAX + 1000, 0);
    turn_until(&a, NULL, a.downs, 1);
    assert_int_equal(a.received, 0);
    free(large);
    zsock_destroy(&sock);
    end_finish(&a);
}

static int begin(void **state)
{
    (void)state;
    zsys_handler_set(NULL); /* signals are not CZMQ's */
    return sodium_init() < 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_curve_nobody_gets_anything),
        cmocka_unit_test(what_is_not_even_zeromq_counts_as_no_curve),
        cmocka_unit_test(members_who_come_by_do_not_hide_who_has_no_curve),
        cmocka_unit_test(unverified_connections_are_few_and_the_oldest_give_way),
        cmocka_unit_test(one_address_cannot_connect_without_end),
        cmocka_unit_test(who_shakes_hands_and_says_nothing_is_sent_away),
        cmocka_unit_test(a_hello_is_judged_even_when_its_sender_hangs_up),
        cmocka_unit_test(the_first_word_must_be_a_hello_in_one_frame),
        cmocka_unit_test(a_connection_that_names_itself_is_refused),
        cmocka_unit_test(a_message_without_end_is_cut_off),
        cmocka_unit_test(a_frame_larger_than_allowed_ends_the_connection),
    };
    return cmocka_run_group_tests_name("door", tests, begin, NULL);
}
