#include "sim/fedavg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/message.h"
#include "model/vector.h"
#include "sim/measure.h"

#define GROUP_BYTES_MAX (64ull << 20) /* of clients' models side by side */
#define GROUP_MAX 4096u

struct fedavg {
    const struct baseline *baseline;
    const struct experiment *experiment;
    struct training training;
    uint64_t round;            /* 1 and up */
    size_t parameters, stride; /* floats of a model, and from one to the next */
    size_t nodes, clients, group;
    uint32_t *order;     /* the nodes: the first `clients` take part in this round */
    size_t first;        /* client of this group */
    float *global, *sum; /* the server's model, and the next one in the making */
    float *models;       /* group × stride: the clients' */
    size_t *samples;     /* group: trained on; 0: not finite, left out */
    bool *failed;        /* group: no memory */
};

size_t fedavg_clients(const struct experiment *experiment)
{
    double clients = experiment->config.sim.fedavg_clients * (double)experiment->partition->nodes;
    return clients < 1 ? 1 : (size_t)(clients + 0.5);
}

static struct examples examples_of(const struct fedavg *fedavg, size_t node)
{
    const struct training *training = &fedavg->training;
    return (struct examples){&fedavg->experiment->data->train,
                             training->rows + training->start[node],
                             training->start[node + 1] - training->start[node], NULL};
}

/* One client's update, in its place of the group. */
static void run_client(void *self, size_t number, struct workspace *workspace)
{
    struct fedavg *fedavg = self;
    const struct participant_settings *settings = &fedavg->experiment->settings;
    size_t node = fedavg->order[fedavg->first + number];
    float *model = fedavg->models + number * fedavg->stride;
    struct optimizer_state state;
    const struct examples examples = examples_of(fedavg, node);
    memcpy(model, fedavg->global, fedavg->parameters * sizeof *model);
    fedavg->samples[number] = 0;
    fedavg->failed[number] =
        !workspace_reset(workspace,
                         learner_workspace(settings->model, &settings->learn, examples.count)) ||
        !optimizer_begin(&state, settings->learn.optimizer, settings->learn.momentum,
                         fedavg->parameters);
    if (fedavg->failed[number])
        return;
    struct random random =
        random_stream(settings->seed, (uint32_t)node, RANDOM_BATCH, fedavg->round - 1);
    struct pass_report report;
    double passes = (double)(fedavg->round - 1) * (double)fedavg->clients / (double)fedavg->nodes;
    double time = learner_time(&settings->learn, (double)(fedavg->round - 1), passes);
    learner_pass(settings->model, &settings->learn, &examples, time, random, model, &state,
                 workspace, &report);
    optimizer_end(&state);
    if (vector_finite(model, fedavg->parameters))
        fedavg->samples[number] = report.samples;
}

/* The clients of this round come first in the order. */
static void choose(struct fedavg *fedavg)
{
    if (fedavg->clients == fedavg->nodes)
        return;
    struct random random =
        random_stream(fedavg->experiment->settings.seed, 0, RANDOM_FEDAVG, fedavg->round);
    for (size_t i = 0; i < fedavg->clients; i++) {
        size_t other = i + random_below(&random, (uint32_t)(fedavg->nodes - i));
        uint32_t node = fedavg->order[i];
        fedavg->order[i] = fedavg->order[other];
        fedavg->order[other] = node;
    }
}

/* Runs one group of clients and adds what they learned to the sum, in order. */
static enum starling_error run_group(struct fedavg *fedavg, double *weight,
                                     struct fedavg_outcome *outcome, struct problem *problem)
{
    size_t count = fedavg->clients - fedavg->first;
    count = count < fedavg->group ? count : fedavg->group;
    pool_run(fedavg->baseline->pool, run_client, fedavg, count, fedavg->parameters < 4096 ? 16 : 1);
    for (size_t i = 0; i < count; i++) {
        if (fedavg->failed[i])
            return problem_no_memory(problem, "a client's pass");
        if (fedavg->samples[i] == 0)
            continue;
        size_t examples = examples_of(fedavg, fedavg->order[fedavg->first + i]).count;
        vector_add_scaled(fedavg->sum, fedavg->models + i * fedavg->stride, (float)examples,
                          fedavg->parameters);
        *weight += (double)examples;
        outcome->samples += fedavg->samples[i];
    }
    fedavg->first += count;
    return STARLING_OK;
}

/* What a model takes on the wire, as post_bytes has it for gossip. */
static size_t wire_bytes(const struct fedavg *fedavg)
{
    const struct gossip_message message = {
        .kind = MESSAGE_MODEL,
        .model = {.piece = piece_whole(fedavg->parameters),
                  .age = (double)(fedavg->round - 1),
                  .sequence = fedavg->round},
    };
    return message_wire_bytes(&message, message_encode(&message, NULL, NULL));
}

static enum starling_error run_round(struct fedavg *fedavg, struct fedavg_outcome *outcome,
                                     struct problem *problem)
{
    double weight = 0;
    choose(fedavg);
    memset(fedavg->sum, 0, fedavg->parameters * sizeof *fedavg->sum);
    for (fedavg->first = 0; fedavg->first < fedavg->clients;)
        if (run_group(fedavg, &weight, outcome, problem))
            return problem->error;
    if (weight > 0) {
        vector_scale(fedavg->sum, (float)(1 / weight), fedavg->parameters);
        float *global = fedavg->global;
        fedavg->global = fedavg->sum;
        fedavg->sum = global;
    }
    outcome->rounds = fedavg->round;
    outcome->messages += 2 * fedavg->clients;
    outcome->bytes += 2 * fedavg->clients * wire_bytes(fedavg);
    return STARLING_OK;
}

