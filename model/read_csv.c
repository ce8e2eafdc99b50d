#include "model/read.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/columns.h"
#include "model/fields.h"
#include "model/names.h"
#include "model/set_apart.h"
#include "model/source.h"

#define SHOWN_MAX 40 /* bytes of a field that an error line shows */

/* What is the same for the training file and the test file. */
struct table {
    const struct read_options *options;
    struct columns columns; /* settled by the first file's first line */
    struct names labels, users;
    size_t classes; /* 0: as many as there are labels */
};

/* One file while it is read. */
struct reading {
    struct table *table;
    struct source *source;
    struct fields fields;
    struct dataset *rows;
    size_t capacity; /* rows that there is room for */
    bool training;   /* labels may be new */
    char separator;  /* 0 before the first line */
};

/* "FILE:LINE" of the line read last. */
static const char *place(const struct reading *reading, char *out, size_t size)
{
    snprintf(out, size, "%s:%zu", source_path(reading->source),
             source_line_number(reading->source));
    return out;
}

/* What a line of error text shows of a field: its beginning, without control characters. */
static const char *shown(const char *text, char out[SHOWN_MAX + 4])
{
    size_t length = 0;
    for (; length < SHOWN_MAX && text[length]; length++) {
        unsigned char c = (unsigned char)text[length];
        out[length] = c < 0x20 || c == 0x7f ? '?' : text[length];
    }
    strcpy(out + length, text[length] ? "..." : "");
    return out;
}

/* The system promises memory it does not have, so what surely does not fit is refused here. */
static bool beyond_memory(size_t bytes)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 && bytes / (size_t)page > (size_t)pages;
}

static void *resize(void *memory, size_t count, size_t width)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, width, &bytes) || beyond_memory(bytes))
        return NULL;
    return realloc(memory, bytes);
}

/* Gives the arrays of `rows` room for `capacity` rows. */
static bool set_capacity(struct dataset *rows, size_t capacity, bool with_users)
{
    size_t values;
    if (__builtin_mul_overflow(capacity, rows->features, &values))
        return false;
    float *floats = resize(rows->floats, values, sizeof *floats);
    if (floats)
        rows->floats = floats;
    uint16_t *labels = resize(rows->labels, capacity, sizeof *labels);
    if (labels)
        rows->labels = labels;
    if (!floats || !labels)
        return false;
    if (!with_users)
        return true;
    uint32_t *users = resize(rows->users, capacity, sizeof *users);
    if (users)
        rows->users = users;
    return users != NULL;
}

static bool has_users(const struct table *table)
{
    return table->columns.user < table->columns.count;
}

static enum starling_error make_room(struct reading *reading, struct problem *problem)
{
    if (reading->rows->examples < reading->capacity)
        return STARLING_OK;
    const char *path = source_path(reading->source);
    if (reading->rows->examples >= DATASET_EXAMPLES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s: more than %u rows: at most that many are read: take a part of it",
                           path, DATASET_EXAMPLES_MAX);
    size_t capacity = reading->capacity ? reading->capacity * 2 : 64;
    if (!set_capacity(reading->rows, capacity, has_users(reading->table)))
        return problem_set(problem, STARLING_NO_MEMORY,
                           "%s: out of memory after %zu rows: take a part of the file", path,
                           reading->rows->examples);
    reading->capacity = capacity;
    return STARLING_OK;
}

static enum starling_error read_number(const struct reading *reading, size_t column, float *value,
                                       struct problem *problem)
{
    static const char *const wrong[] = {
        [NUMBER_NOT_FINITE] = "is not finite: leave the field empty or write ? where it is missing",
        [NUMBER_TOO_LARGE] = "is beyond 1e30: scale the column down",
        [NUMBER_TEXT] = "is not a number: mend it, or leave the column out with ignore=",
    };
    const char *text = reading->fields.texts[column];
    enum number_kind kind = fields_number(text, value);
    if (kind == NUMBER_FINE || kind == NUMBER_MISSING)
        return STARLING_OK;
    char where[PROBLEM_TEXT_MAX], field[SHOWN_MAX + 4], number[24] = "";
    if (kind == NUMBER_TEXT)
        snprintf(number, sizeof number, "%zu", column + 1);
    return problem_set(problem, STARLING_INVALID, "%s: column %zu: '%s' %s%s",
                       place(reading, where, sizeof where), column + 1, shown(text, field),
                       wrong[kind], number);
}

