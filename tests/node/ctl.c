#include "tests/node/ctl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct folder ctl_folder;
struct ctl_outcome ctl_got;

int ctl_setup(void **state)
{
    (void)state;
    if (!getenv("STARLINGCTL"))
        return 0;
    if (folder_make(&ctl_folder))
        return -1;
    char program[PATH_MAX];
    if (!realpath(getenv("STARLINGCTL"), program))
        return -1;
    setenv("STARLINGCTL", program, 1);
    setenv("XDG_STATE_HOME", ctl_folder.path, 1);
    return chdir(ctl_folder.path);
}

int ctl_teardown(void **state)
{
    (void)state;
    if (getenv("STARLINGCTL"))
        folder_remove(&ctl_folder);
    return chdir("/");
}

void ctl_slurp(const char *name, char *into)
{
    long size = folder_read(&ctl_folder, name, into, OUTPUT_MAX - 1);
    into[size < 0 ? 0 : size] = '\0';
}

int ctl(const char *format, ...)
{
    char arguments[3000], line[9000];
    va_list list;
    if (!getenv("STARLINGCTL")) {
        print_message("STARLINGCTL is not set: skipped\n");
        skip();
    }
    va_start(list, format);
    vsnprintf(arguments, sizeof arguments, format, list);
    va_end(list);
    snprintf(line, sizeof line, "'%s' %s >'%s/out' 2>'%s/err'", getenv("STARLINGCTL"), arguments,
             ctl_folder.path, ctl_folder.path);
    int status = system(line);
    assert_true(WIFEXITED(status));
    ctl_got.exit = WEXITSTATUS(status);
    ctl_slurp("out", ctl_got.out);
    ctl_slurp("err", ctl_got.err);
    /* an error is one line on stderr, and says who speaks; a result leaves stderr alone */
    if (ctl_got.exit == 0)
        assert_string_equal(ctl_got.err, "");
    else if (strncmp(ctl_got.err, "starlingctl: ", 13) ||
             strchr(ctl_got.err, '\n') != ctl_got.err + strlen(ctl_got.err) - 1)
        fail_msg("%s: stderr is \"%s\"", arguments, ctl_got.err);
    return ctl_got.exit;
}

void ctl_done(const char *what)
{
    if (ctl_got.exit)
        fail_msg("exit %d: %s", ctl_got.exit, ctl_got.err);
    if (what && !strstr(ctl_got.out, what))
        fail_msg("\"%s\" is not in:\n%s", what, ctl_got.out);
}

void ctl_failed(int code, const char *said)
{
    if (ctl_got.exit != code || !strstr(ctl_got.err, said))
        fail_msg("exit %d (wanted %d): \"%s\" (wanted \"%s\")", ctl_got.exit, code, ctl_got.err,
                 said);
    assert_string_equal(ctl_got.out, "");
}

json_t *ctl_result(void)
{
    json_error_t error;
    json_t *value = json_loads(ctl_got.out, 0, &error);
    if (!value)
        fail_msg("no JSON: %s: %s", error.text, ctl_got.out);
    return value;
}

static void answer_one(struct played_node *node, int client)
{
    static _Thread_local char request[OUTPUT_MAX];
    size_t used = 0;
    while (used < sizeof request - 1 && (used == 0 || request[used - 1] != '\n')) {
        ssize_t size = recv(client, request + used, sizeof request - 1 - used, 0);
        if (size <= 0)
            break;
        used += (size_t)size;
    }
    request[used] = '\0';
    pthread_mutex_lock(&node->lock);
    strcpy(node->request, request);
    pthread_mutex_unlock(&node->lock);
    if (used > 0 && request[used - 1] == '\n' && !node->hang_up)
        (void)!send(client, node->answer, strlen(node->answer), MSG_NOSIGNAL);
}

const char *played_request(struct played_node *node)
{
    static char request[OUTPUT_MAX];
    pthread_mutex_lock(&node->lock);
    strcpy(request, node->request);
    pthread_mutex_unlock(&node->lock);
    return request;
}

static void *play(void *self)
{
    struct played_node *node = self;
    for (;;) {
        int client = accept(node->listener, NULL, NULL);
        if (client < 0)
            return NULL;
        char byte;
        bool asked = recv(client, &byte, 1, MSG_PEEK) == 1; /* or it only knocked */
        if (asked)
            answer_one(node, client);
        close(client);
        if (asked && node->stops) {
            close(node->listener);
            unlink(node->path);
            return NULL;
        }
    }
}

void played_begin(struct played_node *node, const char *dir, const char *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(node->path, sizeof node->path, "%s/%s/control.sock", ctl_folder.path, dir);
    snprintf(node->answer, sizeof node->answer, "%s\n", answer);
    assert_true(strlen(node->path) < sizeof address.sun_path);
    strcpy(address.sun_path, node->path);
    node->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(node->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(node->listener, 16), 0);
    assert_int_equal(pthread_mutex_init(&node->lock, NULL), 0);
    assert_int_equal(pthread_create(&node->thread, NULL, play, node), 0);
}

void played_end(struct played_node *node)
{
    if (!node->stops) {
        shutdown(node->listener, SHUT_RDWR);
        unlink(node->path);
    }
    pthread_join(node->thread, NULL);
    if (!node->stops)
        close(node->listener);
}
