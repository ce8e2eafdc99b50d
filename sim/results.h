/* results — the files a run leaves behind: experiment.ini, rounds.csv, nodes.csv, baselines.csv,
 * summary.json, report.html (their columns and keys are in docs/results-format.md).
 *
 * A result directory is made when a run begins and is never overwritten without force. Rows are
 * written as they come, so an interrupted run keeps what it had; summary.json is written last,
 * whole or not at all.
 */
#ifndef STARLING_RESULTS_H
#define STARLING_RESULTS_H

#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/problem.h"
#include "node/config.h"
#include "sim/overlay.h"

struct results;

/* One evaluation of the world. */
struct round_row {
    uint64_t round;
    double time_s; /* virtual, or since the start signal */
    uint64_t online;
    double accuracy_mean, accuracy_std, accuracy_min, accuracy_p10, accuracy_p50, accuracy_p90;
    double loss_mean, consensus_distance, age_mean;
    uint64_t messages, bytes, dropped; /* sent so far */
};

/* One evaluation of a baseline on its way. */
struct baseline_row {
    const char *baseline;                     /* a word of sim.baseline; lives as long as the row */
    uint64_t round, samples, messages, bytes; /* rounds of its own; so far */
    double accuracy, loss;
};

/* What a node does on its own examples, the half of its hold-out that chooses nothing: alone, with
 * what the swarm has learned, and with its personal model. NaN: not asked for. */
struct own_row {
    uint64_t tested; /* examples */
    double alone, shared, personal;
    double steps; /* of fine-tuning in the personal model; 0: it is what the swarm has learned */
};

/* One node at the end; NaN: not asked for, an empty field. */
struct node_row {
    uint64_t node, examples;
    double age, accuracy, loss, accuracy_alone;
    struct own_row own; /* of no examples: not asked for */
    uint64_t messages_in, messages_out, bytes_in, bytes_out;
    uint32_t in_degree; /* others that know it; OVERLAY_AWAY: not known */
};

/* A row of which nothing is known yet. */
struct node_row node_row_empty(uint64_t node);

struct spread {
    double mean, std, min, p10, p50, p90, max;
};

/* A double that is not finite, an empty digest, a NULL text and 0 events are null in JSON. */
struct summary {
    const char *kind; /* "run" or "live" */
    bool complete;
    uint64_t nodes, rounds, seed;
    const char *name, *data, *model;
    uint64_t parameters;
    struct spread accuracy;
    double loss;
    double local_accuracy, local_loss, central_accuracy, central_loss; /* baselines */
    struct {
        uint64_t nodes; /* that tested: 0 is null in JSON */
        double accuracy, swarm, alone;
    } personal; /* means of struct own_row over them */
    struct {
        double accuracy, loss;
        uint64_t rounds, messages, bytes;
    } fedavg; /* one more; null in JSON when it ran 0 rounds */
    uint64_t messages, bytes, dropped, rejected;
    uint64_t passes, samples_trained, updates, events;
    struct overlay overlay; /* of no nodes: null in JSON */
    uint64_t diverged;      /* passes undone, not among `passes`; not known in live */
    double init_seconds, wall_seconds, train_seconds, eval_seconds;
    double bytes_per_node;
    double updates_per_second, samples_per_second;
    uint64_t peak_rss_bytes;
    char digest[65]; /* "": none (live) */
    struct {
        char cpu[128], blas_core[32], kernels[32]; /* "": not known */
    } machine;
};

/* What the last evaluation tells where nothing later is known. */
void summary_take_row(struct summary *summary, const struct round_row *row);

/* Mean, deviation (of the population), and quantiles by linear interpolation of `count` values,
 * which get sorted; those that are NaN are left out, and of none at all everything is NaN. */
struct spread spread_of(double *values, size_t count);

/* Makes DIR (and parents) and experiment.ini, and opens rounds.csv. An existing run is refused
 * unless `force`, which replaces its files and leaves alone what is not a result. No two runs work
 * in one folder: the second is refused or, with `force`, waits a while for the first to end; and
 * once *interrupted (may be NULL) is set none begins: NULL, and nothing is touched. */
struct results *results_open(const char *dir, const struct config *config, bool force,
                             const volatile sig_atomic_t *interrupted, struct problem *problem);
/* The same for a run that goes on: a run is there, and results_close leaves what there is. What was
 * evaluated before comes with results_go_on. */
struct results *results_reopen(const char *dir, const struct config *config,
                               struct problem *problem);
/* These rows, which are copied, are all that is in rounds.csv. */
enum starling_error results_go_on(struct results *results, const struct round_row *rows,
                                  size_t count, struct problem *problem);
/* Something else in the folder is worth keeping it for: results_close leaves what there is. */
void results_keep(struct results *results);
const char *results_dir(const struct results *results);
/* The evaluations so far. */
struct round_row *results_rows(const struct results *results, size_t *count);
enum starling_error results_round(struct results *results, const struct round_row *row,
                                  struct problem *problem);
/* Adds a row to baselines.csv, which the first one makes. */
enum starling_error results_baseline(struct results *results, const struct baseline_row *row,
                                     struct problem *problem);
/* From now on report.html is drawn every few seconds, whenever a row is added: of `summary`, which
 * is read then, with the figures of that row. A page that cannot be written is let be: the row is
 * what counts. */
void results_watch(struct results *results, const struct summary *summary);
/* Writes nodes.csv, report.html and summary.json. When one cannot be written the others still are,
 * and the first problem is told. */
enum starling_error results_finish(struct results *results, const struct summary *summary,
                                   const struct node_row *nodes, size_t count,
                                   struct problem *problem);
/* A run that ended before its first evaluation, without results_finish, leaves nothing behind. */
void results_close(struct results **results);

/* Fills in what machine this is. */
void summary_machine(struct summary *summary);

/* summary.json as JSON: the caller's reference; NULL when memory is out. */
json_t *summary_json(const struct summary *summary);

/* The very text of summary.json, for --json. */
enum starling_error summary_write(const struct summary *summary, FILE *file,
                                  struct problem *problem);

/* The table a person reads at the end: accuracy alone, by gossip, by FedAvg, central; traffic;
 * time. */
void summary_print(const struct summary *summary, FILE *file);

#endif
