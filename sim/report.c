#include "sim/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/plot.h"

#define NODE_TABLE_MAX 200 /* nodes listed one by one */
#define VALUE_TEXT 64

static const char page_style[] =
    ":root{--paper:#f6f5f2;--card:#fff;--ink:#1c2227;--muted:#66707a;--rule:#e6e4df;"
    "--colour-0:#14708c;--colour-1:#c2562f;--colour-2:#8b939b;color-scheme:light dark}"
    "@media(prefers-color-scheme:dark){:root{--paper:#14181c;--card:#1c2227;--ink:#e8eaec;"
    "--muted:#97a1ab;--rule:#2d353c;--colour-0:#62bcd8;--colour-1:#f09a78;--colour-2:#79838d}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"
    "'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-variant-numeric:tabular-nums;"
    "-webkit-text-size-adjust:100%}"
    "main{max-width:66rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}"
    "h1{font-size:1.65rem;line-height:1.2;margin:0;letter-spacing:-.01em;overflow-wrap:anywhere}"
    "h2{font-size:1rem;margin:2.5rem 0 .75rem}"
    "p{margin:.35rem 0 0}.muted{color:var(--muted)}"
    ".lead{font-size:1.1rem;margin-top:1rem;max-width:46rem}"
    ".warning{border-left:3px solid var(--colour-1);padding:.25rem .75rem;margin-top:1rem}"
    ".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1px;"
    "margin:1.75rem 0 1rem;background:var(--rule);border:1px solid var(--rule);border-radius:10px;"
    "overflow:hidden}"
    ".figures div{background:var(--card);padding:.9rem 1.1rem}"
    ".figures dt{color:var(--muted);font-size:.85rem}"
    ".figures dd{margin:0;font-size:1.55rem;font-weight:600;letter-spacing:-.01em;line-height:1.3}"
    ".figures .main dd{color:var(--colour-0)}"
    ".figures small{display:block;color:var(--muted);font-size:.8rem;font-weight:400;"
    "letter-spacing:0}"
    ".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));"
    "gap:1rem}"
    "figure{margin:0;background:var(--card);border:1px solid var(--rule);border-radius:10px;"
    "padding:1rem 1.1rem .8rem;min-width:0}"
    "figcaption{font-weight:600;margin-bottom:.6rem}"
    "figcaption span{font-weight:400;color:var(--muted)}"
    ".settings{columns:18rem;column-gap:2rem}"
    "table{border-collapse:collapse;width:100%;font-size:.88rem}"
    ".settings table{break-inside:avoid;margin:0 0 1.25rem}"
    "caption{text-align:left;color:var(--muted);padding-bottom:.2rem}"
    "td,th{padding:.22rem .5rem .22rem 0;border-top:1px solid var(--rule);text-align:left;"
    "font-weight:400;vertical-align:top;overflow-wrap:anywhere}"
    ".settings th{color:var(--muted);width:9rem}"
    ".nodes{overflow-x:auto}.nodes td,.nodes th{text-align:right;padding:.22rem .75rem .22rem 0;"
    "white-space:nowrap}.nodes th{color:var(--muted);border-top:0}"
    "summary{cursor:pointer;font-weight:600;margin:2.5rem 0 .75rem}"
    "code{font:.82rem ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}";

/* The columns of the rounds, as arrays that plots can take; one allocation. */
struct columns {
    size_t count;
    double *round, *mean, *min, *p10, *p90, *loss, *distance, *bytes, *bytes_a_node;
    /* of FedAvg, when it ran: */
    size_t fedavg_count;
    double *fedavg_passes, *fedavg_bytes, *fedavg_accuracy; /* passes and bytes a node */
};

#define COLUMNS 9

/* The points of FedAvg's curve, by what compares with gossip: its passes and traffic a node. */
static void columns_fedavg(struct columns *columns, const struct report *report, double *all)
{
    double nodes = report->summary->nodes ? (double)report->summary->nodes : 1;
    size_t most = report->curve_count, count = 0;
    columns->fedavg_passes = all;
    columns->fedavg_bytes = all + most;
    columns->fedavg_accuracy = all + 2 * most;
    for (size_t i = 0; i < most; i++) {
        const struct baseline_row *row = &report->curves[i];
        if (strcmp(row->baseline, "fedavg") != 0)
            continue;
        columns->fedavg_passes[count] = (double)row->messages / (2 * nodes); /* two a pass */
        columns->fedavg_bytes[count] = (double)row->bytes / nodes;
        columns->fedavg_accuracy[count++] = row->accuracy;
    }
    columns->fedavg_count = count;
}

