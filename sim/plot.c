#include "sim/plot.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define LEFT 50.0
#define RIGHT 14.0
#define TOP 30.0
#define BOTTOM 42.0
#define INTERVALS 5 /* about as many parts as an axis is cut into */
#define LETTER 6.1  /* mean width of a letter of the legend */
#define TICK_TEXT 32
#define STRIP_HEIGHT 106.0
#define STRIP_HEAD 22.0
#define DOT 3.3 /* radius */
#define DOT_ROOM 7.4

const char plot_style[] =
    ".plot{display:block;width:100%;height:auto;overflow:visible}"
    ".plot text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;"
    "fill:var(--muted);font-variant-numeric:tabular-nums}"
    ".plot .name{fill:var(--ink)}"
    ".plot .halo{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}"
    ".plot .grid{stroke:var(--rule);stroke-width:1;fill:none}"
    ".plot .axis{stroke:var(--muted);stroke-width:1;fill:none;stroke-opacity:.6}"
    ".plot .level{stroke:var(--muted);stroke-width:1.25;stroke-dasharray:4 4;fill:none}"
    ".plot .line{fill:none;stroke-width:2.25;stroke-linejoin:round;stroke-linecap:round}"
    ".plot .thin{stroke-width:1.25;stroke-opacity:.8}"
    ".plot .band{stroke:none;fill-opacity:.18}"
    ".plot .stroke-0{stroke:var(--colour-0)}.plot .fill-0{fill:var(--colour-0)}"
    ".plot .stroke-1{stroke:var(--colour-1)}.plot .fill-1{fill:var(--colour-1)}"
    ".plot .stroke-2{stroke:var(--colour-2)}.plot .fill-2{fill:var(--colour-2)}"
    ".plot .dot{fill-opacity:.85}"
    ".plot .hit rect{fill:transparent;pointer-events:all}"
    ".plot .hit path,.plot .hit circle{opacity:0;pointer-events:none}"
    ".plot .hit path{stroke:var(--muted);stroke-width:1}"
    ".plot .hit:hover path{opacity:.5}.plot .hit:hover circle{opacity:1}";

void plot_text(const char *text, FILE *file)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", file);
            break;
        case '<':
            fputs("&lt;", file);
            break;
        case '>':
            fputs("&gt;", file);
            break;
        case '"':
            fputs("&quot;", file);
            break;
        case '\'':
            fputs("&#39;", file);
            break;
        default:
            /* Control characters have no place in XML; a broken UTF-8 sequence does no harm. */
            if ((unsigned char)*text >= 0x20 || *text == '\n' || *text == '\t')
                fputc(*text, file);
        }
    }
}

