/* ctl — starlingctl, the operator's program: what its commands have in common.
 *
 * A command does its work, prints its result on stdout and returns an outcome; when that is not
 * OUTCOME_DONE, ctl->problem holds the one line that main prints on stderr.
 */
#ifndef STARLING_CTL_H
#define STARLING_CTL_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

/* Exit codes. */
enum outcome { OUTCOME_DONE, OUTCOME_FAILED, OUTCOME_USAGE, OUTCOME_NO_NODE };

struct ctl {
    char dir[PATH_MAX]; /* the node's folder */
    bool json;
    struct problem problem;
};

struct ctl_command {
    const char *name; /* "status", "swarm create" */
    const char *help; /* the whole of COMMAND --help */
    enum outcome (*run)(struct ctl *ctl, int count, char **arguments);
};

extern const struct ctl_command ctl_swarm_create, ctl_swarm_admit;  /* ctl_swarm.c */
extern const struct ctl_command ctl_init, ctl_accept;               /* ctl_node.c */
extern const struct ctl_command ctl_status, ctl_peers, ctl_history; /* ctl_query.c */
extern const struct ctl_command ctl_conclude, ctl_stop;

/* Sets the problem and returns `outcome`. */
enum outcome ctl_fail(struct ctl *ctl, enum outcome outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Arguments of a command: options, each with its value behind it ("--days 30", "--days=30"), and
 * operands. */
#define OPTION_VALUES_MAX 64

struct ctl_option {
    const char *name; /* "--days" */
    bool repeats;
    size_t count;
    const char *values[OPTION_VALUES_MAX];
};

/* Sorts arguments into `options` (ends with a NULL name; may be NULL) and `operands` (room for
 * `count`). */
enum outcome ctl_arguments(struct ctl *ctl, int count, char **arguments, struct ctl_option *options,
                           const char **operands, size_t *operand_count);

/* The value of a whole number given to `option`. */
enum outcome ctl_number(struct ctl *ctl, const char *option, const char *text, int64_t least,
                        int64_t most, int64_t *value);

/* Asks the node in ctl->dir; *answer is the caller's, without "ok". OUTCOME_NO_NODE when none
 * answers, OUTCOME_FAILED with the node's own words when it refuses. Takes `request` over. */
enum outcome ctl_ask(struct ctl *ctl, json_t *request, json_t **answer);
/* Whether a node answers there at all. */
bool ctl_node_runs(struct ctl *ctl);

/* Fills `path` with DIR/NAME. */
enum outcome ctl_path(struct ctl *ctl, const char *dir, const char *name, char path[PATH_MAX]);

/* Prints a JSON value and takes it over. */
void ctl_print_json(json_t *value);

/* "2025-12-31 23:59 UTC" */
#define TIME_TEXT_MAX 32
void ctl_time_text(int64_t seconds, char out[TIME_TEXT_MAX]);

#endif
