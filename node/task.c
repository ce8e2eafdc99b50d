#include "node/task.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

static void add_number(crypto_generichash_state *state, uint64_t number)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    crypto_generichash_update(state, bytes, sizeof bytes);
}

/* The length in front keeps neighbouring texts apart. */
static void add_text(crypto_generichash_state *state, const char *text, size_t length)
{
    add_number(state, length);
    crypto_generichash_update(state, (const uint8_t *)text, length);
}

void task_id(const char *name, const struct model *model, const struct data *data,
             uint8_t id[TASK_ID_BYTES])
{
    static const char context[] = "starling task 1";
    while (isspace((unsigned char)*name))
        name++;
    size_t length = strlen(name);
    while (length > 0 && isspace((unsigned char)name[length - 1]))
        length--;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, TASK_ID_BYTES);
    add_text(&state, context, strlen(context));
    add_text(&state, name, length);
    add_text(&state, model_name(model), strlen(model_name(model)));
    add_number(&state, model_features(model));
    add_number(&state, model_classes(model));
    add_number(&state, model_parameters(model));
    for (size_t s = 0; s < model_shape(model)->symbols && data->class_names; s++)
        add_text(&state, data->class_names[s], strlen(data->class_names[s]));
    crypto_generichash_final(&state, id, TASK_ID_BYTES);
}

uint64_t task_seed(const uint8_t id[TASK_ID_BYTES])
{
    uint64_t seed = 0;
    for (size_t i = 0; i < 8; i++)
        seed |= (uint64_t)id[i] << (8 * i);
    return seed;
}

void task_hex(const uint8_t id[TASK_ID_BYTES], char out[TASK_HEX_SIZE])
{
    sodium_bin2hex(out, TASK_HEX_SIZE, id, TASK_ID_BYTES);
}
