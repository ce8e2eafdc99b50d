/* plot — charts as HTML and SVG text, for pages that open offline.
 *
 * A chart is as wide as its place and as high as it says, in pixels: curves stretch, text does not,
 * so that the same chart is read on a phone and on a desk. It needs no script. Colours are CSS
 * variables of the page (--colour-0 …, sim/page.h), so that one chart serves light and dark.
 * Pointing at a place, or touching it, shows the figures there. Axes end at round numbers. Values
 * that are not finite leave a gap.
 */
#ifndef STARLING_PLOT_H
#define STARLING_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PLOT_HEIGHT 200 /* pixels, where a plot does not say */
#define PLOT_STRIP_HEIGHT 84
#define PLOT_COLOURS 8
#define PLOT_LINES_MAX 18
#define PLOT_LEVELS_MAX 4
#define PLOT_POINTS_MAX 160 /* drawn of a curve; a longer one is thinned evenly, its end kept */
#define PLOT_BARS_MAX 64

enum plot_unit { PLOT_NUMBER, PLOT_WHOLE, PLOT_PERCENT, PLOT_BYTES };

struct plot_line {
    const char *name;
    const double *y;
    unsigned colour; /* below PLOT_COLOURS: which of the page's */
    bool thin, dashed;
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
    unsigned height; /* pixels; 0: PLOT_HEIGHT */
    bool from_zero;
    bool keyless;    /* the page tells elsewhere which line is which */
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

/* How many there are of each: a bar for every `step` from `low` on, and a curve of what is expected
 * beside them. */
struct plot_bars {
    const char *title; /* for screen readers */
    const char *name, *x_name;
    double low, step;   /* of the first bar */
    const double *bars; /* how many: `count` of them, PLOT_BARS_MAX at most */
    const char *curve_name;
    const double *curve; /* NULL: none; else at the middle of each bar */
    size_t count;
    unsigned colour, curve_colour;
};

void plot_bars(const struct plot_bars *bars, FILE *file);

/* How values spread: one strip a row over a common axis, a dot a value, bars where they are many.
 */
struct plot_strip {
    const char *name;
    const double *values;
    size_t count;
    unsigned colour;
    unsigned height; /* pixels; 0: PLOT_STRIP_HEIGHT */
};

void plot_strips(const char *title, const struct plot_strip *strips, size_t count,
                 enum plot_unit unit, FILE *file);

/* Two figures of each of many over one scale both ways, with the diagonal: above it y is more. */
#define PLOT_PAIRS_HEIGHT 260 /* pixels */
struct plot_pairs {
    const char *title; /* for screen readers */
    const char *name, *x_name;
    const double *x, *y;
    size_t count;
    enum plot_unit unit;
    unsigned colour;
};

/* False when memory is out. */
bool plot_pairs(const struct plot_pairs *pairs, FILE *file);

/* Figures side by side, a line each, as long as its share of the greatest (of `most`, unless 0).
 * Those that are NaN are left out. */
struct plot_share {
    const char *name;
    double value;
    unsigned colour;
};

void plot_shares(const char *title, const struct plot_share *shares, size_t count, double most,
                 enum plot_unit unit, FILE *file);

/* Where values lie over a common axis, a line each: the whole range, its inner part, the middle.
 * One that is not known is left out. */
struct plot_range {
    const char *name;
    double low, inner_low, middle, inner_high, high;
    unsigned colour;
};

void plot_ranges(const char *title, const struct plot_range *ranges, size_t count,
                 enum plot_unit unit, FILE *file);

/* A value as a person reads it: "84.1 %", "1.5 MB", "12,000", "0.0312". */
void plot_value(double value, enum plot_unit unit, char *out, size_t size);

/* Text with everything escaped that HTML and SVG give a meaning to. */
void plot_text(const char *text, FILE *file);

/* The style of all charts, for the page's <style>. */
extern const char plot_style[];

#endif
