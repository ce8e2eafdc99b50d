#include "sim/live_swarm.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/identity.h"
#include "sim/live_data.h"
#include "sim/stopwatch.h"

#define UP_DEADLINE_S 30.0     /* until every node answers, and again until all have met */
#define UP_DEADLINE_NODE_S 0.2 /* and so much more a node: they share the machine */
#define END_DEADLINE_S 5.0     /* from SIGTERM to SIGKILL */
#define POLL_S 0.01

void live_rest(double seconds)
{
    if (seconds <= 0)
        return;
    struct timespec time = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    nanosleep(&time, NULL);
}

bool live_swarm_interrupted(const struct live_swarm *swarm)
{
    return swarm->interrupted && *swarm->interrupted;
}

/* A folder that somebody named may have been used before: then it says so by itself, for keys are
 * never overwritten. */
static enum starling_error make_dir(struct live_swarm *swarm, const char *dir,
                                    struct problem *problem)
{
    const char *base = getenv("TMPDIR");
    if (dir) {
        swarm->keep = true;
        if (mkdir(dir, 0700) == 0 || errno == EEXIST)
            swarm->dir = realpath(dir, NULL);
    } else {
        if (!base || base[0] != '/')
            base = "/tmp";
        if (asprintf(&swarm->dir, "%s/starling-live-XXXXXX", base) < 0) {
            swarm->dir = NULL;
            return problem_no_memory(problem, "a folder's name");
        }
        if (!mkdtemp(swarm->dir)) {
            free(swarm->dir);
            swarm->dir = NULL;
        }
    }
    if (swarm->dir)
        return STARLING_OK;
    return problem_set(problem, STARLING_FAILED,
                       "%s: no folder for the nodes can be made there: %s: name another in TMPDIR",
                       dir ? dir : base, strerror(errno));
}

/* The settings of the experiment as a node's own: its share of the data, a free port, and no
 * learning before the start signal. */
static enum starling_error make_config(const struct live_swarm *swarm, const struct live_node *node,
                                       struct config *config, struct problem *problem)
{
    const struct experiment *experiment = swarm->experiment;
    char dir[PATH_MAX];
    size_t count;
    const uint32_t *rows = partition_rows(experiment->partition, node->number, &count);
    *config = experiment->config;
    snprintf(config->task.name, sizeof config->task.name, "%s", experiment->task_name);
    snprintf(config->node.listen, sizeof config->node.listen, "tcp://127.0.0.1:*");
    config->node.advertise[0] = config->node.seeds[0] = '\0';
    config->node.autostart = false;
    snprintf(dir, sizeof dir, "%s/data", node->dir);
    return live_data_write(&experiment->data->train, rows, count, dir, config, problem);
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    remove(path);
    return 0;
}

static enum starling_error make_nodes(struct live_swarm *swarm, struct authority *authority,
                                      struct problem *problem)
{
    struct config *config = malloc(sizeof *config);
    if (!config)
        return problem_no_memory(problem, "the nodes");
    enum starling_error error = STARLING_OK;
    while (swarm->made < swarm->count && error == STARLING_OK && !live_swarm_interrupted(swarm)) {
        struct live_node *node = &swarm->nodes[swarm->made];
        error = live_node_make(node, swarm->made++, swarm->dir, problem);
        if (error == STARLING_OK)
            error = make_config(swarm, node, config, problem);
        if (error == STARLING_OK)
            error = live_node_equip(node, config, authority, problem);
    }
    free(config);
    return error;
}

enum starling_error live_swarm_make(struct live_swarm *swarm, const struct experiment *experiment,
                                    const char *dir, const volatile sig_atomic_t *interrupted,
                                    struct problem *problem)
{
    *swarm = (struct live_swarm){
        .experiment = experiment,
        .interrupted = interrupted,
        .count = experiment->config.sim.nodes,
    };
    swarm->nodes = calloc(swarm->count, sizeof *swarm->nodes);
    if (!swarm->nodes)
        return problem_no_memory(problem, "the nodes");
    enum starling_error error = make_dir(swarm, dir, problem);
    if (error != STARLING_OK)
        return error;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/authority", swarm->dir);
    struct authority *authority = authority_create(path, problem);
    if (!authority)
        return STARLING_FAILED;
    error = make_nodes(swarm, authority, problem);
    authority_close(&authority);
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS); /* nobody else is to be let in */
    return error;
}

