/* Connections that we make: one DEALER a peer, which knows the peer's key beforehand.
 *
 * libzmq does not reconnect them: a connection that is made again behind our back would be one
 * without a HELLO. They are dialled again when there is something to say, later after each failure.
 */
#include "node/transport_inside.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define RETRY_FIRST_US UINT64_C(100000)
#define RETRY_MOST_US UINT64_C(30000000)
#define CONNECT_MS 5000

static struct connection *find_dialled(const struct transport *transport,
                                       const uint8_t curve[KEY_BYTES])
{
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (connection->dialled && connection->state != CONNECTION_GONE &&
            memcmp(connection->curve, curve, KEY_BYTES) == 0)
            return connection;
    }
    return NULL;
}

bool transport_dialling(const struct transport *transport, const uint8_t curve[KEY_BYTES])
{
    const struct connection *connection = find_dialled(transport, curve);
    return connection && connection->state != CONNECTION_VERIFIED;
}

/* Twice as long after each failure, and never two nodes in step. */
static uint64_t retry_after(uint32_t failures)
{
    uint32_t doublings = failures < 12 ? failures - 1 : 11;
    uint64_t wait = RETRY_FIRST_US << doublings;
    if (wait > RETRY_MOST_US)
        wait = RETRY_MOST_US;
    return wait * 3 / 4 + randombytes_uniform((uint32_t)(wait / 2));
}

static void dial_failed(struct transport *transport, struct connection *connection)
{
    connection_end(transport, connection);
    struct key_note *note = key_notes_put(&transport->failed, connection->curve);
    uint32_t failures = 1;
    if (note) {
        failures = ++note->failures;
        note->until_us = transport->now_us + retry_after(failures);
    }
    transport->owner.unreachable(transport->owner.self, connection->curve, failures);
}

/* All dialled connections are in use and one more is wanted: the longest unused goes, if any is
 * verified. */
static bool make_room(struct transport *transport)
{
    struct connection *unused = NULL;
    size_t live = 0;
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (!connection->dialled || connection->state == CONNECTION_GONE)
            continue;
        live++;
        if (connection->state == CONNECTION_VERIFIED &&
            (!unused || connection->used_us < unused->used_us))
            unused = connection;
    }
    /* Those that are gone still have their sockets until the next transport_work. */
    if (transport->outbound < TRANSPORT_OUTBOUND_MAX)
        return true;
    if (live == TRANSPORT_OUTBOUND_MAX && unused)
        connection_end(transport, unused);
    return false;
}

static bool watch(struct transport *transport, struct connection *connection)
{
    char address[64];
    int linger = 0;
    snprintf(address, sizeof address, "inproc://starling-dealer-%llu",
             (unsigned long long)transport->monitors_made++);
    connection->monitor = zmq_socket(transport->context, ZMQ_PAIR);
    return connection->monitor &&
           zmq_setsockopt(connection->monitor, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
           zmq_socket_monitor(connection->dealer, address, ZMQ_EVENT_ALL) == 0 &&
           zmq_connect(connection->monitor, address) == 0;
}

static bool connect_dealer(struct transport *transport, struct connection *connection,
                           const char *endpoint)
{
    int never = -1, patience = CONNECT_MS;
    const struct identity *identity = transport->settings.identity;
    connection->dealer = zmq_socket(transport->context, ZMQ_DEALER);
    void *dealer = connection->dealer;
    return dealer && socket_options(transport, dealer, endpoint) &&
           zmq_setsockopt(dealer, ZMQ_RECONNECT_IVL, &never, sizeof never) == 0 &&
           zmq_setsockopt(dealer, ZMQ_CONNECT_TIMEOUT, &patience, sizeof patience) == 0 &&
           zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, identity->keys.curve, KEY_BYTES) == 0 &&
           zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, connection->curve, KEY_BYTES) == 0 &&
           watch(transport, connection) && zmq_connect(dealer, endpoint) == 0;
}

