#include "gossip/message.h"

#include <string.h>

#include "gossip/sums.h"
#include "gossip/wire.h"
#include "model/dataset.h"

/* Keys of a header; docs/protocol.md has the same tables. A number keeps its meaning for good. */
enum {
    MODEL_LAST = -3, /* whoever does not know it would merge what is not meant for merging */
    MODEL_SEED,      /* and these two: could not read the second frame */
    MODEL_ENCODING = -1,
    MODEL_TASK = 2,
    MODEL_FRAGMENT,
    MODEL_FRAGMENTS,
    MODEL_AGE,
    MODEL_SEQUENCE,
    MODEL_ANSWER,
    MODEL_COUNT
};
enum { SHUFFLE_NONCE = 2, SHUFFLE_ENTRIES };
enum { PULL_TASK = 2, PULL_NONCE };
enum { SUMS_TASK = 2, SUMS_SETTLED, SUMS_HEARD, SUMS_FEATURES };
enum { ENTRY_AGE, ENTRY_CARD };

const char *refusal_name(enum refusal refusal)
{
    static const char *const names[REFUSALS] = {
        [REFUSED_NOT] = "accepted",
        [REFUSED_NO_MEMBERSHIP] = "no-membership",
        [REFUSED_EXPIRED] = "expired",
        [REFUSED_NOT_YET_VALID] = "not-yet-valid",
        [REFUSED_WRONG_SWARM] = "wrong-swarm",
        [REFUSED_REVOKED] = "revoked",
        [REFUSED_BAD_SIGNATURE] = "bad-signature",
        [REFUSED_NO_CURVE] = "no-curve",
        [REFUSED_VERSION] = "version",
        [REFUSED_TASK] = "task",
        [REFUSED_RATE] = "rate",
        [REFUSED_MALFORMED] = "malformed",
    };
    return (size_t)refusal < REFUSALS ? names[refusal] : "unknown";
}

static void put_kind(struct wire_writer *writer, enum message_kind kind)
{
    wire_put_key(writer, WIRE_KEY_VERSION);
    wire_put_uint(writer, PROTOCOL_VERSION);
    wire_put_key(writer, WIRE_KEY_KIND);
    wire_put_uint(writer, kind);
}

static void put_opening(struct wire_writer *writer, size_t pairs, enum message_kind kind)
{
    wire_put_map(writer, pairs);
    put_kind(writer, kind);
}

static bool model_sound(const struct model_message *model)
{
    const struct piece *piece = &model->piece;
    return piece->fragments >= 1 && piece->fragments <= FRAGMENTS_MAX &&
           piece->fragment < piece->fragments && piece->count >= 1 &&
           piece->count <= PARAMETERS_MAX && (unsigned)piece->encoding < ENCODINGS &&
           model->age >= 0 && model->age <= (double)AGE_MAX;
}

static void put_model(struct wire_writer *writer, const struct model_message *model)
{
    const struct piece *piece = &model->piece;
    bool seeded = piece->seed != 0, encoded = piece->encoding != ENCODING_F32;
    wire_put_map(writer, 9u + model->last + seeded + encoded);
    if (model->last) {
        wire_put_key(writer, MODEL_LAST);
        wire_put_bool(writer, true);
    }
    if (seeded) {
        wire_put_key(writer, MODEL_SEED);
        wire_put_uint(writer, piece->seed);
    }
    if (encoded) {
        wire_put_key(writer, MODEL_ENCODING);
        wire_put_uint(writer, piece->encoding);
    }
    put_kind(writer, MESSAGE_MODEL);
    wire_put_key(writer, MODEL_TASK);
    wire_put_bytes(writer, model->task, TASK_ID_BYTES);
    wire_put_key(writer, MODEL_FRAGMENT);
    wire_put_uint(writer, piece->fragment);
    wire_put_key(writer, MODEL_FRAGMENTS);
    wire_put_uint(writer, piece->fragments);
    wire_put_key(writer, MODEL_AGE);
    wire_put_double(writer, model->age);
    wire_put_key(writer, MODEL_SEQUENCE);
    wire_put_uint(writer, model->sequence);
    wire_put_key(writer, MODEL_ANSWER);
    wire_put_bool(writer, model->answer);
    wire_put_key(writer, MODEL_COUNT);
    wire_put_uint(writer, piece->count);
}

