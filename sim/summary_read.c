#include "sim/past.h"

#include <math.h>
#include <string.h>

static double figure(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);
    double number = json_number_value(value);
    return json_is_number(value) && isfinite(number) ? number : NAN;
}

static uint64_t whole(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);
    json_int_t number = json_integer_value(value);
    return number > 0 ? (uint64_t)number : 0;
}

static const char *words(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

static void copy_words(const json_t *json, const char *key, char *out, size_t size)
{
    const char *value = words(json, key);
    snprintf(out, size, "%s", value ? value : "");
}

static struct spread spread_read(const json_t *json)
{
    return (struct spread){.mean = figure(json, "mean"),
                           .std = figure(json, "std"),
                           .min = figure(json, "min"),
                           .p10 = figure(json, "p10"),
                           .p50 = figure(json, "p50"),
                           .p90 = figure(json, "p90"),
                           .max = figure(json, "max")};
}

static struct overlay overlay_read(const json_t *json)
{
    const json_t *degrees = json_object_get(json, "in_degree");
    const json_t *random = json_object_get(json, "random");
    return (struct overlay){
        .nodes = whole(json, "nodes"),
        .out_degree = figure(json, "out_degree"),
        .dead_share = figure(json, "dead_links"),
        .in_degree = {.mean = figure(degrees, "mean"),
                      .std = figure(degrees, "std"),
                      .min = whole(degrees, "min"),
                      .max = whole(degrees, "max")},
        .clustering = figure(json, "clustering"),
        .clustering_nodes = whole(json, "clustering_nodes"),
        .components = whole(json, "components"),
        .largest = whole(json, "largest_component"),
        .random = {.in_degree_std = figure(random, "in_degree_std"),
                   .clustering = figure(random, "clustering")},
    };
}

static void read_baselines(const json_t *json, struct summary *summary)
{
    const json_t *local = json_object_get(json, "local");
    const json_t *central = json_object_get(json, "central");
    const json_t *fedavg = json_object_get(json, "fedavg");
    summary->local_accuracy = figure(local, "accuracy");
    summary->local_loss = figure(local, "loss");
    summary->central_accuracy = figure(central, "accuracy");
    summary->central_loss = figure(central, "loss");
    summary->fedavg.accuracy = figure(fedavg, "accuracy");
    summary->fedavg.loss = figure(fedavg, "loss");
    summary->fedavg.rounds = whole(fedavg, "rounds");
    summary->fedavg.messages = whole(fedavg, "messages");
    summary->fedavg.bytes = whole(fedavg, "bytes");
}

void summary_read(const json_t *json, struct summary *summary)
{
    const json_t *personal = json_object_get(json, "personal");
    *summary = (struct summary){
        .kind = words(json, "kind"),
        .complete = json_is_true(json_object_get(json, "complete")),
        .nodes = whole(json, "nodes"),
        .rounds = whole(json, "rounds"),
        .seed = whole(json, "seed"),
        .name = words(json, "name"),
        .data = words(json, "data"),
        .model = words(json, "model"),
        .parameters = whole(json, "parameters"),
        .accuracy = spread_read(json_object_get(json, "accuracy")),
        .loss = figure(json, "loss"),
        .overlay = overlay_read(json_object_get(json, "overlay")),
        .messages = whole(json, "messages"),
        .bytes = whole(json, "bytes"),
        .dropped = whole(json, "dropped"),
        .rejected = whole(json, "rejected"),
        .passes = whole(json, "passes"),
        .samples_trained = whole(json, "samples_trained"),
        .updates = whole(json, "updates"),
        .events = whole(json, "events"),
        .diverged = whole(json, "diverged"),
        .init_seconds = figure(json, "init_seconds"),
        .wall_seconds = figure(json, "wall_seconds"),
        .train_seconds = figure(json, "train_seconds"),
        .eval_seconds = figure(json, "eval_seconds"),
        .bytes_per_node = figure(json, "bytes_per_node"),
        .updates_per_second = figure(json, "updates_per_second"),
        .samples_per_second = figure(json, "samples_per_second"),
        .peak_rss_bytes = whole(json, "peak_rss_bytes"),
    };
    summary->personal.nodes = whole(personal, "nodes");
    summary->personal.accuracy = figure(personal, "accuracy");
    summary->personal.swarm = figure(personal, "swarm");
    summary->personal.alone = figure(personal, "alone");
    read_baselines(json_object_get(json, "baselines"), summary);
    copy_words(json, "cpu", summary->machine.cpu, sizeof summary->machine.cpu);
    copy_words(json, "blas_core", summary->machine.blas_core, sizeof summary->machine.blas_core);
    copy_words(json, "kernels", summary->machine.kernels, sizeof summary->machine.kernels);
    copy_words(json, "digest", summary->digest, sizeof summary->digest);
}
