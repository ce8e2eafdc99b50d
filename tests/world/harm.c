/* What a member that means harm says: everything that decoders, bounds and rules are there for. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/sums.h"
#include "model/vector.h"
#include "tests/world/stranger.h"

enum harm_kind {
    HARM_GARBAGE,    /* bytes */
    HARM_TRUNCATED,  /* a good header cut short */
    HARM_FLIPPED,    /* with bits turned */
    HARM_SHORT,      /* a payload cut short */
    HARM_NOT_FINITE, /* parameters */
    HARM_HUGE,       /* finite, and out of all proportion */
    HARM_LARGE,      /* within proportion, just */
    HARM_OLD,        /* an age of all time */
    HARM_NO_AGE,     /* an age that is none */
    HARM_OTHER_TASK,
    HARM_OVERSIZED,
    HARM_PIECE, /* of a model that is cut differently, or not at all like this */
    HARM_SHUFFLES,
    HARM_FORGED_CARDS,
    HARM_PULLS,
    HARM_REPLAY,
    HARM_FRAMES, /* too many of them */
    HARM_SUMS,
    HARM_EMPTY,
    HARM_LAST, /* a read-out of the final phase, which nobody has begun */
    HARMS
};

static struct harm encode(const struct gossip_message *message, const struct card *cards)
{
    struct harm harm = {.header = calloc(1, HEADER_BYTES_MAX), .times = 1};
    if (!harm.header)
        abort();
    harm.header_size = message_encode(message, cards, harm.header);
    return harm;
}

static void set_payload(struct harm *harm, const void *bytes, size_t size)
{
    harm->payload = malloc(size ? size : 1);
    if (!harm->payload)
        abort();
    memcpy(harm->payload, bytes, size);
    harm->payload_size = size;
    harm->has_payload = true;
}

static struct gossip_message model_message(struct world *world, const uint8_t task[TASK_ID_BYTES])
{
    struct gossip_message message = {
        .kind = MESSAGE_MODEL,
        .model = {.piece = piece_whole(model_parameters(world->model)),
                  .age = draw_between(&world->stranger_random, 0, 200),
                  .sequence = random_below(&world->stranger_random, 100000),
                  .answer = draw_chance(&world->stranger_random, .3)}};
    memcpy(message.model.task, task, TASK_ID_BYTES);
    return message;
}

static void fill(struct world *world, float *values, size_t count, double size)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(size * random_normal(&world->stranger_random));
}

/* A model whose parameters are as the kind says. */
static struct harm model_harm(struct world *world, const struct gossip_message *message,
                              enum harm_kind kind)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    struct random *random = &world->stranger_random;
    size_t count = model_parameters(world->model);
    struct harm harm = encode(message, NULL);
    float *values = calloc(count, sizeof *values);
    if (!values)
        abort();
    double size = kind == HARM_HUGE    ? (draw_chance(random, .5) ? 1e30 : 3e5)
                  : kind == HARM_LARGE ? draw_between(random, 1, 300)
                                       : .1;
    fill(world, values, count, size);
    if (kind == HARM_NOT_FINITE)
        values[random_below(random, (uint32_t)count)] = bad[random_below(random, 3)];
    size_t bytes = count * sizeof *values;
    if (kind == HARM_SHORT)
        bytes = random_below(random, (uint32_t)bytes);
    set_payload(&harm, values, bytes);
    free(values);
    return harm;
}

/* The double 77.125 in a header becomes one that message_encode would not write. */
static void forge_age(struct random *random, struct harm *harm)
{
    static const double ages[] = {NAN, INFINITY, -1, 1e300, -INFINITY};
    double written = 77.125, wanted = ages[random_below(random, 5)];
    uint64_t from, to;
    memcpy(&from, &written, sizeof from);
    memcpy(&to, &wanted, sizeof to);
    from = __builtin_bswap64(from);
    to = __builtin_bswap64(to);
    for (size_t i = 0; i + sizeof from <= harm->header_size; i++)
        if (memcmp(harm->header + i, &from, sizeof from) == 0)
            memcpy(harm->header + i, &to, sizeof to);
}

static struct harm shuffle_harm(struct world *world, const struct card *own, bool forged)
{
    struct random *random = &world->stranger_random;
    uint8_t bytes[SHUFFLE_MAX][CARD_BYTES_MAX];
    struct card cards[SHUFFLE_MAX];
    struct gossip_message message = {
        .kind = draw_chance(random, .5) ? MESSAGE_SHUFFLE : MESSAGE_SHUFFLE_REPLY,
        .shuffle = {.count = 1 + random_below(random, SHUFFLE_MAX), .nonce = random_u32(random)}};
    for (uint32_t i = 0; i < message.shuffle.count; i++) {
        memcpy(bytes[i], own->bytes, own->size);
        if (forged)
            bytes[i][random_below(random, (uint32_t)own->size)] ^=
                (uint8_t)(1u << random_below(random, 8));
        cards[i] = (struct card){bytes[i], own->size};
        message.shuffle.entries[i].age = (uint16_t)random_u32(random);
    }
    struct harm harm = encode(&message, cards);
    harm.times = forged ? 1 : 1 + random_below(random, 20);
    return harm;
}

static struct harm pull_harm(struct world *world, const uint8_t task[TASK_ID_BYTES])
{
    struct gossip_message message = {.kind = MESSAGE_PULL,
                                     .pull = {.nonce = random_u32(&world->stranger_random)}};
    memcpy(message.pull.task, task, TASK_ID_BYTES);
    struct harm harm = encode(&message, NULL);
    harm.times = 10 + random_below(&world->stranger_random, 60);
    return harm;
}

