/* How many of each: histograms, spreads, and figures side by side. */
#include <math.h>
#include <string.h>

#include "sim/plot_axis.h"

#define RANGE_HEIGHT 22u
#define STRIP_BARS 40 /* at 270 pixels on a phone a dot has room */
#define DOT_ROOM 7.4  /* pixels from one dot to the next above it */

static double most_of(const double *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; values && i < count; i++)
        most = isfinite(values[i]) ? fmax(most, values[i]) : most;
    return most;
}

static void write_bar(const struct axis *x, const struct axis *y, double from, double to,
                      double value, FILE *file)
{
    double left = axis_place(x, from), width = axis_place(x, to) - left;
    double top = axis_place(y, value);
    fprintf(file, "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
            left + width * 0.06, top, width * 0.88, y->begin - top);
}

static void write_expected(const struct plot_bars *bars, const struct axis *x, const struct axis *y,
                           FILE *file)
{
    fprintf(file, "<path class=\"line\" stroke=\"var(--colour-%u)\" d=\"", bars->curve_colour);
    bool pen = false;
    for (size_t i = 0; i < bars->count; i++) {
        double middle = bars->low + ((double)i + 0.5) * bars->step;
        if (isfinite(bars->curve[i]))
            fprintf(file, "%c%.1f %.1f", pen ? 'L' : 'M', axis_place(x, middle),
                    axis_place(y, bars->curve[i]));
        pen = isfinite(bars->curve[i]);
    }
    fputs("\"/>\n", file);
}

/* What a bar holds: "12" where it is one whole number wide, else "12 to 13". */
static void write_range(const struct plot_bars *bars, size_t index, FILE *file)
{
    double from = bars->low + (double)index * bars->step + bars->step / 2, half = bars->step / 2;
    if (bars->step <= 1)
        fprintf(file, "%.0f", from);
    else
        fprintf(file, "%.0f to %.0f", from - half + 0.5, from + half - 0.5);
}

void plot_bars(const struct plot_bars *bars, FILE *file)
{
    double high = bars->low + bars->step * (double)bars->count;
    double most = fmax(most_of(bars->bars, bars->count), most_of(bars->curve, bars->count));
    struct axis x = axis_tight(bars->low, high, PLOT_WHOLE, 0, PLOT_ACROSS);
    struct axis y = axis_make(0, most, PLOT_WHOLE, PLOT_HEIGHT, 0);
    fputs("<div class=\"plot\">\n<ul class=\"key\">", file);
    plot_key(bars->name, "bar", bars->colour, file);
    if (bars->curve)
        plot_key(bars->curve_name, "line", bars->curve_colour, file);
    fputs("</ul>\n", file);
    plot_area_begin(bars->title, PLOT_HEIGHT, true, file);
    axis_write_y(&y, file);
    axis_write_x(&x, PLOT_HEIGHT, bars->x_name, file);
    plot_stretch_begin(PLOT_HEIGHT, true, file);
    fprintf(file, "<g fill=\"var(--colour-%u)\">\n", bars->colour);
    for (size_t i = 0; i < bars->count; i++) {
        if (!(bars->bars[i] > 0))
            continue;
        double from = bars->low + bars->step * (double)i;
        write_bar(&x, &y, from, from + bars->step, bars->bars[i], file);
        fputs("<title>", file);
        write_range(bars, i, file);
        char text[PLOT_TICK_TEXT];
        plot_value(bars->bars[i], PLOT_WHOLE, text, sizeof text);
        fprintf(file, ": %s</title></rect>\n", text);
    }
    fputs("</g>\n", file);
    if (bars->curve)
        write_expected(bars, &x, &y, file);
    plot_stretch_end(file);
    plot_area_end(file);
    plot_end(file);
    fputs("</div>\n", file);
}

/* How many values fall into each of STRIP_BARS equal parts of the axis; returns the most in one. */
static size_t count_bars(const struct plot_strip *strip, const struct axis *x,
                         size_t counts[STRIP_BARS], double *mean, size_t *known)
{
    size_t most = 0;
    *mean = 0;
    *known = 0;
    memset(counts, 0, STRIP_BARS * sizeof *counts);
    for (size_t i = 0; i < strip->count; i++) {
        double value = strip->values[i];
        if (!isfinite(value))
            continue;
        double share = (value - x->low) / (x->high - x->low);
        size_t bar = (size_t)fmin(fmax(share * STRIP_BARS, 0), STRIP_BARS - 1);
        counts[bar]++;
        most = counts[bar] > most ? counts[bar] : most;
        *mean += value;
        ++*known;
    }
    *mean /= (double)*known;
    return most;
}

static void write_marks(const size_t counts[STRIP_BARS], size_t most, unsigned height,
                        unsigned colour, FILE *file)
{
    double part = PLOT_ACROSS / STRIP_BARS, room = height;
    bool dots = (double)most * DOT_ROOM <= room;
    for (size_t i = 0; i < STRIP_BARS; i++) {
        double from = part * (double)i;
        for (size_t j = 0; dots && j < counts[i]; j++)
            fprintf(file, "<path class=\"dot\" stroke=\"var(--colour-%u)\" d=\"M%.1f %.1fh0\"/>",
                    colour, from + part / 2, room - DOT_ROOM / 2 - DOT_ROOM * (double)j);
        double tall = most ? room * (double)counts[i] / (double)most : 0;
        if (!dots && counts[i])
            fprintf(file,
                    "<rect class=\"bar\" fill=\"var(--colour-%u)\" x=\"%.1f\" y=\"%.1f\" "
                    "width=\"%.1f\" height=\"%.1f\"><title>%zu</title></rect>",
                    colour, from + part * 0.06, room - tall, part * 0.88, tall, counts[i]);
    }
    fputc('\n', file);
}

