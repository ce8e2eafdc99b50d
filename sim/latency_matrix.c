#include "sim/latency_matrix.h"

#include <math.h>
#include <stdlib.h>

#include "model/fields.h"
#include "model/source.h"
#include "sim/latency.h"

#define MISSING 0u /* until it is filled in */

struct matrix {
    struct source *source;
    uint32_t *us;
    size_t places, rows;
};

static enum starling_error bad(const struct matrix *matrix, const char *what,
                               struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID, "%s:%zu: %s", source_path(matrix->source),
                       source_line_number(matrix->source), what);
}

/* The first row says how many places there are. */
static enum starling_error make_room(struct matrix *matrix, size_t places, struct problem *problem)
{
    if (places < 2 || places > LATENCY_PLACES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: a row of %zu times: write a square matrix of round-trip times "
                           "in ms of 2 to %u places",
                           source_path(matrix->source), source_line_number(matrix->source), places,
                           LATENCY_PLACES_MAX);
    matrix->places = places;
    matrix->us = calloc(places * places, sizeof *matrix->us);
    return matrix->us ? STARLING_OK : problem_no_memory(problem, "a matrix of latencies");
}

/* Half of a round trip, or MISSING. */
static enum starling_error read_time(const struct matrix *matrix, const char *text, uint32_t *us,
                                     struct problem *problem)
{
    float ms = 0;
    char shown[FIELDS_SHOWN];
    enum number_kind kind = fields_number(text, &ms);
    *us = MISSING;
    if (kind == NUMBER_TEXT)
        return problem_set(problem, STARLING_INVALID, "%s:%zu: '%s' is no time in ms",
                           source_path(matrix->source), source_line_number(matrix->source),
                           fields_shown(text, shown));
    if (kind == NUMBER_MISSING || kind == NUMBER_NOT_FINITE || !(ms > 0 || kind != NUMBER_FINE))
        return STARLING_OK;
    double half_us = (double)ms * 500;
    if (kind == NUMBER_TOO_LARGE || half_us > (double)LATENCY_MOST_US)
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: '%s' is a round trip of more than 2 hours",
                           source_path(matrix->source), source_line_number(matrix->source),
                           fields_shown(text, shown));
    *us = half_us > LATENCY_LEAST_US ? (uint32_t)lround(half_us) : LATENCY_LEAST_US;
    return STARLING_OK;
}

static enum starling_error read_row(struct matrix *matrix, const struct fields *fields,
                                    struct problem *problem)
{
    if (!matrix->us && make_room(matrix, fields->count, problem))
        return problem ? problem->error : STARLING_FAILED;
    if (matrix->rows == matrix->places)
        return bad(matrix, "there are more rows than columns: the matrix must be square", problem);
    if (fields->count != matrix->places)
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: a row of %zu times, where the first has %zu",
                           source_path(matrix->source), source_line_number(matrix->source),
                           fields->count, matrix->places);
    uint32_t *row = matrix->us + matrix->rows * matrix->places;
    for (size_t i = 0; i < matrix->places; i++)
        if (read_time(matrix, fields->texts[i], &row[i], problem))
            return STARLING_INVALID;
    row[matrix->rows++] = MISSING; /* nobody is far from where he is */
    return STARLING_OK;
}

static int by_size(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* The median of what was measured; MISSING when nothing was. False when memory is out. */
static bool median_of(const struct matrix *matrix, uint32_t *median)
{
    size_t count = 0, all = matrix->places * matrix->places;
    uint32_t *measured = malloc(all * sizeof *measured);
    if (!measured)
        return false;
    for (size_t i = 0; i < all; i++)
        if (matrix->us[i] != MISSING)
            measured[count++] = matrix->us[i];
    qsort(measured, count, sizeof *measured, by_size);
    *median = count > 0 ? measured[count / 2] : MISSING;
    free(measured);
    return true;
}

static enum starling_error fill_in(struct matrix *matrix, struct problem *problem)
{
    size_t places = matrix->places;
    uint32_t median;
    if (matrix->rows < places)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %zu rows of %zu times: the matrix must be square",
                           source_path(matrix->source), matrix->rows, places);
    if (!median_of(matrix, &median))
        return problem_no_memory(problem, "a matrix of latencies");
    if (median == MISSING)
        return problem_set(problem, STARLING_INVALID, "%s: no time in it is above 0",
                           source_path(matrix->source));
    for (size_t i = 0; i < places; i++)
        for (size_t j = 0; j < i; j++) {
            uint32_t *one = &matrix->us[i * places + j], *other = &matrix->us[j * places + i];
            uint32_t stand_in = *one != MISSING ? *one : *other != MISSING ? *other : median;
            *one = *one != MISSING ? *one : stand_in;
            *other = *other != MISSING ? *other : stand_in;
        }
    for (size_t i = 0; i < places; i++)
        matrix->us[i * places + i] = LATENCY_LEAST_US;
    return STARLING_OK;
}

static enum starling_error read_rows(struct matrix *matrix, struct fields *fields,
                                     struct problem *problem)
{
    char *line, separator = '\0';
    enum starling_error error;
    while (!(error = source_line(matrix->source, &line, problem)) && line) {
        if (*line == '\0' || *line == '#')
            continue;
        separator = separator ? separator : fields_separator(line);
        enum fields_result result = fields_split(fields, line, separator);
        if (result == FIELDS_NO_MEMORY)
            return problem_no_memory(problem, "a matrix of latencies");
        if (result != FIELDS_OK)
            return bad(matrix, "there are quotes in it: write times in ms", problem);
        if (read_row(matrix, fields, problem))
            return problem ? problem->error : STARLING_FAILED;
    }
    if (!error && !matrix->us)
        error = problem_set(problem, STARLING_INVALID,
                            "%s: is empty: write a square matrix of "
                            "round-trip times in ms",
                            source_path(matrix->source));
    return error ? error : fill_in(matrix, problem);
}

enum starling_error latency_matrix_read(const char *path, uint32_t **matrix_us, size_t *places,
                                        struct problem *problem)
{
    struct matrix matrix = {0};
    struct fields fields = {0};
    *matrix_us = NULL;
    enum starling_error error = source_open(&matrix.source, path, problem);
    if (!error)
        error = read_rows(&matrix, &fields, problem);
    fields_clear(&fields);
    source_close(&matrix.source);
    if (error) {
        free(matrix.us);
        return error;
    }
    *matrix_us = matrix.us;
    *places = matrix.places;
    return STARLING_OK;
}
