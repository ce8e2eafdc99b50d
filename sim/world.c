#include "sim/world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/quantise.h"
#include "model/vector.h"
#include "sim/churn.h"
#include "sim/clock.h"
#include "sim/network.h"
#include "sim/post.h"
#include "sim/stopwatch.h"

#define WINDOWS_A_PERIOD 256u
#define WORKS_MAX 4096u                /* put off at most so many */
#define WORKS_BYTES_MAX (256ull << 20) /* or so many bytes of parameters in the making */

/* A node's comings and goings; all there is of them, with sim.churn. */
struct presence {
    bool online;
    bool tick_held, done_held; /* came while it was away */
    uint64_t changes;
    uint64_t left_us;
    struct event tick, done; /* held until it is back */
};

struct world {
    const struct experiment *experiment;
    struct pool *pool;
    struct network network;
    struct post *post;
    struct clock *clock;
    size_t nodes, parameters, works_most;
    struct participant *participants;
    struct view_entry *entries;    /* nodes × view */
    struct waiting *inboxes;       /* nodes × inbox */
    struct waiting_piece *pieces;  /* nodes × inbox; NULL where models are sent as they are */
    double *ages;                  /* nodes × 2 fragments; NULL where they are sent whole */
    uint32_t *news;                /* nodes × inbox; NULL likewise */
    struct world_traffic *traffic; /* per node */
    struct churn churn;
    struct presence *presence; /* per node; NULL where nobody ever leaves */
    size_t online;
    struct work *works; /* put off, in the order they were asked for */
    size_t works_count;
    struct parcel *parcels; /* under way; free ones are chained */
    uint32_t parcels_count, parcels_capacity, parcels_free;
    struct outgoing out; /* of the event being handled */
    struct world_counts counts;
    struct problem problem; /* the first thing that went wrong inside an event */
};

#define NO_PARCEL UINT32_MAX

static bool parcel_take(struct world *world, uint32_t *place)
{
    if (world->parcels_free != NO_PARCEL) {
        *place = world->parcels_free;
        world->parcels_free = world->parcels[*place].next_free;
        return true;
    }
    if (world->parcels_count == world->parcels_capacity) {
        uint32_t capacity = world->parcels_capacity ? 2 * world->parcels_capacity : 256;
        struct parcel *parcels = realloc(world->parcels, capacity * sizeof *parcels);
        if (!parcels)
            return false;
        world->parcels = parcels;
        world->parcels_capacity = capacity;
    }
    *place = world->parcels_count++;
    return true;
}

static void parcel_give(struct world *world, uint32_t place)
{
    world->parcels[place].next_free = world->parcels_free;
    world->parcels_free = place;
}

/* As many random others as a view holds, from the stream of this purpose and step. */
static void draw_view(struct world *world, peer_id node, enum random_purpose purpose, uint64_t step)
{
    struct view *view = &world->participants[node].gossip.view;
    view->count = 0;
    if (world->nodes <= view->capacity + 1u) {
        for (peer_id peer = 0; peer < world->nodes; peer++)
            view_add(view, peer);
        return;
    }
    struct random random = random_stream(world->experiment->config.sim.seed, node, purpose, step);
    while (view->count < view->capacity)
        view_add(view, random_below(&random, (uint32_t)world->nodes));
}

/* Whom a node knows at the beginning: its neighbours, or as many random others as its view holds.
 */
static void introduce(struct world *world, peer_id node)
{
    const struct topology *topology = &world->experiment->topology;
    if (!topology_is_static(topology)) {
        draw_view(world, node, RANDOM_BOOTSTRAP, 0);
        return;
    }
    size_t count;
    const peer_id *neighbours = topology_neighbours(topology, node, &count);
    for (size_t i = 0; i < count; i++)
        view_add(&world->participants[node].gossip.view, neighbours[i]);
}

static void add_event(struct world *world, struct event event)
{
    if (!clock_add(world->clock, event))
        problem_no_memory(&world->problem, "the events");
}

/* The next change of a node: it leaves if it is there, and comes if it is not. */
static void expect_change(struct world *world, peer_id node, uint64_t time_us)
{
    const struct presence *presence = &world->presence[node];
    add_event(world, (struct event){.time_us = time_us,
                                    .receiver = node,
                                    .sender = node,
                                    .sequence = presence->changes + 1,
                                    .kind = presence->online ? EVENT_LEAVE : EVENT_JOIN});
}

