#include "sim/experiment.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/nearest.h"
#include "model/random.h"
#include "model/vector.h"
#include "node/config_units.h"
#include "node/settings.h"
#include "node/task.h"

#define PERIOD_VIRTUAL_US 10000000u
#define PERIOD_LIVE_US 500000u
#define WRITERS_EXAMPLES_MAX 60000u /* of all writers together, when nobody says how many */

/* A name for the results where the experiment has none: what the data and the model are. */
static void make_name(const struct config *config, char *name, size_t size)
{
    if (config->task.name[0]) {
        snprintf(name, size, "%.*s", (int)size - 1, config->task.name);
    } else {
        const char *data = config->task.data;
        const char *colon = strchr(data, ':');
        const char *rest = colon ? colon + 1 : data;
        size_t length = strcspn(rest, "?");
        while (length > 0 && rest[length - 1] == '/')
            length--;
        const char *base = rest + length;
        while (base > rest && base[-1] != '/')
            base--;
        size_t shown = (size_t)(rest + length - base);
        snprintf(name, size, "%.*s-%.90s", (int)(shown < 60 ? shown : 60), base,
                 config->task.model);
    }
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            *c = '-';
}

struct data *experiment_data(const struct config *config, struct problem *problem)
{
    size_t writers = config->sim.nodes;
    size_t each = WRITERS_EXAMPLES_MAX / writers;
    each = each < HOLDOUT_LEAST ? HOLDOUT_LEAST : each > 600 ? 600 : each;
    struct data_hints hints = {
        .seed = config->sim.seed,
        .writers = writers,
        .examples_per_writer = config->sim.samples ? config->sim.samples : each,
        .scale = config->task.scale,
        .agree = config->task.agree == AGREE_ON,
    };
    return data_open(config->task.data, &hints, problem);
}

/* All failures, as in Ormándi, Hegedűs, Jelasity 2013 (arXiv 1109.1396), section 5. */
static void apply_preset(struct config *config)
{
    char least[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];
    if (config->sim.preset != PRESET_AF)
        return;
    units_write(duration_units, config->gossip.period_us, least);
    units_write(duration_units, 10 * config->gossip.period_us, most);
    if (!config_given(config, "sim.drop"))
        config->sim.drop = 0.5;
    if (!config_given(config, "sim.latency"))
        snprintf(config->sim.latency, sizeof config->sim.latency, "uniform:%s-%s", least, most);
    if (!config_given(config, "sim.churn"))
        snprintf(config->sim.churn, sizeof config->sim.churn, "lognormal:0,1,0.9");
}

/* Fills in what a config leaves to be chosen, and turns it into settings. */
static void resolve(struct experiment *experiment, uint64_t period_default_us)
{
    struct config *config = &experiment->config;
    const struct model *model = experiment->model;
    if (config->learn.schedule == SCHEDULE_COSINE && config->learn.horizon == CONFIG_AUTO)
        config->learn.horizon = (double)config->sim.rounds;
    if (!config_given(config, "gossip.period"))
        config->gossip.period_us = period_default_us;
    apply_preset(config);
    if (config->sim.threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        config->sim.threads = cores > 0 ? (uint64_t)cores : 1;
    }
    make_name(config, experiment->name, sizeof experiment->name);
    snprintf(config->task.name, sizeof config->task.name, "%s", experiment->name);
    snprintf(experiment->task_name, sizeof experiment->task_name, "%s-%llu", experiment->name,
             (unsigned long long)config->sim.seed);
    uint8_t task[TASK_ID_BYTES];
    task_id(experiment->task_name, model, experiment->data, task);
    settings_make(config, model, task, config->sim.seed, &experiment->settings);
    config->learn.schedule = experiment->settings.learn.schedule;
    if (config->learn.schedule != SCHEDULE_PEGASOS)
        config->learn.rate = experiment->settings.learn.rate;
    config->learn.momentum = experiment->settings.learn.momentum;
    config->gossip.fragments = experiment->settings.gossip.fragments;
    experiment->settings.agree = config->task.agree == AGREE_ON &&
                                 dataset_standardises(&experiment->data->train, config->task.scale);
}

