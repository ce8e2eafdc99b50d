#include "sim/run_inside.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/live.h"
#include "sim/measure.h"
#include "sim/overlay_world.h"
#include "sim/pace.h"
#include "sim/personal.h"
#include "sim/stopwatch.h"
#include "sim/world.h"

#define TESTED_TOGETHER 2048 /* models between two looks at the clock */
#define WAITED_S 5.0         /* for the tests of a run that was interrupted */

/* What a node is tested by, a new reference; NULL when memory is out. It is what the node serves;
 * but a round of nodes in step that merge first ends, in the literature, with the merges that here
 * begin the next. */
static struct version *tested_model(const struct participant *participant)
{
    const struct gossip_settings *gossip = &participant->settings->gossip;
    if (gossip->in_step && !gossip->readout && gossip->order == ORDER_MERGE_UPDATE)
        return participant_merged(participant);
    return version_share(participant_readout(participant));
}

/* Those of the first `most` nodes of `order` (NULL: by number) that are there, with their scalings
 * and, unless NULL, the sum of their ages; models[most] are NULL at first. */
static enum starling_error gather_models(const struct world *world, size_t nodes,
                                         const uint32_t *order, size_t most,
                                         struct version **models, const float **scalings,
                                         size_t *count, double *age, struct problem *problem)
{
    *count = 0;
    for (size_t i = 0; i < nodes && *count < most; i++) {
        size_t node = order ? order[i] : i;
        if (!world_is_online(world, node))
            continue;
        const struct participant *participant = world_participant(world, node);
        models[*count] = tested_model(participant);
        if (!models[*count])
            return problem_no_memory(problem, "an evaluation");
        scalings[(*count)++] = participant_scaling(participant);
        if (age)
            *age += participant->gossip.age;
    }
    return STARLING_OK;
}

static void release_models(struct version **models, size_t count)
{
    for (size_t i = 0; models && i < count; i++)
        version_release(&models[i]);
    free(models);
}

/* One evaluation of the world by the served models of the first `most` participants that are there,
 * in a random order of all that the seed fixes. */
static enum starling_error evaluate_world(struct run *run, const struct world *world,
                                          const uint32_t *order, size_t most, uint64_t round,
                                          struct round_row *row, struct problem *problem)
{
    double before = stopwatch_seconds(), age = 0;
    const struct config *config = &run->experiment->config;
    const struct world_counts *counts = world_counts(world);
    struct version **models = calloc(most, sizeof *models);
    const float **scalings = malloc(most * sizeof *scalings);
    size_t count = 0;
    enum starling_error error = !models || !scalings
                                    ? problem_no_memory(problem, "an evaluation")
                                    : gather_models(world, config->sim.nodes, order, most, models,
                                                    scalings, &count, &age, problem);
    *row = (struct round_row){
        .round = round,
        .time_s = (double)round * (double)config->gossip.period_us * 1e-6,
        .online = world_online(world),
        .age_mean = age / (double)count,
        .messages = counts->messages,
        .bytes = counts->bytes,
        .dropped = counts->dropped,
    };
    if (!error)
        error = measure_round(run->experiment, run->pool, (const struct version *const *)models,
                              scalings, count, row, problem);
    if (!error)
        error = results_round(run->results, row, problem);
    release_models(models, count);
    free(scalings);
    run->summary.eval_seconds += stopwatch_seconds() - before;
    return error;
}

/* What is known of a node without a test. */
static struct node_row describe_node(const struct world *world, size_t node)
{
    const struct participant *participant = world_participant(world, node);
    const struct world_traffic *traffic = world_traffic(world, node);
    struct node_row row = node_row_empty(node);
    row.examples = participant->train_count + participant->choose_count + participant->report_count;
    row.age = participant->gossip.age;
    row.messages_in = traffic->messages_in;
    row.messages_out = traffic->messages_out;
    row.bytes_in = traffic->bytes_in;
    row.bytes_out = traffic->bytes_out;
    return row;
}

/* Tests those of `count` nodes from `first` on that are there, on so many examples. */
static enum starling_error test_some(struct run *run, const struct world *world, size_t first,
                                     size_t count, size_t examples, struct problem *problem)
{
    struct version *models[TESTED_TOGETHER];
    const float *scalings[TESTED_TOGETHER];
    struct measured measured[TESTED_TOGETHER];
    size_t nodes[TESTED_TOGETHER], there = 0;
    enum starling_error error = STARLING_OK;
    for (size_t node = first; node < first + count && !error; node++) {
        if (!world_is_online(world, node))
            continue;
        const struct participant *participant = world_participant(world, node);
        models[there] = tested_model(participant);
        if (!models[there]) {
            error = problem_no_memory(problem, "the last evaluation");
            break;
        }
        scalings[there] = participant_scaling(participant);
        nodes[there++] = node;
    }
    if (!error)
        measure(run->experiment, run->pool, (const struct version *const *)models, scalings, there,
                examples, measured);
    for (size_t i = 0; i < there; i++) {
        version_release(&models[i]);
        if (error)
            continue;
        run->nodes[nodes[i]].accuracy = measured[i].accuracy;
        run->nodes[nodes[i]].loss = measured[i].loss;
    }
    return error;
}

/* The served model of every node that is there on the whole test set, some at a time, so that it is
 * seen how far it is. When somebody is waiting for the prompt, on a part of the set, and what is
 * not tested within a few seconds is not known. */