static void write_strip(const struct plot_strip *strip, const struct axis *x, bool last, FILE *file)
{
    double mean;
    size_t counts[STRIP_BARS], known, most = count_bars(strip, x, counts, &mean, &known);
    unsigned height = strip->height ? strip->height : PLOT_STRIP_HEIGHT;
    char text[PLOT_TICK_TEXT], many[PLOT_TICK_TEXT];
    plot_value(mean, x->unit, text, sizeof text);
    plot_value((double)known, PLOT_WHOLE, many, sizeof many);
    fprintf(file, "<p class=\"strip\"><b style=\"color:var(--colour-%u)\">", strip->colour);
    plot_text(strip->name, file);
    fprintf(file, "</b> <span class=\"muted\">mean %s of %s</span></p>\n", known ? text : "–",
            many);
    plot_area_begin(strip->name, height, false, file);
    plot_stretch_begin(height, false, file);
    write_marks(counts, most, height, strip->colour, file);
    if (known)
        fprintf(file, "<path class=\"level\" d=\"M%.1f 0V%u\"/>\n", axis_place(x, mean), height);
    plot_stretch_end(file);
    if (last)
        axis_write_x(x, height, NULL, file);
    else
        fprintf(file, "<line class=\"axis\" x2=\"100%%\" y1=\"%u\" y2=\"%u\"/>\n", height, height);
    plot_area_end(file);
    plot_end(file);
}

void plot_strips(const char *title, const struct plot_strip *strips, size_t count,
                 enum plot_unit unit, FILE *file)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        axis_stretch_all(strips[i].values, strips[i].count, &low, &high);
    struct axis x = axis_make(low, high, unit, 0, PLOT_ACROSS);
    fputs("<div class=\"plot\" role=\"group\" aria-label=\"", file);
    plot_text(title, file);
    fputs("\">\n", file);
    for (size_t i = 0; i < count; i++)
        write_strip(&strips[i], &x, i + 1 == count, file);
    fputs("</div>\n", file);
}

void plot_shares(const char *title, const struct plot_share *shares, size_t count, double most,
                 enum plot_unit unit, FILE *file)
{
    char text[PLOT_TICK_TEXT];
    for (size_t i = 0; most <= 0 && i < count; i++)
        most = isfinite(shares[i].value) ? fmin(most, -shares[i].value) : most;
    most = fabs(most);
    fputs("<div class=\"shares\" role=\"group\" aria-label=\"", file);
    plot_text(title, file);
    fputs("\">\n", file);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(shares[i].value))
            continue;
        plot_value(shares[i].value, unit, text, sizeof text);
        fputs("<span>", file);
        plot_text(shares[i].name, file);
        fprintf(file,
                "</span><div><i style=\"width:%.2f%%;color:var(--colour-%u)\"></i></div>"
                "<b>%s</b>\n",
                most > 0 ? 100 * fmin(fmax(shares[i].value / most, 0), 1) : 0, shares[i].colour,
                text);
    }
    fputs("</div>\n", file);
}

static void write_range_row(const struct plot_range *range, const struct axis *x, bool last,
                            FILE *file)
{
    const double values[] = {range->low, range->inner_low, range->middle, range->inner_high,
                             range->high};
    double places[5], y = RANGE_HEIGHT / 2.0;
    char text[PLOT_TICK_TEXT];
    for (size_t i = 0; i < 5; i++) /* what is not known of a range is its middle */
        places[i] = axis_place(x, isfinite(values[i]) ? values[i] : range->middle);
    plot_value(range->middle, x->unit, text, sizeof text);
    fprintf(file, "<p class=\"strip\"><b style=\"color:var(--colour-%u)\">", range->colour);
    plot_text(range->name, file);
    fprintf(file, "</b> <span class=\"muted\">%s</span></p>\n", text);
    plot_area_begin(range->name, RANGE_HEIGHT, false, file);
    plot_stretch_begin(RANGE_HEIGHT, false, file);
    if (isfinite(range->middle)) {
        fprintf(file,
                "<g stroke=\"var(--colour-%u)\"><path class=\"line thin\" d=\"M%.1f %.1fH%.1f\"/>"
                "<path class=\"inner\" d=\"M%.1f %.1fH%.1f\"/>",
                range->colour, places[0], y, places[4], places[1], y, places[3]);
        fprintf(file, "<path class=\"end\" d=\"M%.1f %.1fh0\"/></g>\n", places[2], y);
    }
    plot_stretch_end(file);
    if (last)
        axis_write_x(x, RANGE_HEIGHT, NULL, file);
    plot_area_end(file);
    plot_end(file);
}

void plot_ranges(const char *title, const struct plot_range *ranges, size_t count,
                 enum plot_unit unit, FILE *file)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        axis_stretch(ranges[i].low, &low, &high);
        axis_stretch(ranges[i].middle, &low, &high);
        axis_stretch(ranges[i].high, &low, &high);
    }
    struct axis x = axis_make(low, high, unit, 0, PLOT_ACROSS);
    fputs("<div class=\"plot\" role=\"group\" aria-label=\"", file);
    plot_text(title, file);
    fputs("\">\n", file);
    for (size_t i = 0; i < count; i++)
        write_range_row(&ranges[i], &x, i + 1 == count, file);
    fputs("</div>\n", file);
}
