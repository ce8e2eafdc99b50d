/* Any bytes as a header frame, and as a frame of parameters. What is accepted must be encoded again
 * and come back the same. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/message.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void same_entries(const struct shuffle_message *a, const struct card *cards_a,
                         const struct shuffle_message *b, const struct card *cards_b)
{
    must(a->count == b->count && a->count <= SHUFFLE_MAX && a->nonce == b->nonce);
    for (uint32_t i = 0; i < a->count; i++) {
        must(a->entries[i].peer == PEER_NONE && a->entries[i].age == b->entries[i].age);
        must(cards_a[i].size == cards_b[i].size &&
             memcmp(cards_a[i].bytes, cards_b[i].bytes, cards_a[i].size) == 0);
    }
}

static void same_model(const struct model_message *a, const struct model_message *b)
{
    must(memcmp(a->task, b->task, TASK_ID_BYTES) == 0);
    must(a->piece.fragment < a->piece.fragments && a->piece.fragment == b->piece.fragment &&
         a->piece.fragments == b->piece.fragments && a->piece.encoding == b->piece.encoding &&
         a->piece.seed == b->piece.seed && a->piece.count == b->piece.count);
    must(isfinite(a->age) && a->age >= 0 && memcmp(&a->age, &b->age, sizeof a->age) == 0);
    must(a->sequence == b->sequence && a->answer == b->answer);
    must(!a->model && !b->model);
}

static void check_header(const uint8_t *data, size_t size)
{
    struct gossip_message message, again;
    struct card cards[SHUFFLE_MAX], cards_again[SHUFFLE_MAX];
    if (message_decode(data, size, &message, cards) != REFUSED_NOT)
        return;
    static uint8_t bytes[HEADER_BYTES_MAX];
    size_t encoded = message_encode(&message, cards, bytes);
    must(encoded > 0 && encoded == message_encode(&message, cards, NULL));
    must(message_decode(bytes, encoded, &again, cards_again) == REFUSED_NOT);
    must(message.kind == again.kind);
    if (message.kind == MESSAGE_MODEL)
        same_model(&message.model, &again.model);
    else if (message.kind == MESSAGE_PULL)
        must(memcmp(message.pull.task, again.pull.task, TASK_ID_BYTES) == 0 &&
             message.pull.nonce == again.pull.nonce);
    else if (message.kind == MESSAGE_SUMS)
        must(memcmp(message.sums.task, again.sums.task, TASK_ID_BYTES) == 0 &&
             message.sums.settled == again.sums.settled && message.sums.heard == again.sums.heard &&
             message.sums.features == again.sums.features);
    else
        same_entries(&message.shuffle, cards, &again.shuffle, cards_again);
}

/* The first bytes choose the piece, the rest is what came as its values. */
static void check_parameters(const uint8_t *data, size_t size)
{
    enum { CHOICE = 8, PARAMETERS_MOST = 5000 };
    if (size < CHOICE)
        return;
    size_t parameters = 1 + (data[0] | (size_t)data[1] << 8) % PARAMETERS_MOST;
    struct piece piece = {.seed = data[2],
                          .fragment = data[3],
                          .fragments = data[4],
                          .count = data[5] | (uint32_t)data[6] << 8,
                          .encoding = (enum encoding)(data[7] & 3)};
    if (!piece_fits(&piece, parameters))
        return;
    data += CHOICE;
    size -= CHOICE;
    float *values = malloc(piece.count * sizeof *values);
    float *model = calloc(parameters, sizeof *model);
    must(values && model);
    bool fine = piece_decode(&piece, data, size, values);
    must(fine == piece_decode(&piece, data, size, NULL));
    must(!fine || size == piece_bytes(&piece));
    for (uint32_t i = 0; fine && i < piece.count; i++)
        must(isfinite(values[i]));
    if (fine)
        piece_blend(&piece, parameters, values, .5f, model);
    if (fine && piece.encoding == ENCODING_F32)
        must(memcmp(values, data, size) == 0);
    free(values);
    free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_header(data, size);
    check_parameters(data, size);
    return 0;
}
