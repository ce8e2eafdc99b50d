/* tuning — a participant's read-out made personal (model/personal.h), on its own training examples
 * and its hold-out: one half of that chooses, the other tells how well it went.
 *
 * It stays where it was made: nothing of it goes into a message, a merge or what is saved.
 */
#ifndef STARLING_TUNING_H
#define STARLING_TUNING_H

#include "model/personal.h"
#include "node/participant.h"

/* What is tuned, as it was when the participant was asked: this may run on any thread. */
struct tuning {
    const struct participant *participant;
    const float *shared, *scaling; /* the read-out; as dataset_gather_scaled takes it */
    double age;                    /* of the model */
    uint64_t works;                /* that the participant has finished */
};

/* On the reporting half; empty where nothing is held out. */
struct tuned {
    struct personal_report chosen;
    struct evaluation shared, personal;
};

/* Leaves what does best in `kept` (model_parameters() floats). False when memory is out. */
bool tuning_run(const struct tuning *tuning, float *kept, struct workspace *workspace,
                struct tuned *tuned);

/* A device's personal model, from round to round. Begins as zeros; ended by personal_forget. */
struct personal {
    float *values;    /* model_parameters(); NULL before the first tuning */
    uint64_t learned; /* steps of passes since then */
};

/* After a round's pass: tunes anew when the passes since the last time have made as many steps as
 * the tuning takes, so that this at most doubles a device's work. The better of what is shared now
 * and what was kept, by the choosing half, is tested on the reporting half. False when memory is
 * out; nothing has changed then. */
bool tuning_round(struct personal *personal, const struct tuning *tuning,
                  struct workspace *workspace, struct evaluation *reported);
void personal_forget(struct personal *personal);

#endif
