#include "sim/report.h"

#include <math.h>
#include <string.h>

#include "sim/out.h"
#include "sim/report_parts.h"

#define RELOAD_S 5

/* Those that were tested at the end: some may be away. */
static size_t count_tested(const struct report *report)
{
    size_t tested = 0;
    for (size_t i = 0; i < report->node_count; i++)
        tested += isfinite(report->nodes[i].accuracy) ? 1u : 0u;
    return tested;
}

/* A baseline: its accuracy, and below it what it is and its loss. */
static void write_baseline(const char *name, double accuracy, double loss, const char *what,
                           FILE *file)
{
    char value[PAGE_VALUE], nats[PAGE_VALUE], note[4 * PAGE_VALUE];
    if (!isfinite(accuracy))
        return;
    plot_value(accuracy, PLOT_PERCENT, value, sizeof value);
    plot_value(loss, PLOT_NUMBER, nats, sizeof nats);
    snprintf(note, sizeof note, "%s; loss %s", what, nats);
    page_figure(name, value, note, false, file);
}

/* "94.1%: 87.4% with the swarm's, 76.4% alone, mean of 39 nodes on their own hold-outs". */
static void write_personal(const struct summary *summary, FILE *file)
{
    char value[PAGE_VALUE], swarm[PAGE_VALUE], alone[PAGE_VALUE], note[5 * PAGE_VALUE];
    if (summary->personal.nodes == 0)
        return;
    plot_value(summary->personal.accuracy, PLOT_PERCENT, value, sizeof value);
    plot_value(summary->personal.swarm, PLOT_PERCENT, swarm, sizeof swarm);
    plot_value(summary->personal.alone, PLOT_PERCENT, alone, sizeof alone);
    bool known = isfinite(summary->personal.alone);
    snprintf(note, sizeof note, "gossip %s%s%s, on what %llu nodes held out", swarm,
             known ? ", alone " : "", known ? alone : "",
             (unsigned long long)summary->personal.nodes);
    page_figure("Personal", value, note, false, file);
}

static void write_accuracy_figures(const struct report *report, FILE *file)
{
    const struct summary *summary = report->summary;
    const struct spread *spread = &summary->accuracy;
    char value[PAGE_VALUE], note[3 * PAGE_VALUE];
    plot_value(spread->mean, PLOT_PERCENT, value, sizeof value);
    size_t tested = count_tested(report);
    char many[PAGE_VALUE];
    plot_value((double)tested, PLOT_WHOLE, many, sizeof many);
    char loss[PAGE_VALUE];
    plot_value(summary->loss, PLOT_NUMBER, loss, sizeof loss);
    if (tested > 0)
        snprintf(note, sizeof note, "mean of %s node%s; loss %s", many, tested == 1 ? "" : "s",
                 loss);
    else
        snprintf(note, sizeof note, "at the last evaluation; loss %s", loss);
    page_figure("Accuracy by gossip", value, note, true, file);
    if (isfinite(spread->std) && summary->nodes > 1) {
        char low[PAGE_VALUE], high[PAGE_VALUE];
        snprintf(value, sizeof value, "± %.2f", 100 * spread->std);
        plot_value(spread->min, PLOT_PERCENT, low, sizeof low);
        plot_value(spread->max, PLOT_PERCENT, high, sizeof high);
        snprintf(note, sizeof note, "points; worst %s, best %s", low, high);
        page_figure("Spread", value, note, false, file);
    }
    write_baseline("Alone", summary->local_accuracy, summary->local_loss, "each on its own data",
                   file);
    if (summary->fedavg.rounds > 0) {
        plot_value((double)summary->fedavg.bytes / (double)(summary->nodes ? summary->nodes : 1),
                   PLOT_BYTES, value, sizeof value);
        snprintf(note, sizeof note, "%s a node", value);
        write_baseline("FedAvg", summary->fedavg.accuracy, summary->fedavg.loss, note, file);
    }
    write_baseline("Central", summary->central_accuracy, summary->central_loss,
                   "all data in one place", file);
    write_personal(summary, file);
}