/* The examples everyone is tested on: the data's test set, or else what the nodes hold out. */
static enum starling_error choose_test(struct experiment *experiment, struct problem *problem)
{
    const struct dataset *train = &experiment->data->train, *test = &experiment->data->test;
    bool own = test->examples > 0;
    size_t most = own ? test->examples : train->examples;
    uint32_t *rows = malloc(2 * most * sizeof *rows);
    if (!rows)
        return problem_no_memory(problem, "the test examples");
    experiment->test = own ? test : train;
    experiment->test_rows = rows;
    for (size_t i = 0; own && i < most; i++)
        rows[i] = (uint32_t)i;
    experiment->test_count = own ? most : 0;
    for (size_t node = 0; !own && node < experiment->partition->nodes; node++) {
        size_t count;
        const uint32_t *mine = partition_rows(experiment->partition, node, &count);
        experiment->test_count += participant_hold_out(
            train, mine, count, experiment->settings.holdout, experiment->settings.fold,
            rows + most, rows + experiment->test_count);
    }
    if (experiment->test_count == 0)
        return problem_set(problem, STARLING_INVALID,
                           "task.data: %s has no test examples and its nodes hold none out: add "
                           "?test=FILE or raise learn.holdout",
                           experiment->config.task.data);
    struct random random = random_stream(experiment->config.sim.seed, 0, RANDOM_EVALUATE, 0);
    random_permute(&random, rows, experiment->test_count);
    return STARLING_OK;
}

/* Whether a personal model can be chosen, and told of, at any node. */
static enum starling_error check_personal(const struct experiment *experiment,
                                          struct problem *problem)
{
    const struct dataset *train = &experiment->data->train;
    const struct participant_settings *settings = &experiment->settings;
    size_t most = 0;
    if (settings->personal == 0)
        return STARLING_OK;
    uint32_t *rows = malloc(2 * train->examples * sizeof *rows);
    if (!rows)
        return problem_no_memory(problem, "the hold-outs");
    for (size_t node = 0; node < experiment->partition->nodes && most < PERSONAL_LEAST; node++) {
        size_t count;
        const uint32_t *mine = partition_rows(experiment->partition, node, &count);
        size_t held = participant_hold_out(train, mine, count, settings->holdout, settings->fold,
                                           rows, rows + train->examples);
        most = held > most ? held : most;
    }
    free(rows);
    if (most >= PERSONAL_LEAST)
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "learn.personal: no node holds more than %zu examples out, too few to "
                       "choose by and to report on: raise learn.holdout, or leave it out",
                       most);
}

/* sim.baseline is a list of these. */
static enum starling_error check_baseline(const char *list, struct problem *problem)
{
    static const char *const names[] = {"local", "central", "fedavg"};
    size_t known = sizeof names / sizeof *names;
    char word[32];
    while (*(list += strspn(list, ", \t"))) {
        size_t length = strcspn(list, ", \t");
        snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), list);
        list += length;
        size_t same = 0;
        while (same < known && strcmp(word, names[same]) != 0)
            same++;
        if (same < known)
            continue;
        const char *near = nearest_word(word, names, known);
        return problem_set(problem, STARLING_INVALID,
                           "sim.baseline: there is no baseline \"%s\": %s%s%swrite local, central, "
                           "fedavg, or several with commas between",
                           word, near ? "did you mean " : "", near ? near : "",
                           near ? "? Or " : "");
    }
    return STARLING_OK;
}

/* Who talks to whom, and what this makes of the participants' settings. */
static enum starling_error connect(struct experiment *experiment, struct problem *problem)
{
    const struct config *config = &experiment->config;
    struct gossip_settings *gossip = &experiment->settings.gossip;
    struct topology *topology = &experiment->topology;
    if (topology_make(config->sim.topology, config->sim.nodes, config->sim.seed, topology, problem))
        return problem ? problem->error : STARLING_FAILED;
    gossip->pieces =
        gossip->fragments > 1 || gossip->sample < 1 || gossip->encoding != ENCODING_F32;
    gossip->fixed_view = topology->kind != TOPOLOGY_RANDOM;
    if (topology->kind == TOPOLOGY_FULL && gossip->view < gossip->fanout)
        gossip->view = gossip->fanout;
    if (!topology_is_static(topology))
        return STARLING_OK;
    gossip->view = topology->degree_most > 0 ? topology->degree_most : 1;
    if (gossip->inbox < gossip->view) /* a model from each neighbour may wait */
        gossip->inbox = (uint32_t)gossip->view;
    return STARLING_OK;
}