static bool shuffle_sound(const struct shuffle_message *shuffle, const struct card *cards)
{
    if (shuffle->count > SHUFFLE_MAX)
        return false;
    for (uint32_t i = 0; i < shuffle->count; i++)
        if (cards[i].size < 1 || cards[i].size > CARD_BYTES_MAX)
            return false;
    return true;
}

static void put_shuffle(struct wire_writer *writer, enum message_kind kind,
                        const struct shuffle_message *shuffle, const struct card *cards)
{
    put_opening(writer, 4, kind);
    wire_put_key(writer, SHUFFLE_NONCE);
    wire_put_uint(writer, shuffle->nonce);
    wire_put_key(writer, SHUFFLE_ENTRIES);
    wire_put_array(writer, shuffle->count);
    for (uint32_t i = 0; i < shuffle->count; i++) {
        wire_put_map(writer, 2);
        wire_put_key(writer, ENTRY_AGE);
        wire_put_uint(writer, shuffle->entries[i].age);
        wire_put_key(writer, ENTRY_CARD);
        wire_put_bytes(writer, cards[i].bytes, cards[i].size);
    }
}

static void put_pull(struct wire_writer *writer, const struct pull_message *pull)
{
    put_opening(writer, 4, MESSAGE_PULL);
    wire_put_key(writer, PULL_TASK);
    wire_put_bytes(writer, pull->task, TASK_ID_BYTES);
    wire_put_key(writer, PULL_NONCE);
    wire_put_uint(writer, pull->nonce);
}

static void put_sums(struct wire_writer *writer, const struct sums_message *sums)
{
    put_opening(writer, 6, MESSAGE_SUMS);
    wire_put_key(writer, SUMS_TASK);
    wire_put_bytes(writer, sums->task, TASK_ID_BYTES);
    wire_put_key(writer, SUMS_SETTLED);
    wire_put_bool(writer, sums->settled);
    wire_put_key(writer, SUMS_HEARD);
    wire_put_uint(writer, sums->heard);
    wire_put_key(writer, SUMS_FEATURES);
    wire_put_uint(writer, sums->features);
}

struct version **message_version(struct gossip_message *message)
{
    switch (message->kind) {
    case MESSAGE_MODEL:
        return &message->model.model;
    case MESSAGE_SUMS:
        return &message->sums.sums;
    case MESSAGE_SHUFFLE:
    case MESSAGE_SHUFFLE_REPLY:
    case MESSAGE_PULL:
        break;
    }
    return NULL;
}

void message_release(struct gossip_message *message)
{
    struct version **version = message_version(message);
    if (version)
        version_release(version);
}

bool message_has_cards(const struct gossip_message *message)
{
    return message->kind == MESSAGE_SHUFFLE || message->kind == MESSAGE_SHUFFLE_REPLY;
}

size_t message_encode(const struct gossip_message *message, const struct card *cards, uint8_t *out)
{
    struct wire_writer writer = wire_writer(out, HEADER_BYTES_MAX);
    switch (message->kind) {
    case MESSAGE_MODEL:
        if (!model_sound(&message->model))
            return 0;
        put_model(&writer, &message->model);
        return wire_written(&writer);
    case MESSAGE_SHUFFLE:
    case MESSAGE_SHUFFLE_REPLY:
        if (!shuffle_sound(&message->shuffle, cards))
            return 0;
        put_shuffle(&writer, message->kind, &message->shuffle, cards);
        return wire_written(&writer);
    case MESSAGE_PULL:
        put_pull(&writer, &message->pull);
        return wire_written(&writer);
    case MESSAGE_SUMS:
        if (message->sums.features < 1 || message->sums.features > DATASET_FEATURES_MAX)
            return 0;
        put_sums(&writer, &message->sums);
        return wire_written(&writer);
    }
    return 0;
}

