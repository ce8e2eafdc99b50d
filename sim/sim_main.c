/* starling-sim — gossip learning on one machine: in virtual time, or with real nodes. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "node/config.h"
#include "sim/allocator.h"
#include "sim/compare.h"
#include "sim/describe.h"
#include "sim/past.h"
#include "sim/report.h"
#include "sim/resume.h"
#include "sim/run.h"
#include "sim/sim_help.h"
#include "sim/sweep.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    if (interrupted && number == SIGINT) /* asked twice: rows that were written are on disk */
        _exit(EXIT_INTERRUPTED);
    interrupted = 1;
}

static const char *const commands[] = {"run", "live", "sweep", "data", "compare", "report", NULL};

enum option_key {
    KEY_SETTING = 1000, /* an option that is one setting: KEY_SETTING + its place below */
    KEY_OUT = 2000,
    KEY_WIRE,
    KEY_FORCE,
    KEY_RESUME,
    KEY_JSON,
    KEY_QUIET,
    KEY_WATCH,
    KEY_SET,
    KEY_SETTINGS,
    KEY_VARY,
    KEY_SEEDS,
    KEY_JOBS,
    KEY_AT,
    KEY_VERSION,
};

static const char *const settings[] = {
    "sim.nodes",  "sim.rounds",    "sim.seed",     "sim.threads", "task.data",
    "task.model", "sim.partition", "sim.baseline", "sim.samples", "task.scale",
};

static const struct option options[] = {
    {"nodes", required_argument, NULL, KEY_SETTING + 0},
    {"rounds", required_argument, NULL, KEY_SETTING + 1},
    {"seed", required_argument, NULL, KEY_SETTING + 2},
    {"threads", required_argument, NULL, KEY_SETTING + 3},
    {"data", required_argument, NULL, KEY_SETTING + 4},
    {"model", required_argument, NULL, KEY_SETTING + 5},
    {"partition", required_argument, NULL, KEY_SETTING + 6},
    {"baseline", required_argument, NULL, KEY_SETTING + 7},
    {"samples", required_argument, NULL, KEY_SETTING + 8},
    {"scale", required_argument, NULL, KEY_SETTING + 9},
    {"out", required_argument, NULL, KEY_OUT},
    {"wire", no_argument, NULL, KEY_WIRE},
    {"force", no_argument, NULL, KEY_FORCE},
    {"resume", required_argument, NULL, KEY_RESUME},
    {"json", no_argument, NULL, KEY_JSON},
    {"quiet", no_argument, NULL, KEY_QUIET},
    {"watch", no_argument, NULL, KEY_WATCH},
    {"set", required_argument, NULL, KEY_SET},
    {"settings", no_argument, NULL, KEY_SETTINGS},
    {"vary", required_argument, NULL, KEY_VARY},
    {"seeds", required_argument, NULL, KEY_SEEDS},
    {"jobs", required_argument, NULL, KEY_JOBS},
    {"at", required_argument, NULL, KEY_AT},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, KEY_VERSION},
    {NULL, 0, NULL, 0},
};

#define SHORT_OPTIONS ":h"

static int fail(int status, const char *text)
{
    fprintf(stderr, "starling-sim: %s\n", text);
    return status;
}

/* getopt_long said '?': optopt is 0 for an unknown long option, the letter of an unknown short one,
 * and the key of a known one that was given a value it does not take. */
static int wrong_option(const char *word)
{
    const char *names[sizeof options / sizeof options[0]] = {NULL};
    for (size_t i = 0; options[i].name; i++)
        names[i] = options[i].name;
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *nearest = config_nearest(name + strspn(name, "-"), names);
    if (optopt == 'h' || optopt >= KEY_SETTING)
        fprintf(stderr, "starling-sim: %s: takes no value: write it without =\n", name);
    else if (optopt)
        fprintf(stderr, "starling-sim: -%c: no such option: see starling-sim --help\n", optopt);
    else if (nearest)
        fprintf(stderr, "starling-sim: %s: no such option: did you mean --%s?\n", name, nearest);
    else
        fprintf(stderr, "starling-sim: %s: no such option: see starling-sim --help\n", name);
    return EXIT_USAGE;
}