static enum starling_error read_label(const struct reading *reading, uint16_t *label,
                                      struct problem *problem)
{
    struct table *table = reading->table;
    const char *text = reading->fields.texts[table->columns.label];
    char where[PROBLEM_TEXT_MAX], field[SHOWN_MAX + 4];
    if (*text == '\0' || strcmp(text, "?") == 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: column %zu: the label is missing: remove the line, or say which "
                           "column it is with label=COL",
                           place(reading, where, sizeof where), table->columns.label + 1);
    uint32_t number = reading->training && !table->classes ? names_add(&table->labels, text)
                                                           : names_find(&table->labels, text);
    if (number == NAMES_NONE && table->classes)
        return problem_set(problem, STARLING_INVALID,
                           "%s: label out of range: '%s' is no number below classes=%zu",
                           place(reading, where, sizeof where), shown(text, field), table->classes);
    if (number == NAMES_NONE && reading->training)
        return problem_no_memory(problem, "a table's labels");
    if (number == NAMES_NONE)
        return problem_set(
            problem, STARLING_INVALID,
            "%s: label out of range: '%s' is in no line of %s: test examples must be "
            "of the classes trained on",
            place(reading, where, sizeof where), shown(text, field), table->options->path);
    if (number >= DATASET_CLASSES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s: column %zu has more than %u distinct labels: say which column is "
                           "the label with label=COL",
                           place(reading, where, sizeof where), table->columns.label + 1,
                           DATASET_CLASSES_MAX);
    *label = (uint16_t)number;
    return STARLING_OK;
}

static enum starling_error read_user(const struct reading *reading, uint32_t *user,
                                     struct problem *problem)
{
    struct table *table = reading->table;
    const char *text = reading->fields.texts[table->columns.user];
    char where[PROBLEM_TEXT_MAX];
    if (*text == '\0' || strcmp(text, "?") == 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: column %zu: the user is missing: remove the line",
                           place(reading, where, sizeof where), table->columns.user + 1);
    *user = names_add(&table->users, text);
    return *user == NAMES_NONE ? problem_no_memory(problem, "a table's users") : STARLING_OK;
}

static enum starling_error read_row(struct reading *reading, struct problem *problem)
{
    const struct columns *columns = &reading->table->columns;
    struct dataset *rows = reading->rows;
    enum starling_error error = make_room(reading, problem);
    if (error)
        return error;
    error = read_label(reading, &rows->labels[rows->examples], problem);
    if (!error && has_users(reading->table))
        error = read_user(reading, &rows->users[rows->examples], problem);
    float *value = rows->floats + rows->examples * rows->features;
    for (size_t i = 0; i < columns->count && !error; i++)
        if (columns->roles[i] == COLUMN_FEATURE)
            error = read_number(reading, i, value++, problem);
    rows->examples += !error;
    return error;
}

/* Splits `line`, settling the separator if it is the file's first. */
static enum starling_error split(struct reading *reading, char *line, struct problem *problem)
{
    char where[PROBLEM_TEXT_MAX];
    if (!reading->separator)
        reading->separator = fields_separator(line);
    switch (fields_split(&reading->fields, line, reading->separator)) {
    case FIELDS_OK:
        return STARLING_OK;
    case FIELDS_NO_MEMORY:
        return problem_no_memory(problem, "the fields of a line");
    case FIELDS_OPEN_QUOTE:
        return problem_set(problem, STARLING_INVALID,
                           "%s: a quote is not closed: a row is one line, and a quote in a quoted "
                           "field is written twice",
                           place(reading, where, sizeof where));
    case FIELDS_AFTER_QUOTE:
    default:
        return problem_set(problem, STARLING_INVALID,
                           "%s: text behind a closing quote: a quote in a quoted field is written "
                           "twice",
                           place(reading, where, sizeof where));
    }
}

/* Settles the columns, or holds a second file against those of the first; *header says whether the
 * line is one. */
