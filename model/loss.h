/* loss — how wrong outputs are: softmax cross-entropy in nats, or logistic when there is a single
 * output, which then speaks for class 1 of two; or the hinge of a support vector machine.
 *
 * Hinge, z the outputs, y the label: max(0, 1 − z) of a single output where it is to be positive,
 * max(0, 1 + z) where not; else max(0, 1 + max over c ≠ y of z_c − z_y), which counts the worst
 * wrong class alone (Crammer, Singer 2001, JMLR 2): its prediction is the greatest output as well.
 *
 * `outputs` is rows × loss_outputs(classes): a row an example, or of sequences a row a position. A
 * row whose label is LABEL_NONE has neither loss nor gradient. A row with a value that is not
 * finite has an infinite loss and predicts class 0.
 */
#ifndef STARLING_LOSS_H
#define STARLING_LOSS_H

#include <stddef.h>
#include <stdint.h>

enum loss { LOSS_CROSS_ENTROPY, LOSS_HINGE };

/* Outputs that a model of this many classes ends in: one for two classes, else one a class. */
size_t loss_outputs(size_t classes);

/* Replaces `outputs` by the gradient of the mean loss over the labelled rows by them, and returns
 * that mean loss; 0 when no row has a label. `weights`, one a class, is what a row of that class
 * counts; NULL: 1 each. */
double loss_gradient(enum loss loss, size_t classes, float *outputs, const uint16_t *labels,
                     const float *weights, size_t rows);

/* A row: loss into losses (0 without a label), and the likeliest class into predicted; either may
 * be NULL, and labels when losses is. What `outputs` held is lost. */
void loss_predict(enum loss loss, size_t classes, float *outputs, const uint16_t *labels,
                  size_t rows, float *losses, uint16_t *predicted);

#endif