static bool columns_make(struct columns *columns, const struct report *report)
{
    size_t count = report->round_count;
    double nodes = report->summary->nodes ? (double)report->summary->nodes : 1;
    double *all = calloc(1 + COLUMNS * count + 3 * report->curve_count, sizeof *all);
    if (!all)
        return false;
    *columns = (struct columns){.count = count,
                                .round = all,
                                .mean = all + count,
                                .min = all + 2 * count,
                                .p10 = all + 3 * count,
                                .p90 = all + 4 * count,
                                .loss = all + 5 * count,
                                .distance = all + 6 * count,
                                .bytes = all + 7 * count,
                                .bytes_a_node = all + 8 * count};
    for (size_t i = 0; i < count; i++) {
        const struct round_row *row = &report->rounds[i];
        columns->round[i] = (double)row->round;
        columns->mean[i] = row->accuracy_mean;
        columns->min[i] = row->accuracy_min;
        columns->p10[i] = row->accuracy_p10;
        columns->p90[i] = row->accuracy_p90;
        columns->loss[i] = row->loss_mean;
        columns->distance[i] = row->consensus_distance;
        columns->bytes[i] = (double)row->bytes;
        columns->bytes_a_node[i] = (double)row->bytes / nodes;
    }
    columns_fedavg(columns, report, all + COLUMNS * count);
    return true;
}

static void write_figure(const char *label, const char *value, const char *note, bool main,
                         FILE *file)
{
    fprintf(file, "<div%s><dt>%s</dt><dd>%s<small>", main ? " class=\"main\"" : "", label, value);
    plot_text(note, file);
    fputs("</small></dd></div>\n", file);
}

static void write_accuracy_figures(const struct summary *summary, FILE *file)
{
    const struct spread *spread = &summary->accuracy;
    char value[VALUE_TEXT], note[3 * VALUE_TEXT];
    plot_value(spread->mean, PLOT_PERCENT, value, sizeof value);
    snprintf(note, sizeof note, "mean of %llu node%s", (unsigned long long)summary->nodes,
             summary->nodes == 1 ? "" : "s");
    write_figure("Accuracy by gossip", value, note, true, file);
    if (isfinite(spread->std) && summary->nodes > 1) {
        char low[VALUE_TEXT], high[VALUE_TEXT];
        snprintf(value, sizeof value, "± %.2f", 100 * spread->std);
        plot_value(spread->min, PLOT_PERCENT, low, sizeof low);
        plot_value(spread->max, PLOT_PERCENT, high, sizeof high);
        snprintf(note, sizeof note, "points; worst %s, best %s", low, high);
        write_figure("Spread", value, note, false, file);
    }
    if (isfinite(summary->local_accuracy)) {
        plot_value(summary->local_accuracy, PLOT_PERCENT, value, sizeof value);
        write_figure("Alone", value, "each node on its own data", false, file);
    }
    if (summary->fedavg.rounds > 0) {
        char bytes[VALUE_TEXT];
        plot_value(summary->fedavg.accuracy, PLOT_PERCENT, value, sizeof value);
        plot_value((double)summary->fedavg.bytes / (double)(summary->nodes ? summary->nodes : 1),
                   PLOT_BYTES, bytes, sizeof bytes);
        snprintf(note, sizeof note, "by a server, %s a node", bytes);
        write_figure("FedAvg", value, note, false, file);
    }
    if (isfinite(summary->central_accuracy)) {
        plot_value(summary->central_accuracy, PLOT_PERCENT, value, sizeof value);
        write_figure("Central", value, "all data in one place", false, file);
    }
}

static void write_cost_figures(const struct summary *summary, FILE *file)
{
    char value[VALUE_TEXT], other[VALUE_TEXT], note[3 * VALUE_TEXT];
    plot_value((double)summary->bytes, PLOT_BYTES, value, sizeof value);
    plot_value((double)summary->bytes / (double)(summary->nodes ? summary->nodes : 1), PLOT_BYTES,
               other, sizeof other);
    char messages[VALUE_TEXT];
    plot_value((double)summary->messages, PLOT_WHOLE, messages, sizeof messages);
    snprintf(note, sizeof note, "%s messages, %s a node", messages, other);
    write_figure("Traffic", value, note, false, file);
    if (!isfinite(summary->wall_seconds))
        return;
    snprintf(value, sizeof value, summary->wall_seconds < 100 ? "%.1f s" : "%.0f s",
             summary->wall_seconds);
    if (isfinite(summary->eval_seconds))
        snprintf(note, sizeof note, "testing: %.1f s", summary->eval_seconds);
    else
        note[0] = '\0';
    write_figure("Time", value, note, false, file);
}

