#include "sim/results.h"

#include <errno.h>
#include <math.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/files.h"
#include "sim/checkpoint.h"
#include "sim/out.h"
#include "sim/report.h"
#include "sim/stopwatch.h"

/* The files of a run; others in its folder are somebody else's. */
static const char *const run_files[] = {"experiment.ini", "rounds.csv",  "nodes.csv",
                                        "summary.json",   "report.html", "baselines.csv",
                                        CHECKPOINT_NAME};
#define RUN_FILES (sizeof run_files / sizeof *run_files)

/* A table that grows row by row, each on disk at once. */
struct table {
    const char *name;
    FILE *file;  /* NULL: not open */
    off_t whole; /* bytes of it that are whole rows */
};

struct results {
    char *dir;
    struct config config;
    int folder;  /* held */
    size_t made; /* so many of the folders that `dir` names, counted from its end, are new */
    bool finished, kept;
    struct table rounds, baselines; /* baselines.csv is opened by its first row */
    struct round_row *rows;         /* kept for the report */
    size_t count, capacity;
    struct baseline_row *curves; /* likewise */
    size_t curve_count, curve_capacity;
    const struct summary *watched; /* NULL: nobody looks on */
    double drawn_s;                /* when report.html was last */
};

#define ENDING_S 20.0 /* that a run in the folder may take to end, before another replaces it */
#define DRAW_S 2.0    /* between two pages while a run goes on */

struct node_row node_row_empty(uint64_t node)
{
    return (struct node_row){.node = node,
                             .age = NAN,
                             .accuracy = NAN,
                             .loss = NAN,
                             .accuracy_alone = NAN,
                             .in_degree = OVERLAY_AWAY,
                             .own = {.alone = NAN, .shared = NAN, .personal = NAN, .steps = NAN}};
}

static bool holds_run(const char *dir)
{
    bool found = false;
    for (size_t i = 0; i < RUN_FILES && !found; i++) {
        char *path = out_path(dir, run_files[i]);
        found = path && access(path, F_OK) == 0;
        free(path);
    }
    return found;
}

static void remove_file(const char *dir, const char *name)
{
    char *path = out_path(dir, name);
    if (path)
        unlink(path);
    free(path);
}

static enum starling_error write_experiment(const struct results *results, struct problem *problem)
{
    struct out_text text;
    enum starling_error error = out_text_begin(&text, problem);
    if (error != STARLING_OK)
        return error;
    error = config_write(&results->config, "task learn gossip sim", false, text.file, problem);
    return out_text_end(&text, results->dir, "experiment.ini", error, problem);
}

static enum starling_error flush_table(const struct results *results, struct table *table,
                                       struct problem *problem)
{
    if (fflush(table->file) == 0 && !ferror(table->file)) {
        table->whole = ftello(table->file);
        return STARLING_OK;
    }
    /* Where the disk ran full, a row that fitted in part goes again. */
    int why = errno;
    __fpurge(table->file);
    bool cut = ftruncate(fileno(table->file), table->whole) == 0;
    (void)cut; /* where even that fails, the first problem is the one to tell */
    char *path = out_path(results->dir, table->name);
    errno = why;
    enum starling_error error = out_cannot_write(path ? path : table->name, problem);
    free(path);
    return error;
}

/* Begins a table; with no `heads`, goes on with it. */
static enum starling_error open_table(const struct results *results, struct table *table,
                                      const char *name, const char *heads, struct problem *problem)
{
    char *path = out_path(results->dir, name);
    if (!path)
        return problem_no_memory(problem, "a file's name");
    *table = (struct table){.name = name, .file = fopen(path, heads ? "we" : "ae")};
    enum starling_error error = table->file ? STARLING_OK : out_cannot_write(path, problem);
    free(path);
    if (error != STARLING_OK)
        return error;
    if (heads)
        fputs(heads, table->file);
    else
        fseeko(table->file, 0, SEEK_END);
    return flush_table(results, table, problem);
}

