/* plot — charts as SVG text, for pages that open offline.
 *
 * A chart is an <svg> of PLOT_WIDTH × PLOT_HEIGHT units that scales with its place; it needs no
 * script. Colours are CSS classes of the page (plot_style), so that one chart serves light and
 * dark: line-0, line-1, … and band-0, level, axis, grid, dot. Pointing at a point shows its figures
 * (an SVG title). Axes begin and end at round numbers. Values that are not finite leave a gap.
 */
#ifndef STARLING_PLOT_H
#define STARLING_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PLOT_WIDTH 440
#define PLOT_HEIGHT 264
#define PLOT_LINES_MAX 4
#define PLOT_LEVELS_MAX 4
#define PLOT_POINTS_MAX                                                                            \
    160 /* drawn of a curve; a longer one is thinned evenly, its end is kept                       \
         */

enum plot_unit { PLOT_NUMBER, PLOT_WHOLE, PLOT_PERCENT, PLOT_BYTES };

struct plot_line {
    const char *name;
    const double *y;
    unsigned colour; /* 0, 1, 2: which of the page's */
    bool thin;
    const double *x; /* NULL: the plot's; else `count` of its own, which show no figures */
    size_t count;
};

struct plot_level {
    const char *name; /* a horizontal line to compare with; skipped when y is NaN */
    double y;
};

/* Curves over a common x, but for lines that bring their own. All other arrays hold `count` values;
 * all stay the caller's. */
struct plot {
    const char *title; /* for screen readers */
    const char *x_name;
    enum plot_unit x_unit, y_unit;
    bool from_zero;
    bool skip_start; /* the first eighth of the points may lie off the y axis, so that it shows
                        where a steep curve settles */
    size_t count;
    const double *x;
    const char *band_name;
    const double *band_low, *band_high; /* read when there is a band_name */
    struct plot_line lines[PLOT_LINES_MAX];
    size_t line_count;
    struct plot_level levels[PLOT_LEVELS_MAX];
    size_t level_count;
};

void plot_write(const struct plot *plot, FILE *file);

/* How values spread: one strip a row over a common axis, a dot a value, bars where they are many.
 */
struct plot_strip {
    const char *name;
    const double *values;
    size_t count;
    unsigned colour;
};

void plot_strips(const char *title, const struct plot_strip *strips, size_t count,
                 enum plot_unit unit, FILE *file);

/* A value as a person reads it: "84.1 %", "1.5 MB", "12,000", "0.0312". */
void plot_value(double value, enum plot_unit unit, char *out, size_t size);

/* Text with everything escaped that HTML and SVG give a meaning to. */
void plot_text(const char *text, FILE *file);

/* The style of all charts, for the page's <style>. */
extern const char plot_style[];

#endif
