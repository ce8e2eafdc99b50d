#include "sim/results.h"

#include <errno.h>
#include <math.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/files.h"
#include "sim/report.h"

/* The files of a run; others in its folder are somebody else's. */
static const char *const run_files[] = {"experiment.ini", "rounds.csv", "nodes.csv", "summary.json",
                                        "report.html"};
#define RUN_FILES (sizeof run_files / sizeof *run_files)

struct results {
    char *dir;
    struct config config;
    size_t made; /* so many of the folders that `dir` names, counted from its end, are new */
    bool finished;
    FILE *rounds;
    off_t whole;            /* bytes of it that are whole rows */
    struct round_row *rows; /* kept for the report */
    size_t count, capacity;
};

static char *path_of(const char *dir, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static enum starling_error cannot_write(const char *path, struct problem *problem)
{
    return problem_set(problem, STARLING_FAILED, "%s: %s: %s", path, strerror(errno),
                       errno == ENOSPC || errno == EDQUOT
                           ? "make room on the disk; what was written before is kept"
                           : "choose a folder that can be written with --out");
}

static enum starling_error make_one(const char *path, size_t *made, struct problem *problem)
{
    if (mkdir(path, 0777) == 0)
        ++*made;
    else if (errno != EEXIST)
        return cannot_write(path, problem);
    return STARLING_OK;
}

/* Makes `dir` and its parents; *made counts those that are new. */
static enum starling_error make_dirs(const char *dir, size_t *made, struct problem *problem)
{
    char *path = strdup(dir);
    if (!path)
        return problem_no_memory(problem, "a folder's name");
    enum starling_error error = STARLING_OK;
    for (char *slash = strchr(path + 1, '/'); slash && error == STARLING_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = make_one(path, made, problem);
        *slash = '/';
    }
    struct stat status;
    if (error == STARLING_OK)
        error = make_one(path, made, problem);
    if (error == STARLING_OK && stat(path, &status) != 0)
        error = cannot_write(path, problem);
    else if (error == STARLING_OK && !S_ISDIR(status.st_mode))
        error = problem_set(problem, STARLING_INVALID,
                            "%s: is a file: choose another folder with --out", path);
    free(path);
    return error;
}

/* Takes back the folders that were made, as far as nobody has put anything into them. */
static void remove_dirs(const char *dir, size_t made)
{
    char *path = strdup(dir), *slash = path;
    while (slash && made > 0) {
        if (rmdir(path) == 0)
            made--;
        else if (errno != ENOENT)
            break;
        slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    }
    free(path);
}

static bool holds_run(const char *dir)
{
    bool found = false;
    for (size_t i = 0; i < RUN_FILES && !found; i++) {
        char *path = path_of(dir, run_files[i]);
        found = path && access(path, F_OK) == 0;
        free(path);
    }
    return found;
}

static void remove_file(const char *dir, const char *name)
{
    char *path = path_of(dir, name);
    if (path)
        unlink(path);
    free(path);
}

/* A text made in memory, so that its file is written whole or not at all. */
struct text {
    char *bytes;
    size_t size;
    FILE *file;
};

static enum starling_error text_begin(struct text *text, struct problem *problem)
{
    text->file = open_memstream(&text->bytes, &text->size);
    return text->file ? STARLING_OK : problem_no_memory(problem, "a result file");
}

/* Ends the text and, unless making it came to an error, puts it into DIR/NAME. */
static enum starling_error text_end(struct text *text, const char *dir, const char *name,
                                    enum starling_error error, struct problem *problem)
{
    if (fclose(text->file) != 0 && error == STARLING_OK)
        error = problem_no_memory(problem, "a result file");
    if (error == STARLING_OK) {
        char *path = path_of(dir, name);
        const struct file_part part = {text->bytes, text->size};
        error = path ? file_write(path, 0666, &part, 1, problem)
                     : problem_no_memory(problem, "a file's name");
        free(path);
    }
    free(text->bytes);
    return error;
}

static enum starling_error write_experiment(const struct results *results, struct problem *problem)
{
    struct text text;
    enum starling_error error = text_begin(&text, problem);
    if (error != STARLING_OK)
        return error;
    error = config_write(&results->config, "task learn gossip sim", false, text.file, problem);
    return text_end(&text, results->dir, "experiment.ini", error, problem);
}

static enum starling_error flush_rounds(struct results *results, struct problem *problem)
{
    if (fflush(results->rounds) == 0 && !ferror(results->rounds)) {
        results->whole = ftello(results->rounds);
        return STARLING_OK;
    }
    /* Where the disk ran full, a row that fitted in part goes again. */
    int why = errno;
    __fpurge(results->rounds);
    bool cut = ftruncate(fileno(results->rounds), results->whole) == 0;
    (void)cut; /* where even that fails, the first problem is the one to tell */
    char *path = path_of(results->dir, "rounds.csv");
    errno = why;
    enum starling_error error = cannot_write(path ? path : "rounds.csv", problem);
    free(path);
    return error;
}

static enum starling_error open_rounds(struct results *results, struct problem *problem)
{
    char *path = path_of(results->dir, "rounds.csv");
    if (!path)
        return problem_no_memory(problem, "a file's name");
    results->rounds = fopen(path, "we");
    enum starling_error error = results->rounds ? STARLING_OK : cannot_write(path, problem);
    free(path);
    if (error != STARLING_OK)
        return error;
    fputs("round,time_s,online,accuracy_mean,accuracy_std,accuracy_min,accuracy_p10,accuracy_p50,"
          "accuracy_p90,loss_mean,consensus_distance,age_mean,messages,bytes,dropped\n",
          results->rounds);
    return flush_rounds(results, problem);
}

struct results *results_open(const char *dir, const struct config *config, bool force,
                             struct problem *problem)
{
    struct results *results = calloc(1, sizeof *results);
    if (!results || !(results->dir = strdup(dir))) {
        free(results);
        problem_no_memory(problem, "the results");
        return NULL;
    }
    results->config = *config;
    if (make_dirs(dir, &results->made, problem) != STARLING_OK)
        goto fail;
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
    if (open_rounds(results, problem) == STARLING_OK)
        return results;
    results_close(&results);
    return NULL;
fail:
    remove_dirs(dir, results->made);
    free(results->dir);
    free(results);
    return NULL;
}

static enum starling_error keep_row(struct results *results, const struct round_row *row,
                                    struct problem *problem)
{
    if (results->count == results->capacity) {
        size_t capacity = results->capacity ? 2 * results->capacity : 64;
        struct round_row *rows = reallocarray(results->rows, capacity, sizeof *rows);
        if (!rows)
            return problem_no_memory(problem, "the rounds");
        results->rows = rows;
        results->capacity = capacity;
    }
    results->rows[results->count++] = *row;
    return STARLING_OK;
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

enum starling_error results_round(struct results *results, const struct round_row *row,
                                  struct problem *problem)
{
    enum starling_error error = keep_row(results, row, problem);
    if (error != STARLING_OK)
        return error;
    FILE *file = results->rounds;
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
    return flush_rounds(results, problem);
}

static void put_nodes(const struct node_row *nodes, size_t count, FILE *file)
{
    fputs("node,examples,age,accuracy,loss,accuracy_alone,accuracy_personal,messages_in,"
          "messages_out,bytes_in,bytes_out\n",
          file);
    for (size_t i = 0; i < count; i++) {
        const struct node_row *row = &nodes[i];
        put_whole(row->node, ",", file);
        put_whole(row->examples, ",", file);
        put_figure(row->age, ",", file);
        put_figure(row->accuracy, ",", file);
        put_figure(row->loss, ",", file);
        put_figure(row->accuracy_alone, ",", file);
        fputs(",", file); /* accuracy_personal: reserved */
        put_whole(row->messages_in, ",", file);
        put_whole(row->messages_out, ",", file);
        put_whole(row->bytes_in, ",", file);
        put_whole(row->bytes_out, "\n", file);
    }
}

/* Straight to its file: of ten million nodes it is half a gigabyte. */
static enum starling_error write_nodes(const struct results *results, const struct node_row *nodes,
                                       size_t count, struct problem *problem)
{
    char *path = path_of(results->dir, "nodes.csv");
    if (!path)
        return problem_no_memory(problem, "a file's name");
    enum starling_error error = STARLING_OK;
    FILE *file = fopen(path, "we");
    if (file) {
        put_nodes(nodes, count, file);
        bool failed = ferror(file) != 0;
        failed |= fclose(file) != 0;
        if (failed) {
            error = cannot_write(path, problem);
            unlink(path);
        }
    } else {
        error = cannot_write(path, problem);
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
    };
    struct text text;
    enum starling_error error = text_begin(&text, problem);
    if (error != STARLING_OK)
        return error;
    error = report_write(&report, text.file, problem);
    return text_end(&text, results->dir, "report.html", error, problem);
}

static enum starling_error write_summary(const struct results *results,
                                         const struct summary *summary, struct problem *problem)
{
    struct text text;
    enum starling_error error = text_begin(&text, problem);
    if (error != STARLING_OK)
        return error;
    error = summary_write(summary, text.file, problem);
    return text_end(&text, results->dir, "summary.json", error, problem);
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
    enum starling_error last =
        write_summary(results, summary, first == STARLING_OK ? problem : NULL);
    return first == STARLING_OK ? last : first;
}

void results_close(struct results **results)
{
    struct results *ours = *results;
    *results = NULL;
    if (!ours)
        return;
    if (ours->rounds)
        fclose(ours->rounds);
    if (ours->count == 0 && !ours->finished) {
        remove_file(ours->dir, "experiment.ini");
        remove_file(ours->dir, "rounds.csv");
        remove_dirs(ours->dir, ours->made);
    }
    free(ours->rows);
    free(ours->dir);
    free(ours);
}
