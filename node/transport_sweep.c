/* Patience, and a bound that libzmq lacks: it keeps the frames of a message until its last one has
 * come, however many, so what a connection sends without completing a message is measured at the
 * socket. */
#include "node/transport_inside.h"

#include <linux/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

#define FRAME_OVERHEAD 128                  /* of ZMTP and CURVE on a message of two frames */
#define STRANGER_BYTES ((uint64_t)64 << 10) /* a handshake and a HELLO take 4 KiB */
#define PEER_SPARE_BYTES ((uint64_t)4 << 20)

/* What came in over a socket so far; false when the system does not tell. */
static bool received_bytes(int fd, uint64_t *bytes)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) ||
        size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return false;
    *bytes = info.tcpi_bytes_received;
    return true;
}

static bool floods(const struct transport *transport, const struct connection *connection)
{
    uint64_t received;
    if (!received_bytes(connection->fd, &received))
        return false;
    if (connection->state != CONNECTION_VERIFIED)
        return received > STRANGER_BYTES;
    uint64_t waiting = ((uint64_t)transport->receive_high_water + 2) *
                       (transport->settings.frame_max + FRAME_OVERHEAD);
    return received > connection->taken + connection->taken / 2 + waiting + PEER_SPARE_BYTES;
}

void sweep(struct transport *transport)
{
    for (size_t i = 0; i < transport->count; i++) {
        struct connection *connection = transport->connections[i];
        if (connection->state == CONNECTION_GONE)
            continue;
        if (floods(transport, connection)) {
            refuse(transport, connection, REFUSED_RATE);
        } else if (!connection->dialled && connection->state < CONNECTION_VERIFIED &&
                   (connection->hung_up ||
                    transport->now_us - connection->since_us > TRANSPORT_PATIENCE_US)) {
            end_silent(transport, connection, REFUSED_NO_MEMBERSHIP);
        }
    }
}
