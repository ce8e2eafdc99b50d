/* set_apart — test examples taken out of a data set that comes without any. */
#ifndef STARLING_SET_APART_H
#define STARLING_SET_APART_H

#include "model/dataset.h"

/* Moves a tenth of the rows of `train`, rounded, to `test`, which is empty before: of each user's
 * where there are users, else of each class's, so that a rare class is tested as it is trained on.
 * Which ones follows from their content and `seed`, not from where they stand, and equal rows go
 * the same way: a group of equal rows that would take more than such a tenth stays. The order of
 * the others is kept. Call before dataset_fit. */
enum starling_error dataset_set_apart(struct dataset *train, struct dataset *test, uint64_t seed,
                                      struct problem *problem);

#endif