static struct measured test(const struct fedavg *fedavg, size_t examples)
{
    struct version version = {.made = true, .values = fedavg->global};
    const struct version *model = &version;
    struct measured measured;
    measure(fedavg->experiment, fedavg->baseline->pool, &model, NULL, 1, examples, &measured);
    return measured;
}

/* A point of the curve, when this round has brought another sim.eval_every passes a node. */
static enum starling_error mark(const struct fedavg *fedavg, bool last,
                                const struct fedavg_outcome *outcome, struct problem *problem)
{
    const struct config *config = &fedavg->experiment->config;
    double every = (double)config->sim.eval_every * (double)fedavg->nodes;
    double passes = (double)fedavg->round * (double)fedavg->clients;
    bool due = floor(passes / every) > floor((passes - (double)fedavg->clients) / every);
    if (!fedavg->baseline->results || (!due && !last))
        return STARLING_OK;
    struct measured measured = test(fedavg, config->sim.eval_examples);
    const struct baseline_row row = {.baseline = "fedavg",
                                     .round = fedavg->round,
                                     .samples = outcome->samples,
                                     .messages = outcome->messages,
                                     .bytes = outcome->bytes,
                                     .accuracy = measured.accuracy,
                                     .loss = measured.loss};
    return results_baseline(fedavg->baseline->results, &row, problem);
}

/* So many clients' models side by side that the threads have work and memory stays small; what
 * comes out does not depend on it. */
static size_t group_of(const struct fedavg *fedavg)
{
    size_t group = GROUP_BYTES_MAX / (fedavg->stride * sizeof(float));
    size_t least = fedavg->experiment->config.sim.threads;
    group = group < GROUP_MAX ? group : GROUP_MAX;
    group = group > least ? group : least;
    return group < fedavg->clients ? group : fedavg->clients;
}

static enum starling_error begin(struct fedavg *fedavg, const struct baseline *baseline,
                                 struct problem *problem)
{
    const struct experiment *experiment = baseline->experiment;
    *fedavg = (struct fedavg){
        .baseline = baseline,
        .experiment = experiment,
        .parameters = model_parameters(experiment->model),
        .nodes = experiment->partition->nodes,
        .clients = fedavg_clients(experiment),
    };
    fedavg->stride = (fedavg->parameters + 15) / 16 * 16; /* a cache line each */
    fedavg->group = group_of(fedavg);
    if (training_gather(experiment, &fedavg->training, problem))
        return problem->error;
    size_t floats = fedavg->group * fedavg->stride;
    fedavg->order = malloc(fedavg->nodes * sizeof *fedavg->order);
    fedavg->global = vector_new(fedavg->parameters);
    fedavg->sum = vector_new(fedavg->parameters);
    fedavg->models = vector_new(floats);
    fedavg->samples = calloc(fedavg->group, sizeof *fedavg->samples);
    fedavg->failed = calloc(fedavg->group, sizeof *fedavg->failed);
    struct version *initial = experiment_initial(experiment);
    if (!fedavg->order || !fedavg->global || !fedavg->sum || !fedavg->models || !fedavg->samples ||
        !fedavg->failed || !initial) {
        version_release(&initial);
        return problem_no_memory(problem, "the baseline");
    }
    for (size_t i = 0; i < fedavg->nodes; i++)
        fedavg->order[i] = (uint32_t)i;
    memcpy(fedavg->global, initial->values, fedavg->parameters * sizeof *fedavg->global);
    version_release(&initial);
    return STARLING_OK;
}

static void end(struct fedavg *fedavg)
{
    training_free(&fedavg->training);
    free(fedavg->order);
    vector_free(fedavg->global);
    vector_free(fedavg->sum);
    vector_free(fedavg->models);
    free(fedavg->samples);
    free(fedavg->failed);
}

uint64_t fedavg_rounds(const struct experiment *experiment, uint64_t passes)
{
    size_t clients = fedavg_clients(experiment);
    uint64_t rounds = (passes + clients / 2) / clients;
    return rounds > 0 ? rounds : 1;
}

bool fedavg_run(const struct baseline *baseline, uint64_t passes, struct fedavg_outcome *outcome,
                struct problem *problem)
{
    struct fedavg fedavg;
    uint64_t rounds = fedavg_rounds(baseline->experiment, passes);
    problem->error = STARLING_OK;
    *outcome = (struct fedavg_outcome){.accuracy = NAN, .loss = NAN};
    enum starling_error error = begin(&fedavg, baseline, problem);
    while (!error && fedavg.round < rounds && !*baseline->interrupted) {
        fedavg.round++;
        error = run_round(&fedavg, outcome, problem);
        if (!error)
            error = mark(&fedavg, fedavg.round == rounds, outcome, problem);
        progress_show(baseline->progress, fedavg.round, NULL);
    }
    if (!error && outcome->rounds == rounds) {
        struct measured measured = test(&fedavg, baseline->experiment->test_count);
        outcome->accuracy = measured.accuracy;
        outcome->loss = measured.loss;
    }
    end(&fedavg);
    return !*baseline->interrupted;
}
