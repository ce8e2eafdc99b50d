/* past — a run that was made, read back from its folder: all that a page or a comparison shows.
 *
 * A run that was killed has no summary.json: then the summary is what its settings and its last
 * evaluation tell, and says that it is not complete. Nothing in a folder is trusted: what is no
 * number, no table or no run is refused with the file and the line.
 */
#ifndef STARLING_PAST_H
#define STARLING_PAST_H

#include <jansson.h>

#include "sim/report.h"
#include "sim/results.h"

struct past {
    char *dir; /* as it was named */
    struct config config;
    struct summary summary; /* its texts live as long as the past */
    struct round_row *rounds;
    size_t round_count;
    struct node_row *nodes; /* none when it was killed, or not asked for */
    size_t node_count;
    struct baseline_row *curves;
    size_t curve_count;
    json_t *json; /* summary.json; NULL: there is none */
};

/* Reads the run in `dir`, its nodes too if `nodes`. NULL and a problem when there is none. */
struct past *past_read(const char *dir, bool nodes, struct problem *problem);
void past_free(struct past **past);

/* All of it as a page shows it; good for as long as the past is. */
struct report past_report(const struct past *past);

/* The other direction of summary_json: texts stay the JSON's. Figures that are not there, or are no
 * figures, are not known. */
void summary_read(const json_t *json, struct summary *summary);

#endif
