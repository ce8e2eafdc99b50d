/* How a run learned: by round, by time and by traffic. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report_parts.h"

#define HERO_HEIGHT 280

/* The columns of the rounds, as arrays that plots can take; one allocation. */
struct columns {
    size_t count;
    double *round, *time, *mean, *p50, *min, *p10, *p90, *loss, *distance, *bytes, *bytes_a_node,
        *online;
    double period; /* virtual time of a round, in the unit of `time` */
    const char *time_unit;
    /* of FedAvg, when it ran: */
    size_t fedavg_count;
    double *fedavg_passes, *fedavg_time, *fedavg_bytes; /* a node */
    double *fedavg_accuracy, *fedavg_loss;
};

#define COLUMNS 12
#define FEDAVG_COLUMNS 5

/* The points of FedAvg's curve, by what compares with gossip: its passes and traffic a node, and
 * the time when gossip had made as many passes. */
static void columns_fedavg(struct columns *columns, const struct report *report, double *all)
{
    double nodes = report->summary->nodes ? (double)report->summary->nodes : 1;
    size_t most = report->curve_count, count = 0;
    columns->fedavg_passes = all;
    columns->fedavg_time = all + most;
    columns->fedavg_bytes = all + 2 * most;
    columns->fedavg_accuracy = all + 3 * most;
    columns->fedavg_loss = all + 4 * most;
    for (size_t i = 0; i < most; i++) {
        const struct baseline_row *row = &report->curves[i];
        if (strcmp(row->baseline, "fedavg") != 0)
            continue;
        columns->fedavg_passes[count] = (double)row->messages / (2 * nodes); /* two a pass */
        columns->fedavg_time[count] = columns->fedavg_passes[count] * columns->period;
        columns->fedavg_bytes[count] = (double)row->bytes / nodes;
        columns->fedavg_loss[count] = row->loss;
        columns->fedavg_accuracy[count++] = row->accuracy;
    }
    columns->fedavg_count = count;
}

static void columns_fill(struct columns *columns, const struct report *report)
{
    double nodes = report->summary->nodes ? (double)report->summary->nodes : 1, unit_s = 1, end = 0;
    for (size_t i = 0; i < columns->count; i++)
        end = fmax(end, report->rounds[i].time_s);
    columns->time_unit = page_time_unit(end, &unit_s);
    columns->period = 1e-6 * (double)report->config->gossip.period_us / unit_s;
    for (size_t i = 0; i < columns->count; i++) {
        const struct round_row *row = &report->rounds[i];
        columns->round[i] = (double)row->round;
        columns->time[i] = row->time_s / unit_s;
        columns->mean[i] = row->accuracy_mean;
        columns->p50[i] = row->accuracy_p50;
        columns->min[i] = row->accuracy_min;
        columns->p10[i] = row->accuracy_p10;
        columns->p90[i] = row->accuracy_p90;
        columns->loss[i] = row->loss_mean;
        columns->distance[i] = row->consensus_distance;
        columns->bytes[i] = (double)row->bytes;
        columns->bytes_a_node[i] = (double)row->bytes / nodes;
        columns->online[i] = (double)row->online;
    }
}

static bool columns_make(struct columns *columns, const struct report *report)
{
    size_t count = report->round_count;
    double *all = calloc(1 + COLUMNS * count + FEDAVG_COLUMNS * report->curve_count, sizeof *all);
    if (!all)
        return false;
    *columns = (struct columns){.count = count,
                                .round = all,
                                .time = all + count,
                                .mean = all + 2 * count,
                                .p50 = all + 3 * count,
                                .min = all + 4 * count,
                                .p10 = all + 5 * count,
                                .p90 = all + 6 * count,
                                .loss = all + 7 * count,
                                .distance = all + 8 * count,
                                .bytes = all + 9 * count,
                                .bytes_a_node = all + 10 * count,
                                .online = all + 11 * count};
    columns_fill(columns, report);
    columns_fedavg(columns, report, all + COLUMNS * count);
    return true;
}

/* What accuracy is drawn over. */
struct over {
    const struct page_pane pane;
    const double *x, *fedavg_x;
    const char *x_name;
    enum plot_unit x_unit;
};

