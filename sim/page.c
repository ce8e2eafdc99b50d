#include "sim/page.h"

#include <math.h>

#define PANES_MAX 4

static const char page_style[] =
    ":root{--paper:#f5f4f0;--card:#fffefc;--ink:#1b2126;--muted:#656f78;--rule:#e6e3dc;"
    "--colour-0:#0f6e8c;--colour-1:#c8552b;--colour-2:#8a939b;--colour-3:#6a55b5;"
    "--colour-4:#3c8a4e;--colour-5:#b07d10;--colour-6:#c0407a;--colour-7:#3f6bcf;"
    "color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--paper:#11161a;--card:#1a2127;--ink:#e8ebed;"
    "--muted:#98a3ad;--rule:#2c353d;--colour-0:#5fbddb;--colour-1:#f2976f;--colour-2:#7f8a94;"
    "--colour-3:#a996f0;--colour-4:#78c98b;--colour-5:#e0b04e;--colour-6:#ef86b4;"
    "--colour-7:#86a8f7}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"
    "'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-variant-numeric:tabular-nums;"
    "-webkit-text-size-adjust:100%}"
    "main{max-width:68rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}"
    "h1{font-size:1.7rem;line-height:1.2;margin:0;letter-spacing:-.015em;overflow-wrap:anywhere}"
    "h2{font-size:1.05rem;margin:2.5rem 0 .75rem}"
    "p{margin:.35rem 0 0}.muted{color:var(--muted)}"
    ".lead{font-size:1.15rem;line-height:1.45;margin-top:1rem;max-width:46rem}"
    ".warning{border-left:3px solid var(--colour-1);padding:.25rem .75rem;margin-top:1rem}"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.1rem,1fr));margin:1."
    "6rem 0 1rem;"
    "background:var(--card);border:1px solid var(--rule);border-radius:12px;"
    "overflow:hidden}"
    ".figures div{padding:.85rem 1rem;border:solid var(--rule);border-width:0 1px 1px 0;"
    "margin:0 -1px -1px 0}"
    ".figures dt{color:var(--muted);font-size:.82rem}"
    ".figures dd{margin:0;font-size:1.5rem;font-weight:600;letter-spacing:-.015em;line-height:1.3}"
    ".figures .main dd{color:var(--colour-0)}"
    ".figures small{display:block;color:var(--muted);font-size:.78rem;font-weight:400;"
    "letter-spacing:0;line-height:1.35}"
    ".charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1rem}"
    "figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:12px;"
    "padding:1rem 1.1rem .8rem;min-width:0;break-inside:avoid}"
    ".wide,.wide~figure:last-child:nth-child(even){grid-column:1/-1}.first{margin:1.4rem 0 1rem}"
    "figcaption{font-weight:600}figcaption span{font-weight:400;color:var(--muted)}"
    "figure p{font-size:.85rem}figure table{margin-top:.5rem}"
    ".switch{position:relative}.switch>input{position:absolute;opacity:0;pointer-events:none}"
    ".switch>label{display:inline-block;padding:.22rem .75rem;margin:.5rem .3rem .5rem 0;"
    "border:1px solid var(--rule);border-radius:99px;font-size:.82rem;color:var(--muted);"
    "cursor:pointer}"
    ".switch>label:hover{color:var(--ink)}"
    ".switch>input:checked+label{background:var(--colour-0);border-color:var(--colour-0);"
    "color:var(--card);font-weight:600}"
    ".switch>input:focus-visible+label{outline:2px solid var(--ink);outline-offset:2px}"
    ".pane{display:none}"
    ".switch>input:nth-of-type(1):checked~.pane:nth-of-type(1),"
    ".switch>input:nth-of-type(2):checked~.pane:nth-of-type(2),"
    ".switch>input:nth-of-type(3):checked~.pane:nth-of-type(3),"
    ".switch>input:nth-of-type(4):checked~.pane:nth-of-type(4){display:block}"
    ".settings{columns:18rem;column-gap:2rem}"
    "table{border-collapse:collapse;width:100%;font-size:.88rem}"
    ".settings table{break-inside:avoid;margin:0 0 1.25rem}"
    "caption{text-align:left;color:var(--muted);padding-bottom:.2rem}"
    "td,th{padding:.24rem .5rem .24rem 0;border-top:1px solid var(--rule);text-align:left;"
    "font-weight:400;vertical-align:top;overflow-wrap:anywhere}"
    ".settings th{color:var(--muted);width:9.5rem}"
    ".scroll{overflow-x:auto}.scroll td,.scroll th{text-align:right;"
    "padding:.24rem .9rem .24rem 0;white-space:nowrap}.scroll th{color:var(--muted);border-top:0}"
    ".scroll td:first-child,.scroll th:first-child{text-align:left;white-space:normal;"
    "min-width:6rem}#settings td:first-child{white-space:nowrap}"
    "summary{cursor:pointer;font-weight:600;margin:2.5rem 0 .75rem}"
    "code{font:.82rem ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}"
    ".facts{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.75rem 0 0;"
    "font-size:.88rem}.facts dt{color:var(--muted)}.facts dd{margin:0}"
    "@media(max-width:44rem){main{padding:1.5rem .8rem 3rem}.charts{grid-template-columns:"
    "minmax(0,1fr);gap:.75rem}figure{padding:.9rem .8rem .7rem}h1{font-size:1.4rem}"
    ".lead{font-size:1.05rem}.figures dd{font-size:1.3rem}.figures div{padding:.7rem .8rem}}"
    "@media print{body{background:none}.pane{display:block}.switch>label{display:none}"
    ".hits{display:none}}";

