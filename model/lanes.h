/* lanes — a batch of images with LANES examples side by side.
 *
 * What is done to one example's value is done to LANES of them by the same instructions, with one
 * weight for all: images keep vectors busy however narrow they are. A batch is padded to whole
 * groups of LANES examples; a group is values × LANES floats, an image in it channel by channel,
 * each row by row: [channel][y][x][lane].
 */
#ifndef STARLING_LANES_H
#define STARLING_LANES_H

#include <stddef.h>

#define LANES 16

/* Groups that `batch` examples take. */
static inline size_t lanes_groups(size_t batch)
{
    return (batch + LANES - 1) / LANES;
}

/* Rows of `values` floats, one an example, into lanes, and back; lanes without an example become
 * zero, and are left out on the way back. `stride` floats lie between the values that follow one
 * another in lanes, of which there are `values` / `stride` each starting one float later: 1 where
 * rows are in the order of lanes, the channels where rows hold those of each pixel together. */
void lanes_from_rows(float *lanes, const float *rows, size_t batch, size_t values, size_t stride);
void lanes_to_rows(float *rows, const float *lanes, size_t batch, size_t values, size_t stride);

#endif