enum command {
    COMMAND_RUN,
    COMMAND_LIVE,
    COMMAND_SWEEP,
    COMMAND_DATA,
    COMMAND_COMPARE,
    COMMAND_REPORT
};

/* All that a command line says. */
struct wanted {
    enum command command;
    struct config config;
    struct run_options run;
    struct sweep_plan plan;
    size_t jobs;
    const char *file; /* NULL: none */
    char **dirs;      /* of compare and report */
    size_t dir_count;
};

/* What was made is looked at: no settings. */
static bool is_of_past(enum command command, int key)
{
    return key == 'h' || key == KEY_VERSION || key == KEY_SETTINGS ||
           (command == COMMAND_COMPARE && (key == KEY_OUT || key == KEY_JSON || key == KEY_FORCE));
}

/* What there is to say of data needs no model, no time and no folder. */
static bool is_of_data(int key)
{
    static const char *const names[] = {"sim.nodes",     "sim.seed",    "task.data",
                                        "sim.partition", "sim.samples", "task.scale"};
    for (size_t i = 0; i < sizeof names / sizeof *names && key >= KEY_SETTING && key < KEY_OUT; i++)
        if (strcmp(settings[key - KEY_SETTING], names[i]) == 0)
            return true;
    return key == 'h' || key == KEY_JSON || key == KEY_SET || key == KEY_SETTINGS ||
           key == KEY_VERSION;
}

#define JOBS_MAX 1024

static enum starling_error read_jobs(const char *text, size_t *jobs, struct problem *problem)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || number < 1 || number > JOBS_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "--jobs: \"%.40s\": write a whole number from 1 to %d", text, JOBS_MAX);
    *jobs = number;
    return STARLING_OK;
}

/* The options of a sweep. */
static enum starling_error read_sweep_option(int key, struct wanted *wanted,
                                             struct problem *problem)
{
    if (wanted->command != COMMAND_SWEEP)
        return problem_set(problem, STARLING_INVALID,
                           "--%s: is for many runs: use starling-sim sweep",
                           key == KEY_VARY    ? "vary"
                           : key == KEY_SEEDS ? "seeds"
                           : key == KEY_AT    ? "at"
                                              : "jobs");
    switch (key) {
    case KEY_VARY:
        return sweep_plan_vary(&wanted->plan, optarg, problem);
    case KEY_SEEDS:
        return sweep_plan_seeds(&wanted->plan, optarg, problem);
    case KEY_AT:
        return sweep_plan_at(&wanted->plan, optarg, problem);
    default:
        return read_jobs(optarg, &wanted->jobs, problem);
    }
}