/* 1234567 as 1,234,567 */
static void write_whole(double value, char *out, size_t size)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", fabs(value));
    size_t used = 0;
    if (value <= -0.5 && size > 1)
        out[used++] = '-';
    for (int i = 0; i < length && used + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

/* The power of 1000 to write `value` in, 0 to 5. */
static int thousands(double value)
{
    int power = 0;
    for (value = fabs(value); value >= 999.5 && power < 5; power++)
        value /= 1000;
    return power;
}

static const char *const byte_units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
static const char *const count_units[] = {"", "k", "M", "G", "T", "P"};

void plot_value(double value, enum plot_unit unit, char *out, size_t size)
{
    if (!isfinite(value)) {
        snprintf(out, size, "–");
        return;
    }
    int power = thousands(value);
    double scaled = value / pow(1000, power);
    switch (unit) {
    case PLOT_PERCENT:
        snprintf(out, size, "%.1f%%", 100 * value);
        break;
    case PLOT_BYTES:
        snprintf(out, size, power > 0 && scaled < 99.95 ? "%.1f %s" : "%.0f %s", scaled,
                 byte_units[power]);
        break;
    case PLOT_WHOLE:
        if (fabs(value) < 1e7)
            write_whole(value, out, size);
        else
            snprintf(out, size, "%.4g %s", scaled, count_units[power]);
        break;
    case PLOT_NUMBER:
        snprintf(out, size, "%.4g", value);
        break;
    }
}

/* A scale from values to places between `begin` and `end`, whose ends are multiples of `step`. */
struct axis {
    double low, high, step;
    double begin, end;
    enum plot_unit unit;
};

static double nice_step(double range)
{
    double raw = range / INTERVALS, power = pow(10, floor(log10(raw))), lead = raw / power;
    return power * (lead <= 1.0001 ? 1 : lead <= 2.0001 ? 2 : lead <= 5.0001 ? 5 : 10);
}

static struct axis axis_make(double low, double high, enum plot_unit unit, double begin, double end)
{
    if (!(low <= high)) { /* no value at all */
        low = 0;
        high = 1;
    }
    double least_value = low, most_value = high;
    double least = unit == PLOT_PERCENT ? 0.02 : fabs(high) * 1e-3;
    if (unit == PLOT_WHOLE || unit == PLOT_BYTES)
        least = INTERVALS;
    if (high - low < least || high - low < 1e-12) {
        double grow = (fmax(least, 1e-12) - (high - low)) / 2;
        bool keep_low = low == 0 || unit == PLOT_WHOLE || unit == PLOT_BYTES;
        high += keep_low ? 2 * grow : grow;
        low -= keep_low ? 0 : grow;
    }
    struct axis axis = {.step = nice_step(high - low), .begin = begin, .end = end, .unit = unit};
    if (unit == PLOT_WHOLE && axis.step < 1)
        axis.step = 1;
    axis.low = axis.step * floor(low / axis.step + 1e-6);
    axis.high = axis.step * ceil(high / axis.step - 1e-6);
    if (unit == PLOT_PERCENT && least_value >= 0)
        axis.low = fmax(axis.low, 0);
    if (unit == PLOT_PERCENT && most_value <= 1)
        axis.high = fmin(axis.high, 1);
    return axis;
}

/* A time axis ends where its data ends: a round number would leave an empty strip. */
static struct axis axis_tight(double low, double high, enum plot_unit unit, double begin,
                              double end)
{
    struct axis axis = axis_make(low, high, unit, begin, end);
    if (high - low >= axis.step) {
        axis.low = low;
        axis.high = high;
    }
    return axis;
}

static double place(const struct axis *axis, double value)
{
    return axis->begin + (axis->end - axis->begin) * (value - axis->low) / (axis->high - axis->low);
}

static void tick_text(const struct axis *axis, double value, char out[TICK_TEXT])
{
    double largest = fmax(fabs(axis->low), fabs(axis->high));
    bool scaled = axis->unit == PLOT_BYTES || (axis->unit == PLOT_WHOLE && largest >= 1e5);
    int power = scaled ? thousands(largest) : 0;
    double scale = axis->unit == PLOT_PERCENT ? 100 : pow(1000, -power);
    double step = axis->step * scale;
    int decimals = step >= 0.9999 ? 0 : (int)fmin(ceil(-log10(step) - 1e-6), 9);
    const char *space = axis->unit == PLOT_BYTES ? " " : "";
    const char *unit = axis->unit == PLOT_PERCENT ? "%"
                       : axis->unit == PLOT_BYTES ? byte_units[power]
                                                  : count_units[power];
    if (fabs(value) < axis->step / 1000)
        value = 0;
    if (!scaled && axis->unit == PLOT_WHOLE)
        write_whole(value, out, TICK_TEXT);
    else
        snprintf(out, TICK_TEXT, "%.*f%s%s", decimals, value * scale, value == 0 ? "" : space,
                 value == 0 && axis->unit != PLOT_PERCENT ? "" : unit);
}

/* The round number of this index on the axis; false past the end. */
static bool tick_at(const struct axis *axis, int index, double *value)
{
    double first = axis->step * ceil(axis->low / axis->step - 1e-6);
    *value = first + index * axis->step;
    return *value <= axis->high + axis->step * 1e-6;
}

static void write_x_axis(const struct axis *x, double bottom, const char *name, FILE *file)
{
    double value;
    char text[TICK_TEXT];
    fprintf(file, "<path class=\"axis\" d=\"M%.1f %.1fH%.1f\"/>\n", x->begin, bottom, x->end);
    for (int i = 0; tick_at(x, i, &value); i++) {
        tick_text(x, value, text);
        fprintf(file,
                "<path class=\"axis\" d=\"M%.1f %.1fv4\"/>"
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
                place(x, value), bottom, place(x, value), bottom + 17, text);
    }
    if (!name)
        return;
    fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">", x->end, bottom + 35);
    plot_text(name, file);
    fputs("</text>\n", file);
}

