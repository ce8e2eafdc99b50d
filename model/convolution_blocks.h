/* convolution_blocks — the innermost loops of convolutions, for each kind of processor.
 *
 * A block is a few output channels by a few places whose sums stay in registers together, so that
 * each value loaded serves several of them. All strides are in floats; a place is LANES floats.
 */
#ifndef STARLING_CONVOLUTION_BLOCKS_H
#define STARLING_CONVOLUTION_BLOCKS_H

#include <stddef.h>

#define BLOCK_MOST 6       /* the most either side of a block may be, */
#define BLOCK_SUMS_MOST 24 /* and their product */

/* out[o][x] = bias[o] + Σ over channels, rows and columns of
 * weights[o][channel][row][column] in[channel][row][column + x], for a block of o and x. */
struct sum_block {
    float *out;
    size_t out_channel;
    const float *in;
    size_t in_channel, in_row;
    const float *weights;
    size_t weights_out, weights_channel, weights_row;
    size_t channels, rows, columns;
    const float *bias; /* NULL: zero */
};

/* sum[o][column] += Σ over `height` and `width` of by_out[o][y][x] in[y][x + column], lane by lane,
 * for a block of o and column. */
struct gradient_block {
    float *sum;
    size_t sum_out;
    const float *by_out;
    size_t out_channel, out_row;
    const float *in;
    size_t in_row;
    size_t width, height;
};

/* What one kind of processor is good at: blocks of up to `sums` sums, [first][second] less one. */
struct convolution_blocks {
    size_t sums;
    void (*sum[BLOCK_MOST][BLOCK_MOST])(const struct sum_block *);           /* by o, x */
    void (*gradient[BLOCK_MOST][BLOCK_MOST])(const struct gradient_block *); /* by o, column */
};

/* Those for the processor this runs on. */
const struct convolution_blocks *convolution_blocks(void);

#endif
