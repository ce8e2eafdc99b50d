#include <math.h>
#include <string.h>

#include "sim/plot_axis.h"

#define INTERVALS 4 /* about as many parts as an axis is cut into */

const char plot_style[] =
    ".plot{position:relative;margin-top:.5rem}"
    ".plot .area{position:relative;margin:0 .6rem 0 2.9rem;padding-bottom:1.5rem}"
    ".plot .area.named{padding-bottom:2.5rem}.plot .area.bare{margin:0 .9rem;padding-bottom:.2rem}"
    ".plot .area.bare:last-child{padding-bottom:1.4rem}"
    ".plot svg{display:block;width:100%;overflow:visible}"
    ".plot svg svg{overflow:hidden}.plot svg svg.free{overflow:visible}"
    ".plot text{font-size:.75rem;fill:var(--muted);font-variant-numeric:tabular-nums}"
    ".plot .halo{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round;"
    "fill:var(--ink)}"
    ".plot .grid{stroke:var(--rule)}.plot .axis{stroke:var(--muted);stroke-opacity:.55}"
    ".plot path,.plot polygon,.plot rect{vector-effect:non-scaling-stroke}"
    ".plot .level{stroke:var(--muted);stroke-width:1.25px;stroke-dasharray:4 4;fill:none}"
    ".plot .line{fill:none;stroke-width:2.25px;stroke-linejoin:round;stroke-linecap:round}"
    ".plot .thin{stroke-width:1.25px}.plot .dashed{stroke-dasharray:5 4}"
    ".plot .end{stroke-width:7px;stroke-linecap:round;fill:none}"
    ".plot .dot{stroke-width:6.5px;stroke-linecap:round;fill:none;stroke-opacity:.85}"
    ".plot .inner{stroke-width:9px;stroke-opacity:.32;stroke-linecap:round;fill:none}"
    ".plot .band{fill-opacity:.17}"
    ".plot .bar{fill-opacity:.8}.plot .bar:hover{fill-opacity:1}"
    ".key{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem .95rem;margin:0 0 .85rem;padding:0;"
    "font-size:.8rem}"
    ".key li{display:flex;align-items:center;gap:.4rem;overflow-wrap:anywhere}"
    ".key i{flex:none;width:1.4rem;height:0;border-top:2.5px solid;border-radius:2px}"
    ".key i.thin{border-top-width:1.5px}.key i.dashed{border-top-style:dashed;border-radius:0}"
    ".key i.bar,.key i.band{width:1.1rem}.shares span{overflow-wrap:anywhere}"
    ".key i.band,.key i.bar{height:.7rem;border:0;background:currentColor;opacity:.25}"
    ".key i.bar{opacity:.8}"
    ".hits{position:absolute;top:0;left:0;right:0}"
    ".hits>div{position:absolute;top:0;bottom:0;outline:0}"
    ".hits i{position:absolute;top:0;bottom:0;width:1px;background:var(--muted);opacity:0}"
    ".hits span{position:absolute;top:.25rem;left:calc(50% + .5rem);display:none;z-index:2;"
    "white-space:pre;pointer-events:none;background:var(--card);border:1px solid var(--rule);"
    "border-radius:8px;padding:.35rem .6rem;font-size:.78rem;line-height:1.45;"
    "box-shadow:0 4px 18px rgba(0,0,0,.16)}"
    "@media(max-width:44rem){.hits span{white-space:pre-line;width:max-content;max-width:40vw}}"
    ".hits .late span{left:auto;right:calc(50% + .5rem)}"
    ".hits>div:hover i,.hits>div:focus i{opacity:.6}"
    ".hits>div:hover span,.hits>div:focus span{display:block}"
    ".strip{margin:.6rem 0 0;font-size:.8rem}.strip b{font-weight:600}"
    ".shares{display:grid;grid-template-columns:minmax(0,max-content) minmax(4rem,1fr) "
    "max-content;gap:.55rem .75rem;"
    "align-items:center;margin-top:.75rem;font-size:.88rem}"
    ".shares div{height:.95rem;background:var(--rule);border-radius:3px;overflow:hidden}"
    ".shares div i{display:block;height:100%;border-radius:3px;background:currentColor}"
    ".shares b{font-weight:600;text-align:right}";

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

