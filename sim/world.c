#include "sim/world.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/memory.h"
#include "model/quantise.h"
#include "model/vector.h"
#include "sim/results.h"
#include "sim/stopwatch.h"
#include "sim/world_inside.h"

#define WINDOWS_A_PERIOD 256u
#define WORKS_MAX 4096u                /* put off at most so many */
#define WORKS_BYTES_MAX (256ull << 20) /* or so many bytes of parameters in the making */
#define LANE_NODES 256u                /* a lane has so many nodes at least, */
#define LANE_PASSES 8u                 /* and so many passes a window */

void world_draw_view(struct world *world, peer_id node, enum random_purpose purpose, uint64_t step)
{
    struct view *view = &world_resident(world, node)->participant.gossip.view;
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
        world_draw_view(world, node, RANDOM_BOOTSTRAP, 0);
        return;
    }
    size_t count;
    const peer_id *neighbours = topology_neighbours(topology, node, &count);
    for (size_t i = 0; i < count; i++)
        view_add(&world_resident(world, node)->participant.gossip.view, neighbours[i]);
}

/* Some are away when the world begins. */
static void begin_churn(struct world *world)
{
    for (peer_id node = 0; node < world->nodes; node++) {
        struct lane *lane = lane_of(world, node);
        lane->online++;
        if (!world->presence)
            continue;
        uint64_t left_us;
        world->presence[node].online = churn_begin(world->churn, node, &left_us);
        lane->online -= !world->presence[node].online;
        lane_expect_change(lane, node, left_us);
    }
}

static struct gossip_storage storage_of(const struct world *world, size_t node)
{
    const struct gossip_settings *gossip = &world->experiment->settings.gossip;
    return (struct gossip_storage){
        .entries = world_resident(world, node)->entries,
        .ages = world->ages ? world->ages + 2 * node * gossip->fragments : NULL,
        .news = world->news ? world->news + node * gossip->inbox : NULL,
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
        struct participant *participant = &world_resident(world, node)->participant;
        const struct gossip_storage storage = storage_of(world, node);
        error =
            participant_init(participant, &experiment->settings, (peer_id)node,
                             &experiment->data->train, rows, count, &storage, initial, 0, problem);
        if (error)
            break;
        introduce(world, (peer_id)node);
        struct lane *lane = lane_of(world, (peer_id)node);
        participant_start(participant, (struct now){0}, &lane->out);
        lane_add(lane, &(struct event){.time_us = participant_deadline(participant),
                                       .receiver = (peer_id)node,
                                       .sender = (peer_id)node,
                                       .kind = EVENT_TICK});
        error = lane->problem.error ? problem_no_memory(problem, "the events") : STARLING_OK;
    }
    version_release(&initial);
    return error;
}

/* No longer than the least latency, and so short that a window's events sort in cache. */
static uint64_t window_us(const struct world *world)
{
    uint64_t least = network_least_us(world->network);
    uint64_t most = world->experiment->config.gossip.period_us / WINDOWS_A_PERIOD;
    most = most > NETWORK_LEAST_US ? most : NETWORK_LEAST_US;
    return least < most ? least : most;
}

static bool make_room_for_fragments(struct world *world)
{
    const struct gossip_settings *gossip = &world->experiment->settings.gossip;
    if (gossip->fragments == 1)
        return true;
    world->ages = calloc(world->nodes * 2 * gossip->fragments, sizeof *world->ages);
    world->news = calloc(world->nodes * gossip->inbox, sizeof *world->news);
    return world->ages && world->news;
}

/* How many lanes, and when the arithmetic is done. Where a lane would have few passes a window, one
 * lane puts them off and all threads do them side by side. Real messages take one lane too: cards
 * are verified once for all. */
