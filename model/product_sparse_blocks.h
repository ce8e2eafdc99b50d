/* product_sparse_blocks — the innermost loops of sparse products, for each kind of processor.
 *
 * A panel is some columns of the weights, `width` of them, between one and SPARSE_VECTORS vectors:
 * the last vector ends where the panel does and may overlap the one before. A block is a panel by
 * at most SPARSE_BLOCK inputs, its rows one after another: few enough to stay in the nearest cache.
 */
#ifndef STARLING_PRODUCT_SPARSE_BLOCKS_H
#define STARLING_PRODUCT_SPARSE_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "model/descent.h"

#define SPARSE_VECTORS 8
#define SPARSE_BLOCK 64 /* bits of a mask of inputs */
#define SPARSE_GROUP 32 /* bits of a mask of examples */

/* out[r][c] += Σ a[r][k] weights[k][c] over the set bits k of masks[r]. */
struct sparse_sum {
    const float *a, *weights;
    const uint64_t *masks;
    size_t rows, a_row;
    float *out; /* rows out_row apart */
    size_t out_row, width;
};

/* sum[k][c] = Σ a[r][k] g[r][c] over the examples r that masks name, SPARSE_GROUP of them in
 * masks[r / SPARSE_GROUP][k], which is what goes to out, or else the gradient that `descent` steps
 * down: then out are parameters, momentum (NULL: none) lies as they do. */
struct sparse_outer {
    const float *a, *g;
    const uint32_t (*masks)[SPARSE_BLOCK];
    size_t groups, inputs, a_row, g_row;
    float *out, *momentum; /* rows `width` apart */
    size_t width;
    const struct descent *descent; /* NULL: none */
};

struct sparse_blocks {
    size_t width; /* floats in a vector */
    /* Bit k of masks[r] for a[r][k], when that is not zero; at most SPARSE_BLOCK inputs. */
    void (*mask)(uint64_t *masks, const float *a, size_t a_row, size_t rows, size_t inputs);
    /* The same by example: bit r of masks[k] for a[r][k]; at most SPARSE_GROUP rows. */
    void (*mark)(uint32_t masks[SPARSE_BLOCK], const float *a, size_t a_row, size_t rows,
                 size_t inputs);
    /* by vectors, less one */
    void (*sum[SPARSE_VECTORS])(const struct sparse_sum *);
    void (*outer[SPARSE_VECTORS])(const struct sparse_outer *);
};

/* Those for the processor this runs on. */
const struct sparse_blocks *sparse_blocks(void);

#endif
