#include "sim/lane.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sim/stopwatch.h"
#include "sim/world_inside.h"

#define TIMED_WORKS 16 /* of so many one is timed */
#define ARRIVAL_BYTES (sizeof(struct gossip) - offsetof(struct gossip, concluding))
#define FETCH_MOST 1024u /* bytes of a model that are brought nearer */

struct lane *lane_of(const struct world *world, peer_id node)
{
    return &world->lanes[(uint64_t)node * world->lanes_count / world->nodes];
}

static struct parcel *take_parcel(struct lane *lane)
{
    struct parcel *parcel = lane->spare;
    if (!parcel)
        return malloc(sizeof *parcel);
    lane->spare = parcel->next_spare;
    return parcel;
}

static void give_parcel(struct lane *lane, struct parcel *parcel)
{
    parcel->next_spare = lane->spare;
    lane->spare = parcel;
}

static bool put(struct mail *mail, const struct event *event)
{
    if (mail->count == mail->capacity) {
        size_t capacity = mail->capacity ? 2 * mail->capacity : 16;
        struct event *events = realloc(mail->events, capacity * sizeof *events);
        if (!events)
            return false;
        mail->events = events;
        mail->capacity = capacity;
    }
    mail->events[mail->count++] = *event;
    return true;
}

/* What a node causes for itself before the window ends, among the like, in order. */
static bool put_own(struct lane *lane, const struct event *event)
{
    if (!put(&lane->own, event))
        return false;
    struct event *events = lane->own.events;
    size_t place = lane->own.count - 1;
    for (; place > lane->own_taken && event_before(event, &events[place - 1]); place--)
        events[place] = events[place - 1];
    events[place] = *event;
    return true;
}

void lane_add(struct lane *lane, const struct event *event)
{
    bool added =
        event->time_us < lane->window_end_us ? put_own(lane, event) : clock_add(lane->clock, event);
    if (!added)
        problem_no_memory(&lane->problem, "the events");
}

void lane_expect_change(struct lane *lane, peer_id node, uint64_t time_us)
{
    const struct presence *presence = &lane->world->presence[node];
    lane_add(lane, &(struct event){.time_us = time_us,
                                   .receiver = node,
                                   .sender = node,
                                   .sequence = presence->changes + 1,
                                   .kind = presence->online ? EVENT_LEAVE : EVENT_JOIN});
}

/* To the lane of its receiver, where it comes later than this window. */
static void post_event(struct lane *lane, const struct event *event)
{
    struct lane *to = lane_of(lane->world, event->receiver);
    assert(event->time_us >= lane->window_end_us);
    if (to == lane) {
        lane_add(lane, event);
    } else if (!put(&lane->mail[to->number], event)) {
        problem_no_memory(&lane->problem, "messages under way");
        parcel_drop(event->parcel);
        give_parcel(lane, event->parcel);
    }
}

/* A message that so many bytes are sent of never arrives, or nobody is there for it. */
static void count_lost(struct lane *lane, size_t bytes)
{
    lane->counts.dropped++;
    lane->counts.dropped_bytes += bytes;
}

static void send(struct lane *lane, peer_id from, peer_id to, struct gossip_message message,
                 uint64_t now_us)
{
    struct world *world = lane->world;
    struct world_traffic *traffic = &world_resident(world, from)->traffic;
    size_t bytes = post_bytes(world->post, &message);
    uint32_t number = traffic->messages_out++;
    traffic->bytes_out += bytes;
    lane->counts.messages++;
    lane->counts.bytes += bytes;
    uint64_t delay_us;
    if (!network_carry(world->network, world->lines ? &world->lines[from] : NULL, from, number, to,
                       bytes, now_us, &delay_us)) {
        count_lost(lane, bytes);
        message_release(&message);
        return;
    }
    struct parcel *parcel = take_parcel(lane);
    if (!parcel) {
        problem_no_memory(&lane->problem, "messages under way");
        message_release(&message);
        return;
    }
    parcel->message = message;
    parcel->header = parcel->payload = NULL;
    parcel->bytes = bytes;
    if (post_is_real(world->post)) {
        struct version **version = message_version(&message);
        if (version && !version_made(*version))
            world_catch_up(world);
        if (post_pack(world->post, parcel, &lane->problem)) {
            parcel_drop(parcel);
            give_parcel(lane, parcel);
            return;
        }
    }
    post_event(lane, &(struct event){.time_us = now_us + delay_us,
                                     .receiver = to,
                                     .sender = from,
                                     .sequence = number,
                                     .kind = EVENT_ARRIVE,
                                     .parcel = parcel});
}

