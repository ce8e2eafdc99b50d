/* What is said between nodes: bytes into messages for the participant, its messages into bytes. */
#include "node/node_inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/sums.h"
#include "model/vector.h"

#define MARK_MODEL 1u

static bool is_offence(enum refusal refusal)
{
    return refusal == REFUSED_MALFORMED || refusal == REFUSED_BAD_SIGNATURE;
}

void node_refused(void *self, enum refusal reason, peer_id peer, const char *address)
{
    struct node *node = self;
    node->totals.refused[reason]++;
    struct peer_record *record = peer == PEER_NONE ? NULL : roster_peer(&node->roster, peer);
    if (record) {
        record->rejected++;
        node->totals.rejected++;
    }
    char id[KEY_HEX_SIZE] = "a stranger";
    if (record)
        key_hex(record->identity, id);
    log_limited(node->log, record ? LOG_WARN : LOG_INFO, reason, node->now.monotonic_us,
                "refused %.16s%s%s: %s", id, address[0] ? " at " : "", address,
                refusal_name(reason));
}

void node_reject(struct node *node, peer_id peer, enum refusal reason)
{
    node_refused(node, reason, peer, "");
    struct peer_record *record = roster_peer(&node->roster, peer);
    if (!is_offence(reason) || ++record->offences < OFFENCES_MAX)
        return;
    record->cut = true;
    gossip_peer_down(&node->participant.gossip, peer);
    transport_cut(node->transport, record->curve, reason, node->now.monotonic_us);
}

void node_up(void *self, peer_id peer, uint64_t round_trip_us)
{
    struct node *node = self;
    struct peer_record *record = roster_peer(&node->roster, peer);
    bool first = node_connected(node) == 0;
    record->connected = true;
    record->cut = false;
    record->failures = record->offences = 0;
    record->heard_us = record->touched_us = node->now.monotonic_us;
    if (round_trip_us > 0) {
        record->round_trip_us = round_trip_us;
        record->round_trip_known = true;
    }
    struct outgoing out;
    participant_peer_up(&node->participant, peer, &out);
    node_carry_out(node, &out);
    struct card card = roster_card(&node->roster, peer);
    note_peer(node, record->identity, &card);
    char id[KEY_HEX_SIZE];
    key_hex(record->identity, id);
    log_write(node->log, first ? LOG_INFO : LOG_DEBUG, "connected to %.16s at %s", id,
              record->endpoint[0] ? record->endpoint : "no endpoint of its own");
}

void node_down(void *self, peer_id peer)
{
    struct node *node = self;
    roster_peer(&node->roster, peer)->connected = false;
    if (node_connected(node) == 0) {
        log_write(node->log, LOG_INFO, "no peer is connected");
        node_seek_soon(node);
    }
}

void node_forget(struct node *node, peer_id peer)
{
    transport_forget_peer(node->transport, peer);
    if (node->has_participant)
        gossip_peer_down(&node->participant.gossip, peer);
    if (node->ping_peer == peer)
        node->ping_peer = PEER_NONE;
}

/* Takes the parameters of a model in: checked, and copied once to where they will be merged. */
static enum refusal take_model(struct node *node, struct gossip_message *message,
                               struct parcel *parcel)
{
    struct model_message *model = &message->model;
    const struct gossip_settings *settings = &node->settings.gossip;
    if (memcmp(model->task, settings->task, TASK_ID_BYTES) != 0)
        return REFUSED_TASK;
    size_t size = parcel->has_payload ? zmq_msg_size(&parcel->payload) : 0;
    if (!piece_fits(&model->piece, settings->parameters) || size != piece_bytes(&model->piece))
        return REFUSED_MALFORMED;
    float *values = vector_new(model->piece.count);
    if (!values)
        return REFUSED_RATE; /* out of memory: one message less */
    bool sound = piece_decode(&model->piece, zmq_msg_data(&parcel->payload), size, values);
    model->model = sound ? version_of(values) : NULL;
    model->decoded = true;
    if (model->model)
        return REFUSED_NOT;
    vector_free(values);
    return sound ? REFUSED_RATE : REFUSED_MALFORMED;
}