static enum refusal read_model(const msgpack_object *map, struct model_message *model)
{
    enum { LAST, SEED, ENCODING, TASK, FRAGMENT, FRAGMENTS, AGE, SEQUENCE, ANSWER, COUNT, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [LAST] = {MODEL_LAST, WIRE_BOOL, true, 0, 0},
        [SEED] = {MODEL_SEED, WIRE_UINT, true, 0, UINT64_MAX},
        [ENCODING] = {MODEL_ENCODING, WIRE_UINT, true, 0, UINT32_MAX},
        [TASK] = {MODEL_TASK, WIRE_BYTES, false, TASK_ID_BYTES, TASK_ID_BYTES},
        [FRAGMENT] = {MODEL_FRAGMENT, WIRE_UINT, false, 0, FRAGMENTS_MAX - 1},
        [FRAGMENTS] = {MODEL_FRAGMENTS, WIRE_UINT, false, 1, FRAGMENTS_MAX},
        [AGE] = {MODEL_AGE, WIRE_NUMBER, false, 0, AGE_MAX},
        [SEQUENCE] = {MODEL_SEQUENCE, WIRE_UINT, false, 0, UINT64_MAX},
        [ANSWER] = {MODEL_ANSWER, WIRE_BOOL, false, 0, 0},
        [COUNT] = {MODEL_COUNT, WIRE_UINT, false, 1, PARAMETERS_MAX},
    };
    const msgpack_object *values[FIELDS];
    enum refusal refusal = wire_read_map(map, fields, FIELDS, values);
    if (refusal != REFUSED_NOT)
        return refusal;
    uint64_t encoding = values[ENCODING] ? values[ENCODING]->via.u64 : ENCODING_F32;
    if (encoding >= ENCODINGS) /* one that is still to come */
        return REFUSED_VERSION;
    *model = (struct model_message){
        .piece = {.seed = values[SEED] ? values[SEED]->via.u64 : 0,
                  .fragment = (uint32_t)values[FRAGMENT]->via.u64,
                  .fragments = (uint32_t)values[FRAGMENTS]->via.u64,
                  .count = (uint32_t)values[COUNT]->via.u64,
                  .encoding = (enum encoding)encoding},
        .age = values[AGE]->via.f64,
        .sequence = values[SEQUENCE]->via.u64,
        .answer = values[ANSWER]->via.boolean,
        .last = values[LAST] && values[LAST]->via.boolean,
    };
    memcpy(model->task, values[TASK]->via.bin.ptr, TASK_ID_BYTES);
    return model->piece.fragment < model->piece.fragments ? REFUSED_NOT : REFUSED_MALFORMED;
}

static enum refusal read_entry(const msgpack_object *map, struct view_entry *entry,
                               struct card *card)
{
    enum { AGE, CARD, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [AGE] = {ENTRY_AGE, WIRE_UINT, false, 0, UINT32_MAX},
        [CARD] = {ENTRY_CARD, WIRE_BYTES, false, 1, CARD_BYTES_MAX},
    };
    const msgpack_object *values[FIELDS];
    enum refusal refusal = wire_read_map(map, fields, FIELDS, values);
    if (refusal != REFUSED_NOT)
        return refusal;
    uint64_t age = values[AGE]->via.u64; /* older than the oldest is as old */
    *entry = (struct view_entry){.peer = PEER_NONE,
                                 .age = age < VIEW_AGE_MAX ? (uint16_t)age : VIEW_AGE_MAX};
    *card = (struct card){.bytes = (const uint8_t *)values[CARD]->via.bin.ptr,
                          .size = values[CARD]->via.bin.size};
    return REFUSED_NOT;
}

static enum refusal read_shuffle(const msgpack_object *map, struct shuffle_message *shuffle,
                                 struct card cards[SHUFFLE_MAX])
{
    enum { NONCE, ENTRIES, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [NONCE] = {SHUFFLE_NONCE, WIRE_UINT, false, 0, UINT32_MAX},
        [ENTRIES] = {SHUFFLE_ENTRIES, WIRE_ARRAY, false, 0, SHUFFLE_MAX},
    };
    const msgpack_object *values[FIELDS];
    enum refusal refusal = wire_read_map(map, fields, FIELDS, values);
    if (refusal != REFUSED_NOT)
        return refusal;
    const msgpack_object_array *entries = &values[ENTRIES]->via.array;
    *shuffle =
        (struct shuffle_message){.count = entries->size, .nonce = (uint32_t)values[NONCE]->via.u64};
    for (uint32_t i = 0; i < entries->size; i++) {
        refusal = read_entry(&entries->ptr[i], &shuffle->entries[i], &cards[i]);
        if (refusal != REFUSED_NOT)
            return refusal;
    }
    return REFUSED_NOT;
}

