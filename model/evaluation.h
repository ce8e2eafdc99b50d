/* evaluation — how well parameters do on examples, and where that is heading. */
#ifndef STARLING_EVALUATION_H
#define STARLING_EVALUATION_H

#include "model/learner.h"

struct evaluation {
    size_t examples, correct;   /* predictions made: an example, of sequences a labelled position */
    double loss_sum, loss_sum2; /* over them: loss and its square, in nats */
};

double evaluation_accuracy(const struct evaluation *evaluation); /* NaN without examples */
double evaluation_loss(const struct evaluation *evaluation);     /* mean; NaN without examples */

/* Parameters to be tested, and the model that takes them as they lie: its sparse variant
 * (model_sparse) where they are packed. */
struct candidate {
    const struct model *model;
    const float *parameters;
};

/* Tests `count` candidates of one architecture on one batch of `examples`, of which there are
 * evaluation_batches(), numbered from 0: at most 256 examples each, fewer where examples are large.
 * What candidate i did becomes evaluations[i]. */
size_t evaluation_batches(const struct model *model, size_t examples);
void evaluate_batch(const struct candidate *candidates, size_t count,
                    const struct examples *examples, size_t batch, struct evaluation *evaluations,
                    struct workspace *workspace);

/* Adds those of one batch to a sum; sums are the same for the same order of batches. */
void evaluation_add(struct evaluation *sum, const struct evaluation *batch);

/* The model to test `parameters` with on these examples: the sparse one where that is quicker, and
 * all of them are finite. */
const struct model *evaluation_model(const struct model *model, const float *parameters,
                                     const struct examples *examples, struct workspace *workspace);

/* Bytes that each of these takes, and gives back. */
size_t evaluation_workspace(const struct model *model);

/* All of that for one model: tests `parameters` on all of `examples`. */
struct evaluation evaluate(const struct model *model, const float *parameters,
                           const struct examples *examples, struct workspace *workspace);

/* The last evaluations of one node, and what they say.
 *
 * Test: Mann–Kendall on the last TREND_WINDOW hold-out losses (Mann 1945, Kendall 1975), two-sided
 * at 5 %, with the variance correction for autocorrelation of Hamed and Rao 1998. A significant
 * fall is "learning", a significant rise "getting worse", neither is "converged"; fewer than
 * TREND_LEAST evaluations are "starting". docs/trend.md tells why and how often it errs. */
#define TREND_WINDOW 30
#define TREND_LEAST 8

enum trend { TREND_STARTING, TREND_LEARNING, TREND_CONVERGED, TREND_WORSE };

struct trend_window {
    double losses[TREND_WINDOW]; /* a ring; the oldest at `next` once full */
    uint32_t count, next;
};

void trend_add(struct trend_window *window, double loss);
enum trend trend_of(const struct trend_window *window);
const char *trend_name(enum trend trend); /* "starting", "learning", "converged", "getting worse" */

#endif
