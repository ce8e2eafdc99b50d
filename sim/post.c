#include "sim/post.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/membership.h"
#include "gossip/sums.h"
#include "gossip/wire.h"
#include "model/vector.h"

/* Serials and times of one width in msgpack, so that all cards have one size. */
#define FIRST_SERIAL (1ull << 40)
#define MADE_AT 1700000000

static_assert(SHUFFLE_MAX <= 15, "the count of a shuffle's entries takes one byte, however many");

struct stored_card {
    uint8_t bytes[CARD_BYTES_MAX];
    uint16_t size;
    bool verified;
};

struct post {
    size_t nodes, parameters, card_size;
    size_t usual_header; /* bytes, without the sequence */
    size_t shuffle_header,
        shuffle_entry; /* likewise, without the nonce; of each, without the age */
    uint64_t seed;
    uint8_t swarm[KEY_BYTES], authority[SECRET_KEY_BYTES];
    struct stored_card **cards; /* nodes of them, made when first needed; NULL unless real */
};

/* Keys of participant `node`; UINT32_MAX is the authority. */
static void make_keys(const struct post *post, uint32_t node, uint8_t public[KEY_BYTES],
                      uint8_t secret[SECRET_KEY_BYTES])
{
    uint8_t name[12], seed[crypto_sign_SEEDBYTES];
    memcpy(name, &post->seed, 8);
    memcpy(name + 8, &node, 4);
    crypto_generichash(seed, sizeof seed, name, sizeof name, NULL, 0);
    crypto_sign_seed_keypair(public, secret, seed);
}

static size_t make_card(const struct post *post, uint32_t node, uint8_t out[CARD_BYTES_MAX])
{
    uint8_t secret[SECRET_KEY_BYTES];
    uint8_t membership_bytes[MEMBERSHIP_BYTES_MAX], descriptor_bytes[DESCRIPTOR_BYTES_MAX];
    struct membership membership = {.serial = FIRST_SERIAL + node,
                                    .roles = ROLE_MEMBER,
                                    .not_before = MADE_AT,
                                    .not_after = 2ll * MADE_AT};
    struct descriptor descriptor = {.sequence = 1, .time = MADE_AT};
    make_keys(post, node, membership.identity, secret);
    memcpy(membership.swarm, post->swarm, KEY_BYTES);
    memcpy(descriptor.identity, membership.identity, KEY_BYTES);
    if (crypto_sign_ed25519_pk_to_curve25519(membership.curve, membership.identity) != 0)
        return 0;
    snprintf(descriptor.endpoint, sizeof descriptor.endpoint, "tcp://node-%010u.sim:7117", node);
    struct card parts[2] = {
        {membership_bytes, membership_sign(&membership, post->authority, membership_bytes)},
        {descriptor_bytes, descriptor_sign(&descriptor, secret, descriptor_bytes)},
    };
    return parts[0].size && parts[1].size ? card_encode(&parts[0], &parts[1], out) : 0;
}

struct post *post_new(size_t nodes, size_t parameters, uint64_t seed, bool real,
                      struct problem *problem)
{
    struct post *post = calloc(1, sizeof *post);
    if (!post) {
        problem_no_memory(problem, "the simulated wire");
        return NULL;
    }
    uint8_t sample[CARD_BYTES_MAX];
    post->nodes = nodes;
    post->parameters = parameters;
    post->seed = seed;
    make_keys(post, UINT32_MAX, post->swarm, post->authority);
    post->card_size = make_card(post, 0, sample);
    const struct gossip_message usual = {.kind = MESSAGE_MODEL,
                                         .model = {.piece = piece_whole(parameters)}};
    const struct gossip_message shuffles[] = {{.kind = MESSAGE_SHUFFLE},
                                              {.kind = MESSAGE_SHUFFLE, .shuffle = {.count = 1}}};
    const struct card card = {NULL, post->card_size};
    post->usual_header = message_encode(&usual, NULL, NULL) - wire_uint_bytes(0);
    post->shuffle_header = message_encode(&shuffles[0], NULL, NULL) - wire_uint_bytes(0);
    post->shuffle_entry =
        message_encode(&shuffles[1], &card, NULL) - post->shuffle_header - 2 * wire_uint_bytes(0);
    if (real) {
        post->cards = calloc(nodes, sizeof *post->cards);
        if (!post->cards) {
            post_free(&post);
            problem_no_memory(problem, "the participants' cards");
        }
    }
    return post;
}

void post_free(struct post **post)
{
    if (!*post)
        return;
    for (size_t i = 0; (*post)->cards && i < (*post)->nodes; i++)
        free((*post)->cards[i]);
    free((*post)->cards);
    free(*post);
    *post = NULL;
}

bool post_is_real(const struct post *post)
{
    return post->cards != NULL;
}

/* Whether a message is like most: a whole model as it is. */
static bool is_usual(const struct post *post, const struct gossip_message *message)
{
    const struct model_message *model = &message->model;
    return message->kind == MESSAGE_MODEL && !model->last && model->piece.seed == 0 &&
           model->piece.fragments == 1 && model->piece.count == post->parameters &&
           model->piece.encoding == ENCODING_F32;
}

/* What message_encode would say; of most headers only the numbers differ in size. */
static size_t header_bytes(const struct post *post, const struct gossip_message *message)
{
    if (is_usual(post, message))
        return post->usual_header + wire_uint_bytes(message->model.sequence);
    if (!message_has_cards(message))
        return message_encode(message, NULL, NULL);
    const struct shuffle_message *shuffle = &message->shuffle;
    size_t bytes = post->shuffle_header + wire_uint_bytes(shuffle->nonce);
    for (uint32_t i = 0; i < shuffle->count; i++)
        bytes += post->shuffle_entry + wire_uint_bytes(shuffle->entries[i].age);
    return bytes;
}

