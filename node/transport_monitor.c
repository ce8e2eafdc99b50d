/* What libzmq tells of incoming connections before they say anything, by its socket monitor.
 *
 * Seen with libzmq 4.3.4: each connection is ACCEPTED (with its descriptor) and, however it ends,
 * DISCONNECTED (with the same). When its handshake failed, the event right before that one says so:
 * FAILED_PROTOCOL for another mechanism (NULL, PLAIN) or a wrong server key, FAILED_NO_DETAIL for
 * silence or a hang-up, FAILED_AUTH for our own handler's denial. Garbage and HTTP (taken for ZMTP
 * 1.0) end without a word. HANDSHAKE_SUCCEEDED does not say whose; a connection's first message
 * does, by ZMQ_SRCFD. */
#include "node/transport_inside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define EVENTS_MAX 1024 /* in one go */

bool monitor_open(struct transport *transport, struct problem *problem)
{
    static const char address[] = "inproc://starling-router";
    int linger = 0;
    transport->monitor = zmq_socket(transport->context, ZMQ_PAIR);
    if (transport->monitor &&
        zmq_setsockopt(transport->monitor, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
        zmq_socket_monitor(
            transport->router, address,
            ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) == 0 &&
        zmq_connect(transport->monitor, address) == 0)
        return true;
    problem_set(problem, STARLING_FAILED, "libzmq: cannot watch the listening socket: %s",
                zmq_strerror(errno));
    return false;
}

bool monitor_event(void *monitor, uint16_t *event, uint32_t *value)
{
    uint8_t bytes[6], spare[1];
    int size = zmq_recv(monitor, bytes, sizeof bytes, ZMQ_DONTWAIT);
    if (size < 0)
        return false;
    zmq_recv(monitor, spare, sizeof spare, ZMQ_DONTWAIT); /* the address: ours, always the same */
    *event = 0;
    if (size == sizeof bytes) {
        memcpy(event, bytes, sizeof *event);
        memcpy(value, bytes + sizeof *event, sizeof *value);
    }
    return true;
}

/* The other end of a socket, with an IPv4 address mapped into IPv6. */
static bool peer_address(int fd, struct sockaddr_in6 *address)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } found;
    socklen_t size = sizeof found;
    memset(address, 0, sizeof *address);
    if (fd < 0 || getpeername(fd, &found.any, &size))
        return false;
    if (found.any.sa_family == AF_INET6) {
        address->sin6_addr = found.v6.sin6_addr;
        address->sin6_port = found.v6.sin6_port;
        return true;
    }
    if (found.any.sa_family != AF_INET)
        return false;
    address->sin6_addr.s6_addr[10] = address->sin6_addr.s6_addr[11] = 0xff;
    memcpy(&address->sin6_addr.s6_addr[12], &found.v4.sin_addr, 4);
    address->sin6_port = found.v4.sin_port;
    return true;
}

void connection_address(const struct connection *connection, char *text, size_t size)
{
    char host[INET6_ADDRSTRLEN] = "";
    const struct in6_addr *address = &connection->address.sin6_addr;
    text[0] = '\0';
    if (connection->dialled || connection->address.sin6_port == 0)
        return;
    if (IN6_IS_ADDR_V4MAPPED(address))
        inet_ntop(AF_INET, &address->s6_addr[12], host, sizeof host);
    else
        inet_ntop(AF_INET6, address, host, sizeof host);
    snprintf(text, size, "%s port %u", host, (unsigned)ntohs(connection->address.sin6_port));
}

void connection_shut(struct connection *connection)
{
    /* The descriptor is libzmq's, which may have closed it, and the system given it out again: the
     * other end tells. */
    struct sockaddr_in6 address;
    if (peer_address(connection->fd, &address) &&
        address.sin6_port == connection->address.sin6_port &&
        memcmp(&address.sin6_addr, &connection->address.sin6_addr, sizeof address.sin6_addr) == 0)
        shutdown(connection->fd, SHUT_RDWR);
    connection->fd = -1;
}

struct connection *find_fd(const struct transport *transport, int fd)
{
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (!connection->dialled && connection->state != CONNECTION_GONE && connection->fd == fd)
            return connection;
    }
    return NULL;
}

