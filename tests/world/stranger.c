#include "tests/world/stranger.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/device.h"
#include "tests/world/net.h"

#define STRANGER_LINES DEVICES_MAX

/* What an outsider claims; an insider has all that it takes. */
enum claim {
    CLAIM_GOOD,
    CLAIM_NOTHING,      /* no membership at all */
    CLAIM_SELF_SIGNED,  /* this swarm's name over its own signature */
    CLAIM_OTHER_SWARM,  /* a membership of another swarm, in a HELLO that says this one */
    CLAIM_EXPIRED,      /* signed by the authority, and over */
    CLAIM_NOT_YET,      /* or not begun */
    CLAIM_STOLEN,       /* a device's, over a connection of its own key */
    CLAIM_OTHER_KEY,    /* its own, over a connection of another key */
    CLAIM_NO_ROLE,      /* a membership that makes nobody a member */
    CLAIM_OTHER_SIGNER, /* a good membership with a descriptor that somebody else signed */
    CLAIM_GARBAGE,      /* bytes */
    CLAIM_SILENT,       /* messages without a HELLO */
    CLAIMS
};

struct stranger_line {
    uint64_t link;
    struct port *port;
    bool admitted, verified;
};

struct stranger {
    struct world *world;
    struct port *port;
    uint32_t number;
    enum claim claim;
    bool gone;
    uint8_t identity[KEY_BYTES], secret[SECRET_KEY_BYTES], curve[KEY_BYTES];
    uint8_t membership[MEMBERSHIP_BYTES_MAX], descriptor[DESCRIPTOR_BYTES_MAX];
    uint8_t card[CARD_BYTES_MAX];
    size_t membership_size, descriptor_size, card_size;
    struct stranger_line lines[STRANGER_LINES];
    struct packet *heard; /* of a device, to be told again */
};

static void sign_membership(struct stranger *stranger)
{
    struct world *world = stranger->world;
    uint8_t other[KEY_BYTES], other_secret[SECRET_KEY_BYTES];
    struct membership membership = {.serial = ++world->serials,
                                    .roles = ROLE_MEMBER,
                                    .not_before = WORLD_EPOCH - 86400,
                                    .not_after = WORLD_EPOCH + 8640000};
    crypto_sign_keypair(other, other_secret);
    memcpy(membership.swarm, world->swarm, KEY_BYTES);
    memcpy(membership.identity, stranger->identity, KEY_BYTES);
    memcpy(membership.curve, stranger->curve, KEY_BYTES);
    const uint8_t *secret = world->authority;
    if (stranger->claim == CLAIM_SELF_SIGNED || stranger->claim == CLAIM_OTHER_SWARM ||
        stranger->claim == CLAIM_GARBAGE)
        secret = other_secret;
    if (stranger->claim == CLAIM_OTHER_SWARM)
        memcpy(membership.swarm, other, KEY_BYTES);
    if (stranger->claim == CLAIM_EXPIRED)
        membership.not_after = WORLD_EPOCH - 3600;
    if (stranger->claim == CLAIM_NOT_YET)
        membership.not_before = membership.not_after - 3600;
    if (stranger->claim == CLAIM_NO_ROLE)
        membership.roles = ROLE_PUBLISHER;
    if (stranger->claim == CLAIM_OTHER_KEY)
        memcpy(membership.curve, other, KEY_BYTES);
    stranger->membership_size = membership_sign(&membership, secret, stranger->membership);
    struct truth *truth = &world->truths[stranger->port->number];
    bool dated = stranger->claim == CLAIM_EXPIRED || stranger->claim == CLAIM_NOT_YET;
    *truth = (struct truth){.member = stranger->claim == CLAIM_GOOD || dated,
                            .not_before = membership.not_before,
                            .not_after = membership.not_after};
    memcpy(truth->identity, stranger->identity, KEY_BYTES);
    memcpy(truth->curve, stranger->curve, KEY_BYTES);
}

