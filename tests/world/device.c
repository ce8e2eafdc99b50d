#include "tests/world/device.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/authority.h"
#include "node/files.h"
#include "tests/world/data.h"
#include "tests/world/folder.h"
#include "tests/world/laws.h"
#include "tests/world/stand.h"

#define SEEDS 2
#define HURRIED_MOST 1000 /* turns on end, a microsecond apart */
#define MEMBER_BEFORE_S 86400
#define MEMBER_AFTER_S INT64_C(8640000)

int64_t world_wall(const struct world *world)
{
    return WORLD_EPOCH + (int64_t)(world->now_us / 1000000);
}

uint64_t device_clock(const struct device *device, uint64_t world_us)
{
    return device->boot_us + world_us;
}

int64_t device_wall(const struct device *device)
{
    if (device->unset_clock)
        return (int64_t)(device->world->now_us / 1000000); /* since 1970 */
    return world_wall(device->world) + device->wall_off_s;
}

bool device_is_here(const struct device *device)
{
    return device->node != NULL;
}

static void write_certificate(struct device *device, int64_t not_before, int64_t not_after,
                              const char *name)
{
    struct world *world = device->world;
    struct truth *truth = &world->truths[device->number];
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    struct membership membership = {.serial = ++world->serials,
                                    .roles = ROLE_MEMBER,
                                    .not_before = not_before,
                                    .not_after = not_after};
    char path[PATH_MAX];
    memcpy(membership.swarm, world->swarm, KEY_BYTES);
    memcpy(membership.identity, device->keys.identity, KEY_BYTES);
    memcpy(membership.curve, device->keys.curve, KEY_BYTES);
    truth->not_before = not_before;
    truth->not_after = not_after;
    size_t size = membership_sign(&membership, world->authority, bytes);
    if (size == 0 || file_path(path, sizeof path, device->dir, name, NULL) ||
        certificate_write(path, bytes, size, NULL))
        abort();
}

static void make_folder(struct device *device)
{
    struct world *world = device->world;
    struct truth *truth = &world->truths[device->number];
    char path[PATH_MAX];
    struct identity *identity = identity_new(NULL);
    if (mkdir(device->dir, 0700) || !identity || identity_save(identity, device->dir, NULL) ||
        file_path(path, sizeof path, device->dir, "swarm.pub", NULL) ||
        swarm_write(path, world->swarm, NULL))
        abort();
    device->keys = identity->keys;
    identity_free(&identity);
    *truth = (struct truth){.member = true, .honest = true};
    memcpy(truth->identity, device->keys.identity, KEY_BYTES);
    memcpy(truth->curve, device->keys.curve, KEY_BYTES);
    bool ends = world->plan.expiry_us != NEVER && device->number == 1;
    write_certificate(device, WORLD_EPOCH - MEMBER_BEFORE_S,
                      ends ? WORLD_EPOCH + (int64_t)(world->plan.expiry_us / 1000000)
                           : WORLD_EPOCH + MEMBER_AFTER_S,
                      "membership.cert");
    data_write(&world->plan, device->number, device->dir);
}

/* The first two devices are everybody's seeds, and never move. */
static void choose_seeds(struct device *device)
{
    const struct world *world = device->world;
    char *text = device->config.node.seeds;
    size_t used = 0;
    for (uint32_t i = 0; i < SEEDS; i++) {
        char key[KEY_HEX_SIZE];
        key_hex(world->devices[i]->keys.identity, key);
        if (i == device->number)
            continue;
        int length = snprintf(text + used, CONFIG_SEEDS_MAX - used, "%s%s@%s", used ? " " : "", key,
                              world->ports[i].endpoint);
        used += (size_t)length;
    }
}

struct device *device_new(struct world *world, uint32_t number)
{
    const struct plan *plan = &world->plan;
    struct device *device = calloc(1, sizeof *device);
    if (!device)
        abort();
    *device = (struct device){.world = world,
                              .number = number,
                              .port = &world->ports[number],
                              .wake_us = NEVER,
                              .config = plan->config,
                              .boot_us = 1000000 + random_below(&world->device_random, 1u << 30),
                              .slowness = draw_between(&world->device_random, .01, .3),
                              .disk_us = 1000};
    if (plan->faults[FAULT_SLOW_PASS] && draw_chance(&world->device_random, .3))
        device->slowness = draw_between(&world->device_random, .5, 2.5);
    if (plan->faults[FAULT_SLOW_DISK] && draw_chance(&world->device_random, .4))
        device->disk_us = (uint64_t)((double)plan->config.gossip.period_us *
                                     draw_between(&world->device_random, .05, 1.5));
    device->log = (struct log){.program = "device", .fd = 2, .level = LOG_ERROR};
    if (world->verbose)
        device->log.level = LOG_INFO;
    else
        device->log.fd = -1;
    if (snprintf(device->dir, sizeof device->dir, "%s/device-%u", world->dir, number) >= PATH_MAX)
        abort();
    snprintf(device->port->endpoint, ENDPOINT_MAX, "tcp://10.0.0.%u:7000", number);
    device->port->device = device;
    device->port->down_since = NEVER;
    device->port->number = number;
    world->devices[number] = device;
    make_folder(device);
    if (snprintf(device->config.task.data, CONFIG_TEXT_MAX,
                 "csv:%s/examples.csv?classes=%zu&test=none", device->dir,
                 plan->classes) >= CONFIG_TEXT_MAX)
        abort();
    return device;
}

void device_free(struct device **device)
{
    free(*device);
    *device = NULL;
}