static const char rounds_heads[] =
    "round,time_s,online,accuracy_mean,accuracy_std,accuracy_min,accuracy_p10,accuracy_p50,"
    "accuracy_p90,loss_mean,consensus_distance,age_mean,messages,bytes,dropped\n";

struct results *results_open(const char *dir, const struct config *config, bool force,
                             const volatile sig_atomic_t *interrupted, struct problem *problem)
{
    struct results *results = calloc(1, sizeof *results);
    if (!results || !(results->dir = strdup(dir))) {
        free(results);
        problem_no_memory(problem, "the results");
        return NULL;
    }
    results->config = *config;
    results->folder = out_hold_folder(dir, "another run", force ? ENDING_S : 0, interrupted,
                                      &results->made, problem);
    if (results->folder < 0)
        goto fail;
    if (interrupted && *interrupted) {
        problem_set(problem, STARLING_FAILED, "%s: interrupted before the run began", dir);
        goto fail;
    }
    if (!force && holds_run(dir)) {
        problem_set(problem, STARLING_INVALID,
                    "%s: holds a run already: replace it with --force, or choose another folder "
                    "with --out",
                    dir);
        goto fail;
    }
    if (write_experiment(results, problem) != STARLING_OK)
        goto fail;
    for (size_t i = 1; i < RUN_FILES; i++)
        remove_file(dir, run_files[i]);
    if (open_table(results, &results->rounds, "rounds.csv", rounds_heads, problem) == STARLING_OK)
        return results;
    results_close(&results);
    return NULL;
fail:
    out_remove_folder(dir, results->made);
    if (results->folder >= 0)
        close(results->folder);
    free(results->dir);
    free(results);
    return NULL;
}

/* Room for one more of `size` bytes in a growing array: false when memory is out. */
static bool grow(void **items, size_t *capacity, size_t count, size_t size)
{
    if (count < *capacity)
        return true;
    size_t more = *capacity ? 2 * *capacity : 64;
    void *grown = reallocarray(*items, more, size);
    if (!grown)
        return false;
    *items = grown;
    *capacity = more;
    return true;
}

/* A figure and what follows it; nothing for what is not known. */
static void put_figure(double value, const char *after, FILE *file)
{
    if (isnan(value))
        fputs(after, file);
    else
        fprintf(file, "%.6g%s", value, after);
}

static void put_whole(uint64_t value, const char *after, FILE *file)
{
    fprintf(file, "%llu%s", (unsigned long long)value, after);
}

void results_watch(struct results *results, const struct summary *summary)
{
    results->watched = summary;
    results->drawn_s = -INFINITY;
}

/* The page of a run that goes on, or that came to no end. */
static void draw(const struct results *results, bool running)
{
    struct summary summary = *results->watched;
    summary.wall_seconds = summary.eval_seconds = NAN;
    summary_take_row(&summary, &results->rows[results->count - 1]);
    const struct report report = {.config = &results->config,
                                  .summary = &summary,
                                  .rounds = results->rows,
                                  .round_count = results->count,
                                  .curves = results->curves,
                                  .curve_count = results->curve_count,
                                  .running = running};
    report_save(&report, results->dir, NULL);
}

static void draw_when_due(struct results *results)
{
    double now_s = stopwatch_seconds();
    if (!results->watched || now_s - results->drawn_s < DRAW_S)
        return;
    draw(results, true);
    results->drawn_s = stopwatch_seconds();
}

static void put_round(const struct round_row *row, FILE *file)
{
    put_whole(row->round, ",", file);
    fprintf(file, "%.9g,", row->time_s);
    put_whole(row->online, ",", file);
    const double figures[] = {row->accuracy_mean, row->accuracy_std,       row->accuracy_min,
                              row->accuracy_p10,  row->accuracy_p50,       row->accuracy_p90,
                              row->loss_mean,     row->consensus_distance, row->age_mean};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        put_figure(figures[i], ",", file);
    put_whole(row->messages, ",", file);
    put_whole(row->bytes, ",", file);
    put_whole(row->dropped, "\n", file);
}

