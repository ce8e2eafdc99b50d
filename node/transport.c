#include "node/transport.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/transport_inside.h"

#define SOCKETS_MAX 512
#define BACKLOG_BYTES ((size_t)32 << 20) /* of messages of one connection, waiting to be read */
#define SWEEP_US UINT64_C(1000000)

bool bucket_take(struct bucket *bucket, double per_s, double burst, uint64_t now_us)
{
    if (bucket->last_us == 0)
        bucket->tokens = burst;
    else
        bucket->tokens += per_s * (double)(now_us - bucket->last_us) * 1e-6;
    if (bucket->tokens > burst)
        bucket->tokens = burst;
    bucket->last_us = now_us;
    if (bucket->tokens < 1)
        return false;
    bucket->tokens -= 1;
    return true;
}

struct key_note *key_notes_find(const struct key_notes *notes, const uint8_t curve[KEY_BYTES])
{
    for (size_t i = 0; i < notes->count; i++)
        if (memcmp(notes->notes[i].curve, curve, KEY_BYTES) == 0)
            return &notes->notes[i];
    return NULL;
}

static struct key_note *key_notes_room(struct key_notes *notes)
{
    if (notes->count < notes->capacity)
        return &notes->notes[notes->count++];
    if (notes->capacity < KEY_NOTES_MAX) {
        size_t capacity = notes->capacity ? 2 * notes->capacity : 8;
        struct key_note *grown = reallocarray(notes->notes, capacity, sizeof *grown);
        if (!grown)
            return NULL;
        notes->notes = grown;
        notes->capacity = capacity;
        return &notes->notes[notes->count++];
    }
    struct key_note *first = notes->notes;
    for (size_t i = 1; i < notes->count; i++)
        if (notes->notes[i].until_us < first->until_us)
            first = &notes->notes[i];
    return first;
}

struct key_note *key_notes_put(struct key_notes *notes, const uint8_t curve[KEY_BYTES])
{
    struct key_note *note = key_notes_find(notes, curve);
    if (note)
        return note;
    note = key_notes_room(notes);
    if (!note)
        return NULL;
    *note = (struct key_note){0};
    memcpy(note->curve, curve, KEY_BYTES);
    return note;
}

void key_notes_remove(struct key_notes *notes, const uint8_t curve[KEY_BYTES])
{
    struct key_note *note = key_notes_find(notes, curve);
    if (note)
        *note = notes->notes[--notes->count];
}

bool parcel_init(struct parcel *parcel, const uint8_t *header, size_t size)
{
    *parcel = (struct parcel){0};
    zmq_msg_init(&parcel->payload);
    if (zmq_msg_init_size(&parcel->header, size)) {
        zmq_msg_init(&parcel->header);
        return false;
    }
    memcpy(zmq_msg_data(&parcel->header), header, size);
    return true;
}

bool parcel_payload(struct parcel *parcel, void *data, size_t size,
                    void (*release)(void *data, void *hint), void *hint)
{
    if (zmq_msg_init_data(&parcel->payload, data, size, release, hint)) {
        zmq_msg_init(&parcel->payload);
        return false;
    }
    parcel->has_payload = true;
    return true;
}

void parcel_clear(struct parcel *parcel)
{
    zmq_msg_close(&parcel->header);
    zmq_msg_close(&parcel->payload);
    zmq_msg_init(&parcel->header);
    zmq_msg_init(&parcel->payload);
}

void parcel_move(struct parcel *to, struct parcel *from)
{
    *to = *from;
    zmq_msg_init(&to->header);
    zmq_msg_init(&to->payload);
    zmq_msg_move(&to->header, &from->header);
    zmq_msg_move(&to->payload, &from->payload);
}

bool parcel_read(void *socket, struct parcel *parcel, bool *sound)
{
    *parcel = (struct parcel){0};
    zmq_msg_init(&parcel->header);
    zmq_msg_init(&parcel->payload);
    *sound = false;
    if (zmq_msg_recv(&parcel->header, socket, ZMQ_DONTWAIT) < 0)
        return false;
    if (!zmq_msg_more(&parcel->header)) {
        *sound = true;
        return true;
    }
    if (zmq_msg_recv(&parcel->payload, socket, ZMQ_DONTWAIT) < 0)
        return true;
    parcel->has_payload = true;
    *sound = !zmq_msg_more(&parcel->payload);
    bool more = !*sound;
    while (more) { /* whole messages alone are handed out, so this does not wait */
        zmq_msg_t rest;
        zmq_msg_init(&rest);
        more = zmq_msg_recv(&rest, socket, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&rest);
        zmq_msg_close(&rest);
    }
    return true;
}

