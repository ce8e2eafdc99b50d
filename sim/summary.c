#include "sim/results.h"

#include <cblas.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/vector.h"

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    if (below + 1 >= count)
        return sorted[count - 1];
    double part = place - (double)below;
    return part > 0 ? sorted[below] + part * (sorted[below + 1] - sorted[below]) : sorted[below];
}

struct spread spread_of(double *values, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]))
            values[kept++] = values[i];
    if (kept == 0)
        return (struct spread){NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    qsort(values, kept, sizeof *values, by_value);
    double sum = 0, squares = 0;
    for (size_t i = 0; i < kept; i++)
        sum += values[i];
    double mean = sum / (double)kept;
    for (size_t i = 0; i < kept; i++)
        squares += (values[i] - mean) * (values[i] - mean);
    return (struct spread){
        .mean = mean,
        .std = sqrt(squares / (double)kept),
        .min = values[0],
        .p10 = quantile(values, kept, 0.1),
        .p50 = quantile(values, kept, 0.5),
        .p90 = quantile(values, kept, 0.9),
        .max = values[kept - 1],
    };
}

void summary_take_row(struct summary *summary, const struct round_row *row)
{
    summary->rounds = row->round;
    summary->accuracy = (struct spread){.mean = row->accuracy_mean,
                                        .std = row->accuracy_std,
                                        .min = row->accuracy_min,
                                        .p10 = row->accuracy_p10,
                                        .p50 = row->accuracy_p50,
                                        .p90 = row->accuracy_p90,
                                        .max = NAN};
    summary->loss = row->loss_mean;
    summary->messages = row->messages;
    summary->bytes = row->bytes;
    summary->dropped = row->dropped;
}

/* The processor's name as Linux tells it; "" where it does not (arm64 lists part numbers). */
static void name_cpu(char *name, size_t size)
{
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "re");
    name[0] = '\0';
    while (file && !name[0] && fgets(line, sizeof line, file)) {
        char *text = strchr(line, ':');
        if (!text || strncmp(line, "model name", 10) != 0)
            continue;
        do
            text++;
        while (isspace((unsigned char)*text));
        text[strcspn(text, "\n")] = '\0';
        snprintf(name, size, "%s", text);
    }
    if (file)
        fclose(file);
}

void summary_machine(struct summary *summary)
{
    name_cpu(summary->machine.cpu, sizeof summary->machine.cpu);
    snprintf(summary->machine.blas_core, sizeof summary->machine.blas_core, "%s",
             openblas_get_corename());
    snprintf(summary->machine.kernels, sizeof summary->machine.kernels, "%s", vector_kernels());
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *whole(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *text(const char *value)
{
    json_t *json = value && value[0] ? json_string(value) : NULL;
    return json ? json : json_null(); /* what is not UTF-8 cannot be said in JSON */
}

static json_t *spread_json(const struct spread *spread)
{
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "mean", number(spread->mean), "std",
                     number(spread->std), "min", number(spread->min), "p10", number(spread->p10),
                     "p50", number(spread->p50), "p90", number(spread->p90), "max",
                     number(spread->max));
}

static json_t *fedavg_json(const struct summary *summary)
{
    if (summary->fedavg.rounds == 0)
        return json_null();
    return json_pack("{s:o,s:o,s:o,s:o,s:o}", "accuracy", number(summary->fedavg.accuracy), "loss",
                     number(summary->fedavg.loss), "rounds", whole(summary->fedavg.rounds),
                     "messages", whole(summary->fedavg.messages), "bytes",
                     whole(summary->fedavg.bytes));
}

static json_t *reached_json(double accuracy, double loss)
{
    return json_pack("{s:o,s:o}", "accuracy", number(accuracy), "loss", number(loss));
}

static json_t *baselines_json(const struct summary *summary)
{
    return json_pack("{s:o,s:o,s:o}", "local",
                     reached_json(summary->local_accuracy, summary->local_loss), "central",
                     reached_json(summary->central_accuracy, summary->central_loss), "fedavg",
                     fedavg_json(summary));
}

static json_t *personal_json(const struct summary *summary)
{
    if (summary->personal.nodes == 0)
        return json_null();
    return json_pack("{s:o,s:o,s:o,s:o}", "nodes", whole(summary->personal.nodes), "accuracy",
                     number(summary->personal.accuracy), "swarm", number(summary->personal.swarm),
                     "alone", number(summary->personal.alone));
}

static json_t *overlay_json(const struct overlay *overlay)
{
    if (overlay->nodes == 0)
        return json_null();
    json_t *degrees =
        json_pack("{s:o,s:o,s:o,s:o}", "mean", number(overlay->in_degree.mean), "std",
                  number(overlay->in_degree.std), "min", whole(overlay->in_degree.min), "max",
                  whole(overlay->in_degree.max));
    json_t *random = json_pack("{s:o,s:o}", "in_degree_std", number(overlay->random.in_degree_std),
                               "clustering", number(overlay->random.clustering));
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "nodes", whole(overlay->nodes),
                     "out_degree", number(overlay->out_degree), "dead_links",
                     number(overlay->dead_share), "in_degree", degrees, "clustering",
                     number(overlay->clustering), "clustering_nodes",
                     whole(overlay->clustering_nodes), "components", whole(overlay->components),
                     "largest_component", whole(overlay->largest), "random", random);
}

