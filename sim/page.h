/* page — the paper that reports and comparisons are drawn on: one file, inline style and SVG, no
 * script, nothing fetched; for a desk, a phone, a printer and the dark. Everything that came from
 * outside is escaped.
 */
#ifndef STARLING_PAGE_H
#define STARLING_PAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sim/plot.h"

#define PAGE_VALUE 64 /* bytes of a value as text */

/* Everything up to the title that is seen. reload_s: seconds after which a browser reads the page
 * again; 0: never. */
void page_begin(const char *title, unsigned reload_s, FILE *file);
void page_end(FILE *file);

/* The grid that charts stand in, and one of them: `id` names it (for links and tests), `note` says
 * more in a few words. A wide one takes a whole row. */
void page_charts_begin(FILE *file);
void page_charts_end(FILE *file);
void page_chart_begin(const char *id, const char *title, const char *note, bool wide, FILE *file);
void page_chart_end(FILE *file);

/* A chart of which one of several is seen, as the reader chooses, without a script: begin, then the
 * panes one after the other. Between page_chart_begin and page_chart_end. */
struct page_pane {
    const char *id, *name;
};
void page_switch_begin(const struct page_pane *panes, size_t count, FILE *file);
void page_pane_begin(const struct page_pane *pane, FILE *file);
void page_pane_end(FILE *file);
void page_switch_end(FILE *file);

/* A figure with its name and a note, in <dl class="figures">. */
void page_figure(const char *name, const char *value, const char *note, bool main, FILE *file);

/* One row of a two-column table. */
void page_row_text(const char *name, const char *value, FILE *file);
void page_row_whole(const char *name, uint64_t value, FILE *file);
void page_row_seconds(const char *name, double value, FILE *file); /* nothing when not known */
void page_row_rate(const char *name, double value, FILE *file);    /* likewise */

/* A cell of a table of figures. */
void page_cell(double value, enum plot_unit unit, FILE *file);

/* In what a virtual time of so many seconds is told: seconds, minutes, hours or days. */
const char *page_time_unit(double seconds, double *unit_s);

#endif
