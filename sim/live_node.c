#include "sim/live_node.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/control_client.h"
#include "node/identity.h"

#define VALID_BEFORE_S 600
#define VALID_AFTER_S 86400
#define ANSWER_MS 5000
#define LOG_TAIL 512 /* bytes of a log that are searched for its last line */

enum starling_error live_node_make(struct live_node *node, size_t number, const char *dir,
                                   struct problem *problem)
{
    *node = (struct live_node){.number = number};
    if (asprintf(&node->dir, "%s/node-%zu", dir, number) < 0) {
        node->dir = NULL;
        return problem_no_memory(problem, "a node");
    }
    if (asprintf(&node->socket, "%s/control.sock", node->dir) < 0) {
        node->socket = NULL;
        return problem_no_memory(problem, "a node");
    }
    if (mkdir(node->dir, 0700) != 0)
        return problem_set(problem, STARLING_FAILED, "%s: cannot be made: %s", node->dir,
                           strerror(errno));
    return STARLING_OK;
}

void live_node_clear(struct live_node *node)
{
    free(node->dir);
    free(node->socket);
    node->dir = node->socket = NULL;
}

static enum starling_error write_config(const char *path, const struct config *config,
                                        struct problem *problem)
{
    FILE *file = fopen(path, "wxe");
    if (!file)
        return problem_set(problem, STARLING_FAILED, "%s: cannot be made: %s", path,
                           strerror(errno));
    enum starling_error error =
        config_write(config, "task learn gossip node", false, file, problem);
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    if (failed && error == STARLING_OK)
        error = problem_set(problem, STARLING_FAILED, "%s: cannot be written: %s", path,
                            strerror(errno));
    return error;
}

static enum starling_error write_membership(struct live_node *node, struct authority *authority,
                                            struct problem *problem)
{
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    int64_t now = (int64_t)time(NULL);
    char path[PATH_MAX];
    enum starling_error error =
        authority_admit(authority, &node->keys, ROLE_MEMBER, now - VALID_BEFORE_S,
                        now + VALID_AFTER_S, bytes, &size, NULL, problem);
    if (error != STARLING_OK)
        return error;
    snprintf(path, sizeof path, "%s/membership.cert", node->dir);
    error = certificate_write(path, bytes, size, problem);
    if (error != STARLING_OK)
        return error;
    snprintf(path, sizeof path, "%s/swarm.pub", node->dir);
    return swarm_write(path, authority_swarm(authority), problem);
}

enum starling_error live_node_equip(struct live_node *node, const struct config *config,
                                    struct authority *authority, struct problem *problem)
{
    struct identity *identity = identity_new(problem);
    if (!identity)
        return STARLING_NO_MEMORY;
    node->keys = identity->keys;
    enum starling_error error = identity_save(identity, node->dir, problem);
    identity_free(&identity);
    if (error == STARLING_OK)
        error = write_membership(node, authority, problem);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/node.ini", node->dir);
    return error == STARLING_OK ? write_config(path, config, problem) : error;
}

/* The first executable starling-node on PATH, or NULL. */
static char *search_path(void)
{
    const char *path = getenv("PATH");
    for (const char *next = path; next && *next;) {
        size_t length = strcspn(next, ":");
        char *program;
        if (length > 0 && asprintf(&program, "%.*s/starling-node", (int)length, next) >= 0) {
            if (access(program, X_OK) == 0)
                return program;
            free(program);
        }
        next += length + (next[length] == ':');
    }
    return NULL;
}

char *live_node_program(const char *given, struct problem *problem)
{
    char *program = NULL, own[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    if (given) {
        program = strdup(given);
    } else if (length > 0) {
        own[length] = '\0';
        *strrchr(own, '/') = '\0';
        if (asprintf(&program, "%s/starling-node", own) < 0)
            program = NULL;
    }
    if (!given && program && access(program, X_OK) != 0) {
        free(program);
        program = NULL;
    }
    if (!given && !program)
        program = search_path();
    if (program && access(program, X_OK) == 0)
        return program;
    problem_set(problem, STARLING_FAILED,
                "%s: cannot be run: build it beside starling-sim, or install it",
                program ? program : "starling-node");
    free(program);
    return NULL;
}

enum starling_error live_node_start(struct live_node *node, const char *program,
                                    struct problem *problem)
{
    char path[PATH_MAX], name[] = "starling-node", flag[] = "--dir";
    char *const arguments[] = {name, flag, node->dir, NULL};
    snprintf(path, sizeof path, "%s/node.log", node->dir);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int reason = log >= 0 ? process_start(&node->process, program, arguments, log, log) : errno;
    if (log >= 0)
        close(log);
    return reason ? problem_set(problem, STARLING_FAILED, "node %zu: cannot be started: %s",
                                node->number, strerror(reason))
                  : STARLING_OK;
}

bool live_node_gone(struct live_node *node)
{
    return process_gone(&node->process);
}

static void last_words(const struct live_node *node, char *words, size_t size)
{
    char path[PATH_MAX];
    words[0] = '\0';
    snprintf(path, sizeof path, "%s/node.log", node->dir);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return;
    process_last_words(file, words, size);
    close(file);
}

enum starling_error live_node_check(struct live_node *node, struct problem *problem)
{
    if (!live_node_gone(node))
        return STARLING_OK;
    char words[LOG_TAIL + 1], how[64];
    last_words(node, words, sizeof words);
    process_how(&node->process, how, sizeof how);
    return problem_set(problem, STARLING_FAILED, "node %zu: %s%s%s", node->number, how,
                       words[0] ? ": " : "", words);
}

json_t *live_node_ask(const struct live_node *node, json_t *request, unsigned char **bytes,
                      size_t *size, struct problem *problem)
{
    struct problem why = {0};
    struct control_client *client = control_connect(node->socket, ANSWER_MS, &why);
    json_t *answer = client && request ? control_ask(client, request, bytes, size, &why) : NULL;
    control_disconnect(&client);
    json_decref(request);
    if (!answer)
        problem_set(problem, why.error ? why.error : STARLING_FAILED, "node %zu: %.400s",
                    node->number, why.error ? why.text : "cannot be asked: out of memory");
    return answer;
}

double live_node_memory(const struct live_node *node)
{
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%ld/smaps_rollup", (long)node->process.id);
    FILE *file = fopen(path, "re");
    if (!file)
        return NAN;
    double total = 0, kib;
    bool known = false;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "Private_Clean: %lf", &kib) == 1 ||
            sscanf(line, "Private_Dirty: %lf", &kib) == 1) {
            total += 1024 * kib;
            known = true;
        }
    fclose(file);
    return known ? total : NAN;
}

void live_node_signal(const struct live_node *node, int number)
{
    process_signal(&node->process, number);
}