void page_begin(const char *title, unsigned reload_s, FILE *file)
{
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
          "<meta name=\"generator\" content=\"starling-sim\">\n",
          file);
    if (reload_s > 0)
        fprintf(file, "<meta http-equiv=\"refresh\" content=\"%u\">\n", reload_s);
    fputs("<title>", file);
    plot_text(title, file);
    fprintf(file, " · starling</title>\n<style>%s%s</style></head>\n<body><main>\n<h1>", page_style,
            plot_style);
    plot_text(title, file);
    fputs("</h1>\n", file);
}

void page_end(FILE *file)
{
    fputs("</main></body></html>\n", file);
}

void page_charts_begin(FILE *file)
{
    fputs("<div class=\"charts\">\n", file);
}

void page_charts_end(FILE *file)
{
    fputs("</div>\n", file);
}

void page_chart_begin(const char *id, const char *title, const char *note, bool wide, FILE *file)
{
    fprintf(file, "<figure id=\"%s\"%s><figcaption>", id, wide ? " class=\"wide\"" : "");
    plot_text(title, file);
    fputs(" <span>", file);
    plot_text(note, file);
    fputs("</span></figcaption>\n", file);
}

void page_chart_end(FILE *file)
{
    fputs("</figure>\n", file);
}

void page_switch_begin(const struct page_pane *panes, size_t count, FILE *file)
{
    fputs("<div class=\"switch\">", file);
    for (size_t i = 0; i < count && i < PANES_MAX; i++)
        fprintf(file,
                "<input type=\"radio\" name=\"%s\" id=\"show-%s\"%s><label for=\"show-%s\">%s"
                "</label>",
                panes[0].id, panes[i].id, i == 0 ? " checked" : "", panes[i].id, panes[i].name);
    fputc('\n', file);
}

void page_pane_begin(const struct page_pane *pane, FILE *file)
{
    fprintf(file, "<div class=\"pane\" id=\"%s\">\n", pane->id);
}

void page_pane_end(FILE *file)
{
    fputs("</div>\n", file);
}

void page_switch_end(FILE *file)
{
    fputs("</div>\n", file);
}

void page_figure(const char *name, const char *value, const char *note, bool main, FILE *file)
{
    fprintf(file, "<div%s><dt>%s</dt><dd>%s<small>", main ? " class=\"main\"" : "", name, value);
    plot_text(note, file);
    fputs("</small></dd></div>\n", file);
}

void page_row_text(const char *name, const char *value, FILE *file)
{
    fputs("<tr><th>", file);
    plot_text(name, file);
    fputs("<td>", file);
    plot_text(value, file);
    fputs("</tr>\n", file);
}

void page_row_whole(const char *name, uint64_t value, FILE *file)
{
    char text[PAGE_VALUE];
    plot_value((double)value, PLOT_WHOLE, text, sizeof text);
    page_row_text(name, text, file);
}

void page_row_seconds(const char *name, double value, FILE *file)
{
    char text[PAGE_VALUE];
    snprintf(text, sizeof text, "%.3g s", value);
    if (isfinite(value))
        page_row_text(name, text, file);
}

void page_row_rate(const char *name, double value, FILE *file)
{
    char text[PAGE_VALUE], all[PAGE_VALUE + 16];
    plot_value(value, PLOT_WHOLE, text, sizeof text);
    snprintf(all, sizeof all, "%s a second", text);
    if (isfinite(value))
        page_row_text(name, all, file);
}

void page_cell(double value, enum plot_unit unit, FILE *file)
{
    char text[PAGE_VALUE];
    plot_value(value, unit, text, sizeof text);
    fprintf(file, "<td>%s</td>", text);
}

const char *page_time_unit(double seconds, double *unit_s)
{
    static const struct {
        const char *name;
        double unit_s;
    } units[] = {{"days", 86400}, {"hours", 3600}, {"minutes", 60}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (seconds >= 3 * units[i].unit_s) {
            *unit_s = units[i].unit_s;
            return units[i].name;
        }
    *unit_s = 1;
    return "seconds";
}
