#include "node/node.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/files.h"
#include "node/node_inside.h"

#define MESSAGES_PER_S_LEAST 100.0
#define IDLE_LEAST_US UINT64_C(60000000)
#define IDLE_PERIODS 10
#define DAY_S 86400
#define PATIENCE_MS 100 /* for the trainer's thread, after learning_finish waited for its job */

static enum node_outcome failed(const struct problem *problem)
{
    return problem->error == STARLING_INVALID ? NODE_WRONG : NODE_FAILED;
}

/* One node a folder, however many are started. */
static enum node_outcome lock_dir(struct node *node, struct problem *problem)
{
    char path[PATH_MAX];
    struct stat about;
    if (stat(node->dir, &about) || !S_ISDIR(about.st_mode)) {
        problem_set(problem, STARLING_INVALID,
                    "%s: no such folder: make a node with starlingctl --dir %s init", node->dir,
                    node->dir);
        return NODE_WRONG;
    }
    if (file_path(path, sizeof path, node->dir, "lock", problem))
        return NODE_WRONG;
    node->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (node->lock < 0) {
        problem_set(problem, STARLING_FAILED, "%s: %s: give this user the folder", path,
                    strerror(errno));
        return NODE_FAILED;
    }
    if (flock(node->lock, LOCK_EX | LOCK_NB) == 0)
        return NODE_ENDED;
    problem_set(problem, STARLING_FAILED,
                "%s: a node runs in this folder already: stop it, or choose another --dir",
                node->dir);
    return NODE_FAILED;
}

/* Its keys, its memory, and the time it goes by. */
static enum node_outcome open_identity(struct node *node, struct problem *problem)
{
    char path[PATH_MAX];
    uint64_t wall = 0;
    if (file_path(path, sizeof path, node->dir, "identity.key", problem))
        return NODE_WRONG;
    if (access(path, F_OK)) {
        problem_set(problem, STARLING_INVALID,
                    "%s: no identity.key there: make a node with starlingctl --dir %s init",
                    node->dir, node->dir);
        return NODE_WRONG;
    }
    node->identity = identity_load(node->dir, problem);
    if (!node->identity)
        return failed(problem);
    node->store = store_open(node->dir, problem);
    if (!node->store || store_get_number(node->store, "wall-clock", &wall, problem) ||
        store_get_number(node->store, "descriptor-sequence", &node->descriptor_sequence, problem))
        return failed(problem);
    if (store_note(node->store)[0])
        log_write(node->log, LOG_WARN, "%s", store_note(node->store));
    wall_clock_start(&node->clock, (int64_t)wall);
    node->now = wall_clock_now(&node->clock);
    node->started_us = node->now.monotonic_us;
    if (wall_clock_ahead(&node->clock) > DAY_S)
        log_write(node->log, LOG_WARN,
                  "the clock is %lld days behind the time that was stored, which counts: set the "
                  "clock; if the stored time is wrong, stop the node and forget it: sqlite3 "
                  "%.200s/state.db \"DELETE FROM numbers WHERE name='wall-clock'\"",
                  (long long)(wall_clock_ahead(&node->clock) / DAY_S), node->dir);
    if (!wall_clock_set(&node->now))
        log_write(node->log, LOG_WARN,
                  "the clock is not set: no membership's end is judged until it is");
    return membership_load(node, problem);
}

/* What others are told to dial: what the configuration says, or where it listens. */
static enum starling_error choose_endpoint(struct node *node, struct problem *problem)
{
    const char *advertise = node->config.node.advertise;
    const char *endpoint = transport_endpoint(node->transport);
    if (advertise[0]) {
        if (!endpoint_valid(advertise) || strlen(advertise) >= sizeof node->endpoint)
            return problem_set(problem, STARLING_INVALID,
                               "node.advertise: %.200s cannot be told to others: set it to "
                               "tcp://HOST:PORT",
                               advertise);
        memcpy(node->endpoint, advertise, strlen(advertise) + 1);
        return STARLING_OK;
    }
    if (strncmp(endpoint, "tcp://0.0.0.0:", 14) == 0 || strncmp(endpoint, "tcp://[::]:", 11) == 0) {
        log_write(node->log, LOG_WARN,
                  "listening on all addresses: others cannot dial this node until node.advertise "
                  "says tcp://HOST:PORT");
        return STARLING_OK;
    }
    snprintf(node->endpoint, sizeof node->endpoint, "%s", endpoint);
    return STARLING_OK;
}