static bool make_lanes(struct world *world)
{
    const struct config *config = &world->experiment->config;
    uint64_t period_us = config->gossip.period_us;
    size_t threads = pool_threads(world->pool);
    double passes = (double)world->nodes * (double)world->window_us / (double)period_us;
    bool many = world->nodes / threads >= LANE_NODES && passes / (double)threads >= LANE_PASSES;
    world->at_once = threads == 1 || (many && !config->sim.wire);
    world->lanes_count = world->at_once ? threads : 1;
    world->lanes = calloc(world->lanes_count, sizeof *world->lanes);
    for (size_t i = 0; world->lanes && i < world->lanes_count; i++) {
        struct lane *lane = &world->lanes[i];
        lane->world = world;
        lane->number = i;
        lane->clock = clock_new(world->window_us);
        lane->mail = calloc(world->lanes_count, sizeof *lane->mail);
        if (!lane->clock || !lane->mail)
            return false;
    }
    world->works = calloc(world->at_once ? 1 : world->works_most, sizeof *world->works);
    return world->lanes && world->works;
}

/* A world that memory does not hold is refused before it is begun: the system would end it. */
static enum starling_error check_memory(const struct world *world, struct problem *problem)
{
    const struct participant_settings *settings = &world->experiment->settings;
    const double gib = 1024.0 * 1024 * 1024;
    double model = sizeof(struct version) + 8 + 4.0 * (double)world->parameters;
    double states = settings->learn.momentum > 0; /* of the optimiser, each as large as a model */
    double node = (double)world->resident_bytes + (1 + settings->gossip.readout + states) * model;
    double bytes = (double)world->nodes * (node + sizeof(struct node_row));
    if (bytes < (double)SIZE_MAX / 2 && memory_holds((size_t)bytes))
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "sim.nodes: %zu nodes with %zu parameters take %.1f GiB and more, and %.1f "
                       "are free: take fewer nodes or a smaller model",
                       world->nodes, world->parameters, bytes / gib, (double)memory_left() / gib);
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
    world->network = &experiment->network;
    world->churn = &experiment->churn;
    world->post =
        post_new(world->nodes, world->parameters, config->sim.seed, config->sim.wire, problem);
    if (!world->post)
        goto fail;
    world->window_us = window_us(world);
    world->resident_bytes =
        sizeof(struct resident) + experiment->settings.gossip.view * sizeof(struct view_entry);
    world->resident_bytes = (world->resident_bytes + LINE - 1) / LINE * LINE;
    if (check_memory(world, problem))
        goto fail;
    world->residents = aligned_alloc(LINE, world->nodes * world->resident_bytes);
    if (world->residents)
        memset(world->residents, 0, world->nodes * world->resident_bytes);
    bool churn = world->churn->kind != CHURN_NONE, crash = experiment->crashes.count > 0;
    bool lines = network_has_lines(world->network);
    world->gone = crash ? calloc(world->nodes, sizeof *world->gone) : NULL;
    world->lines = lines ? calloc(world->nodes, sizeof *world->lines) : NULL;
    world->presence = churn ? calloc(world->nodes, sizeof *world->presence) : NULL;
    if (!make_lanes(world) || !world->residents || !make_room_for_fragments(world) ||
        (churn && !world->presence) || (crash && !world->gone) || (lines && !world->lines)) {
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

void world_count_work(struct world_counts *counts, struct problem *problem, const struct work *work)
{
    if (work->failure == WORK_DIVERGED) {
        counts->diverged++;
        counts->diverged_passes += work->passes;
        counts->diverged_samples += work->passes * work->pass.samples;
    } else if (work->failure == WORK_NO_MEMORY) {
        problem_no_memory(problem, "parameters");
    }
}

void world_catch_up(struct world *world)
{
    if (world->works_count == 0)
        return;
    double before = stopwatch_seconds();
    size_t grain = world->parameters < 4096 ? 16 : 1;
    pool_run(world->pool, run_work, world, world->works_count, grain);
    for (size_t i = 0; i < world->works_count; i++)
        world_count_work(&world->lanes->counts, &world->problem, &world->works[i]);
    world->works_count = 0;
    world->lanes->counts.train_seconds += stopwatch_seconds() - before;
}

void world_free(struct world **world)
{
    struct world *ours = *world;
    *world = NULL;
    if (!ours)
        return;
    if (ours->works)
        world_catch_up(ours);
    for (size_t i = 0; ours->residents && i < ours->nodes; i++)
        participant_clear(&world_resident(ours, i)->participant);
    for (size_t i = 0; ours->lanes && i < ours->lanes_count; i++)
        lane_clear(&ours->lanes[i]);
    free(ours->lanes);
    post_free(&ours->post);
    free(ours->residents);
    free(ours->ages);
    free(ours->news);
    free(ours->presence);
    free(ours->gone);
    free(ours->lines);
    free(ours->works);
    free(ours);
}

/* Adds up what the lanes have counted. Arithmetic that is done at once runs on all of them side by
 * side. */
static void add_up(struct world *world)
{
    struct world_counts sum = {0};
    for (size_t i = 0; i < world->lanes_count; i++) {
        const struct world_counts *counts = &world->lanes[i].counts;
        sum.messages += counts->messages;
        sum.bytes += counts->bytes;
        sum.dropped += counts->dropped;
        sum.dropped_bytes += counts->dropped_bytes;
        sum.rejected += counts->rejected;
        sum.passes += counts->passes;
        sum.samples += counts->samples;
        sum.updates += counts->updates;
        sum.events += counts->events;
        sum.diverged += counts->diverged;
        sum.diverged_passes += counts->diverged_passes;
        sum.diverged_samples += counts->diverged_samples;
        sum.train_seconds += counts->train_seconds / (double)world->lanes_count;
    }
    world->counts = sum;
}

enum starling_error world_live(struct world *world, uint64_t until_us,
                               const volatile sig_atomic_t *interrupted, uint64_t *reached_us,
                               struct problem *problem)
{
    world->until_us = until_us;
    world->interrupted = interrupted;
    if (world->at_once)
        pool_run(world->pool, lane_live, world, world->lanes_count, 1);
    else
        lane_live(world, 0, NULL);
    world_catch_up(world);
    add_up(world);
    bool stopped = false;
    uint64_t next = UINT64_MAX;
    for (size_t i = 0; i < world->lanes_count; i++) {
        const struct lane *lane = &world->lanes[i];
        stopped |= lane->stops;
        next = lane->next_window < next ? lane->next_window : next;
        if (lane->problem.error && !world->problem.error)
            world->problem = lane->problem;
    }
    *reached_us = until_us;
    if (stopped && next <= (until_us - 1) / world->window_us)
        *reached_us = next * world->window_us;
    if (world->lived_us < *reached_us)
        world->lived_us = *reached_us;
    if (world->problem.error && problem)
        *problem = world->problem;
    return world->problem.error;
}

void world_crash(struct world *world, size_t node)
{
    lane_of(world, (peer_id)node)->online -= world_is_online(world, node);
    world->gone[node] = true;
}

void world_conclude(struct world *world)
{
    for (size_t node = 0; node < world->nodes; node++)
        participant_conclude(&world_resident(world, node)->participant);
}

const struct participant *world_participant(const struct world *world, size_t node)
{
    return &world_resident(world, node)->participant;
}

size_t world_online(const struct world *world)
{
    size_t online = 0;
    for (size_t i = 0; i < world->lanes_count; i++)
        online += world->lanes[i].online;
    return online;
}

bool world_is_online(const struct world *world, size_t node)
{
    return !world_is_gone(world, node) && (!world->presence || world->presence[node].online);
}

bool world_is_gone(const struct world *world, size_t node)
{
    return world->gone && world->gone[node];
}

const struct world_counts *world_counts(const struct world *world)
{
    return &world->counts;
}

const struct world_traffic *world_traffic(const struct world *world, size_t node)
{
    return &world_resident(world, node)->traffic;
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
        const struct participant *participant = &world_resident(world, node)->participant;
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
    size_t node = world->resident_bytes + (world->presence ? sizeof(struct presence) : 0) +
                  (world->lines ? sizeof(uplink) : 0) + (world->gone ? sizeof(bool) : 0) +
                  (world->ages ? 2 * gossip->fragments * sizeof(double) : 0) +
                  (world->news ? gossip->inbox * sizeof(uint32_t) : 0) +
                  2 * sizeof(struct version); /* of its model and its read-out */
    size_t waiting = sizeof(struct waiting);
    waiting += gossip->pieces ? sizeof(struct waiting_piece) : 0;
    size_t all = world->nodes * node;
    for (size_t i = 0; i < world->nodes; i++)
        all += world_resident(world, i)->participant.gossip.waiting_room * waiting;
    for (size_t i = 0; i < world->lanes_count; i++)
        all += clock_bytes(world->lanes[i].clock);
    return (double)all / (double)world->nodes;
}
