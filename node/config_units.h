/* config_units — numbers with a unit: durations, paces and sizes, as text and back. */
#ifndef STARLING_CONFIG_UNITS_H
#define STARLING_CONFIG_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNITS_TEXT_MAX 32

/* A table ends with a NULL name; factors grow. A unit named "" is for a bare number. */
struct unit {
    const char *name;
    uint64_t factor;
};

extern const struct unit duration_units[]; /* in microseconds */
extern const struct unit pace_units[];     /* in picoseconds */
extern const struct unit size_units[];     /* in bytes */

/* "250ms", "1.5 h", "64KiB"; 0 needs no unit. False, and *value unchanged, when `text` is none. */
bool units_read(const struct unit *units, const char *text, uint64_t *value);

/* In the largest unit that gives a whole number, so that reading it back gives the same value. */
void units_write(const struct unit *units, uint64_t value, char out[UNITS_TEXT_MAX]);

#endif
