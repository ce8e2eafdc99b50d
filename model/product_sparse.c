#include "model/product_sparse.h"

#include <assert.h>
#include <string.h>

#include "model/product_blocks.h"
#include "model/product_sparse_blocks.h"

#define ROWS 64 /* gone through with one block of weights */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The columns of the next panel, and the vectors it takes. */
static size_t panel_of(const struct sparse_blocks *blocks, size_t left, size_t *vectors)
{
    size_t width = even_piece(left, SPARSE_VECTORS * blocks->width);
    *vectors = (width + blocks->width - 1) / blocks->width;
    return width;
}

typedef float four __attribute__((vector_size(16), aligned(4), may_alias));

/* to (columns × rows, to_row apart) = from (rows × columns, from_row apart) transposed. */
static void transpose(float *to, size_t to_row, const float *from, size_t from_row, size_t rows,
                      size_t columns)
{
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        const float *at = from + r * from_row;
        size_t c = 0;
        for (; c + 4 <= columns; c += 4) {
            four a0 = *(const four *)(at + c), a1 = *(const four *)(at + from_row + c);
            four a2 = *(const four *)(at + 2 * from_row + c);
            four a3 = *(const four *)(at + 3 * from_row + c);
            four low01 = __builtin_shufflevector(a0, a1, 0, 4, 1, 5);
            four low23 = __builtin_shufflevector(a2, a3, 0, 4, 1, 5);
            four high01 = __builtin_shufflevector(a0, a1, 2, 6, 3, 7);
            four high23 = __builtin_shufflevector(a2, a3, 2, 6, 3, 7);
            float *there = to + c * to_row + r;
            *(four *)there = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
            *(four *)(there + to_row) = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
            *(four *)(there + 2 * to_row) = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
            *(four *)(there + 3 * to_row) = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
        }
        for (; c < columns; c++)
            for (size_t i = 0; i < 4; i++)
                to[c * to_row + r + i] = at[i * from_row + c];
    }
    for (; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            to[c * to_row + r] = from[r * from_row + c];
}

void product_sparse_pack(float *packed, const float *b, size_t columns, size_t depth)
{
    const struct sparse_blocks *blocks = sparse_blocks();
    for (size_t c = 0, width, vectors; c < columns; c += width) {
        width = panel_of(blocks, columns - c, &vectors);
        transpose(packed + c * depth, width, b + c * depth, depth, width, depth);
    }
}

void product_sparse_unpack(float *b, const float *packed, size_t columns, size_t depth)
{
    const struct sparse_blocks *blocks = sparse_blocks();
    for (size_t c = 0, width, vectors; c < columns; c += width) {
        width = panel_of(blocks, columns - c, &vectors);
        transpose(b + c * depth, depth, packed + c * depth, width, depth, width);
    }
}

/* For at most ROWS rows. Inputs outside, panels inside: these values stay in the nearest cache. */
static void add_rows(float *out, const float *a, const float *packed, size_t rows, size_t columns,
                     size_t depth)
{
    const struct sparse_blocks *blocks = sparse_blocks();
    uint64_t masks[ROWS];
    struct sparse_sum block = {.masks = masks, .rows = rows, .a_row = depth, .out_row = columns};
    for (size_t k = 0; k < depth; k += SPARSE_BLOCK) {
        block.a = a + k;
        blocks->mask(masks, block.a, depth, rows, smaller(SPARSE_BLOCK, depth - k));
        for (size_t c = 0, vectors; c < columns; c += block.width) {
            block.width = panel_of(blocks, columns - c, &vectors);
            block.weights = packed + c * depth + k * block.width;
            block.out = out + c;
            blocks->sum[vectors - 1](&block);
        }
    }
}

void product_sparse_add(float *out, const float *a, const float *packed, size_t rows,
                        size_t columns, size_t depth)
{
    assert(columns >= PRODUCT_SPARSE_LEAST);
    for (size_t r = 0; r < rows; r += ROWS)
        add_rows(out + r * columns, a + r * depth, packed, smaller(ROWS, rows - r), columns, depth);
}

static size_t groups_of(size_t rows)
{
    return (rows + SPARSE_GROUP - 1) / SPARSE_GROUP;
}

size_t product_sparse_scratch(size_t rows)
{
    return groups_of(rows) * sizeof(uint32_t[SPARSE_BLOCK]);
}

void product_sparse_descend(float *packed, float *momentum, const float *a, const float *g,
                            size_t rows, size_t columns, size_t depth,
                            const struct descent *descent, void *scratch)
{
    assert(columns >= PRODUCT_SPARSE_LEAST && rows > 0);
    const struct sparse_blocks *blocks = sparse_blocks();
    uint32_t(*masks)[SPARSE_BLOCK] = scratch;
    struct sparse_outer block = {.masks = (const uint32_t(*)[SPARSE_BLOCK])masks,
                                 .groups = groups_of(rows),
                                 .a_row = depth,
                                 .g_row = columns,
                                 .descent = descent};
    for (size_t k = 0; k < depth; k += SPARSE_BLOCK) {
        block.a = a + k;
        block.inputs = smaller(SPARSE_BLOCK, depth - k);
        for (size_t r = 0; r < rows; r += SPARSE_GROUP)
            blocks->mark(masks[r / SPARSE_GROUP], block.a + r * depth, depth,
                         smaller(SPARSE_GROUP, rows - r), block.inputs);
        for (size_t c = 0, vectors; c < columns; c += block.width) {
            block.width = panel_of(blocks, columns - c, &vectors);
            size_t at = c * depth + k * block.width;
            block.g = g + c;
            block.out = packed + at;
            block.momentum = momentum ? momentum + at : NULL;
            blocks->outer[vectors - 1](&block);
        }
    }
}

void product_sparse_gradient(float *gradient, const float *a, const float *g, size_t rows,
                             size_t columns, size_t depth, void *scratch)
{
    product_sparse_descend(gradient, NULL, a, g, rows, columns, depth, NULL, scratch);
}
