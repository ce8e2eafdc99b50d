/* product_template — the blocks of product_blocks.h; see each_processor.h. */

typedef float NAME(vector) __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

TARGET static inline __attribute__((always_inline)) void
NAME(outer)(const struct outer_block *block, const size_t rows, const size_t vectors)
{
    NAME(vector) sum[OUTER_ROWS_MOST][OUTER_VECTORS_MOST];
    float *out = block->out, *momentum = block->momentum;
    size_t out_row = block->out_row;
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++) {
            sum[r][v] = (NAME(vector)){0};
            /* On their way from memory while the sums are made. */
            __builtin_prefetch(out + r * out_row + v * WIDTH);
            if (momentum)
                __builtin_prefetch(momentum + r * out_row + v * WIDTH);
        }
    const float *a = block->a, *b = block->b;
    size_t a_row = block->a_row, b_row = block->b_row;
    for (size_t k = 0; k < block->depth; k++, a += a_row, b += b_row)
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                sum[r][v] += a[r] * *(const NAME(vector) *)(b + v * WIDTH);
    float rate = block->descent->rate, beta = block->descent->beta, decay = block->descent->decay;
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++) {
            size_t at = r * out_row + v * WIDTH;
            NAME(vector) m = sum[r][v];
            if (momentum) {
                m += beta * *(NAME(vector) *)(momentum + at);
                *(NAME(vector) *)(momentum + at) = m;
            }
            *(NAME(vector) *)(out + at) -= rate * (m + decay * *(NAME(vector) *)(out + at));
        }
}

/* clang-format off */
#define OUTER(rows, vectors) \
    TARGET static void NAME(outer_##rows##_##vectors)(const struct outer_block *block) \
    { \
        NAME(outer)(block, rows, vectors); \
    }
#define OUTERS(rows) OUTER(rows, 1) OUTER(rows, 2) OUTER(rows, 3) OUTER(rows, 4)
OUTERS(1) OUTERS(2) OUTERS(3) OUTERS(4) OUTERS(5) OUTERS(6)
#undef OUTER
#undef OUTERS

#define OUTERS(rows) \
    {NAME(outer_##rows##_1), NAME(outer_##rows##_2), NAME(outer_##rows##_3), NAME(outer_##rows##_4)}
static const struct product_blocks NAME(blocks) = {
    .width = WIDTH,
    .rows = REGISTERS == 32 ? 6 : 4,
    .vectors = REGISTERS == 32 ? 4 : 3,
    .outer = {OUTERS(1), OUTERS(2), OUTERS(3), OUTERS(4), OUTERS(5), OUTERS(6)},
};
#undef OUTERS
/* clang-format on */
