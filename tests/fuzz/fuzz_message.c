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
    must(a->fragment < a->fragments && a->fragment == b->fragment && a->fragments == b->fragments);
    must(isfinite(a->age) && a->age >= 0 && memcmp(&a->age, &b->age, sizeof a->age) == 0);
    must(a->sequence == b->sequence && a->answer == b->answer && a->parameters == b->parameters);
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
    else
        same_entries(&message.shuffle, cards, &again.shuffle, cards_again);
}

static void check_parameters(const uint8_t *data, size_t size)
{
    struct model_message message = {.parameters = size / sizeof(float)};
    bool finite = true;
    for (size_t i = 0; i + sizeof(float) <= size; i += sizeof(float)) {
        float value;
        memcpy(&value, data + i, sizeof value);
        finite = finite && isfinite(value);
    }
    float *values = malloc(size ? size : 1);
    must(values);
    bool fine = message_model_check(&message, data, size, NULL) == REFUSED_NOT;
    must(fine == (finite && size % sizeof(float) == 0));
    must(fine == (message_model_check(&message, data, size, values) == REFUSED_NOT));
    must(!fine || size == 0 || memcmp(values, data, size) == 0);
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_header(data, size);
    check_parameters(data, size);
    return 0;
}
