/* ends — two ends of a transport for tests, each with an owner that writes down what it hears. */
#ifndef STARLING_TEST_ENDS_H
#define STARLING_TEST_ENDS_H

#include "node/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/wall_clock.h"

#define DEADLINE_US UINT64_C(20000000)
#define FRAME_MAX ((size_t)1 << 20)

/* An owner that writes down what it hears. Its HELLO is a real one, with nothing behind it. */
struct end {
    struct identity *identity;
    struct transport *transport;
    bool mute;            /* has no HELLO to give */
    enum refusal verdict; /* on every HELLO */
    uint64_t skew_us;     /* its clock runs ahead by so much */
    int ups, downs, judged, sent, failures, released;
    uint64_t round_trip_us;
    uint64_t refused[REFUSALS];
    int received;
    char texts[64][16];
    size_t payloads[64];
};

static inline uint64_t real_us(void)
{
    struct wall_clock clock = {0};
    return wall_clock_now(&clock).monotonic_us;
}

static inline uint64_t now_of(const struct end *end)
{
    return real_us() + end->skew_us;
}

static inline size_t greet(void *self, bool reply, uint8_t *out)
{
    const struct end *end = self;
    struct hello hello = {
        .version_least = PROTOCOL_VERSION, .version_most = PROTOCOL_VERSION, .reply = reply};
    return end->mute ? 0 : hello_encode(&hello, out);
}

static inline enum refusal judge(void *self, const uint8_t curve[KEY_BYTES], const uint8_t *bytes,
                                 size_t size, peer_id *peer)
{
    struct end *end = self;
    end->judged++;
    *peer = curve[0];
    return hello_is(bytes, size) ? end->verdict : REFUSED_MALFORMED;
}

static inline void up(void *self, peer_id peer, uint64_t round_trip_us)
{
    struct end *end = self;
    (void)peer;
    end->ups++;
    if (round_trip_us > 0)
        end->round_trip_us = round_trip_us;
}

static inline void down(void *self, peer_id peer)
{
    (void)peer;
    ((struct end *)self)->downs++;
}

static inline void receive(void *self, peer_id peer, struct parcel *parcel)
{
    struct end *end = self;
    (void)peer;
    int place = end->received++ % 64;
    size_t size = zmq_msg_size(&parcel->header);
    snprintf(end->texts[place], sizeof end->texts[place], "%.*s", (int)size,
             (const char *)zmq_msg_data(&parcel->header));
    end->payloads[place] = parcel->has_payload ? zmq_msg_size(&parcel->payload) : 0;
}

static inline void sent(void *self, peer_id peer, size_t wire_bytes, uint32_t mark)
{
    (void)peer;
    (void)mark;
    ((struct end *)self)->sent += wire_bytes > 0;
}

static inline void refused(void *self, enum refusal reason, peer_id peer, const char *address)
{
    (void)peer;
    (void)address;
    ((struct end *)self)->refused[reason]++;
}

static inline void unreachable(void *self, const uint8_t curve[KEY_BYTES], uint32_t failures)
{
    (void)curve;
    (void)failures;
    ((struct end *)self)->failures++;
}

static inline struct transport *open_at(struct end *end, const char *listen,
                                        struct problem *problem)
{
    struct transport_settings settings = {.identity = end->identity,
                                          .listen = listen,
                                          .frame_max = FRAME_MAX,
                                          .messages_per_s = 1000,
                                          .idle_us = 60000000};
    struct transport_owner owner = {.self = end,
                                    .greet = greet,
                                    .judge = judge,
                                    .up = up,
                                    .down = down,
                                    .receive = receive,
                                    .sent = sent,
                                    .refused = refused,
                                    .unreachable = unreachable};
    return transport_open(&settings, &owner, problem);
}

static inline void end_begin(struct end *end)
{
    struct problem problem = {0};
    *end = (struct end){.identity = identity_new(&problem)};
    end->transport = open_at(end, "tcp://127.0.0.1:*", &problem);
    if (!end->transport)
        fail_msg("%s", problem.text);
    transport_set_open(end->transport, true, now_of(end));
}

static inline void end_finish(struct end *end)
{
    transport_close(&end->transport);
    identity_free(&end->identity);
}

/* Both ends at work, for a moment. */
static inline void turn(struct end *a, struct end *b)
{
    zmq_pollitem_t items[2 * TRANSPORT_ITEMS_MAX];
    size_t count = transport_poll(a->transport, items);
    if (b)
        count += transport_poll(b->transport, items + count);
    zmq_poll(items, (int)count, 10);
    transport_work(a->transport, now_of(a));
    if (b)
        transport_work(b->transport, now_of(b));
}

/* Turns until `number` is at least `least`. */
#define turn_until(a, b, number, least)                                                            \
    do {                                                                                           \
        uint64_t deadline_us = real_us() + DEADLINE_US;                                            \
        while ((uint64_t)(number) < (uint64_t)(least)) {                                           \
            if (real_us() > deadline_us)                                                           \
                fail_msg("%s stays at %llu, wanted %llu", #number, (unsigned long long)(number),   \
                         (unsigned long long)(least));                                             \
            turn(a, b);                                                                            \
        }                                                                                          \
    } while (0)

/* Turns that show that something does not happen: as many as a round trip or two take. */
static inline void turn_a_while(struct end *a, struct end *b)
{
    uint64_t until_us = real_us() + 200000;
    while (real_us() < until_us)
        turn(a, b);
}

static inline void count_release(void *data, void *hint)
{
    (void)data;
    __atomic_fetch_add((int *)hint, 1, __ATOMIC_SEQ_CST);
}

static float shared_payload[1000];

static inline bool say(struct end *from, const struct end *to, const char *text, bool payload)
{
    struct parcel parcel;
    assert_true(parcel_init(&parcel, (const uint8_t *)text, strlen(text)));
    if (payload)
        assert_true(parcel_payload(&parcel, shared_payload, sizeof shared_payload, count_release,
                                   &from->released));
    parcel.wire_bytes = 100;
    const uint8_t *curve = to->identity->keys.curve;
    return transport_send(from->transport, curve[0], curve, transport_endpoint(to->transport),
                          &parcel, now_of(from));
}

static inline bool dial(struct end *from, const struct end *to)
{
    return transport_dial(from->transport, to->identity->keys.curve,
                          transport_endpoint(to->transport), now_of(from));
}

/* Two ends that have met. */
static inline void meet(struct end *a, struct end *b)
{
    end_begin(a);
    end_begin(b);
    assert_true(dial(a, b));
    turn_until(a, b, a->ups, 1);
    assert_int_equal(b->ups, 1);
}

static inline void finish(struct end *a, struct end *b)
{
    end_finish(a);
    end_finish(b);
}

#endif