static enum starling_error test_nodes(struct run *run, const struct world *world,
                                      struct problem *problem)
{
    double before = stopwatch_seconds(), since = NAN; /* somebody waits */
    const struct experiment *experiment = run->experiment;
    size_t nodes = run->nodes_count;
    size_t examples =
        run->summary.complete ? experiment->test_count : experiment->config.sim.eval_examples;
    enum starling_error error = STARLING_OK;
    for (size_t i = 0; i < nodes; i++)
        run->nodes[i] = describe_node(world, i);
    progress_begin(&run->progress, "testing: node", nodes,
                   run->options->quiet || nodes <= TESTED_TOGETHER);
    for (size_t i = 0, some; i < nodes && !error; i += some) {
        double now = stopwatch_seconds();
        if (*run->options->interrupted && isnan(since))
            since = now;
        if (now - since > WAITED_S)
            break;
        some = nodes - i < TESTED_TOGETHER ? nodes - i : TESTED_TOGETHER;
        error = test_some(run, world, i, some, examples, problem);
        progress_show(&run->progress, i + some, NULL);
    }
    progress_end(&run->progress);
    run->summary.complete &= !*run->options->interrupted;
    run->summary.eval_seconds += stopwatch_seconds() - before;
    return error;
}

static void summarise_world(struct run *run, const struct world *world, double wall)
{
    struct summary *summary = &run->summary;
    const struct world_counts *counts = world_counts(world);
    summary->messages = counts->messages;
    summary->bytes = counts->bytes;
    summary->dropped = counts->dropped;
    summary->rejected = counts->rejected;
    summary->passes = counts->passes - counts->diverged_passes;
    summary->samples_trained = counts->samples - counts->diverged_samples;
    summary->diverged = counts->diverged;
    summary->updates = counts->updates;
    summary->events = counts->events;
    summary->train_seconds = counts->train_seconds;
    summary->wall_seconds = wall;
    summary->bytes_per_node = world_bytes_per_node(world);
    world_digest(world, summary->digest);
}

/* The world round by round. */
static enum starling_error live_virtually(struct run *run, struct world *world,
                                          struct problem *problem)
{
    const struct config *config = &run->experiment->config;
    size_t nodes = config->sim.nodes;
    size_t evaluated = config->sim.eval_nodes < nodes ? config->sim.eval_nodes : nodes;
    uint32_t *order = malloc(nodes * sizeof *order);
    if (!order)
        return problem_no_memory(problem, "an evaluation");
    for (size_t i = 0; i < nodes; i++)
        order[i] = (uint32_t)i;
    struct random random = random_stream(config->sim.seed, 0, RANDOM_EVALUATE, 1);
    random_permute(&random, order, nodes);
    struct round_row row;
    struct pace pace = {0};
    bool any = false;
    enum starling_error error = STARLING_OK;
    uint64_t rounds = config->sim.rounds + config->sim.final, reached = 0;
    progress_begin(&run->progress, "round", rounds, run->options->quiet);
    for (uint64_t round = 1; round <= rounds && !error; round++) {
        if (round == config->sim.rounds + 1)
            world_conclude(world);
        error =
            pace_live(&pace, world, run->experiment, run->pool, round, run->options->interrupted,
                      &reached, &run->progress, any ? &row : NULL, problem);
        if (error || reached < round * config->gossip.period_us)
            break;
        run->summary.rounds = round;
        if (round % config->sim.eval_every == 0 || round == config->sim.rounds || round == rounds) {
            error = evaluate_world(run, world, order, evaluated, round, &row, problem);
            any = true;
        }
        progress_show(&run->progress, round, any ? &row : NULL);
    }
    progress_end(&run->progress);
    run->summary.complete = run->summary.rounds == rounds;
    if (!error && !run->summary.complete)
        progress_note(&run->progress, "interrupted: what there is is tested and written; once more "
                                      "ends at once");
    free(order);
    return error;
}

static enum starling_error personalise(struct run *run, const struct world *world,
                                       struct problem *problem)
{
    progress_begin(&run->progress, "personal: node", run->nodes_count, run->options->quiet);
    enum starling_error error = personal_run(world, run->pool, run->options->interrupted,
                                             &run->progress, run->nodes, run->nodes_count, problem);
    progress_end(&run->progress);
    run->summary.complete = !*run->options->interrupted;
    return error;
}

static enum starling_error run_virtual(struct run *run, double started, struct problem *problem)
{
    progress_begin(&run->progress, "round", 0, run->options->quiet);
    progress_say(&run->progress, "making the nodes ready");
    struct world *world = world_new(run->experiment, run->pool, problem);
    progress_clear(&run->progress);
    if (!world)
        return problem ? problem->error : STARLING_FAILED;
    run->nodes_count = run->experiment->config.sim.nodes;
    run->nodes = calloc(run->nodes_count, sizeof *run->nodes);
    double begun = stopwatch_seconds();
    run->summary.init_seconds = begun - started;
    enum starling_error error =
        run->nodes ? live_virtually(run, world, problem) : problem_no_memory(problem, "the nodes");
    double wall = stopwatch_seconds() - begun;
    if (!error)
        error = test_nodes(run, world, problem);
    if (!error)
        error = overlay_world(world, run->nodes_count, run->summary.seed, run->nodes,
                              &run->summary.overlay, problem);
    if (!error && run->experiment->settings.personal > 0 && run->summary.complete)
        error = personalise(run, world, problem);
    if (!error)
        summarise_world(run, world, wall);
    world_free(&world);
    return error;
}

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
    run->results =
        results_open(out, config, run->options->force, run->options->interrupted, problem);
    if (!run->results)
        return *run->options->interrupted ? STARLING_OK : STARLING_FAILED;
    if (run->options->watch) {
        results_watch(run->results, &run->summary);
        if (!run->options->quiet)
            fprintf(stderr, "open %s/report.html: it follows the run\n", out);
    }
    return STARLING_OK;
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
    }
    results_close(&run.results);
    pool_free(&run.pool);
    experiment_free(&run.experiment);
    free(run.nodes);
    return error;
}