/* "Gossip is 6.6 points above training alone and 1.2 points below central training." */
static void write_lead(const struct summary *summary, FILE *file)
{
    double alone = 100 * (summary->accuracy.mean - summary->local_accuracy);
    double central = 100 * (summary->accuracy.mean - summary->central_accuracy);
    if (!isfinite(alone) && !isfinite(central))
        return;
    fputs("<p class=\"lead\">Gossip is ", file);
    if (isfinite(alone))
        fprintf(file, "%.1f points %s training alone", fabs(alone), alone < 0 ? "below" : "above");
    if (isfinite(alone) && isfinite(central))
        fputs(" and ", file);
    if (isfinite(central))
        fprintf(file, "%.1f points %s central training", fabs(central),
                central < 0 ? "below" : "above");
    fputs(".</p>\n", file);
}

static void write_head(const struct report *report, FILE *file)
{
    const struct summary *summary = report->summary;
    const char *name = summary->name ? summary->name : "a run";
    fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>",
          file);
    plot_text(name, file);
    fprintf(file, " · starling</title>\n<style>%s%s</style></head>\n<body><main>\n<h1>", page_style,
            plot_style);
    plot_text(name, file);
    fprintf(file, "</h1>\n<p class=\"muted\">%s · %llu node%s · %llu rounds · ",
            summary->kind && strcmp(summary->kind, "live") == 0
                ? "real nodes over encrypted sockets"
                : "simulated in virtual time",
            (unsigned long long)summary->nodes, summary->nodes == 1 ? "" : "s",
            (unsigned long long)summary->rounds);
    plot_text(summary->model ? summary->model : "–", file);
    fputs(" on ", file);
    plot_text(summary->data ? summary->data : "–", file);
    fprintf(file, " · seed %llu</p>\n", (unsigned long long)summary->seed);
    if (!summary->complete)
        fputs("<p class=\"warning\">This run was ended before its last round: the figures are what "
              "there was by then.</p>\n",
              file);
    write_lead(summary, file);
    fputs("<dl class=\"figures\">\n", file);
    write_accuracy_figures(summary, file);
    write_cost_figures(summary, file);
    fputs("</dl>\n", file);
}

static void begin_chart(const char *title, const char *note, FILE *file)
{
    fprintf(file, "<figure><figcaption>%s <span>%s</span></figcaption>\n", title, note);
}

/* Accuracy with its band over `x`: rounds or bytes a node; FedAvg's over `fedavg_x`. */
static void write_accuracy(const struct report *report, const struct columns *columns,
                           const double *x, const double *fedavg_x, const char *title,
                           const char *x_name, enum plot_unit x_unit, FILE *file)
{
    bool several = report->summary->nodes > 1;
    struct plot plot = {
        .title = title,
        .x_name = x_name,
        .x_unit = x_unit,
        .y_unit = PLOT_PERCENT,
        .skip_start = true,
        .count = columns->count,
        .x = x,
        .band_name = several ? "10 to 90 % of nodes" : NULL,
        .band_low = several ? columns->p10 : NULL,
        .band_high = several ? columns->p90 : NULL,
        .lines = {{.name = "mean", .y = columns->mean},
                  {.name = "worst", .y = columns->min, .colour = 2, .thin = true}},
        .line_count = several ? 2 : 1,
        .levels = {{"central", report->summary->central_accuracy},
                   {"alone", report->summary->local_accuracy}},
        .level_count = 2,
    };
    if (columns->fedavg_count > 0)
        plot.lines[plot.line_count++] = (struct plot_line){.name = "FedAvg",
                                                           .y = columns->fedavg_accuracy,
                                                           .colour = 1,
                                                           .x = fedavg_x,
                                                           .count = columns->fedavg_count};
    begin_chart(title, "", file);
    plot_write(&plot, file);
    fputs("</figure>\n", file);
}

