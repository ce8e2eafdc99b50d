#include "model/names.h"

#include <stdlib.h>
#include <string.h>

#include "model/fields.h"

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

/* The slot that holds `text`, or the empty one where it belongs; slot_count is a power of two and
 * never full. */
static size_t find_slot(const struct names *names, const char *text)
{
    size_t mask = names->slot_count - 1;
    size_t slot = (size_t)hash_text(text) & mask;
    while (names->slots[slot] != NAMES_NONE && strcmp(names->texts[names->slots[slot]], text) != 0)
        slot = (slot + 1) & mask;
    return slot;
}

static bool grow(struct names *names)
{
    size_t capacity = names->capacity ? names->capacity * 2 : 64;
    if (capacity > SIZE_MAX / 2 / sizeof *names->texts || capacity >= NAMES_NONE)
        return false;
    char **texts = realloc(names->texts, capacity * sizeof *texts);
    if (!texts)
        return false;
    names->texts = texts;
    uint32_t *slots = malloc(capacity * 2 * sizeof *slots);
    if (!slots)
        return false;
    memset(slots, 0xff, capacity * 2 * sizeof *slots);
    free(names->slots);
    names->slots = slots;
    names->slot_count = capacity * 2;
    names->capacity = capacity;
    for (size_t i = 0; i < names->count; i++)
        names->slots[find_slot(names, names->texts[i])] = (uint32_t)i;
    return true;
}

uint32_t names_add(struct names *names, const char *text)
{
    if (names->count == names->capacity && !grow(names))
        return NAMES_NONE;
    size_t slot = find_slot(names, text);
    if (names->slots[slot] != NAMES_NONE)
        return names->slots[slot];
    char *copy = strdup(text);
    if (!copy)
        return NAMES_NONE;
    names->texts[names->count] = copy;
    names->slots[slot] = (uint32_t)names->count;
    return (uint32_t)names->count++;
}

uint32_t names_find(const struct names *names, const char *text)
{
    return names->slot_count ? names->slots[find_slot(names, text)] : NAMES_NONE;
}

struct sorted_name {
    const char *text;
    double value; /* 0 unless all names are numbers */
    uint32_t number;
};

static int compare_names(const void *a, const void *b)
{
    const struct sorted_name *left = a, *right = b;
    if (left->value != right->value)
        return left->value < right->value ? -1 : 1;
    return strcmp(left->text, right->text);
}

bool names_order(const struct names *names, uint32_t *place)
{
    if (names->count == 0)
        return true;
    struct sorted_name *sorted = malloc(names->count * sizeof *sorted);
    if (!sorted)
        return false;
    bool numeric = true;
    for (size_t i = 0; i < names->count; i++) {
        sorted[i] = (struct sorted_name){.text = names->texts[i], .number = (uint32_t)i};
        numeric = numeric && fields_double(names->texts[i], &sorted[i].value);
    }
    for (size_t i = 0; i < names->count && !numeric; i++)
        sorted[i].value = 0;
    qsort(sorted, names->count, sizeof *sorted, compare_names);
    for (size_t i = 0; i < names->count; i++)
        place[sorted[i].number] = (uint32_t)i;
    free(sorted);
    return true;
}

void names_clear(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->texts[i]);
    free(names->texts);
    free(names->slots);
    *names = (struct names){0};
}