static struct transport *make_transport(struct node *node, struct problem *problem)
{
    const struct gossip_settings *gossip = &node->settings.gossip;
    double period_s = (double)gossip->period_us * 1e-6;
    double messages_per_s = 8 * (double)gossip->fanout / period_s;
    size_t frame_max = gossip->parameters * sizeof(float);
    struct transport_settings settings = {
        .identity = node->identity,
        .listen = node->config.node.listen,
        .frame_max = frame_max > HEADER_BYTES_MAX ? frame_max : HEADER_BYTES_MAX,
        .messages_per_s =
            messages_per_s > MESSAGES_PER_S_LEAST ? messages_per_s : MESSAGES_PER_S_LEAST,
        .idle_us = IDLE_PERIODS * gossip->period_us > IDLE_LEAST_US
                       ? IDLE_PERIODS * gossip->period_us
                       : IDLE_LEAST_US,
    };
    struct transport_owner owner = {
        .self = node,
        .greet = node_greet,
        .judge = node_judge,
        .up = node_up,
        .down = node_down,
        .receive = node_receive,
        .sent = node_sent,
        .refused = node_refused,
        .unreachable = node_unreachable,
    };
    return transport_open(&settings, &owner, problem);
}

static enum node_outcome open_network(struct node *node, struct problem *problem)
{
    if (!roster_init(&node->roster, node->swarm, node->identity->keys.identity,
                     node->identity->keys.curve, node_keeps, node)) {
        problem_no_memory(problem, "the roster");
        return NODE_FAILED;
    }
    if (seeds_add(node, node->config.node.seeds, false, problem))
        return failed(problem);
    node->transport = make_transport(node, problem);
    if (!node->transport || choose_endpoint(node, problem))
        return failed(problem);
    peers_remember(node);
    char path[PATH_MAX];
    const char *socket = node->config.control.socket;
    if (!socket[0] && file_path(path, sizeof path, node->dir, "control.sock", problem))
        return failed(problem);
    node->control = control_open(socket[0] ? socket : path, node_command, node, problem);
    return node->control ? NODE_ENDED : failed(problem);
}

static enum node_outcome open_all(struct node *node, struct problem *problem)
{
    enum node_outcome outcome = lock_dir(node, problem);
    if (!outcome)
        outcome = open_identity(node, problem);
    if (!outcome)
        outcome = learning_open(node, problem);
    if (!outcome)
        outcome = open_network(node, problem);
    if (outcome)
        return outcome;
    node->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (node->wake < 0) {
        problem_set(problem, STARLING_FAILED, "eventfd: %s", strerror(errno));
        return NODE_FAILED;
    }
    node->trainer = trainer_new(problem);
    if (!node->trainer || descriptor_renew(node, problem))
        return failed(problem);
    return NODE_ENDED;
}

enum node_outcome node_open(const struct node_options *options, struct node **node,
                            struct problem *problem)
{
    *node = calloc(1, sizeof **node);
    if (!*node) {
        problem_no_memory(problem, "the node");
        return NODE_FAILED;
    }
    struct node *ours = *node;
    ours->options = *options;
    ours->config = *options->config;
    ours->options.config = &ours->config;
    ours->log = options->log;
    ours->lock = ours->wake = -1;
    ours->ping_peer = PEER_NONE;
    ours->autostart = ours->config.node.autostart;
    ours->seek_us = UINT64_MAX;
    enum node_outcome outcome = NODE_ENDED;
    if (snprintf(ours->dir, sizeof ours->dir, "%s", options->dir) >= (int)sizeof ours->dir) {
        problem_set(problem, STARLING_INVALID, "--dir: the path is too long");
        outcome = NODE_WRONG;
    } else {
        outcome = open_all(ours, problem);
    }
    if (outcome) {
        bool saved;
        node_close(node, &saved);
        return outcome;
    }
    log_write(ours->log, LOG_INFO, "listening on %s", transport_endpoint(ours->transport));
    ours->chores_us = ours->now.monotonic_us + CHORES_US;
    node_seek_soon(ours);
    membership_check(ours);
    return NODE_ENDED;
}

void node_stop(struct node *node)
{
    uint64_t one = 1;
    ssize_t written = write(node->wake, &one, sizeof one);
    (void)written; /* full: it is awake already */
}

/* What can be changed while running: seeds, and how often to save. The rest waits for a restart. */
static void reread(struct node *node)
{
    struct problem problem = {0};
    struct config *config = calloc(1, sizeof *config);
    if (!config || !node->options.reread ||
        node->options.reread(node->options.self, config, &problem) ||
        seeds_add(node, config->node.seeds, false, &problem)) {
        log_write(node->log, LOG_ERROR, "configuration not read again: %s",
                  problem.error ? problem.text : "out of memory");
    } else {
        node->config.node.save_every_us = config->node.save_every_us;
        node_seek_soon(node);
        log_write(node->log, LOG_INFO,
                  "configuration read again: node.seeds and node.save_every count from now on, the "
                  "rest from the next start");
    }
    free(config);
}

