#include "model/product.h"

#include <assert.h>
#include <cblas.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "model/clones.h"
#include "model/product_blocks.h"

/* OpenBLAS works small products off without copying the operands first, on AVX-512 and up to this
 * many multiply-adds; cutting a larger one into such pieces is up to twice as fast. */
#define PIECE_WORK 1000000
#define PIECE_LEAST 16

/* Columns of `combine_rows` at a time, so that the rows it combines stay in the nearest cache. */
#define COMBINE_COLUMNS 256

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* out[i * out_a + j * out_b] = row i of a · row j of b, for `depth` long rows. Four of b's rows
 * side by side share each load of a's. */
CLONES static void dot_rows(float *out, const float *a, size_t a_rows, size_t out_a, const float *b,
                            size_t b_rows, size_t out_b, size_t depth)
{
    for (size_t i = 0; i < a_rows; i++) {
        const float *x = a + i * depth;
        size_t j = 0;
        for (; j + 4 <= b_rows; j += 4) {
            const float *y0 = b + j * depth, *y1 = y0 + depth, *y2 = y1 + depth, *y3 = y2 + depth;
            float sum0 = 0.0f, sum1 = 0.0f, sum2 = 0.0f, sum3 = 0.0f;
            for (size_t k = 0; k < depth; k++) {
                sum0 += x[k] * y0[k];
                sum1 += x[k] * y1[k];
                sum2 += x[k] * y2[k];
                sum3 += x[k] * y3[k];
            }
            float *to = out + i * out_a + j * out_b;
            to[0] = sum0;
            to[out_b] = sum1;
            to[2 * out_b] = sum2;
            to[3 * out_b] = sum3;
        }
        for (; j < b_rows; j++) {
            const float *y = b + j * depth;
            float sum = 0.0f;
            for (size_t k = 0; k < depth; k++)
                sum += x[k] * y[k];
            out[i * out_a + j * out_b] = sum;
        }
    }
}

/* to = the sum of `count` rows from `rows` on, each `stride` after the one before it, times its
 * factor, for `columns` columns. Four rows at a time share each load and store of `to`. */
CLONED_INLINE void combine(float *restrict to, const float *restrict rows, size_t stride,
                           const float *restrict factors, size_t factor_stride, size_t count,
                           size_t columns)
{
    size_t k = count < 4 ? 1 : 0;
    if (k)
        for (size_t c = 0; c < columns; c++)
            to[c] = factors[0] * rows[c];
    for (; k + 4 <= count; k += 4) {
        const float *r0 = rows + k * stride, *r1 = r0 + stride, *r2 = r1 + stride;
        const float *r3 = r2 + stride, *f = factors + k * factor_stride;
        float f0 = f[0], f1 = f[factor_stride], f2 = f[2 * factor_stride],
              f3 = f[3 * factor_stride];
        if (k == 0)
            for (size_t c = 0; c < columns; c++)
                to[c] = (f0 * r0[c] + f1 * r1[c]) + (f2 * r2[c] + f3 * r3[c]);
        else
            for (size_t c = 0; c < columns; c++)
                to[c] += (f0 * r0[c] + f1 * r1[c]) + (f2 * r2[c] + f3 * r3[c]);
    }
    for (; k < count; k++) {
        float factor = factors[k * factor_stride];
        for (size_t c = 0; c < columns; c++)
            to[c] += factor * rows[k * stride + c];
    }
}

/* Row i of out (rows × columns) = Σ_k factors[i * factor_row + k * factor_k] times row k of b. */
CLONES static void combine_rows(float *out, const float *factors, size_t factor_row,
                                size_t factor_k, const float *b, size_t rows, size_t columns,
                                size_t depth)
{
    if (depth == 0)
        memset(out, 0, rows * columns * sizeof *out);
    for (size_t start = 0; start < columns && depth > 0; start += COMBINE_COLUMNS) {
        size_t width = smaller(columns - start, COMBINE_COLUMNS);
        for (size_t i = 0; i < rows; i++)
            combine(out + i * columns + start, b + start, columns, factors + i * factor_row,
                    factor_k, depth, width);
    }
}

/* Whether OpenBLAS has kernels here that leave the operands where they are. */
static bool openblas_copies_nothing(void)
{
    const char *core = openblas_get_corename();
    return strcmp(core, "SkylakeX") == 0 || strcmp(core, "Cooperlake") == 0 ||
           strcmp(core, "Sapphirerapids") == 0;
}

/* Where our own kernels win: always when there is next to nothing to do, and where OpenBLAS copies
 * its operands, as long as one dimension is too short to pay for that. Measured. */
static bool is_small(size_t rows, size_t columns, size_t depth)
{
    size_t least = smaller(smaller(rows, columns), depth);
    if (least <= 1 || rows * columns * depth <= 2048)
        return true;
    return least < 12 && !openblas_copies_nothing();
}

/* How many of `length` rows or columns to hand to OpenBLAS at once, when each costs `work`. */
static size_t piece_of(size_t length, size_t work)
{
    if (work > PIECE_WORK / PIECE_LEAST || !openblas_copies_nothing())
        return length;
    size_t piece = PIECE_LEAST;
    while (piece < length && 2 * piece * work <= PIECE_WORK)
        piece *= 2;
    return piece;
}

