/* transport_inside — what the files of the transport share; nobody else includes it. */
#ifndef STARLING_TRANSPORT_INSIDE_H
#define STARLING_TRANSPORT_INSIDE_H

#include <netinet/in.h>

#include "node/transport.h"

#define ROUTING_MAX 8     /* libzmq makes ids of 5 bytes; a longer one was chosen by its peer */
#define KEY_NOTES_MAX 512 /* remembered keys, refused or failed to reach */
#define ADDRESSES_MAX 64
#define ADDRESS_PER_S 32.0 /* new connections of one address */
#define ADDRESS_BURST 128.0
#define HELLO_PER_S 2.0 /* of one key */
#define HELLO_BURST 10.0
#define BATCH_MAX 64 /* messages read from one socket before the others get their turn */

/* Fills by the second, is emptied by the event. */
struct bucket {
    double tokens;
    uint64_t last_us; /* 0: new, and full */
};

bool bucket_take(struct bucket *bucket, double per_s, double burst, uint64_t now_us);

/* What is remembered of keys for a while; a full table forgets what would end first. */
struct key_note {
    uint8_t curve[KEY_BYTES];
    uint64_t until_us;
    uint32_t failures;   /* dialling: in a row */
    enum refusal reason; /* refused: why */
    struct bucket hellos;
};
struct key_notes {
    size_t count, capacity;
    struct key_note *notes;
};

struct key_note *key_notes_find(const struct key_notes *notes, const uint8_t curve[KEY_BYTES]);
/* Finds or makes; NULL when memory is out. */
struct key_note *key_notes_put(struct key_notes *notes, const uint8_t curve[KEY_BYTES]);
void key_notes_remove(struct key_notes *notes, const uint8_t curve[KEY_BYTES]);

enum connection_state {
    CONNECTION_OPENING,  /* handshake */
    CONNECTION_GREETING, /* dialled: our HELLO is out. Incoming: theirs is awaited */
    CONNECTION_VERIFIED,
    CONNECTION_GONE, /* freed at the end of transport_work */
};

struct connection {
    bool dialled;
    bool named; /* curve (and routing id) are known; from the start when dialled */
    enum connection_state state;
    uint8_t curve[KEY_BYTES];
    peer_id peer;      /* once verified */
    int fd;            /* libzmq's; -1: not known */
    uint64_t since_us; /* of its state */
    uint64_t used_us;  /* a message went either way */
    uint64_t taken;    /* bytes of the messages read */
    struct bucket messages;
    /* incoming */
    bool hung_up;                /* before it was heard */
    struct sockaddr_in6 address; /* with which fd was accepted: tells it from a later fd */
    uint8_t routing[ROUTING_MAX];
    size_t routing_size;
    /* dialled */
    void *dealer, *monitor;
    struct parcel outbox[TRANSPORT_OUTBOX_MAX]; /* until it is verified */
    size_t outbox_count;
};

struct address_note {
    struct in6_addr address;
    struct bucket accepts;
};

struct transport {
    struct transport_settings settings;
    struct transport_owner owner;
    void *context, *zap, *router, *monitor;
    char endpoint[ENDPOINT_MAX];
    char public_z85[KEY_Z85_SIZE];
    bool open;
    bool failed_handshake;   /* the event before this one said that a handshake failed */
    bool denied_handshake;   /* … by our own handler, and has been counted */
    size_t loose_handshakes; /* incoming handshakes not yet matched to a connection */
    uint64_t now_us, next_sweep_us;
    uint64_t monitors_made; /* names their addresses */
    struct connection **connections;
    size_t count, capacity, inbound, outbound;
    struct key_notes refused, failed, greeted;
    size_t addresses;
    struct address_note *address_notes;
    int receive_high_water;
};

/* transport.c */
struct connection *connection_new(struct transport *transport, bool dialled);
/* Marks it gone and tells the owner when a verified peer has no other. Sockets are closed by
 * transport_work. */
void connection_end(struct transport *transport, struct connection *connection);
struct connection *connection_verified(const struct transport *transport, peer_id peer,
                                       const struct connection *except);
/* Sends over a verified connection; false when it cannot be now. The frames are used up either
 * way. */
bool connection_send(struct transport *transport, struct connection *connection,
                     struct parcel *parcel);
/* A message came over a connection; not `sound` when its frames are too many. */
void connection_take(struct transport *transport, struct connection *connection,
                     struct parcel *parcel, bool sound);
void parcel_move(struct parcel *to, struct parcel *from);
/* Reads one message's frames after its routing id; false when there is none. *sound: it has one or
 * two frames. */
bool parcel_read(void *socket, struct parcel *parcel, bool *sound);
/* Counts and remembers the reason, and ends the connection. */
void refuse(struct transport *transport, struct connection *connection, enum refusal reason);

/* transport_zap.c */
bool zap_open(struct transport *transport, struct problem *problem);
void zap_work(struct transport *transport);

/* transport_monitor.c: what libzmq tells of incoming connections */
bool monitor_open(struct transport *transport, struct problem *problem);
/* Takes in what happened, no further than the acceptance of `until_fd` (-1: all there is). */
void monitor_work(struct transport *transport, int until_fd);
struct connection *find_fd(const struct transport *transport, int fd);
/* Ends an incoming connection that said nothing yet, and keeps the count of handshakes true. */
void end_silent(struct transport *transport, struct connection *connection, enum refusal reason);
/* Reads one event of any monitor socket; false when there is none. */
bool monitor_event(void *monitor, uint16_t *event, uint32_t *value);
/* Shuts an incoming connection's socket down, if it still is the one that was accepted. */
void connection_shut(struct connection *connection);
void connection_address(const struct connection *connection, char *text, size_t size);

/* transport_router.c: incoming connections */
bool router_open(struct transport *transport, struct problem *problem);
void router_work(struct transport *transport);
/* What all sockets for peers have in common: bounds, heartbeats, our secret key. */
bool socket_options(struct transport *transport, void *socket, const char *endpoint);

/* transport_sweep.c: patience, and what has no other bound */
void sweep(struct transport *transport);

/* transport_dial.c: connections that we make */
void dial_work(struct transport *transport);
void dial_close(struct connection *connection);

#endif