static void put_wake(struct device *device, uint64_t at_us)
{
    if (at_us >= device->wake_us && device->wake_us != NEVER)
        return;
    device->wake_us = at_us;
    queue_put(&device->world->queue,
              (struct event){
                  .at_us = at_us, .kind = EVENT_WAKE, .number = device->number, .packet = NULL});
}

/* In the world's time; a deadline that is over is due at once. */
static uint64_t next_wake(const struct device *device)
{
    uint64_t due = node_deadline(device->node), now_us = device->world->now_us;
    uint64_t at = due == NEVER ? NEVER : due <= device->boot_us ? 0 : due - device->boot_us;
    uint64_t trained = stand_trainer_due(device->trainer);
    if (trained < at)
        at = trained;
    return at > now_us ? at : now_us + 1;
}

void device_work(struct device *device)
{
    struct world *world = device->world;
    stand_device = device;
    node_turn(device->node);
    if (node_deadline(device->node) <= device->node->now.monotonic_us)
        node_turn(device->node); /* what the first has caused; a reactor would not wait either */
    laws_check(device);
    uint64_t at = next_wake(device);
    device->hurried = at == world->now_us + 1 ? device->hurried + 1 : 0;
    if (device->hurried > HURRIED_MOST)
        broken(world, "device %u is due all the time", device->number);
    stand_device = NULL;
    device->wake_us = NEVER;
    if (!world->broken[0] && at != NEVER)
        put_wake(device, at);
}

void device_wake(struct device *device, uint64_t put_for_us)
{
    if (!device->node || device->wake_us != put_for_us)
        return; /* it was put for a time that counts no more */
    device_work(device);
}

void device_take(struct device *device, struct packet *packet)
{
    stand_transport_take(device->transport, packet);
    device_work(device);
}

void device_boot(struct device *device)
{
    struct world *world = device->world;
    struct problem problem = {0};
    if (device->node || device->dead)
        return;
    if (device->lives == 0)
        choose_seeds(device);
    if (device->lives > 0 && device->number >= SEEDS && world->plan.faults[FAULT_MOVE] &&
        draw_chance(&world->device_random, .3))
        snprintf(device->port->endpoint, ENDPOINT_MAX, "tcp://10.0.0.%u:%u", device->number,
                 7000 + device->lives);
    folder_damage(device);
    device->lives++;
    device->expected_in = device->expected_out = 0;
    device->seen = (struct seen){0};
    const struct node_options options = {
        .dir = device->dir, .config = &device->config, .signals = -1, .log = &device->log};
    stand_device = device;
    device->log.program = device->port->endpoint + 6;
    memset(device->log.limits, 0, sizeof device->log.limits);
    enum node_outcome outcome = node_open(&options, &device->node, &problem);
    if (outcome != NODE_ENDED) {
        stand_device = NULL;
        broken(world, "device %u does not start: %s", device->number, problem.text);
        return;
    }
    laws_started(device);
    stand_device = NULL;
    note(world, "device %u starts its life %u at age %.3f", device->number, device->lives,
         device->node->participant.gossip.age);
    device_work(device);
}

static void count_life(struct device *device)
{
    device->rounds_before += device->seen.round;
    device->wake_us = NEVER;
}

void device_crash(struct device *device, bool power_cut)
{
    struct world *world = device->world;
    bool saved;
    if (!device->node)
        return;
    note(world, "device %u crashes%s", device->number, power_cut ? ", without a word" : "");
    world->crashes++;
    stand_device = device;
    laws_ended(device);
    if (power_cut) {
        stand_transport_silence(device->transport);
        device->port->down_since = world->now_us;
    }
    folder_keep(device);
    stand_trainer_abandon(&device->node->trainer);
    node_close(&device->node, &saved); /* no trainer, so nothing is saved */
    folder_bring_back(device);
    stand_device = NULL;
    count_life(device);
}

void device_stop(struct device *device)
{
    bool saved = true;
    if (!device->node)
        return;
    stand_device = device;
    laws_ended(device);
    stand_trainer_hurry(device->trainer);
    bool closed = node_close(&device->node, &saved);
    stand_device = NULL;
    count_life(device);
    if (!closed || !saved)
        broken(device->world, "device %u ends without having saved", device->number);
}

void device_set_clock(struct device *device, int64_t off_s)
{
    device->unset_clock = false;
    device->wall_off_s = off_s;
    device->jumped_us = device->world->now_us;
}

void device_sleep(struct device *device, uint64_t us)
{
    device->boot_us += us;
    if (device->node)
        device_work(device);
}

void device_renew(struct device *device)
{
    char path[PATH_MAX];
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    struct problem problem = {0};
    int64_t now = world_wall(device->world);
    write_certificate(device, WORLD_EPOCH - MEMBER_BEFORE_S, now + MEMBER_AFTER_S,
                      device->node ? "renewed.cert" : "membership.cert");
    if (!device->node)
        return;
    if (file_path(path, sizeof path, device->dir, "renewed.cert", NULL) ||
        certificate_read(path, bytes, &size, NULL))
        abort();
    stand_device = device;
    device->node->now = wall_clock_now(&device->node->clock);
    if (membership_accept(device->node, bytes, size, &problem))
        broken(device->world, "device %u refuses its new certificate: %s", device->number,
               problem.text);
    stand_device = NULL;
    device_work(device);
}

uint64_t device_job_us(struct device *device, const struct job *job)
{
    double jitter = draw_between(&device->world->device_random, .7, 1.3);
    double us = device->node && job == &device->node->work.job
                    ? device->slowness * (double)device->config.gossip.period_us
                    : (double)(device->world->calm ? 1000 : device->disk_us);
    return (uint64_t)(us * jitter);
}