/* All in step, where that is asked for and every exchange ends within its round. */
static enum starling_error synchronise(struct experiment *experiment, struct problem *problem)
{
    const struct config *config = &experiment->config;
    struct gossip_settings *gossip = &experiment->settings.gossip;
    const struct network *network = &experiment->network;
    if (config->sim.sync == SYNC_OFF)
        return STARLING_OK;
    if (gossip->flow.kind == FLOW_TOKEN)
        return problem_set(
            problem, STARLING_INVALID,
            "sim.sync: gossip.flow = token sends when models come, not once a round: "
            "take one of the two");
    if (network_has_lines(network))
        return problem_set(problem, STARLING_INVALID,
                           "sim.sync: with sim.bandwidth a message may come at any time: take one "
                           "of the two");
    gossip->in_step = true;
    gossip->jitter = 0;
    uint64_t pass_us = 0;
    for (size_t node = 0; node < experiment->partition->nodes; node++) {
        size_t count;
        partition_rows(experiment->partition, node, &count);
        uint64_t us = experiment_pass_us(experiment, (peer_id)node, count);
        pass_us = us > pass_us ? us : pass_us;
    }
    uint64_t ways = gossip->exchange == EXCHANGE_PUSH ? 1 : 2; /* there, and back */
    uint64_t models = gossip->order == ORDER_UPDATE_MERGE ? 1 + gossip->inbox : 1;
    uint64_t latency = network_most_us(network), period = config->gossip.period_us;
    pass_us *= models;
    if (pass_us < period && latency < (period - pass_us) / ways)
        return STARLING_OK;
    return problem_set(
        problem, STARLING_INVALID,
        "sim.sync: a pass of up to %.3g s and a message of up to %.3g s%s do not fit "
        "into a round of %.3g s: raise gossip.period, or lower sim.latency or "
        "sim.compute",
        (double)pass_us * 1e-6, latency == UINT64_MAX ? (double)INFINITY : (double)latency * 1e-6,
        ways > 1 ? ", there and back," : "", (double)period * 1e-6);
}

