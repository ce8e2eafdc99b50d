/* Two figures of each of many, against each other: cells, so that a million are drawn as a hundred
 * are. */
#include <math.h>
#include <stdlib.h>

#include "sim/plot_axis.h"

#define CELLS 30 /* each way */

static size_t cell_of(const struct axis *axis, double value)
{
    double share = (value - axis->low) / (axis->high - axis->low);
    return (size_t)fmin(fmax(share * CELLS, 0), CELLS - 1);
}

/* How many pairs lie in each cell, row by row from below; returns the most in one. */
static size_t count_cells(const struct plot_pairs *pairs, const struct axis *axis, size_t *cells)
{
    size_t most = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        if (!isfinite(pairs->x[i]) || !isfinite(pairs->y[i]))
            continue;
        size_t *cell = &cells[cell_of(axis, pairs->y[i]) * CELLS + cell_of(axis, pairs->x[i])];
        if (++*cell > most)
            most = *cell;
    }
    return most;
}

/* The more pairs in a cell, the darker: by the square root, so that one alone is seen beside many.
 */
static void write_cells(const struct plot_pairs *pairs, const size_t *cells, size_t most,
                        FILE *file)
{
    double wide = PLOT_ACROSS / CELLS, tall = PLOT_PAIRS_HEIGHT / (double)CELLS;
    fprintf(file, "<g fill=\"var(--colour-%u)\">\n", pairs->colour);
    for (size_t i = 0; i < (size_t)CELLS * CELLS; i++)
        if (cells[i])
            fprintf(file,
                    "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                    "fill-opacity=\"%.2f\"><title>%zu</title></rect>",
                    wide * (double)(i % CELLS) + wide * 0.05,
                    PLOT_PAIRS_HEIGHT - tall * (double)(i / CELLS + 1) + tall * 0.05, wide * 0.9,
                    tall * 0.9, 0.25 + 0.75 * sqrt((double)cells[i] / (double)most), cells[i]);
    fputs("</g>\n", file);
}

bool plot_pairs(const struct plot_pairs *pairs, FILE *file)
{
    double low = INFINITY, high = -INFINITY;
    size_t *cells = calloc((size_t)CELLS * CELLS, sizeof *cells);
    if (!cells)
        return false;
    axis_stretch_all(pairs->x, pairs->count, &low, &high);
    axis_stretch_all(pairs->y, pairs->count, &low, &high);
    struct axis x = axis_make(low, high, pairs->unit, 0, PLOT_ACROSS), y = x;
    y.begin = PLOT_PAIRS_HEIGHT;
    y.end = 0;
    size_t most = count_cells(pairs, &x, cells);
    fputs("<div class=\"plot\">\n<ul class=\"key\">", file);
    plot_key(pairs->name, "bar", pairs->colour, file);
    fputs("</ul>\n", file);
    plot_area_begin(pairs->title, PLOT_PAIRS_HEIGHT, true, file);
    axis_write_y(&y, file);
    axis_write_x(&x, PLOT_PAIRS_HEIGHT, pairs->x_name, file);
    plot_stretch_begin(PLOT_PAIRS_HEIGHT, true, file);
    fprintf(file, "<path class=\"level\" d=\"M0 %dL%.0f 0\"/>\n", PLOT_PAIRS_HEIGHT, PLOT_ACROSS);
    write_cells(pairs, cells, most, file);
    plot_stretch_end(file);
    plot_area_end(file);
    plot_end(file);
    fputs("</div>\n", file);
    free(cells);
    return true;
}
