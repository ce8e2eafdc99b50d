/* A comparison as a page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/compare.h"
#include "sim/page.h"

#define HERO_HEIGHT 280

/* Colours in an order in which neighbours are told apart; the second time round, dashed. */
static unsigned colour_of(size_t run)
{
    static const unsigned order[PLOT_COLOURS] = {0, 1, 3, 4, 5, 6, 7, 2};
    return order[run % PLOT_COLOURS];
}

/* What is drawn of each evaluation. */
enum column { BY_ROUND, BY_TIME, BY_TRAFFIC, ACCURACY, LOSS, DISTANCE, COLUMNS };

/* A column of a run: column × count values in one allocation. */
struct drawn {
    double *values[COMPARISON_RUNS_MAX];
    size_t counts[COMPARISON_RUNS_MAX];
    bool in_step; /* all were evaluated at the same rounds */
    const char *time_unit;
};

static const double *column(const struct drawn *drawn, size_t run, enum column which)
{
    return drawn->values[run] + (size_t)which * drawn->counts[run];
}

static void fill(const struct compared *run, double unit_s, double *values)
{
    size_t count = run->past->round_count;
    double nodes = run->past->summary.nodes ? (double)run->past->summary.nodes : 1;
    for (size_t i = 0; i < count; i++) {
        const struct round_row *row = &run->past->rounds[i];
        values[BY_ROUND * count + i] = (double)row->round;
        values[BY_TIME * count + i] = row->time_s / unit_s;
        values[BY_TRAFFIC * count + i] = (double)row->bytes / nodes;
        values[ACCURACY * count + i] = row->accuracy_mean;
        values[LOSS * count + i] = row->loss_mean;
        values[DISTANCE * count + i] = row->consensus_distance;
    }
}

static bool same_rounds(const struct past *a, const struct past *b)
{
    bool same = a->round_count == b->round_count;
    for (size_t i = 0; same && i < a->round_count; i++)
        same = a->rounds[i].round == b->rounds[i].round;
    return same;
}

static void drawn_clear(struct drawn *drawn)
{
    for (size_t i = 0; i < COMPARISON_RUNS_MAX; i++)
        free(drawn->values[i]);
}

static bool drawn_make(struct drawn *drawn, const struct comparison *comparison)
{
    double end = 0, unit_s;
    *drawn = (struct drawn){.in_step = true};
    for (size_t i = 0; i < comparison->count; i++)
        end = fmax(end, comparison->runs[i].time_s); /* fmax leaves NaN out */
    drawn->time_unit = page_time_unit(end, &unit_s);
    for (size_t i = 0; i < comparison->count; i++) {
        const struct past *past = comparison->runs[i].past;
        drawn->in_step &= same_rounds(comparison->runs[0].past, past);
        drawn->counts[i] = past->round_count;
        drawn->values[i] = calloc(past->round_count * COLUMNS + 1, sizeof(double));
        if (!drawn->values[i]) {
            drawn_clear(drawn);
            return false;
        }
        fill(&comparison->runs[i], unit_s, drawn->values[i]);
    }
    return true;
}

/* A line a run of `y` over `x`; where they are in step, pointing shows the figures of all. */
static void write_lines(const struct comparison *comparison, const struct drawn *drawn,
                        enum column x, enum column y, struct plot *plot, FILE *file)
{
    bool shared = drawn->in_step && x == BY_ROUND;
    plot->count = shared ? drawn->counts[0] : 0;
    plot->x = shared ? column(drawn, 0, x) : NULL;
    for (size_t i = 0; i < comparison->count; i++)
        plot->lines[plot->line_count++] =
            (struct plot_line){.name = comparison->runs[i].name,
                               .y = column(drawn, i, y),
                               .x = shared ? NULL : column(drawn, i, x),
                               .count = drawn->counts[i],
                               .colour = colour_of(i),
                               .dashed = i >= PLOT_COLOURS};
    plot_write(plot, file);
}

