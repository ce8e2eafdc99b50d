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

/* Floats of the largest of the three matrices, from which on copying the operands pays. */
#define OWN_FLOATS 262144

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* out (rows × columns) = a (rows × depth) times b (columns × depth) transposed. */
static void dot_rows(float *out, const float *a, const float *b, size_t rows, size_t columns,
                     size_t depth)
{
    const struct product_blocks *blocks = product_blocks();
    struct dot_block block = {.depth = depth, .out_row = columns};
    /* Columns outside, rows inside: these rows of b stay in the nearest cache. */
    for (size_t c = 0, take; c < columns; c += take) {
        take = even_piece(columns - c, DOT_COLUMNS_MOST);
        block.b = b + c * depth;
        for (size_t r = 0, height; r < rows; r += height) {
            height = even_piece(rows - r, blocks->dot_rows);
            block.a = a + r * depth;
            block.out = out + r * columns + c;
            blocks->dot[height - 1][take - 1](&block);
        }
    }
}

/* What one block does, for all rows and columns. */
static void outer(const struct outer_block *all, size_t rows, size_t columns)
{
    const struct product_blocks *blocks = product_blocks();
    struct outer_block block = *all;
    size_t vectors = columns / blocks->width, rim = columns % blocks->width;
    /* Columns outside, rows inside: these columns of b stay in the nearest cache. */
    for (size_t v = 0, take; v < vectors || (v == vectors && rim > 0); v += take) {
        take = v < vectors ? even_piece(vectors - v, blocks->vectors) : 1;
        block.b = all->b + v * blocks->width;
        for (size_t r = 0, height; r < rows; r += height) {
            height = even_piece(rows - r, blocks->rows);
            size_t at = r * all->out_row + v * blocks->width;
            block.a = all->a + r * all->a_row;
            block.out = all->out + at;
            block.momentum = all->momentum ? all->momentum + at : NULL;
            if (v < vectors)
                blocks->outer[height - 1][take - 1](&block);
            else
                blocks->rim[height - 1](&block, rim);
        }
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
 * its operands, as long as ours stay in a processor's own cache or one dimension is too short to
 * pay for the copies. Measured. */
static bool is_ours(size_t rows, size_t columns, size_t depth)
{
    size_t least = smaller(smaller(rows, columns), depth);
    if (least <= 1 || rows * columns * depth <= 2048)
        return true;
    if (openblas_copies_nothing())
        return false;
    return least < 16 || rows * columns * depth / least < OWN_FLOATS;
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
    if (is_ours(rows, columns, depth)) {
        dot_rows(out, a, b, rows, columns, depth);
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
    if (is_ours(rows, columns, depth)) {
        outer(&(struct outer_block){.a = a,
                                    .a_row = depth,
                                    .a_column = 1,
                                    .b = b,
                                    .b_row = columns,
                                    .depth = depth,
                                    .out = out,
                                    .out_row = columns},
              rows, columns);
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
    if (is_ours(rows, columns, depth)) {
        outer(&(struct outer_block){.a = a,
                                    .a_row = 1,
                                    .a_column = rows,
                                    .b = b,
                                    .b_row = columns,
                                    .depth = depth,
                                    .out = out,
                                    .out_row = columns},
              rows, columns);
        return;
    }
    size_t piece = piece_of(rows, columns * depth);
    for (size_t start = 0; start < rows; start += piece)
        multiply(CblasTrans, CblasNoTrans, smaller(piece, rows - start), columns, depth, a + start,
                 rows, b, columns, out + start * columns, columns);
}

void product_atb_descend(float *parameters, float *momentum, const float *a, const float *b,
                         size_t rows, size_t columns, size_t depth, const struct descent *descent)
{
    check(rows, columns, depth);
    outer(&(struct outer_block){.a = a,
                                .a_row = 1,
                                .a_column = rows,
                                .b = b,
                                .b_row = columns,
                                .depth = depth,
                                .out = parameters,
                                .momentum = momentum,
                                .out_row = columns,
                                .descent = descent},
          rows, columns);
}
