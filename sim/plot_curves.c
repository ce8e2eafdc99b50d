/* Curves, their band and the levels they are compared with. */
#include <math.h>
#include <stdint.h>

#include "sim/plot_axis.h"

#define HITS_MAX 100    /* places that show their figures */
#define LABEL_ROOM 15.0 /* pixels from one level's name to the next */
#define LEAST_HIT 6.0   /* units of PLOT_ACROSS on either side of a place */

/* What a line is drawn over: its own x, or the plot's. */
static const double *x_of(const struct plot *plot, const struct plot_line *line, size_t *count)
{
    *count = line->x ? line->count : plot->count;
    return line->x ? line->x : plot->x;
}

static struct axis x_axis_of(const struct plot *plot)
{
    double low = INFINITY, high = -INFINITY;
    axis_stretch_all(plot->x, plot->count, &low, &high);
    for (size_t i = 0; i < plot->line_count; i++) {
        size_t count;
        const double *x = x_of(plot, &plot->lines[i], &count);
        axis_stretch_all(x, count, &low, &high);
    }
    return axis_tight(low, high, plot->x_unit, 0, PLOT_ACROSS);
}

static struct axis y_axis_of(const struct plot *plot, double height)
{
    double low = INFINITY, high = -INFINITY;
    size_t skip = plot->skip_start ? plot->count / 8 : 0;
    for (size_t i = 0; i < plot->line_count; i++) {
        size_t count;
        x_of(plot, &plot->lines[i], &count);
        size_t start = plot->skip_start ? count / 8 : 0;
        axis_stretch_all(plot->lines[i].y + start, count - start, &low, &high);
    }
    if (plot->band_name) {
        axis_stretch_all(plot->band_low + skip, plot->count - skip, &low, &high);
        axis_stretch_all(plot->band_high + skip, plot->count - skip, &low, &high);
    }
    for (size_t i = 0; i < plot->level_count; i++)
        axis_stretch(plot->levels[i].y, &low, &high);
    if (plot->from_zero && low <= high)
        low = fmin(low, 0);
    return axis_make(low, high, plot->y_unit, height, 0);
}

/* Which points are drawn: `drawn` of them, evenly, the last included. */
struct thinning {
    size_t count, drawn;
};

static struct thinning thinning_of(size_t count, size_t most)
{
    return (struct thinning){count, count < most ? count : most};
}

static size_t thinned(const struct thinning *thinning, size_t index)
{
    if (thinning->drawn == thinning->count)
        return index;
    return (size_t)((double)index * (double)(thinning->count - 1) / (double)(thinning->drawn - 1) +
                    0.5);
}

/* "M x y L x y …"; a value that is not finite ends one stroke and begins another. */
static void write_path(const double *over, const double *values, size_t count, const struct axis *x,
                       const struct axis *y, FILE *file)
{
    struct thinning thinning = thinning_of(count, PLOT_POINTS_MAX);
    bool pen = false;
    for (size_t i = 0; i < thinning.drawn; i++) {
        size_t at = thinned(&thinning, i);
        bool known = isfinite(values[at]) && isfinite(over[at]);
        if (known)
            fprintf(file, "%c%.1f %.1f", pen ? 'L' : 'M', axis_place(x, over[at]),
                    axis_place(y, values[at]));
        pen = known;
    }
}

static void write_band(const struct plot *plot, const struct axis *x, const struct axis *y,
                       FILE *file)
{
    struct thinning thinning = thinning_of(plot->count, PLOT_POINTS_MAX);
    fputs("<polygon class=\"band\" fill=\"var(--colour-0)\" points=\"", file);
    for (size_t i = 0; i < 2 * thinning.drawn; i++) {
        bool back = i >= thinning.drawn;
        size_t at = thinned(&thinning, back ? 2 * thinning.drawn - 1 - i : i);
        double value = back ? plot->band_low[at] : plot->band_high[at];
        if (!isfinite(plot->x[at]) || !isfinite(plot->band_low[at]) ||
            !isfinite(plot->band_high[at]))
            continue;
        fprintf(file, "%.1f,%.1f ", axis_place(x, plot->x[at]), axis_place(y, value));
    }
    fputs("\"/>\n", file);
}

static const char *look_of(const struct plot_line *line)
{
    return line->thin     ? line->dashed ? "line thin dashed" : "line thin"
           : line->dashed ? "line dashed"
                          : "line";
}

/* The first line lies over the others. */
static void write_lines(const struct plot *plot, const struct axis *x, const struct axis *y,
                        FILE *file)
{
    for (size_t i = plot->line_count; i-- > 0;) {
        const struct plot_line *line = &plot->lines[i];
        size_t count;
        const double *over = x_of(plot, line, &count);
        if (count == 0)
            continue;
        fprintf(file, "<path class=\"%s\" stroke=\"var(--colour-%u)\" d=\"", look_of(line),
                line->colour);
        write_path(over, line->y, count, x, y, file);
        fputs("\"/>\n", file);
    }
}

/* A dot where a line ends. */
static void write_ends(const struct plot *plot, const struct axis *x, const struct axis *y,
                       FILE *file)
{
    for (size_t i = plot->line_count; i-- > 0;) {
        const struct plot_line *line = &plot->lines[i];
        size_t count;
        const double *over = x_of(plot, line, &count);
        double last = count ? line->y[count - 1] : NAN;
        if (!line->thin && last >= y->low && isfinite(last) && isfinite(over[count - 1]))
            fprintf(file, "<path class=\"end\" stroke=\"var(--colour-%u)\" d=\"M%.1f %.1fh0\"/>\n",
                    line->colour, axis_place(x, over[count - 1]), axis_place(y, last));
    }
}