static enum starling_error add_row(struct results *results, const struct round_row *row,
                                   struct problem *problem)
{
    void *rows = results->rows;
    if (!grow(&rows, &results->capacity, results->count, sizeof *row))
        return problem_no_memory(problem, "the rounds");
    results->rows = rows;
    results->rows[results->count++] = *row;
    return STARLING_OK;
}

enum starling_error results_round(struct results *results, const struct round_row *row,
                                  struct problem *problem)
{
    enum starling_error error = add_row(results, row, problem);
    if (error)
        return error;
    put_round(row, results->rounds.file);
    error = flush_table(results, &results->rounds, problem);
    if (!error)
        draw_when_due(results);
    return error;
}

/* What was written after the rows that are kept goes: as a whole, for the disk may be full. */
static enum starling_error write_rounds(const struct results *results, struct problem *problem)
{
    struct out_text text;
    enum starling_error error = out_text_begin(&text, problem);
    if (error)
        return error;
    fputs(rounds_heads, text.file);
    for (size_t i = 0; i < results->count; i++)
        put_round(&results->rows[i], text.file);
    return out_text_end(&text, results->dir, "rounds.csv", STARLING_OK, problem);
}

struct results *results_reopen(const char *dir, const struct config *config,
                               struct problem *problem)
{
    struct results *results = calloc(1, sizeof *results);
    if (!results || !(results->dir = strdup(dir))) {
        free(results);
        problem_no_memory(problem, "the results");
        return NULL;
    }
    results->config = *config;
    results->kept = true;
    results->folder = out_hold_folder(dir, "another run", 0, NULL, &results->made, problem);
    if (results->folder < 0) {
        free(results->dir);
        free(results);
        return NULL;
    }
    return results;
}

enum starling_error results_go_on(struct results *results, const struct round_row *rows,
                                  size_t count, struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    for (size_t i = 0; i < count && !error; i++)
        error = add_row(results, &rows[i], problem);
    if (!error)
        error = write_rounds(results, problem);
    if (!error)
        error = open_table(results, &results->rounds, "rounds.csv", NULL, problem);
    if (!error)
        remove_file(results->dir, "baselines.csv"); /* those begin when the world has ended */
    return error;
}

void results_keep(struct results *results)
{
    results->kept = true;
}

const char *results_dir(const struct results *results)
{
    return results->dir;
}

struct round_row *results_rows(const struct results *results, size_t *count)
{
    *count = results->count;
    return results->rows;
}

enum starling_error results_baseline(struct results *results, const struct baseline_row *row,
                                     struct problem *problem)
{
    void *rows = results->curves;
    if (!grow(&rows, &results->curve_capacity, results->curve_count, sizeof *row))
        return problem_no_memory(problem, "the baselines");
    results->curves = rows;
    results->curves[results->curve_count++] = *row;
    struct table *table = &results->baselines;
    if (!table->file) {
        enum starling_error error =
            open_table(results, table, "baselines.csv",
                       "baseline,round,samples,messages,bytes,accuracy,loss\n", problem);
        if (error != STARLING_OK)
            return error;
    }
    fprintf(table->file, "%s,", row->baseline);
    put_whole(row->round, ",", table->file);
    put_whole(row->samples, ",", table->file);
    put_whole(row->messages, ",", table->file);
    put_whole(row->bytes, ",", table->file);
    put_figure(row->accuracy, ",", table->file);
    put_figure(row->loss, "\n", table->file);
    enum starling_error error = flush_table(results, table, problem);
    if (!error && results->count > 0)
        draw_when_due(results);
    return error;
}

static void put_own(const struct own_row *own, FILE *file)
{
    if (own->tested > 0) {
        put_whole(own->tested, ",", file);
        put_figure(own->alone, ",", file);
        put_figure(own->shared, ",", file);
        put_figure(own->steps, ",", file);
    } else {
        fputs(",,,,", file);
    }
}

