/* progress — how far a long run is: one changing line on a terminal, one line an evaluation
 * elsewhere, nothing when quiet. Written to stderr.
 */
#ifndef STARLING_PROGRESS_H
#define STARLING_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/results.h"

struct progress {
    bool quiet, terminal, shown;
    const char *unit;         /* "round" */
    uint64_t total, first;    /* first: so many of them were done when it began */
    double part;              /* of the next, beside those that are done */
    double started_s, last_s; /* monotonic; last drawn */
    bool evaluated;           /* there is a latest evaluation: */
    uint64_t evaluated_round;
    double accuracy, deviation;
    uint64_t running; /* of those that are not done; 0: not told */
    uint64_t told;    /* done when progress_count last wrote a line */
};

void progress_begin(struct progress *progress, const char *unit, uint64_t total, bool quiet);
/* `done` of total, and the latest evaluation (or NULL): redraws at most ten times a second. */
void progress_show(struct progress *progress, uint64_t done, const struct round_row *latest);
/* The same with the part, 0 to 1, of the next that is done too: on a terminal. */
void progress_within(struct progress *progress, uint64_t done, double part,
                     const struct round_row *latest);
/* `done` of total while `running` others go on: a line for each that ends elsewhere than on a
 * terminal. */
void progress_count(struct progress *progress, uint64_t done, uint64_t running);
/* The changing line while something is under way that has no parts: on a terminal. */
void progress_say(struct progress *progress, const char *text);
/* Wipes the changing line for somebody else's; it comes back with the next one shown. */
void progress_clear(struct progress *progress);
/* A line of its own, as printf has it: what is worth knowing once. */
void progress_note(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Ends the changing line. */
void progress_end(struct progress *progress);

#endif