/* Reads the flags over the file; -1: go on, else the exit status. */
static int read_options(int argc, char **argv, struct wanted *wanted, struct problem *problem)
{
    int key;
    optind = 1;
    opterr = 0;
    while ((key = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL)) != -1) {
        const char *option = argv[optind - 1];
        enum starling_error error = STARLING_OK;
        if (key == ':') {
            fprintf(stderr, "starling-sim: %s: needs a value: see starling-sim --help\n", option);
            return EXIT_USAGE;
        }
        if (key == '?')
            return wrong_option(option);
        if (wanted->command == COMMAND_DATA && !is_of_data(key))
            return fail(EXIT_USAGE, "data: takes --data, --partition, --samples, --scale, --nodes, "
                                    "--seed, --set and --json: leave out what a run needs");
        if (wanted->command == COMMAND_COMPARE && !is_of_past(wanted->command, key))
            return fail(EXIT_USAGE, "compare: takes folders of runs, --out, --force and --json: "
                                    "leave out what a run needs");
        if (wanted->command == COMMAND_REPORT && !is_of_past(wanted->command, key))
            return fail(EXIT_USAGE, "report: takes the folder of a run and nothing else: leave the "
                                    "options out");
        if (key == 'h') {
            sim_help(stdout);
            return EXIT_DONE;
        } else if (key == KEY_VERSION) {
            puts("starling-sim " PACKAGE_VERSION);
            return EXIT_DONE;
        } else if (key == KEY_SETTINGS) {
            config_help(stdout, "task learn gossip sim");
            return EXIT_DONE;
        } else if (key == KEY_OUT) {
            if (!*optarg)
                return fail(EXIT_USAGE, "--out: is empty: name a folder");
            wanted->run.out = optarg;
        } else if (key == KEY_WIRE) {
            wanted->config.sim.wire = true;
        } else if (key == KEY_FORCE) {
            wanted->run.force = true;
        } else if (key == KEY_RESUME) {
            if (wanted->command != COMMAND_RUN)
                return fail(EXIT_USAGE, "--resume: is for starling-sim run: a sweep goes on by "
                                        "itself, real nodes do not");
            if (!*optarg)
                return fail(EXIT_USAGE, "--resume: is empty: name the folder of a run");
            wanted->run.resume = optarg;
        } else if (key == KEY_JSON) {
            wanted->run.json = wanted->run.quiet = true;
        } else if (key == KEY_QUIET) {
            wanted->run.quiet = true;
        } else if (key == KEY_WATCH) {
            if (wanted->command == COMMAND_SWEEP)
                return fail(EXIT_USAGE, "--watch: is for one run: leave it out of a sweep");
            wanted->run.watch = true;
        } else if (key == KEY_SET) {
            error = config_set_pair(&wanted->config, optarg, "--set", problem);
        } else if (key >= KEY_VARY && key <= KEY_AT) {
            error = read_sweep_option(key, wanted, problem);
        } else {
            char where[32];
            snprintf(where, sizeof where, "--%s", options[key - KEY_SETTING].name);
            error =
                config_set(&wanted->config, settings[key - KEY_SETTING], optarg, where, problem);
        }
        if (error)
            return fail(EXIT_USAGE, problem->text);
    }
    return -1;
}

/* The folders of runs that were made. */
static int read_folders(int argc, char **argv, struct wanted *wanted, struct problem *problem)
{
    wanted->dirs = argv + optind;
    wanted->dir_count = (size_t)(argc - optind);
    if (wanted->command == COMMAND_REPORT && wanted->dir_count != 1)
        return fail(EXIT_USAGE, "report: name one folder of a run: starling-sim report runs/a");
    if (wanted->command == COMMAND_COMPARE && wanted->dir_count < 2)
        return fail(EXIT_USAGE, "compare: name two folders of runs or more: starling-sim compare "
                                "runs/a runs/b");
    return read_options(argc, argv, wanted, problem);
}

/* The settings of a run that goes on, and what may be said over them. */
static int read_resumed(int argc, char **argv, const char *dir, struct wanted *wanted,
                        struct problem *problem)
{
    static struct config had;
    if (optind < argc)
        return fail(EXIT_USAGE, "--resume: a run goes on with the settings it had: leave the "
                                "configuration file out");
    if (resume_settings(dir, &had, problem))
        return fail(EXIT_USAGE, problem->text);
    wanted->config = had;
    int status = read_options(argc, argv, wanted, problem);
    if (status < 0 && (wanted->run.force || wanted->run.out))
        return fail(EXIT_USAGE, "--resume: goes on in its own folder: leave --out and --force out");
    if (status < 0 && resume_check(dir, &had, &wanted->config, problem))
        return fail(EXIT_USAGE, problem->text);
    return status;
}

/* The configuration file comes before the flags, wherever it stands among them. */
static int read_arguments(int argc, char **argv, struct wanted *wanted, struct problem *problem)
{
    struct wanted scratch = *wanted;
    int status = read_options(argc, argv, &scratch, problem);
    sweep_plan_clear(&scratch.plan);
    if (status >= 0)
        return status;
    if (wanted->command == COMMAND_COMPARE || wanted->command == COMMAND_REPORT)
        return read_folders(argc, argv, wanted, problem);
    if (scratch.run.resume)
        return read_resumed(argc, argv, scratch.run.resume, wanted, problem);
    if (argc - optind > 1) {
        fprintf(stderr, "starling-sim: %s: one %s is enough: name one\n", argv[optind + 1],
                wanted->command == COMMAND_DATA ? "data set" : "configuration file");
        return EXIT_USAGE;
    }
    if (optind < argc && wanted->command == COMMAND_DATA && strchr(argv[optind], ':')) {
        if (config_set(&wanted->config, "task.data", argv[optind], "data", problem))
            return fail(EXIT_USAGE, problem->text);
    } else if (optind < argc) {
        wanted->file = argv[optind];
        if (config_load_beyond(&wanted->config, wanted->file, sweep_plan_take, &wanted->plan,
                               problem))
            return fail(EXIT_USAGE, problem->text);
    }
    return read_options(argc, argv, wanted, problem);
}

