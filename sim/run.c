#include "sim/run_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/checkpoint.h"
#include "sim/live.h"
#include "sim/measure.h"
#include "sim/personal.h"
#include "sim/stopwatch.h"

static enum starling_error run_live(struct run *run, double started, struct problem *problem)
{
    struct live_options options = {.interrupted = run->options->interrupted,
                                   .quiet = run->options->quiet};
    run->summary.init_seconds = stopwatch_seconds() - started;
    enum starling_error error = live_run(run->experiment, &options, run->results, &run->progress,
                                         &run->summary, &run->nodes, problem);
    run->nodes_count = error ? 0 : run->experiment->config.sim.nodes;
    return error;
}

static void begin_summary(struct run *run)
{
    const struct experiment *experiment = run->experiment;
    run->summary = (struct summary){
        .kind = run->options->live ? "live" : "run",
        .nodes = experiment->config.sim.nodes,
        .seed = experiment->config.sim.seed,
        .name = experiment->name,
        .data = experiment->config.task.data,
        .model = model_name(experiment->model),
        .parameters = model_parameters(experiment->model),
        .loss = NAN,
        .local_accuracy = NAN,
        .local_loss = NAN,
        .central_accuracy = NAN,
        .central_loss = NAN,
        .bytes_per_node = NAN,
        .updates_per_second = NAN,
        .samples_per_second = NAN,
    };
    summary_machine(&run->summary);
}

