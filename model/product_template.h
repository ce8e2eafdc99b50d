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

TARGET static inline __attribute__((always_inline)) void
NAME(panel)(const struct panel_block *block, const size_t rows, const size_t vectors)
{
    NAME(vector) sum[OUTER_ROWS_MOST][OUTER_VECTORS_MOST];
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            sum[r][v] = (NAME(vector)){0};
    const float *a = block->a, *panel = block->panel;
    size_t a_row = block->a_row;
    for (size_t k = 0; k < block->depth; k++, panel += vectors * WIDTH)
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                sum[r][v] += a[r * a_row + k] * *(const NAME(vector) *)(panel + v * WIDTH);
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            *(NAME(vector) *)(block->out + r * block->out_row + v * WIDTH) = sum[r][v];
}

/* clang-format off */
#define BLOCK(kind, rows, vectors) \
    TARGET static void NAME(kind##_##rows##_##vectors)(const struct kind##_block *block) \
    { \
        NAME(kind)(block, rows, vectors); \
    }
#define BLOCKS(kind, rows) \
    BLOCK(kind, rows, 1) BLOCK(kind, rows, 2) BLOCK(kind, rows, 3) BLOCK(kind, rows, 4)
BLOCKS(outer, 1) BLOCKS(outer, 2) BLOCKS(outer, 3) BLOCKS(outer, 4) BLOCKS(outer, 5)
BLOCKS(outer, 6)
BLOCKS(panel, 1) BLOCKS(panel, 2) BLOCKS(panel, 3) BLOCKS(panel, 4) BLOCKS(panel, 5)
BLOCKS(panel, 6)
#undef BLOCK
#undef BLOCKS

#define BLOCKS(kind, rows) \
    {NAME(kind##_##rows##_1), NAME(kind##_##rows##_2), NAME(kind##_##rows##_3), \
     NAME(kind##_##rows##_4)}
#define ALL(kind) \
    {BLOCKS(kind, 1), BLOCKS(kind, 2), BLOCKS(kind, 3), BLOCKS(kind, 4), BLOCKS(kind, 5), \
     BLOCKS(kind, 6)}
static const struct product_blocks NAME(blocks) = {
    .width = WIDTH,
    .rows = REGISTERS == 32 ? 6 : 4,
    .vectors = REGISTERS == 32 ? 4 : 3,
    .outer = ALL(outer),
    .panel = ALL(panel),
};
#undef BLOCKS
#undef ALL
/* clang-format on */
