#include "tests/world/net.h"

#include <stdlib.h>
#include <string.h>

#include "tests/world/device.h"
#include "tests/world/stranger.h"

#define CALM_DELAY_US 5000
#define GREETING_DELAY_MOST_US UINT64_C(1000000)

struct port *net_find(struct world *world, const char *endpoint)
{
    uint32_t count = world->plan.devices + world->plan.strangers;
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(world->ports[i].endpoint, endpoint) == 0)
            return &world->ports[i];
    return NULL;
}

struct packet *packet_new(enum packet_kind kind, uint64_t link, struct port *from, struct port *to)
{
    struct packet *packet = calloc(1, sizeof *packet);
    if (!packet)
        abort();
    packet->kind = kind;
    packet->link = link;
    packet->from = from;
    packet->to = to;
    return packet;
}

static uint8_t *copy(const void *bytes, size_t size)
{
    uint8_t *copied = malloc(size ? size : 1);
    if (!copied)
        abort();
    if (size > 0)
        memcpy(copied, bytes, size);
    return copied;
}

void packet_set_frames(struct packet *packet, const void *header, size_t header_size,
                       const void *payload, size_t payload_size)
{
    packet->header = copy(header, header_size);
    packet->header_size = header_size;
    packet->has_payload = payload != NULL;
    if (payload)
        packet->payload = copy(payload, payload_size);
    packet->payload_size = payload ? payload_size : 0;
}

void packet_free(struct packet *packet)
{
    free(packet->header);
    free(packet->payload);
    free(packet);
}

uint64_t net_silent_since(const struct world *world, const struct port *a, const struct port *b)
{
    uint64_t since = a->apart != b->apart ? world->split_us : NEVER;
    if (a->down_since < since)
        since = a->down_since;
    if (b->down_since < since)
        since = b->down_since;
    return since;
}

static void lose(struct world *world, struct packet *packet)
{
    world->books.under_way -= packet->wire_bytes;
    world->books.lost += packet->wire_bytes;
    packet_free(packet);
}

/* A handshake that takes as long as a message may would never come to an end. */
static uint64_t draw_delay(struct world *world, const struct packet *packet)
{
    const struct plan *plan = &world->plan;
    if (world->calm)
        return CALM_DELAY_US;
    double share = random_uniform(&world->net_random);
    uint64_t most_us = plan->delay_most_us;
    if (packet->wire_bytes == 0 && most_us > GREETING_DELAY_MOST_US)
        most_us = GREETING_DELAY_MOST_US;
    return plan->delay_least_us + (uint64_t)(share * (double)(most_us - plan->delay_least_us));
}

static void schedule(struct world *world, struct packet *packet)
{
    uint64_t *last = &world->arrivals[packet->from->number][packet->to->number];
    uint64_t at = world->now_us + draw_delay(world, packet);
    bool overtakes = packet->kind == PACKET_FRAMES && !world->calm &&
                     draw_chance(&world->net_random, world->plan.reordering);
    if (overtakes)
        at += draw_delay(world, packet) * random_below(&world->net_random, 4);
    else if (at <= *last)
        at = *last + 1;
    if (!overtakes)
        *last = at;
    queue_put(&world->queue, (struct event){.at_us = at,
                                            .kind = EVENT_PACKET,
                                            .number = packet->to->number,
                                            .packet = packet});
}

static struct packet *repeat(const struct packet *packet)
{
    struct packet *again = packet_new(packet->kind, packet->link, packet->from, packet->to);
    memcpy(again->curve, packet->curve, KEY_BYTES);
    memcpy(again->wanted, packet->wanted, KEY_BYTES);
    packet_set_frames(again, packet->header, packet->header_size, packet->payload,
                      packet->payload_size);
    again->unsound = packet->unsound;
    again->wire_bytes = packet->wire_bytes;
    return again;
}

void net_send(struct world *world, struct packet *packet)
{
    world->books.under_way += packet->wire_bytes;
    world->books.sent += packet->wire_bytes;
    bool faulty = !world->calm;
    if (!packet->to || packet->from->apart != packet->to->apart ||
        (faulty && draw_chance(&world->net_random, world->plan.loss))) {
        lose(world, packet);
        return;
    }
    if (faulty && packet->kind == PACKET_FRAMES &&
        draw_chance(&world->net_random, world->plan.duplication)) {
        struct packet *again = repeat(packet);
        world->books.under_way += again->wire_bytes;
        world->books.repeated += again->wire_bytes;
        schedule(world, again);
    }
    schedule(world, packet);
}

void net_arrive(struct world *world, struct packet *packet)
{
    struct port *to = packet->to, *from = packet->from;
    if (from->apart != to->apart) {
        lose(world, packet);
    } else if (!to->up) {
        if (packet->kind == PACKET_DIAL && to->down_since == NEVER) /* nobody listens there */
            net_send(world, packet_new(PACKET_DENIED, packet->link, to, from));
        lose(world, packet);
    } else if (to->device) {
        device_take(to->device, packet);
    } else {
        stranger_take(to->stranger, packet);
    }
}