/* One curve by round, from zero. */
static void write_curve(const struct columns *columns, const double *y, const char *title,
                        const char *note, const char *name, enum plot_unit unit, unsigned colour,
                        FILE *file)
{
    const struct plot plot = {
        .title = title,
        .x_name = "round",
        .x_unit = PLOT_WHOLE,
        .y_unit = unit,
        .from_zero = true,
        .count = columns->count,
        .x = columns->round,
        .lines = {{.name = name, .y = y, .colour = colour}},
        .line_count = 1,
    };
    begin_chart(title, note, file);
    plot_write(&plot, file);
    fputs("</figure>\n", file);
}

static enum starling_error write_strips(const struct report *report, FILE *file,
                                        struct problem *problem)
{
    size_t count = report->node_count, known = 0;
    double *values = calloc(count, 2 * sizeof *values);
    if (!values)
        return problem_no_memory(problem, "the report");
    for (size_t i = 0; i < count; i++) {
        values[i] = report->nodes[i].accuracy;
        values[count + i] = report->nodes[i].accuracy_alone;
        known += isfinite(values[count + i]) ? 1u : 0u;
    }
    const struct plot_strip strips[] = {{"by gossip", values, count, 0},
                                        {"alone", values + count, count, 1}};
    begin_chart("Accuracy node by node", "at the end", file);
    plot_strips("Accuracy node by node", strips, known ? 2 : 1, PLOT_PERCENT, file);
    fputs("</figure>\n", file);
    free(values);
    return STARLING_OK;
}

static enum starling_error write_charts(const struct report *report, FILE *file,
                                        struct problem *problem)
{
    struct columns columns;
    enum starling_error error = STARLING_OK;
    if (!columns_make(&columns, report))
        return problem_no_memory(problem, "the report");
    fputs("<div class=\"charts\">\n", file);
    if (columns.count > 0) {
        write_accuracy(report, &columns, columns.round, columns.fedavg_passes, "Accuracy by round",
                       "round", PLOT_WHOLE, file);
        write_accuracy(report, &columns, columns.bytes_a_node, columns.fedavg_bytes,
                       "Accuracy by traffic", "a node", PLOT_BYTES, file);
    }
    if (report->node_count > 1)
        error = write_strips(report, file, problem);
    if (columns.count > 0) {
        write_curve(&columns, columns.loss, "Loss", "nats an example", "mean loss", PLOT_NUMBER, 0,
                    file);
        write_curve(&columns, columns.distance, "How far the nodes are apart",
                    "distance to their mean", "consensus distance", PLOT_NUMBER, 1, file);
        write_curve(&columns, columns.bytes, "Traffic", "all nodes together", "sent so far",
                    PLOT_BYTES, 2, file);
    }
    fputs("</div>\n", file);
    free(columns.round);
    return error;
}

static void write_cell(double value, enum plot_unit unit, FILE *file)
{
    char text[VALUE_TEXT];
    plot_value(value, unit, text, sizeof text);
    fprintf(file, "<td>%s</td>", text);
}

static void write_nodes(const struct report *report, FILE *file)
{
    size_t count = report->node_count < NODE_TABLE_MAX ? report->node_count : NODE_TABLE_MAX;
    if (count == 0)
        return;
    fputs("<details><summary>Every node", file);
    if (count < report->node_count)
        fprintf(file, " (the first %zu; all are in nodes.csv)", count);
    fputs("</summary><div class=\"nodes\"><table><tr><th>node<th>examples<th>age<th>accuracy"
          "<th>alone<th>loss<th>messages in<th>out<th>traffic in<th>out</tr>\n",
          file);
    for (size_t i = 0; i < count; i++) {
        const struct node_row *row = &report->nodes[i];
        fputs("<tr>", file);
        write_cell((double)row->node, PLOT_WHOLE, file);
        write_cell((double)row->examples, PLOT_WHOLE, file);
        write_cell(row->age, PLOT_NUMBER, file);
        write_cell(row->accuracy, PLOT_PERCENT, file);
        write_cell(row->accuracy_alone, PLOT_PERCENT, file);
        write_cell(row->loss, PLOT_NUMBER, file);
        write_cell((double)row->messages_in, PLOT_WHOLE, file);
        write_cell((double)row->messages_out, PLOT_WHOLE, file);
        write_cell((double)row->bytes_in, PLOT_BYTES, file);
        write_cell((double)row->bytes_out, PLOT_BYTES, file);
        fputs("</tr>\n", file);
    }
    fputs("</table></div></details>\n", file);
}

static void write_count_row(const char *name, uint64_t value, FILE *file)
{
    char text[VALUE_TEXT];
    plot_value((double)value, PLOT_WHOLE, text, sizeof text);
    fprintf(file, "<tr><th>%s<td>%s</tr>\n", name, text);
}

