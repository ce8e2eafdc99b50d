/* sparse — whether a model does better to take its inputs as often zero.
 *
 * Decided by the first of the examples alone: the same on every machine, whatever the threads.
 */
#ifndef STARLING_SPARSE_H
#define STARLING_SPARSE_H

#include "model/learner.h"

/* model_sparse(model), if enough of the inputs are zero, and so many examples to go through with
 * `vectors` vectors like its parameters to put into another order make up for that; else `model`.
 * Takes sparse_workspace(model) bytes, and gives them back. */
const struct model *sparse_choice(const struct model *model, const struct examples *examples,
                                  size_t count, size_t vectors, struct workspace *workspace);
size_t sparse_workspace(const struct model *model);

#endif
