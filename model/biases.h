/* biases — what a dense layer adds to each of its outputs, and the gradient by it.
 *
 * Rows are of `width` outputs, as many as there are biases.
 */
#ifndef STARLING_BIASES_H
#define STARLING_BIASES_H

#include <stddef.h>

#include "model/descent.h"

/* Adds them to each of `rows`. */
void biases_add(float *out, const float *biases, size_t rows, size_t width);

/* The sum of the rows of the outputs' gradient. */
void biases_gradient(float *gradient, const float *out_gradient, size_t rows, size_t width);

/* The same gradient, and at once the step of `descent` down it; momentum NULL: none. */
void biases_descend(float *biases, float *momentum, const float *out_gradient, size_t rows,
                    size_t width, const struct descent *descent);

#endif
