/* A device's transport without sockets: connections over the world's network.
 *
 * It keeps the rules that node/transport*.c keeps, and no others: HELLO first and mutual, what is
 * refused or cut is denied for a while, dialling again takes ever longer, two messages wait for a
 * connection, rates, patience, idle connections, heartbeats. It judges nothing by itself: its owner
 * (node_greet, node_judge, node_up, node_receive …) is the daemon's own code.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/world/device.h"
#include "tests/world/laws.h"
#include "tests/world/stand.h"
#include "tests/world/stand_inside.h"

#define HELLO_PER_S 2.0
#define HELLO_BURST 10.0
#define HEARTBEAT_US UINT64_C(40000000) /* HEARTBEAT_MS and HEARTBEAT_TIMEOUT_MS together */

struct transport *transport_open(const struct transport_settings *settings,
                                 const struct transport_owner *owner, struct problem *problem)
{
    (void)problem;
    struct transport *transport = calloc(1, sizeof *transport);
    if (!transport)
        abort();
    transport->settings = *settings;
    transport->owner = *owner;
    transport->device = stand_device;
    transport->last = &transport->arrived;
    stand_device->transport = transport;
    stand_device->port->up = true;
    stand_device->port->down_since = NEVER;
    return transport;
}

static void send_plain(struct transport *transport, struct line *line, enum packet_kind kind)
{
    if (!line->other || transport->silent)
        return;
    struct packet *packet = packet_new(kind, line->link, transport->device->port, line->other);
    memcpy(packet->curve, transport->settings.identity->keys.curve, KEY_BYTES);
    memcpy(packet->wanted, line->curve, KEY_BYTES);
    net_send(transport->device->world, packet);
}

static struct line *verified_line(const struct transport *transport, peer_id peer,
                                  const struct line *except)
{
    struct line *found = NULL;
    for (size_t i = 0; i < transport->count; i++) {
        struct line *line = transport->lines[i];
        if (line != except && line->state == LINE_VERIFIED && line->peer == peer &&
            (!found || line->dialled))
            found = line;
    }
    return found;
}

static void line_end(struct transport *transport, struct line *line)
{
    bool verified = line->state == LINE_VERIFIED;
    if (line->state == LINE_GONE)
        return;
    line->state = LINE_GONE;
    send_plain(transport, line, PACKET_HANGUP);
    if (verified && !verified_line(transport, line->peer, NULL))
        transport->owner.down(transport->owner.self, line->peer);
}

static void line_free(struct line *line)
{
    for (size_t i = 0; i < line->outbox_count; i++)
        parcel_clear(&line->outbox[i]);
    free(line);
}

void transport_close(struct transport **transport)
{
    struct transport *ours = *transport;
    *transport = NULL;
    if (!ours)
        return;
    for (size_t i = 0; i < ours->count; i++) {
        if (ours->lines[i]->state != LINE_GONE)
            send_plain(ours, ours->lines[i], PACKET_HANGUP);
        line_free(ours->lines[i]);
    }
    for (struct packet *packet; (packet = ours->arrived);) {
        ours->arrived = packet->next;
        laws_unheard(ours->device, packet);
        packet_free(packet);
    }
    ours->device->port->up = false;
    ours->device->transport = NULL;
    free(ours);
}

const char *transport_endpoint(const struct transport *transport)
{
    return transport->device->port->endpoint;
}

void transport_set_open(struct transport *transport, bool open, uint64_t now_us)
{
    transport->now_us = now_us;
    if (transport->open != open)
        for (size_t i = 0; i < transport->count; i++)
            line_end(transport, transport->lines[i]);
    transport->open = open;
}

void transport_forget_failures(struct transport *transport)
{
    for (size_t i = 0; i < transport->note_count; i++) {
        transport->notes[i].failures = 0;
        transport->notes[i].failed_until_us = 0;
    }
}

static struct line *line_new(struct transport *transport, bool dialled, uint64_t link,
                             struct port *other, const uint8_t curve[KEY_BYTES])
{
    struct line *line = calloc(1, sizeof *line);
    if (!line || transport->count == LINES_MAX)
        abort();
    *line = (struct line){.dialled = dialled,
                          .link = link,
                          .other = other,
                          .peer = PEER_NONE,
                          .since_us = transport->now_us,
                          .used_us = transport->now_us};
    memcpy(line->curve, curve, KEY_BYTES);
    transport->lines[transport->count++] = line;
    return line;
}

static struct line *dialled_line(const struct transport *transport, const uint8_t curve[KEY_BYTES])
{
    for (size_t i = 0; i < transport->count; i++) {
        struct line *line = transport->lines[i];
        if (line->dialled && line->state != LINE_GONE && memcmp(line->curve, curve, KEY_BYTES) == 0)
            return line;
    }
    return NULL;
}

