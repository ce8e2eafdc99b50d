#include "sim/sweep_figures.h"

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/out.h"
#include "sim/table_read.h"

#define DEPTH_MAX 4 /* of summary.json */

struct figures *figures_new(size_t runs)
{
    struct figures *figures = calloc(1, sizeof *figures);
    if (!figures)
        return NULL;
    figures->runs = runs;
    figures->values = calloc(runs ? runs : 1, FIGURES_MAX * sizeof *figures->values);
    if (!figures->values)
        figures_free(&figures);
    for (size_t i = 0; figures && i < runs * FIGURES_MAX; i++)
        figures->values[i] = NAN;
    return figures;
}

void figures_free(struct figures **figures)
{
    if (!*figures)
        return;
    free((*figures)->values);
    free(*figures);
    *figures = NULL;
}

size_t figures_find(const struct figures *figures, const char *name)
{
    size_t i = 0;
    while (i < figures->count && strcmp(figures->names[i], name))
        i++;
    return i;
}

static void put(struct figures *figures, size_t run, const char *name, double value)
{
    size_t figure = figures_find(figures, name);
    if (figure == FIGURES_MAX || strlen(name) >= FIGURE_NAME_MAX)
        return;
    if (figure == figures->count)
        snprintf(figures->names[figures->count++], FIGURE_NAME_MAX, "%s", name);
    figures->values[run * FIGURES_MAX + figure] = value;
}

/* Every number of `json`, named by its path; what says which run it was is no figure of it. */
static void take_numbers(struct figures *figures, size_t run, const char *prefix, json_t *json,
                         int depth)
{
    const char *key;
    json_t *value;
    char name[2 * FIGURE_NAME_MAX];
    json_object_foreach(json, key, value)
    {
        if (depth == 0 && (!strcmp(key, "schema") || !strcmp(key, "seed")))
            continue;
        snprintf(name, sizeof name, "%s%s%.60s", prefix, *prefix ? "." : "", key);
        if (json_is_number(value))
            put(figures, run, name, json_number_value(value));
        else if (json_is_object(value) && depth < DEPTH_MAX && strlen(name) < FIGURE_NAME_MAX)
            take_numbers(figures, run, name, value, depth + 1);
    }
}

static enum starling_error take_summary(struct figures *figures, size_t run, const char *dir,
                                        struct problem *problem)
{
    char *path = out_path(dir, "summary.json");
    json_error_t why;
    json_t *summary = path ? json_load_file(path, 0, &why) : NULL;
    enum starling_error error = STARLING_OK;
    if (!path)
        error = problem_no_memory(problem, "a file's name");
    else if (!json_is_object(summary))
        error = problem_set(problem, STARLING_FAILED, "%s: cannot be read: %.100s", path,
                            summary ? "no object" : why.text);
    free(path);
    if (error) {
        json_decref(summary);
        return error;
    }
    take_numbers(figures, run, "", summary, 0);
    double nodes = json_number_value(json_object_get(summary, "nodes"));
    double bytes = json_number_value(json_object_get(summary, "bytes"));
    if (nodes > 0)
        put(figures, run, "bytes_a_node", bytes / nodes);
    json_decref(summary);
    return STARLING_OK;
}

/* What is kept of an evaluation, by its columns in rounds.csv. */
static const struct {
    const char *column, *figure;
} kept[] = {{"accuracy_mean", "accuracy"}, {"loss_mean", "loss"}, {"bytes", "bytes"}};
#define KEPT (sizeof kept / sizeof *kept)

struct marking {
    struct figures *figures;
    size_t run;
    const uint64_t *marks;
    size_t mark_count;
};

static enum starling_error take_row(void *self, const char *const *fields, const char *where,
                                    struct problem *problem)
{
    const struct marking *marking = self;
    uint64_t round;
    double value;
    if (!table_whole(fields[0], &round))
        return problem_set(problem, STARLING_FAILED, "%s: \"%.40s\" is no round: make it again",
                           where, fields[0]);
    for (size_t i = 0; i < marking->mark_count; i++)
        for (size_t j = 0; j < KEPT && marking->marks[i] == round; j++) {
            char name[FIGURE_NAME_MAX];
            if (!table_figure(fields[1 + j], &value) || isnan(value))
                continue;
            snprintf(name, sizeof name, "%s@%llu", kept[j].figure, (unsigned long long)round);
            put(marking->figures, marking->run, name, value);
        }
    return STARLING_OK;
}

static enum starling_error take_rounds(struct figures *figures, size_t run, const char *dir,
                                       const uint64_t *marks, size_t mark_count,
                                       struct problem *problem)
{
    struct marking marking = {figures, run, marks, mark_count};
    const char *heads[1 + KEPT] = {"round"};
    char *path = out_path(dir, "rounds.csv");
    for (size_t i = 0; i < KEPT; i++)
        heads[1 + i] = kept[i].column;
    enum starling_error error = path
                                    ? table_read(path, heads, 1 + KEPT, take_row, &marking, problem)
                                    : problem_no_memory(problem, "a file's name");
    free(path);
    return error;
}

enum starling_error figures_take(struct figures *figures, size_t run, const char *dir,
                                 const uint64_t *marks, size_t mark_count, struct problem *problem)
{
    enum starling_error error = take_summary(figures, run, dir, problem);
    if (!error && mark_count > 0)
        error = take_rounds(figures, run, dir, marks, mark_count, problem);
    return error;
}

double student_quantile(size_t freedom)
{
    static const double table[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646,
                                   2.3060,  2.2622, 2.2281, 2.2010, 2.1788, 2.1604, 2.1448,
                                   2.1314,  2.1199, 2.1098, 2.1009, 2.0930, 2.0860};
    if (freedom <= sizeof table / sizeof *table)
        return table[freedom - 1];
    /* Fisher and Cornish 1960: the normal quantile and its first corrections by 1/freedom. */
    double z = 1.959964, v = (double)freedom, z3 = z * z * z, z5 = z3 * z * z;
    double z7 = z5 * z * z;
    return z + (z3 + z) / (4 * v) + (5 * z5 + 16 * z3 + 3 * z) / (96 * v * v) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * v * v * v);
}

struct estimate figures_estimate(const struct figures *figures, size_t figure, size_t first,
                                 size_t count)
{
    struct estimate estimate = {.mean = NAN, .ci95 = NAN};
    double sum = 0, squares = 0;
    if (figure >= figures->count)
        return estimate;
    const double *values = figures->values + first * FIGURES_MAX + figure;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i * FIGURES_MAX])) {
            sum += values[i * FIGURES_MAX];
            estimate.count++;
        }
    if (estimate.count == 0)
        return estimate;
    double n = (double)estimate.count;
    estimate.mean = sum / n;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i * FIGURES_MAX])) {
            double apart = values[i * FIGURES_MAX] - estimate.mean;
            squares += apart * apart;
        }
    if (estimate.count > 1)
        estimate.ci95 = student_quantile(estimate.count - 1) * sqrt(squares / (n - 1) / n);
    return estimate;
}
