/* table_read — the tables that runs leave (rounds.csv, nodes.csv, baselines.csv), read back by the
 * names of their columns.
 *
 * Plain fields without quotes, as results.c writes them. A last line that was never finished is
 * left out; a line that is no row of the table is a problem that names it.
 */
#ifndef STARLING_TABLE_READ_H
#define STARLING_TABLE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

#define TABLE_COLUMNS_MAX 64
#define TABLE_LINE_MAX 4096

/* One row: fields[i] is the text under heads[i], "" where the table has no such column. */
typedef enum starling_error table_taker(void *self, const char *const *fields, const char *where,
                                        struct problem *problem);

/* Hands each row to `taker`; an error of it ends the reading. `where` ("FILE:LINE") begins the text
 * of a problem. A table without the first column of `heads` is a problem. */
enum starling_error table_read(const char *path, const char *const *heads, size_t count,
                               table_taker *taker, void *self, struct problem *problem);

/* A figure, NaN when the field is empty; false when it is neither. */
bool table_figure(const char *text, double *value);

/* A whole number; false when it is none or too large. */
bool table_whole(const char *text, uint64_t *value);

#endif