bool transport_dialling(const struct transport *transport, const uint8_t curve[KEY_BYTES])
{
    const struct line *line = dialled_line(transport, curve);
    return line && line->state != LINE_VERIFIED;
}

static void dial_failed(struct transport *transport, struct line *line)
{
    line_end(transport, line);
    struct key_note *key = note_of(transport, line->curve);
    uint32_t failures = ++key->failures;
    key->failed_until_us = transport->now_us + retry_after(failures);
    transport->owner.unreachable(transport->owner.self, line->curve, failures);
}

static struct line *dial(struct transport *transport, const uint8_t curve[KEY_BYTES],
                         const char *endpoint)
{
    struct line *line = dialled_line(transport, curve);
    if (line)
        return line;
    const struct key_note *key = note_of(transport, curve);
    if (key->failed_until_us > transport->now_us || key->refused_until_us > transport->now_us ||
        endpoint[0] == '\0' || !endpoint_valid(endpoint) ||
        memcmp(curve, transport->settings.identity->keys.curve, KEY_BYTES) == 0)
        return NULL;
    struct world *world = transport->device->world;
    line = line_new(transport, true, ++world->links, net_find(world, endpoint), curve);
    send_plain(transport, line, PACKET_DIAL);
    return line;
}

bool transport_dial(struct transport *transport, const uint8_t curve[KEY_BYTES],
                    const char *endpoint, uint64_t now_us)
{
    transport->now_us = now_us;
    return dial(transport, curve, endpoint) != NULL;
}

/* The frames are used up either way. */
static bool line_send(struct transport *transport, struct line *line, struct parcel *parcel)
{
    if (line->state == LINE_GONE) {
        parcel_clear(parcel);
        return false;
    }
    struct packet *packet =
        packet_new(PACKET_FRAMES, line->link, transport->device->port, line->other);
    packet_set_frames(packet, zmq_msg_data(&parcel->header), zmq_msg_size(&parcel->header),
                      parcel->has_payload ? zmq_msg_data(&parcel->payload) : NULL,
                      zmq_msg_size(&parcel->payload));
    packet->wire_bytes = parcel->wire_bytes;
    line->used_us = transport->now_us;
    if (parcel->wire_bytes > 0) {
        transport->owner.sent(transport->owner.self, line->peer, parcel->wire_bytes, parcel->mark);
        laws_sent(transport->device, packet);
    }
    parcel_clear(parcel);
    net_send(transport->device->world, packet);
    return true;
}

bool transport_send(struct transport *transport, peer_id peer, const uint8_t curve[KEY_BYTES],
                    const char *endpoint, struct parcel *parcel, uint64_t now_us)
{
    transport->now_us = now_us;
    struct line *line = verified_line(transport, peer, NULL);
    if (line)
        return line_send(transport, line, parcel);
    line = dial(transport, curve, endpoint);
    if (!line || line->state == LINE_VERIFIED) {
        parcel_clear(parcel);
        return false;
    }
    if (line->outbox_count == TRANSPORT_OUTBOX_MAX) {
        parcel_clear(&line->outbox[0]);
        memmove(&line->outbox[0], &line->outbox[1],
                (--line->outbox_count) * sizeof line->outbox[0]);
    }
    line->outbox[line->outbox_count++] = *parcel;
    return true;
}

static void refuse(struct transport *transport, struct line *line, enum refusal reason)
{
    remember_refused(transport, line->curve, reason);
    transport->owner.refused(transport->owner.self, reason,
                             line->state == LINE_VERIFIED ? line->peer : PEER_NONE, "");
    line_end(transport, line);
}

static void say_hello(struct transport *transport, struct line *line, bool reply)
{
    uint8_t bytes[HELLO_BYTES_MAX];
    struct parcel parcel;
    size_t size = transport->owner.greet(transport->owner.self, reply, bytes);
    laws_greets(transport->device);
    if (size > 0 && parcel_init(&parcel, bytes, size))
        line_send(transport, line, &parcel);
    else if (reply)
        line_end(transport, line);
    else
        dial_failed(transport, line);
}