struct transport *transport_open(const struct transport_settings *settings,
                                 const struct transport_owner *owner, struct problem *problem)
{
    struct transport *transport = calloc(1, sizeof *transport);
    if (!transport) {
        problem_no_memory(problem, "the transport");
        return NULL;
    }
    transport->settings = *settings;
    transport->owner = *owner;
    size_t waiting = BACKLOG_BYTES / (settings->frame_max ? settings->frame_max : 1);
    transport->receive_high_water = waiting < 2 ? 2 : waiting > 64 ? 64 : (int)waiting;
    transport->context = zmq_ctx_new();
    if (!transport->context || !zmq_has("curve")) {
        problem_set(problem, STARLING_FAILED,
                    "libzmq: it has no CURVE encryption: install a libzmq built with it");
        transport_close(&transport);
        return NULL;
    }
    zmq_ctx_set(transport->context, ZMQ_MAX_SOCKETS, SOCKETS_MAX);
    if (!zap_open(transport, problem) || !router_open(transport, problem))
        transport_close(&transport);
    return transport;
}

void transport_close(struct transport **transport)
{
    struct transport *ours = *transport;
    *transport = NULL;
    if (!ours)
        return;
    for (size_t i = 0; i < ours->count; i++) {
        if (ours->connections[i]->dialled)
            dial_close(ours->connections[i]);
        free(ours->connections[i]);
    }
    free(ours->connections);
    if (ours->router)
        zmq_close(ours->router);
    if (ours->monitor)
        zmq_close(ours->monitor);
    if (ours->zap)
        zmq_close(ours->zap);
    while (ours->context && zmq_ctx_term(ours->context) && errno == EINTR)
        continue;
    free(ours->refused.notes);
    free(ours->failed.notes);
    free(ours->greeted.notes);
    free(ours->address_notes);
    free(ours);
}

const char *transport_endpoint(const struct transport *transport)
{
    return transport->endpoint;
}

void transport_set_open(struct transport *transport, bool open, uint64_t now_us)
{
    transport->now_us = now_us;
    if (transport->open != open)
        for (size_t i = 0; i < transport->count; i++)
            connection_end(transport, transport->connections[i]);
    transport->open = open;
}

void transport_forget_failures(struct transport *transport)
{
    transport->failed.count = 0;
}

struct connection *connection_new(struct transport *transport, bool dialled)
{
    if (transport->count == transport->capacity) {
        size_t capacity = transport->capacity ? 2 * transport->capacity : 8;
        struct connection **grown =
            reallocarray(transport->connections, capacity, sizeof(struct connection *));
        if (!grown)
            return NULL;
        transport->connections = grown;
        transport->capacity = capacity;
    }
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    connection->dialled = dialled;
    connection->peer = PEER_NONE;
    connection->fd = -1;
    connection->since_us = connection->used_us = transport->now_us;
    transport->connections[transport->count++] = connection;
    if (dialled)
        transport->outbound++;
    else
        transport->inbound++;
    return connection;
}

struct connection *connection_verified(const struct transport *transport, peer_id peer,
                                       const struct connection *except)
{
    struct connection *found = NULL;
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (connection != except && connection->state == CONNECTION_VERIFIED &&
            connection->peer == peer && (!found || connection->dialled))
            found = connection;
    }
    return found;
}

void connection_end(struct transport *transport, struct connection *connection)
{
    enum connection_state state = connection->state;
    if (state == CONNECTION_GONE)
        return;
    connection->state = CONNECTION_GONE;
    if (!connection->dialled)
        connection_shut(connection);
    if (state == CONNECTION_VERIFIED && !connection_verified(transport, connection->peer, NULL))
        transport->owner.down(transport->owner.self, connection->peer);
}

/* Of those verified and incoming, the one that has been quiet longest gives way. */
static void make_room(struct transport *transport)
{
    size_t verified = 0;
    struct connection *quietest = NULL;
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (connection->dialled || connection->state != CONNECTION_VERIFIED)
            continue;
        verified++;
        if (!quietest || connection->used_us < quietest->used_us)
            quietest = connection;
    }
    if (verified > TRANSPORT_INBOUND_MAX - TRANSPORT_UNVERIFIED_MAX)
        connection_end(transport, quietest);
}

