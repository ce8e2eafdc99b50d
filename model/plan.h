/* plan — a specification and the data's shape made into a list of layers.
 *
 * What a model is made of before it has any parameters. Specifications: "linear", "svm", "mlp:128",
 * "mlp:256,128", "lenet", "gru:128", or layers, "conv 5x5x6 pad 2, relu, maxpool 2, dense 120,
 * tanh". The output layer follows from the data: one logit for two classes, otherwise one a class.
 */
#ifndef STARLING_PLAN_H
#define STARLING_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/dataset.h"
#include "model/layer.h"
#include "model/loss.h"
#include "model/problem.h"

#define PLAN_LISTED_MAX 24                        /* layers that a specification may list, */
#define PLAN_LAYERS_MAX (2 * PLAN_LISTED_MAX + 3) /* and what is put between and behind them */
#define PLAN_NAME_BYTES (28 * PLAN_LISTED_MAX + 1)
#define PLAN_WIDTH_MAX 65536u
#define PLAN_PARAMETERS_MAX ((size_t)1 << 30)

struct plan {
    char name[PLAN_NAME_BYTES]; /* the specification in normal form */
    double rate;                /* what it is trained with unless told otherwise, */
    double clip;                /* and how long a gradient may be; 0: any length */
    enum loss loss;
    bool convex; /* one valley: it may start from zero */
    struct shape shape;
    size_t outputs; /* floats a prediction: as loss_outputs says */
    size_t parameters;
    size_t layer_count;
    struct layer layers[PLAN_LAYERS_MAX]; /* the first takes the features, the last gives the
                                             outputs */
};

/* Fills `plan`; a problem on a specification that makes no sense, by itself or on such data. */
enum starling_error plan_make(struct plan *plan, const char *specification,
                              const struct shape *shape, struct problem *problem);

/* Appends a layer to what is there so far, its kind, its outputs and what else its kind needs being
 * set: it takes what the one before it gives, and its parameters lie behind theirs. */
void plan_add(struct plan *plan, struct layer layer);

/* Appends recurrent units, and what makes their gates' share of their input. */
void plan_add_gru(struct plan *plan, size_t units);

/* Appends the layers that `text` lists, and the output layer, and names the plan after them.
 * plan_lists: whether `text` begins with the name of a layer. */
bool plan_lists(const char *text);
enum starling_error plan_list(struct plan *plan, const char *text, struct problem *problem);

/* The names of the layers that may be listed; returns how many. */
size_t plan_list_words(const char *names[PLAN_LISTED_MAX]);

#endif