static void write_hero(const struct comparison *comparison, const struct drawn *drawn, FILE *file)
{
    static const struct page_pane panes[] = {
        {"by-round", "by round"}, {"by-time", "by time"}, {"by-traffic", "by traffic"}};
    const struct {
        enum column x;
        const char *name;
        enum plot_unit unit;
    } overs[] = {{BY_ROUND, "round", PLOT_WHOLE},
                 {BY_TIME, drawn->time_unit, PLOT_NUMBER},
                 {BY_TRAFFIC, "a node", PLOT_BYTES}};
    page_chart_begin("accuracy", "Accuracy", "mean of the nodes tested", true, file);
    page_switch_begin(panes, 3, file);
    for (size_t i = 0; i < 3; i++) {
        struct plot plot = {.title = panes[i].name,
                            .x_name = overs[i].name,
                            .x_unit = overs[i].unit,
                            .y_unit = PLOT_PERCENT,
                            .height = HERO_HEIGHT,
                            .skip_start = true};
        page_pane_begin(&panes[i], file);
        write_lines(comparison, drawn, overs[i].x, ACCURACY, &plot, file);
        page_pane_end(file);
    }
    page_switch_end(file);
    page_chart_end(file);
}

static void write_curve(const struct comparison *comparison, const struct drawn *drawn,
                        enum column y, const char *id, const char *title, const char *note,
                        FILE *file)
{
    struct plot plot = {.title = title,
                        .x_name = "round",
                        .x_unit = PLOT_WHOLE,
                        .y_unit = PLOT_NUMBER,
                        .from_zero = true,
                        .keyless = comparison->count > 4,
                        .skip_start = y == LOSS};
    page_chart_begin(id, title, note, false, file);
    write_lines(comparison, drawn, BY_ROUND, y, &plot, file);
    page_chart_end(file);
}

static void write_spread(const struct comparison *comparison, FILE *file)
{
    struct plot_range ranges[COMPARISON_RUNS_MAX];
    for (size_t i = 0; i < comparison->count; i++) {
        const struct spread *spread = &comparison->runs[i].past->summary.accuracy;
        ranges[i] = (struct plot_range){.name = comparison->runs[i].name,
                                        .low = spread->min,
                                        .inner_low = spread->p10,
                                        .middle = spread->p50,
                                        .inner_high = spread->p90,
                                        .high = spread->max,
                                        .colour = colour_of(i)};
    }
    page_chart_begin("spread", "Node by node",
                     "at the end: median, 10 to 90 % of the nodes, worst and best", false, file);
    plot_ranges("Accuracy of the nodes", ranges, comparison->count, PLOT_PERCENT, file);
    page_chart_end(file);
}

static void write_cost(const struct comparison *comparison, FILE *file)
{
    struct plot_share all[COMPARISON_RUNS_MAX], soon[COMPARISON_RUNS_MAX];
    char target[PAGE_VALUE];
    double most = 0;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared *run = &comparison->runs[i];
        all[i] = (struct plot_share){run->name, run->bytes_a_node, colour_of(i)};
        soon[i] = all[i];
        soon[i].value = run->reached.ever ? run->reached.bytes_a_node : NAN;
        most = fmax(most, run->bytes_a_node);
    }
    page_chart_begin("cost", "Traffic a node", "", false, file);
    fputs("<p class=\"strip\"><b>In the whole run</b></p>\n", file);
    plot_shares("Traffic a node", all, comparison->count, most, PLOT_BYTES, file);
    if (isfinite(comparison->target)) {
        plot_value(comparison->target, PLOT_PERCENT, target, sizeof target);
        fprintf(file, "<p class=\"strip\"><b>Until %s, where the lowest ended</b></p>\n", target);
        plot_shares("Traffic a node until the target", soon, comparison->count, most, PLOT_BYTES,
                    file);
    }
    page_chart_end(file);
}

static void write_name(const struct compared *run, size_t index, FILE *file)
{
    fprintf(file, "<td><b style=\"color:var(--colour-%u)\">", colour_of(index));
    plot_text(run->name, file);
    fputs("</b></td>", file);
}

static void write_figures(const struct comparison *comparison, FILE *file)
{
    char target[PAGE_VALUE];
    plot_value(comparison->target, PLOT_PERCENT, target, sizeof target);
    fprintf(file,
            "<div class=\"scroll\" id=\"figures\"><table><tr><th>run<th>accuracy<th>best<th>loss"
            "<th>a node<th>rounds<th>to %s: round<th>a node</tr>\n",
            target);
    for (size_t i = 0; i < comparison->count; i++) {
        const struct compared *run = &comparison->runs[i];
        const struct summary *summary = &run->past->summary;
        fputs("<tr>", file);
        write_name(run, i, file);
        page_cell(summary->accuracy.mean, PLOT_PERCENT, file);
        page_cell(run->best, PLOT_PERCENT, file);
        page_cell(summary->loss, PLOT_NUMBER, file);
        page_cell(run->bytes_a_node, PLOT_BYTES, file);
        page_cell((double)summary->rounds, PLOT_WHOLE, file);
        page_cell(run->reached.ever ? (double)run->reached.round : NAN, PLOT_WHOLE, file);
        page_cell(run->reached.ever ? run->reached.bytes_a_node : NAN, PLOT_BYTES, file);
        fputs("</tr>\n", file);
    }
    fputs("</table></div>\n", file);
}

