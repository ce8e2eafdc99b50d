/* product_sparse_template — the blocks of product_sparse_blocks.h; see each_processor.h. */

typedef float NAME(vector) __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

/* A bit for each value of a vector that is not zero. */
TARGET static inline __attribute__((always_inline)) unsigned NAME(bits)(const float *a)
{
#if WIDTH == 16
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(a), _mm512_setzero_ps(), _CMP_NEQ_UQ);
#elif WIDTH == 8
    __m256 differs = _mm256_cmp_ps(_mm256_loadu_ps(a), _mm256_setzero_ps(), _CMP_NEQ_UQ);
    return (unsigned)_mm256_movemask_ps(differs);
#else
    unsigned bits = 0;
#pragma GCC unroll 4
    for (unsigned i = 0; i < WIDTH; i++)
        bits |= (unsigned)(a[i] != 0.0f) << i;
    return bits;
#endif
}

TARGET static void NAME(mask)(uint64_t *masks, const float *a, size_t a_row, size_t rows,
                              size_t inputs)
{
    for (size_t r = 0; r < rows; r++, a += a_row) {
        uint64_t mask = 0;
        size_t k = 0;
        for (; k + WIDTH <= inputs; k += WIDTH)
            mask |= (uint64_t)NAME(bits)(a + k) << k;
        for (; k < inputs; k++)
            mask |= (uint64_t)(a[k] != 0.0f) << k;
        masks[r] = mask;
    }
}

TARGET static void NAME(mark)(uint32_t masks[SPARSE_BLOCK], const float *a, size_t a_row,
                              size_t rows, size_t inputs)
{
    memset(masks, 0, SPARSE_BLOCK * sizeof *masks);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < inputs; k++)
            masks[k] |= (uint32_t)(a[r * a_row + k] != 0.0f) << r;
}

/* Where vector v of so many begins in a row of a panel. */
TARGET static inline __attribute__((always_inline)) size_t NAME(at)(size_t v, size_t vectors,
                                                                    size_t width)
{
    return v + 1 < vectors ? v * WIDTH : width - WIDTH;
}

TARGET static inline __attribute__((always_inline)) void NAME(sum)(const struct sparse_sum *block,
                                                                   const size_t vectors)
{
    const float *a = block->a, *weights = block->weights;
    float *out = block->out;
    const size_t width = block->width;
    for (size_t r = 0; r < block->rows; r++, a += block->a_row, out += block->out_row) {
        NAME(vector) sum[SPARSE_VECTORS];
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            sum[v] = *(const NAME(vector) *)(out + NAME(at)(v, vectors, width));
        for (uint64_t mask = block->masks[r]; mask; mask &= mask - 1) {
            size_t k = (size_t)__builtin_ctzll(mask);
            const float *row = weights + k * width;
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                sum[v] += a[k] * *(const NAME(vector) *)(row + NAME(at)(v, vectors, width));
        }
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            *(NAME(vector) *)(out + NAME(at)(v, vectors, width)) = sum[v];
    }
}

/* What becomes of a row's sums. The last vector's values are read before the one that it may
 * overlap is written. */
TARGET static inline __attribute__((always_inline)) void
NAME(finish)(NAME(vector) sum[SPARSE_VECTORS], float *out, float *momentum, size_t width,
             const struct descent *descent, const size_t vectors)
{
    NAME(vector) last = *(const NAME(vector) *)(out + width - WIDTH), last_momentum = {0};
    if (momentum)
        last_momentum = *(const NAME(vector) *)(momentum + width - WIDTH);
    /* w − η (m + λ w) = (1 − η λ) w − η m */
    const float rate = descent->rate, beta = descent->beta, keep = 1 - rate * descent->decay;
#pragma GCC unroll 8
    for (size_t v = 0; v < vectors; v++) {
        size_t at = NAME(at)(v, vectors, width);
        bool inner = v + 1 < vectors;
        NAME(vector) m = sum[v], was = inner ? *(const NAME(vector) *)(out + at) : last;
        if (momentum) {
            m += beta * (inner ? *(const NAME(vector) *)(momentum + at) : last_momentum);
            *(NAME(vector) *)(momentum + at) = m;
        }
        *(NAME(vector) *)(out + at) = keep * was - rate * m;
    }
}

TARGET static inline __attribute__((always_inline)) void
NAME(outer)(const struct sparse_outer *block, const size_t vectors)
{
    const size_t width = block->width, a_row = block->a_row, g_row = block->g_row;
    const size_t inputs = block->inputs, groups = block->groups;
    const uint32_t(*const masks)[SPARSE_BLOCK] = block->masks;
    const float *const first_a = block->a, *const first_g = block->g;
    const struct descent descent = block->descent ? *block->descent : (struct descent){0};
    const bool descends = block->descent;
    float *out = block->out, *momentum = block->momentum;
    for (size_t k = 0; k < inputs; k++, out += width) {
        NAME(vector) sum[SPARSE_VECTORS];
#pragma GCC unroll 8
        for (size_t v = 0; v < vectors; v++)
            sum[v] = (NAME(vector)){0};
        const float *a = first_a + k, *g = first_g;
        for (size_t group = 0;;) {
            for (uint32_t mask = masks[group][k]; mask; mask &= mask - 1) {
                size_t r = (size_t)__builtin_ctz(mask);
                const float *row = g + r * g_row;
#pragma GCC unroll 8
                for (size_t v = 0; v < vectors; v++)
                    sum[v] +=
                        a[r * a_row] * *(const NAME(vector) *)(row + NAME(at)(v, vectors, width));
            }
            if (++group == groups)
                break;
            a += SPARSE_GROUP * a_row;
            g += SPARSE_GROUP * g_row;
        }
        if (momentum) {
            NAME(finish)(sum, out, momentum, width, &descent, vectors);
            momentum += width;
        } else if (descends) {
            NAME(finish)(sum, out, NULL, width, &descent, vectors);
        } else {
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++)
                *(NAME(vector) *)(out + NAME(at)(v, vectors, width)) = sum[v];
        }
    }
}

/* clang-format off */
#define BLOCK(kind, vectors) \
    TARGET static void NAME(kind##_##vectors)(const struct sparse_##kind *block) \
    { \
        NAME(kind)(block, vectors); \
    }
#define BLOCKS(kind) \
    BLOCK(kind, 1) BLOCK(kind, 2) BLOCK(kind, 3) BLOCK(kind, 4) BLOCK(kind, 5) BLOCK(kind, 6) \
    BLOCK(kind, 7) BLOCK(kind, 8)
BLOCKS(sum)
BLOCKS(outer)
#undef BLOCK
#undef BLOCKS

#define ALL(kind) \
    {NAME(kind##_1), NAME(kind##_2), NAME(kind##_3), NAME(kind##_4), NAME(kind##_5), \
     NAME(kind##_6), NAME(kind##_7), NAME(kind##_8)}
static const struct sparse_blocks NAME(blocks) = {
    .width = WIDTH,
    .mask = NAME(mask),
    .mark = NAME(mark),
    .sum = ALL(sum),
    .outer = ALL(outer),
};
#undef ALL
/* clang-format on */
