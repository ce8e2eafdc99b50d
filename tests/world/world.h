/* world — a whole swarm under random faults, from one seed, with laws that are checked all along.
 *
 * Its devices are the daemon's own code, all of node/ that is not a socket, a thread or a clock:
 * certificates, HELLOs, messages as bytes, roster, participant, slots and store in a folder each.
 * For those three the linker finds stand-ins (stand_*.c) that live in virtual time, so that a world
 * of minutes takes a fraction of a second and the same seed gives the same world again.
 *
 * What is drawn from the seed: how many devices, what they learn and with which settings
 * (plan.c); what the network and the machines do to them (net.c, device.c); and who comes to harm
 * them (stranger.c). A storm of faults is followed by a calm, in which the swarm has to find
 * together again and go on learning (overlay.c, laws.c).
 */
#ifndef STARLING_TEST_WORLD_H
#define STARLING_TEST_WORLD_H

#include <limits.h>
#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/random.h"
#include "node/node_inside.h"

#define DEVICES_MAX 24
#define STRANGERS_MAX 6
#define PORTS_MAX (DEVICES_MAX + STRANGERS_MAX)
#define ACTS_MAX 256
#define BROKEN_MAX 400 /* characters that say how a law was broken */
#define TRACE_BYTES 32
#define NEVER UINT64_MAX

/* What can go wrong; a world has some of it. */
enum fault {
    FAULT_LOSS,
    FAULT_DUPLICATION,
    FAULT_REORDERING,
    FAULT_DELAY,
    FAULT_PARTITION,
    FAULT_CRASH,
    FAULT_TORN_SLOT,  /* the newest slot is damaged while the device is off */
    FAULT_TORN_STORE, /* and so is its store */
    FAULT_DEATH,      /* a device goes for good */
    FAULT_MOVE,       /* a device comes back at another address */
    FAULT_WALL_CLOCK, /* jumps, either way */
    FAULT_UNSET_CLOCK,
    FAULT_SLEEP, /* the monotonic clock jumps ahead */
    FAULT_SLOW_PASS,
    FAULT_SLOW_DISK,
    FAULT_EXPIRY,   /* a membership ends, and is renewed in the calm */
    FAULT_OUTSIDER, /* someone without a membership */
    FAULT_INSIDER,  /* a member that means harm */
    FAULTS
};
extern const char *const fault_names[FAULTS];

enum act_kind { ACT_BOOT, ACT_CRASH, ACT_SPLIT, ACT_HEAL, ACT_CLOCK, ACT_SLEEP, ACT_CALM, ACT_END };

/* Something that is done to the world at a given time. */
struct act {
    uint64_t at_us;
    enum act_kind kind;
    uint32_t device;
    int64_t amount; /* of a clock: seconds off; of a sleep: microseconds; of a split: who is apart,
                       by bit; of a crash: 1 is a power cut, 0 the process alone */
};

/* What the seed says a world is. */
struct plan {
    uint64_t seed;
    bool faults[FAULTS];
    uint32_t devices, strangers;
    size_t features, classes, examples; /* of each device */
    char model[32];
    struct config config;
    double loss, duplication, reordering;
    uint64_t delay_least_us, delay_most_us;
    uint64_t calm_us, end_us; /* when the calm begins, and ends */
    uint64_t expiry_us; /* of device 1's membership, after the beginning; NEVER: of nobody's */
    size_t act_count;
    struct act acts[ACTS_MAX];
};

void plan_draw(struct plan *plan, uint64_t seed);

/* Who somebody really is, whatever is claimed: what nodes know is held against it. */
struct truth {
    uint8_t identity[KEY_BYTES], curve[KEY_BYTES];
    bool member;
    int64_t not_before, not_after;
    bool honest;
};

struct device;
struct stranger;

/* Somebody's place in the network. */
struct port {
    char endpoint[ENDPOINT_MAX];
    struct device *device; /* one of the two */
    struct stranger *stranger;
    uint32_t number;     /* among all ports */
    bool up;             /* somebody listens */
    bool apart;          /* on the other side of a partition */
    uint64_t down_since; /* when it went without a word; NEVER: it is up, or took leave */
};

enum packet_kind {
    PACKET_DIAL,     /* a handshake: the dialler's key, and the one it wants to meet */
    PACKET_ADMITTED, /* it went through: each knows the other's key */
    PACKET_DENIED,
    PACKET_FRAMES, /* a message */
    PACKET_HANGUP,
};

struct packet {
    enum packet_kind kind;
    uint64_t link; /* the connection's number */
    struct port *from, *to;
    uint8_t curve[KEY_BYTES], wanted[KEY_BYTES];
    uint8_t *header, *payload;
    size_t header_size, payload_size;
    bool has_payload, unsound; /* unsound: it has more frames than two */
    size_t wire_bytes;         /* that its sender charged; 0 of a HELLO and of strangers' */
    struct packet *next;
};

/* Bytes that devices sent to each other, by what became of them. */
struct books {
    uint64_t sent, repeated;                           /* handed to the network, and twice */
    uint64_t lost, unheard, refused, heard, under_way; /* each is in one of these */
};

struct event {
    uint64_t at_us, serial;
    enum { EVENT_WAKE, EVENT_PACKET, EVENT_ACT, EVENT_STRANGER, EVENT_LOOK } kind;
    uint32_t number;
    struct packet *packet;
};

struct queue {
    size_t count, capacity;
    uint64_t serial;
    struct event *events; /* a binary heap, the next first */
};

void queue_put(struct queue *queue, struct event event);
bool queue_take(struct queue *queue, struct event *event);

struct world {
    struct plan plan;
    uint64_t now_us;
    uint64_t split_us; /* when the last partition began */
    bool calm, ended, verbose;
    struct queue queue;
    struct random net_random, device_random, stranger_random, system_random;
    char dir[PATH_MAX];
    uint8_t swarm[KEY_BYTES], authority[SECRET_KEY_BYTES];
    struct truth truths[PORTS_MAX];
    struct port ports[PORTS_MAX];
    struct device *devices[DEVICES_MAX];
    struct stranger *strangers[STRANGERS_MAX];
    uint64_t arrivals[PORTS_MAX][PORTS_MAX]; /* of the last packet, from and to */
    uint64_t links, serials;
    struct books books;
    struct model *model; /* for the test of everybody */
    struct dataset test;
    uint32_t *test_rows;
    uint64_t total_passes; /* of all lives */
    uint64_t connected_us; /* after the calm began; NEVER: not yet */
    double accuracy_before, accuracy_after;
    uint64_t events, crashes;
    crypto_generichash_state trace;
    char broken[BROKEN_MAX];
};

struct outcome {
    char broken[BROKEN_MAX]; /* "": every law held */
    uint8_t trace[TRACE_BYTES];
    struct plan plan;
    double connected_periods; /* after the calm began */
    double accuracy_before, accuracy_after;
    uint64_t events, rounds, heard_bytes, crashes, leaked_bytes;
};

/* Runs the world of a seed from its beginning to its end, below `dir`. */
void world_run(uint64_t seed, const char *dir, bool verbose, struct outcome *outcome);

/* A law is broken: keeps what is said of it first, and ends the world. */
void broken(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line for --verbose, and for the trace. */
void note(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Numbers of the world's own, apart from those of the product. */
enum { STREAM_PLAN = 101, STREAM_NET, STREAM_DEVICE, STREAM_STRANGER, STREAM_SYSTEM, STREAM_DATA };
struct random world_stream(uint64_t seed, uint32_t which, uint64_t step);
double draw_between(struct random *random, double least, double most);
bool draw_chance(struct random *random, double chance);

#endif