static uint64_t refused_for(enum refusal reason)
{
    /* Who was not admitted yet may be by the next minute; who broke the rules may wait. */
    return reason == REFUSED_NO_MEMBERSHIP || reason == REFUSED_NOT_YET_VALID ||
                   reason == REFUSED_EXPIRED
               ? TRANSPORT_REFUSED_US / 6
               : TRANSPORT_REFUSED_US;
}

static void remember_refused(struct transport *transport, const uint8_t curve[KEY_BYTES],
                             enum refusal reason)
{
    struct key_note *note = key_notes_put(&transport->refused, curve);
    if (!note)
        return;
    note->reason = reason;
    note->until_us = transport->now_us + refused_for(reason);
}

void refuse(struct transport *transport, struct connection *connection, enum refusal reason)
{
    char address[64];
    connection_address(connection, address, sizeof address);
    peer_id peer = connection->state == CONNECTION_VERIFIED ? connection->peer : PEER_NONE;
    if (connection->named)
        remember_refused(transport, connection->curve, reason);
    transport->owner.refused(transport->owner.self, reason, peer, address);
    connection_end(transport, connection);
}

bool connection_send(struct transport *transport, struct connection *connection,
                     struct parcel *parcel)
{
    void *socket = connection->dialled ? connection->dealer : transport->router;
    bool sent = false;
    if (connection->state == CONNECTION_GONE)
        goto out;
    if (!connection->dialled && zmq_send(socket, connection->routing, connection->routing_size,
                                         ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) {
        if (errno == EHOSTUNREACH)
            connection_end(transport, connection);
        goto out;
    }
    if (zmq_msg_send(&parcel->header, socket,
                     ZMQ_DONTWAIT | (parcel->has_payload ? ZMQ_SNDMORE : 0)) < 0)
        goto out;
    sent = !parcel->has_payload || zmq_msg_send(&parcel->payload, socket, ZMQ_DONTWAIT) >= 0;
    connection->used_us = transport->now_us;
    if (sent && parcel->wire_bytes > 0)
        transport->owner.sent(transport->owner.self, connection->peer, parcel->wire_bytes,
                              parcel->mark);
out:
    parcel_clear(parcel);
    return sent;
}

static void answer_hello(struct transport *transport, struct connection *connection)
{
    uint8_t bytes[HELLO_BYTES_MAX];
    size_t size = transport->owner.greet(transport->owner.self, true, bytes);
    struct parcel parcel;
    if (size == 0 || !parcel_init(&parcel, bytes, size) ||
        !connection_send(transport, connection, &parcel))
        connection_end(transport, connection);
}

static void flush_outbox(struct transport *transport, struct connection *connection)
{
    for (size_t i = 0; i < connection->outbox_count; i++)
        connection_send(transport, connection, &connection->outbox[i]);
    connection->outbox_count = 0;
}

/* A peer has one connection each way: a new one means that the old is dead, or a waste. */
static void end_others(struct transport *transport, const struct connection *connection)
{
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *other = transport->connections[i];
        if (other != connection && other->state == CONNECTION_VERIFIED &&
            other->dialled == connection->dialled &&
            memcmp(other->curve, connection->curve, KEY_BYTES) == 0)
            connection_end(transport, other);
    }
}

static void verified(struct transport *transport, struct connection *connection, peer_id peer)
{
    uint64_t round_trip_us = connection->dialled ? transport->now_us - connection->since_us : 0;
    connection->state = CONNECTION_VERIFIED;
    connection->peer = peer;
    connection->since_us = connection->used_us = transport->now_us;
    end_others(transport, connection);
    key_notes_remove(&transport->failed, connection->curve);
    if (!connection->dialled)
        answer_hello(transport, connection);
    if (connection->state != CONNECTION_VERIFIED)
        return;
    transport->owner.up(transport->owner.self, peer, round_trip_us);
    flush_outbox(transport, connection);
    make_room(transport);
}

/* Judges a HELLO: the connection is verified by it, or refused. */
static void hear_hello(struct transport *transport, struct connection *connection,
                       struct parcel *parcel)
{
    const uint8_t *bytes = zmq_msg_data(&parcel->header);
    size_t size = zmq_msg_size(&parcel->header);
    struct key_note *note = key_notes_put(&transport->greeted, connection->curve);
    if (note)
        note->until_us = transport->now_us + TRANSPORT_REFUSED_US;
    enum refusal refusal = REFUSED_NOT;
    peer_id peer = PEER_NONE;
    if (!note || !bucket_take(&note->hellos, HELLO_PER_S, HELLO_BURST, transport->now_us))
        refusal = REFUSED_RATE;
    else if (parcel->has_payload || size > HELLO_BYTES_MAX)
        refusal = REFUSED_MALFORMED;
    else
        refusal =
            transport->owner.judge(transport->owner.self, connection->curve, bytes, size, &peer);
    if (refusal != REFUSED_NOT)
        refuse(transport, connection, refusal);
    else if (connection->state != CONNECTION_VERIFIED)
        verified(transport, connection, peer);
}