/* Some are away when the world begins. */
static void begin_churn(struct world *world)
{
    world->online = world->nodes;
    for (peer_id node = 0; world->presence && node < world->nodes; node++) {
        uint64_t left_us;
        world->presence[node].online = churn_begin(&world->churn, node, &left_us);
        world->online -= !world->presence[node].online;
        expect_change(world, node, left_us);
    }
}

static struct gossip_storage storage_of(const struct world *world, size_t node)
{
    const struct gossip_settings *gossip = &world->experiment->settings.gossip;
    size_t inbox = node * gossip->inbox;
    return (struct gossip_storage){
        .entries = world->entries + node * gossip->view,
        .inbox = world->inboxes + inbox,
        .pieces = world->pieces ? world->pieces + inbox : NULL,
        .ages = world->ages ? world->ages + 2 * node * gossip->fragments : NULL,
        .news = world->news ? world->news + inbox : NULL,
    };
}

static enum starling_error begin(struct world *world, struct problem *problem)
{
    const struct experiment *experiment = world->experiment;
    struct version *initial = experiment_initial(experiment);
    if (!initial)
        return problem_no_memory(problem, "the initial parameters");
    enum starling_error error = STARLING_OK;
    for (size_t node = 0; node < world->nodes && !error; node++) {
        size_t count;
        const uint32_t *rows = partition_rows(experiment->partition, node, &count);
        struct participant *participant = &world->participants[node];
        const struct gossip_storage storage = storage_of(world, node);
        error =
            participant_init(participant, &experiment->settings, (peer_id)node,
                             &experiment->data->train, rows, count, &storage, initial, 0, problem);
        if (error)
            break;
        introduce(world, (peer_id)node);
        participant_start(participant, (struct now){0}, &world->out);
        if (!clock_add(world->clock, (struct event){.time_us = participant_deadline(participant),
                                                    .receiver = (peer_id)node,
                                                    .sender = (peer_id)node,
                                                    .kind = EVENT_TICK}))
            error = problem_no_memory(problem, "the events");
    }
    version_release(&initial);
    return error;
}

/* No longer than the least latency, and so short that a window's events sort in cache. */
static uint64_t window_us(const struct world *world)
{
    uint64_t least = network_least_us(&world->network);
    uint64_t most = world->experiment->config.gossip.period_us / WINDOWS_A_PERIOD;
    most = most > NETWORK_LEAST_US ? most : NETWORK_LEAST_US;
    return least < most ? least : most;
}

/* Where models are not sent whole and as they are. */
static bool make_room_for_pieces(struct world *world)
{
    const struct gossip_settings *gossip = &world->experiment->settings.gossip;
    size_t fragments = gossip->fragments;
    if (fragments == 1 && gossip->sample == 1 && gossip->encoding == ENCODING_F32)
        return true;
    world->pieces = calloc(world->nodes * gossip->inbox, sizeof *world->pieces);
    if (fragments > 1) {
        world->ages = calloc(world->nodes * 2 * fragments, sizeof *world->ages);
        world->news = calloc(world->nodes * gossip->inbox, sizeof *world->news);
    }
    return world->pieces && (fragments == 1 || (world->ages && world->news));
}

struct world *world_new(const struct experiment *experiment, struct pool *pool,
                        struct problem *problem)
{
    const struct config *config = &experiment->config;
    struct world *world = calloc(1, sizeof *world);
    if (!world) {
        problem_no_memory(problem, "the world");
        return NULL;
    }
    world->experiment = experiment;
    world->pool = pool;
    world->nodes = config->sim.nodes;
    world->parameters = model_parameters(experiment->model);
    world->works_most = WORKS_BYTES_MAX / (2 * sizeof(float) * world->parameters);
    if (world->works_most > WORKS_MAX)
        world->works_most = WORKS_MAX;
    if (world->works_most == 0)
        world->works_most = 1;
    world->parcels_free = NO_PARCEL;
    if (network_parse(config->sim.latency, config->sim.drop, config->sim.seed, &world->network,
                      problem))
        goto fail;
    if (churn_parse(config->sim.churn, config->gossip.period_us, config->sim.seed, &world->churn,
                    problem))
        goto fail;
    world->post =
        post_new(world->nodes, world->parameters, config->sim.seed, config->sim.wire, problem);
    if (!world->post)
        goto fail;
    world->clock = clock_new(window_us(world));
    world->participants = calloc(world->nodes, sizeof *world->participants);
    world->entries =
        calloc(world->nodes * experiment->settings.gossip.view, sizeof *world->entries);
    world->inboxes =
        calloc(world->nodes * experiment->settings.gossip.inbox, sizeof *world->inboxes);
    world->traffic = calloc(world->nodes, sizeof *world->traffic);
    bool churn = world->churn.kind != CHURN_NONE;
    world->presence = churn ? calloc(world->nodes, sizeof *world->presence) : NULL;
    world->works = calloc(world->works_most, sizeof *world->works);
    if (!world->clock || !world->participants || !world->entries || !world->inboxes ||
        !world->traffic || !make_room_for_pieces(world) || (churn && !world->presence) ||
        !world->works) {
        problem_no_memory(problem, "the participants");
        goto fail;
    }
    if (begin(world, problem))
        goto fail;
    begin_churn(world);
    return world;
fail:
    world_free(&world);
    return NULL;
}

