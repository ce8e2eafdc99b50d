#include "model/product.h"

#include <string.h>

#include "model/product_blocks.h"

/* Panels lie one after another, each `depth` rows of a block's columns. */

size_t product_packed_columns(size_t columns)
{
    size_t width = product_blocks()->width;
    return (columns + width - 1) / width * width;
}

/* b[k * along_depth + c * along_columns] is row k, column c. */
static void pack(float *packed, const float *b, size_t along_depth, size_t along_columns,
                 size_t columns, size_t depth)
{
    const struct product_blocks *blocks = product_blocks();
    size_t vectors = (columns + blocks->width - 1) / blocks->width;
    for (size_t v = 0, take; v < vectors; v += take) {
        take = even_piece(vectors - v, blocks->vectors);
        size_t first = v * blocks->width, wide = take * blocks->width;
        size_t there = columns - first < wide ? columns - first : wide;
        for (size_t k = 0; k < depth; k++, packed += wide) {
            const float *from = b + k * along_depth + first * along_columns;
            if (along_columns == 1)
                memcpy(packed, from, there * sizeof *packed);
            else
                for (size_t c = 0; c < there; c++)
                    packed[c] = from[c * along_columns];
            memset(packed + there, 0, (wide - there) * sizeof *packed);
        }
    }
}

void product_pack(float *packed, const float *b, size_t columns, size_t depth)
{
    pack(packed, b, columns, 1, columns, depth);
}

void product_pack_transposed(float *packed, const float *b, size_t columns, size_t depth)
{
    pack(packed, b, 1, depth, columns, depth);
}

void product_ab_packed(float *out, size_t out_row, const float *a, size_t a_row,
                       const float *packed, size_t rows, size_t columns, size_t depth)
{
    const struct product_blocks *blocks = product_blocks();
    size_t vectors = (columns + blocks->width - 1) / blocks->width;
    struct panel_block block = {
        .panel = packed, .a_row = a_row, .depth = depth, .out_row = out_row};
    /* Panels outside, rows inside: a panel stays in the nearest cache. */
    for (size_t v = 0, take; v < vectors; v += take) {
        take = even_piece(vectors - v, blocks->vectors);
        for (size_t r = 0, height; r < rows; r += height) {
            height = even_piece(rows - r, blocks->rows);
            block.a = a + r * a_row;
            block.out = out + r * out_row + v * blocks->width;
            blocks->panel[height - 1][take - 1](&block);
        }
        block.panel += depth * take * blocks->width;
    }
}
