/* starlingctl — creates swarms and nodes, and asks running ones how they are. */
#include "node/ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/nearest.h"
#include "node/files.h"

static const struct ctl_command *const commands[] = {
    &ctl_swarm_create, &ctl_swarm_admit, &ctl_init,     &ctl_accept, &ctl_status,
    &ctl_peers,        &ctl_history,     &ctl_conclude, &ctl_stop,
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static const char help[] =
    "starlingctl - makes swarms and nodes, and asks running nodes how they are\n"
    "\n"
    "  starlingctl init                            a node that is a swarm of its own\n"
    "  starlingctl swarm admit ~/swarm alice.pub   lets a node into a swarm\n"
    "  starlingctl status                          how the node is doing\n"
    "\n"
    "usage: starlingctl [--dir DIR] [--json] COMMAND [ARGUMENTS]\n"
    "\n"
    "A swarm's authority\n"
    "  swarm create DIR            a new swarm: its key, to be kept offline\n"
    "  swarm admit DIR NODE.pub... a certificate beside each NODE.pub (90 days)\n"
    "\n"
    "A node\n"
    "  init                        a new node folder: keys, node.pub, node.ini\n"
    "  accept FILE                 takes a certificate in; the node may be running\n"
    "\n"
    "A running node\n"
    "  status                      one screen: model, accuracy, trend, traffic\n"
    "  peers                       a row for each peer\n"
    "  history                     evaluations over time\n"
    "  conclude                    learns no more: averages, and then serves\n"
    "  stop                        saves and ends\n"
    "\n"
    "Options\n"
    "  --dir DIR    its folder ($XDG_STATE_HOME/starling or ~/.local/state/starling)\n"
    "  --json       results as JSON\n"
    "  --help       this, or COMMAND --help\n"
    "  --version\n"
    "\n"
    "Exit: 0 done, 1 failed, 2 wrong usage, 3 no node answers.\n"
    "Manual: starlingctl(1)\n";

void ctl_print_json(json_t *value)
{
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    printf("\n");
    json_decref(value);
}

static enum outcome default_dir(struct ctl *ctl)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/')
        return ctl_path(ctl, state, "starling", ctl->dir);
    if (home && *home)
        return ctl_path(ctl, home, ".local/state/starling", ctl->dir);
    return ctl_fail(ctl, OUTCOME_USAGE, "--dir: HOME is not set: name the node's folder");
}

/* What stands anywhere on the line: it is taken out, and the rest is moved together. */
struct common {
    const char *dir;
    bool help, version;
};

static enum outcome take_common(struct ctl *ctl, int *count, char **arguments,
                                struct common *common)
{
    int kept = 0;
    for (int i = 0; i < *count; i++) {
        char *text = arguments[i];
        if (!strcmp(text, "--")) {
            while (i < *count)
                arguments[kept++] = arguments[i++];
        } else if (!strcmp(text, "--json")) {
            ctl->json = true;
        } else if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
            common->help = true;
        } else if (!strcmp(text, "--version")) {
            common->version = true;
        } else if (!strncmp(text, "--dir=", 6)) {
            common->dir = text + 6;
        } else if (!strcmp(text, "--dir")) {
            if (++i == *count)
                return ctl_fail(ctl, OUTCOME_USAGE, "--dir: its value is missing: name a folder");
            common->dir = arguments[i];
        } else {
            arguments[kept++] = text;
        }
    }
    *count = kept;
    arguments[kept] = NULL;
    return OUTCOME_DONE;
}

/* The command that the first words name; *words of them. */
static const struct ctl_command *find(int count, char **arguments, int *words)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        const char *space = strchr(commands[i]->name, ' ');
        size_t first = space ? (size_t)(space - commands[i]->name) : strlen(commands[i]->name);
        bool same = count > 0 && strlen(arguments[0]) == first &&
                    !strncmp(arguments[0], commands[i]->name, first);
        if (same && !space) {
            *words = 1;
            return commands[i];
        }
        if (same && count > 1 && !strcmp(arguments[1], space + 1)) {
            *words = 2;
            return commands[i];
        }
    }
    return NULL;
}

static enum outcome unknown(struct ctl *ctl, int count, char **arguments)
{
    const char *names[COMMANDS];
    char said[80];
    if (count == 0)
        return ctl_fail(ctl, OUTCOME_USAGE, "a command is missing: see starlingctl --help");
    bool swarm = !strcmp(arguments[0], "swarm");
    if (swarm && count == 1)
        return ctl_fail(ctl, OUTCOME_USAGE, "swarm: say what to do: swarm create or swarm admit");
    if (!strncmp(arguments[0], "--", 2) && arguments[0][2]) {
        const char *operands[1];
        size_t operand_count;
        return ctl_arguments(ctl, 1, arguments, NULL, operands, &operand_count);
    }
    if (arguments[0][0] == '-')
        return ctl_fail(ctl, OUTCOME_USAGE, "%.60s: no such option: see starlingctl --help",
                        arguments[0]);
    snprintf(said, sizeof said, swarm ? "%.20s %.40s" : "%.40s", arguments[0],
             count > 1 ? arguments[1] : "");
    for (size_t i = 0; i < COMMANDS; i++)
        names[i] = commands[i]->name;
    const char *near = nearest_word(said, names, COMMANDS);
    if (near)
        return ctl_fail(ctl, OUTCOME_USAGE, "%s: no such command: did you mean %s?", said, near);
    return ctl_fail(ctl, OUTCOME_USAGE, "%s: no such command: see starlingctl --help", said);
}

static enum outcome run(struct ctl *ctl, int count, char **arguments)
{
    struct common common = {0};
    int words = 0;
    enum outcome outcome = take_common(ctl, &count, arguments, &common);
    if (outcome)
        return outcome;
    if (common.version) {
        printf("starlingctl %s\n", PACKAGE_VERSION);
        return OUTCOME_DONE;
    }
    const struct ctl_command *command = find(count, arguments, &words);
    if (common.help && (command || count == 0)) {
        fputs(command ? command->help : help, stdout);
        return OUTCOME_DONE;
    }
    if (!command)
        return unknown(ctl, count, arguments);
    if (common.dir && !*common.dir)
        return ctl_fail(ctl, OUTCOME_USAGE, "--dir: is empty: name a folder");
    if (common.dir && snprintf(ctl->dir, sizeof ctl->dir, "%s", common.dir) >= PATH_MAX)
        return ctl_fail(ctl, OUTCOME_USAGE, "--dir: is too long: choose a shorter folder");
    if (!common.dir)
        outcome = default_dir(ctl);
    return outcome ? outcome : command->run(ctl, count - words, arguments + words);
}

int main(int count, char **arguments)
{
    static struct ctl ctl;
    enum outcome outcome = run(&ctl, count - 1, arguments + 1);
    if (!outcome && (fflush(stdout) || ferror(stdout)))
        outcome = ctl_fail(&ctl, OUTCOME_FAILED, "the result cannot be written: is the disk full?");
    if (outcome)
        fprintf(stderr, "starlingctl: %s\n", ctl.problem.text);
    return (int)outcome;
}