static enum starling_error finish(struct run *run, struct problem *problem)
{
    struct summary *summary = &run->summary;
    double *accuracy = calloc(run->nodes_count, sizeof *accuracy);
    if (!accuracy)
        return problem_no_memory(problem, "the summary");
    double loss = 0;
    size_t tested = 0;
    for (size_t i = 0; i < run->nodes_count; i++) {
        accuracy[i] = run->nodes[i].accuracy;
        bool known = !isnan(run->nodes[i].loss); /* it is there */
        loss += known ? run->nodes[i].loss : 0;
        tested += known;
    }
    summary->accuracy = spread_of(accuracy, run->nodes_count);
    summary->loss = loss / (double)tested;
    personal_summarise(run->nodes, run->nodes_count, summary);
    free(accuracy);
    if (summary->wall_seconds > 0) {
        summary->updates_per_second = (double)summary->updates / summary->wall_seconds;
        summary->samples_per_second = (double)summary->samples_trained / summary->wall_seconds;
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    summary->peak_rss_bytes = (uint64_t)usage.ru_maxrss * 1024;
    enum starling_error error =
        results_finish(run->results, summary, run->nodes, run->nodes_count, problem);
    if (!error && run->options->json)
        error = summary_write(summary, stdout, problem);
    else if (!error)
        summary_print(summary, stdout);
    return error;
}

/* What only a simulated network can do, and how many processes are too many. */
static enum starling_error check_live(const struct config *config, struct problem *problem)
{
    if (config->sim.nodes > LIVE_NODES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "sim.nodes: %llu processes are more than live starts: %d at most, or "
                           "use starling-sim run",
                           (unsigned long long)config->sim.nodes, LIVE_NODES_MAX);
    struct network network;
    if (network_parse(config, &network, problem))
        return STARLING_INVALID;
    struct config plain;
    config_defaults(&plain);
    const struct {
        const char *name;
        bool given;
    } simulated[] = {
        {"sim.drop", config->sim.drop > 0},
        {"sim.wire", config->sim.wire},
        {"sim.checkpoint", config->sim.checkpoint_us != plain.sim.checkpoint_us},
        {"sim.compute", config->sim.compute_ps != plain.sim.compute_ps},
        {"sim.latency", strcmp(config->sim.latency, plain.sim.latency) != 0},
        {"sim.bandwidth", strcmp(config->sim.bandwidth, plain.sim.bandwidth) != 0},
        {"sim.partitions", strcmp(config->sim.partitions, plain.sim.partitions) != 0},
        {"sim.crash", strcmp(config->sim.crash, plain.sim.crash) != 0},
        {"sim.speed", strcmp(config->sim.speed, plain.sim.speed) != 0},
        {"sim.topology", strcmp(config->sim.topology, plain.sim.topology) != 0},
        {"task.agree", config->task.agree == AGREE_ON},
        {"sim.churn", strcmp(config->sim.churn, plain.sim.churn) != 0},
        {"sim.preset", config->sim.preset != plain.sim.preset},
        {"sim.sync", config->sim.sync != plain.sim.sync},
    };
    for (size_t i = 0; i < sizeof simulated / sizeof *simulated; i++)
        if (simulated[i].given)
            return problem_set(problem, STARLING_INVALID,
                               "%s: real nodes talk over the real network: leave it out, or use "
                               "starling-sim run",
                               simulated[i].name);
    return STARLING_OK;
}

/* What only a device has: a place in the network, a socket, and a folder to save in. */
static enum starling_error check_devices(const struct config *config, bool live,
                                         struct problem *problem)
{
    static const char *const settings[] = {"node.listen",    "node.advertise", "node.seeds",
                                           "node.autostart", "control.socket", "node.save_every",
                                           "node.max_model"};
    size_t count = sizeof settings / sizeof *settings - (live ? 2 : 0); /* live nodes do save */
    for (size_t i = 0; i < count; i++)
        if (config_changed(config, settings[i]))
            return problem_set(
                problem, STARLING_INVALID,
                "%s: is a setting of devices, which starling-node runs: leave it out", settings[i]);
    return STARLING_OK;
}

static enum starling_error prepare(struct run *run, const struct config *config,
                                   struct problem *problem)
{
    if (check_devices(config, run->options->live, problem) ||
        (run->options->live && check_live(config, problem)))
        return STARLING_INVALID;
    run->experiment = experiment_new(config, run->options->live, problem);
    if (!run->experiment)
        return STARLING_FAILED;
    config = &run->experiment->config;
    run->pool = pool_new(config->sim.threads);
    if (!run->pool)
        return problem_set(problem, STARLING_FAILED,
                           "sim.threads: %llu threads cannot be had: ask for fewer",
                           (unsigned long long)config->sim.threads);
    char dir[CONFIG_TEXT_MAX];
    snprintf(dir, sizeof dir, "runs/%s", run->experiment->task_name);
    const char *out = run->options->out ? run->options->out : dir;
    out = run->options->resume ? run->options->resume : out;
    run->results = run->options->resume ? results_reopen(out, config, problem)
                                        : results_open(out, config, run->options->force,
                                                       run->options->interrupted, problem);
    if (!run->results)
        return *run->options->interrupted ? STARLING_OK : STARLING_FAILED;
    if (run->options->watch) {
        results_watch(run->results, &run->summary);
        if (!run->options->quiet)
            fprintf(stderr, "open %s/report.html: it follows the run\n", out);
    }
    return STARLING_OK;
}

/* What is complete needs none; what is not, goes on from it. */
static void end_checkpoint(struct run *run)
{
    const char *dir = results_dir(run->results);
    if (run->summary.complete)
        checkpoint_remove(dir);
    run->progress.quiet = run->options->quiet;
    if (!run->summary.complete && checkpoint_is_there(dir))
        progress_note(&run->progress, "go on with: starling-sim run --resume %s", dir);
}

enum starling_error run_experiment(const struct config *config, const struct run_options *options,
                                   bool *complete, struct problem *problem)
{
    struct run run = {.options = options};
    double started = stopwatch_seconds();
    *complete = false;
    enum starling_error error = prepare(&run, config, problem);
    if (error) {
        error = problem->error ? problem->error : error;
    } else if (run.results) {
        begin_summary(&run);
        error =
            options->live ? run_live(&run, started, problem) : run_virtual(&run, started, problem);
        if (!error)
            error = run_baselines(&run, problem);
        if (!error)
            error = finish(&run, problem);
        *complete = run.summary.complete;
        if (!error)
            end_checkpoint(&run);
    }
    results_close(&run.results);
    pool_free(&run.pool);
    experiment_free(&run.experiment);
    free(run.nodes);
    return error;
}
