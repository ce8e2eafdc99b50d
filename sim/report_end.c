/* Where the nodes are at the end of a run. */
#include <math.h>
#include <stdlib.h>

#include "sim/report_parts.h"

#define FINE_MAX 60 /* in-degrees that have a bar each; a wider range is drawn in coarser ones */

void report_baselines(const struct report *report, FILE *file)
{
    const struct summary *summary = report->summary;
    bool fedavg = summary->fedavg.rounds > 0;
    if (!isfinite(summary->local_accuracy) && !isfinite(summary->central_accuracy) && !fedavg)
        return;
    const struct plot_share accuracy[] = {{"alone", summary->local_accuracy, 1},
                                          {"gossip", summary->accuracy.mean, 0},
                                          {"FedAvg", fedavg ? summary->fedavg.accuracy : NAN, 3},
                                          {"central", summary->central_accuracy, 4}};
    const struct plot_share loss[] = {{"alone", summary->local_loss, 1},
                                      {"gossip", summary->loss, 0},
                                      {"FedAvg", fedavg ? summary->fedavg.loss : NAN, 3},
                                      {"central", summary->central_loss, 4}};
    page_chart_begin("baselines", "Beside the alternatives", "with as many passes over the data",
                     false, file);
    fputs("<p class=\"strip\"><b>Accuracy</b></p>\n", file);
    plot_shares("Accuracy", accuracy, 4, 1, PLOT_PERCENT, file);
    fputs("<p class=\"strip\"><b>Loss</b> <span class=\"muted\">less is better</span></p>\n", file);
    plot_shares("Loss", loss, 4, 0, PLOT_NUMBER, file);
    page_chart_end(file);
}

enum starling_error report_spread(const struct report *report, FILE *file, struct problem *problem)
{
    size_t count = report->node_count, known = 0;
    if (count < 2)
        return STARLING_OK;
    double *values = calloc(count, 2 * sizeof *values);
    if (!values)
        return problem_no_memory(problem, "the report");
    for (size_t i = 0; i < count; i++) {
        values[i] = report->nodes[i].accuracy;
        values[count + i] = report->nodes[i].accuracy_alone;
        known += isfinite(values[count + i]) ? 1u : 0u;
    }
    const struct plot_strip gossip = {"by gossip", values, count, 0,
                                      known ? 0 : 2 * PLOT_STRIP_HEIGHT};
    const struct plot_strip alone = {"alone", values + count, count, 1, 0};
    page_chart_begin("spread", "Node by node", "accuracy at the end, whole test set", false, file);
    plot_strips("Accuracy by gossip, node by node", &gossip, 1, PLOT_PERCENT, file);
    if (known) /* over an axis of its own: one that holds both shows little of either */
        plot_strips("Accuracy alone, node by node", &alone, 1, PLOT_PERCENT, file);
    page_chart_end(file);
    free(values);
    return STARLING_OK;
}

/* What the swarm's model and the personal one do on what each node held out: in swarm[] and
 * personal[], how many. */
static size_t personal_pairs(const struct report *report, double *swarm, double *personal,
                             size_t *better, size_t *worse)
{
    size_t count = 0;
    *better = *worse = 0;
    for (size_t i = 0; i < report->node_count; i++) {
        const struct own_row *own = &report->nodes[i].own;
        if (own->tested == 0 || !isfinite(own->personal) || !isfinite(own->shared))
            continue;
        *better += own->personal > own->shared;
        *worse += own->personal < own->shared;
        swarm[count] = own->shared;
        personal[count++] = own->personal;
    }
    return count;
}

enum starling_error report_personal(const struct report *report, FILE *file,
                                    struct problem *problem)
{
    const struct summary *summary = report->summary;
    if (summary->personal.nodes == 0)
        return STARLING_OK;
    double *swarm = calloc(2 * report->node_count + 1, sizeof *swarm);
    if (!swarm)
        return problem_no_memory(problem, "the report");
    double *personal = swarm + report->node_count;
    size_t better, worse, count = personal_pairs(report, swarm, personal, &better, &worse);
    const struct plot_share shares[] = {{"alone", summary->personal.alone, 1},
                                        {"gossip", summary->personal.swarm, 0},
                                        {"personal", summary->personal.accuracy, 6}};
    const struct plot_pairs pairs = {.title = "Personal models against the swarm's, node by node",
                                     .name = "nodes by their personal model",
                                     .x_name = "by the swarm's model",
                                     .x = swarm,
                                     .y = personal,
                                     .count = count,
                                     .unit = PLOT_PERCENT,
                                     .colour = 6};
    bool drawn = true;
    page_chart_begin("personal", "Models of their own", "on what each node held out", false, file);
    plot_shares("Accuracy on what each node held out", shares, 3, 1, PLOT_PERCENT, file);
    if (count > 1) {
        drawn = plot_pairs(&pairs, file);
        fprintf(file,
                "<p class=\"muted\">Better for %zu nodes, worse for %zu, the same for %zu.</p>\n",
                better, worse, count - better - worse);
    }
    page_chart_end(file);
    free(swarm);
    return drawn ? STARLING_OK : problem_no_memory(problem, "the report");
}