/* One work, as soon as what it reads is made: by works before it in the list, or before the list.
 */
static void run_work(void *self, size_t number, struct workspace *workspace)
{
    struct work *work = &((struct world *)self)->works[number];
    for (unsigned turn = 0; !version_made(work->from); turn++)
        pool_wait(turn);
    for (uint32_t i = 0; i < work->heard_count; i++)
        for (unsigned turn = 0; !version_made(work->received[i]); turn++)
            pool_wait(turn);
    work_run(work, workspace);
}

/* Does the arithmetic that was put off. */
static void catch_up(struct world *world)
{
    if (world->works_count == 0)
        return;
    double before = stopwatch_seconds();
    size_t grain = world->parameters < 4096 ? 16 : 1;
    pool_run(world->pool, run_work, world, world->works_count, grain);
    for (size_t i = 0; i < world->works_count; i++)
        if (world->works[i].failure == WORK_DIVERGED) {
            world->counts.diverged++;
            world->counts.diverged_passes += world->works[i].passes;
            world->counts.diverged_samples += world->works[i].passes * world->works[i].pass.samples;
        } else if (world->works[i].failure == WORK_NO_MEMORY)
            problem_no_memory(&world->problem, "parameters");
    world->works_count = 0;
    world->counts.train_seconds += stopwatch_seconds() - before;
}

void world_free(struct world **world)
{
    struct world *ours = *world;
    *world = NULL;
    if (!ours)
        return;
    if (ours->works)
        catch_up(ours);
    for (size_t i = 0; ours->participants && i < ours->nodes; i++)
        participant_clear(&ours->participants[i]);
    struct event event;
    while (ours->clock && clock_drain(ours->clock, &event))
        if (event.kind == EVENT_ARRIVE)
            parcel_drop(&ours->parcels[event.parcel]);
    clock_free(&ours->clock);
    post_free(&ours->post);
    free(ours->participants);
    free(ours->entries);
    free(ours->inboxes);
    free(ours->pieces);
    free(ours->ages);
    free(ours->news);
    free(ours->traffic);
    free(ours->presence);
    free(ours->works);
    free(ours->parcels);
    free(ours);
}

static void send(struct world *world, peer_id from, peer_id to, struct gossip_message message,
                 uint64_t now_us)
{
    struct world_traffic *traffic = &world->traffic[from];
    size_t bytes = post_bytes(world->post, &message);
    uint64_t number = traffic->messages_out++;
    traffic->bytes_out += bytes;
    world->counts.messages++;
    world->counts.bytes += bytes;
    struct parcel parcel = {.message = message, .bytes = bytes};
    uint64_t delay_us;
    if (!network_carry(&world->network, from, number, &delay_us)) {
        world->counts.dropped++;
        parcel_drop(&parcel);
        return;
    }
    if (post_is_real(world->post)) {
        struct version **version = message_version(&message);
        if (version && !version_made(*version))
            catch_up(world);
        if (post_pack(world->post, &parcel, &world->problem)) {
            parcel_drop(&parcel);
            return;
        }
    }
    uint32_t place;
    if (!parcel_take(world, &place)) {
        problem_no_memory(&world->problem, "messages under way");
        parcel_drop(&parcel);
        return;
    }
    world->parcels[place] = parcel;
    add_event(world, (struct event){.time_us = now_us + delay_us,
                                    .receiver = to,
                                    .sender = from,
                                    .sequence = number,
                                    .kind = EVENT_ARRIVE,
                                    .parcel = place});
}