json_t *summary_json(const struct summary *summary)
{
    const struct {
        const char *key;
        json_t *value;
    } entries[] = {
        {"schema", json_integer(1)},
        {"kind", text(summary->kind)},
        {"complete", json_boolean(summary->complete)},
        {"name", text(summary->name)},
        {"nodes", whole(summary->nodes)},
        {"rounds", whole(summary->rounds)},
        {"seed", whole(summary->seed)},
        {"data", text(summary->data)},
        {"model", text(summary->model)},
        {"parameters", whole(summary->parameters)},
        {"accuracy", spread_json(&summary->accuracy)},
        {"loss", number(summary->loss)},
        {"baselines", baselines_json(summary)},
        {"personal", personal_json(summary)},
        {"overlay", overlay_json(&summary->overlay)},
        {"messages", whole(summary->messages)},
        {"bytes", whole(summary->bytes)},
        {"dropped", whole(summary->dropped)},
        {"rejected", whole(summary->rejected)},
        {"passes", whole(summary->passes)},
        {"diverged", summary->events ? whole(summary->diverged) : json_null()},
        {"samples_trained", whole(summary->samples_trained)},
        {"updates", whole(summary->updates)},
        {"events", summary->events ? whole(summary->events) : json_null()},
        {"init_seconds", number(summary->init_seconds)},
        {"wall_seconds", number(summary->wall_seconds)},
        {"train_seconds", number(summary->train_seconds)},
        {"eval_seconds", number(summary->eval_seconds)},
        {"bytes_per_node", isfinite(summary->bytes_per_node)
                               ? whole((uint64_t)summary->bytes_per_node)
                               : json_null()},
        {"cpu", text(summary->machine.cpu)},
        {"blas_core", text(summary->machine.blas_core)},
        {"kernels", text(summary->machine.kernels)},
        {"updates_per_second", number(summary->updates_per_second)},
        {"samples_per_second", number(summary->samples_per_second)},
        {"peak_rss_bytes", whole(summary->peak_rss_bytes)},
        {"digest", text(summary->digest)},
    };
    json_t *json = json_object();
    bool failed = !json;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        failed |= json_object_set_new(json, entries[i].key, entries[i].value) != 0;
    if (failed) {
        json_decref(json);
        return NULL;
    }
    return json;
}

enum starling_error summary_write(const struct summary *summary, FILE *file,
                                  struct problem *problem)
{
    json_t *json = summary_json(summary);
    if (!json)
        return problem_no_memory(problem, "the summary");
    int failed = json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    json_decref(json);
    if (failed || fputc('\n', file) == EOF || fflush(file) != 0)
        return problem_set(problem, STARLING_FAILED,
                           "summary: cannot be written: see that the disk or pipe takes it");
    return STARLING_OK;
}

