#include "sim/past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/out.h"
#include "sim/table_read.h"

/* Rows taken one by one into an array that grows. */
struct taking {
    void *rows;
    size_t count, capacity, size;
};

static void *next_row(struct taking *taking, struct problem *problem)
{
    if (taking->count == taking->capacity) {
        size_t more = taking->capacity ? 2 * taking->capacity : 256;
        void *grown = reallocarray(taking->rows, more, taking->size);
        if (!grown) {
            problem_no_memory(problem, "the rows of a run");
            return NULL;
        }
        taking->rows = grown;
        taking->capacity = more;
    }
    void *row = (char *)taking->rows + taking->size * taking->count++;
    memset(row, 0, taking->size);
    return row;
}

static enum starling_error no_number(const char *text, const char *head, const char *where,
                                     struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID,
                       "%s: %s: \"%.40s\" is no number: mend the row, or make the run again", where,
                       head, text);
}

/* Where a field of a row goes: a figure or a whole number. */
struct target {
    double *figure;
    uint64_t *whole;
};

/* Reads `count` fields; a whole number may be missing where its column is, and is then left 0. */
static enum starling_error take_fields(const char *const *fields, const char *const *heads,
                                       const struct target *targets, size_t count,
                                       const char *where, struct problem *problem)
{
    for (size_t i = 0; i < count; i++) {
        bool read = true;
        if (targets[i].figure)
            read = table_figure(fields[i], targets[i].figure);
        else if (*fields[i])
            read = table_whole(fields[i], targets[i].whole);
        if (!read)
            return no_number(fields[i], heads[i], where, problem);
    }
    return STARLING_OK;
}

static const char *const round_heads[] = {"round",
                                          "time_s",
                                          "online",
                                          "accuracy_mean",
                                          "accuracy_std",
                                          "accuracy_min",
                                          "accuracy_p10",
                                          "accuracy_p50",
                                          "accuracy_p90",
                                          "loss_mean",
                                          "consensus_distance",
                                          "age_mean",
                                          "messages",
                                          "bytes",
                                          "dropped"};
#define ROUND_HEADS (sizeof round_heads / sizeof *round_heads)

static enum starling_error take_round(void *self, const char *const *fields, const char *where,
                                      struct problem *problem)
{
    struct round_row *row = next_row(self, problem);
    if (!row)
        return STARLING_NO_MEMORY;
    const struct target targets[ROUND_HEADS] = {{.whole = &row->round},
                                                {.figure = &row->time_s},
                                                {.whole = &row->online},
                                                {.figure = &row->accuracy_mean},
                                                {.figure = &row->accuracy_std},
                                                {.figure = &row->accuracy_min},
                                                {.figure = &row->accuracy_p10},
                                                {.figure = &row->accuracy_p50},
                                                {.figure = &row->accuracy_p90},
                                                {.figure = &row->loss_mean},
                                                {.figure = &row->consensus_distance},
                                                {.figure = &row->age_mean},
                                                {.whole = &row->messages},
                                                {.whole = &row->bytes},
                                                {.whole = &row->dropped}};
    return take_fields(fields, round_heads, targets, ROUND_HEADS, where, problem);
}

static const char *const node_heads[] = {
    "node",           "examples",          "age",         "accuracy",     "loss",
    "accuracy_alone", "accuracy_personal", "messages_in", "messages_out", "bytes_in",
    "bytes_out",      "own_tested",        "own_alone",   "own_swarm",    "personal_steps",
    "in_degree"};
#define NODE_HEADS (sizeof node_heads / sizeof *node_heads)

static enum starling_error take_node(void *self, const char *const *fields, const char *where,
                                     struct problem *problem)
{
    struct node_row *row = next_row(self, problem);
    if (!row)
        return STARLING_NO_MEMORY;
    uint64_t in_degree = OVERLAY_AWAY;
    const struct target targets[NODE_HEADS] = {
        {.whole = &row->node},          {.whole = &row->examples},
        {.figure = &row->age},          {.figure = &row->accuracy},
        {.figure = &row->loss},         {.figure = &row->accuracy_alone},
        {.figure = &row->own.personal}, {.whole = &row->messages_in},
        {.whole = &row->messages_out},  {.whole = &row->bytes_in},
        {.whole = &row->bytes_out},     {.whole = &row->own.tested},
        {.figure = &row->own.alone},    {.figure = &row->own.shared},
        {.figure = &row->own.steps},    {.whole = &in_degree}};
    enum starling_error error =
        take_fields(fields, node_heads, targets, NODE_HEADS, where, problem);
    row->in_degree = in_degree < OVERLAY_AWAY ? (uint32_t)in_degree : OVERLAY_AWAY;
    return error;
}

static const char *const curve_heads[] = {"baseline", "round",    "samples", "messages",
                                          "bytes",    "accuracy", "loss"};
#define CURVE_HEADS (sizeof curve_heads / sizeof *curve_heads)