/* What the last call left to its driver: messages, and a work that ends after its virtual time. */
static void carry_out(struct world *world, peer_id node, uint64_t now_us)
{
    struct outgoing *out = &world->out;
    if (out->has_work) {
        struct work *work = &world->works[world->works_count++];
        work_copy(work, &out->work);
        world->counts.updates += work->average;
    }
    if (out->has_work && !out->work.average) {
        const struct work *work = &out->work;
        const struct participant *participant = &world->participants[node];
        uint64_t pass_us = experiment_pass_us(world->experiment, participant->train_count);
        add_event(world, (struct event){.time_us = now_us + work->passes * pass_us,
                                        .receiver = node,
                                        .sender = node,
                                        .sequence = work->number,
                                        .kind = EVENT_DONE});
        for (uint32_t i = 0; i < work->heard_count; i++)
            world->counts.updates += work->heard[i].alpha > 0;
    }
    for (size_t i = 0; i < out->count; i++)
        send(world, node, out->sends[i].to, out->sends[i].message, now_us);
    if (world->works_count == world->works_most)
        catch_up(world);
}

static void arrive(struct world *world, const struct event *event)
{
    struct parcel *parcel = &world->parcels[event->parcel];
    struct world_traffic *traffic = &world->traffic[event->receiver];
    traffic->messages_in++;
    traffic->bytes_in += parcel->bytes;
    enum refusal refusal =
        post_is_real(world->post) ? post_unpack(world->post, parcel) : REFUSED_NOT;
    struct gossip_message message = parcel->message;
    parcel_give(world, event->parcel);
    world->out.count = 0;
    world->out.has_work = false;
    if (refusal == REFUSED_NOT)
        refusal = participant_receive(&world->participants[event->receiver], event->sender,
                                      &message, (struct now){event->time_us, 0}, &world->out);
    if (refusal != REFUSED_NOT)
        world->counts.rejected++;
}

static void leave(struct world *world, const struct event *event)
{
    struct presence *presence = &world->presence[event->receiver];
    presence->online = false;
    presence->left_us = event->time_us;
    presence->changes = event->sequence;
    world->online--;
    expect_change(world, event->receiver,
                  event->time_us +
                      churn_lasts(&world->churn, event->receiver, event->sequence, false));
}

/* What was held goes on: a pass for the time that was left of it, the rounds in their phase. */
static void come_back(struct world *world, const struct event *event)
{
    struct presence *presence = &world->presence[event->receiver];
    uint64_t now_us = event->time_us, period_us = world->experiment->config.gossip.period_us;
    presence->online = true;
    presence->changes = event->sequence;
    world->online++;
    expect_change(world, event->receiver,
                  now_us + churn_lasts(&world->churn, event->receiver, event->sequence, true));
    if (presence->done_held) {
        presence->done.time_us = now_us + (presence->done.time_us - presence->left_us);
        add_event(world, presence->done);
    }
    if (presence->tick_held) {
        uint64_t late_us = now_us - presence->tick.time_us;
        presence->tick.time_us += (late_us + period_us - 1) / period_us * period_us;
        add_event(world, presence->tick);
    }
    presence->done_held = presence->tick_held = false;
}

/* What comes to a node that is away. */
static void miss(struct world *world, const struct event *event)
{
    struct presence *presence = &world->presence[event->receiver];
    if (event->kind == EVENT_ARRIVE) {
        world->counts.dropped++;
        parcel_drop(&world->parcels[event->parcel]);
        parcel_give(world, event->parcel);
    } else if (event->kind == EVENT_TICK) {
        presence->tick_held = true;
        presence->tick = *event;
    } else {
        presence->done_held = true;
        presence->done = *event;
    }
}