static void sign_descriptor(struct stranger *stranger)
{
    struct world *world = stranger->world;
    struct descriptor descriptor = {.sequence = 1 + random_below(&world->stranger_random, 1000),
                                    .time = world_wall(world)};
    uint8_t other[KEY_BYTES], other_secret[SECRET_KEY_BYTES];
    crypto_sign_keypair(other, other_secret);
    bool others = stranger->claim == CLAIM_OTHER_SIGNER;
    memcpy(descriptor.identity, others ? other : stranger->identity, KEY_BYTES);
    if (draw_chance(&world->stranger_random, .7))
        snprintf(descriptor.endpoint, ENDPOINT_MAX, "%s", stranger->port->endpoint);
    stranger->descriptor_size = descriptor_sign(
        &descriptor, others ? other_secret : stranger->secret, stranger->descriptor);
    struct card parts[2] = {{stranger->membership, stranger->membership_size},
                            {stranger->descriptor, stranger->descriptor_size}};
    stranger->card_size = card_encode(&parts[0], &parts[1], stranger->card);
}

struct stranger *stranger_new(struct world *world, uint32_t number)
{
    struct stranger *stranger = calloc(1, sizeof *stranger);
    if (!stranger)
        abort();
    stranger->world = world;
    stranger->number = number;
    stranger->port = &world->ports[world->plan.devices + number];
    *stranger->port = (struct port){.stranger = stranger,
                                    .number = world->plan.devices + number,
                                    .up = true,
                                    .down_since = NEVER};
    snprintf(stranger->port->endpoint, ENDPOINT_MAX, "tcp://10.0.1.%u:7000", number);
    const bool *faults = world->plan.faults;
    bool insider = faults[FAULT_INSIDER] &&
                   (!faults[FAULT_OUTSIDER] || draw_chance(&world->stranger_random, .4));
    stranger->claim =
        insider ? CLAIM_GOOD : (enum claim)(1 + random_below(&world->stranger_random, CLAIMS - 1));
    crypto_sign_keypair(stranger->identity, stranger->secret);
    if (crypto_sign_ed25519_pk_to_curve25519(stranger->curve, stranger->identity))
        abort();
    sign_membership(stranger);
    sign_descriptor(stranger);
    return stranger;
}

void stranger_free(struct stranger **stranger)
{
    if ((*stranger)->heard)
        packet_free((*stranger)->heard);
    free(*stranger);
    *stranger = NULL;
}

static void send_packet(struct stranger *stranger, enum packet_kind kind,
                        const struct stranger_line *line)
{
    struct packet *packet = packet_new(kind, line->link, stranger->port, line->port);
    memcpy(packet->curve, stranger->curve, KEY_BYTES);
    if (line->port->device)
        memcpy(packet->wanted, line->port->device->keys.curve, KEY_BYTES);
    net_send(stranger->world, packet);
}

static void send_frames(struct stranger *stranger, const struct stranger_line *line,
                        const struct harm *harm)
{
    for (uint32_t i = 0; i < harm->times; i++) {
        struct packet *packet = packet_new(PACKET_FRAMES, line->link, stranger->port, line->port);
        packet_set_frames(packet, harm->header, harm->header_size,
                          harm->has_payload ? harm->payload : NULL, harm->payload_size);
        packet->unsound = harm->unsound;
        net_send(stranger->world, packet);
    }
}

/* The task as an insider knows it. */
static const uint8_t *task_of(const struct world *world)
{
    static const uint8_t unknown[TASK_ID_BYTES];
    for (uint32_t i = 0; i < world->plan.devices; i++)
        if (world->devices[i]->node)
            return world->devices[i]->node->settings.gossip.task;
    return unknown;
}