static void take_signals(struct node *node)
{
    struct signalfd_siginfo signal;
    while (node->options.signals >= 0 &&
           read(node->options.signals, &signal, sizeof signal) == sizeof signal) {
        if (signal.ssi_signo == SIGHUP)
            reread(node);
        else
            node->stopping = true;
    }
}

/* No more than what others confirmed: a clock that is wrong for a day must not be for good. */
static void note_time(struct node *node)
{
    int64_t floor_s = wall_clock_floor(&node->clock, &node->now);
    if (floor_s >= STARLING_BUILD_EPOCH)
        note_number(node, "wall-clock", (uint64_t)floor_s);
}

static void do_chores(struct node *node)
{
    node->chores_us = node->now.monotonic_us + CHORES_US;
    membership_check(node);
    membership_expire_peers(node);
    note_time(node);
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t node_deadline(const struct node *node)
{
    uint64_t deadline = earliest(earliest(node->chores_us, node->seek_us), node->apart_us);
    deadline = earliest(deadline, transport_deadline(node->transport));
    deadline = earliest(deadline, control_deadline(node->control));
    return node_learns(node) ? earliest(deadline, participant_deadline(&node->participant))
                             : deadline;
}

static long time_left_ms(const struct node *node)
{
    uint64_t deadline = node_deadline(node);
    uint64_t now_us = wall_clock_now(&node->clock).monotonic_us;
    return deadline <= now_us ? 0 : (long)((deadline - now_us + 999) / 1000);
}

static void tick(struct node *node)
{
    struct outgoing out;
    if (!node_learns(node) || node->now.monotonic_us < participant_deadline(&node->participant))
        return;
    participant_tick(&node->participant, node->now, &out);
    node_carry_out(node, &out);
    conclude_check(node);
}

void node_turn(struct node *node)
{
    node->now = wall_clock_now(&node->clock);
    take_signals(node);
    transport_work(node->transport, node->now.monotonic_us);
    learning_collect(node);
    tick(node);
    control_work(node->control, node->now.monotonic_us);
    if (node->now.monotonic_us >= node->chores_us)
        do_chores(node);
    node_seek(node);
    node_seek_apart(node);
}

/* Until something comes or is due. False when polling itself fails. */
static bool await(struct node *node)
{
    zmq_pollitem_t items[TRANSPORT_ITEMS_MAX + CONTROL_ITEMS_MAX + 3];
    size_t count = transport_poll(node->transport, items);
    count += control_poll(node->control, items + count);
    items[count++] = (zmq_pollitem_t){.fd = node->wake, .events = ZMQ_POLLIN};
    items[count++] =
        (zmq_pollitem_t){.fd = trainer_descriptor(node->trainer), .events = ZMQ_POLLIN};
    if (node->options.signals >= 0)
        items[count++] = (zmq_pollitem_t){.fd = node->options.signals, .events = ZMQ_POLLIN};
    if (zmq_poll(items, (int)count, time_left_ms(node)) < 0 && errno != EINTR)
        return false;
    uint64_t woken;
    if (read(node->wake, &woken, sizeof woken) == sizeof woken)
        node->stopping = true;
    return true;
}

enum node_outcome node_run(struct node *node, struct problem *problem)
{
    while (!node->stopping) {
        if (!await(node)) {
            problem_set(problem, STARLING_FAILED, "polling: %s", zmq_strerror(errno));
            return NODE_FAILED;
        }
        node_turn(node);
    }
    return NODE_ENDED;
}

bool node_close(struct node **node, bool *saved)
{
    struct node *ours = *node;
    *node = NULL;
    *saved = true;
    if (!ours)
        return true;
    if (ours->trainer) {
        ours->now = wall_clock_now(&ours->clock);
        note_time(ours);
        *saved = learning_finish(ours);
    }
    control_close(&ours->control); /* who asked it to stop may think it gone: all is saved */
    transport_close(&ours->transport);
    if (!trainer_free(&ours->trainer, PATIENCE_MS)) {
        store_close(&ours->history);
        return false;
    }
    learning_close(ours);
    roster_clear(&ours->roster);
    free(ours->seeds);
    store_close(&ours->history);
    store_close(&ours->store);
    identity_free(&ours->identity);
    if (ours->wake >= 0)
        close(ours->wake);
    if (ours->lock >= 0)
        close(ours->lock);
    free(ours);
    return true;
}
