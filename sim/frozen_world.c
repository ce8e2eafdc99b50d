#include "sim/frozen_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/sums.h"
#include "node/frozen_participant.h"
#include "sim/world_inside.h"

/* What is added to these must be added below. */
static_assert(sizeof(void *) != 8 || sizeof(struct world_counts) == 104, "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct world_traffic) == 24, "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct presence) == 80, "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct event) == 32, "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct parcel) == 128, "all of it is written");

/* What was read that a node has one of at most. */
enum { ONE_TICK = 1, ONE_DONE = 2, ONE_CHANGE = 4 };

struct freezing {
    struct frozen *frozen;
    struct world *world;
    uint8_t *seen; /* per node, when reading: of the above */
};

static struct frozen_bounds bounds_of(const struct world *world)
{
    return (struct frozen_bounds){world->nodes, world->parameters,
                                  world->experiment->data->train.features};
}

static void freeze_counts(struct frozen *frozen, struct world_counts *counts)
{
    uint64_t *const numbers[] = {
        &counts->messages, &counts->bytes,           &counts->dropped,
        &counts->rejected, &counts->dropped_bytes,   &counts->passes,
        &counts->samples,  &counts->updates,         &counts->events,
        &counts->diverged, &counts->diverged_passes, &counts->diverged_samples};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        frozen_u64(frozen, numbers[i]);
    frozen_real(frozen, &counts->train_seconds);
}

static void freeze_traffic(struct frozen *frozen, struct world_traffic *traffic)
{
    frozen_u32(frozen, &traffic->messages_in);
    frozen_u32(frozen, &traffic->messages_out);
    frozen_u64(frozen, &traffic->bytes_in);
    frozen_u64(frozen, &traffic->bytes_out);
}

/* Whether this is the first of its kind. */
static bool note(const struct freezing *freezing, peer_id node, uint8_t what)
{
    if (!freezing->seen)
        return true;
    bool first = !(freezing->seen[node] & what);
    freezing->seen[node] |= what;
    return first;
}

/* What came to a node while it was away. */
static void freeze_held(const struct freezing *freezing, peer_id node, bool *held,
                        struct event *event, enum event_kind kind)
{
    struct frozen *frozen = freezing->frozen;
    frozen_flag(frozen, held);
    if (!*held)
        return;
    frozen_u64(frozen, &event->time_us);
    frozen_u32(frozen, &event->sequence);
    event->receiver = event->sender = node;
    event->kind = kind;
    event->parcel = NULL;
}

static void freeze_presence(const struct freezing *freezing, peer_id node)
{
    struct frozen *frozen = freezing->frozen;
    struct presence *presence = &freezing->world->presence[node];
    frozen_flag(frozen, &presence->online);
    frozen_u32(frozen, &presence->changes);
    frozen_u64(frozen, &presence->left_us);
    freeze_held(freezing, node, &presence->tick_held, &presence->tick, EVENT_TICK);
    freeze_held(freezing, node, &presence->done_held, &presence->done, EVENT_DONE);
    bool training = world_participant(freezing->world, node)->gossip.training;
    if ((presence->tick_held && !note(freezing, node, ONE_TICK)) ||
        (presence->done_held && (!training || !note(freezing, node, ONE_DONE))))
        frozen_refuse(frozen);
}

static void freeze_node(const struct freezing *freezing, peer_id node)
{
    struct world *world = freezing->world;
    struct frozen *frozen = freezing->frozen;
    const struct frozen_bounds bounds = bounds_of(world);
    struct resident *resident = world_resident(world, node);
    frozen_participant(frozen, &resident->participant, &bounds);
    freeze_traffic(frozen, &resident->traffic);
    if (world->presence)
        freeze_presence(freezing, node);
    if (world->lines)
        frozen_u64(frozen, &world->lines[node]);
    if (world->gone)
        frozen_flag(frozen, &world->gone[node]);
}

/* Bytes that came from the codec go through it again: nothing in them has to be known here. */
static void freeze_frame(struct frozen *frozen, uint8_t **frame, size_t *size, size_t most)
{
    if (!frozen_reads(frozen) && !*frame)
        *size = 0;
    frozen_size_to(frozen, size, most);
    if (frozen_reads(frozen)) {
        *frame = *size ? malloc(*size) : NULL;
        if (*size && !*frame) {
            frozen_no_memory(frozen);
            *size = 0;
        }
    }
    frozen_bytes(frozen, *frame, *size);
}

static void freeze_parcel(struct frozen *frozen, const struct world *world, struct parcel *parcel)
{
    const struct frozen_bounds bounds = bounds_of(world);
    bool real = post_is_real(world->post);
    frozen_size_to(frozen, &parcel->bytes, SIZE_MAX / 2);
    frozen_message(frozen, &parcel->message, real, &bounds);
    if (!real)
        return;
    size_t most = 8 * (bounds.parameters + 1) + sums_bytes(bounds.features);
    freeze_frame(frozen, &parcel->header, &parcel->header_size, HEADER_BYTES_MAX);
    freeze_frame(frozen, &parcel->payload, &parcel->payload_size, most);
}