static void handle(struct world *world, const struct event *event)
{
    struct participant *participant = &world->participants[event->receiver];
    struct now now = {event->time_us, 0};
    world->counts.events++;
    if (event->kind == EVENT_LEAVE) {
        leave(world, event);
        return;
    }
    if (event->kind == EVENT_JOIN) {
        come_back(world, event);
        return;
    }
    if (!world_is_online(world, event->receiver)) {
        miss(world, event);
        return;
    }
    switch (event->kind) {
    case EVENT_TICK:
        if (world->experiment->topology.kind == TOPOLOGY_FULL)
            draw_view(world, event->receiver, RANDOM_TOPOLOGY, 1 + event->sequence);
        participant_tick(participant, now, &world->out);
        add_event(world, (struct event){.time_us = participant_deadline(participant),
                                        .receiver = event->receiver,
                                        .sender = event->receiver,
                                        .sequence = event->sequence + 1,
                                        .kind = EVENT_TICK});
        break;
    case EVENT_DONE:
        world->counts.passes += participant->pending_passes;
        world->counts.samples -= participant->samples;
        participant_done(participant, now, &world->out);
        world->counts.samples += participant->samples;
        break;
    case EVENT_ARRIVE:
        arrive(world, event);
        break;
    }
    carry_out(world, event->receiver, event->time_us);
}

enum starling_error world_live(struct world *world, uint64_t until_us,
                               const volatile sig_atomic_t *interrupted, uint64_t *reached_us,
                               struct problem *problem)
{
    struct event event;
    *reached_us = until_us;
    while (clock_next(world->clock, until_us, &event)) {
        handle(world, &event);
        if (interrupted && *interrupted) {
            *reached_us = event.time_us;
            break;
        }
        if (world->problem.error)
            break;
    }
    catch_up(world);
    if (clock_failed(world->clock)) /* it ran dry for want of memory, not of events */
        problem_no_memory(&world->problem, "the events");
    if (world->problem.error) {
        if (problem)
            *problem = world->problem;
        return world->problem.error;
    }
    return STARLING_OK;
}

void world_conclude(struct world *world)
{
    for (size_t node = 0; node < world->nodes; node++)
        participant_conclude(&world->participants[node]);
}

const struct participant *world_participant(const struct world *world, size_t node)
{
    return &world->participants[node];
}

size_t world_online(const struct world *world)
{
    return world->online;
}

bool world_is_online(const struct world *world, size_t node)
{
    return !world->presence || world->presence[node].online;
}

const struct world_counts *world_counts(const struct world *world)
{
    return &world->counts;
}

const struct world_traffic *world_traffic(const struct world *world, size_t node)
{
    return &world->traffic[node];
}

static void hash_floats(crypto_generichash_state *state, const float *values, size_t count)
{
    uint8_t bytes[4096];
    for (size_t done = 0; done < count;) {
        size_t now = count - done < sizeof bytes / 4 ? count - done : sizeof bytes / 4;
        quantise_f32(values + done, now, bytes);
        crypto_generichash_update(state, bytes, 4 * now);
        done += now;
    }
}

static void hash_integer(crypto_generichash_state *state, uint64_t value, size_t size)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    crypto_generichash_update(state, bytes, size);
}

void world_digest(const struct world *world, char hex[65])
{
    crypto_generichash_state all, one;
    uint8_t digest[32];
    crypto_generichash_init(&all, NULL, 0, sizeof digest);
    for (size_t node = 0; node < world->nodes; node++) {
        const struct participant *participant = &world->participants[node];
        uint64_t age;
        memcpy(&age, &participant->gossip.age, sizeof age);
        crypto_generichash_init(&one, NULL, 0, sizeof digest);
        hash_integer(&one, node, 4);
        hash_integer(&one, age, 8);
        hash_floats(&one, participant->gossip.published->values, world->parameters);
        hash_floats(&one, participant_readout(participant)->values, world->parameters);
        crypto_generichash_final(&one, digest, sizeof digest);
        crypto_generichash_update(&all, digest, sizeof digest);
    }
    crypto_generichash_final(&all, digest, sizeof digest);
    sodium_bin2hex(hex, 65, digest, sizeof digest);
}

double world_bytes_per_node(const struct world *world)
{
    const struct gossip_settings *gossip = &world->experiment->settings.gossip;
    return (double)(sizeof(struct participant) + sizeof(struct world_traffic) +
                    gossip->view * sizeof(struct view_entry) +
                    gossip->inbox * sizeof(struct waiting) +
                    (world->pieces ? gossip->inbox * sizeof(struct waiting_piece) : 0) +
                    (world->ages ? 2 * gossip->fragments * sizeof(double) : 0) +
                    (world->news ? gossip->inbox * sizeof(uint32_t) : 0) + sizeof(struct event) +
                    3 * sizeof(struct version));
}
