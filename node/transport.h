/* transport — encrypted connections between nodes, and who may say what over them.
 *
 * The only file group that knows ZeroMQ sockets: a ROUTER where others come in, a DEALER for each
 * peer dialled, CURVE on all of them, and the handler that libzmq asks about keys (ZAP). A
 * transport is used by one thread and never blocks; its owner polls it beside its own descriptors.
 *
 * Every connection is unverified until its HELLO was judged good: nothing but a HELLO is read from
 * it and nothing but our HELLO is sent to it, on an incoming one only after theirs was good, so a
 * stranger gets nothing. What a connection is hangs on the key that CURVE authenticated (the
 * User-Id of its messages), never on a routing id. A key that was refused or cut is remembered for
 * a while and denied before it can say anything.
 *
 * Bounds: TRANSPORT_UNVERIFIED_MAX incoming connections without a verified HELLO, each for
 * TRANSPORT_PATIENCE_US (the oldest gives way to a new one); a rate of new connections per address
 * and of messages per peer; frames of frame_max bytes; and what a connection may send without
 * completing a message. docs/protocol.md, RFC 26 (CurveZMQ), RFC 27 (ZAP).
 */
#ifndef STARLING_TRANSPORT_H
#define STARLING_TRANSPORT_H

#include <zmq.h>

#include "gossip/hello.h"
#include "gossip/peer.h"
#include "node/identity.h"

#define TRANSPORT_UNVERIFIED_MAX 64
#define TRANSPORT_PATIENCE_US UINT64_C(5000000)
#define TRANSPORT_INBOUND_MAX 320 /* verified or not */
#define TRANSPORT_OUTBOUND_MAX 64
#define TRANSPORT_OUTBOX_MAX 2 /* messages that wait for a connection; the newest stay */
#define TRANSPORT_REFUSED_US UINT64_C(60000000) /* a refused key is denied for so long */
#define TRANSPORT_ITEMS_MAX (3 + 2 * TRANSPORT_OUTBOUND_MAX)

/* A message in its frames. */
struct parcel {
    zmq_msg_t header, payload;
    bool has_payload;
    size_t wire_bytes; /* message_wire_bytes, for the books */
    uint32_t mark;     /* the owner's: comes back in `sent` */
};

/* What the owner of a transport decides, and hears of. Called from within transport_work and
 * transport_send, on the same thread; all may call transport_send, _dial and _cut. */
struct transport_owner {
    void *self;
    /* Our HELLO into out (HELLO_BYTES_MAX); its size, 0 when we have none to give. */
    size_t (*greet)(void *self, bool reply, uint8_t *out);
    /* A HELLO over a connection authenticated for `curve`; *peer becomes its number. */
    enum refusal (*judge)(void *self, const uint8_t curve[KEY_BYTES], const uint8_t *bytes,
                          size_t size, peer_id *peer);
    /* A peer is verified. round_trip_us: our HELLO to its answer, 0 on an incoming connection. */
    void (*up)(void *self, peer_id peer, uint64_t round_trip_us);
    /* The last connection to it is gone. */
    void (*down)(void *self, peer_id peer);
    /* A message of a verified peer; the parcel stays the transport's, but its payload may be
     * moved out with zmq_msg_move. */
    void (*receive)(void *self, peer_id peer, struct parcel *parcel);
    /* A message left. */
    void (*sent)(void *self, peer_id peer, size_t wire_bytes, uint32_t mark);
    /* Somebody was refused; `address` may be "". `peer` is PEER_NONE for a stranger. */
    void (*refused)(void *self, enum refusal reason, peer_id peer, const char *address);
    /* A dial came to nothing for the `failures`-th time in a row. */
    void (*unreachable)(void *self, const uint8_t curve[KEY_BYTES], uint32_t failures);
};

struct transport_settings {
    const struct identity *identity; /* must outlive the transport */
    const char *listen;              /* an endpoint; port * is any free one */
    size_t frame_max;                /* the largest frame taken */
    double messages_per_s;           /* of one peer, on average; twice as many at once */
    uint64_t idle_us;                /* a dialled connection unused for so long is closed */
};

struct transport;

/* Binds the ZAP handler first and the listener last; NULL when any of it cannot be had. */
struct transport *transport_open(const struct transport_settings *settings,
                                 const struct transport_owner *owner, struct problem *problem);
void transport_close(struct transport **transport);

/* Where it really listens, "tcp://address:port". */
const char *transport_endpoint(const struct transport *transport);

/* Shut, it denies every key and drops all connections; opened for a node that is a member. It may
 * dial in either state. Shut at first. */
void transport_set_open(struct transport *transport, bool open, uint64_t now_us);

/* Makes sure that a connection to this key is there or on its way; false when it may not be: too
 * soon after a failure, refused, or too many connections. */
bool transport_dial(struct transport *transport, const uint8_t curve[KEY_BYTES],
                    const char *endpoint, uint64_t now_us);

/* Forgets past failures, so that the next dial happens at once. */
void transport_forget_failures(struct transport *transport);

/* Sends to a peer over any verified connection to it, else dials it and lets the message wait.
 * The parcel's frames are the transport's from now on, whatever happens. False: dropped. */
bool transport_send(struct transport *transport, peer_id peer, const uint8_t curve[KEY_BYTES],
                    const char *endpoint, struct parcel *parcel, uint64_t now_us);

/* Is done with a key: nothing more is read from it or sent to it, its connections are shut down,
 * and it is denied for TRANSPORT_REFUSED_US. */
void transport_cut(struct transport *transport, const uint8_t curve[KEY_BYTES], enum refusal reason,
                   uint64_t now_us);

/* Whether a connection to this key is on its way. */
bool transport_dialling(const struct transport *transport, const uint8_t curve[KEY_BYTES]);

/* A peer number now means somebody else (the roster gave it up): no connection may carry it on. */
void transport_forget_peer(struct transport *transport, peer_id peer);

size_t transport_unverified(const struct transport *transport);

/* What to poll for: fills at most TRANSPORT_ITEMS_MAX items and returns how many. */
size_t transport_poll(const struct transport *transport, zmq_pollitem_t *items);
/* When it wants transport_work at the latest, whatever happens. */
uint64_t transport_deadline(const struct transport *transport);
/* Does what there is to do, a bounded amount of it. */
void transport_work(struct transport *transport, uint64_t now_us);

/* Frames for a parcel. False when memory is out. The second makes a payload that is not copied:
 * `release(NULL-able data, hint)` is called when libzmq is done with it, on any thread. */
bool parcel_init(struct parcel *parcel, const uint8_t *header, size_t size);
bool parcel_payload(struct parcel *parcel, void *data, size_t size,
                    void (*release)(void *data, void *hint), void *hint);
void parcel_clear(struct parcel *parcel);

#endif
