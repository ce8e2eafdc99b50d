#include "sim/live.h"

#include <math.h>
#include <stdlib.h>

#include "model/vector.h"
#include "sim/live_swarm.h"
#include "sim/measure.h"
#include "sim/stopwatch.h"

#define TURN_S 0.05 /* between looks at nodes, progress and Ctrl-C while they learn */
#define REASON_S 0.5

struct live {
    const struct experiment *experiment;
    const struct live_options *options;
    struct results *results;
    struct progress *progress;
    struct summary *summary;
    struct pool *pool;
    struct live_swarm swarm;
    size_t count;
    uint32_t *order;  /* all nodes in a random order that the seed fixes, the same as `run` has: */
    size_t evaluated; /* the first so many are tested every time */
    double period_s, started_s;
    struct round_row latest;
    bool any;                  /* evaluation yet */
    bool interrupted;          /* stays so for the whole run, once seen */
    struct version **readouts; /* by node, once gathered */
    struct node_row *rows;
};

static bool was_interrupted(struct live *live)
{
    live->interrupted |= live_swarm_interrupted(&live->swarm);
    return live->interrupted;
}

static json_t *ask_status(const struct live *live, size_t number, struct problem *problem)
{
    return live_node_ask(&live->swarm.nodes[number], json_pack("{s:s}", "command", "status"), NULL,
                         NULL, problem);
}

/* The number at "outer" or "outer.inner"; 0 where an answer has none. */
static double figure(const json_t *answer, const char *outer, const char *inner)
{
    const json_t *value = json_object_get(answer, outer);
    return json_number_value(inner ? json_object_get(value, inner) : value);
}

/* A node's served model and its age; NULL and a problem when it cannot be had. */
static struct version *fetch_readout(const struct live *live, size_t number, double *age,
                                     struct problem *problem)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    struct piece whole = piece_whole(model_parameters(live->experiment->model));
    json_t *answer =
        live_node_ask(&live->swarm.nodes[number], json_pack("{s:s}", "command", "readout"), &bytes,
                      &size, problem);
    if (!answer)
        return NULL;
    *age = figure(answer, "age", NULL);
    json_decref(answer);
    float *values = vector_new(whole.count);
    struct version *version = NULL;
    if (!values)
        problem_no_memory(problem, "a read-out");
    else if (!bytes || !piece_decode(&whole, bytes, size, values))
        problem_set(problem, STARLING_FAILED,
                    "node %zu: its read-out has %zu bytes or is not finite, %u floats were "
                    "expected: lower learn.rate, or see that starling-node is of this version",
                    number, size, whole.count);
    else
        version = version_of(values);
    if (!version)
        vector_free(values);
    free(bytes);
    return version;
}

/* Tests models and appends what comes out to rounds.csv. */
static enum starling_error write_row(struct live *live, uint64_t round, double time_s,
                                     const struct version *const *models, size_t count,
                                     double age_sum, uint64_t messages, uint64_t bytes,
                                     struct problem *problem)
{
    live->latest = (struct round_row){
        .round = round,
        .time_s = time_s,
        .online = live->count,
        .age_mean = age_sum / (double)count,
        .messages = messages,
        .bytes = bytes,
    };
    enum starling_error error =
        measure_round(live->experiment, live->pool, models, NULL, count, &live->latest, problem);
    if (error != STARLING_OK)
        return error;
    live->any = true;
    return results_round(live->results, &live->latest, problem);
}

static enum starling_error traffic_so_far(const struct live *live, uint64_t *messages,
                                          uint64_t *bytes, struct problem *problem)
{
    *messages = *bytes = 0;
    for (size_t i = 0; i < live->count; i++) {
        json_t *status = ask_status(live, i, problem);
        if (!status)
            return STARLING_FAILED;
        *messages += (uint64_t)figure(status, "messages", "out");
        *bytes += (uint64_t)figure(status, "bytes", "out");
        json_decref(status);
    }
    return STARLING_OK;
}

