/* ctl_format — JSON values as a person reads them, and tables of them.
 *
 * Values come from a node and, through it, from its peers: unknown ones are "-", and what could
 * move a terminal's cursor is replaced.
 */
#ifndef STARLING_CTL_FORMAT_H
#define STARLING_CTL_FORMAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define CELL_MAX 160

struct cell {
    char text[CELL_MAX];
};

struct cell cell_text(const json_t *value);
struct cell cell_short_key(const json_t *value); /* the first 16 digits */
struct cell cell_count(const json_t *value);     /* 50,890 */
struct cell cell_number(const json_t *value, int digits);
struct cell cell_percent(const json_t *value);  /* of a ratio: 86.2 % */
struct cell cell_bytes(const json_t *value);    /* 12.3 MiB */
struct cell cell_duration(const json_t *value); /* of seconds: 2 h 03 min */
struct cell cell_milliseconds(const json_t *value);
struct cell cell_clock(const json_t *value); /* of seconds since 1970, local time */

/* A table: cells in rows, as wide as they need. Headings end with NULL; one that begins with '<' is
 * left-aligned, and one that begins with '~' (before a '<') is left out, the last first, where the
 * terminal is too narrow for all. */
struct table;
struct table *table_new(const char *const *headings);
void table_free(struct table **table);
bool table_add(struct table *table, struct cell cell); /* false when memory is out */
void table_print(const struct table *table);

/* Colour on a terminal that wants it: "" elsewhere. */
enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD, COLOUR_DIM, COLOUR_BOLD };
const char *colour_begin(enum colour colour);
const char *colour_end(void);

#endif
