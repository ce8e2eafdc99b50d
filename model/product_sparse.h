/* product_sparse — the products of a dense layer whose inputs are often zero: what is zero costs
 * next to nothing.
 *
 * The inputs are as they always are; their zeros are found on the way. The weights lie the other
 * way round, all those of an input together, so that an input that is zero is passed over as a
 * whole: in panels, the same number of floats in another order. The order depends on the processor
 * and is for use in one process only. An infinite or missing weight of an input that is zero goes
 * unnoticed.
 */
#ifndef STARLING_PRODUCT_SPARSE_H
#define STARLING_PRODUCT_SPARSE_H

#include <stddef.h>

#include "model/descent.h"

#define PRODUCT_SPARSE_LEAST 16 /* columns at least */

/* The weights b (columns × depth) into panels, and back. */
void product_sparse_pack(float *packed, const float *b, size_t columns, size_t depth);
void product_sparse_unpack(float *b, const float *packed, size_t columns, size_t depth);

/* out (rows × columns) += a (rows × depth) times the packed weights. */
void product_sparse_add(float *out, const float *a, const float *packed, size_t rows,
                        size_t columns, size_t depth);

/* Bytes of scratch, aligned as for floats, that the two below take for so many rows, 1 or more. */
size_t product_sparse_scratch(size_t rows);

/* The gradient of the packed weights, in their order (overwritten), from a (rows × depth) and the
 * gradient of the outputs, g (rows × columns). */
void product_sparse_gradient(float *gradient, const float *a, const float *g, size_t rows,
                             size_t columns, size_t depth, void *scratch);

/* The same gradient, and at once the step of `descent` down it by weights and momentum (NULL:
 * none), both packed. */
void product_sparse_descend(float *packed, float *momentum, const float *a, const float *g,
                            size_t rows, size_t columns, size_t depth,
                            const struct descent *descent, void *scratch);

#endif
