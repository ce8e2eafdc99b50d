/* personal — what many have learned made one's own: fine-tuned on one's own examples, and kept
 * where that helps.
 *
 *   p = r;   S steps of p = p − η (g + λ p), each on a batch of one's own training examples
 *
 * from the read-out r, by the optimiser of the settings without momentum, which begins afresh. The
 * first quarter of the steps is made at RATE_SHARE η₀, the second at half of that, the others at a
 * quarter; Pegasos goes on with its own schedule. After S/4, S/2 and S steps p is tested on
 * examples that choose; what does best there is kept, the one tuned longest among equals.
 *
 * Fine-tuning to personalise: Yu, Bagdasaryan, Shmatikov 2020 (arXiv 2002.04758), section 3; Cheng,
 * Chadha, Duchi 2021 (arXiv 2108.07313). Stopping early: Prechelt 1998 (Neural Networks: Tricks of
 * the Trade).
 */
#ifndef STARLING_PERSONAL_H
#define STARLING_PERSONAL_H

#include "model/evaluation.h"
#include "model/learner.h"

struct personal_report {
    uint32_t steps;                     /* of what is kept; 0: the read-out itself */
    struct evaluation shared, personal; /* on what chooses: the read-out, and what is kept */
};

/* Whether what did like `tuned` on the examples that choose is to be taken rather than what was
 * tuned less, or not at all: unless fewer are right. Few examples choose, and tuning mostly helps:
 * so a draw is for more of it. */
bool personal_better(const struct evaluation *tuned, const struct evaluation *less);

size_t personal_workspace(const struct model *model, const struct learn_settings *settings,
                          size_t train_count);

/* Fine-tunes `shared` for at most `steps` steps on `train`, whose order `random` draws, and leaves
 * what did best on `choose` in `kept` (both model_parameters() floats): `shared` itself where there
 * is nothing to train on or to choose by. `time` is the model's, as learner_pass has it. Bytes
 * taken from a workspace reset to personal_workspace(). */
void personal_fit(const struct model *model, const struct learn_settings *settings, uint32_t steps,
                  const struct examples *train, const struct examples *choose, double time,
                  struct random random, const float *shared, float *kept,
                  struct workspace *workspace, struct personal_report *report);

#endif