/* The arithmetic of an event, now: on this thread, whose caches hold what the event has touched. */
static void work_at_once(struct lane *lane, struct work *work)
{
    bool timed = lane->counts.events % TIMED_WORKS == 0;
    double before = timed ? stopwatch_seconds() : 0;
    work_run(work, lane->workspace);
    if (timed)
        lane->counts.train_seconds += TIMED_WORKS * (stopwatch_seconds() - before);
    world_count_work(&lane->counts, &lane->problem, work);
}

/* What the last call left to its driver: messages, and a work that ends after its virtual time. */
static void carry_out(struct lane *lane, peer_id node, uint64_t now_us)
{
    struct world *world = lane->world;
    struct outgoing *out = &lane->out;
    struct work *work = &out->work;
    if (out->has_work && work->average) {
        lane->counts.updates++;
    } else if (out->has_work) {
        const struct participant *participant = &world_resident(world, node)->participant;
        uint64_t pass_us = experiment_pass_us(world->experiment, node, participant->train_count);
        lane_add(lane, &(struct event){.time_us = now_us + work->passes * pass_us,
                                       .receiver = node,
                                       .sender = node,
                                       .sequence = (uint32_t)work->number,
                                       .kind = EVENT_DONE});
        for (uint32_t i = 0; i < work->heard_count; i++)
            lane->counts.updates += work->heard[i].alpha > 0;
    }
    if (out->has_work && world->at_once)
        work_at_once(lane, work);
    else if (out->has_work)
        work_copy(&world->works[world->works_count++], work);
    for (size_t i = 0; i < out->count; i++)
        send(lane, node, out->sends[i].to, out->sends[i].message, now_us);
    if (!world->at_once && world->works_count == world->works_most)
        world_catch_up(world);
}

static void arrive(struct lane *lane, const struct event *event)
{
    struct world *world = lane->world;
    struct parcel *parcel = event->parcel;
    struct world_traffic *traffic = &world_resident(world, event->receiver)->traffic;
    traffic->messages_in++;
    traffic->bytes_in += parcel->bytes;
    enum refusal refusal =
        post_is_real(world->post) ? post_unpack(world->post, parcel) : REFUSED_NOT;
    lane->out.count = 0;
    lane->out.has_work = false;
    if (refusal == REFUSED_NOT)
        refusal =
            participant_receive(&world_resident(world, event->receiver)->participant, event->sender,
                                &parcel->message, (struct now){event->time_us, 0}, &lane->out);
    give_parcel(lane, parcel);
    if (refusal != REFUSED_NOT)
        lane->counts.rejected++;
}

static void leave(struct lane *lane, const struct event *event)
{
    struct world *world = lane->world;
    struct presence *presence = &world->presence[event->receiver];
    presence->online = false;
    presence->left_us = event->time_us;
    presence->changes = event->sequence;
    lane->online--;
    uint64_t lasts_us =
        churn_lasts(world->churn, event->receiver, event->sequence, false, event->time_us);
    lane_expect_change(lane, event->receiver, event->time_us + lasts_us);
}

/* What was held goes on: a pass for the time that was left of it, the rounds in their phase. */
static void come_back(struct lane *lane, const struct event *event)
{
    struct world *world = lane->world;
    struct presence *presence = &world->presence[event->receiver];
    uint64_t now_us = event->time_us, period_us = world->experiment->config.gossip.period_us;
    presence->online = true;
    presence->changes = event->sequence;
    lane->online++;
    uint64_t lasts_us = churn_lasts(world->churn, event->receiver, event->sequence, true, now_us);
    lane_expect_change(lane, event->receiver, now_us + lasts_us);
    if (presence->done_held) {
        presence->done.time_us = now_us + (presence->done.time_us - presence->left_us);
        lane_add(lane, &presence->done);
    }
    if (presence->tick_held) {
        uint64_t late_us = now_us - presence->tick.time_us;
        presence->tick.time_us += (late_us + period_us - 1) / period_us * period_us;
        lane_add(lane, &presence->tick);
    }
    presence->done_held = presence->tick_held = false;
}

