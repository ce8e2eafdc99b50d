/* A world from its beginning to its end. */
#include <malloc.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/world/data.h"
#include "tests/world/device.h"
#include "tests/world/folder.h"
#include "tests/world/laws.h"
#include "tests/world/net.h"
#include "tests/world/stand.h"
#include "tests/world/stranger.h"

static void say(struct world *world, const char *text)
{
    crypto_generichash_update(&world->trace, (const uint8_t *)text, strlen(text));
    if (world->verbose)
        fprintf(stderr, "%12.3f  %s\n", (double)world->now_us * 1e-6, text);
}

void note(struct world *world, const char *format, ...)
{
    char text[BROKEN_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say(world, text);
}

void broken(struct world *world, const char *format, ...)
{
    if (world->broken[0])
        return;
    int length = snprintf(world->broken, BROKEN_MAX, "at %.3f s: ", (double)world->now_us * 1e-6);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(world->broken + length, BROKEN_MAX - (size_t)length, format, arguments);
    va_end(arguments);
    say(world, world->broken);
}

static void begin(struct world *world, const char *dir)
{
    const struct plan *plan = &world->plan;
    uint64_t seed = plan->seed;
    world->net_random = world_stream(seed, STREAM_NET, 0);
    world->device_random = world_stream(seed, STREAM_DEVICE, 0);
    world->stranger_random = world_stream(seed, STREAM_STRANGER, 0);
    world->system_random = world_stream(seed, STREAM_SYSTEM, 0);
    world->connected_us = NEVER;
    stand_random(&world->system_random);
    crypto_generichash_init(&world->trace, NULL, 0, TRACE_BYTES);
    crypto_sign_keypair(world->swarm, world->authority);
    if (snprintf(world->dir, sizeof world->dir, "%s/world-%llu", dir, (unsigned long long)seed) >=
        PATH_MAX)
        abort();
    folder_remove(world->dir);
    if (mkdir(world->dir, 0700))
        abort();
    world->model = model_new(plan->model, shape_flat(plan->features, plan->classes), NULL);
    data_test(plan, &world->test);
    world->test_rows = calloc(world->test.examples, sizeof *world->test_rows);
    if (!world->model || !world->test_rows)
        abort();
    for (uint32_t i = 0; i < world->test.examples; i++)
        world->test_rows[i] = i;
    for (uint32_t i = 0; i < plan->devices; i++) {
        struct device *device = device_new(world, i);
        device->unset_clock =
            plan->faults[FAULT_UNSET_CLOCK] && draw_chance(&world->device_random, .3);
    }
    for (uint32_t i = 0; i < plan->strangers; i++) {
        world->strangers[i] = stranger_new(world, i);
        queue_put(&world->queue,
                  (struct event){.at_us = 1 + i, .kind = EVENT_STRANGER, .number = i});
    }
    for (uint32_t i = 0; i < plan->act_count; i++)
        queue_put(&world->queue,
                  (struct event){.at_us = plan->acts[i].at_us, .kind = EVENT_ACT, .number = i});
}

static void split(struct world *world, int64_t who)
{
    note(world, "a partition: %llx are apart", (unsigned long long)who);
    for (uint32_t i = 0; i < world->plan.devices; i++)
        world->ports[i].apart = who >> i & 1;
    world->split_us = world->now_us;
}

static void heal(struct world *world)
{
    for (uint32_t i = 0; i < world->plan.devices; i++)
        world->ports[i].apart = false;
}

static void look_again(struct world *world)
{
    queue_put(&world->queue,
              (struct event){.at_us = world->now_us + world->plan.config.gossip.period_us / 2,
                             .kind = EVENT_LOOK});
}

/* Everything that was done to the swarm is over, but for the dead. */
static void calm_down(struct world *world)
{
    note(world, "calm");
    heal(world);
    world->calm = true;
    for (uint32_t i = 0; i < world->plan.strangers; i++)
        stranger_leave(world->strangers[i]);
    for (uint32_t i = 0; i < world->plan.devices; i++)
        device_set_clock(world->devices[i], 0);
    if (world->plan.expiry_us != NEVER)
        device_renew(world->devices[1]);
    for (uint32_t i = 0; i < world->plan.devices; i++)
        device_boot(world->devices[i]);
    overlay_calm(world);
    look_again(world);
}

static void act(struct world *world, const struct act *act)
{
    struct device *device = world->devices[act->device];
    switch (act->kind) {
    case ACT_BOOT:
        device_boot(device);
        break;
    case ACT_CRASH:
        if (world->plan.faults[FAULT_DEATH] && device->node && world->crashes == 0)
            device->dead = true;
        device_crash(device, act->amount == 1);
        break;
    case ACT_SPLIT:
        split(world, act->amount);
        break;
    case ACT_HEAL:
        if (!world->calm)
            note(world, "the partition heals");
        heal(world);
        break;
    case ACT_CLOCK:
        note(world, "the clock of device %u is %lld s off", device->number, (long long)act->amount);
        device_set_clock(device, act->amount);
        break;
    case ACT_SLEEP:
        note(world, "device %u slept for %.1f s", device->number, (double)act->amount * 1e-6);
        device_sleep(device, (uint64_t)act->amount);
        break;
    case ACT_CALM:
        calm_down(world);
        break;
    case ACT_END:
        overlay_end(world);
        world->ended = true;
        break;
    }
}

static void trace_event(struct world *world, const struct event *event)
{
    uint64_t words[] = {event->at_us, (uint64_t)event->kind, event->number};
    crypto_generichash_update(&world->trace, (const uint8_t *)words, sizeof words);
    if (!event->packet)
        return;
    crypto_generichash_update(&world->trace, event->packet->header, event->packet->header_size);
    crypto_generichash_update(&world->trace, event->packet->payload, event->packet->payload_size);
}

static void happen(struct world *world, const struct event *event)
{
    world->now_us = event->at_us;
    world->events++;
    trace_event(world, event);
    switch (event->kind) {
    case EVENT_WAKE:
        device_wake(world->devices[event->number], event->at_us);
        break;
    case EVENT_PACKET:
        net_arrive(world, event->packet);
        break;
    case EVENT_ACT:
        act(world, &world->plan.acts[event->number]);
        break;
    case EVENT_STRANGER:
        stranger_act(world->strangers[event->number]);
        break;
    case EVENT_LOOK:
        overlay_look(world);
        if (!world->ended)
            look_again(world);
        break;
    }
}

static void end(struct world *world, struct outcome *outcome)
{
    struct event event;
    for (uint32_t i = 0; i < world->plan.devices; i++) {
        device_stop(world->devices[i]);
        outcome->rounds += world->devices[i]->rounds_before;
    }
    while (queue_take(&world->queue, &event)) {
        if (!event.packet)
            continue;
        world->books.under_way -= event.packet->wire_bytes;
        world->books.lost += event.packet->wire_bytes;
        packet_free(event.packet);
    }
    laws_end(world);
    for (uint32_t i = 0; i < world->plan.devices; i++)
        device_free(&world->devices[i]);
    for (uint32_t i = 0; i < world->plan.strangers; i++)
        stranger_free(&world->strangers[i]);
    free(world->queue.events);
    dataset_clear(&world->test);
    free(world->test_rows);
    model_free(&world->model);
    folder_remove(world->dir);
}

static size_t heap_bytes(void)
{
    return mallinfo2().uordblks + mallinfo2().hblkhd;
}

void world_run(uint64_t seed, const char *dir, bool verbose, struct outcome *outcome)
{
    size_t before = heap_bytes();
    struct world *world = calloc(1, sizeof *world);
    if (!world || sodium_init() < 0)
        abort();
    world->verbose = verbose;
    *outcome = (struct outcome){0};
    plan_draw(&world->plan, seed);
    begin(world, dir);
    struct event event;
    while (!world->ended && !world->broken[0] && queue_take(&world->queue, &event))
        happen(world, &event);
    end(world, outcome);
    memcpy(outcome->broken, world->broken, BROKEN_MAX);
    crypto_generichash_final(&world->trace, outcome->trace, TRACE_BYTES);
    outcome->plan = world->plan;
    outcome->connected_periods =
        (double)world->connected_us / (double)world->plan.config.gossip.period_us;
    outcome->accuracy_before = world->accuracy_before;
    outcome->accuracy_after = world->accuracy_after;
    outcome->events = world->events;
    outcome->crashes = world->crashes;
    outcome->heard_bytes = world->books.heard;
    free(world);
    size_t after = heap_bytes();
    outcome->leaked_bytes = after > before ? after - before : 0;
}
