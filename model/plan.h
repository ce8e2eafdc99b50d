/* plan — a specification and the data's shape made into a list of layers.
 *
 * What a model is made of before it has any parameters. Specifications: "linear", "mlp:128",
 * "mlp:256,128". The output layer follows from the data: one logit for two classes, otherwise one a
 * class.
 */
#ifndef STARLING_PLAN_H
#define STARLING_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "model/dataset.h"
#include "model/layer.h"
#include "model/problem.h"

#define PLAN_LAYERS_MAX 17
#define PLAN_NAME_BYTES 80 /* "mlp:" and 8 widths of up to 5 digits with their commas */
#define PLAN_PARAMETERS_MAX ((size_t)1 << 30)

struct plan {
    char name[PLAN_NAME_BYTES]; /* the specification in normal form */
    double rate;                /* what it is trained with unless told otherwise */
    bool convex;                /* one valley: it may start from zero */
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

#endif