/* One evaluation while they learn. */
static enum starling_error evaluate_nodes(struct live *live, uint64_t round,
                                          struct problem *problem)
{
    double before = stopwatch_seconds(), age_sum = 0, age = 0;
    uint64_t messages, bytes;
    struct version **models = calloc(live->evaluated, sizeof *models);
    enum starling_error error = models ? STARLING_OK : problem_no_memory(problem, "an evaluation");
    for (size_t i = 0; i < live->evaluated && error == STARLING_OK; i++) {
        models[i] = fetch_readout(live, live->order[i], &age, problem);
        error = models[i] ? STARLING_OK : STARLING_FAILED;
        age_sum += age;
    }
    if (error == STARLING_OK)
        error = traffic_so_far(live, &messages, &bytes, problem);
    if (error == STARLING_OK)
        error = write_row(live, round, stopwatch_seconds() - live->started_s,
                          (const struct version *const *)models, live->evaluated, age_sum, messages,
                          bytes, problem);
    for (size_t i = 0; models && i < live->evaluated; i++)
        version_release(&models[i]);
    free(models);
    live->summary->eval_seconds += stopwatch_seconds() - before;
    return error;
}

/* Lets them learn until a moment after the start signal. */
static enum starling_error learn_until(struct live *live, double moment_s, struct problem *problem)
{
    for (;;) {
        double now = stopwatch_seconds() - live->started_s;
        if (was_interrupted(live) || now >= moment_s)
            return STARLING_OK;
        enum starling_error error = live_swarm_check(&live->swarm, problem);
        if (error != STARLING_OK)
            return error;
        progress_show(live->progress, (uint64_t)(now / live->period_s),
                      live->any ? &live->latest : NULL);
        live_rest(fmin(TURN_S, moment_s - now));
    }
}

/* Round by round to the end; the last evaluation is left to finish. Where an evaluation outlasts a
 * round, those that it missed are left out: nobody waits for it. */
static enum starling_error learn(struct live *live, struct problem *problem)
{
    const struct config *config = &live->experiment->config;
    /* Anew, so that speed and time left are those of learning. */
    progress_begin(live->progress, "round", config->sim.rounds + config->sim.final,
                   live->options->quiet);
    live->started_s = stopwatch_seconds();
    enum starling_error error = live_swarm_start(&live->swarm, problem);
    for (uint64_t round = 1; round <= config->sim.rounds && error == STARLING_OK; round++) {
        error = learn_until(live, (double)round * live->period_s, problem);
        if (error != STARLING_OK || live->interrupted)
            break;
        live->summary->rounds = round;
        bool late = stopwatch_seconds() - live->started_s >= (double)(round + 1) * live->period_s;
        bool more = round < config->sim.rounds || config->sim.final > 0;
        if (more && round % config->sim.eval_every == 0 && !late)
            error = evaluate_nodes(live, round, problem);
    }
    live->summary->complete = live->summary->rounds == config->sim.rounds;
    return error;
}

/* The final phase, where there is one: its rounds are not tested but for the last. */
static enum starling_error conclude(struct live *live, struct problem *problem)
{
    const struct config *config = &live->experiment->config;
    if (config->sim.final == 0 || !live->summary->complete)
        return STARLING_OK;
    enum starling_error error = live_swarm_conclude(&live->swarm, config->sim.final, problem);
    double begun = stopwatch_seconds() - live->started_s;
    for (uint64_t round = 1; round <= config->sim.final && !error; round++) {
        error = learn_until(live, begun + (double)round * live->period_s, problem);
        if (error || live->interrupted)
            break;
        live->summary->rounds++;
    }
    if (!error && !live->interrupted)
        error = live_swarm_await_end(&live->swarm, problem);
    live->summary->complete = !was_interrupted(live);
    return error;
}