static struct connection *dial(struct transport *transport, const uint8_t curve[KEY_BYTES],
                               const char *endpoint)
{
    struct connection *connection = find_dialled(transport, curve);
    if (connection)
        return connection;
    const struct key_note *failed = key_notes_find(&transport->failed, curve);
    const struct key_note *refused = key_notes_find(&transport->refused, curve);
    if ((failed && failed->until_us > transport->now_us) ||
        (refused && refused->until_us > transport->now_us) || endpoint[0] == '\0' ||
        !endpoint_valid(endpoint) ||
        memcmp(curve, transport->settings.identity->keys.curve, KEY_BYTES) == 0 ||
        !make_room(transport))
        return NULL;
    connection = connection_new(transport, true);
    if (!connection)
        return NULL;
    connection->named = true;
    memcpy(connection->curve, curve, KEY_BYTES);
    if (!connect_dealer(transport, connection, endpoint)) {
        dial_failed(transport, connection);
        return NULL;
    }
    transport->next_sweep_us = 0;
    return connection;
}

bool transport_dial(struct transport *transport, const uint8_t curve[KEY_BYTES],
                    const char *endpoint, uint64_t now_us)
{
    transport->now_us = now_us;
    return dial(transport, curve, endpoint) != NULL;
}

bool transport_send(struct transport *transport, peer_id peer, const uint8_t curve[KEY_BYTES],
                    const char *endpoint, struct parcel *parcel, uint64_t now_us)
{
    transport->now_us = now_us;
    struct connection *connection = connection_verified(transport, peer, NULL);
    if (connection)
        return connection_send(transport, connection, parcel);
    connection = dial(transport, curve, endpoint);
    if (!connection || connection->state == CONNECTION_VERIFIED) {
        parcel_clear(parcel);
        return false;
    }
    if (connection->outbox_count == TRANSPORT_OUTBOX_MAX) {
        parcel_clear(&connection->outbox[0]);
        connection->outbox_count--;
        for (size_t i = 0; i < connection->outbox_count; i++)
            parcel_move(&connection->outbox[i], &connection->outbox[i + 1]);
    }
    parcel_move(&connection->outbox[connection->outbox_count++], parcel);
    return true;
}

void dial_close(struct connection *connection)
{
    for (size_t i = 0; i < connection->outbox_count; i++)
        parcel_clear(&connection->outbox[i]);
    connection->outbox_count = 0;
    if (connection->dealer)
        zmq_close(connection->dealer);
    if (connection->monitor)
        zmq_close(connection->monitor);
    connection->dealer = connection->monitor = NULL;
}

static void greet(struct transport *transport, struct connection *connection)
{
    uint8_t bytes[HELLO_BYTES_MAX];
    struct parcel parcel;
    size_t size = transport->owner.greet(transport->owner.self, false, bytes);
    connection->state = CONNECTION_GREETING;
    connection->since_us = transport->now_us;
    if (size == 0 || !parcel_init(&parcel, bytes, size) ||
        !connection_send(transport, connection, &parcel))
        dial_failed(transport, connection);
}

static void read_messages(struct transport *transport, struct connection *connection)
{
    for (int i = 0; i < BATCH_MAX && connection->state != CONNECTION_GONE; i++) {
        struct parcel parcel;
        bool sound;
        bool got = parcel_read(connection->dealer, &parcel, &sound);
        if (got)
            connection_take(transport, connection, &parcel, sound);
        parcel_clear(&parcel);
        if (!got)
            return;
    }
}

static void watch_events(struct transport *transport, struct connection *connection)
{
    uint16_t event;
    uint32_t value = 0;
    while (connection->state != CONNECTION_GONE &&
           monitor_event(connection->monitor, &event, &value)) {
        switch (event) {
        case ZMQ_EVENT_CONNECTED:
            connection->fd = (int)value;
            break;
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
            greet(transport, connection);
            break;
        case ZMQ_EVENT_CLOSED:
        case ZMQ_EVENT_DISCONNECTED:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
            if (connection->state == CONNECTION_VERIFIED)
                connection_end(transport, connection);
            else
                dial_failed(transport, connection);
            break;
        default:
            break;
        }
    }
}

static void check_patience(struct transport *transport, struct connection *connection)
{
    uint64_t now_us = transport->now_us;
    if (connection->state == CONNECTION_VERIFIED) {
        if (now_us - connection->used_us > transport->settings.idle_us)
            connection_end(transport, connection);
    } else if (now_us - connection->since_us > TRANSPORT_PATIENCE_US) {
        dial_failed(transport, connection);
    }
}

void dial_work(struct transport *transport)
{
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (!connection->dialled || connection->state == CONNECTION_GONE)
            continue;
        read_messages(transport, connection);
        if (connection->state != CONNECTION_GONE)
            watch_events(transport, connection);
        if (connection->state != CONNECTION_GONE)
            check_patience(transport, connection);
    }
}
