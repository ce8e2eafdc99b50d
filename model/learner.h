/* learner — local passes over local data: mini-batch SGD with momentum and weight decay.
 *
 *   m = β m + g;   w = w − η_t (m + λ w);   η_t = max(η₀ / (1 + 0.02 t), floor)   (schedule
 * inverse) with t the model's age in passes. Pure: time, data and randomness are handed in.
 */
#ifndef STARLING_LEARNER_H
#define STARLING_LEARNER_H

#include "model/dataset.h"
#include "model/model.h"
#include "model/random.h"

enum schedule { SCHEDULE_INVERSE, SCHEDULE_CONSTANT };

struct learn_settings {
    double rate, momentum, decay; /* η₀, β, λ */
    double rate_floor;            /* η_t stays at or above this times η₀ */
    uint32_t batch;               /* examples a step, 1 to 65536 */
    uint32_t epochs;              /* times through the data a pass, ≥ 1 */
    uint32_t max_batches;         /* steps a pass at most; 0: no cap */
    enum schedule schedule;
};

/* Some rows of a data set that others own. */
struct examples {
    const struct dataset *data;
    const uint32_t *rows;
    size_t count;
    const float *scaling; /* as dataset_gather_scaled takes it; NULL: the data's own */
};

struct pass_report {
    size_t samples;   /* examples trained on */
    double share;     /* of the whole pass that was done: what the age grows by, 0 to 1 */
    double mean_loss; /* over those examples, before each step; 0 when there were none */
};

/* The examples a pass trains on with these settings, and (unless NULL) the share of the data. */
size_t learner_samples(const struct learn_settings *settings, size_t count, double *share);

double learner_rate(const struct learn_settings *settings, double age);

size_t learner_workspace(const struct model *model, const struct learn_settings *settings,
                         size_t count);

/* One pass over `examples` (may be empty: nothing happens) in an order drawn from `random`, on
 * `parameters` and `momentum` in place (both model_parameters() floats; momentum may be NULL when
 * settings->momentum is 0). Bytes taken from a workspace reset to learner_workspace(). */
void learner_pass(const struct model *model, const struct learn_settings *settings,
                  const struct examples *examples, double age, struct random random,
                  float *parameters, float *momentum, struct workspace *workspace,
                  struct pass_report *report);

#endif
