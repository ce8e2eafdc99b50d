/* report — a run as one page: report.html (sim/page.h).
 */
#ifndef STARLING_REPORT_H
#define STARLING_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "sim/results.h"

struct report {
    const struct config *config;
    const struct summary *summary;
    const struct round_row *rounds;
    size_t round_count;
    const struct node_row *nodes;
    size_t node_count;
    const struct baseline_row *curves; /* of baselines, one after another */
    size_t curve_count;
    bool running; /* the run goes on: the page says so and reads itself again */
};

/* Writing itself is checked by whoever owns `file`. */
enum starling_error report_write(const struct report *report, FILE *file, struct problem *problem);

/* DIR/report.html, whole or not at all. */
enum starling_error report_save(const struct report *report, const char *dir,
                                struct problem *problem);

#endif
