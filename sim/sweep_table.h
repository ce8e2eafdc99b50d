/* sweep_table — what a sweep comes to: a row for each combination of its settings, mean and 95 %
 * interval over its seeds (sweep.csv and sweep.json are in docs/results-format.md).
 */
#ifndef STARLING_SWEEP_TABLE_H
#define STARLING_SWEEP_TABLE_H

#include <stdio.h>

#include "sim/sweep_figures.h"
#include "sim/sweep_runs.h"

/* sweep.csv: every figure. */
void sweep_table_csv(const struct sweep_runs *sweep, const struct figures *figures, FILE *file);

/* sweep.json. */
enum starling_error sweep_table_json(const struct sweep_runs *sweep, const struct figures *figures,
                                     FILE *file, struct problem *problem);

/* For a person: the figures that are compared most, aligned. */
enum starling_error sweep_table_print(const struct sweep_runs *sweep, const struct figures *figures,
                                      FILE *file, struct problem *problem);

#endif
