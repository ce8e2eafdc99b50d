/* measure — many models tested on the same examples, side by side.
 */
#ifndef STARLING_MEASURE_H
#define STARLING_MEASURE_H

#include "sim/experiment.h"
#include "sim/pool.h"
#include "sim/results.h"

struct measured {
    double accuracy, loss;
};

/* Tests models[i] (made) on the first `examples` of the experiment's test rows, their features
 * scaled by scalings[i] (as dataset_gather_scaled takes it); scalings NULL: by the data's own. */
void measure(const struct experiment *experiment, struct pool *pool,
             const struct version *const *models, const float *const *scalings, size_t count,
             size_t examples, struct measured *results);

/* The same for models in the midst of a run, on its eval_examples: fills the accuracies, the loss
 * and the consensus distance of `row` in. */
enum starling_error measure_round(const struct experiment *experiment, struct pool *pool,
                                  const struct version *const *models, const float *const *scalings,
                                  size_t count, struct round_row *row, struct problem *problem);

/* sqrt(mean_i ‖w_i − w̄‖²) over the models: how far from agreement they are. NaN when memory is
 * out or there are none. */
double consensus_distance(const struct experiment *experiment, const struct version *const *models,
                          size_t count);

#endif
