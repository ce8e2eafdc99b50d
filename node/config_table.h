/* config_table — every setting there is: its place, kind, bounds, default and line of help.
 *
 * A new setting is one line here and one member of struct config.
 */
#ifndef STARLING_CONFIG_TABLE_H
#define STARLING_CONFIG_TABLE_H

#include "node/config.h"

enum setting_kind {
    SETTING_TEXT,
    SETTING_COUNT,    /* uint64_t */
    SETTING_REAL,     /* double */
    SETTING_CHOICE,   /* int or an enum: an index into `words` */
    SETTING_SWITCH,   /* bool: on, off */
    SETTING_DURATION, /* uint64_t, microseconds */
    SETTING_PACE,     /* uint64_t, picoseconds */
    SETTING_SIZE,     /* uint64_t, bytes */
};

struct setting {
    const char *section, *name;
    const char *initial; /* the default, as a person would write it */
    const char *help;
    enum setting_kind kind;
    bool may_be_auto;      /* takes "auto" too, kept as CONFIG_AUTO or CONFIG_AUTO_COUNT */
    bool expands;          /* a text whose ${NAME} are environment variables */
    size_t offset, size;   /* of the member of struct config, bytes */
    uint64_t least, most;  /* bounds of all that is uint64_t */
    double floor, ceiling; /* bounds of a real */
    const char *const *words;
};

extern const struct setting config_settings[];
extern const size_t config_setting_count;

/* Sections in the order in which they are written and explained, NULL at the end. */
extern const char *const config_sections[];

#endif