static void write_settings(const struct comparison *comparison, FILE *file)
{
    fputs("<h2>Settings that differ</h2>\n", file);
    if (comparison->difference_count == 0) {
        fputs("<p class=\"muted\">None: all settings are the same.</p>\n", file);
        return;
    }
    fputs("<div class=\"scroll\" id=\"settings\"><table><tr><th>setting", file);
    for (size_t i = 0; i < comparison->count; i++) {
        fprintf(file, "<th><b style=\"color:var(--colour-%u)\">", colour_of(i));
        plot_text(comparison->runs[i].name, file);
        fputs("</b>", file);
    }
    fputs("</tr>\n", file);
    for (size_t i = 0; i < comparison->difference_count; i++) {
        fputs("<tr><td>", file);
        plot_text(comparison->differences[i].name, file);
        for (size_t j = 0; j < comparison->count; j++) {
            const char *value = comparison->differences[i].values[j];
            fputs("<td>", file);
            plot_text(*value ? value : "–", file);
        }
        fputs("</tr>\n", file);
    }
    fputs("</table></div>\n", file);
}

/* "gossip-b comes to 84.1%, where gossip-a ends, in 21 of 50 rounds, with 380 kB a node against
 * 910 kB." Of two runs: more have no one sentence. */
static void write_lead(const struct comparison *comparison, FILE *file)
{
    size_t low = comparison->lowest, other = 1 - low;
    if (comparison->count != 2 || !comparison->runs[other].reached.ever)
        return;
    const struct compared *run = &comparison->runs[other], *lower = &comparison->runs[low];
    char target[PAGE_VALUE], bytes[PAGE_VALUE], against[PAGE_VALUE];
    plot_value(comparison->target, PLOT_PERCENT, target, sizeof target);
    plot_value(run->reached.bytes_a_node, PLOT_BYTES, bytes, sizeof bytes);
    plot_value(lower->bytes_a_node, PLOT_BYTES, against, sizeof against);
    fputs("<p class=\"lead\">", file);
    plot_text(run->name, file);
    fprintf(file, " comes to %s, where ", target);
    plot_text(lower->name, file);
    fprintf(file, " ends, in %llu rounds rather than %llu, with %s a node rather than %s.</p>\n",
            (unsigned long long)run->reached.round, (unsigned long long)lower->past->summary.rounds,
            bytes, against);
}

static void write_head(const struct comparison *comparison, FILE *file)
{
    char title[256];
    if (comparison->count == 2)
        snprintf(title, sizeof title, "%.110s and %.110s", comparison->runs[0].name,
                 comparison->runs[1].name);
    else
        snprintf(title, sizeof title, "%zu runs compared", comparison->count);
    page_begin(title, 0, file);
    for (size_t i = 0; i < comparison->count; i++)
        if (!comparison->runs[i].past->summary.complete) {
            fputs("<p class=\"warning\">", file);
            plot_text(comparison->runs[i].name, file);
            fputs(" was ended before its last round.</p>\n", file);
        }
    write_lead(comparison, file);
}

enum starling_error comparison_page(const struct comparison *comparison, FILE *file,
                                    struct problem *problem)
{
    struct drawn drawn;
    if (!drawn_make(&drawn, comparison))
        return problem_no_memory(problem, "a comparison");
    write_head(comparison, file);
    fputs("<figure class=\"first\">\n", file);
    write_figures(comparison, file);
    fputs("</figure>\n", file);
    page_charts_begin(file);
    write_hero(comparison, &drawn, file);
    write_curve(comparison, &drawn, LOSS, "loss", "Loss", "nats an example", file);
    write_curve(comparison, &drawn, DISTANCE, "consensus", "Consensus",
                "how far the nodes are from their mean", file);
    write_spread(comparison, file);
    write_cost(comparison, file);
    page_charts_end(file);
    write_settings(comparison, file);
    page_end(file);
    drawn_clear(&drawn);
    return STARLING_OK;
}