static void check(size_t rows, size_t columns, size_t depth)
{
    assert(rows <= PRODUCT_DIMENSION_MAX && columns <= PRODUCT_DIMENSION_MAX &&
           depth <= PRODUCT_DIMENSION_MAX);
}

/* OpenBLAS built without threads hands its scratch memory out without a lock: then only one caller
 * may be inside. Its threaded builds are safe, and what ./dev installs. */
static atomic_flag inside = ATOMIC_FLAG_INIT;

/* out (rows × columns, `out_row` apart) = a · b, either of them transposed. */
static void multiply(enum CBLAS_TRANSPOSE transpose_a, enum CBLAS_TRANSPOSE transpose_b,
                     size_t rows, size_t columns, size_t depth, const float *a, size_t a_row,
                     const float *b, size_t b_row, float *out, size_t out_row)
{
    bool alone = openblas_get_parallel() == OPENBLAS_SEQUENTIAL;
    while (alone && atomic_flag_test_and_set_explicit(&inside, memory_order_acquire))
        ;
    cblas_sgemm(CblasRowMajor, transpose_a, transpose_b, (blasint)rows, (blasint)columns,
                (blasint)depth, 1.0f, a, (blasint)a_row, b, (blasint)b_row, 0.0f, out,
                (blasint)out_row);
    if (alone)
        atomic_flag_clear_explicit(&inside, memory_order_release);
}

void product_abt(float *out, const float *a, const float *b, size_t rows, size_t columns,
                 size_t depth)
{
    check(rows, columns, depth);
    if (is_small(rows, columns, depth)) {
        if (columns >= 4)
            dot_rows(out, a, rows, columns, b, columns, 1, depth);
        else
            dot_rows(out, b, columns, 1, a, rows, columns, depth);
        return;
    }
    size_t piece = piece_of(columns, rows * depth);
    for (size_t start = 0; start < columns; start += piece)
        multiply(CblasNoTrans, CblasTrans, rows, smaller(piece, columns - start), depth, a, depth,
                 b + start * depth, depth, out + start, columns);
}

void product_ab(float *out, const float *a, const float *b, size_t rows, size_t columns,
                size_t depth)
{
    check(rows, columns, depth);
    if (is_small(rows, columns, depth)) {
        combine_rows(out, a, depth, 1, b, rows, columns, depth);
        return;
    }
    size_t piece = piece_of(columns, rows * depth);
    for (size_t start = 0; start < columns; start += piece)
        multiply(CblasNoTrans, CblasNoTrans, rows, smaller(piece, columns - start), depth, a, depth,
                 b + start, columns, out + start, columns);
}

void product_atb(float *out, const float *a, const float *b, size_t rows, size_t columns,
                 size_t depth)
{
    check(rows, columns, depth);
    if (is_small(rows, columns, depth)) {
        combine_rows(out, a, 1, rows, b, rows, columns, depth);
        return;
    }
    size_t piece = piece_of(rows, columns * depth);
    for (size_t start = 0; start < rows; start += piece)
        multiply(CblasTrans, CblasNoTrans, smaller(piece, rows - start), columns, depth, a + start,
                 rows, b, columns, out + start * columns, columns);
}

/* Columns that fill no vector: the same as the blocks do. */
CLONES static void outer_columns(const struct outer_block *block, size_t rows, size_t columns)
{
    for (size_t r = 0; r < rows; r++) {
        float sum[PRODUCT_VECTOR_MOST] = {0.0f};
        for (size_t k = 0; k < block->depth; k++)
            for (size_t c = 0; c < columns; c++)
                sum[c] += block->a[k * block->a_row + r] * block->b[k * block->b_row + c];
        float *out = block->out + r * block->out_row;
        float *momentum = block->momentum ? block->momentum + r * block->out_row : NULL;
        for (size_t c = 0; c < columns; c++) {
            if (momentum)
                sum[c] = momentum[c] = block->descent->beta * momentum[c] + sum[c];
            out[c] -= block->descent->rate * (sum[c] + block->descent->decay * out[c]);
        }
    }
}

void product_atb_descend(float *parameters, float *momentum, const float *a, const float *b,
                         size_t rows, size_t columns, size_t depth, const struct descent *descent)
{
    check(rows, columns, depth);
    const struct product_blocks *blocks = product_blocks();
    struct outer_block block = {
        .a_row = rows, .b_row = columns, .depth = depth, .out_row = columns, .descent = descent};
    size_t vectors = columns / blocks->width, whole = vectors * blocks->width;
    /* Columns outside, rows inside: these columns of b stay in the nearest cache. */
    for (size_t v = 0, take; v < vectors; v += take) {
        take = even_piece(vectors - v, blocks->vectors);
        for (size_t r = 0, height; r < rows; r += height) {
            height = even_piece(rows - r, blocks->rows);
            size_t at = r * columns + v * blocks->width;
            block.a = a + r;
            block.b = b + v * blocks->width;
            block.out = parameters + at;
            block.momentum = momentum ? momentum + at : NULL;
            blocks->outer[height - 1][take - 1](&block);
        }
    }
    if (whole < columns) {
        block.a = a;
        block.b = b + whole;
        block.out = parameters + whole;
        block.momentum = momentum ? momentum + whole : NULL;
        outer_columns(&block, rows, columns - whole);
    }
}