static void line_verified(struct transport *transport, struct line *line, peer_id peer)
{
    uint64_t round_trip_us = line->dialled ? transport->now_us - line->since_us : 0;
    line->state = LINE_VERIFIED;
    line->peer = peer;
    line->since_us = line->used_us = transport->now_us;
    for (size_t i = 0; i < transport->count; i++) {
        struct line *other = transport->lines[i];
        if (other != line && other->state == LINE_VERIFIED && other->dialled == line->dialled &&
            memcmp(other->curve, line->curve, KEY_BYTES) == 0)
            line_end(transport, other);
    }
    struct key_note *key = note_of(transport, line->curve);
    key->failures = 0;
    key->failed_until_us = 0;
    if (!line->dialled)
        say_hello(transport, line, true);
    if (line->state != LINE_VERIFIED)
        return;
    transport->owner.up(transport->owner.self, peer, round_trip_us);
    for (size_t i = 0; i < line->outbox_count; i++)
        line_send(transport, line, &line->outbox[i]);
    line->outbox_count = 0;
}

static void hear_hello(struct transport *transport, struct line *line, const struct packet *packet)
{
    enum refusal refusal = REFUSED_NOT;
    peer_id peer = PEER_NONE;
    if (!bucket_take(&note_of(transport, line->curve)->hellos, HELLO_PER_S, HELLO_BURST,
                     transport->now_us)) {
        refusal = REFUSED_RATE;
    } else if (packet->has_payload || packet->header_size > HELLO_BYTES_MAX) {
        refusal = REFUSED_MALFORMED;
    } else {
        refusal = transport->owner.judge(transport->owner.self, line->curve, packet->header,
                                         packet->header_size, &peer);
        laws_judged(transport->device, line->curve, packet, refusal, peer);
    }
    if (refusal != REFUSED_NOT)
        refuse(transport, line, refusal);
    else if (line->state != LINE_VERIFIED)
        line_verified(transport, line, peer);
}

static void hear(struct transport *transport, struct line *line, const struct packet *packet)
{
    double per_s = transport->settings.messages_per_s;
    line->used_us = transport->now_us;
    if (!bucket_take(&line->messages, per_s, 2 * per_s, transport->now_us)) {
        transport->owner.refused(transport->owner.self, REFUSED_RATE, line->peer, "");
    } else if (!packet->has_payload && hello_is(packet->header, packet->header_size)) {
        hear_hello(transport, line, packet);
    } else {
        struct parcel parcel;
        parcel_init(&parcel, packet->header, packet->header_size);
        if (packet->has_payload) {
            zmq_msg_close(&parcel.payload);
            zmq_msg_init_size(&parcel.payload, packet->payload_size);
            if (packet->payload_size > 0)
                memcpy(zmq_msg_data(&parcel.payload), packet->payload, packet->payload_size);
            parcel.has_payload = true;
        }
        struct hearing hearing = laws_before(transport->device);
        transport->owner.receive(transport->owner.self, line->peer, &parcel);
        laws_after(transport->device, line->curve, packet, &hearing);
        parcel_clear(&parcel);
    }
}

/* The HELLO before this message was lost. A connection loses nothing out of its middle: it breaks.
 */
static void lose_line(struct transport *transport, struct line *line)
{
    if (line->dialled)
        dial_failed(transport, line);
    else
        line_end(transport, line);
}

static void take_frames(struct transport *transport, struct line *line, const struct packet *packet)
{
    bool too_large = packet->header_size > transport->settings.frame_max ||
                     packet->payload_size > transport->settings.frame_max;
    if (too_large) /* libzmq ends such a connection by itself */
        line_end(transport, line);
    else if (packet->unsound)
        refuse(transport, line, REFUSED_MALFORMED);
    else if (line->state == LINE_VERIFIED)
        hear(transport, line, packet);
    else if (line->state != LINE_GREETING)
        return;
    else if (packet->from->device && !hello_is(packet->header, packet->header_size))
        lose_line(transport, line);
    else
        hear_hello(transport, line, packet);
}

/* Somebody dials: its key is admitted unless it was refused lately. */
static void answer_dial(struct transport *transport, const struct packet *packet)
{
    const struct key_note *key = note_of(transport, packet->curve);
    bool refused = key->refused_until_us > transport->now_us;
    struct line ghost = {.link = packet->link, .other = packet->from};
    if (refused && transport->open)
        transport->owner.refused(transport->owner.self, key->reason, PEER_NONE, "");
    if (!transport->open || refused ||
        memcmp(packet->wanted, transport->settings.identity->keys.curve, KEY_BYTES) != 0) {
        send_plain(transport, &ghost, PACKET_DENIED);
        return;
    }
    struct line *line = line_new(transport, false, packet->link, packet->from, packet->curve);
    line->state = LINE_GREETING;
    send_plain(transport, line, PACKET_ADMITTED);
}