static void write_overlay_facts(const struct overlay *overlay, FILE *file)
{
    char nodes[PAGE_VALUE], sampled[PAGE_VALUE], largest[PAGE_VALUE], pieces[PAGE_VALUE];
    plot_value((double)overlay->nodes, PLOT_WHOLE, nodes, sizeof nodes);
    plot_value((double)overlay->clustering_nodes, PLOT_WHOLE, sampled, sizeof sampled);
    plot_value((double)overlay->largest, PLOT_WHOLE, largest, sizeof largest);
    plot_value((double)overlay->components, PLOT_WHOLE, pieces, sizeof pieces);
    fprintf(file,
            "<dl class=\"facts\"><dt>in-degree<dd>%.1f ±&#160;%.2f <span class=\"muted\">(a random "
            "graph: ±&#160;%.2f)</span>\n",
            overlay->in_degree.mean, overlay->in_degree.std, overlay->random.in_degree_std);
    fprintf(file,
            "<dt>clustering<dd>%.4f <span class=\"muted\">(a random graph: %.4f)%s%s%s</span>\n",
            overlay->clustering, overlay->random.clustering,
            overlay->clustering_nodes < overlay->nodes ? ", sampled at " : "",
            overlay->clustering_nodes < overlay->nodes ? sampled : "",
            overlay->clustering_nodes < overlay->nodes ? " nodes" : "");
    if (overlay->components == 1)
        fprintf(file, "<dt>connected<dd>all %s nodes are one piece\n", nodes);
    else
        fprintf(file, "<dt>connected<dd>%s pieces; the largest has %s of %s nodes\n", pieces,
                largest, nodes);
    if (overlay->dead_share > 0)
        fprintf(file, "<dt>dead links<dd>%.1f%% lead to nodes that are away\n",
                100 * overlay->dead_share);
    fputs("</dl>\n", file);
}

/* So many nodes of each in-degree, in bars of whole in-degrees from the lowest that anybody has or
 * a random graph shows. */
static void write_in_degrees(const struct report *report, double bars[PLOT_BARS_MAX],
                             double expected[PLOT_BARS_MAX], FILE *file)
{
    const struct overlay *overlay = &report->summary->overlay;
    uint64_t low = overlay->in_degree.min, high = overlay->in_degree.max;
    while (low > 0 && overlay_random_nodes(overlay, low - 1) >= 0.5)
        low--;
    while (overlay_random_nodes(overlay, high + 1) >= 0.5)
        high++;
    uint64_t step = (high - low) / FINE_MAX + 1;
    size_t count = (size_t)((high - low) / step) + 1;
    for (size_t i = 0; i < report->node_count; i++) {
        uint64_t degree = report->nodes[i].in_degree;
        if (degree >= low && degree <= high)
            bars[(degree - low) / step]++;
    }
    for (size_t i = 0; i < count; i++)
        for (uint64_t j = 0; j < step && step < 1000; j++)
            expected[i] += overlay_random_nodes(overlay, low + i * step + j);
    const struct plot_bars plot = {
        .title = "How many nodes have each in-degree",
        .name = "nodes",
        .x_name = "in-degree: others that know the node",
        .low = (double)low - 0.5,
        .step = (double)step,
        .bars = bars,
        .curve_name = "a random graph",
        .curve = expected,
        .count = count,
        .colour = 0,
        .curve_colour = 1,
    };
    plot_bars(&plot, file);
}

enum starling_error report_overlay(const struct report *report, FILE *file, struct problem *problem)
{
    const struct overlay *overlay = &report->summary->overlay;
    if (overlay->nodes < 2)
        return STARLING_OK;
    double *bars = calloc(2 * PLOT_BARS_MAX, sizeof *bars);
    if (!bars)
        return problem_no_memory(problem, "the report");
    page_chart_begin("overlay", "Who knows whom", "the views at the end", false, file);
    if (report->node_count > 0 && overlay->in_degree.max >= overlay->in_degree.min)
        write_in_degrees(report, bars, bars + PLOT_BARS_MAX, file);
    write_overlay_facts(overlay, file);
    page_chart_end(file);
    free(bars);
    return STARLING_OK;
}