static void write_y_axis(const struct axis *y, double left, double right, FILE *file)
{
    double value;
    char text[TICK_TEXT];
    for (int i = 0; tick_at(y, i, &value); i++) {
        tick_text(y, value, text);
        double at = place(y, value);
        fprintf(file,
                "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>"
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                left, at, right, left - 8, at + 4, text);
    }
}

static void stretch(double value, double *low, double *high)
{
    if (!isfinite(value))
        return;
    *low = fmin(*low, value);
    *high = fmax(*high, value);
}

static void stretch_all(const double *values, size_t count, double *low, double *high)
{
    for (size_t i = 0; i < count; i++)
        stretch(values[i], low, high);
}

/* What a line is drawn over: its own x, or the plot's. */
static const double *x_of(const struct plot *plot, const struct plot_line *line, size_t *count)
{
    *count = line->x ? line->count : plot->count;
    return line->x ? line->x : plot->x;
}

static struct axis x_axis_of(const struct plot *plot, double left, double right)
{
    double low = INFINITY, high = -INFINITY;
    stretch_all(plot->x, plot->count, &low, &high);
    for (size_t i = 0; i < plot->line_count; i++) {
        size_t count;
        const double *x = x_of(plot, &plot->lines[i], &count);
        stretch_all(x, count, &low, &high);
    }
    return axis_tight(low, high, plot->x_unit, left, right);
}

static struct axis y_axis_of(const struct plot *plot)
{
    double low = INFINITY, high = -INFINITY;
    size_t skip = plot->skip_start ? plot->count / 8 : 0;
    for (size_t i = 0; i < plot->line_count; i++) {
        size_t count;
        x_of(plot, &plot->lines[i], &count);
        size_t start = plot->skip_start ? count / 8 : 0;
        stretch_all(plot->lines[i].y + start, count - start, &low, &high);
    }
    if (plot->band_name) {
        stretch_all(plot->band_low + skip, plot->count - skip, &low, &high);
        stretch_all(plot->band_high + skip, plot->count - skip, &low, &high);
    }
    for (size_t i = 0; i < plot->level_count; i++)
        stretch(plot->levels[i].y, &low, &high);
    if (plot->from_zero && low <= high)
        low = fmin(low, 0);
    return axis_make(low, high, plot->y_unit, PLOT_HEIGHT - BOTTOM, TOP);
}

/* Which points are drawn: `drawn` of them, evenly, the last included. */
struct thinning {
    size_t count, drawn;
};

static struct thinning thinning_of(size_t count)
{
    return (struct thinning){count, count < PLOT_POINTS_MAX ? count : PLOT_POINTS_MAX};
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
    struct thinning thinning = thinning_of(count);
    bool pen = false;
    for (size_t i = 0; i < thinning.drawn; i++) {
        size_t at = thinned(&thinning, i);
        bool known = isfinite(values[at]) && isfinite(over[at]);
        if (known)
            fprintf(file, "%c%.1f %.1f", pen ? 'L' : 'M', place(x, over[at]), place(y, values[at]));
        pen = known;
    }
}

static void write_band(const struct plot *plot, const struct axis *x, const struct axis *y,
                       FILE *file)
{
    struct thinning thinning = thinning_of(plot->count);
    fputs("<polygon class=\"band fill-0\" points=\"", file);
    for (size_t i = 0; i < 2 * thinning.drawn; i++) {
        bool back = i >= thinning.drawn;
        size_t at = thinned(&thinning, back ? 2 * thinning.drawn - 1 - i : i);
        double value = back ? plot->band_low[at] : plot->band_high[at];
        if (!isfinite(plot->band_low[at]) || !isfinite(plot->band_high[at]))
            continue;
        fprintf(file, "%.1f,%.1f ", place(x, plot->x[at]), place(y, value));
    }
    fputs("\"/>\n", file);
}

/* Levels below the end of the first line have their names below, so that these do not meet. */
static void write_levels(const struct plot *plot, const struct axis *y, double left, double right,
                         FILE *file)
{
    char text[TICK_TEXT];
    double end = plot->line_count ? plot->lines[0].y[plot->count - 1] : NAN;
    for (size_t i = 0; i < plot->level_count; i++) {
        const struct plot_level *level = &plot->levels[i];
        if (!isfinite(level->y))
            continue;
        plot_value(level->y, plot->y_unit, text, sizeof text);
        double at = place(y, level->y);
        fprintf(file,
                "<path class=\"level\" d=\"M%.1f %.1fH%.1f\"/>"
                "<text class=\"halo\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">",
                left, at, right, right - 2, level->y < end || at - TOP < 12 ? at + 14 : at - 5);
        plot_text(level->name, file);
        fprintf(file, " %s</text>\n", text);
    }
}

