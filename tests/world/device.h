/* device — a node of the world: its folder, its lives, its clocks. */
#ifndef STARLING_TEST_DEVICE_H
#define STARLING_TEST_DEVICE_H

#include "tests/world/world.h"

/* What is on its disk for sure, and what it has told the world: no later life may know less. */
struct kept {
    bool slot;
    bool spoilt; /* one of the two is: the next save takes the place of the other */
    double age;
    uint64_t round, works, sequence;
    struct kept_before {
        bool slot;
        double age;
        uint64_t round, works, sequence;
    } before;                     /* of the other slot */
    uint64_t descriptor_sequence; /* written */
    uint64_t told_sequence;       /* of a descriptor, in a HELLO that somebody judged */
};

/* What was last seen of a life: it only grows. */
struct seen {
    double age;
    uint64_t round, passes, sequence, works;
    double ages[64];
    bool clock_set;
    uint64_t started_us, started_round; /* of this life, by the world's time */
    const struct version *published, *served;
};

struct device {
    struct world *world;
    uint32_t number, lives;
    struct port *port;
    char dir[PATH_MAX];
    struct public_keys keys;
    struct config config;
    struct log log;
    struct node *node; /* NULL: it is off */
    struct transport *transport;
    struct trainer *trainer;
    bool dead, unset_clock;
    int64_t wall_off_s;
    uint64_t jumped_us; /* when it was last set to another time */
    uint64_t boot_us;   /* its monotonic clock when the world began, and what it slept since */
    uint64_t wake_us;   /* of the wake event that counts */
    uint32_t hurried;   /* turns on end that left something due */
    uint64_t handled;   /* messages that reached the node */
    uint64_t expected_in, expected_out; /* bytes, of this life */
    double slowness;                    /* of a pass: share of a period */
    uint64_t disk_us;
    struct kept kept;
    struct seen seen;
    uint64_t rounds_before;              /* of earlier lives */
    uint32_t calm_passes, calm_received; /* when the calm began */
};

/* Makes the folder: keys, certificate, examples. */
struct device *device_new(struct world *world, uint32_t number);
void device_free(struct device **device);

void device_boot(struct device *device);
/* Kills it; a power cut is one that the others are not told of. */
void device_crash(struct device *device, bool power_cut);
/* Ends it as a person would. */
void device_stop(struct device *device);
/* Does what is due, and puts the next wake event. */
void device_wake(struct device *device, uint64_t put_for_us);
void device_take(struct device *device, struct packet *packet);
void device_work(struct device *device);

/* Its clocks: monotonic at a time of the world, in microseconds, and wall now, in seconds. */
uint64_t device_clock(const struct device *device, uint64_t world_us);
int64_t device_wall(const struct device *device);
void device_set_clock(struct device *device, int64_t off_s);
void device_sleep(struct device *device, uint64_t us);
/* A new certificate for one that has ended, by the control command. */
void device_renew(struct device *device);

uint64_t device_job_us(struct device *device, const struct job *job);
bool device_is_here(const struct device *device);

/* Seconds since 1970 when a world begins. */
#define WORLD_EPOCH (STARLING_BUILD_EPOCH + INT64_C(86400) * 500)
int64_t world_wall(const struct world *world);

#endif