/* What comes to a node that is away. */
static void miss(struct lane *lane, const struct event *event)
{
    struct world *world = lane->world;
    if (event->kind == EVENT_ARRIVE) {
        count_lost(lane, event->parcel->bytes);
        parcel_drop(event->parcel);
        give_parcel(lane, event->parcel);
        return;
    }
    if (world_is_gone(world, event->receiver))
        return;
    struct presence *presence = &world->presence[event->receiver];
    if (event->kind == EVENT_TICK) {
        presence->tick_held = true;
        presence->tick = *event;
    } else {
        presence->done_held = true;
        presence->done = *event;
    }
}

static void handle(struct lane *lane, const struct event *event)
{
    struct world *world = lane->world;
    struct participant *participant = &world_resident(world, event->receiver)->participant;
    struct now now = {event->time_us, 0};
    lane->counts.events++;
    if (world_is_gone(world, event->receiver)) {
        miss(lane, event);
        return;
    }
    if (event->kind == EVENT_LEAVE) {
        leave(lane, event);
        return;
    }
    if (event->kind == EVENT_JOIN) {
        come_back(lane, event);
        return;
    }
    if (!world_is_online(world, event->receiver)) {
        miss(lane, event);
        return;
    }
    switch (event->kind) {
    case EVENT_TICK:
        if (world->experiment->topology.kind == TOPOLOGY_FULL)
            world_draw_view(world, event->receiver, RANDOM_TOPOLOGY, 1ull + event->sequence);
        participant_tick(participant, now, &lane->out);
        lane_add(lane, &(struct event){.time_us = participant_deadline(participant),
                                       .receiver = event->receiver,
                                       .sender = event->receiver,
                                       .sequence = event->sequence + 1,
                                       .kind = EVENT_TICK});
        break;
    case EVENT_DONE:
        lane->counts.passes += participant->pending_passes;
        lane->counts.samples -= participant->samples;
        participant_done(participant, now, &lane->out);
        lane->counts.samples += participant->samples;
        break;
    case EVENT_ARRIVE:
        arrive(lane, event);
        break;
    }
    carry_out(lane, event->receiver, event->time_us);
}

/* One node's events of a window, and what it causes for itself within it, in order. */
static void handle_node(struct lane *lane, const struct event *events, size_t count)
{
    size_t taken = 0;
    lane->own.count = lane->own_taken = 0;
    while (taken < count || lane->own_taken < lane->own.count) {
        bool own =
            lane->own_taken < lane->own.count &&
            (taken == count || event_before(&lane->own.events[lane->own_taken], &events[taken]));
        const struct event event = own ? lane->own.events[lane->own_taken++] : events[taken++];
        handle(lane, &event);
    }
}

/* How many events ahead a node is brought to the cache, then what it points to, then what that
 * points to. */
#define AHEAD_NODE 9
#define AHEAD_MODEL 6
#define AHEAD_HEARD 3

static void fetch(const void *from, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += LINE)
        __builtin_prefetch((const char *)from + at);
}

static void fetch_version(const struct world *world, const struct version *version)
{
    size_t bytes = sizeof *version + world->parameters * sizeof(float);
    if (version)
        fetch(version, bytes < FETCH_MOST ? bytes : FETCH_MOST);
}

static void fetch_example(const struct dataset *data, uint32_t row)
{
    size_t bytes = data->features * sizeof(float);
    if (data->floats)
        fetch(data->floats + row * data->features, bytes < FETCH_MOST ? bytes : FETCH_MOST);
    __builtin_prefetch(&data->labels[row * dataset_positions(data)]);
}

/* Brings what the events after this one will touch nearer: a large world lies in memory, and its
 * nodes far apart. */