static void write_lines(const struct plot *plot, const struct axis *x, const struct axis *y,
                        FILE *file)
{
    for (size_t i = plot->line_count; i-- > 0;) {
        const struct plot_line *line = &plot->lines[i];
        size_t count;
        const double *over = x_of(plot, line, &count);
        if (count == 0)
            continue;
        fprintf(file, "<path class=\"line stroke-%u%s\" d=\"", line->colour,
                line->thin ? " thin" : "");
        write_path(over, line->y, count, x, y, file);
        fputs("\"/>\n", file);
        size_t last = count - 1;
        if (!line->thin && isfinite(line->y[last]))
            fprintf(file, "<circle class=\"fill-%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n",
                    line->colour, place(x, over[last]), place(y, line->y[last]));
    }
}

static void write_legend(const struct plot *plot, double left, FILE *file)
{
    double at = left;
    size_t entries = plot->line_count + (plot->band_name ? 1 : 0);
    for (size_t i = 0; i < entries; i++) {
        bool band = i == plot->line_count;
        const char *name = band ? plot->band_name : plot->lines[i].name;
        if (band)
            fprintf(file,
                    "<rect class=\"band fill-0\" x=\"%.1f\" y=\"5\" width=\"16\" height=\"10\"/>",
                    at);
        else
            fprintf(file, "<path class=\"line stroke-%u%s\" d=\"M%.1f 10h16\"/>",
                    plot->lines[i].colour, plot->lines[i].thin ? " thin" : "", at);
        fprintf(file, "<text class=\"name\" x=\"%.1f\" y=\"14\">", at + 22);
        plot_text(name, file);
        fputs("</text>\n", file);
        at += 22 + LETTER * (double)strlen(name) + 16;
    }
}

