/* starling-node — a device in a swarm. */
#include "node/node.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "node/files.h"

static const char help[] =
    "starling-node - a device that learns with its peers, without a server\n"
    "\n"
    "  starlingctl init && starling-node          a node of its own, in the default folder\n"
    "  starling-node --dir ~/alice                a node in another folder\n"
    "  starling-node --set task.data=csv:my.csv   the same with a setting changed\n"
    "\n"
    "usage: starling-node [OPTIONS]\n"
    "\n"
    "  --dir DIR              the node's folder: keys, membership, settings, what it learned\n"
    "                         ($XDG_STATE_HOME/starling, else ~/.local/state/starling)\n"
    "  --config FILE          settings (DIR/node.ini where it is there)\n"
    "  --set SECTION.KEY=V    one setting; overrides the file; any number of times\n"
    "  --require-membership   end at once (exit 3) when this node is not a member of its swarm,\n"
    "                         instead of waiting to be admitted\n"
    "  --log-level LEVEL      error, warn, info (the default) or debug\n"
    "  --log-format FORMAT    text (the default) or json: a line an event, on stderr\n"
    "  --help                 this\n"
    "  --version\n"
    "\n"
    "Ask a running node how it is with starlingctl status; SIGTERM or starlingctl stop end it\n"
    "after a last save, SIGHUP makes it read its seeds again.\n"
    "Exit: 0 ended as asked, 1 failed, 2 wrong usage or configuration, 3 not a member.\n"
    "Manual: starling-node(1), starling-config(5)\n";

struct settings {
    char dir[PATH_MAX];
    const char *file; /* NULL: DIR/node.ini if it is there */
    size_t pair_count;
    char **pairs; /* of --set */
    bool require_membership;
};

static enum starling_error make_config(void *self, struct config *config, struct problem *problem)
{
    const struct settings *settings = self;
    char path[PATH_MAX];
    enum starling_error error = STARLING_OK;
    config_defaults(config);
    if (settings->file) {
        error = config_load(config, settings->file, problem);
    } else {
        error = file_path(path, sizeof path, settings->dir, "node.ini", problem);
        if (!error && access(path, F_OK) == 0)
            error = config_load(config, path, problem);
    }
    for (size_t i = 0; i < settings->pair_count && !error; i++)
        error = config_set_pair(config, settings->pairs[i], "--set", problem);
    return error;
}

static enum starling_error default_dir(char dir[PATH_MAX], struct problem *problem)
{
    const char *service = getenv("STATE_DIRECTORY"); /* systemd's StateDirectory= */
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (service && service[0] == '/' && !strchr(service, ':'))
        return file_path(dir, PATH_MAX, service, "", problem);
    if (state && state[0] == '/')
        return file_path(dir, PATH_MAX, state, "starling", problem);
    if (home && home[0] == '/')
        return file_path(dir, PATH_MAX, home, ".local/state/starling", problem);
    return problem_set(problem, STARLING_INVALID, "--dir: HOME is not set: name the node's folder");
}

enum { OPTION_DIR = 256, OPTION_CONFIG, OPTION_SET, OPTION_MEMBER, OPTION_LEVEL, OPTION_FORMAT };

