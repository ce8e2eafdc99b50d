#include "model/read.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/columns.h"
#include "model/fields.h"
#include "model/rows.h"
#include "model/set_apart.h"
#include "model/source.h"

/* What is the same for the training file and the test file. */
struct table {
    const struct read_options *options;
    struct columns columns; /* settled by the first file's first line */
    struct row_names names;
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

static bool has_users(const struct table *table)
{
    return table->columns.user < table->columns.count;
}

/* Puts "FILE:LINE: column N" before the problem's text. */
static enum starling_error at_column(const struct reading *reading, size_t column,
                                     enum starling_error error, struct problem *problem)
{
    char where[PROBLEM_TEXT_MAX + 40];
    if (error) {
        place(reading, where, PROBLEM_TEXT_MAX);
        snprintf(where + strlen(where), 40, ": column %zu", column + 1);
        problem_at(problem, where);
    }
    return error;
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
    char field[FIELDS_SHOWN], number[24] = "";
    if (kind == NUMBER_TEXT)
        snprintf(number, sizeof number, "%zu", column + 1);
    return at_column(reading, column,
                     problem_set(problem, STARLING_INVALID, "'%s' %s%s", fields_shown(text, field),
                                 wrong[kind], number),
                     problem);
}

static enum starling_error read_label(const struct reading *reading, uint16_t *label,
                                      struct problem *problem)
{
    size_t column = reading->table->columns.label;
    return at_column(reading, column,
                     row_names_label(&reading->table->names, reading->fields.texts[column],
                                     reading->training, label, problem),
                     problem);
}

static enum starling_error read_user(const struct reading *reading, uint32_t *user,
                                     struct problem *problem)
{
    size_t column = reading->table->columns.user;
    return at_column(
        reading, column,
        row_names_user(&reading->table->names, reading->fields.texts[column], user, problem),
        problem);
}

static enum starling_error read_row(struct reading *reading, struct problem *problem)
{
    const struct columns *columns = &reading->table->columns;
    struct dataset *rows = reading->rows;
    enum starling_error error =
        rows_make_room(rows, &reading->capacity, rows->examples + 1, has_users(reading->table),
                       source_path(reading->source), problem);
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
    /* A line of too many fields by tabs, of which the right number is not empty: runs of tabs. */
    if (reading->fields.count > reading->table->columns.count && reading->separator == '\t')
        fields_drop_empty(&reading->fields);
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

static enum starling_error name_features(const struct columns *columns, struct data *data,
                                         struct problem *problem)
{
    size_t feature = 0;
    data->feature_names = calloc(columns->features + 1, sizeof *data->feature_names);
    if (!data->feature_names)
        return problem_no_memory(problem, "a table's header");
    for (size_t i = 0; i < columns->count; i++) {
        char number[24];
        if (columns->roles[i] != COLUMN_FEATURE)
            continue;
        snprintf(number, sizeof number, "%zu", i + 1);
        char *name = strdup(columns->header ? columns->header[i] : number);
        if (!name)
            return problem_no_memory(problem, "a table's header");
        data->feature_names[feature++] = name;
    }
    return STARLING_OK;
}

enum starling_error read_csv(const struct read_options *options, const struct data_hints *hints,
                             struct data *data, struct problem *problem)
{
    struct table table = {.options = options};
    bool no_test = options->test && strcmp(options->test, "none") == 0;
    enum starling_error error = row_names_begin(
        &table.names, options, "say which column is the label with label=COL", problem);
    if (!error)
        error = read_file(&table, options->path, &data->train, true, problem);
    if (!error && options->test && !no_test)
        error = read_file(&table, options->test, &data->test, false, problem);
    if (!error)
        error = row_names_settle(&table.names, table.columns.features, data, problem);
    if (!error)
        error = name_features(&table.columns, data, problem);
    if (!error && !options->test)
        error = dataset_set_apart(&data->train, &data->test, hints->seed, problem);
    columns_clear(&table.columns);
    row_names_clear(&table.names);
    return error;
}