/* The flag that gave setting `name` last; NULL: none did. argv has been found sound before. */
static const char *flag_of(int argc, char **argv, const char *name)
{
    static char flag[32];
    size_t length = strlen(name);
    const char *found = NULL;
    int key;
    optind = 1;
    while ((key = getopt_long(argc, argv, SHORT_OPTIONS, options, NULL)) != -1) {
        const char *pair = optarg ? optarg + strspn(optarg, " \t") : "";
        if (key == KEY_SET && !strncmp(pair, name, length) && strchr(" \t=", pair[length])) {
            found = "--set";
        } else if (key >= KEY_SETTING && key < KEY_OUT &&
                   !strcmp(settings[key - KEY_SETTING], name)) {
            snprintf(flag, sizeof flag, "--%s", options[key - KEY_SETTING].name);
            found = flag;
        }
    }
    return found;
}

/* A setting may prove wrong long after it was read ("task.model: there is no model 'cnn'…"): the
 * flag, or the line of the file, that gave it is put in front. */
static void say_where(int argc, char **argv, const char *file, struct problem *problem)
{
    char name[64];
    struct problem said = *problem;
    size_t length = strcspn(said.text, ":"), line;
    if (length >= sizeof name)
        return;
    memcpy(name, said.text, length);
    name[length] = '\0';
    const char *flag = flag_of(argc, argv, name);
    if (flag)
        problem_set(problem, said.error, "%s: %.480s", flag, said.text);
    else if (file && (line = config_line(file, name)) > 0)
        problem_set(problem, said.error, "%.120s:%zu: %.380s", file, line, said.text);
}

static int read_command(const char *word, enum command *command)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(word, commands[i]) == 0) {
            *command = (enum command)i;
            return -1;
        }
    if (strcmp(word, "--version") == 0) {
        puts("starling-sim " PACKAGE_VERSION);
        return EXIT_DONE;
    }
    if (strcmp(word, "--settings") == 0) {
        config_help(stdout, "task learn gossip sim");
        return EXIT_DONE;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        sim_help(stdout);
        return EXIT_DONE;
    }
    const char *nearest = config_nearest(word, commands);
    if (nearest)
        fprintf(stderr, "starling-sim: %s: no such command: did you mean %s?\n", word, nearest);
    else
        fprintf(stderr,
                "starling-sim: %s: no such command: run, live, sweep, compare, report, data, or "
                "--help\n",
                word);
    return EXIT_USAGE;
}

/* 0 to 2 are open from the start, so that no file of the results is ever taken for stdout. */
static void hold_standard_streams(void)
{
    int file;
    do
        file = open("/dev/null", O_RDWR);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0)
        close(file);
}

