/* convolution_template — the blocks of convolution_blocks.h; see each_processor.h. */

typedef float NAME(part) __attribute__((vector_size(4 * WIDTH), may_alias));

TARGET static inline __attribute__((always_inline)) void
NAME(sum)(const struct sum_block *block, const size_t outs, const size_t places)
{
    float *out = block->out;
    size_t out_channel = block->out_channel, weights_out = block->weights_out;
    for (size_t start = 0; start < LANES; start += WIDTH) {
        NAME(part) sum[BLOCK_MOST][BLOCK_MOST];
#pragma GCC unroll 8
        for (size_t o = 0; o < outs; o++)
#pragma GCC unroll 8
            for (size_t x = 0; x < places; x++)
                sum[o][x] = (NAME(part)){0} + (block->bias ? block->bias[o] : 0.0f);
        for (size_t channel = 0; channel < block->channels; channel++)
            for (size_t row = 0; row < block->rows; row++) {
                const float *in =
                    block->in + channel * block->in_channel + row * block->in_row + start;
                const float *weights =
                    block->weights + channel * block->weights_channel + row * block->weights_row;
                for (size_t column = 0; column < block->columns; column++)
#pragma GCC unroll 8
                    for (size_t o = 0; o < outs; o++)
#pragma GCC unroll 8
                        for (size_t x = 0; x < places; x++)
                            sum[o][x] += weights[o * weights_out + column] *
                                         *(const NAME(part) *)(in + (column + x) * LANES);
            }
#pragma GCC unroll 8
        for (size_t o = 0; o < outs; o++)
#pragma GCC unroll 8
            for (size_t x = 0; x < places; x++)
                *(NAME(part) *)(out + o * out_channel + x * LANES + start) = sum[o][x];
    }
}

TARGET static inline __attribute__((always_inline)) void
NAME(gradient)(const struct gradient_block *block, const size_t outs, const size_t columns)
{
    float *to = block->sum;
    size_t sum_out = block->sum_out, out_channel = block->out_channel;
    for (size_t start = 0; start < LANES; start += WIDTH) {
        NAME(part) sum[BLOCK_MOST][BLOCK_MOST];
#pragma GCC unroll 8
        for (size_t o = 0; o < outs; o++)
#pragma GCC unroll 8
            for (size_t column = 0; column < columns; column++)
                sum[o][column] = *(const NAME(part) *)(to + o * sum_out + column * LANES + start);
        for (size_t y = 0; y < block->height; y++) {
            const float *by_out = block->by_out + y * block->out_row + start;
            const float *in = block->in + y * block->in_row + start;
            for (size_t x = 0; x < block->width; x++)
#pragma GCC unroll 8
                for (size_t o = 0; o < outs; o++)
#pragma GCC unroll 8
                    for (size_t column = 0; column < columns; column++)
                        sum[o][column] +=
                            *(const NAME(part) *)(by_out + o * out_channel + x * LANES) *
                            *(const NAME(part) *)(in + (x + column) * LANES);
        }
#pragma GCC unroll 8
        for (size_t o = 0; o < outs; o++)
#pragma GCC unroll 8
            for (size_t column = 0; column < columns; column++)
                *(NAME(part) *)(to + o * sum_out + column * LANES + start) = sum[o][column];
    }
}

/* clang-format off */
#define BLOCK(a, b) \
    TARGET static void NAME(sum_##a##_##b)(const struct sum_block *block) \
    { \
        NAME(sum)(block, a, b); \
    } \
    TARGET static void NAME(gradient_##a##_##b)(const struct gradient_block *block) \
    { \
        NAME(gradient)(block, a, b); \
    }
#define FOUR_BLOCKS(a) BLOCK(a, 1) BLOCK(a, 2) BLOCK(a, 3) BLOCK(a, 4)
#define SIX_BLOCKS(a) FOUR_BLOCKS(a) BLOCK(a, 5) BLOCK(a, 6)
SIX_BLOCKS(1) SIX_BLOCKS(2) SIX_BLOCKS(3) SIX_BLOCKS(4) FOUR_BLOCKS(5) FOUR_BLOCKS(6)
#undef BLOCK
#undef FOUR_BLOCKS
#undef SIX_BLOCKS

#define FOUR(way, a) \
    NAME(way##_##a##_1), NAME(way##_##a##_2), NAME(way##_##a##_3), NAME(way##_##a##_4)
#define SIX(way, a) {FOUR(way, a), NAME(way##_##a##_5), NAME(way##_##a##_6)}
#define ALL(way) \
    {SIX(way, 1), SIX(way, 2), SIX(way, 3), SIX(way, 4), {FOUR(way, 5)}, {FOUR(way, 6)}}
static const struct convolution_blocks NAME(blocks) = {
    .sums = REGISTERS == 32 ? 24 : WIDTH == 8 ? 12 : 10,
    .sum = ALL(sum),
    .gradient = ALL(gradient),
};
#undef FOUR
#undef SIX
#undef ALL
/* clang-format on */
