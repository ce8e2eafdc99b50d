/* lane — a share of a simulated world's nodes, and the thread that lives through their events.
 *
 * All lanes go through the same windows side by side and meet between them. An event changes
 * nothing but its receiver; a message to a node of another lane goes there when the window ends,
 * which is before it can arrive. So the number of lanes changes nothing but the time it takes.
 */
#ifndef STARLING_LANE_H
#define STARLING_LANE_H

#include "sim/clock.h"
#include "sim/world.h"

/* Events for the nodes of another lane. */
struct mail {
    struct event *events;
    size_t count, capacity;
};

struct lane {
    struct world *world;
    size_t number;
    peer_id first, end; /* its nodes: from the first up to before the end */
    struct clock *clock;
    struct mail own;  /* what the node being handled has caused for itself in this window, in
                         order; */
    size_t own_taken; /* so many of it are over */
    uint64_t window_end_us;
    struct mail *mail; /* for each lane; written while a window is lived through, read after it */
    struct parcel *spare;
    size_t online;
    struct outgoing out; /* of the event being handled */
    struct workspace *workspace;
    struct world_counts counts;
    struct problem problem; /* the first thing that went wrong inside an event */
    /* told to the others before each window */
    uint64_t next_window;
    bool stops;
};

/* The lane of a node. */
struct lane *lane_of(const struct world *world, peer_id node);

/* Adds an event of one of its nodes. */
void lane_add(struct lane *lane, const struct event *event);

/* The next change of a node: it leaves if it is there, and comes if it is not. */
void lane_expect_change(struct lane *lane, peer_id node, uint64_t time_us);

/* Lives through the windows up to world->until_us or an interruption, together with all others: a
 * task of the pool, or a call where there is one lane. */
pool_task lane_live;

/* Gives back all that is under way. */
void lane_clear(struct lane *lane);

#endif
