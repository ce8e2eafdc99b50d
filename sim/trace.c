#include "sim/trace.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "model/fields.h"
#include "model/source.h"

struct line_of {
    struct stay stay;
    uint32_t node;
};

struct reading {
    struct source *source;
    struct line_of *lines;
    size_t count, capacity;
    size_t nodes, nodes_max;
};

/* A whole number of up to nine digits. */
static bool read_node(const char *text, uint32_t *node)
{
    size_t digits = 0;
    *node = 0;
    for (; *text >= '0' && *text <= '9' && digits < 10; digits++)
        *node = digits < 9 ? 10 * *node + (uint32_t)(*text++ - '0') : UINT32_MAX;
    return digits > 0 && (*text == '\0' || digits == 10);
}

static bool read_time(const char *text, uint64_t *us)
{
    double seconds;
    if (!fields_double(text, &seconds) || !(seconds >= 0 && seconds <= TRACE_TIME_MAX_S))
        return false;
    *us = (uint64_t)llround(seconds * 1e6);
    return true;
}

static bool make_room(struct reading *reading)
{
    if (reading->count < reading->capacity)
        return true;
    size_t capacity = reading->capacity ? 2 * reading->capacity : 1024;
    void *lines = reallocarray(reading->lines, capacity, sizeof *reading->lines);
    if (!lines)
        return false;
    reading->lines = lines;
    reading->capacity = capacity;
    return true;
}

static enum starling_error read_line(struct reading *reading, const struct fields *fields,
                                     struct problem *problem)
{
    const char *path = source_path(reading->source);
    size_t number = source_line_number(reading->source);
    struct line_of line;
    if (fields->count != 3 || !read_node(fields->texts[0], &line.node) ||
        !read_time(fields->texts[1], &line.stay.from_us) ||
        !read_time(fields->texts[2], &line.stay.until_us))
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: is no stay: write NODE START END, a number from 0 and two "
                           "times in seconds up to %g",
                           path, number, TRACE_TIME_MAX_S);
    if (line.node >= reading->nodes_max)
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: there is no node %s: sim.nodes is %zu, and they are numbered "
                           "from 0",
                           path, number, fields->texts[0], reading->nodes_max);
    if (line.stay.until_us < line.stay.from_us + TRACE_LEAST_US)
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: a stay ends a millisecond after it begins or later, and this "
                           "one is from %s until %s",
                           path, number, fields->texts[1], fields->texts[2]);
    if (reading->count == TRACE_STAYS_MAX)
        return problem_set(problem, STARLING_INVALID, "%s: holds more than %u stays", path,
                           TRACE_STAYS_MAX);
    if (!make_room(reading))
        return problem_no_memory(problem, "a trace of nodes");
    reading->lines[reading->count++] = line;
    if (line.node >= reading->nodes)
        reading->nodes = line.node + 1;
    return STARLING_OK;
}

static enum starling_error read_lines(struct reading *reading, struct problem *problem)
{
    struct fields fields = {0};
    char *line;
    enum starling_error error;
    while (!(error = source_line(reading->source, &line, problem)) && line) {
        if (*line == '\0' || *line == '#')
            continue;
        if (fields_split(&fields, line, FIELDS_WHITE) != FIELDS_OK)
            fields.count = 0;
        if ((error = read_line(reading, &fields, problem)))
            break;
    }
    fields_clear(&fields);
    if (!error && reading->count == 0)
        error =
            problem_set(problem, STARLING_INVALID, "%s: holds no stay: write NODE START END a line",
                        source_path(reading->source));
    return error;
}

static int by_node_and_time(const void *left, const void *right)
{
    const struct line_of *a = left, *b = right;
    if (a->node != b->node)
        return a->node < b->node ? -1 : 1;
    return a->stay.from_us < b->stay.from_us ? -1 : a->stay.from_us > b->stay.from_us;
}

static enum starling_error put_in_order(struct reading *reading, struct trace *trace,
                                        struct problem *problem)
{
    struct line_of *lines = reading->lines;
    qsort(lines, reading->count, sizeof *lines, by_node_and_time);
    trace->nodes = reading->nodes;
    trace->first = calloc(trace->nodes + 1, sizeof *trace->first);
    trace->stays = malloc(reading->count * sizeof *trace->stays);
    if (!trace->first || !trace->stays)
        return problem_no_memory(problem, "a trace of nodes");
    uint32_t kept = 0;
    for (size_t i = 0; i < reading->count; i++) {
        struct stay *last = kept > 0 ? &trace->stays[kept - 1] : NULL;
        const struct stay *stay = &lines[i].stay;
        bool same = i > 0 && lines[i].node == lines[i - 1].node;
        if (same && stay->from_us < last->until_us)
            return problem_set(problem, STARLING_INVALID,
                               "%s: node %" PRIu32 " is there twice at %.6f s: stays of a node "
                               "must not overlap",
                               source_path(reading->source), lines[i].node,
                               (double)stay->from_us * 1e-6);
        if (same && stay->from_us - last->until_us < TRACE_LEAST_US)
            last->until_us = stay->until_us;
        else
            trace->stays[kept++] = *stay;
        trace->first[lines[i].node + 1] = kept;
    }
    for (size_t i = 1; i <= trace->nodes; i++)
        if (trace->first[i] < trace->first[i - 1])
            trace->first[i] = trace->first[i - 1];
    return STARLING_OK;
}

enum starling_error trace_read(const char *path, size_t nodes_max, struct trace *trace,
                               struct problem *problem)
{
    struct reading reading = {.nodes_max = nodes_max};
    *trace = (struct trace){0};
    enum starling_error error = source_open(&reading.source, path, problem);
    if (!error)
        error = read_lines(&reading, problem);
    if (!error)
        error = put_in_order(&reading, trace, problem);
    if (error)
        trace_clear(trace);
    free(reading.lines);
    source_close(&reading.source);
    return error;
}

void trace_clear(struct trace *trace)
{
    free(trace->first);
    free(trace->stays);
    *trace = (struct trace){0};
}
