/* names — distinct strings, numbered from 0 in the order they came.
 *
 * What a table's labels and users are told apart by.
 */
#ifndef STARLING_NAMES_H
#define STARLING_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAMES_NONE UINT32_MAX

/* Start from {0}. */
struct names {
    char **texts; /* count of them, owned */
    size_t count, capacity;
    uint32_t *slots; /* open addressing: a name's number, or NAMES_NONE */
    size_t slot_count;
};

/* The number of `text`, added when it is new; NAMES_NONE when memory is out. */
uint32_t names_add(struct names *names, const char *text);

/* The number of `text`, NAMES_NONE when it was never added. */
uint32_t names_find(const struct names *names, const char *text);

/* The place of every name (count of them, by number) in sorted order: by value where all of them
 * are numbers, else by bytes. Returns false when memory is out. */
bool names_order(const struct names *names, uint32_t *place);

void names_clear(struct names *names);

#endif