enum starling_error live_swarm_check(struct live_swarm *swarm, struct problem *problem)
{
    for (size_t i = 0; i < swarm->made; i++) {
        enum starling_error error = live_node_check(&swarm->nodes[i], problem);
        if (error != STARLING_OK)
            return error;
    }
    return STARLING_OK;
}

/* Whether the node answers and listens; its endpoint then is known. A node that does not answer
 * yet is no problem. */
static bool is_up(const struct live_swarm *swarm, struct live_node *node)
{
    (void)swarm;
    json_t *status = live_node_ask(node, json_pack("{s:s}", "command", "status"), NULL, NULL, NULL);
    const char *endpoint = json_string_value(json_object_get(status, "endpoint"));
    if (endpoint && strlen(endpoint) < sizeof node->endpoint)
        strcpy(node->endpoint, endpoint);
    json_decref(status);
    return node->endpoint[0] != '\0';
}

/* How many others a node is told of: as many as its view holds. */
static size_t told_of(const struct live_swarm *swarm)
{
    size_t view = swarm->experiment->settings.gossip.view, others = swarm->count - 1;
    return others < view ? others : view;
}

/* Whether the node has heard a HELLO from as many as it was told of. */
static bool has_met(const struct live_swarm *swarm, struct live_node *node)
{
    json_t *status = live_node_ask(node, json_pack("{s:s}", "command", "status"), NULL, NULL, NULL);
    const json_t *peers = json_object_get(status, "peers");
    double connected = json_number_value(json_object_get(peers, "connected"));
    bool met = status && connected >= (double)told_of(swarm);
    json_decref(status);
    return met;
}

/* Waits until `ready` says yes of every node. */
static enum starling_error await(struct live_swarm *swarm,
                                 bool ready(const struct live_swarm *, struct live_node *),
                                 const char *otherwise, struct problem *problem)
{
    double patience = UP_DEADLINE_S + UP_DEADLINE_NODE_S * (double)swarm->count;
    double deadline = stopwatch_seconds() + patience;
    for (size_t i = 0; i < swarm->count && !live_swarm_interrupted(swarm);) {
        if (ready(swarm, &swarm->nodes[i])) {
            i++;
            continue;
        }
        enum starling_error error = live_swarm_check(swarm, problem);
        if (error != STARLING_OK)
            return error;
        if (stopwatch_seconds() > deadline)
            return problem_set(problem, STARLING_FAILED,
                               "node %zu: %s in %.0f s: use fewer nodes on this machine", i,
                               otherwise, patience);
        live_rest(POLL_S);
    }
    return STARLING_OK;
}

/* KEY@ENDPOINT of the others that a node's view begins with: the same ones as in a simulation.
 * NULL when memory is out. */
static json_t *seeds_for(const struct live_swarm *swarm, size_t number)
{
    size_t wanted = told_of(swarm), others = swarm->count - 1;
    struct random random =
        random_stream(swarm->experiment->config.sim.seed, (uint32_t)number, RANDOM_BOOTSTRAP, 0);
    bool *chosen = calloc(swarm->count, sizeof *chosen);
    json_t *seeds = json_array();
    bool failed = !chosen || !seeds;
    for (size_t count = 0; !failed && count < wanted;) {
        size_t other = wanted == others ? count + (count >= number ? 1 : 0)
                                        : random_below(&random, (uint32_t)swarm->count);
        if (other == number || chosen[other])
            continue;
        char identity[KEY_HEX_SIZE];
        key_hex(swarm->nodes[other].keys.identity, identity);
        json_t *seed = json_sprintf("%s@%s", identity, swarm->nodes[other].endpoint);
        failed = json_array_append_new(seeds, seed) != 0;
        chosen[other] = true;
        count++;
    }
    free(chosen);
    if (failed) {
        json_decref(seeds);
        return NULL;
    }
    return seeds;
}