static enum starling_error begin(struct reading *reading, bool *header, struct problem *problem)
{
    struct table *table = reading->table;
    const struct fields *fields = &reading->fields;
    char where[PROBLEM_TEXT_MAX];
    place(reading, where, sizeof where);
    *header = false;
    if (reading->training) {
        enum starling_error error = columns_settle(&table->columns, table->options, fields->texts,
                                                   fields->count, where, problem);
        if (error)
            return error;
        *header = table->columns.header != NULL;
    } else if (fields->count == table->columns.count) {
        *header = columns_is_header(&table->columns, fields->texts);
    }
    reading->rows->features = table->columns.features;
    return STARLING_OK;
}

static bool is_blank_line(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

static enum starling_error read_line(struct reading *reading, char *line, struct problem *problem)
{
    bool header = false, first = !reading->separator;
    enum starling_error error = split(reading, line, problem);
    if (!error && first)
        error = begin(reading, &header, problem);
    if (error || header)
        return error;
    if (reading->fields.count != reading->table->columns.count) {
        char where[PROBLEM_TEXT_MAX];
        return problem_set(
            problem, STARLING_INVALID,
            "%s: %zu fields where the first line of %s has %zu: every line must have "
            "as many",
            place(reading, where, sizeof where), reading->fields.count,
            reading->table->options->path, reading->table->columns.count);
    }
    return read_row(reading, problem);
}

static enum starling_error read_file(struct table *table, const char *path, struct dataset *rows,
                                     bool training, struct problem *problem)
{
    struct reading reading = {.table = table, .rows = rows, .training = training};
    enum starling_error error = source_open(&reading.source, path, problem);
    char *line = NULL;
    while (!error && !(error = source_line(reading.source, &line, problem)) && line)
        if (!is_blank_line(line))
            error = read_line(&reading, line, problem);
    if (!error && rows->examples == 0)
        error = problem_set(problem, STARLING_INVALID,
                            "%s: is empty: a table has a line an example", path);
    fields_clear(&reading.fields);
    source_close(&reading.source);
    return error;
}

/* Numbers labels and users by sorted order instead of by first appearance. */
static enum starling_error renumber(struct table *table, struct data *data, struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    struct dataset *both[] = {&data->train, &data->test};
    uint32_t *label_place = calloc(table->labels.count + 1, sizeof *label_place);
    uint32_t *user_place = calloc(table->users.count + 1, sizeof *user_place);
    if (!label_place || !user_place || !names_order(&table->labels, label_place) ||
        !names_order(&table->users, user_place)) {
        error = problem_no_memory(problem, "a table's labels");
        goto done;
    }
    for (size_t k = 0; k < 2; k++) {
        both[k]->features = table->columns.features;
        both[k]->classes = table->labels.count;
        both[k]->user_count = table->users.count;
        for (size_t i = 0; i < both[k]->examples; i++) {
            both[k]->labels[i] = (uint16_t)label_place[both[k]->labels[i]];
            if (both[k]->users)
                both[k]->users[i] = user_place[both[k]->users[i]];
        }
    }
done:
    free(label_place);
    free(user_place);
    return error;
}

/* With classes=N the labels are the numbers below N, whether or not a line has each. */
static enum starling_error name_classes(struct table *table, struct problem *problem)
{
    enum starling_error error = read_classes(table->options, &table->classes, problem);
    for (size_t i = 0; i < table->classes && !error; i++) {
        char text[24];
        snprintf(text, sizeof text, "%zu", i);
        if (names_add(&table->labels, text) == NAMES_NONE)
            error = problem_no_memory(problem, "a table's labels");
    }
    return error;
}

enum starling_error read_csv(const struct read_options *options, const struct data_hints *hints,
                             struct data *data, struct problem *problem)
{
    struct table table = {.options = options};
    bool no_test = options->test && strcmp(options->test, "none") == 0;
    enum starling_error error = name_classes(&table, problem);
    if (!error)
        error = read_file(&table, options->path, &data->train, true, problem);
    if (!error && options->test && !no_test)
        error = read_file(&table, options->test, &data->test, false, problem);
    if (!error)
        error = renumber(&table, data, problem);
    if (!error && !options->test)
        error = dataset_set_apart(&data->train, &data->test, hints->seed, problem);
    columns_clear(&table.columns);
    names_clear(&table.labels);
    names_clear(&table.users);
    return error;
}
