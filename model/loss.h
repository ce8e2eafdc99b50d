/* loss — how wrong outputs are, in nats: softmax cross-entropy, or logistic when there is a single
 * output, which then speaks for class 1 of two.
 *
 * `outputs` is rows × loss_outputs(classes): a row an example, or of sequences a row a position. A
 * row whose label is LABEL_NONE has neither loss nor gradient. A row with a value that is not
 * finite has an infinite loss and predicts class 0.
 */
#ifndef STARLING_LOSS_H
#define STARLING_LOSS_H

#include <stddef.h>
#include <stdint.h>

/* Outputs that a model of this many classes ends in: one for two classes, else one a class. */
size_t loss_outputs(size_t classes);

/* Replaces `outputs` by the gradient of the mean loss over the labelled rows by them, and returns
 * that mean loss; 0 when no row has a label. */
double loss_gradient(size_t classes, float *outputs, const uint16_t *labels, size_t rows);

/* A row: loss into losses (0 without a label), and the likeliest class into predicted; either may
 * be NULL, and labels when losses is. What `outputs` held is lost. */
void loss_predict(size_t classes, float *outputs, const uint16_t *labels, size_t rows,
                  float *losses, uint16_t *predicted);

#endif
