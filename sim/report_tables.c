/* The nodes of a run as a table, its settings, and what it took. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/report_parts.h"

#define NODE_TABLE_MAX 200 /* nodes listed one by one */

/* What there is to tell beside what every run has. */
struct more {
    bool personal, in_degree;
};

static struct more find_more(const struct report *report)
{
    struct more more = {0};
    for (size_t i = 0; i < report->node_count; i++) {
        more.personal |= report->nodes[i].own.tested > 0;
        more.in_degree |= report->nodes[i].in_degree != OVERLAY_AWAY;
    }
    return more;
}

static void write_node(const struct node_row *row, struct more more, FILE *file)
{
    fputs("<tr>", file);
    page_cell((double)row->node, PLOT_WHOLE, file);
    page_cell((double)row->examples, PLOT_WHOLE, file);
    page_cell(row->age, PLOT_NUMBER, file);
    page_cell(row->accuracy, PLOT_PERCENT, file);
    page_cell(row->accuracy_alone, PLOT_PERCENT, file);
    page_cell(row->loss, PLOT_NUMBER, file);
    if (more.personal) {
        page_cell(row->own.tested ? row->own.personal : NAN, PLOT_PERCENT, file);
        page_cell(row->own.tested ? row->own.shared : NAN, PLOT_PERCENT, file);
    }
    if (more.in_degree)
        page_cell(row->in_degree == OVERLAY_AWAY ? (double)NAN : row->in_degree, PLOT_WHOLE, file);
    page_cell((double)row->messages_in, PLOT_WHOLE, file);
    page_cell((double)row->messages_out, PLOT_WHOLE, file);
    page_cell((double)row->bytes_in, PLOT_BYTES, file);
    page_cell((double)row->bytes_out, PLOT_BYTES, file);
    fputs("</tr>\n", file);
}

void report_nodes(const struct report *report, FILE *file)
{
    size_t count = report->node_count < NODE_TABLE_MAX ? report->node_count : NODE_TABLE_MAX;
    struct more more = find_more(report);
    if (count == 0)
        return;
    fputs("<details><summary>Every node", file);
    if (count < report->node_count)
        fprintf(file, " (the first %zu; all are in nodes.csv)", count);
    fprintf(file,
            "</summary><div class=\"scroll\"><table><tr><th>node<th>examples<th>age<th>accuracy"
            "<th>alone<th>loss%s%s<th>messages in<th>out<th>traffic in<th>out</tr>\n",
            more.personal ? "<th>personal<th>swarm, same examples" : "",
            more.in_degree ? "<th>known by" : "");
    for (size_t i = 0; i < count; i++)
        write_node(&report->nodes[i], more, file);
    fputs("</table></div></details>\n", file);
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

/* What summary.json says beside the accuracy: work, time, machine. */
static void write_work(const struct summary *summary, FILE *file)
{
    char text[PAGE_VALUE];
    fputs("<table><caption>Work</caption>\n", file);
    page_row_whole("parameters", summary->parameters, file);
    page_row_whole("passes", summary->passes, file);
    page_row_whole("samples trained", summary->samples_trained, file);
    page_row_whole("updates", summary->updates, file);
    page_row_whole("messages dropped", summary->dropped, file);
    page_row_whole("messages rejected", summary->rejected, file);
    page_row_rate("updates", summary->updates_per_second, file);
    page_row_rate("samples", summary->samples_per_second, file);
    fputs("</table>\n<table><caption>Time and machine</caption>\n", file);
    page_row_seconds("making ready", summary->init_seconds, file);
    page_row_seconds("first to last event", summary->wall_seconds, file);
    page_row_seconds("training", summary->train_seconds, file);
    page_row_seconds("testing", summary->eval_seconds, file);
    plot_value((double)summary->peak_rss_bytes, PLOT_BYTES, text, sizeof text);
    page_row_text("memory at most", text, file);
    plot_value(summary->bytes_per_node, PLOT_BYTES, text, sizeof text);
    page_row_text("memory a node", text, file);
    const char *const machine[][2] = {{"processor", summary->machine.cpu},
                                      {"BLAS core", summary->machine.blas_core},
                                      {"kernels", summary->machine.kernels}};
    for (size_t i = 0; i < sizeof machine / sizeof *machine; i++)
        if (machine[i][1][0])
            page_row_text(machine[i][0], machine[i][1], file);
    if (summary->digest[0]) {
        fputs("<tr><th>digest<td><code>", file);
        plot_text(summary->digest, file);
        fputs("</code></tr>\n", file);
    }
    fputs("</table>\n", file);
}

enum starling_error report_settings(const struct report *report, FILE *file,
                                    struct problem *problem)
{
    fputs("<h2>Settings and figures</h2>\n<div class=\"settings\">\n", file);
    enum starling_error error = write_settings(report->config, file, problem);
    write_work(report->summary, file);
    fputs("</div>\n", file);
    return error;
}