static struct harm sums_harm(struct world *world, const uint8_t task[TASK_ID_BYTES])
{
    struct random *random = &world->stranger_random;
    size_t features = world->plan.features + (draw_chance(random, .3) ? 1 : 0);
    size_t count = sums_bytes(features) / sizeof(double);
    struct gossip_message message = {.kind = MESSAGE_SUMS,
                                     .sums = {.settled = draw_chance(random, .5),
                                              .heard = random_below(random, 100),
                                              .features = features}};
    memcpy(message.sums.task, task, TASK_ID_BYTES);
    struct harm harm = encode(&message, NULL);
    double *values = calloc(count, sizeof *values);
    if (!values)
        abort();
    double size = pow(10, draw_between(random, -10, 100));
    for (size_t i = 0; i < count; i++)
        values[i] = size * fabs(random_normal(random));
    if (draw_chance(random, .4))
        values[random_below(random, (uint32_t)count)] = draw_chance(random, .5) ? NAN : -1;
    set_payload(&harm, values, count * sizeof *values);
    free(values);
    return harm;
}

static struct harm replay_harm(const struct packet *heard)
{
    struct harm harm = {.times = 2};
    harm.header = malloc(heard->header_size ? heard->header_size : 1);
    if (!harm.header)
        abort();
    memcpy(harm.header, heard->header, heard->header_size);
    harm.header_size = heard->header_size;
    if (heard->has_payload)
        set_payload(&harm, heard->payload, heard->payload_size);
    return harm;
}

static struct harm garbage_harm(struct random *random)
{
    struct harm harm = {
        .header = malloc(256), .header_size = random_below(random, 256), .times = 1};
    if (!harm.header)
        abort();
    for (size_t i = 0; i < harm.header_size; i++)
        harm.header[i] = (uint8_t)random_u32(random);
    if (draw_chance(random, .3))
        set_payload(&harm, harm.header, harm.header_size);
    return harm;
}

/* A piece that may or may not be of this model; the payload is as long as it says. */
static struct harm piece_harm(struct world *world, struct gossip_message *message)
{
    struct random *random = &world->stranger_random;
    size_t count = model_parameters(world->model);
    struct piece *piece = &message->model.piece;
    piece->fragments = 1 + random_below(random, draw_chance(random, .3) ? FRAGMENTS_MAX : 6);
    piece->fragment = random_below(random, piece->fragments);
    piece->count = 1 + random_below(random, (uint32_t)count);
    piece->encoding = (enum encoding)random_below(random, ENCODINGS);
    piece->seed = random_u64(random);
    struct harm harm = encode(message, NULL);
    size_t bytes = piece_bytes(piece);
    uint8_t *payload = malloc(bytes);
    if (!payload)
        abort();
    for (size_t i = 0; i < bytes; i++)
        payload[i] = piece->encoding == ENCODING_F32 ? 0 : (uint8_t)random_below(random, 60);
    set_payload(&harm, payload, bytes);
    free(payload);
    return harm;
}

static void spoil_header(struct random *random, struct harm *harm, enum harm_kind kind)
{
    if (harm->header_size == 0)
        return;
    uint32_t at = random_below(random, (uint32_t)harm->header_size);
    if (kind == HARM_TRUNCATED)
        harm->header_size = at;
    else
        harm->header[at] ^= (uint8_t)(1u << random_below(random, 8));
}

static struct harm oversized_harm(struct world *world, const struct gossip_message *message)
{
    static const uint8_t zeros[4 * HEADER_BYTES_MAX];
    struct harm harm = encode(message, NULL);
    bool header = draw_chance(&world->stranger_random, .5);
    set_payload(&harm, zeros, header ? 4 : sizeof zeros);
    if (header) {
        harm.header = realloc(harm.header, sizeof zeros);
        if (!harm.header)
            abort();
        memset(harm.header + harm.header_size, 0, sizeof zeros - harm.header_size);
        harm.header_size = sizeof zeros;
    }
    return harm;
}

struct harm harm_draw(struct world *world, const uint8_t task[TASK_ID_BYTES],
                      const struct card *own_card, const struct packet *heard)
{
    struct random *random = &world->stranger_random;
    enum harm_kind kind = (enum harm_kind)random_below(random, HARMS);
    struct gossip_message message = model_message(world, task);
    struct harm harm;
    switch (kind) {
    case HARM_GARBAGE:
        return garbage_harm(random);
    case HARM_SHUFFLES:
    case HARM_FORGED_CARDS:
        return shuffle_harm(world, own_card, kind == HARM_FORGED_CARDS);
    case HARM_PULLS:
        return pull_harm(world, task);
    case HARM_SUMS:
        return sums_harm(world, task);
    case HARM_REPLAY:
        return heard ? replay_harm(heard) : garbage_harm(random);
    case HARM_PIECE:
        return piece_harm(world, &message);
    case HARM_OVERSIZED:
        return oversized_harm(world, &message);
    case HARM_OLD:
        message.model.age = draw_chance(random, .5) ? AGE_MAX : draw_between(random, 1e3, 1e9);
        break;
    case HARM_NO_AGE:
        message.model.age = 77.125;
        break;
    case HARM_OTHER_TASK:
        message.model.task[random_below(random, TASK_ID_BYTES)] ^= 1;
        break;
    case HARM_LAST:
        message.model.last = true;
        break;
    default:
        break;
    }
    harm = model_harm(world, &message, kind);
    if (kind == HARM_NO_AGE)
        forge_age(random, &harm);
    if (kind == HARM_TRUNCATED || kind == HARM_FLIPPED)
        spoil_header(random, &harm, kind);
    if (kind == HARM_EMPTY)
        harm.header_size = 0;
    harm.unsound = kind == HARM_FRAMES;
    return harm;
}