static void write_cost_figures(const struct summary *summary, FILE *file)
{
    char value[PAGE_VALUE], other[PAGE_VALUE], note[3 * PAGE_VALUE], messages[PAGE_VALUE];
    plot_value((double)summary->bytes / (double)(summary->nodes ? summary->nodes : 1), PLOT_BYTES,
               value, sizeof value);
    plot_value((double)summary->bytes, PLOT_BYTES, other, sizeof other);
    plot_value((double)summary->messages, PLOT_WHOLE, messages, sizeof messages);
    snprintf(note, sizeof note, "of %s in %s messages", other, messages);
    page_figure("Traffic a node", value, note, false, file);
    if (!isfinite(summary->wall_seconds))
        return;
    snprintf(value, sizeof value, summary->wall_seconds < 100 ? "%.1f s" : "%.0f s",
             summary->wall_seconds);
    if (isfinite(summary->eval_seconds))
        snprintf(note, sizeof note, "testing: %.1f s", summary->eval_seconds);
    else
        note[0] = '\0';
    page_figure("Time", value, note, false, file);
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

static void write_state(const struct report *report, FILE *file)
{
    if (report->running)
        fprintf(file,
                "<p class=\"warning\">Running: round %llu of %llu. This page reads itself again "
                "every %d seconds.</p>\n",
                (unsigned long long)report->summary->rounds,
                (unsigned long long)(report->config->sim.rounds + report->config->sim.final),
                RELOAD_S);
    else if (!report->summary->complete)
        fputs("<p class=\"warning\">This run was ended before its last round: the figures are what "
              "there was by then.</p>\n",
              file);
}

void report_head(const struct report *report, FILE *file)
{
    const struct summary *summary = report->summary;
    page_begin(summary->name ? summary->name : "a run", report->running ? RELOAD_S : 0, file);
    char nodes[PAGE_VALUE], rounds[PAGE_VALUE];
    plot_value((double)summary->nodes, PLOT_WHOLE, nodes, sizeof nodes);
    plot_value((double)summary->rounds, PLOT_WHOLE, rounds, sizeof rounds);
    fprintf(file, "<p class=\"muted\">%s · %s node%s · %s rounds · ",
            summary->kind && strcmp(summary->kind, "live") == 0
                ? "real nodes over encrypted sockets"
                : "simulated in virtual time",
            nodes, summary->nodes == 1 ? "" : "s", rounds);
    plot_text(summary->model ? summary->model : "–", file);
    fputs(" on ", file);
    plot_text(summary->data ? summary->data : "–", file);
    fprintf(file, " · seed %llu</p>\n", (unsigned long long)summary->seed);
    write_state(report, file);
    write_lead(summary, file);
    fputs("<dl class=\"figures\">\n", file);
    write_accuracy_figures(report, file);
    write_cost_figures(summary, file);
    fputs("</dl>\n", file);
}

enum starling_error report_write(const struct report *report, FILE *file, struct problem *problem)
{
    report_head(report, file);
    page_charts_begin(file);
    enum starling_error error = report_curves(report, file, problem);
    report_baselines(report, file);
    if (!error)
        error = report_spread(report, file, problem);
    if (!error)
        error = report_personal(report, file, problem);
    if (!error)
        error = report_overlay(report, file, problem);
    page_charts_end(file);
    report_nodes(report, file);
    if (!error)
        error = report_settings(report, file, problem);
    page_end(file);
    return error;
}

enum starling_error report_save(const struct report *report, const char *dir,
                                struct problem *problem)
{
    struct out_text text;
    enum starling_error error = out_text_begin(&text, problem);
    if (error)
        return error;
    error = report_write(report, text.file, problem);
    return out_text_end(&text, dir, "report.html", error, problem);
}
