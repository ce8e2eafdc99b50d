/* Incoming connections: one ROUTER for all of them. */
#include "node/transport_inside.h"

#include <errno.h>
#include <string.h>

#define CURVE_OVERHEAD 64  /* bytes that CURVE adds to a frame (33), and some */
#define SEND_HIGH_WATER 16 /* messages to one peer that wait in libzmq */
#define HANDSHAKE_MS 4000  /* less than TRANSPORT_PATIENCE_US: what is left has shaken hands */
#define HEARTBEAT_MS 10000
#define HEARTBEAT_TIMEOUT_MS 30000
#define BACKLOG 128

static bool set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

bool socket_options(struct transport *transport, void *socket, const char *endpoint)
{
    const struct identity *identity = transport->settings.identity;
    int64_t frame_max = (int64_t)transport->settings.frame_max + CURVE_OVERHEAD;
    return set_int(socket, ZMQ_LINGER, 0) && set_int(socket, ZMQ_SNDHWM, SEND_HIGH_WATER) &&
           set_int(socket, ZMQ_RCVHWM, transport->receive_high_water) &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) == 0 &&
           set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) &&
           (!strchr(endpoint, '[') || set_int(socket, ZMQ_IPV6, 1)) &&
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, identity->curve_secret, KEY_BYTES) == 0;
}

static bool router_options(struct transport *transport)
{
    static const char domain[] = "starling"; /* without one, libzmq would not ask our handler */
    void *router = transport->router;
    return socket_options(transport, router, transport->settings.listen) &&
           set_int(router, ZMQ_CURVE_SERVER, 1) && set_int(router, ZMQ_ROUTER_MANDATORY, 1) &&
           set_int(router, ZMQ_BACKLOG, BACKLOG) &&
           zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, domain, strlen(domain)) == 0;
}

static const char *bind_advice(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "set node.listen to a free port, or to port * for any";
    case EADDRNOTAVAIL:
    case ENODEV:
        return "set node.listen to an address of this machine, or to 127.0.0.1 or 0.0.0.0";
    case EACCES:
        return "set node.listen to a port from 1024 up";
    default:
        return "set node.listen to tcp://ADDRESS:PORT, such as tcp://0.0.0.0:7070";
    }
}

bool router_open(struct transport *transport, struct problem *problem)
{
    const char *listen = transport->settings.listen;
    if (strncmp(listen, "tcp://", 6) != 0) {
        problem_set(problem, STARLING_INVALID, "node.listen: %s is no tcp:// endpoint: %s", listen,
                    bind_advice(EINVAL));
        return false;
    }
    transport->router = zmq_socket(transport->context, ZMQ_ROUTER);
    if (!transport->router || !router_options(transport)) {
        problem_set(problem, STARLING_FAILED, "libzmq: cannot make the listening socket: %s",
                    zmq_strerror(errno));
        return false;
    }
    if (!monitor_open(transport, problem))
        return false;
    if (zmq_bind(transport->router, listen)) {
        int error = errno;
        bool busy = error == EADDRINUSE;
        problem_set(problem, error == EINVAL ? STARLING_INVALID : STARLING_FAILED, "%s: %s: %s",
                    listen, busy ? "address already in use" : zmq_strerror(error),
                    bind_advice(error));
        return false;
    }
    size_t size = sizeof transport->endpoint;
    if (zmq_getsockopt(transport->router, ZMQ_LAST_ENDPOINT, transport->endpoint, &size)) {
        problem_set(problem, STARLING_FAILED, "%s: cannot tell which port was bound: %s", listen,
                    zmq_strerror(errno));
        return false;
    }
    return true;
}

static struct connection *find_routing(const struct transport *transport, zmq_msg_t *routing)
{
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (!connection->dialled && connection->named && connection->state != CONNECTION_GONE &&
            connection->routing_size == zmq_msg_size(routing) &&
            memcmp(connection->routing, zmq_msg_data(routing), connection->routing_size) == 0)
            return connection;
    }
    return NULL;
}

/* The key that CURVE authenticated for this message, as our ZAP handler wrote it down. */
static bool message_key(struct parcel *parcel, uint8_t curve[KEY_BYTES])
{
    const char *user = zmq_msg_gets(&parcel->header, "User-Id");
    return user && key_from_hex(user, curve);
}

/* The connection whose first message this is; NULL when it is gone already. */
static struct connection *name(struct transport *transport, zmq_msg_t *routing,
                               struct parcel *parcel, const uint8_t curve[KEY_BYTES])
{
    int fd = zmq_msg_get(&parcel->header, ZMQ_SRCFD);
    struct connection *connection = find_fd(transport, fd);
    if (!connection) {
        monitor_work(transport, fd);
        connection = find_fd(transport, fd);
    }
    monitor_work(transport, -1); /* its handshake was told of before it could say this */
    if (!connection || connection->named || connection->state == CONNECTION_GONE)
        return NULL;
    if (transport->loose_handshakes > 0)
        transport->loose_handshakes--;
    connection->named = true;
    connection->state = CONNECTION_GREETING;
    memcpy(connection->curve, curve, KEY_BYTES);
    size_t size = zmq_msg_size(routing);
    const uint8_t *id = zmq_msg_data(routing);
    /* libzmq's own ids begin with 0. A connection that chose one could take another's later. */
    if (size == 0 || size > ROUTING_MAX || id[0] != 0) {
        refuse(transport, connection, REFUSED_MALFORMED);
        return NULL;
    }
    memcpy(connection->routing, id, size);
    connection->routing_size = size;
    return connection;
}

static void take(struct transport *transport, zmq_msg_t *routing, struct parcel *parcel, bool sound)
{
    uint8_t curve[KEY_BYTES];
    if (!message_key(parcel, curve))
        return;
    struct connection *connection = find_routing(transport, routing);
    if (!connection)
        connection = name(transport, routing, parcel, curve);
    if (!connection || memcmp(connection->curve, curve, KEY_BYTES) != 0)
        return;
    connection_take(transport, connection, parcel, sound);
}

void router_work(struct transport *transport)
{
    zmq_msg_t routing;
    zmq_msg_init(&routing);
    for (int i = 0; i < BATCH_MAX; i++) {
        if (zmq_msg_recv(&routing, transport->router, ZMQ_DONTWAIT) < 0)
            break;
        if (!zmq_msg_more(&routing))
            continue;
        struct parcel parcel;
        bool sound;
        if (parcel_read(transport->router, &parcel, &sound))
            take(transport, &routing, &parcel, sound);
        parcel_clear(&parcel);
    }
    zmq_msg_close(&routing);
}
