/* columns — what each column of a table is: a feature, the label, the user, or nothing.
 *
 * A column is named by its name in the header, by its number from 1, or by `last`.
 */
#ifndef STARLING_COLUMNS_H
#define STARLING_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/problem.h"
#include "model/read.h"

enum column_role { COLUMN_FEATURE, COLUMN_LABEL, COLUMN_USER, COLUMN_IGNORED };

/* Start from {0}. */
struct columns {
    enum column_role *roles; /* count of them */
    char **header;           /* count names, or NULL where the file has no header */
    size_t count, features;
    size_t label, user; /* user == count: none */
};

/* Settles the columns by `options` and the first line of the file, count texts; `where` begins the
 * problem's line. A first line is a header when options name columns by their names, or else when
 * its features are more words than numbers: among numbers, a word is a mistake and no header. */
enum starling_error columns_settle(struct columns *columns, const struct read_options *options,
                                   char *const *texts, size_t count, const char *where,
                                   struct problem *problem);

/* True when the first line of another file of the same columns is a header too. */
bool columns_is_header(const struct columns *columns, char *const *texts);

void columns_clear(struct columns *columns);

#endif