static enum starling_error take_curve(void *self, const char *const *fields, const char *where,
                                      struct problem *problem)
{
    static const char *const names[] = {"fedavg", "central"};
    struct baseline_row *row = next_row(self, problem);
    if (!row)
        return STARLING_NO_MEMORY;
    row->baseline = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], fields[0]) == 0)
            row->baseline = names[i];
    const struct target targets[] = {{.whole = &row->round},     {.whole = &row->samples},
                                     {.whole = &row->messages},  {.whole = &row->bytes},
                                     {.figure = &row->accuracy}, {.figure = &row->loss}};
    return take_fields(fields + 1, curve_heads + 1, targets, CURVE_HEADS - 1, where, problem);
}

/* One of the tables; one that is not there has no rows, unless it is `needed`. */
static enum starling_error take_table(const char *dir, const char *name, bool needed,
                                      const char *const *heads, size_t count, table_taker *taker,
                                      struct taking *taking, struct problem *problem)
{
    char *path = out_path(dir, name);
    enum starling_error error = STARLING_OK;
    if (!path)
        error = problem_no_memory(problem, "a file's name");
    else if (needed || access(path, F_OK) == 0)
        error = table_read(path, heads, count, taker, taking, problem);
    free(path);
    return error;
}

static enum starling_error read_tables(struct past *past, bool nodes, struct problem *problem)
{
    struct taking rounds = {.size = sizeof *past->rounds}, rows = {.size = sizeof *past->nodes},
                  curves = {.size = sizeof *past->curves};
    enum starling_error error = take_table(past->dir, "rounds.csv", true, round_heads, ROUND_HEADS,
                                           take_round, &rounds, problem);
    if (!error && nodes)
        error = take_table(past->dir, "nodes.csv", false, node_heads, NODE_HEADS, take_node, &rows,
                           problem);
    if (!error)
        error = take_table(past->dir, "baselines.csv", false, curve_heads, CURVE_HEADS, take_curve,
                           &curves, problem);
    past->rounds = rounds.rows;
    past->round_count = rounds.count;
    past->nodes = rows.rows;
    past->node_count = rows.count;
    past->curves = curves.rows;
    past->curve_count = curves.count;
    return error;
}

/* What the settings and the last evaluation of a run tell that was killed. */
static void guess_summary(struct past *past)
{
    const struct config *config = &past->config;
    struct summary *summary = &past->summary;
    summary_read(NULL, summary);
    summary->nodes = config->sim.nodes;
    summary->seed = config->sim.seed;
    summary->name = config->task.name[0] ? config->task.name : NULL;
    summary->data = config->task.data;
    summary->model = config->task.model;
    if (past->round_count == 0)
        return;
    summary_take_row(summary, &past->rounds[past->round_count - 1]);
}

static enum starling_error read_summary(struct past *past, struct problem *problem)
{
    char *path = out_path(past->dir, "summary.json");
    json_error_t why;
    enum starling_error error = STARLING_OK;
    if (!path) {
        error = problem_no_memory(problem, "a file's name");
    } else if (access(path, F_OK) != 0) {
        guess_summary(past);
    } else {
        past->json = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
        if (json_is_object(past->json))
            summary_read(past->json, &past->summary);
        else
            error = problem_set(problem, STARLING_INVALID,
                                "%s: cannot be read: %.100s: remove it, and what else there is is "
                                "shown",
                                path, past->json ? "no object" : why.text);
    }
    free(path);
    return error;
}

static enum starling_error read_config(struct past *past, struct problem *problem)
{
    char *path = out_path(past->dir, "experiment.ini");
    enum starling_error error = STARLING_OK;
    config_defaults(&past->config);
    if (!path)
        error = problem_no_memory(problem, "a file's name");
    else if (access(path, F_OK) != 0)
        error =
            problem_set(problem, STARLING_INVALID,
                        "%s: holds no run: name a folder that starling-sim run wrote", past->dir);
    else
        error = config_load(&past->config, path, problem);
    free(path);
    return error;
}

struct past *past_read(const char *dir, bool nodes, struct problem *problem)
{
    struct past *past = calloc(1, sizeof *past);
    if (!past || !(past->dir = strdup(dir))) {
        free(past);
        problem_no_memory(problem, "a run");
        return NULL;
    }
    if (read_config(past, problem) || read_tables(past, nodes, problem) ||
        read_summary(past, problem))
        past_free(&past);
    return past;
}

struct report past_report(const struct past *past)
{
    return (struct report){
        .config = &past->config,
        .summary = &past->summary,
        .rounds = past->rounds,
        .round_count = past->round_count,
        .nodes = past->nodes,
        .node_count = past->node_count,
        .curves = past->curves,
        .curve_count = past->curve_count,
    };
}

void past_free(struct past **past)
{
    struct past *ours = *past;
    *past = NULL;
    if (!ours)
        return;
    free(ours->rounds);
    free(ours->nodes);
    free(ours->curves);
    json_decref(ours->json);
    free(ours->dir);
    free(ours);
}
