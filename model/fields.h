/* fields — one line of a table taken apart, and its numbers read.
 *
 * Fields are parted by a comma, semicolon, tab or runs of white space. White space around a field
 * is left out; a field in double quotes keeps all it holds, with "" for a quote inside.
 */
#ifndef STARLING_FIELDS_H
#define STARLING_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#define FIELDS_WHITE ' ' /* the separator that stands for runs of blanks and tabs */

/* No number beyond this is read, so that differences of floats never overflow. */
#define FIELDS_NUMBER_MAX 1e30

/* Start from {0}. */
struct fields {
    char **texts; /* count of them, in the line that was split */
    size_t count, capacity;
};

enum fields_result { FIELDS_OK, FIELDS_OPEN_QUOTE, FIELDS_AFTER_QUOTE, FIELDS_NO_MEMORY };

/* The separator of a first line: the one of comma, semicolon and tab that it holds most often
 * outside quotes, FIELDS_WHITE when it holds none, or tabs and numbers that blanks part. */
char fields_separator(const char *line);

/* Splits `line` in place; what it found lies in fields->texts until the line is gone. An open
 * quote, or text behind a closing one, is refused. */
enum fields_result fields_split(struct fields *fields, char *line, char separator);

/* Leaves out empty fields, for runs of tabs; returns how many are left. */
size_t fields_drop_empty(struct fields *fields);

void fields_clear(struct fields *fields);

enum number_kind { NUMBER_FINE, NUMBER_MISSING, NUMBER_NOT_FINITE, NUMBER_TOO_LARGE, NUMBER_TEXT };

/* Reads a decimal number, rounded to the nearest float; an empty field and "?" are missing. */
enum number_kind fields_number(const char *text, float *value);

/* The same for a whole double, for sorting; false when `text` is no finite number. */
bool fields_double(const char *text, double *value);

#define FIELDS_SHOWN 44 /* bytes for fields_shown */

/* What a line of error text shows of a field: its beginning, without control characters. */
const char *fields_shown(const char *text, char out[FIELDS_SHOWN]);

#endif