static void add_status(struct live *live, size_t number, const json_t *status)
{
    struct summary *summary = live->summary;
    struct node_row *row = &live->rows[number];
    row->messages_in = (uint64_t)figure(status, "messages", "in");
    row->messages_out = (uint64_t)figure(status, "messages", "out");
    row->bytes_in = (uint64_t)figure(status, "bytes", "in");
    row->bytes_out = (uint64_t)figure(status, "bytes", "out");
    if (json_is_number(json_object_get(status, "accuracy_personal"))) {
        row->own.tested = (row->examples - (uint64_t)figure(status, "examples", NULL)) / 2;
        row->own.shared = figure(status, "accuracy", NULL);
        row->own.personal = figure(status, "accuracy_personal", NULL);
    }
    summary->messages += row->messages_out;
    summary->bytes += row->bytes_out;
    summary->rejected += (uint64_t)figure(status, "messages", "rejected");
    summary->passes += (uint64_t)figure(status, "passes", NULL);
    summary->samples_trained += (uint64_t)figure(status, "samples", NULL);
    summary->updates += (uint64_t)figure(status, "merged", NULL);
}

/* Everything that only a running node can tell: all read-outs first, since they still learn. */
static enum starling_error gather(struct live *live, struct problem *problem)
{
    double memory = 0;
    live->readouts = calloc(live->count, sizeof *live->readouts);
    if (!live->readouts)
        return problem_no_memory(problem, "the read-outs");
    for (size_t i = 0; i < live->count; i++) {
        live->readouts[i] = fetch_readout(live, i, &live->rows[i].age, problem);
        if (!live->readouts[i])
            return STARLING_FAILED;
    }
    live->summary->wall_seconds = stopwatch_seconds() - live->started_s;
    for (size_t i = 0; i < live->count; i++) {
        json_t *status = ask_status(live, i, problem);
        if (!status)
            return STARLING_FAILED;
        add_status(live, i, status);
        json_decref(status);
        memory += live_node_memory(&live->swarm.nodes[i]);
    }
    live->summary->bytes_per_node = memory / (double)live->count;
    return STARLING_OK;
}

/* The last row of rounds.csv, of the nodes that every row is of. */
static enum starling_error finish_rounds(struct live *live, struct problem *problem)
{
    const struct version **models = malloc(live->evaluated * sizeof *models);
    double age_sum = 0;
    if (!models)
        return problem_no_memory(problem, "an evaluation");
    for (size_t i = 0; i < live->evaluated; i++) {
        models[i] = live->readouts[live->order[i]];
        age_sum += live->rows[live->order[i]].age;
    }
    enum starling_error error =
        write_row(live, live->summary->rounds, live->summary->wall_seconds, models, live->evaluated,
                  age_sum, live->summary->messages, live->summary->bytes, problem);
    free(models);
    progress_show(live->progress, live->summary->rounds, &live->latest);
    return error;
}

/* All nodes on the whole test set, or on a part of it when somebody is waiting for the prompt. */
static enum starling_error test_nodes(struct live *live, struct problem *problem)
{
    struct measured *measured = malloc(live->count * sizeof *measured);
    double *accuracy = malloc(live->count * sizeof *accuracy), loss = 0;
    enum starling_error error = STARLING_OK;
    if (!measured || !accuracy) {
        error = problem_no_memory(problem, "the last evaluation");
    } else {
        measure(live->experiment, live->pool, (const struct version *const *)live->readouts, NULL,
                live->count,
                live->interrupted ? live->experiment->config.sim.eval_examples
                                  : live->experiment->test_count,
                measured);
        for (size_t i = 0; i < live->count; i++) {
            accuracy[i] = live->rows[i].accuracy = measured[i].accuracy;
            loss += live->rows[i].loss = measured[i].loss;
        }
        live->summary->accuracy = spread_of(accuracy, live->count);
        live->summary->loss = loss / (double)live->count;
    }
    free(measured);
    free(accuracy);
    return error;
}