static void take_packet(struct transport *transport, const struct packet *packet)
{
    struct line *line = NULL;
    for (size_t i = 0; i < transport->count && !line; i++)
        if (transport->lines[i]->link == packet->link && transport->lines[i]->state != LINE_GONE)
            line = transport->lines[i];
    if (packet->kind == PACKET_DIAL) {
        answer_dial(transport, packet);
    } else if (!line) { /* of a connection that is no more */
        struct line ghost = {.link = packet->link, .other = packet->from};
        if (packet->kind != PACKET_HANGUP && packet->kind != PACKET_DENIED)
            send_plain(transport, &ghost, PACKET_HANGUP);
    } else if (packet->kind == PACKET_ADMITTED) {
        line->state = LINE_GREETING;
        line->since_us = transport->now_us;
        say_hello(transport, line, false);
    } else if (packet->kind == PACKET_FRAMES) {
        take_frames(transport, line, packet);
    } else if (line->dialled && line->state != LINE_VERIFIED) {
        dial_failed(transport, line);
    } else {
        line_end(transport, line);
    }
}

/* When something happens to a line if nothing comes. */
static uint64_t line_deadline(const struct transport *transport, const struct line *line)
{
    const struct device *device = transport->device;
    if (line->state != LINE_VERIFIED)
        return line->since_us + TRANSPORT_PATIENCE_US + 1;
    uint64_t deadline = line->dialled ? line->used_us + transport->settings.idle_us + 1 : NEVER;
    uint64_t silent = net_silent_since(device->world, device->port, line->other);
    if (silent != NEVER && device_clock(device, silent) + HEARTBEAT_US < deadline)
        deadline = device_clock(device, silent) + HEARTBEAT_US;
    return deadline;
}

uint64_t transport_deadline(const struct transport *transport)
{
    uint64_t deadline = NEVER;
    for (size_t i = 0; i < transport->count; i++) {
        uint64_t its = line_deadline(transport, transport->lines[i]);
        if (transport->lines[i]->state != LINE_GONE && its < deadline)
            deadline = its;
    }
    return deadline;
}

static void check_patience(struct transport *transport)
{
    for (size_t i = 0; i < transport->count; i++) {
        struct line *line = transport->lines[i];
        if (line->state == LINE_GONE || transport->now_us < line_deadline(transport, line))
            continue;
        if (line->state == LINE_VERIFIED)
            line_end(transport, line);
        else if (line->dialled)
            dial_failed(transport, line);
        else
            refuse(transport, line, REFUSED_NO_MEMBERSHIP);
    }
}

void transport_work(struct transport *transport, uint64_t now_us)
{
    transport->now_us = now_us;
    for (struct packet *packet; (packet = transport->arrived);) {
        transport->arrived = packet->next;
        if (!transport->arrived)
            transport->last = &transport->arrived;
        uint64_t handled = transport->device->handled;
        take_packet(transport, packet);
        if (transport->device->handled == handled)
            laws_unheard(transport->device, packet);
        packet_free(packet);
    }
    check_patience(transport);
    for (size_t i = 0; i < transport->count;) {
        if (transport->lines[i]->state == LINE_GONE) {
            line_free(transport->lines[i]);
            transport->lines[i] = transport->lines[--transport->count];
        } else {
            i++;
        }
    }
}

void transport_cut(struct transport *transport, const uint8_t curve[KEY_BYTES], enum refusal reason,
                   uint64_t now_us)
{
    transport->now_us = now_us;
    remember_refused(transport, curve, reason);
    laws_cut(transport->device, curve, reason);
    for (size_t i = 0; i < transport->count; i++)
        if (memcmp(transport->lines[i]->curve, curve, KEY_BYTES) == 0)
            line_end(transport, transport->lines[i]);
}

void transport_forget_peer(struct transport *transport, peer_id peer)
{
    for (size_t i = 0; i < transport->count; i++)
        if (transport->lines[i]->state == LINE_VERIFIED && transport->lines[i]->peer == peer)
            line_end(transport, transport->lines[i]);
}

size_t transport_unverified(const struct transport *transport)
{
    size_t count = 0;
    for (size_t i = 0; i < transport->count; i++)
        count += !transport->lines[i]->dialled && transport->lines[i]->state < LINE_VERIFIED;
    return count;
}

size_t transport_poll(const struct transport *transport, zmq_pollitem_t *items)
{
    (void)transport;
    (void)items;
    return 0;
}

void stand_transport_take(struct transport *transport, struct packet *packet)
{
    packet->next = NULL;
    *transport->last = packet;
    transport->last = &packet->next;
}

void stand_transport_silence(struct transport *transport)
{
    transport->silent = true;
}

bool stand_transport_has(const struct transport *transport, peer_id peer)
{
    return verified_line(transport, peer, NULL) != NULL;
}

size_t stand_transport_lines(const struct transport *transport)
{
    return transport->count;
}
