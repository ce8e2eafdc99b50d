/* starling-node — a device in a swarm. */
#include "node/node.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "model/nearest.h"
#include "node/files.h"

static const char help[] =
    "starling-node - a device that learns with its peers, without a server\n"
    "\n"
    "  starlingctl init && starling-node          a node in the default folder\n"
    "  starling-node --dir ~/alice                a node in another folder\n"
    "  starling-node --set task.data=csv:my.csv   with a setting changed\n"
    "\n"
    "usage: starling-node [OPTIONS]\n"
    "\n"
    "  --dir DIR              the node's folder: keys, membership, settings, model\n"
    "                         ($XDG_STATE_HOME/starling, ~/.local/state/starling)\n"
    "  --config FILE          settings (DIR/node.ini where it is there)\n"
    "  --set SECTION.KEY=V    one setting; overrides the file; any number of times\n"
    "  --require-membership   when it is not a member of its swarm, end at once\n"
    "                         (exit 3) instead of waiting to be admitted\n"
    "  --log-level LEVEL      error, warn, info (the default) or debug\n"
    "  --log-format FORMAT    text (the default) or json: a line an event, on stderr\n"
    "  --help                 this\n"
    "  --version\n"
    "\n"
    "Ask a running node how it is with starlingctl status. SIGTERM or starlingctl\n"
    "stop end it after a last save, SIGHUP makes it read its seeds again.\n"
    "Exit: 0 ended as asked, 1 failed, 2 wrong usage or configuration, 3 no member.\n"
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

/* getopt_long said '?': optopt is 0 for an unknown long option, the letter of an unknown short one,
 * and the key of a known one that was given a value it does not take. */
static enum starling_error wrong_option(const char *said, struct problem *problem)
{
    const char *names[sizeof options / sizeof options[0]];
    size_t count = 0;
    char name[64];
    for (; options[count].name; count++)
        names[count] = options[count].name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(said, "="), said);
    if (optopt && strncmp(said, "--", 2) == 0 && strchr(said, '='))
        return problem_set(problem, STARLING_INVALID,
                           "%s: takes no value: write it without =", name);
    if (optopt)
        return problem_set(problem, STARLING_INVALID, "-%c: no such option: see --help", optopt);
    const char *near = nearest_word(name + strspn(name, "-"), names, count);
    if (near)
        return problem_set(problem, STARLING_INVALID, "%s: no such option: did you mean --%s?",
                           name, near);
    return problem_set(problem, STARLING_INVALID, "%s: no such option: see --help", name);
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
            return wrong_option(said, problem);
        enum starling_error error = take_option(option, settings, log, problem);
        if (error)
            return error;
    }
    if (optind < count)
        return problem_set(problem, STARLING_INVALID, "%.60s: is not expected: see --help",
                           arguments[optind]);
    return settings->dir[0] ? STARLING_OK : default_dir(settings->dir, problem);
}

static pthread_t reactor;

static void pass_on(int number)
{
    pthread_kill(reactor, number);
}

/* All signals that mean something to a node come in over a descriptor, which wants them blocked in
 * every thread. A library may have threads from before main (OpenBLAS's pthread flavour does): one
 * that a signal meets passes it on to this thread, where it waits to be read. */
static int catch_signals(struct problem *problem)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(&set, numbers[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    reactor = pthread_self();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaction(numbers[i], &action, NULL);
    /* A peer that is gone and a file that may not grow are errors of the write, and told. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    int descriptor = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (descriptor < 0)
        problem_set(problem, STARLING_FAILED, "signalfd: %s", strerror(errno));
    return descriptor;
}

/* A setting may prove wrong after it was read ("task.model: there is no model 'cnn'…"): the flag,
 * or the line of the file, that gave it is put in front. */
static void say_where(const struct settings *settings, struct problem *problem)
{
    char name[64], path[PATH_MAX];
    struct problem said = *problem;
    size_t length = strcspn(said.text, ":"), line;
    if (length >= sizeof name)
        return;
    memcpy(name, said.text, length);
    name[length] = '\0';
    for (size_t i = 0; i < settings->pair_count; i++) {
        const char *pair = settings->pairs[i] + strspn(settings->pairs[i], " \t");
        if (strncmp(pair, name, length) == 0 && strchr(" \t=", pair[length])) {
            problem_set(problem, said.error, "--set: %.500s", said.text);
            return;
        }
    }
    if (settings->file)
        snprintf(path, sizeof path, "%s", settings->file);
    else if (file_path(path, sizeof path, settings->dir, "node.ini", NULL))
        return;
    if ((line = config_line(path, name)) > 0)
        problem_set(problem, said.error, "%.120s:%zu: %.380s", path, line, said.text);
}

/* 0 to 2 are open from the start, so that no file of the node's is ever taken for its log. */
static void hold_standard_streams(void)
{
    int file;
    do
        file = open("/dev/null", O_RDWR);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0)
        close(file);
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
    if (outcome == NODE_WRONG)
        say_where(settings, problem);
    if (outcome)
        return outcome;
    outcome = node_run(node, problem);
    if (outcome)
        log_write(log, LOG_ERROR, "%s", problem->text);
    problem->text[0] = '\0';
    bool saved, freed = node_close(&node, &saved);
    if (!saved && outcome == NODE_ENDED)
        outcome = NODE_FAILED;
    if (!freed)
        _exit((int)outcome); /* the trainer's thread still runs: all that can be saved is */
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
    hold_standard_streams();
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