void frozen_event(struct frozen *frozen, const struct world *world, struct event *event)
{
    uint32_t kind = event->kind;
    frozen_u32_to(frozen, &kind, EVENT_JOIN);
    frozen_u64(frozen, &event->time_us);
    frozen_u32_to(frozen, &event->receiver, world->nodes - 1);
    frozen_u32_to(frozen, &event->sender, world->nodes - 1);
    frozen_u32(frozen, &event->sequence);
    event->kind = kind;
    if (frozen_reads(frozen)) {
        event->parcel = kind == EVENT_ARRIVE ? calloc(1, sizeof *event->parcel) : NULL;
        if (kind == EVENT_ARRIVE && !event->parcel) {
            frozen_no_memory(frozen);
            event->kind = EVENT_TICK;
        }
    }
    if (event->parcel)
        freeze_parcel(frozen, world, event->parcel);
}

static void write_event(void *self, struct event *event)
{
    const struct freezing *freezing = self;
    bool more = true;
    frozen_flag(freezing->frozen, &more);
    frozen_event(freezing->frozen, freezing->world, event);
}

/* All that is to come, in no order: of one receiver no two events are alike. */
static void write_events(struct freezing *freezing)
{
    struct world *world = freezing->world;
    bool more = false;
    for (size_t i = 0; i < world->lanes_count; i++)
        clock_each(world->lanes[i].clock, write_event, freezing);
    frozen_flag(freezing->frozen, &more);
}

/* Whether an event can come to its receiver as that is. */
static bool suits(const struct freezing *freezing, const struct event *event)
{
    const struct world *world = freezing->world;
    peer_id node = event->receiver;
    if (event->time_us < world->lived_us ||
        (event->kind != EVENT_ARRIVE && event->sender != event->receiver))
        return false;
    switch ((enum event_kind)event->kind) {
    case EVENT_ARRIVE:
        return true;
    case EVENT_TICK:
        return note(freezing, node, ONE_TICK);
    case EVENT_DONE:
        return world_participant(world, node)->gossip.training && note(freezing, node, ONE_DONE);
    case EVENT_LEAVE:
    case EVENT_JOIN:
        return world->presence && world->presence[node].online == (event->kind == EVENT_LEAVE) &&
               note(freezing, node, ONE_CHANGE);
    }
    return false;
}

static void drop(struct event *event)
{
    if (event->kind != EVENT_ARRIVE)
        return;
    parcel_drop(event->parcel);
    free(event->parcel);
}

/* In place of those that the world began with. */
static void read_events(struct freezing *freezing)
{
    struct frozen *frozen = freezing->frozen;
    struct world *world = freezing->world;
    struct event event;
    for (size_t i = 0; i < world->lanes_count; i++)
        while (clock_drain(world->lanes[i].clock, &event))
            drop(&event);
    for (;;) {
        bool more;
        frozen_flag(frozen, &more);
        if (!more)
            return;
        frozen_event(frozen, world, &event);
        if (!suits(freezing, &event))
            frozen_refuse(frozen);
        if (!frozen_is_fine(frozen)) {
            drop(&event);
            return;
        }
        struct lane *lane = lane_of(world, event.receiver);
        lane_add(lane, &event);
        if (lane->problem.error)
            frozen_no_memory(frozen);
    }
}

/* What follows from the rest. */
static void settle(struct world *world)
{
    for (size_t i = 0; i < world->lanes_count; i++) {
        world->lanes[i].counts = (struct world_counts){0};
        world->lanes[i].online = 0;
    }
    for (size_t node = 0; node < world->nodes; node++)
        lane_of(world, (peer_id)node)->online += world_is_online(world, node);
    world->lanes->counts = world->counts;
    world->lanes->counts.train_seconds *= (double)world->lanes_count;
}

void frozen_world(struct frozen *frozen, struct world *world)
{
    struct freezing freezing = {.frozen = frozen, .world = world};
    assert(world->works_count == 0);
    if (frozen_reads(frozen)) {
        freezing.seen = calloc(world->nodes, sizeof *freezing.seen);
        if (!freezing.seen)
            frozen_no_memory(frozen);
    }
    frozen_u64(frozen, &world->lived_us);
    frozen_size_to(frozen, &world->crashes, world->experiment->crashes.count);
    freeze_counts(frozen, &world->counts);
    for (size_t node = 0; node < world->nodes && frozen_is_fine(frozen); node++)
        freeze_node(&freezing, (peer_id)node);
    if (!frozen_reads(frozen)) {
        write_events(&freezing);
    } else if (frozen_is_fine(frozen)) {
        read_events(&freezing);
        settle(world);
    }
    free(freezing.seen);
}
