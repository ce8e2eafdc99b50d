/* sweep_figures — the numbers that runs came to, and what several runs say together.
 *
 * A figure is a number in summary.json, named by its place there ("accuracy.mean",
 * "baselines.local.accuracy"), `bytes_a_node`, or an evaluation in the midst of a run
 * ("accuracy@100", "loss@100", "bytes@100" of rounds.csv).
 */
#ifndef STARLING_SWEEP_FIGURES_H
#define STARLING_SWEEP_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

#define FIGURES_MAX 256
#define FIGURE_NAME_MAX 64

struct figures {
    size_t runs, count;
    char names[FIGURES_MAX][FIGURE_NAME_MAX]; /* in the order in which runs brought them */
    double *values;                           /* runs × FIGURES_MAX; NaN: not known */
};

struct estimate {
    size_t count;      /* runs that have the figure */
    double mean, ci95; /* half the 95 % confidence interval; NaN below two runs */
};

/* NULL when memory is out. */
struct figures *figures_new(size_t runs);
void figures_free(struct figures **figures);

/* Takes in what run number `run` left in `dir`, with its evaluations at `marks`. A figure beyond
 * FIGURES_MAX is left out. */
enum starling_error figures_take(struct figures *figures, size_t run, const char *dir,
                                 const uint64_t *marks, size_t mark_count, struct problem *problem);

/* The number of a figure; figures->count when there is none of that name. */
size_t figures_find(const struct figures *figures, const char *name);

/* Mean and interval of a figure over runs first … first + count − 1. */
struct estimate figures_estimate(const struct figures *figures, size_t figure, size_t first,
                                 size_t count);

/* The 97.5 % quantile of Student's t with `freedom` ≥ 1 degrees of freedom. */
double student_quantile(size_t freedom);

#endif
