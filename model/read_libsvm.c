#include "model/read.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "model/fields.h"
#include "model/rows.h"
#include "model/set_apart.h"
#include "model/source.h"

/* A file is read twice: to learn how many lines and features it has, and, once there is just as
 * much room as they need, to fill it. */
struct reading {
    struct row_names *names;
    struct source *source;
    struct dataset *rows;
    bool training;       /* labels may be new */
    size_t features_max; /* no index is beyond it */
    size_t lines, largest;
};

/* Puts "FILE:LINE: " before the problem's text. */
static enum starling_error at_line(const struct reading *reading, enum starling_error error,
                                   struct problem *problem)
{
    char where[PROBLEM_TEXT_MAX];
    if (error) {
        snprintf(where, sizeof where, "%s:%zu", source_path(reading->source),
                 source_line_number(reading->source));
        problem_at(problem, where);
    }
    return error;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the next word out of *rest; NULL when none is left. */
static char *next_word(char **rest)
{
    char *word = *rest;
    while (is_blank(*word))
        word++;
    if (*word == '\0')
        return NULL;
    char *end = word;
    while (*end && !is_blank(*end))
        end++;
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static enum starling_error read_label(const struct reading *reading, const char *word,
                                      uint16_t *label, struct problem *problem)
{
    if (strchr(word, ','))
        return problem_set(problem, STARLING_INVALID,
                           "several labels, where one is wanted: keep one class an example");
    if (strchr(word, ':'))
        word = ""; /* the line begins with its first feature */
    word += *word == '+';
    return row_names_label(reading->names, word, reading->training, label, problem);
}

/* Reads "INDEX:VALUE"; the index is more than `last`. */
static enum starling_error read_pair(const struct reading *reading, char *word, size_t last,
                                     size_t *index, float *value, struct problem *problem)
{
    static const char *const wrong[] = {
        [NUMBER_MISSING] = "is missing: leave out the pair, which then counts as 0",
        [NUMBER_NOT_FINITE] = "is not finite: leave out the pair, which then counts as 0",
        [NUMBER_TOO_LARGE] = "is beyond 1e30: scale the feature down",
        [NUMBER_TEXT] = "is not a number: a feature is written INDEX:VALUE",
    };
    char field[FIELDS_SHOWN];
    char *at = word;
    *index = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (*index <= DATASET_FEATURES_MAX)
            *index = *index * 10 + (size_t)(*at - '0');
    if (at == word || *at != ':')
        return problem_set(problem, STARLING_INVALID,
                           "'%s' is no feature: a feature is written INDEX:VALUE",
                           fields_shown(word, field));
    if (*index == 0)
        return problem_set(problem, STARLING_INVALID,
                           "'%s': indices count from 1: add 1 to every index",
                           fields_shown(word, field));
    if (*index > reading->features_max)
        return problem_set(problem, STARLING_INVALID,
                           "'%s': the largest index that is taken is %zu: give a larger "
                           "features=N (at most %u), or leave the feature out",
                           fields_shown(word, field), reading->features_max, DATASET_FEATURES_MAX);
    if (*index <= last)
        return problem_set(problem, STARLING_INVALID,
                           "'%s' behind index %zu: indices must rise, and each comes once",
                           fields_shown(word, field), last);
    enum number_kind kind = fields_number(at + 1, value);
    if (kind != NUMBER_FINE)
        return problem_set(problem, STARLING_INVALID, "index %zu: '%s' %s", *index,
                           fields_shown(at + 1, field), wrong[kind]);
    return STARLING_OK;
}

/* Reads "LABEL [qid:N] INDEX:VALUE …"; the values go to `row`, or nowhere when it is NULL. */
static enum starling_error read_example(struct reading *reading, char *word, char *rest,
                                        uint16_t *label, float *row, struct problem *problem)
{
    enum starling_error error = read_label(reading, word, label, problem);
    size_t last = 0;
    bool first = true;
    while (!error && (word = next_word(&rest))) {
        float value;
        if (!first || strncmp(word, "qid:", 4) != 0) {
            error = read_pair(reading, word, last, &last, &value, problem);
            if (!error && row)
                row[last - 1] = value;
        }
        first = false;
    }
    if (last > reading->largest)
        reading->largest = last;
    return error;
}

/* Goes through the file from its beginning, measuring or, when `fill`, filling reading->rows. */
static enum starling_error read_lines(struct reading *reading, bool fill, struct problem *problem)
{
    struct dataset *rows = reading->rows;
    size_t room = reading->lines;
    char *rest = NULL;
    enum starling_error error = STARLING_OK;
    reading->lines = 0;
    while (!error && !(error = source_line(reading->source, &rest, problem)) && rest) {
        uint16_t label;
        rest[strcspn(rest, "#")] = '\0';
        char *word = next_word(&rest);
        if (!word)
            continue;
        if (fill && reading->lines == room)
            return at_line(reading,
                           problem_set(problem, STARLING_INVALID,
                                       "the file grew while it was read: try again"),
                           problem);
        float *row = fill ? rows->floats + reading->lines * rows->features : NULL;
        if (fill)
            memset(row, 0, rows->features * sizeof *row);
        error = at_line(reading, read_example(reading, word, rest, &label, row, problem), problem);
        if (fill && !error)
            rows->labels[reading->lines] = label;
        reading->lines++;
    }
    if (fill)
        rows->examples = reading->lines;
    return error;
}

static enum starling_error measure(struct reading *reading, const char *path,
                                   struct problem *problem)
{
    enum starling_error error = source_open(&reading->source, path, problem);
    if (!error)
        error = read_lines(reading, false, problem);
    if (!error && reading->lines == 0)
        error = problem_set(problem, STARLING_INVALID,
                            "%s: is empty: an example is a line of a label and its features", path);
    return error;
}

static enum starling_error fill(struct reading *reading, size_t features, struct problem *problem)
{
    size_t capacity = 0;
    reading->rows->features = reading->features_max = features;
    enum starling_error error = rows_make_room(reading->rows, &capacity, reading->lines, false,
                                               source_path(reading->source), problem);
    if (!error)
        error = source_rewind(reading->source, problem);
    return error ? error : read_lines(reading, true, problem);
}

enum starling_error read_libsvm(const struct read_options *options, const struct data_hints *hints,
                                struct data *data, struct problem *problem)
{
    struct row_names names;
    bool with_test = options->test && strcmp(options->test, "none") != 0;
    size_t features = 0;
    struct reading train = {.names = &names, .rows = &data->train, .training = true};
    struct reading test = {.names = &names, .rows = &data->test};
    enum starling_error error =
        row_names_begin(&names, options, "begin each line with its label", problem);
    if (!error)
        error = read_option_number(options, "features", options->features, 1, DATASET_FEATURES_MAX,
                                   &features, problem);
    train.features_max = test.features_max = features ? features : DATASET_FEATURES_MAX;
    if (!error)
        error = measure(&train, options->path, problem);
    if (!error && with_test)
        error = measure(&test, options->test, problem);
    if (!features)
        features = train.largest > test.largest ? train.largest : test.largest;
    if (!error && !features)
        error = problem_set(problem, STARLING_INVALID,
                            "%s: no line has a feature: one is written INDEX:VALUE", options->path);
    if (!error)
        error = fill(&train, features, problem);
    if (!error && with_test)
        error = fill(&test, features, problem);
    if (!error)
        error = row_names_settle(&names, features, data, problem);
    if (!error && !options->test)
        error = dataset_set_apart(&data->train, &data->test, hints->seed, problem);
    source_close(&train.source);
    source_close(&test.source);
    row_names_clear(&names);
    return error;
}