static void say_hello(struct stranger *stranger, const struct stranger_line *line, bool reply)
{
    struct world *world = stranger->world;
    uint8_t bytes[HELLO_BYTES_MAX];
    struct hello hello = {.version_least = PROTOCOL_VERSION,
                          .version_most = PROTOCOL_VERSION,
                          .membership = {stranger->membership, stranger->membership_size},
                          .descriptor = {stranger->descriptor, stranger->descriptor_size},
                          .task_count = 1,
                          .time = world_wall(world),
                          .reply = reply};
    memcpy(hello.swarm, world->swarm, KEY_BYTES);
    memcpy(hello.tasks[0], task_of(world), TASK_ID_BYTES);
    const struct node *victim = world->devices[0]->node;
    if (stranger->claim == CLAIM_NOTHING || stranger->claim == CLAIM_STOLEN)
        hello.membership.size = 0;
    if (stranger->claim == CLAIM_STOLEN && victim) {
        hello.membership = (struct card){victim->certificate, victim->certificate_size};
        hello.descriptor = (struct card){victim->descriptor, victim->descriptor_size};
    }
    struct harm frames = {.header = bytes, .header_size = hello_encode(&hello, bytes), .times = 1};
    if (stranger->claim == CLAIM_GARBAGE)
        for (uint32_t i = 0; i < 3; i++)
            bytes[random_below(&world->stranger_random, (uint32_t)frames.header_size)] ^=
                (uint8_t)(1 + random_below(&world->stranger_random, 255));
    if (frames.header_size > 0)
        send_frames(stranger, line, &frames);
}

static void do_harm(struct stranger *stranger, const struct stranger_line *line)
{
    const struct card card = {stranger->card, stranger->card_size};
    struct harm harm = harm_draw(stranger->world, task_of(stranger->world), &card, stranger->heard);
    send_frames(stranger, line, &harm);
    free(harm.header);
    free(harm.payload);
}

void stranger_act(struct stranger *stranger)
{
    struct world *world = stranger->world;
    struct random *random = &world->stranger_random;
    if (stranger->gone)
        return;
    uint32_t target = random_below(random, world->plan.devices);
    struct stranger_line *line = &stranger->lines[target];
    if (!line->port) {
        *line = (struct stranger_line){.link = ++world->links, .port = &world->ports[target]};
        send_packet(stranger, PACKET_DIAL, line);
    } else if (line->admitted && (line->verified || stranger->claim != CLAIM_GOOD)) {
        do_harm(stranger, line);
    } else if (draw_chance(random, .2)) {
        line->port = NULL; /* tries again some other time */
    }
    uint64_t wait_us =
        (uint64_t)((double)world->plan.config.gossip.period_us * draw_between(random, .05, 1));
    queue_put(&world->queue, (struct event){.at_us = world->now_us + wait_us,
                                            .kind = EVENT_STRANGER,
                                            .number = stranger->number});
}

static void take_frames(struct stranger *stranger, struct stranger_line *line,
                        struct packet *packet)
{
    struct hello hello;
    if (!packet->has_payload &&
        hello_decode(packet->header, packet->header_size, &hello) == REFUSED_NOT) {
        if (!hello.reply)
            say_hello(stranger, line, true);
        line->verified = true;
        packet_free(packet);
        return;
    }
    if (stranger->heard)
        packet_free(stranger->heard);
    stranger->heard = packet;
}

void stranger_take(struct stranger *stranger, struct packet *packet)
{
    struct world *world = stranger->world;
    struct stranger_line *line =
        packet->from->device ? &stranger->lines[packet->from->number] : NULL;
    world->books.under_way -= packet->wire_bytes;
    world->books.unheard += packet->wire_bytes;
    bool known = line && line->port && line->link == packet->link;
    if (packet->kind == PACKET_DIAL && line) {
        struct stranger_line new = {
            .link = packet->link, .port = packet->from, .admitted = !stranger->gone};
        bool welcome = !stranger->gone && stranger->claim == CLAIM_GOOD;
        send_packet(stranger, welcome ? PACKET_ADMITTED : PACKET_DENIED, &new);
        if (welcome)
            *line = new;
    } else if (known && packet->kind == PACKET_ADMITTED) {
        line->admitted = true;
        if (stranger->claim != CLAIM_SILENT)
            say_hello(stranger, line, false);
    } else if (known && packet->kind == PACKET_FRAMES) {
        take_frames(stranger, line, packet);
        return;
    } else if (known) {
        line->port = NULL;
    }
    packet_free(packet);
}

void stranger_leave(struct stranger *stranger)
{
    for (size_t i = 0; i < STRANGER_LINES; i++)
        if (stranger->lines[i].port)
            send_packet(stranger, PACKET_HANGUP, &stranger->lines[i]);
    stranger->gone = true;
    stranger->port->up = false;
}
