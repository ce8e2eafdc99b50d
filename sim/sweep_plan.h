/* sweep_plan — which runs a sweep makes: every case × every value of every varied setting × every
 * seed, in this order, the first the slowest.
 *
 * A case is a named group of settings that belong together ("push" of several algorithms). Cases
 * and values come over the settings of the file and the flags.
 *
 * A list of values is parted by commas, or by semicolons where it holds one: `iid,classes:1`, but
 * `mlp:64;mlp:256,128`, and `mlp:256,128;` for a single value with a comma.
 */
#ifndef STARLING_SWEEP_PLAN_H
#define STARLING_SWEEP_PLAN_H

#include <stdbool.h>
#include <stdio.h>

#include "node/config.h"

#define SWEEP_NAME_MAX 64 /* bytes of a setting's or a case's name, with its end */
#define SWEEP_CASES_MAX 256
#define SWEEP_SETTINGS_MAX 64 /* of a case */
#define SWEEP_AXES_MAX 16
#define SWEEP_VALUES_MAX 1000 /* of an axis; and so many seeds */
#define SWEEP_MARKS_MAX 32    /* rounds looked at beside the last */
#define SWEEP_RUNS_MAX 10000
#define SWEEP_RUN_NAME_MAX 160

/* A setting that is varied. */
struct sweep_axis {
    char name[SWEEP_NAME_MAX]; /* section.key */
    char **values;
    size_t count;
    bool flag; /* from the command line: comes over the file's */
};

struct sweep_setting {
    char name[SWEEP_NAME_MAX];
    char *value;
};

struct sweep_case {
    char name[SWEEP_NAME_MAX];
    struct sweep_setting *settings;
    size_t count;
};

/* One combination of a case and values: a row of the table. */
struct sweep_row {
    size_t case_number;           /* 0 where there are no cases */
    size_t value[SWEEP_AXES_MAX]; /* of each axis the number of its value */
};

struct sweep_plan {
    struct sweep_case *cases;
    size_t case_count;
    struct sweep_axis axes[SWEEP_AXES_MAX];
    size_t axis_count;
    uint64_t *seeds;
    size_t seed_count;
    uint64_t marks[SWEEP_MARKS_MAX]; /* rounds whose evaluation is kept too */
    size_t mark_count;
    struct sweep_row *rows;
    size_t row_count;
    char (*names)[SWEEP_RUN_NAME_MAX]; /* of run row × seed_count + seed: names of folders */
    size_t run_count;
};

/* What a file says in [sweep] and [case NAME]: a config_taker, `self` the plan. Each value is held
 * against the table of settings at once. */
config_taker sweep_plan_take;

/* --vary "section.key=A,B", --seeds "1-5,7", --at "30,100": over what the file says. */
enum starling_error sweep_plan_vary(struct sweep_plan *plan, const char *pair,
                                    struct problem *problem);
enum starling_error sweep_plan_seeds(struct sweep_plan *plan, const char *list,
                                     struct problem *problem);
enum starling_error sweep_plan_at(struct sweep_plan *plan, const char *list,
                                  struct problem *problem);

/* Whether there is anything in it that `run` does not do. */
bool sweep_plan_any(const struct sweep_plan *plan);

/* Fills rows and names in. Without seeds there is one, that of `base`. */
enum starling_error sweep_plan_finish(struct sweep_plan *plan, const struct config *base,
                                      struct problem *problem);

/* The settings of one run: `base` with its row's case, values and the seed. */
enum starling_error sweep_plan_config(const struct sweep_plan *plan, const struct config *base,
                                      size_t run, struct config *config, struct problem *problem);

/* The sections [sweep] and [case …] that make this plan again. */
void sweep_plan_write(const struct sweep_plan *plan, FILE *file);

void sweep_plan_clear(struct sweep_plan *plan);

#endif