static double nice_step(double range)
{
    double raw = range / INTERVALS, power = pow(10, floor(log10(raw))), lead = raw / power;
    return power * (lead <= 1.0001 ? 1 : lead <= 2.0001 ? 2 : lead <= 5.0001 ? 5 : 10);
}

struct axis axis_make(double low, double high, enum plot_unit unit, double begin, double end)
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

struct axis axis_tight(double low, double high, enum plot_unit unit, double begin, double end)
{
    struct axis axis = axis_make(low, high, unit, begin, end);
    if (high - low >= axis.step) {
        axis.low = low;
        axis.high = high;
    }
    return axis;
}

double axis_place(const struct axis *axis, double value)
{
    return axis->begin + (axis->end - axis->begin) * (value - axis->low) / (axis->high - axis->low);
}

void axis_tick_text(const struct axis *axis, double value, char out[PLOT_TICK_TEXT])
{
    double largest = fmax(fabs(axis->low), fabs(axis->high));
    bool scaled = axis->unit == PLOT_BYTES || (axis->unit == PLOT_WHOLE && largest >= 1e4);
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
        write_whole(value, out, PLOT_TICK_TEXT);
    else
        snprintf(out, PLOT_TICK_TEXT, "%.*f%s%s", decimals, value * scale, value == 0 ? "" : space,
                 value == 0 && axis->unit != PLOT_PERCENT ? "" : unit);
}

bool axis_tick(const struct axis *axis, int index, double *value)
{
    double first = axis->step * ceil(axis->low / axis->step - 1e-6);
    *value = first + index * axis->step;
    return *value <= axis->high + axis->step * 1e-6;
}

void axis_write_x(const struct axis *x, double height, const char *name, FILE *file)
{
    double value;
    char text[PLOT_TICK_TEXT];
    fprintf(file, "<line class=\"axis\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>\n", height, height);
    for (int i = 0; axis_tick(x, i, &value); i++) {
        double share = axis_place(x, value) * 100 / PLOT_ACROSS;
        axis_tick_text(x, value, text);
        fprintf(file,
                "<line class=\"axis\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text x=\"%.2f%%\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n",
                share, share, height, height + 4, share, height + 18, text);
    }
    if (!name)
        return;
    fprintf(file, "<text x=\"100%%\" y=\"%.1f\" text-anchor=\"end\">", height + 35);
    plot_text(name, file);
    fputs("</text>\n", file);
}

void axis_write_y(const struct axis *y, FILE *file)
{
    double value;
    char text[PLOT_TICK_TEXT];
    for (int i = 0; axis_tick(y, i, &value); i++) {
        axis_tick_text(y, value, text);
        double at = axis_place(y, value);
        fprintf(file,
                "<line class=\"grid\" x2=\"100%%\" y1=\"%.1f\" y2=\"%.1f\"/>"
                "<text x=\"-8\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                at, at, at + 4, text);
    }
}

void axis_stretch(double value, double *low, double *high)
{
    if (!isfinite(value))
        return;
    *low = fmin(*low, value);
    *high = fmax(*high, value);
}

void axis_stretch_all(const double *values, size_t count, double *low, double *high)
{
    for (size_t i = 0; i < count; i++)
        axis_stretch(values[i], low, high);
}

void plot_area_begin(const char *title, unsigned height, bool numbered, FILE *file)
{
    fprintf(file, "<div class=\"area%s\"><svg height=\"%u\" role=\"img\" aria-label=\"",
            numbered ? " named" : " bare", height);
    plot_text(title, file);
    fputs("\">\n", file);
}

void plot_area_end(FILE *file)
{
    fputs("</svg>\n", file);
}

void plot_end(FILE *file)
{
    fputs("</div>\n", file);
}

void plot_stretch_begin(unsigned height, bool cut, FILE *file)
{
    fprintf(
        file,
        "<svg%s viewBox=\"0 -4 %.0f %u\" y=\"-4\" height=\"%u\" preserveAspectRatio=\"none\">\n",
        cut ? "" : " class=\"free\"", PLOT_ACROSS, height + 8, height + 8);
}

void plot_stretch_end(FILE *file)
{
    fputs("</svg>\n", file);
}

void plot_key(const char *name, const char *kind, unsigned colour, FILE *file)
{
    fprintf(file, "<li><i class=\"%s\" style=\"color:var(--colour-%u)\"></i>", kind, colour);
    plot_text(name, file);
    fputs("</li>", file);
}
