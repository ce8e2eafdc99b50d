/* product_blocks — the innermost loops of matrix products, for each kind of processor.
 *
 * A block is a few rows by a few columns of the result, whose sums stay in registers while the
 * depth of the product is gone through once.
 */
#ifndef STARLING_PRODUCT_BLOCKS_H
#define STARLING_PRODUCT_BLOCKS_H

#include <stddef.h>

#include "model/descent.h"

#define OUTER_ROWS_MOST 6
#define OUTER_VECTORS_MOST 4
#define DOT_ROWS_MOST 6
#define DOT_COLUMNS_MOST 4
#define PRODUCT_VECTOR_MOST 16 /* floats in a vector at most */

/* sum[r][c] = Σ over k of a[r][k] b[k][c] with a[r][k] at a + r a_row + k a_column, which is what
 * goes to out, or else the gradient that `descent` steps down: then out are parameters, momentum
 * (NULL: none) lies as they do. Strides in floats. */
struct outer_block {
    const float *a, *b;
    size_t a_row, a_column, b_row, depth;
    float *out, *momentum; /* rows out_row apart */
    size_t out_row;
    const struct descent *descent; /* NULL: none */
}; /* `rim`: of a block with fewer columns than a vector, at the right end of b */

/* out[r][c] = Σ over k of a[r][k] b[c][k]; both have rows of `depth` floats, rows of out lie
 * out_row apart. */
struct dot_block {
    const float *a, *b;
    size_t depth;
    float *out;
    size_t out_row;
};

/* out[r][c] = Σ over k of a[r][k] panel[k][c]; the panel's rows are as wide as the block. */
struct panel_block {
    const float *a, *panel;
    size_t a_row, depth;
    float *out; /* rows out_row apart */
    size_t out_row;
};

struct product_blocks {
    size_t width;         /* floats in a vector */
    size_t rows, vectors; /* of a block at most, */
    size_t dot_rows;      /* and of dot products; all have DOT_COLUMNS_MOST columns */
    /* by rows and vectors or columns, less one each */
    void (*outer[OUTER_ROWS_MOST][OUTER_VECTORS_MOST])(const struct outer_block *);
    void (*rim[OUTER_ROWS_MOST])(const struct outer_block *, size_t columns);
    void (*panel[OUTER_ROWS_MOST][OUTER_VECTORS_MOST])(const struct panel_block *);
    void (*dot[DOT_ROWS_MOST][DOT_COLUMNS_MOST])(const struct dot_block *);
};

/* How many of `left` to take next, so that pieces of up to `most` come out even. */
static inline size_t even_piece(size_t left, size_t most)
{
    size_t pieces = (left + most - 1) / most;
    return (left + pieces - 1) / pieces;
}

/* Those for the processor this runs on. */
const struct product_blocks *product_blocks(void);

#endif