static enum refusal read_pull(const msgpack_object *map, struct pull_message *pull)
{
    enum { TASK, NONCE, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [TASK] = {PULL_TASK, WIRE_BYTES, false, TASK_ID_BYTES, TASK_ID_BYTES},
        [NONCE] = {PULL_NONCE, WIRE_UINT, false, 0, UINT32_MAX},
    };
    const msgpack_object *values[FIELDS];
    enum refusal refusal = wire_read_map(map, fields, FIELDS, values);
    if (refusal != REFUSED_NOT)
        return refusal;
    memcpy(pull->task, values[TASK]->via.bin.ptr, TASK_ID_BYTES);
    pull->nonce = (uint32_t)values[NONCE]->via.u64;
    return REFUSED_NOT;
}

static enum refusal read_sums(const msgpack_object *map, struct sums_message *sums)
{
    enum { TASK, SETTLED, HEARD, FEATURES, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [TASK] = {SUMS_TASK, WIRE_BYTES, false, TASK_ID_BYTES, TASK_ID_BYTES},
        [SETTLED] = {SUMS_SETTLED, WIRE_BOOL, false, 0, 0},
        [HEARD] = {SUMS_HEARD, WIRE_UINT, false, 0, UINT32_MAX},
        [FEATURES] = {SUMS_FEATURES, WIRE_UINT, false, 1, DATASET_FEATURES_MAX},
    };
    const msgpack_object *values[FIELDS];
    enum refusal refusal = wire_read_map(map, fields, FIELDS, values);
    if (refusal != REFUSED_NOT)
        return refusal;
    *sums = (struct sums_message){.settled = values[SETTLED]->via.boolean,
                                  .heard = (uint32_t)values[HEARD]->via.u64,
                                  .features = (size_t)values[FEATURES]->via.u64};
    memcpy(sums->task, values[TASK]->via.bin.ptr, TASK_ID_BYTES);
    return REFUSED_NOT;
}

enum refusal message_decode(const uint8_t *bytes, size_t size, struct gossip_message *message,
                            struct card cards[SHUFFLE_MAX])
{
    if (size > HEADER_BYTES_MAX)
        return REFUSED_MALFORMED;
    struct wire_reader reader;
    uint64_t kind = 0;
    enum refusal refusal = wire_open_message(&reader, bytes, size, &kind);
    if (refusal != REFUSED_NOT)
        goto close;
    switch (kind) {
    case MESSAGE_MODEL:
        message->kind = MESSAGE_MODEL;
        refusal = read_model(wire_root(&reader), &message->model);
        break;
    case MESSAGE_SHUFFLE:
    case MESSAGE_SHUFFLE_REPLY:
        message->kind = (enum message_kind)kind;
        refusal = read_shuffle(wire_root(&reader), &message->shuffle, cards);
        break;
    case MESSAGE_PULL:
        message->kind = MESSAGE_PULL;
        refusal = read_pull(wire_root(&reader), &message->pull);
        break;
    case MESSAGE_SUMS:
        message->kind = MESSAGE_SUMS;
        refusal = read_sums(wire_root(&reader), &message->sums);
        break;
    case WIRE_KIND_HELLO: /* where none belongs */
        refusal = REFUSED_MALFORMED;
        break;
    default: /* a kind of message that is still to come */
        refusal = REFUSED_VERSION;
    }
close:
    wire_close(&reader);
    return refusal;
}

/* A frame of `size` bytes under CURVE, as libzmq sends it: a ZMTP frame of 1 flag byte and a length
 * of 1 or 8, holding "\7MESSAGE", 8 bytes of nonce, and a box of 16 bytes authenticator, 1 of
 * inner flags and the frame itself. */
static size_t frame_wire_bytes(size_t size)
{
    size_t body = 8 + 8 + 16 + 1 + size;
    return (body > 255 ? 9 : 2) + body;
}

size_t message_wire_bytes(const struct gossip_message *message, size_t header_size)
{
    size_t bytes = frame_wire_bytes(header_size);
    if (message->kind == MESSAGE_MODEL)
        bytes += frame_wire_bytes(piece_bytes(&message->model.piece));
    if (message->kind == MESSAGE_SUMS)
        bytes += frame_wire_bytes(sums_bytes(message->sums.features));
    return bytes;
}
