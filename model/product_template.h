/* product_template — the blocks of product_blocks.h; see each_processor.h. */

typedef float NAME(vector) __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));
typedef float NAME(four) __attribute__((vector_size(16), aligned(4), may_alias));

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
    size_t a_row = block->a_row, a_column = block->a_column, b_row = block->b_row;
    for (size_t k = 0; k < block->depth; k++, a += a_column, b += b_row)
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                sum[r][v] += a[r * a_row] * *(const NAME(vector) *)(b + v * WIDTH);
    if (!block->descent) {
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                *(NAME(vector) *)(out + r * out_row + v * WIDTH) = sum[r][v];
        return;
    }
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

/* The same for fewer columns than a vector has: what is loaded beyond them is not used. */
TARGET static inline __attribute__((always_inline)) void
NAME(rim)(const struct outer_block *block, const size_t rows, const size_t columns)
{
    NAME(vector) sum[OUTER_ROWS_MOST];
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
        sum[r] = (NAME(vector)){0};
    const float *a = block->a, *b = block->b;
    size_t a_row = block->a_row, a_column = block->a_column, b_row = block->b_row;
    size_t reach = block->depth * b_row + columns; /* to the end of b, and a row more */
    for (size_t k = 0; k < block->depth; k++, a += a_column, b += b_row, reach -= b_row) {
        NAME(vector) row = {0};
        if (reach >= b_row + WIDTH)
            row = *(const NAME(vector) *)b;
        else
            memcpy(&row, b, columns * sizeof *b);
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++)
            sum[r] += a[r * a_row] * row;
    }
    const struct descent *descent = block->descent;
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++) {
        float sums[WIDTH];
        memcpy(sums, &sum[r], sizeof sums);
        for (size_t c = 0; c < columns; c++) {
            float *out = block->out + r * block->out_row + c, m = sums[c];
            if (block->momentum) {
                float *momentum = block->momentum + r * block->out_row + c;
                m = *momentum = descent->beta * *momentum + m;
            }
            *out = descent ? *out - descent->rate * (m + descent->decay * *out) : m;
        }
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

/* The sums of four vectors. */
TARGET static inline __attribute__((always_inline)) NAME(four)
    NAME(sums)(NAME(vector) v0, NAME(vector) v1, NAME(vector) v2, NAME(vector) v3)
{
    NAME(vector) vectors[4] = {v0, v1, v2, v3};
    NAME(four) s[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        NAME(four) parts[WIDTH / 4];
        memcpy(parts, &vectors[i], sizeof parts);
        s[i] = parts[0];
#pragma GCC unroll 4
        for (size_t part = 1; part < WIDTH / 4; part++)
            s[i] += parts[part];
    }
    NAME(four)
    s01 = __builtin_shufflevector(s[0], s[1], 0, 4, 1, 5) +
          __builtin_shufflevector(s[0], s[1], 2, 6, 3, 7);
    NAME(four)
    s23 = __builtin_shufflevector(s[2], s[3], 0, 4, 1, 5) +
          __builtin_shufflevector(s[2], s[3], 2, 6, 3, 7);
    return __builtin_shufflevector(s01, s23, 0, 1, 4, 5) +
           __builtin_shufflevector(s01, s23, 2, 3, 6, 7);
}

TARGET static inline __attribute__((always_inline)) void
NAME(dot)(const struct dot_block *block, const size_t rows, const size_t columns)
{
    const float *a = block->a, *b = block->b;
    const size_t depth = block->depth, whole = depth - depth % WIDTH;
    NAME(vector) sum[DOT_ROWS_MOST][DOT_COLUMNS_MOST];
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 8
        for (size_t c = 0; c < DOT_COLUMNS_MOST; c++)
            sum[r][c] = (NAME(vector)){0};
    for (size_t k = 0; k < whole; k += WIDTH)
#pragma GCC unroll 8
        for (size_t c = 0; c < columns; c++)
#pragma GCC unroll 8
            for (size_t r = 0; r < rows; r++)
                sum[r][c] += *(const NAME(vector) *)(a + r * depth + k) *
                             *(const NAME(vector) *)(b + c * depth + k);
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++) {
        NAME(four) out = NAME(sums)(sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
        for (size_t k = whole; k < depth; k++)
#pragma GCC unroll 8
            for (size_t c = 0; c < columns; c++)
                out[c] += a[r * depth + k] * b[c * depth + k];
        memcpy(block->out + r * block->out_row, &out, columns * sizeof(float));
    }
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
#define RIM(rows) \
    TARGET static void NAME(rim_##rows)(const struct outer_block *block, size_t columns) \
    { \
        NAME(rim)(block, rows, columns); \
    }
RIM(1) RIM(2) RIM(3) RIM(4) RIM(5) RIM(6)
#undef RIM
BLOCKS(panel, 1) BLOCKS(panel, 2) BLOCKS(panel, 3) BLOCKS(panel, 4) BLOCKS(panel, 5)
BLOCKS(panel, 6)
BLOCKS(dot, 1) BLOCKS(dot, 2) BLOCKS(dot, 3) BLOCKS(dot, 4) BLOCKS(dot, 5) BLOCKS(dot, 6)
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
    .dot_rows = REGISTERS == 32 ? 6 : 3,
    .outer = ALL(outer),
    .rim = {NAME(rim_1), NAME(rim_2), NAME(rim_3), NAME(rim_4), NAME(rim_5), NAME(rim_6)},
    .panel = ALL(panel),
    .dot = ALL(dot),
};
#undef BLOCKS
#undef ALL
/* clang-format on */