static void write_seconds_row(const char *name, double value, FILE *file)
{
    if (isfinite(value))
        fprintf(file, "<tr><th>%s<td>%.3g s</tr>\n", name, value);
}

static void write_rate_row(const char *name, double value, FILE *file)
{
    char text[VALUE_TEXT];
    plot_value(value, PLOT_WHOLE, text, sizeof text);
    if (isfinite(value))
        fprintf(file, "<tr><th>%s<td>%s a second</tr>\n", name, text);
}

static void write_text_row(const char *name, const char *value, FILE *file)
{
    fprintf(file, "<tr><th>%s<td>", name);
    plot_text(value, file);
    fputs("</tr>\n", file);
}

/* What summary.json says beside the accuracy: work, time, machine. */
static void write_work(const struct summary *summary, FILE *file)
{
    char text[VALUE_TEXT];
    fputs("<table><caption>Work</caption>\n", file);
    write_count_row("parameters", summary->parameters, file);
    write_count_row("passes", summary->passes, file);
    write_count_row("samples trained", summary->samples_trained, file);
    write_count_row("updates", summary->updates, file);
    write_count_row("messages dropped", summary->dropped, file);
    write_count_row("messages rejected", summary->rejected, file);
    write_rate_row("updates", summary->updates_per_second, file);
    write_rate_row("samples", summary->samples_per_second, file);
    fputs("</table>\n<table><caption>Time and machine</caption>\n", file);
    write_seconds_row("making ready", summary->init_seconds, file);
    write_seconds_row("first to last event", summary->wall_seconds, file);
    write_seconds_row("training", summary->train_seconds, file);
    write_seconds_row("testing", summary->eval_seconds, file);
    plot_value((double)summary->peak_rss_bytes, PLOT_BYTES, text, sizeof text);
    write_text_row("memory at most", text, file);
    plot_value(summary->bytes_per_node, PLOT_BYTES, text, sizeof text);
    write_text_row("memory a node", text, file);
    json_t *json = summary_json(summary);
    const char *const machine[][2] = {
        {"cpu", "processor"}, {"blas_core", "BLAS core"}, {"kernels", "kernels"}};
    for (size_t i = 0; i < sizeof machine / sizeof *machine; i++) {
        const char *value = json_string_value(json_object_get(json, machine[i][0]));
        if (value)
            write_text_row(machine[i][1], value, file);
    }
    json_decref(json);
    if (summary->digest[0])
        fprintf(file, "<tr><th>digest<td><code>%s</code></tr>\n", summary->digest);
    fputs("</table>\n", file);
}

/* The lines of experiment.ini as tables, a section each. Cuts `text` apart in place. */
static void write_settings_tables(char *text, FILE *file)
{
    bool open = false;
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        char *equals = strchr(line, '=');
        if (line[0] == '[') {
            fprintf(file, "%s<table><caption>", open ? "</table>\n" : "");
            line[strcspn(line, "]")] = '\0';
            plot_text(line + 1, file);
            fputs("</caption>\n", file);
            open = true;
        } else if (open && equals && line[0] != '#') {
            *equals = '\0';
            fputs("<tr><th>", file);
            plot_text(line, file);
            fputs("<td>", file);
            equals += 1 + strspn(equals + 1, " ");
            plot_text(*equals ? equals : "–", file);
            fputs("</tr>\n", file);
        }
    }
    if (open)
        fputs("</table>\n", file);
}

static enum starling_error write_settings(const struct config *config, FILE *file,
                                          struct problem *problem)
{
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (!memory)
        return problem_no_memory(problem, "the report");
    enum starling_error error =
        config_write(config, "task learn gossip sim", false, memory, problem);
    if (fclose(memory) != 0 && error == STARLING_OK)
        error = problem_no_memory(problem, "the report");
    if (error == STARLING_OK)
        write_settings_tables(text, file);
    free(text);
    return error;
}

enum starling_error report_write(const struct report *report, FILE *file, struct problem *problem)
{
    write_head(report, file);
    enum starling_error error = write_charts(report, file, problem);
    if (error != STARLING_OK)
        return error;
    write_nodes(report, file);
    fputs("<h2>Settings and figures</h2>\n<div class=\"settings\">\n", file);
    error = write_settings(report->config, file, problem);
    if (error != STARLING_OK)
        return error;
    write_work(report->summary, file);
    fputs("</div>\n</main></body></html>\n", file);
    return STARLING_OK;
}