static void hear_message(struct transport *transport, struct connection *connection,
                         struct parcel *parcel)
{
    double per_s = transport->settings.messages_per_s;
    connection->used_us = transport->now_us;
    if (!bucket_take(&connection->messages, per_s, 2 * per_s, transport->now_us))
        transport->owner.refused(transport->owner.self, REFUSED_RATE, connection->peer, "");
    else if (!parcel->has_payload &&
             hello_is(zmq_msg_data(&parcel->header), zmq_msg_size(&parcel->header)))
        hear_hello(transport, connection, parcel);
    else
        transport->owner.receive(transport->owner.self, connection->peer, parcel);
}

void connection_take(struct transport *transport, struct connection *connection,
                     struct parcel *parcel, bool sound)
{
    connection->taken += zmq_msg_size(&parcel->header) + zmq_msg_size(&parcel->payload);
    if (!sound)
        refuse(transport, connection, REFUSED_MALFORMED);
    else if (connection->state == CONNECTION_VERIFIED)
        hear_message(transport, connection, parcel);
    else if (connection->state == CONNECTION_GREETING)
        hear_hello(transport, connection, parcel);
}

void transport_cut(struct transport *transport, const uint8_t curve[KEY_BYTES], enum refusal reason,
                   uint64_t now_us)
{
    transport->now_us = now_us;
    remember_refused(transport, curve, reason);
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (connection->named && memcmp(connection->curve, curve, KEY_BYTES) == 0)
            connection_end(transport, connection);
    }
}

void transport_forget_peer(struct transport *transport, peer_id peer)
{
    for (size_t i = 0; i < transport->count; i++)
        if (transport->connections[i]->state == CONNECTION_VERIFIED &&
            transport->connections[i]->peer == peer)
            connection_end(transport, transport->connections[i]);
}

size_t transport_unverified(const struct transport *transport)
{
    size_t count = 0;
    for (size_t i = 0; i < transport->count; i++) {
        const struct connection *connection = transport->connections[i];
        count += !connection->dialled && connection->state < CONNECTION_VERIFIED;
    }
    return count;
}

size_t transport_poll(const struct transport *transport, zmq_pollitem_t *items)
{
    size_t count = 0;
    items[count++] = (zmq_pollitem_t){.socket = transport->zap, .events = ZMQ_POLLIN};
    items[count++] = (zmq_pollitem_t){.socket = transport->monitor, .events = ZMQ_POLLIN};
    items[count++] = (zmq_pollitem_t){.socket = transport->router, .events = ZMQ_POLLIN};
    for (size_t i = 0; i < transport->count; i++) {
        const struct connection *connection = transport->connections[i];
        if (!connection->dialled || connection->state == CONNECTION_GONE)
            continue;
        items[count++] = (zmq_pollitem_t){.socket = connection->monitor, .events = ZMQ_POLLIN};
        items[count++] = (zmq_pollitem_t){.socket = connection->dealer, .events = ZMQ_POLLIN};
    }
    return count;
}

uint64_t transport_deadline(const struct transport *transport)
{
    return transport->count > 0 ? transport->next_sweep_us : UINT64_MAX;
}

/* Frees what is gone. The order of connections does not matter. */
static void remove_gone(struct transport *transport)
{
    for (size_t i = 0; i < transport->count;) {
        struct connection *connection = transport->connections[i];
        if (connection->state != CONNECTION_GONE) {
            i++;
            continue;
        }
        if (connection->dialled) {
            dial_close(connection);
            transport->outbound--;
        } else {
            transport->inbound--;
        }
        free(connection);
        transport->connections[i] = transport->connections[--transport->count];
    }
}

void transport_work(struct transport *transport, uint64_t now_us)
{
    transport->now_us = now_us;
    zap_work(transport);
    router_work(transport); /* before the monitor: what was said before a hang-up counts */
    monitor_work(transport, -1);
    dial_work(transport);
    if (now_us >= transport->next_sweep_us) {
        sweep(transport);
        transport->next_sweep_us =
            now_us + (transport_unverified(transport) > 0 ? SWEEP_US / 20 : SWEEP_US);
    }
    remove_gone(transport);
}
