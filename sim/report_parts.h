/* report_parts — the parts of a report's page, in the order in which they come. Of sim/report.c.
 */
#ifndef STARLING_REPORT_PARTS_H
#define STARLING_REPORT_PARTS_H

#include "sim/page.h"
#include "sim/report.h"

/* What was run, what came of it, the figures. */
void report_head(const struct report *report, FILE *file);

/* How it learned, in charts. */
enum starling_error report_curves(const struct report *report, FILE *file, struct problem *problem);

/* Where the nodes are at the end: beside the baselines, one by one, with models of their own, and
 * in the overlay. Within page_charts_begin and page_charts_end. */
void report_baselines(const struct report *report, FILE *file);
enum starling_error report_spread(const struct report *report, FILE *file, struct problem *problem);
enum starling_error report_personal(const struct report *report, FILE *file,
                                    struct problem *problem);
enum starling_error report_overlay(const struct report *report, FILE *file,
                                   struct problem *problem);

/* The nodes as a table; the settings and the machine. */
void report_nodes(const struct report *report, FILE *file);
enum starling_error report_settings(const struct report *report, FILE *file,
                                    struct problem *problem);

#endif
