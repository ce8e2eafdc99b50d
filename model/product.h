/* product — the three matrix products of a dense layer, quick from one example to thousands.
 *
 * Matrices are row-major, their rows one after another. `out` is overwritten and overlaps neither
 * operand. Small products run on kernels of our own, large ones on OpenBLAS. One thread.
 */
#ifndef STARLING_PRODUCT_H
#define STARLING_PRODUCT_H

#include <stddef.h>

#include "model/descent.h"

/* No dimension may be larger. */
#define PRODUCT_DIMENSION_MAX 0x7FFFFFFF

/* out (rows × columns) = a (rows × depth) times b (columns × depth) transposed:
 * a layer's outputs from its inputs and weights. */
void product_abt(float *out, const float *a, const float *b, size_t rows, size_t columns,
                 size_t depth);

/* out (rows × columns) = a (rows × depth) times b (depth × columns):
 * the gradient of a layer's inputs from that of its outputs and the weights. */
void product_ab(float *out, const float *a, const float *b, size_t rows, size_t columns,
                size_t depth);

/* out (rows × columns) = a (depth × rows) transposed times b (depth × columns):
 * the gradient of the weights from that of the outputs and the inputs. */
void product_atb(float *out, const float *a, const float *b, size_t rows, size_t columns,
                 size_t depth);

/* The same product, g, and at once the step of `descent` down it: parameters and momentum (NULL:
 * none) are rows × columns. Quick for `depth` up to PRODUCT_DESCEND_DEPTH; the caller sees to it.
 */
#define PRODUCT_DESCEND_DEPTH 128
void product_atb_descend(float *parameters, float *momentum, const float *a, const float *b,
                         size_t rows, size_t columns, size_t depth, const struct descent *descent);

#endif
