#include "model/convolution.h"

#include <string.h>

#include "model/clones.h"
#include "model/convolution_blocks.h"
#include "model/lanes.h"

/* The gradient by the outputs of a block of channels is gone through once for each weight row: this
 * many bytes of it at a time stay in the nearest cache. */
#define TILE_BYTES 24576

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many of `left` to take next, so that pieces of up to `most` come out even. */
static size_t piece_of(size_t left, size_t most)
{
    size_t pieces = (left + most - 1) / most;
    return (left + pieces - 1) / pieces;
}

size_t convolution_group(struct image image)
{
    return image.channels * image.height * image.width * LANES;
}

size_t convolution_padded(struct image image, size_t pad)
{
    image.width += 2 * pad;
    return convolution_group(image);
}

void convolution_pad(float *padded, const float *group, struct image image, size_t pad)
{
    size_t row = image.width * LANES, rim = pad * LANES;
    for (size_t i = 0; i < image.channels * image.height; i++) {
        memset(padded, 0, rim * sizeof *padded);
        memcpy(padded + rim, group, row * sizeof *padded);
        memset(padded + rim + row, 0, rim * sizeof *padded);
        padded += row + 2 * rim;
        group += row;
    }
}

size_t convolution_weights(const struct convolution *convolution)
{
    return convolution->out.channels * convolution->in.channels * convolution->kernel_height *
           convolution->kernel_width;
}

/* The part of a kernel's side that lies on the image, for outputs from `place` on, `places` of
 * them: what is outside for all of them is zero and left out. */
struct reach {
    size_t first, count;
};

static struct reach reach_of(size_t place, size_t places, size_t pad, size_t kernel, size_t in)
{
    size_t last = place + places - 1;
    size_t first = last < pad ? pad - last : 0;
    return (struct reach){first, smaller(kernel, in + pad - place) - first};
}

/* How many places to take next in a row of outputs: few at the rim, where the kernel reaches over
 * it, for the fewer they are the more of it is left out. */
static size_t places_next(size_t place, size_t width, size_t pad, size_t most)
{
    size_t rim = smaller(pad, width);
    if (place < rim)
        return smaller(2, rim - place);
    if (place + rim >= width)
        return smaller(2, width - place);
    return piece_of(width - rim - place, most);
}

void convolution_sum(const struct convolution *convolution, const float *in, const float *weights,
                     const float *bias, float *out)
{
    const struct convolution_blocks *blocks = convolution_blocks();
    const struct image *to = &convolution->out, *from = &convolution->in;
    size_t height = convolution->kernel_height, width = convolution->kernel_width;
    size_t pad = convolution->pad_width;
    struct sum_block block = {
        .out_channel = to->height * to->width * LANES,
        .in_channel = from->height * (from->width + 2 * pad) * LANES,
        .in_row = (from->width + 2 * pad) * LANES,
        .weights_out = from->channels * height * width,
        .weights_channel = height * width,
        .weights_row = width,
        .channels = from->channels,
    };
    size_t places_most = smaller(BLOCK_MOST, blocks->sums);
    for (size_t y = 0; y < to->height; y++) {
        struct reach rows = reach_of(y, 1, convolution->pad_height, height, from->height);
        block.rows = rows.count;
        for (size_t x = 0, places; x < to->width; x += places) {
            places = places_next(x, to->width, pad, places_most);
            struct reach columns = reach_of(x, places, pad, width, from->width);
            block.columns = columns.count;
            block.in = in + (y + rows.first - convolution->pad_height) * block.in_row +
                       (x + columns.first) * LANES;
            size_t outs_most = smaller(BLOCK_MOST, blocks->sums / places);
            for (size_t o = 0, outs; o < to->channels; o += outs) {
                outs = piece_of(to->channels - o, outs_most);
                block.out = out + o * block.out_channel + (y * to->width + x) * LANES;
                block.weights =
                    weights + o * block.weights_out + rows.first * width + columns.first;
                block.bias = bias ? bias + o : NULL;
                blocks->sum[outs - 1][places - 1](&block);
            }
        }
    }
}

/* Channels of outputs whose gradient by the weights is summed up together. */
static size_t gradient_outs(const struct convolution *convolution,
                            const struct convolution_blocks *blocks)
{
    size_t most = blocks->sums / smaller(convolution->kernel_width, BLOCK_MOST);
    return smaller(convolution->out.channels, smaller(BLOCK_MOST, most));
}