enum starling_error experiment_look(const struct config *config, struct problem *problem)
{
    const char *const settings[][2] = {{"sim.latency", config->sim.latency},
                                       {"sim.churn", config->sim.churn},
                                       {"sim.topology", config->sim.topology}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (!strncmp(settings[i][1], "file:", 5) && access(settings[i][1] + 5, R_OK))
            return problem_set(problem, STARLING_INVALID,
                               "%s: %.300s: %s: name a file that can be read", settings[i][0],
                               settings[i][1] + 5, strerror(errno));
    return STARLING_OK;
}

enum starling_error experiment_check(const struct config *config, struct problem *problem)
{
    uint64_t seed = config->sim.seed;
    struct network network;
    struct churn churn;
    struct crashes crashes;
    struct speed speed;
    struct topology topology;
    if (config->task.agree == AGREE_ON && config->sim.baseline[0])
        return problem_set(problem, STARLING_INVALID,
                           "sim.baseline: baselines have their features scaled by all the data: "
                           "compare without task.agree = on");
    if (config->sim.fedavg_clients < 1 && !strstr(config->sim.baseline, "fedavg"))
        return problem_set(problem, STARLING_INVALID,
                           "sim.fedavg_clients: no FedAvg is run: leave it out, or add fedavg to "
                           "sim.baseline");
    enum starling_error error = settings_check(config, problem);
    if (!error)
        error = check_baseline(config->sim.baseline, problem);
    if (!error)
        error = network_parse(config, &network, problem);
    if (!error)
        error = churn_parse(config->sim.churn, config->gossip.period_us, seed, &churn, problem);
    if (!error)
        error =
            crashes_parse(config->sim.crash, experiment_end_us(config), seed, &crashes, problem);
    if (!error)
        error = speed_parse(config->sim.speed, seed, &speed, problem);
    if (!error)
        error = topology_parse(config->sim.topology, config->sim.nodes, &topology, problem);
    if (!error && topology_is_static(&topology) && config_changed(config, "gossip.view"))
        error = problem_set(problem, STARLING_INVALID,
                            "gossip.view: with sim.topology = %.60s a node knows its neighbours, "
                            "all of them and for good: leave it out",
                            config->sim.topology);
    return error;
}

/* The network and the people, as the config, resolved, says. */
static enum starling_error populate(struct experiment *experiment, struct problem *problem)
{
    const struct config *config = &experiment->config;
    uint64_t seed = config->sim.seed, period_us = config->gossip.period_us;
    enum starling_error error = network_make(config, &experiment->network, problem);
    if (!error)
        error = churn_parse(config->sim.churn, period_us, seed, &experiment->churn, problem);
    if (!error)
        error = churn_open(&experiment->churn, config->sim.nodes, problem);
    if (!error)
        error = crashes_parse(config->sim.crash, experiment_end_us(config), seed,
                              &experiment->crashes, problem);
    return error ? error : speed_parse(config->sim.speed, seed, &experiment->speed, problem);
}

struct experiment *experiment_new(const struct config *config, bool live, struct problem *problem)
{
    if (experiment_check(config, problem))
        return NULL;
    struct experiment *experiment = calloc(1, sizeof *experiment);
    if (!experiment) {
        problem_no_memory(problem, "the experiment");
        return NULL;
    }
    experiment->config = *config;
    experiment->data = experiment_data(config, problem);
    if (!experiment->data)
        goto fail;
    struct dataset *train = &experiment->data->train;
    if (settings_scaling(config, train, problem))
        goto fail;
    if (live && train->shift && dataset_bake(train, problem))
        goto fail;
    experiment->model = model_new(config->task.model, dataset_shape(train), problem);
    if (!experiment->model || settings_suit(config, experiment->model, problem))
        goto fail;
    resolve(experiment, live ? PERIOD_LIVE_US : PERIOD_VIRTUAL_US);
    if (populate(experiment, problem))
        goto fail;
    experiment->partition = partition_new(config->sim.partition, train, config->sim.nodes,
                                          config->sim.samples, config->sim.seed, problem);
    if (!experiment->partition || choose_test(experiment, problem) ||
        check_personal(experiment, problem) || connect(experiment, problem) ||
        synchronise(experiment, problem))
        goto fail;
    return experiment;
fail:
    experiment_free(&experiment);
    return NULL;
}

void experiment_free(struct experiment **experiment)
{
    if (!*experiment)
        return;
    data_free(&(*experiment)->data);
    model_free(&(*experiment)->model);
    partition_free(&(*experiment)->partition);
    topology_clear(&(*experiment)->topology);
    network_clear(&(*experiment)->network);
    churn_clear(&(*experiment)->churn);
    free((*experiment)->test_rows);
    free(*experiment);
    *experiment = NULL;
}

struct version *experiment_initial(const struct experiment *experiment)
{
    float *values = vector_new(model_parameters(experiment->model));
    struct version *version = values ? version_of(values) : NULL;
    if (version)
        model_initialise(experiment->model, task_seed(experiment->settings.gossip.task), values);
    else
        vector_free(values);
    return version;
}

uint64_t experiment_end_us(const struct config *config)
{
    uint64_t periods = config->sim.rounds + config->sim.final;
    return periods < UINT64_MAX / config->gossip.period_us ? periods * config->gossip.period_us
                                                           : UINT64_MAX;
}

uint64_t experiment_pass_us(const struct experiment *experiment, peer_id node, size_t examples)
{
    size_t samples = learner_samples(&experiment->settings.learn, examples, NULL);
    double ps = (double)samples * (double)model_parameters(experiment->model) *
                (double)experiment->config.sim.compute_ps;
    return 1 + (uint64_t)(ps / 1e6 / speed_of(&experiment->speed, node));
}
