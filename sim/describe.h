/* describe — what a data set holds and how a partition deals it out, to look at before learning.
 *
 * Values are as the file has them, before scaling; features and classes are called as it calls
 * them. docs/data.md lists the keys of the JSON.
 */
#ifndef STARLING_DESCRIBE_H
#define STARLING_DESCRIBE_H

#include <stdbool.h>
#include <stdio.h>

#include "model/dataset.h"
#include "model/partition.h"
#include "node/config.h"

#define DESCRIBE_NODES 20 /* whose labels a person is shown; JSON has all nodes */
#define DESCRIBE_WORST 5  /* features of which most is missing, that are named */

struct class_count {
    size_t train, test; /* labels: examples, or of sequences positions */
};

struct feature_summary {
    size_t missing_train, missing_test;
    double least, most; /* in training; least > most where all are missing */
};

struct description {
    const struct config *config;
    struct data *data;                       /* scaled, once it is described */
    struct partition *partition;             /* NULL: no split was asked for */
    struct class_count *classes;             /* by class */
    struct class_count labels;               /* all of them */
    size_t majority;                         /* the class that is most frequent in training */
    struct feature_summary *features;        /* NULL for sequences of symbols */
    size_t missing_features, missing_values; /* in training and test */
    size_t worst[DESCRIBE_WORST], worst_count;
    size_t constant_features;         /* the same in all training examples, or missing in all */
    size_t widest;                    /* the feature with the largest difference in training */
    double least, most;               /* of all values in training */
    double scaled_least, scaled_most; /* after scaling */
    size_t *users;                    /* training examples by user; NULL where there are none */
};

/* Reads the data that `config` names, and deals it out when it says to how many nodes or how.
 * STARLING_OK, or a problem. Freed by description_clear. */
enum starling_error description_make(struct description *description, const struct config *config,
                                     struct problem *problem);
void description_clear(struct description *description);

/* The labels of a node by class into counts (classes), and how many classes it has. */
size_t description_node(const struct description *description, size_t node, size_t *counts);

/* What a class or feature is called, cut to what a line shows. */
const char *description_class(const struct description *description, size_t class, char out[44]);
const char *description_feature(const struct description *description, size_t feature,
                                char out[44]);

/* For a person, and for a program; false when memory is out or it cannot be written. */
bool describe_print(const struct description *description, FILE *file);
bool describe_json(const struct description *description, FILE *file);

#endif
