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
 * none) are rows × columns. */
void product_atb_descend(float *parameters, float *momentum, const float *a, const float *b,
                         size_t rows, size_t columns, size_t depth, const struct descent *descent);

/* A right operand, b (depth × columns), laid out for many products with it, each of few rows: as
 * product_ab, only that rows of `a` and of `out` lie a_row and out_row apart, and that `out` gets
 * product_packed_columns() columns, a few more than `columns`, all but the first ones 0.
 * `packed` is that many times depth floats. */
size_t product_packed_columns(size_t columns);
void product_pack(float *packed, const float *b, size_t columns, size_t depth);
/* The same of b transposed: columns × depth. */
void product_pack_transposed(float *packed, const float *b, size_t columns, size_t depth);
void product_ab_packed(float *out, size_t out_row, const float *a, size_t a_row,
                       const float *packed, size_t rows, size_t columns, size_t depth);

#endif
