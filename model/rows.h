/* rows — the examples of a file while they are read: room that grows with them, their labels and
 * users told apart by their text.
 *
 * What every reader of examples in text shares. A problem that these functions set says what is
 * wrong and what to do; the reader puts the place before it by problem_at.
 */
#ifndef STARLING_ROWS_H
#define STARLING_ROWS_H

#include <stdbool.h>

#include "model/names.h"
#include "model/read.h"

/* Where labels and users get their numbers, over all files of one data set. */
struct row_names {
    const struct read_options *options;
    struct names labels, users;
    const char *advice; /* where the labels of this kind of file are to be found */
    size_t classes;     /* classes=N: the labels are the numbers below it; 0: whatever there is */
};

/* `advice` ends a problem with labels ("say which column is the label with label=COL"). */
enum starling_error row_names_begin(struct row_names *names, const struct read_options *options,
                                    const char *advice, struct problem *problem);
void row_names_clear(struct row_names *names);

/* The number of a label or user so far. A label that is new is taken when `training`, else it is
 * refused; so are an empty one and "?". */
enum starling_error row_names_label(struct row_names *names, const char *text, bool training,
                                    uint16_t *label, struct problem *problem);
enum starling_error row_names_user(struct row_names *names, const char *text, uint32_t *user,
                                   struct problem *problem);

/* At the end: numbers the labels and users of `data` by sorted order (see names_order) instead of
 * by first appearance, sets features, classes and users of both of its parts, and names the
 * classes. */
enum starling_error row_names_settle(struct row_names *names, size_t features, struct data *data,
                                     struct problem *problem);

/* Makes room for `wanted` rows of rows->features floats; *capacity is how many there is room for.
 * Grows by more than asked for, so that a row costs the same however many there are. The problem,
 * which names `path`, says that there are too many or that memory does not hold them. */
enum starling_error rows_make_room(struct dataset *rows, size_t *capacity, size_t wanted,
                                   bool with_users, const char *path, struct problem *problem);

#endif