size_t convolution_lent(const struct convolution *convolution)
{
    return gradient_outs(convolution, convolution_blocks()) *
           (convolution_weights(convolution) / convolution->out.channels) * LANES;
}

/* One row of weights of a block of channels, over one tile of outputs. */
static void add_weight_row(const struct convolution_blocks *blocks, struct gradient_block *block,
                           size_t outs, size_t kernel_width)
{
    size_t most = smaller(BLOCK_MOST, blocks->sums / outs);
    for (size_t column = 0, columns; column < kernel_width; column += columns) {
        columns = piece_of(kernel_width - column, most);
        blocks->gradient[outs - 1][columns - 1](block);
        block->sum += columns * LANES;
        block->in += columns * LANES;
    }
}

/* All weights of a block of channels, over one group: added to `sum`. */
static void add_group(const struct convolution *convolution, const float *in, const float *by_out,
                      size_t outs, float *sum)
{
    const struct convolution_blocks *blocks = convolution_blocks();
    const struct image *to = &convolution->out, *from = &convolution->in;
    size_t kernel_height = convolution->kernel_height, kernel_width = convolution->kernel_width;
    size_t pad = convolution->pad_height;
    size_t in_row = (from->width + 2 * convolution->pad_width) * LANES;
    struct gradient_block block = {
        .sum_out = from->channels * kernel_height * kernel_width * LANES,
        .out_channel = to->height * to->width * LANES,
        .out_row = to->width * LANES,
        .in_row = in_row,
        .width = to->width,
    };
    size_t tile = TILE_BYTES / (outs * block.out_row * sizeof(float));
    tile = tile > 0 ? tile : 1;
    for (size_t y = 0; y < to->height; y += tile)
        for (size_t i = 0; i < from->channels * kernel_height; i++) {
            size_t channel = i / kernel_height, row = i % kernel_height;
            /* Outputs whose window has this row of weights on the image. */
            size_t first = y + row < pad ? pad - row : y;
            size_t rows = from->height + pad > row ? from->height + pad - row : 0;
            size_t end = smaller(smaller(y + tile, to->height), rows);
            if (first >= end)
                continue;
            block.sum = sum + i * kernel_width * LANES;
            block.by_out = by_out + first * block.out_row;
            block.in = in + (channel * from->height + first + row - pad) * in_row;
            block.height = end - first;
            add_weight_row(blocks, &block, outs, kernel_width);
        }
}

/* values[i] = the sum of vector i of LANES. */
CLONES static void sum_lanes(float *values, const float *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float sum = 0.0f;
        for (size_t lane = 0; lane < LANES; lane++)
            sum += vectors[i * LANES + lane];
        values[i] = sum;
    }
}

void convolution_gradient(const struct convolution *convolution, const float *in,
                          const float *by_out, size_t groups, float *lent, float *gradient)
{
    size_t each = convolution_weights(convolution) / convolution->out.channels;
    size_t most = gradient_outs(convolution, convolution_blocks());
    size_t channel = convolution->out.height * convolution->out.width * LANES;
    for (size_t o = 0, outs; o < convolution->out.channels; o += outs) {
        outs = piece_of(convolution->out.channels - o, most);
        memset(lent, 0, outs * each * LANES * sizeof *lent);
        for (size_t g = 0; g < groups; g++)
            add_group(convolution,
                      in + g * convolution_padded(convolution->in, convolution->pad_width),
                      by_out + g * convolution_group(convolution->out) + o * channel, outs, lent);
        sum_lanes(gradient + o * each, lent, outs * each);
    }
}

struct convolution convolution_back(const struct convolution *convolution)
{
    struct convolution back = *convolution;
    back.in = convolution->out;
    back.out = convolution->in;
    back.pad_height = convolution->kernel_height - 1 - convolution->pad_height;
    back.pad_width = convolution->kernel_width - 1 - convolution->pad_width;
    return back;
}

void convolution_turn(const struct convolution *convolution, const float *weights, float *turned)
{
    size_t outs = convolution->out.channels, ins = convolution->in.channels;
    size_t kernel = convolution->kernel_height * convolution->kernel_width;
    for (size_t o = 0; o < outs; o++)
        for (size_t i = 0; i < ins; i++)
            for (size_t k = 0; k < kernel; k++)
                turned[(i * outs + o) * kernel + kernel - 1 - k] =
                    weights[(o * ins + i) * kernel + k];
}
