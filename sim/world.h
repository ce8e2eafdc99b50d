/* world — participants in virtual time: the very code a device runs, over a modelled network.
 *
 * Events are handled one by one in their total order; the arithmetic they ask for is put off and
 * done side by side on all threads, each participant's in its own order, a received model awaited
 * where it is needed. Nothing that an event decides depends on it, so any number of threads gives
 * the same bits.
 *
 * A node that is away (sim.churn) sends, receives and learns nothing: messages that reach it are
 * dropped and counted, a pass that was begun is finished when it is back, with the model and the
 * view that it had, and its rounds go on at the instants where they would have been. One that
 * crashed (sim.crash) is away for good.
 */
#ifndef STARLING_WORLD_H
#define STARLING_WORLD_H

#include <signal.h>

#include "sim/experiment.h"
#include "sim/pool.h"

struct world;

struct world_counts {
    uint64_t messages, bytes, dropped, rejected; /* sent; lost, or come to a node that was away;
                                                    refused on arrival */
    uint64_t dropped_bytes;
    uint64_t passes, samples, updates, events;  /* updates: received models merged */
    uint64_t diverged;                          /* rounds undone because not finite */
    uint64_t diverged_passes, diverged_samples; /* in them, among the above */
    double train_seconds;                       /* of wall time, doing the arithmetic */
};

/* One node's traffic. */
struct world_traffic {
    uint32_t messages_in, messages_out;
    uint64_t bytes_in, bytes_out;
};

/* All participants at virtual time 0, some of them away with sim.churn, each knowing up to
 * gossip.view random others. */
struct world *world_new(const struct experiment *experiment, struct pool *pool,
                        struct problem *problem);
void world_free(struct world **world);

/* Lives on until virtual time `until_us`, or *interrupted (may be NULL) is set: then *reached is
 * earlier. All arithmetic asked for until then is done. */
enum starling_error world_live(struct world *world, uint64_t until_us,
                               const volatile sig_atomic_t *interrupted, uint64_t *reached_us,
                               struct problem *problem);

/* A node crashes, now, between two calls of world_live: it is never there again. Only where the
 * experiment has crashes. */
void world_crash(struct world *world, size_t node);
/* Whether one has. */
bool world_is_gone(const struct world *world, size_t node);

/* From now on all are in the final phase (participant_conclude). */
void world_conclude(struct world *world);

const struct participant *world_participant(const struct world *world, size_t node);
/* How many are there at the time reached, and whether this one is. */
size_t world_online(const struct world *world);
bool world_is_online(const struct world *world, size_t node);
const struct world_counts *world_counts(const struct world *world);
const struct world_traffic *world_traffic(const struct world *world, size_t node);

/* Hex BLAKE2b-256 over, in index order, BLAKE2b-256(index as u32, age as f64, parameters and
 * read-out as f32, all little-endian). */
void world_digest(const struct world *world, char hex[65]);

/* Bytes a node takes beside its parameters and its data. */
double world_bytes_per_node(const struct world *world);

#endif