static void write_accuracy(const struct report *report, const struct columns *columns,
                           const struct over *over, FILE *file)
{
    bool several = report->summary->nodes > 1;
    struct plot plot = {
        .title = over->pane.name,
        .x_name = over->x_name,
        .x_unit = over->x_unit,
        .y_unit = PLOT_PERCENT,
        .height = HERO_HEIGHT,
        .skip_start = true,
        .count = columns->count,
        .x = over->x,
        .band_name = several ? "10 to 90 % of nodes" : NULL,
        .band_low = several ? columns->p10 : NULL,
        .band_high = several ? columns->p90 : NULL,
        .lines = {{.name = several ? "median" : "accuracy", .y = columns->p50},
                  {.name = "worst", .y = columns->min, .colour = 2, .thin = true},
                  {.name = "mean", .y = columns->mean, .thin = true, .dashed = true}},
        .line_count = several ? 3 : 1,
        .levels = {{"central", report->summary->central_accuracy},
                   {"alone", report->summary->local_accuracy}},
        .level_count = 2,
    };
    if (columns->fedavg_count > 0)
        plot.lines[plot.line_count++] = (struct plot_line){.name = "FedAvg",
                                                           .y = columns->fedavg_accuracy,
                                                           .colour = 3,
                                                           .x = over->fedavg_x,
                                                           .count = columns->fedavg_count};
    page_pane_begin(&over->pane, file);
    plot_write(&plot, file);
    page_pane_end(file);
}

static void write_hero(const struct report *report, const struct columns *columns, FILE *file)
{
    bool live = report->summary->kind && strcmp(report->summary->kind, "live") == 0;
    const struct over overs[] = {
        {{"by-round", "by round"}, columns->round, columns->fedavg_passes, "round", PLOT_WHOLE},
        {{"by-time", live ? "by time" : "by virtual time"},
         columns->time,
         columns->fedavg_time,
         columns->time_unit,
         PLOT_NUMBER},
        {{"by-traffic", "by traffic"},
         columns->bytes_a_node,
         columns->fedavg_bytes,
         "a node",
         PLOT_BYTES}};
    struct page_pane panes[3];
    char note[96];
    size_t tested = report->config->sim.eval_nodes < report->summary->nodes
                        ? report->config->sim.eval_nodes
                        : report->summary->nodes;
    snprintf(note, sizeof note, "of %zu node%s, on examples that nobody trains on", tested,
             tested == 1 ? "" : "s");
    for (size_t i = 0; i < 3; i++)
        memcpy(&panes[i], &overs[i].pane, sizeof panes[i]);
    page_chart_begin("accuracy", "Accuracy", note, true, file);
    page_switch_begin(panes, 3, file);
    for (size_t i = 0; i < 3; i++)
        write_accuracy(report, columns, &overs[i], file);
    page_switch_end(file);
    page_chart_end(file);
}

/* One curve by round, from zero. */
static void write_curve(const struct columns *columns, const double *y, const char *id,
                        const char *title, const char *note, const char *name, enum plot_unit unit,
                        unsigned colour, FILE *file)
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
    page_chart_begin(id, title, note, false, file);
    plot_write(&plot, file);
    page_chart_end(file);
}

static void write_loss(const struct report *report, const struct columns *columns, FILE *file)
{
    struct plot plot = {
        .title = "Loss",
        .x_name = "round",
        .x_unit = PLOT_WHOLE,
        .y_unit = PLOT_NUMBER,
        .from_zero = true,
        .skip_start = true,
        .count = columns->count,
        .x = columns->round,
        .lines = {{.name = "mean", .y = columns->loss}},
        .line_count = 1,
        .levels = {{"central", report->summary->central_loss},
                   {"alone", report->summary->local_loss}},
        .level_count = 2,
    };
    if (columns->fedavg_count > 0)
        plot.lines[plot.line_count++] = (struct plot_line){.name = "FedAvg",
                                                           .y = columns->fedavg_loss,
                                                           .colour = 3,
                                                           .x = columns->fedavg_passes,
                                                           .count = columns->fedavg_count};
    page_chart_begin("loss", "Loss", "nats an example", false, file);
    plot_write(&plot, file);
    page_chart_end(file);
}

/* Whether there is anything to see in how many are there. */
static bool comes_and_goes(const struct report *report)
{
    for (size_t i = 0; i < report->round_count; i++)
        if (report->rounds[i].online != report->summary->nodes)
            return true;
    return false;
}

enum starling_error report_curves(const struct report *report, FILE *file, struct problem *problem)
{
    struct columns columns;
    if (report->round_count == 0)
        return STARLING_OK;
    if (!columns_make(&columns, report))
        return problem_no_memory(problem, "the report");
    write_hero(report, &columns, file);
    write_loss(report, &columns, file);
    write_curve(&columns, columns.distance, "consensus", "Consensus",
                "how far the nodes are from their mean", "consensus distance", PLOT_NUMBER, 7,
                file);
    write_curve(&columns, columns.bytes, "traffic", "Traffic", "all nodes together", "sent so far",
                PLOT_BYTES, 5, file);
    if (comes_and_goes(report))
        write_curve(&columns, columns.online, "online", "Who is there", "the others are away",
                    "nodes", PLOT_WHOLE, 4, file);
    free(columns.round);
    return STARLING_OK;
}