/* Addresses are told apart by their first 64 bits, as one household or machine has them, and IPv4
 * ones by all of them. */
static bool same_place(const struct in6_addr *a, const struct in6_addr *b)
{
    return memcmp(a, b, IN6_IS_ADDR_V4MAPPED(a) ? 16 : 8) == 0;
}

static bool address_allows(struct transport *transport, const struct in6_addr *address)
{
    if (!transport->address_notes) {
        transport->address_notes = calloc(ADDRESSES_MAX, sizeof *transport->address_notes);
        if (!transport->address_notes)
            return false;
    }
    struct address_note *note = NULL, *oldest = transport->address_notes;
    for (size_t i = 0; i < transport->addresses && !note; i++) {
        struct address_note *known = &transport->address_notes[i];
        if (same_place(&known->address, address))
            note = known;
        if (known->accepts.last_us < oldest->accepts.last_us)
            oldest = known;
    }
    if (!note) {
        note = transport->addresses < ADDRESSES_MAX
                   ? &transport->address_notes[transport->addresses++]
                   : oldest;
        *note = (struct address_note){.address = *address};
    }
    return bucket_take(&note->accepts, ADDRESS_PER_S, ADDRESS_BURST, transport->now_us);
}

void end_silent(struct transport *transport, struct connection *connection, enum refusal reason)
{
    if (!connection->named && transport->loose_handshakes > 0)
        transport->loose_handshakes--;
    refuse(transport, connection, reason);
}

/* An incoming connection is over. One that shook hands and was not heard yet may have its HELLO
 * waiting in the router: it has until the next sweep to be read and judged. */
static void disconnected(struct transport *transport, struct connection *connection)
{
    if (connection->named || transport->denied_handshake)
        connection_end(transport, connection);
    else if (transport->failed_handshake || transport->loose_handshakes == 0)
        refuse(transport, connection, REFUSED_NO_CURVE);
    else if (connection->hung_up)
        end_silent(transport, connection, REFUSED_NO_MEMBERSHIP);
    else
        connection->hung_up = true;
}

static void accepted(struct transport *transport, int fd)
{
    struct connection *former = find_fd(transport, fd);
    if (former)
        disconnected(transport, former);
    struct connection *connection = connection_new(transport, false);
    if (!connection)
        return;
    connection->fd = fd;
    if (!peer_address(fd, &connection->address))
        return; /* gone already: DISCONNECTED follows */
    if (!address_allows(transport, &connection->address.sin6_addr)) {
        refuse(transport, connection, REFUSED_RATE);
        return;
    }
    if (transport_unverified(transport) <= TRANSPORT_UNVERIFIED_MAX)
        return;
    struct connection *oldest = connection;
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *other = transport->connections[i];
        if (!other->dialled && other->state < CONNECTION_VERIFIED &&
            other->since_us < oldest->since_us)
            oldest = other;
    }
    end_silent(transport, oldest, REFUSED_RATE);
}

void monitor_work(struct transport *transport, int until_fd)
{
    uint16_t event;
    uint32_t value = 0;
    for (int i = 0; i < EVENTS_MAX && monitor_event(transport->monitor, &event, &value); i++) {
        struct connection *connection = NULL;
        if (event == ZMQ_EVENT_ACCEPTED)
            accepted(transport, (int)value);
        else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
            transport->loose_handshakes++;
        else if (event == ZMQ_EVENT_DISCONNECTED)
            connection = find_fd(transport, (int)value);
        if (connection)
            disconnected(transport, connection);
        transport->denied_handshake = event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
        transport->failed_handshake = event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL ||
                                      event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
        if (event == ZMQ_EVENT_ACCEPTED && (int)value == until_fd)
            return;
    }
    size_t silent = 0;
    for (size_t i = 0; i < transport->count; i++) {
        const struct connection *connection = transport->connections[i];
        silent += !connection->named && connection->state != CONNECTION_GONE;
    }
    if (silent == 0)
        transport->loose_handshakes = 0; /* of connections that we ended ourselves */
}