static const struct option options[] = {
    {"dir", required_argument, NULL, OPTION_DIR},
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"set", required_argument, NULL, OPTION_SET},
    {"require-membership", no_argument, NULL, OPTION_MEMBER},
    {"log-level", required_argument, NULL, OPTION_LEVEL},
    {"log-format", required_argument, NULL, OPTION_FORMAT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static enum starling_error take_option(int option, struct settings *settings, struct log *log,
                                       struct problem *problem)
{
    switch (option) {
    case OPTION_DIR:
        if (snprintf(settings->dir, sizeof settings->dir, "%s", optarg) >=
            (int)sizeof settings->dir)
            return problem_set(problem, STARLING_INVALID, "--dir: the path is too long");
        return STARLING_OK;
    case OPTION_CONFIG:
        settings->file = optarg;
        return STARLING_OK;
    case OPTION_SET:
        settings->pairs[settings->pair_count++] = optarg;
        return STARLING_OK;
    case OPTION_MEMBER:
        settings->require_membership = true;
        return STARLING_OK;
    case OPTION_LEVEL:
        if (log_level_from(optarg, &log->level))
            return STARLING_OK;
        return problem_set(problem, STARLING_INVALID,
                           "--log-level: \"%.40s\" is none: use error, warn, info or debug",
                           optarg);
    case OPTION_FORMAT:
        log->json = strcmp(optarg, "json") == 0;
        if (log->json || strcmp(optarg, "text") == 0)
            return STARLING_OK;
        return problem_set(problem, STARLING_INVALID,
                           "--log-format: \"%.40s\" is none: use text or json", optarg);
    default:
        return STARLING_INVALID;
    }
}

/* STARLING_OK with *done set when there is nothing left to do. */
static enum starling_error take_arguments(int count, char **arguments, struct settings *settings,
                                          struct log *log, bool *done, struct problem *problem)
{
    int option;
    opterr = 0;
    while ((option = getopt_long(count, arguments, "+:h", options, NULL)) != -1) {
        const char *said = arguments[optind - 1];
        if (option == 'h') {
            fputs(help, stdout);
            *done = true;
            return STARLING_OK;
        }
        if (option == 'V') {
            puts("starling-node " PACKAGE_VERSION);
            *done = true;
            return STARLING_OK;
        }
        if (option == ':')
            return problem_set(problem, STARLING_INVALID, "%.60s: its value is missing: see --help",
                               said);
        if (option == '?')
            return problem_set(problem, STARLING_INVALID, "%.60s: no such option: see --help",
                               said);
        enum starling_error error = take_option(option, settings, log, problem);
        if (error)
            return error;
    }
    if (optind < count)
        return problem_set(problem, STARLING_INVALID, "%.60s: is not expected: see --help",
                           arguments[optind]);
    return settings->dir[0] ? STARLING_OK : default_dir(settings->dir, problem);
}

/* All signals that mean something to a node come in over a descriptor. */
static int catch_signals(struct problem *problem)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (descriptor < 0)
        problem_set(problem, STARLING_FAILED, "signalfd: %s", strerror(errno));
    return descriptor;
}

static enum node_outcome run(struct settings *settings, struct log *log, int signals,
                             struct problem *problem)
{
    struct config *config = malloc(sizeof *config);
    if (!config) {
        problem_no_memory(problem, "the configuration");
        return NODE_FAILED;
    }
    if (make_config(settings, config, problem)) {
        free(config);
        return NODE_WRONG;
    }
    struct node_options node_options = {
        .dir = settings->dir,
        .config = config,
        .require_membership = settings->require_membership,
        .signals = signals,
        .reread = make_config,
        .self = settings,
        .log = log,
    };
    struct node *node;
    enum node_outcome outcome = node_open(&node_options, &node, problem);
    free(config);
    if (outcome)
        return outcome;
    outcome = node_run(node, problem);
    if (outcome)
        log_write(log, LOG_ERROR, "%s", problem->text);
    problem->text[0] = '\0';
    if (!node_close(&node))
        _exit(
            (int)outcome); /* a pass still runs on the trainer's thread: all that counts is saved */
    log_write(log, LOG_INFO, "ended");
    return outcome;
}

int main(int count, char **arguments)
{
    struct log log = {.program = "starling-node", .fd = STDERR_FILENO, .level = LOG_INFO};
    struct problem problem = {0};
    struct settings settings = {.pairs = calloc((size_t)count + 1, sizeof(char *))};
    bool done = false;
    enum node_outcome outcome = NODE_FAILED;
    if (!settings.pairs || sodium_init() < 0) {
        problem_set(&problem, STARLING_FAILED, "libsodium cannot start, or memory is out");
    } else if (take_arguments(count, arguments, &settings, &log, &done, &problem)) {
        outcome = NODE_WRONG;
    } else if (done) {
        outcome = NODE_ENDED;
    } else {
        int signals = catch_signals(&problem);
        if (signals >= 0) {
            outcome = run(&settings, &log, signals, &problem);
            close(signals);
        }
    }
    if (outcome && problem.text[0])
        log_write(&log, LOG_ERROR, "%s", problem.text);
    free(settings.pairs);
    return (int)outcome;
}