static void look_ahead(const struct world *world, const struct event *events, size_t count,
                       size_t here)
{
    if (here + AHEAD_NODE < count) {
        const struct event *event = &events[here + AHEAD_NODE];
        const struct resident *resident = world_resident(world, event->receiver);
        if (event->kind == EVENT_ARRIVE) { /* who it is, what waits for it, what is counted */
            __builtin_prefetch(resident);
            fetch(&resident->participant.gossip.concluding, ARRIVAL_BYTES);
            fetch(event->parcel, sizeof *event->parcel);
        } else {
            fetch(resident, world->resident_bytes);
        }
    }
    if (here + AHEAD_MODEL < count) {
        const struct event *event = &events[here + AHEAD_MODEL];
        const struct participant *participant =
            &world_resident(world, event->receiver)->participant;
        if (event->kind == EVENT_TICK) {
            fetch_version(world, participant->model);
            fetch_version(world, participant->readout);
            __builtin_prefetch(participant->train);
        }
        if (participant->gossip.inbox)
            fetch(participant->gossip.inbox, sizeof(struct waiting));
    }
    if (here + AHEAD_HEARD < count) {
        const struct event *event = &events[here + AHEAD_HEARD];
        const struct participant *participant =
            &world_resident(world, event->receiver)->participant;
        const struct gossip *gossip = &participant->gossip;
        if (event->kind == EVENT_TICK) {
            for (uint32_t i = 0; i < gossip->waiting_count; i++)
                fetch_version(world, gossip->inbox[i].model);
            if (participant->train_count > 0)
                fetch_example(participant->data, participant->train[0]);
        }
    }
}

static void live_through(struct lane *lane, uint64_t window)
{
    struct world *world = lane->world;
    uint64_t end_us = (window + 1) * world->window_us;
    struct event *events;
    size_t count, same;
    lane->window_end_us = end_us < world->until_us ? end_us : world->until_us;
    if (!clock_take(lane->clock, window, lane->window_end_us, &events, &count)) {
        problem_no_memory(&lane->problem, "the events");
        return;
    }
    for (size_t i = 0; i < count; i += same) {
        same = 1;
        while (i + same < count && events[i + same].receiver == events[i].receiver)
            same++;
        for (size_t k = 0; k < same; k++)
            look_ahead(world, events, count, i + k);
        handle_node(lane, events + i, same);
    }
}

/* What the others have posted, when the window is over. */
static void collect_mail(struct lane *lane)
{
    struct world *world = lane->world;
    for (size_t i = 0; i < world->lanes_count; i++) {
        struct mail *mail = &world->lanes[i].mail[lane->number];
        for (size_t k = 0; k < mail->count; k++)
            lane_add(lane, &mail->events[k]);
        mail->count = 0;
    }
}

/* The first window that any lane has events in, UINT64_MAX when all are to stop. */
static uint64_t next_window(const struct world *world)
{
    uint64_t first = UINT64_MAX;
    bool stops = false;
    for (size_t i = 0; i < world->lanes_count; i++) {
        stops |= world->lanes[i].stops;
        if (world->lanes[i].next_window < first)
            first = world->lanes[i].next_window;
    }
    return stops || first > (world->until_us - 1) / world->window_us ? UINT64_MAX : first;
}

void lane_live(void *self, size_t number, struct workspace *workspace)
{
    struct world *world = self;
    struct lane *lane = &world->lanes[number];
    lane->workspace = workspace;
    lane->stops = false;
    for (bool last = false; !last;) {
        collect_mail(lane);
        lane->next_window = clock_first(lane->clock);
        lane->stops = lane->problem.error || (world->interrupted && *world->interrupted);
        meeting_hold(&world->meeting, world->lanes_count);
        uint64_t window = next_window(world);
        if (window == UINT64_MAX)
            break;
        live_through(lane, window);
        last = (window + 1) * world->window_us >= world->until_us;
        meeting_hold(&world->meeting, world->lanes_count);
        if (last)
            collect_mail(lane); /* between two calls nothing is on its way outside the clocks */
    }
}

void lane_clear(struct lane *lane)
{
    struct event event;
    while (lane->clock && clock_drain(lane->clock, &event))
        if (event.kind == EVENT_ARRIVE) {
            parcel_drop(event.parcel);
            free(event.parcel);
        }
    for (size_t i = 0; lane->mail && i < lane->world->lanes_count; i++)
        free(lane->mail[i].events);
    while (lane->spare) {
        struct parcel *parcel = lane->spare;
        lane->spare = parcel->next_spare;
        free(parcel);
    }
    clock_free(&lane->clock);
    free(lane->own.events);
    free(lane->mail);
}