static enum refusal take_sums(struct node *node, struct sums_message *sums, struct parcel *parcel)
{
    if (memcmp(sums->task, node->settings.gossip.task, TASK_ID_BYTES) != 0)
        return REFUSED_TASK;
    if (!parcel->has_payload || sums->features != model_features(node->model))
        return REFUSED_MALFORMED;
    return sums_take(sums, zmq_msg_data(&parcel->payload), zmq_msg_size(&parcel->payload));
}

/* Turns cards into peer numbers. One that does not hold water refuses the whole message; one that
 * has run out is nobody's fault, and is skipped. */
static enum refusal take_cards(struct node *node, struct gossip_message *message,
                               const struct card *cards)
{
    enum refusal worst = REFUSED_NOT;
    for (uint32_t i = 0; i < message->shuffle.count; i++) {
        enum refusal refusal;
        peer_id evicted;
        peer_id peer = roster_resolve(&node->roster, &cards[i], node->now.wall_s,
                                      wall_clock_set(&node->now), &refusal, &evicted);
        if (evicted != PEER_NONE)
            node_forget(node, evicted);
        if (peer != PEER_NONE)
            roster_peer(&node->roster, peer)->touched_us = node->now.monotonic_us;
        message->shuffle.entries[i].peer = peer;
        if (is_offence(refusal))
            worst = refusal;
        else if (refusal != REFUSED_NOT)
            node->totals.refused[refusal]++;
    }
    return worst;
}

static void measure_round_trip(struct node *node, struct peer_record *record, peer_id peer,
                               const struct gossip_message *message)
{
    if (node->ping_peer != peer || node->ping_nonce != message->shuffle.nonce)
        return;
    record->round_trip_us = node->now.monotonic_us - node->ping_us;
    record->round_trip_known = true;
    node->ping_peer = PEER_NONE;
}

void node_receive(void *self, peer_id peer, struct parcel *parcel)
{
    struct node *node = self;
    struct gossip_message message;
    struct card cards[SHUFFLE_MAX];
    size_t header_size = zmq_msg_size(&parcel->header);
    enum refusal refusal =
        message_decode(zmq_msg_data(&parcel->header), header_size, &message, cards);
    if (refusal == REFUSED_NOT && message.kind == MESSAGE_MODEL)
        refusal = take_model(node, &message, parcel);
    else if (refusal == REFUSED_NOT && message.kind == MESSAGE_SUMS)
        refusal = take_sums(node, &message.sums, parcel);
    else if (refusal == REFUSED_NOT && parcel->has_payload)
        refusal = REFUSED_MALFORMED;
    else if (refusal == REFUSED_NOT && message_has_cards(&message))
        refusal = take_cards(node, &message, cards);
    if (refusal != REFUSED_NOT) {
        node_reject(node, peer, refusal);
        return;
    }
    struct peer_record *record = roster_peer(&node->roster, peer);
    size_t bytes = message_wire_bytes(&message, header_size);
    record->heard_us = record->touched_us = node->now.monotonic_us;
    record->bytes_in += bytes;
    record->models_in += message.kind == MESSAGE_MODEL;
    node->totals.bytes_in += bytes;
    node->totals.messages_in++;
    if (message.kind == MESSAGE_SHUFFLE_REPLY)
        measure_round_trip(node, record, peer, &message);
    struct outgoing out;
    refusal = participant_receive(&node->participant, peer, &message, node->now, &out);
    node_carry_out(node, &out);
    if (refusal != REFUSED_NOT)
        node_reject(node, peer, refusal);
}

void node_sent(void *self, peer_id peer, size_t wire_bytes, uint32_t mark)
{
    struct node *node = self;
    struct peer_record *record = roster_peer(&node->roster, peer);
    record->bytes_out += wire_bytes;
    record->models_out += mark == MARK_MODEL;
    node->totals.bytes_out += wire_bytes;
    node->totals.messages_out++;
}

/* libzmq is done with a payload: called on its thread. */
static void release_payload(void *data, void *hint)
{
    struct version *version = hint;
    (void)data;
    version_release(&version);
}