size_t post_bytes(const struct post *post, const struct gossip_message *message)
{
    return message_wire_bytes(message, header_bytes(post, message));
}

static struct stored_card *card_of(struct post *post, uint32_t node)
{
    if (!post->cards[node]) {
        struct stored_card *card = calloc(1, sizeof *card);
        if (!card)
            return NULL;
        card->size = (uint16_t)make_card(post, node, card->bytes);
        post->cards[node] = card;
    }
    return post->cards[node];
}

static enum starling_error pack_model(const struct post *post, struct parcel *parcel,
                                      struct problem *problem)
{
    struct model_message *message = &parcel->message.model;
    parcel->payload_size = piece_bytes(&message->piece);
    parcel->payload = malloc(parcel->payload_size);
    if (!parcel->payload)
        return problem_no_memory(problem, "a message");
    piece_encode(&message->piece, post->parameters, message->model->values, parcel->payload);
    version_release(&message->model);
    return STARLING_OK;
}

static enum starling_error pack_sums(struct parcel *parcel, struct problem *problem)
{
    struct sums_message *message = &parcel->message.sums;
    parcel->payload_size = sums_bytes(message->features);
    parcel->payload = malloc(parcel->payload_size);
    if (!parcel->payload)
        return problem_no_memory(problem, "a message");
    sums_encode(sums_values(message->sums), message->features, parcel->payload);
    version_release(&message->sums);
    return STARLING_OK;
}

enum starling_error post_pack(struct post *post, struct parcel *parcel, struct problem *problem)
{
    struct card cards[SHUFFLE_MAX];
    struct gossip_message *message = &parcel->message;
    if (message_has_cards(message)) {
        for (uint32_t i = 0; i < message->shuffle.count; i++) {
            const struct stored_card *card = card_of(post, message->shuffle.entries[i].peer);
            if (!card)
                return problem_no_memory(problem, "a participant's card");
            cards[i] = (struct card){card->bytes, card->size};
        }
    }
    uint8_t header[HEADER_BYTES_MAX];
    parcel->header_size = message_encode(message, cards, header);
    assert(message_wire_bytes(message, parcel->header_size) == parcel->bytes);
    parcel->header = malloc(parcel->header_size);
    if (!parcel->header)
        return problem_no_memory(problem, "a message");
    memcpy(parcel->header, header, parcel->header_size);
    if (message->kind == MESSAGE_SUMS)
        return pack_sums(parcel, problem);
    return message->kind == MESSAGE_MODEL ? pack_model(post, parcel, problem) : STARLING_OK;
}

/* The participant a card names, after checking all that a node would check. */
static peer_id resolve(struct post *post, const struct card *card)
{
    struct card parts[2];
    struct membership membership;
    struct descriptor descriptor;
    if (!card_decode(card->bytes, card->size, &parts[0], &parts[1]) ||
        membership_verify(parts[0].bytes, parts[0].size, post->swarm, &membership) ||
        descriptor_verify(parts[1].bytes, parts[1].size, &descriptor) ||
        memcmp(membership.identity, descriptor.identity, KEY_BYTES) != 0 ||
        membership.serial < FIRST_SERIAL || membership.serial - FIRST_SERIAL >= post->nodes)
        return PEER_NONE;
    return (peer_id)(membership.serial - FIRST_SERIAL);
}

/* The same, at no cost for a card that was verified before and has not changed. */
static peer_id resolve_known(struct post *post, const struct card *card, peer_id expected)
{
    struct stored_card *known = card_of(post, expected);
    if (!known)
        return PEER_NONE;
    if (known->verified && known->size == card->size &&
        memcmp(known->bytes, card->bytes, card->size) == 0)
        return expected;
    peer_id peer = resolve(post, card);
    known->verified = peer == expected;
    return peer;
}

static enum refusal unpack_model(const struct post *post, const struct parcel *parcel,
                                 struct model_message *message)
{
    const struct piece *piece = &message->piece;
    if (!piece_fits(piece, post->parameters))
        return REFUSED_MALFORMED;
    float *values = vector_new(piece->count);
    if (!values)
        return REFUSED_RATE;
    enum refusal refusal = piece_decode(piece, parcel->payload, parcel->payload_size, values)
                               ? REFUSED_NOT
                               : REFUSED_MALFORMED;
    message->model = refusal == REFUSED_NOT ? version_of(values) : NULL;
    message->decoded = true;
    if (message->model)
        return REFUSED_NOT;
    vector_free(values);
    return refusal == REFUSED_NOT ? REFUSED_RATE : refusal;
}

enum refusal post_unpack(struct post *post, struct parcel *parcel)
{
    struct card cards[SHUFFLE_MAX];
    struct gossip_message message;
    enum refusal refusal = message_decode(parcel->header, parcel->header_size, &message, cards);
    if (refusal == REFUSED_NOT && message.kind == MESSAGE_MODEL) {
        refusal = unpack_model(post, parcel, &message.model);
    } else if (refusal == REFUSED_NOT && message.kind == MESSAGE_SUMS) {
        refusal = sums_take(&message.sums, parcel->payload, parcel->payload_size);
    } else if (refusal == REFUSED_NOT && message_has_cards(&message)) {
        for (uint32_t i = 0; i < message.shuffle.count; i++)
            message.shuffle.entries[i].peer =
                resolve_known(post, &cards[i], parcel->message.shuffle.entries[i].peer);
    }
    parcel_drop(parcel);
    if (refusal == REFUSED_NOT)
        parcel->message = message;
    return refusal;
}

void parcel_drop(struct parcel *parcel)
{
    free(parcel->header);
    free(parcel->payload);
    parcel->header = parcel->payload = NULL;
    message_release(&parcel->message);
}