/* Their names from top to bottom, none over another; below a level that lies below the end of the
 * first line, so that no name lies over the line. */
static void write_levels(const struct plot *plot, const struct axis *y, FILE *file)
{
    char text[PLOT_TICK_TEXT];
    bool done[PLOT_LEVELS_MAX] = {false};
    double free_from = 0, end = plot->count && plot->line_count && !plot->lines[0].x
                                    ? plot->lines[0].y[plot->count - 1]
                                    : NAN;
    for (size_t turn = 0; turn < plot->level_count; turn++) {
        size_t next = plot->level_count;
        for (size_t i = 0; i < plot->level_count; i++)
            if (!done[i] && isfinite(plot->levels[i].y) &&
                (next == plot->level_count || plot->levels[i].y > plot->levels[next].y))
                next = i;
        if (next == plot->level_count)
            return;
        done[next] = true;
        double at = axis_place(y, plot->levels[next].y);
        bool below = plot->levels[next].y < end && y->begin - at > LABEL_ROOM;
        double label = fmax(below ? at + 14 : at - 5, free_from + 11);
        free_from = label + LABEL_ROOM - 11;
        plot_value(plot->levels[next].y, plot->y_unit, text, sizeof text);
        fprintf(file,
                "<line class=\"level\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text class=\"halo\" x=\"100%%\" y=\"%.1f\" text-anchor=\"end\">",
                at, at, label);
        plot_text(plot->levels[next].name, file);
        fprintf(file, " %s</text>\n", text);
    }
}

static void write_keys(const struct plot *plot, FILE *file)
{
    fputs("<ul class=\"key\">", file);
    for (size_t i = 0; i < plot->line_count; i++)
        plot_key(plot->lines[i].name, look_of(&plot->lines[i]), plot->lines[i].colour, file);
    if (plot->band_name)
        plot_key(plot->band_name, "band", 0, file);
    fputs("</ul>\n", file);
}

static void write_figures(const struct plot *plot, size_t at, FILE *file)
{
    char text[PLOT_TICK_TEXT];
    plot_value(plot->x[at], plot->x_unit, text, sizeof text);
    plot_text(plot->x_name, file);
    fprintf(file, " %s", text);
    for (size_t i = 0; i < plot->line_count; i++) {
        if (plot->lines[i].x || !isfinite(plot->lines[i].y[at]))
            continue;
        plot_value(plot->lines[i].y[at], plot->y_unit, text, sizeof text);
        fputc('\n', file);
        plot_text(plot->lines[i].name, file);
        fprintf(file, " %s", text);
    }
    if (plot->band_name) {
        plot_value(plot->band_low[at], plot->y_unit, text, sizeof text);
        fputc('\n', file);
        plot_text(plot->band_name, file);
        fprintf(file, " %s", text);
        plot_value(plot->band_high[at], plot->y_unit, text, sizeof text);
        fprintf(file, " to %s", text);
    }
}

/* One strip a point, as wide as half the way to its neighbours, that shows its figures. */
static void write_hits(const struct plot *plot, const struct axis *x, double height, FILE *file)
{
    struct thinning thinning = thinning_of(plot->count, HITS_MAX);
    fprintf(file, "<div class=\"hits\" style=\"height:%.0fpx\" aria-hidden=\"true\">\n", height);
    for (size_t i = 0; i < thinning.drawn; i++) {
        size_t at = thinned(&thinning, i);
        if (!isfinite(plot->x[at]))
            continue;
        double here = axis_place(x, plot->x[at]), from = here - LEAST_HIT, to = here + LEAST_HIT;
        if (i > 0)
            from = (here + axis_place(x, plot->x[thinned(&thinning, i - 1)])) / 2;
        if (i + 1 < thinning.drawn)
            to = (here + axis_place(x, plot->x[thinned(&thinning, i + 1)])) / 2;
        if (!(to > from)) /* nothing came between two points */
            continue;
        fprintf(file,
                "<div%s tabindex=\"-1\" style=\"left:%.2f%%;width:%.2f%%\">"
                "<i style=\"left:%.0f%%\"></i><span>",
                here > PLOT_ACROSS / 2 ? " class=\"late\"" : "", from * 100 / PLOT_ACROSS,
                (to - from) * 100 / PLOT_ACROSS, 100 * (here - from) / (to - from));
        write_figures(plot, at, file);
        fputs("</span></div>\n", file);
    }
    fputs("</div>\n", file);
}

void plot_write(const struct plot *plot, FILE *file)
{
    unsigned height = plot->height ? plot->height : PLOT_HEIGHT;
    struct axis x = x_axis_of(plot), y = y_axis_of(plot, height);
    fputs("<div class=\"plot\">\n", file);
    if (!plot->keyless)
        write_keys(plot, file);
    plot_area_begin(plot->title, height, true, file);
    axis_write_y(&y, file);
    axis_write_x(&x, height, plot->x_name, file);
    plot_stretch_begin(height, true, file);
    if (plot->band_name)
        write_band(plot, &x, &y, file);
    write_lines(plot, &x, &y, file);
    plot_stretch_end(file);
    plot_stretch_begin(height, false, file);
    write_ends(plot, &x, &y, file);
    plot_stretch_end(file);
    write_levels(plot, &y, file);
    plot_area_end(file);
    if (plot->count > 0)
        write_hits(plot, &x, height, file);
    plot_end(file);
    fputs("</div>\n", file);
}