static enum starling_error introduce(const struct live_swarm *swarm, size_t number,
                                     struct problem *problem)
{
    json_t *seeds = seeds_for(swarm, number);
    if (!seeds)
        return problem_no_memory(problem, "the nodes' peers");
    json_t *request = json_pack("{s:s,s:o}", "command", "connect", "seeds", seeds);
    json_t *answer = live_node_ask(&swarm->nodes[number], request, NULL, NULL, problem);
    json_decref(answer);
    return answer ? STARLING_OK : STARLING_FAILED;
}

enum starling_error live_swarm_bring_up(struct live_swarm *swarm, const char *program,
                                        struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    for (size_t i = 0; i < swarm->made && !error && !live_swarm_interrupted(swarm); i++)
        error = live_node_start(&swarm->nodes[i], program, problem);
    if (!error)
        error = await(swarm, is_up, "does not answer", problem);
    for (size_t i = 0; i < swarm->count && !error && !live_swarm_interrupted(swarm); i++)
        if (told_of(swarm) > 0)
            error = introduce(swarm, i, problem);
    return error ? error : await(swarm, has_met, "has not met its peers", problem);
}

/* Asks all of them, and wants no more than a yes. */
static enum starling_error tell_all(struct live_swarm *swarm, json_t *request,
                                    struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    for (size_t i = 0; i < swarm->count && !error; i++) {
        json_t *answer = live_node_ask(&swarm->nodes[i], json_incref(request), NULL, NULL, problem);
        error = answer ? STARLING_OK : STARLING_FAILED;
        json_decref(answer);
    }
    json_decref(request);
    return error;
}

enum starling_error live_swarm_start(struct live_swarm *swarm, struct problem *problem)
{
    return tell_all(swarm, json_pack("{s:s}", "command", "start"), problem);
}

enum starling_error live_swarm_conclude(struct live_swarm *swarm, uint64_t periods,
                                        struct problem *problem)
{
    return tell_all(swarm,
                    json_pack("{s:s, s:I}", "command", "conclude", "periods", (json_int_t)periods),
                    problem);
}

static bool has_concluded(const struct live_swarm *swarm, struct live_node *node)
{
    (void)swarm;
    json_t *status = live_node_ask(node, json_pack("{s:s}", "command", "status"), NULL, NULL, NULL);
    const char *state = json_string_value(json_object_get(status, "state"));
    bool concluded = state && strcmp(state, "concluded") == 0;
    json_decref(status);
    return concluded;
}

enum starling_error live_swarm_await_end(struct live_swarm *swarm, struct problem *problem)
{
    return await(swarm, has_concluded, "has not concluded", problem);
}

void live_swarm_end(struct live_swarm *swarm)
{
    for (size_t i = 0; i < swarm->made; i++)
        live_node_signal(&swarm->nodes[i], SIGTERM);
    double deadline = stopwatch_seconds() + END_DEADLINE_S;
    for (size_t i = 0; i < swarm->made;) {
        if (live_node_gone(&swarm->nodes[i])) {
            i++;
            continue;
        }
        if (stopwatch_seconds() > deadline)
            live_node_signal(&swarm->nodes[i], SIGKILL);
        live_rest(POLL_S);
    }
}

void live_swarm_clear(struct live_swarm *swarm)
{
    live_swarm_end(swarm);
    for (size_t i = 0; i < swarm->made; i++)
        live_node_clear(&swarm->nodes[i]);
    if (swarm->dir && !swarm->keep)
        nftw(swarm->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(swarm->dir);
    free(swarm->nodes);
    *swarm = (struct live_swarm){0};
}