static enum starling_error begin(struct live *live, struct problem *problem)
{
    const struct config *config = &live->experiment->config;
    live->rows = calloc(live->count, sizeof *live->rows);
    live->order = calloc(live->count, sizeof *live->order);
    live->pool = pool_new(config->sim.threads);
    if (!live->rows || !live->order || !live->pool)
        return problem_no_memory(problem, "the nodes");
    for (size_t i = 0; i < live->count; i++) {
        live->order[i] = (uint32_t)i;
        live->rows[i] = node_row_empty(i);
        size_t count;
        partition_rows(live->experiment->partition, i, &count);
        live->rows[i].examples = count;
    }
    struct random random = random_stream(config->sim.seed, 0, RANDOM_EVALUATE, 1);
    random_permute(&random, live->order, live->count);
    struct summary *summary = live->summary;
    summary->complete = false;
    summary->accuracy = spread_of(NULL, 0);
    summary->loss = summary->bytes_per_node = summary->train_seconds = NAN;
    return STARLING_OK;
}

static void end(struct live *live)
{
    live_swarm_clear(&live->swarm);
    progress_end(live->progress);
    for (size_t i = 0; live->readouts && i < live->count; i++)
        version_release(&live->readouts[i]);
    free(live->readouts);
    pool_free(&live->pool);
    free(live->order);
}

/* From nothing to a swarm in which all have met. */
static enum starling_error bring_up(struct live *live, struct problem *problem)
{
    char *program = live_node_program(live->options->node_program, problem);
    if (!program)
        return STARLING_FAILED;
    enum starling_error error = live_swarm_make(&live->swarm, live->experiment, live->options->dir,
                                                live->options->interrupted, problem);
    double before = stopwatch_seconds();
    if (error == STARLING_OK)
        error = live_swarm_bring_up(&live->swarm, program, problem);
    free(program);
    if (error != STARLING_OK || was_interrupted(live))
        return error;
    double took = stopwatch_seconds() - before;
    if (live->count == 1)
        progress_note(live->progress, "1 node up after %.1f s; it learns alone", took);
    else
        progress_note(live->progress,
                      "%zu nodes up, every connection CURVE, HELLO from all after %.1f s",
                      live->count, took);
    return STARLING_OK;
}

/* A node that ends is first noticed by its silence; how it ended is known a moment later, and is
 * the better reason. */
static void find_reason(struct live *live, struct problem *problem)
{
    double deadline = stopwatch_seconds() + REASON_S;
    while (live_swarm_check(&live->swarm, problem) == STARLING_OK && stopwatch_seconds() < deadline)
        live_rest(TURN_S / 10);
}

/* From nothing to tested read-outs. An interruption before the start leaves nothing to test. */
static enum starling_error run(struct live *live, struct problem *problem)
{
    double before = stopwatch_seconds();
    enum starling_error error = begin(live, problem);
    if (error == STARLING_OK)
        error = bring_up(live, problem);
    live->summary->init_seconds += stopwatch_seconds() - before;
    if (error != STARLING_OK || live->interrupted)
        return error;
    error = learn(live, problem);
    if (error == STARLING_OK)
        error = conclude(live, problem);
    if (error == STARLING_OK)
        error = gather(live, problem);
    if (error != STARLING_OK) {
        find_reason(live, problem);
        return error;
    }
    live_swarm_end(&live->swarm);
    before = stopwatch_seconds();
    if (live->summary->complete)
        error = finish_rounds(live, problem);
    if (error == STARLING_OK)
        error = test_nodes(live, problem);
    live->summary->eval_seconds += stopwatch_seconds() - before;
    return error;
}

enum starling_error live_run(const struct experiment *experiment,
                             const struct live_options *options, struct results *results,
                             struct progress *progress, struct summary *summary,
                             struct node_row **nodes, struct problem *problem)
{
    const struct config *config = &experiment->config;
    *nodes = NULL;
    struct live live = {
        .experiment = experiment,
        .options = options,
        .results = results,
        .progress = progress,
        .summary = summary,
        .count = config->sim.nodes,
        .evaluated =
            config->sim.eval_nodes < config->sim.nodes ? config->sim.eval_nodes : config->sim.nodes,
        .period_s = 1e-6 * (double)config->gossip.period_us,
    };
    progress_begin(progress, "round", config->sim.rounds, options->quiet);
    enum starling_error error = run(&live, problem);
    end(&live);
    if (error == STARLING_OK)
        *nodes = live.rows;
    else
        free(live.rows);
    return error;
}