static void write_figures(const struct plot *plot, size_t at, FILE *file)
{
    char text[TICK_TEXT];
    plot_value(plot->x[at], plot->x_unit, text, sizeof text);
    fputs("<title>", file);
    plot_text(plot->x_name, file);
    fprintf(file, " %s", text);
    for (size_t i = 0; i < plot->line_count; i++) {
        if (plot->lines[i].x)
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
    fputs("</title>", file);
}

/* One strip a point, as wide as half the way to its neighbours, that shows its figures. */
static void write_hits(const struct plot *plot, const struct axis *x, const struct axis *y,
                       FILE *file)
{
    struct thinning thinning = thinning_of(plot->count);
    for (size_t i = 0; i < thinning.drawn; i++) {
        size_t at = thinned(&thinning, i);
        if (!isfinite(plot->x[at]))
            continue;
        double here = place(x, plot->x[at]), from = here - 6, to = here + 6;
        if (i > 0)
            from = (here + place(x, plot->x[thinned(&thinning, i - 1)])) / 2;
        if (i + 1 < thinning.drawn)
            to = (here + place(x, plot->x[thinned(&thinning, i + 1)])) / 2;
        fprintf(file,
                "<g class=\"hit\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>"
                "<path d=\"M%.1f %.1fV%.1f\"/>",
                from, y->end, fmax(to - from, 0.1), y->begin - y->end, here, y->end, y->begin);
        for (size_t j = 0; j < plot->line_count; j++)
            if (!plot->lines[j].x && isfinite(plot->lines[j].y[at]) &&
                plot->lines[j].y[at] >= y->low)
                fprintf(file, "<circle class=\"fill-%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>",
                        plot->lines[j].colour, here, place(y, plot->lines[j].y[at]));
        write_figures(plot, at, file);
        fputs("</g>\n", file);
    }
}

static void write_svg_head(const char *title, double height, FILE *file)
{
    fprintf(file, "<svg class=\"plot\" viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"",
            PLOT_WIDTH, height);
    plot_text(title, file);
    fputs("\">\n", file);
}

void plot_write(const struct plot *plot, FILE *file)
{
    double left = LEFT, right = PLOT_WIDTH - RIGHT;
    struct axis x = x_axis_of(plot, left, right);
    struct axis y = y_axis_of(plot);
    write_svg_head(plot->title, PLOT_HEIGHT, file);
    write_y_axis(&y, left, right, file);
    write_x_axis(&x, y.begin, plot->x_name, file);
    if (plot->count > 0) {
        fprintf(file,
                "<svg x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                "viewBox=\"%.1f %.1f %.1f %.1f\">\n",
                left - 4, y.end - 4, right - left + 8, y.begin - y.end + 4, left - 4, y.end - 4,
                right - left + 8, y.begin - y.end + 4);
        if (plot->band_name)
            write_band(plot, &x, &y, file);
        write_lines(plot, &x, &y, file);
        fputs("</svg>\n", file);
        write_levels(plot, &y, left, right, file);
        write_hits(plot, &x, &y, file);
    }
    write_legend(plot, left, file);
    fputs("</svg>\n", file);
}

#define BINS_MAX 64

/* How many values fall into each of `bins` equal parts of the axis; returns the most in one. */
static size_t count_bins(const struct plot_strip *strip, const struct axis *x, size_t bins,
                         size_t counts[BINS_MAX], double *mean, size_t *known)
{
    size_t most = 0;
    *mean = 0;
    *known = 0;
    memset(counts, 0, BINS_MAX * sizeof *counts);
    for (size_t i = 0; i < strip->count; i++) {
        double value = strip->values[i];
        if (!isfinite(value))
            continue;
        double share = (value - x->low) / (x->high - x->low);
        size_t bin = (size_t)fmin(fmax(share * (double)bins, 0), (double)(bins - 1));
        counts[bin]++;
        most = counts[bin] > most ? counts[bin] : most;
        *mean += value;
        ++*known;
    }
    *mean /= (double)*known;
    return most;
}

static void write_strip(const struct plot_strip *strip, const struct axis *x, double bottom,
                        FILE *file)
{
    double width = x->end - x->begin, mean;
    size_t bins = (size_t)(width / DOT_ROOM), counts[BINS_MAX], known;
    bins = bins < BINS_MAX ? bins : BINS_MAX;
    size_t most = count_bins(strip, x, bins, counts, &mean, &known);
    double room = STRIP_HEIGHT - STRIP_HEAD, part = width / (double)bins;
    bool dots = (double)most * DOT_ROOM <= room;
    char text[TICK_TEXT];
    plot_value(mean, x->unit, text, sizeof text);
    fprintf(file, "<text class=\"name\" x=\"%.1f\" y=\"%.1f\">", x->begin,
            bottom - STRIP_HEIGHT + 12);
    plot_text(strip->name, file);
    fprintf(file, ": mean %s of %zu</text>\n", known ? text : "–", known);
    for (size_t i = 0; i < bins; i++) {
        double from = x->begin + part * (double)i;
        for (size_t j = 0; dots && j < counts[i]; j++)
            fprintf(file, "<circle class=\"dot fill-%u\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>",
                    strip->colour, from + part / 2, bottom - DOT_ROOM / 2 - DOT_ROOM * (double)j,
                    DOT);
        double tall = most ? room * (double)counts[i] / (double)most : 0;
        if (!dots && counts[i])
            fprintf(file,
                    "<rect class=\"dot fill-%u\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                    "height=\"%.1f\"><title>%zu</title></rect>",
                    strip->colour, from + 0.5, bottom - tall, part - 1, tall, counts[i]);
    }
    if (known)
        fprintf(file, "<path class=\"level\" d=\"M%.1f %.1fV%.1f\"/>", place(x, mean), bottom,
                bottom - room);
    fputc('\n', file);
}

void plot_strips(const char *title, const struct plot_strip *strips, size_t count,
                 enum plot_unit unit, FILE *file)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count; i++)
        stretch_all(strips[i].values, strips[i].count, &low, &high);
    struct axis x = axis_make(low, high, unit, LEFT, PLOT_WIDTH - RIGHT);
    double height = STRIP_HEIGHT * (double)count + 8 * (double)count + 26;
    write_svg_head(title, height, file);
    for (size_t i = 0; i < count; i++) {
        double bottom = (STRIP_HEIGHT + 8) * (double)(i + 1) - 4;
        write_strip(&strips[i], &x, bottom, file);
        if (i + 1 < count)
            fprintf(file, "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>\n", x.begin, bottom, x.end);
        else
            write_x_axis(&x, bottom, NULL, file);
    }
    fputs("</svg>\n", file);
}