/* Only a run has something to keep when it is interrupted. */
static void catch_signals(enum command command)
{
    struct sigaction action = {.sa_handler = interrupt};
    if (command == COMMAND_RUN || command == COMMAND_LIVE || command == COMMAND_SWEEP) {
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        sigaction(SIGHUP, &action, NULL); /* the terminal is gone: what there is, is kept */
    }
    /* A pipe that is gone and a file that may not grow are errors of the write, and told. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

/* One experiment; *interrupted: it has not all that it was to have. */
static enum starling_error do_run(struct wanted *wanted, bool *incomplete, struct problem *problem)
{
    bool complete = false;
    wanted->run.live = wanted->command == COMMAND_LIVE;
    if (sweep_plan_any(&wanted->plan) && !wanted->run.quiet)
        fprintf(stderr,
                "%s: holds a sweep: only its own settings are run; starling-sim sweep "
                "makes all\n",
                wanted->file);
    enum starling_error error = run_experiment(&wanted->config, &wanted->run, &complete, problem);
    *incomplete = !complete && interrupted;
    return error;
}

static enum starling_error do_sweep(struct wanted *wanted, bool *incomplete,
                                    struct problem *problem)
{
    const struct sweep_options sweep_options = {.force = wanted->run.force,
                                                .quiet = wanted->run.quiet,
                                                .json = wanted->run.json,
                                                .out = wanted->run.out,
                                                .file = wanted->file,
                                                .jobs = wanted->jobs,
                                                .interrupted = &interrupted};
    size_t failed = 0;
    enum starling_error error =
        sweep(&wanted->config, &wanted->plan, &sweep_options, &failed, problem);
    *incomplete = interrupted;
    if (!error && failed > 0 && !interrupted)
        error = problem_set(problem, STARLING_FAILED,
                            "sweep: %zu of %zu runs failed: mend what they say; the same command "
                            "makes them again",
                            failed, wanted->plan.run_count);
    return error;
}

static enum starling_error do_data(struct wanted *wanted, struct problem *problem)
{
    struct description description;
    enum starling_error error = description_make(&description, &wanted->config, problem);
    if (error)
        return error;
    bool complete = wanted->run.json ? describe_json(&description, stdout)
                                     : describe_print(&description, stdout);
    description_clear(&description);
    /* What cannot be written is told at the end, as for every command. */
    return complete || ferror(stdout) ? STARLING_OK
                                      : problem_no_memory(problem, "describing a data set");
}

static enum starling_error do_compare(struct wanted *wanted, struct problem *problem)
{
    const struct compare_options how = {
        .out = wanted->run.out, .force = wanted->run.force, .json = wanted->run.json};
    return compare(wanted->dirs, wanted->dir_count, &how, problem);
}

static enum starling_error do_report(struct wanted *wanted, struct problem *problem)
{
    struct past *past = past_read(wanted->dirs[0], true, problem);
    if (!past)
        return problem->error;
    const struct report report = past_report(past);
    enum starling_error error = report_save(&report, past->dir, problem);
    if (!error)
        printf("%s/report.html\n", past->dir);
    past_free(&past);
    return error;
}

static enum starling_error do_command(struct wanted *wanted, bool *incomplete,
                                      struct problem *problem)
{
    switch (wanted->command) {
    case COMMAND_DATA:
        return do_data(wanted, problem);
    case COMMAND_SWEEP:
        return do_sweep(wanted, incomplete, problem);
    case COMMAND_COMPARE:
        return do_compare(wanted, problem);
    case COMMAND_REPORT:
        return do_report(wanted, problem);
    case COMMAND_RUN:
    case COMMAND_LIVE:
    default:
        return do_run(wanted, incomplete, problem);
    }
}

int main(int argc, char **argv)
{
    static struct wanted wanted = {.run = {.interrupted = &interrupted}};
    hold_standard_streams();
    if (argc < 2)
        return fail(EXIT_USAGE, "a command is missing: run, live, sweep, compare, report, data, or "
                                "--help");
    int status = read_command(argv[1], &wanted.command);
    if (status >= 0)
        return status;
    struct problem problem = {0};
    config_defaults(&wanted.config);
    char *word = argv[1];
    argv[1] = argv[0];
    status = read_arguments(argc - 1, argv + 1, &wanted, &problem);
    if (status < 0 && sodium_init() < 0)
        status = fail(EXIT_FAILED, "libsodium does not start: check the installation");
    if (status >= 0) {
        sweep_plan_clear(&wanted.plan);
        return status;
    }
    argv[1] = word;
    if (wanted.command == COMMAND_RUN)
        allocator_prepare(wanted.config.sim.nodes, argv);
    argv[1] = argv[0];
    catch_signals(wanted.command);
    bool incomplete = false;
    enum starling_error error = do_command(&wanted, &incomplete, &problem);
    sweep_plan_clear(&wanted.plan);
    if (error == STARLING_INVALID)
        say_where(argc - 1, argv + 1, wanted.file, &problem);
    if (error)
        return fail(error == STARLING_INVALID ? EXIT_USAGE : EXIT_FAILED, problem.text);
    if (fflush(stdout) != 0 || ferror(stdout))
        return fail(EXIT_FAILED, "stdout: the result cannot be written: see that the disk or pipe "
                                 "takes it");
    return incomplete ? EXIT_INTERRUPTED : EXIT_DONE;
}