static void put_nodes(const struct node_row *nodes, size_t count, FILE *file)
{
    fputs("node,examples,age,accuracy,loss,accuracy_alone,accuracy_personal,messages_in,"
          "messages_out,bytes_in,bytes_out,own_tested,own_alone,own_swarm,personal_steps,"
          "in_degree\n",
          file);
    for (size_t i = 0; i < count; i++) {
        const struct node_row *row = &nodes[i];
        put_whole(row->node, ",", file);
        put_whole(row->examples, ",", file);
        put_figure(row->age, ",", file);
        put_figure(row->accuracy, ",", file);
        put_figure(row->loss, ",", file);
        put_figure(row->accuracy_alone, ",", file);
        put_figure(row->own.personal, ",", file);
        put_whole(row->messages_in, ",", file);
        put_whole(row->messages_out, ",", file);
        put_whole(row->bytes_in, ",", file);
        put_whole(row->bytes_out, ",", file);
        put_own(&row->own, file);
        if (row->in_degree == OVERLAY_AWAY)
            fputc('\n', file);
        else
            put_whole(row->in_degree, "\n", file);
    }
}

/* Straight to its file: of ten million nodes it is half a gigabyte. */
static enum starling_error write_nodes(const struct results *results, const struct node_row *nodes,
                                       size_t count, struct problem *problem)
{
    char *path = out_path(results->dir, "nodes.csv");
    if (!path)
        return problem_no_memory(problem, "a file's name");
    enum starling_error error = STARLING_OK;
    FILE *file = fopen(path, "we");
    if (file) {
        put_nodes(nodes, count, file);
        bool failed = ferror(file) != 0;
        failed |= fclose(file) != 0;
        if (failed) {
            error = out_cannot_write(path, problem);
            unlink(path);
        }
    } else {
        error = out_cannot_write(path, problem);
    }
    free(path);
    return error;
}

static enum starling_error write_report(const struct results *results,
                                        const struct summary *summary, const struct node_row *nodes,
                                        size_t count, struct problem *problem)
{
    const struct report report = {
        .config = &results->config,
        .summary = summary,
        .rounds = results->rows,
        .round_count = results->count,
        .nodes = nodes,
        .node_count = count,
        .curves = results->curves,
        .curve_count = results->curve_count,
    };
    return report_save(&report, results->dir, problem);
}

static enum starling_error write_summary(const struct results *results,
                                         const struct summary *summary, struct problem *problem)
{
    struct out_text text;
    enum starling_error error = out_text_begin(&text, problem);
    if (error != STARLING_OK)
        return error;
    error = summary_write(summary, text.file, problem);
    return out_text_end(&text, results->dir, "summary.json", error, problem);
}

enum starling_error results_finish(struct results *results, const struct summary *summary,
                                   const struct node_row *nodes, size_t count,
                                   struct problem *problem)
{
    results->finished = true;
    enum starling_error first = write_nodes(results, nodes, count, problem);
    enum starling_error report =
        write_report(results, summary, nodes, count, first == STARLING_OK ? problem : NULL);
    if (first == STARLING_OK)
        first = report;
    struct summary told = *summary;
    told.complete = told.complete && first == STARLING_OK; /* a sweep makes it again */
    enum starling_error last = write_summary(results, &told, first == STARLING_OK ? problem : NULL);
    return first == STARLING_OK ? last : first;
}

void results_close(struct results **results)
{
    struct results *ours = *results;
    *results = NULL;
    if (!ours)
        return;
    if (ours->rounds.file)
        fclose(ours->rounds.file);
    if (ours->baselines.file)
        fclose(ours->baselines.file);
    if (ours->watched && ours->count > 0 && !ours->finished)
        draw(ours, false);
    if (ours->count == 0 && !ours->finished && !ours->kept) {
        remove_file(ours->dir, "experiment.ini");
        remove_file(ours->dir, "rounds.csv");
        out_remove_folder(ours->dir, ours->made);
    }
    close(ours->folder); /* others may work there now */
    free(ours->rows);
    free(ours->curves);
    free(ours->dir);
    free(ours);
}