static void print_bytes(double bytes, FILE *file)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    for (; bytes >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        bytes /= 1000;
    fprintf(file, bytes < 99.5 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

/* What comes first in a line of the table: a share in per cent, a loss in nats. */
static void print_reached(const char *label, double accuracy, double loss, FILE *file)
{
    fprintf(file, "  %-12s%6.2f %%   ", label, 100 * accuracy);
    if (isfinite(loss))
        fprintf(file, "%.4f", loss);
    else
        fputs("     –", file);
}

static void print_baseline(const char *label, double accuracy, double loss, FILE *file)
{
    if (!isfinite(accuracy))
        return;
    print_reached(label, accuracy, loss, file);
    fputc('\n', file);
}

static void print_gossip(const struct summary *summary, FILE *file)
{
    const struct spread *spread = &summary->accuracy;
    if (!isfinite(spread->mean)) {
        fprintf(file, "  %-12s     –    (nothing was evaluated)\n", "gossip");
        return;
    }
    print_reached("gossip", spread->mean, summary->loss, file);
    if (summary->nodes > 1)
        fprintf(file, "   ± %.2f between nodes, worst %.2f, best %.2f", 100 * spread->std,
                100 * spread->min, 100 * spread->max);
    fputc('\n', file);
}

static void print_fedavg(const struct summary *summary, FILE *file)
{
    if (summary->fedavg.rounds == 0)
        return;
    print_reached("fedavg", summary->fedavg.accuracy, summary->fedavg.loss, file);
    fprintf(file, "   %llu rounds, ", (unsigned long long)summary->fedavg.rounds);
    print_bytes((double)summary->fedavg.bytes / (double)summary->nodes, file);
    fputs(" a node\n", file);
}

static void print_own(const char *label, double accuracy, FILE *file)
{
    if (isfinite(accuracy))
        fprintf(file, "  %-12s%6.2f %%\n", label, 100 * accuracy);
}

/* Each node on what it held out itself. */
static void print_personal(const struct summary *summary, FILE *file)
{
    if (summary->personal.nodes == 0)
        return;
    fputs("\n  accuracy on a node's own hold-out\n", file);
    print_own("alone", summary->personal.alone, file);
    print_own("gossip", summary->personal.swarm, file);
    print_own("personal", summary->personal.accuracy, file);
}

static void print_overlay(const struct overlay *overlay, FILE *file)
{
    if (overlay->nodes < 2)
        return;
    fprintf(file,
            "\n  %-12sin-degree %.1f ± %.2f (a random graph: ± %.2f), clustering %.4f (%.4f), ",
            "overlay", overlay->in_degree.mean, overlay->in_degree.std,
            overlay->random.in_degree_std, overlay->clustering, overlay->random.clustering);
    if (overlay->components == 1)
        fputs("in one piece", file);
    else
        fprintf(file, "in %llu pieces, %llu nodes in the largest",
                (unsigned long long)overlay->components, (unsigned long long)overlay->largest);
}

static void print_time(const char *label, double seconds, FILE *file)
{
    if (isfinite(seconds))
        fprintf(file, ", %s %.1f s", label, seconds);
}

void summary_print(const struct summary *summary, FILE *file)
{
    fprintf(file, "%s: %llu node%s, %llu rounds%s\n", summary->name ? summary->name : "run",
            (unsigned long long)summary->nodes, summary->nodes == 1 ? "" : "s",
            (unsigned long long)summary->rounds,
            summary->complete ? "" : " (interrupted: what there was until then)");
    fprintf(file, "\n  accuracy               loss\n");
    print_baseline("alone", summary->local_accuracy, summary->local_loss, file);
    print_gossip(summary, file);
    print_fedavg(summary, file);
    print_baseline("central", summary->central_accuracy, summary->central_loss, file);
    print_personal(summary, file);
    fprintf(file, "\n  %-12s%llu messages, ", "traffic", (unsigned long long)summary->messages);
    print_bytes((double)summary->bytes, file);
    if (summary->nodes > 1) {
        fputs(", ", file);
        print_bytes((double)summary->bytes / (double)summary->nodes, file);
        fputs(" a node", file);
    }
    if (summary->dropped)
        fprintf(file, ", %llu dropped", (unsigned long long)summary->dropped);
    if (summary->rejected)
        fprintf(file, ", %llu rejected", (unsigned long long)summary->rejected);
    print_overlay(&summary->overlay, file);
    if (summary->diverged)
        fprintf(file, "\n  %-12s%llu passes were undone, not being finite: lower learn.rate",
                "diverged", (unsigned long long)summary->diverged);
    if (isfinite(summary->wall_seconds)) {
        fprintf(file, "\n  %-12s%.1f s", "time", summary->wall_seconds);
        print_time("training", summary->train_seconds, file);
        print_time("testing", summary->eval_seconds, file);
    }
    fputc('\n', file);
}
