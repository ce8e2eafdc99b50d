#include "sim/run_inside.h"

#include <math.h>
#include <stdlib.h>

#include "sim/checkpoint.h"
#include "sim/measure.h"
#include "sim/overlay_world.h"
#include "sim/pace.h"
#include "sim/personal.h"
#include "sim/stopwatch.h"

#define WORTH_S 10.0 /* lived since the last checkpoint: one is written before what follows */
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

/* The first `most` of the `nodes` in `order` that are there: their models (the caller's references,
 * *count of them also after an error), their scalings and, unless NULL, the sum of their ages. */
static enum starling_error gather_models(const struct world *world, size_t nodes,
                                         const uint32_t *order, size_t most,
                                         struct version **models, const float **scalings,
                                         size_t *count, double *age, struct problem *problem)
{
    *count = 0;
    for (size_t i = 0; i < nodes && *count < most; i++) {
        uint32_t node = order[i];
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
    uint32_t order[TESTED_TOGETHER];
    size_t there, tested = 0;
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)(first + i);
    enum starling_error error =
        gather_models(world, count, order, count, models, scalings, &there, NULL, problem);
    if (!error)
        measure(run->experiment, run->pool, (const struct version *const *)models, scalings, there,
                examples, measured);
    for (size_t node = first; node < first + count && !error; node++)
        if (world_is_online(world, node)) {
            run->nodes[node].accuracy = measured[tested].accuracy;
            run->nodes[node].loss = measured[tested++].loss;
        }
    for (size_t i = 0; i < there; i++)
        version_release(&models[i]);
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

/* Writes down how far the run has come. That it cannot be is told, and the run goes on: what was
 * written before is still there. */
static void write_down(struct run *run, struct world *world)
{
    struct checkpoint checkpoint = {.rounds = run->summary.rounds,
                                    .wall_seconds =
                                        run->wall_before + stopwatch_seconds() - run->begun_s,
                                    .eval_seconds = run->summary.eval_seconds};
    struct problem trouble = {0};
    checkpoint.rows = results_rows(run->results, &checkpoint.row_count);
    if (checkpoint_save(results_dir(run->results), &checkpoint, run->experiment, world, &trouble))
        progress_note(&run->progress, "%s: the run goes on without a checkpoint of round %llu",
                      trouble.text, (unsigned long long)run->summary.rounds);
    else
        results_keep(run->results);
    run->written_s = stopwatch_seconds();
}

/* Whether it is time to: so long after the last one, unless it is never. */
static bool is_due(const struct run *run, double after_s)
{
    return run->experiment->config.sim.checkpoint_us > 0 &&
           stopwatch_seconds() - run->written_s >= after_s;
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
    uint64_t rounds = config->sim.rounds + config->sim.final, reached;
    progress_begin(&run->progress, "round", rounds, run->options->quiet);
    run->progress.first = run->summary.rounds;
    for (uint64_t round = run->summary.rounds + 1; round <= rounds && !error; round++) {
        if (round == config->sim.rounds + 1)
            world_conclude(world); /* once more where it was interrupted in this round: no change */
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
        if (!error && round < rounds && is_due(run, (double)config->sim.checkpoint_us * 1e-6))
            write_down(run, world);
    }
    progress_end(&run->progress);
    run->summary.complete = run->summary.rounds == rounds;
    if (!error && !run->summary.complete)
        progress_note(&run->progress, "interrupted: what there is is tested and written; once more "
                                      "ends at once");
    if (!error && is_due(run, run->summary.complete ? WORTH_S : 0) &&
        (!run->summary.complete || config->sim.baseline[0]))
        write_down(run, world);
    free(order);
    return error;
}

/* A new world, or the one that was written down. */
static struct world *begin_world(struct run *run, struct problem *problem)
{
    struct world *world = world_new(run->experiment, run->pool, problem);
    if (!world || !run->options->resume)
        return world;
    struct checkpoint checkpoint;
    enum starling_error error =
        checkpoint_load(run->options->resume, &checkpoint, run->experiment, world, problem);
    if (!error)
        error = results_go_on(run->results, checkpoint.rows, checkpoint.row_count, problem);
    free(checkpoint.rows);
    run->summary.rounds = checkpoint.rounds;
    run->summary.eval_seconds = checkpoint.eval_seconds;
    run->wall_before = checkpoint.wall_seconds;
    if (error)
        world_free(&world);
    return world;
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

enum starling_error run_virtual(struct run *run, double started, struct problem *problem)
{
    progress_begin(&run->progress, "round", 0, run->options->quiet);
    progress_say(&run->progress, "making the nodes ready");
    struct world *world = begin_world(run, problem);
    progress_clear(&run->progress);
    if (!world)
        return problem ? problem->error : STARLING_FAILED;
    run->nodes_count = run->experiment->config.sim.nodes;
    run->nodes = calloc(run->nodes_count, sizeof *run->nodes);
    run->begun_s = run->written_s = stopwatch_seconds();
    run->summary.init_seconds = run->begun_s - started;
    enum starling_error error =
        run->nodes ? live_virtually(run, world, problem) : problem_no_memory(problem, "the nodes");
    double wall = run->wall_before + stopwatch_seconds() - run->begun_s;
    bool over = run->summary.complete;
    if (!error)
        error = test_nodes(run, world, problem);
    if (!error)
        error = overlay_world(world, run->nodes_count, run->summary.seed, run->nodes,
                              &run->summary.overlay, problem);
    if (!error && run->experiment->settings.personal > 0 && run->summary.complete)
        error = personalise(run, world, problem);
    if (!error && over && !run->summary.complete && is_due(run, 0))
        write_down(run, world); /* nothing else is lost */
    if (!error)
        summarise_world(run, world, wall);
    world_free(&world);
    return error;
}