static void release_bytes(void *data, void *hint)
{
    (void)hint;
    free(data);
}

/* The parameters as a frame: those that go as they are, lent to libzmq where they lie. Takes the
 * reference over. */
static bool put_model(struct parcel *parcel, const struct piece *piece, size_t parameters,
                      struct version *version)
{
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are sent as they lie");
    size_t first, count, size = piece_bytes(piece);
    piece_range(piece, parameters, &first, &count);
    if (piece_is_plain(piece, parameters)) {
        if (parcel_payload(parcel, version->values + first, size, release_payload, version))
            return true;
        version_release(&version);
        return false;
    }
    uint8_t *bytes = malloc(size);
    if (bytes)
        piece_encode(piece, parameters, version->values, bytes);
    version_release(&version);
    if (bytes && parcel_payload(parcel, bytes, size, release_bytes, NULL))
        return true;
    free(bytes);
    return false;
}

static bool put_sums(struct parcel *parcel, const struct sums_message *sums)
{
    struct version *version = sums->sums;
    if (parcel_payload(parcel, sums_values(version), sums_bytes(sums->features), release_payload,
                       version))
        return true;
    version_release(&version);
    return false;
}

/* Leaves out entries of peers whose card is not known (any more). */
static void find_cards(const struct node *node, struct shuffle_message *shuffle,
                       struct card cards[SHUFFLE_MAX])
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < shuffle->count; i++) {
        struct card card = roster_card(&node->roster, shuffle->entries[i].peer);
        if (card.size == 0)
            continue;
        shuffle->entries[kept] = shuffle->entries[i];
        cards[kept++] = card;
    }
    shuffle->count = kept;
}

static void send_message(struct node *node, peer_id to, struct gossip_message *message)
{
    uint8_t header[HEADER_BYTES_MAX];
    struct card cards[SHUFFLE_MAX];
    struct parcel parcel;
    bool is_model = message->kind == MESSAGE_MODEL;
    const struct peer_record *record = roster_peer(&node->roster, to);
    if (message_has_cards(message))
        find_cards(node, &message->shuffle, cards);
    size_t size = message_encode(message, cards, header);
    if (size == 0 || !record || !parcel_init(&parcel, header, size)) {
        message_release(message);
        node->totals.unsent++;
        return;
    }
    parcel.wire_bytes = message_wire_bytes(message, size);
    parcel.mark = is_model ? MARK_MODEL : 0;
    if ((is_model && !put_model(&parcel, &message->model.piece, node->settings.gossip.parameters,
                                message->model.model)) ||
        (message->kind == MESSAGE_SUMS && !put_sums(&parcel, &message->sums))) {
        parcel_clear(&parcel);
        node->totals.unsent++;
        return;
    }
    if (message->kind == MESSAGE_SHUFFLE) {
        node->ping_nonce = message->shuffle.nonce;
        node->ping_peer = to;
        node->ping_us = node->now.monotonic_us;
    }
    if (!transport_send(node->transport, to, record->curve, record->endpoint, &parcel,
                        node->now.monotonic_us))
        node->totals.unsent++;
}

void node_carry_out(struct node *node, struct outgoing *out)
{
    for (size_t i = 0; i < out->count; i++) {
        if (!node->stopping && node->member)
            send_message(node, out->sends[i].to, &out->sends[i].message);
        else
            message_release(&out->sends[i].message);
    }
    for (size_t i = 0; i < out->cut_count; i++) {
        struct peer_record *record = roster_peer(&node->roster, out->cuts[i]);
        record->cut = true;
        transport_cut(node->transport, record->curve, REFUSED_MALFORMED, node->now.monotonic_us);
    }
    learning_keep_scaling(node);
    if (!out->has_work)
        return;
    if (out->work.average) {
        work_run(&out->work, NULL); /* less than a message takes; and no pass is with the trainer */
        node->averages++;
    } else if (node->stopping) {
        work_drop(&out->work);
    } else {
        learning_work(node, &out->work);
    }
}
