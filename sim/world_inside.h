/* world_inside — what the files of the simulated world share: world.c, which makes it, tells of it
 * and ends it, lane.c, in which it lives, crash_world.c, which counts its crashes, and
 * frozen_world.c, which writes it down.
 */
#ifndef STARLING_WORLD_INSIDE_H
#define STARLING_WORLD_INSIDE_H

#include "sim/clock.h"
#include "sim/lane.h"
#include "sim/meeting.h"
#include "sim/post.h"
#include "sim/world.h"

#define LINE 64u /* bytes, of a cache */

/* A node's comings and goings; all there is of them, with sim.churn. */
struct presence {
    bool online;
    bool tick_held, done_held; /* came while it was away */
    uint32_t changes;
    uint64_t left_us;
    struct event tick, done; /* held until it is back */
};

/* All there is of a node in one place: what an event touches of it lies side by side. */
struct resident {
    struct world_traffic traffic;
    struct participant participant;
    struct view_entry entries[]; /* as many as a view holds */
};

struct world {
    const struct experiment *experiment;
    struct pool *pool;
    const struct network *network; /* the experiment's */
    struct post *post;
    uint64_t window_us;
    size_t nodes, parameters;
    unsigned char *residents;  /* nodes of them, */
    size_t resident_bytes;     /* each so large, a multiple of a cache line */
    double *ages;              /* nodes × 2 fragments; NULL where models are sent whole */
    uint32_t *news;            /* nodes × inbox; NULL likewise */
    uplink *lines;             /* per node; NULL where lines take no time */
    const struct churn *churn; /* the experiment's */
    struct presence *presence; /* per node; NULL where nobody ever leaves */
    bool *gone;                /* per node, crashed; NULL where nobody ever does */
    struct lane *lanes;
    size_t lanes_count;
    struct meeting meeting; /* of the lanes */
    bool at_once;           /* arithmetic is done by the event that asks for it, else put off: */
    struct work *works;     /* in the order they were asked for */
    size_t works_count, works_most;
    uint64_t until_us; /* of the call of world_live that runs */
    uint64_t lived_us; /* all that is earlier has happened */
    size_t crashes;    /* that have happened, of the experiment's */
    const volatile sig_atomic_t *interrupted;
    struct world_counts counts; /* of all lanes, when the last call ended */
    struct problem problem;     /* the first thing that went wrong in what was put off */
};

static inline struct resident *world_resident(const struct world *world, size_t node)
{
    return (struct resident *)(void *)(world->residents + node * world->resident_bytes);
}

/* As many random others as a view holds, from the stream of this purpose and step. */
void world_draw_view(struct world *world, peer_id node, enum random_purpose purpose, uint64_t step);

/* What has become of a work that was run. */
void world_count_work(struct world_counts *counts, struct problem *problem,
                      const struct work *work);

/* Does the arithmetic that was put off. */
void world_catch_up(struct world *world);

#endif
