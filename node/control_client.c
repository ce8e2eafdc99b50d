#include "node/control_client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BYTES_MAX (UINT64_C(1) << 33) /* the raw bytes behind an answer: a model and more */

struct control_client {
    int socket;
    int timeout_ms;
    size_t used; /* bytes in `line`: an answer, and what was read beyond it */
    char *line;  /* CONTROL_LINE_MAX */
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
};

static enum starling_error silent(const struct control_client *client, const char *what,
                                  struct problem *problem)
{
    return problem_set(problem, STARLING_FAILED,
                       "%s: the node %s: see its log, or end it and start it again", client->path,
                       what);
}

static struct control_client *allocate(const char *path, int timeout_ms, struct problem *problem)
{
    struct control_client *client = calloc(1, sizeof *client);
    if (client)
        client->line = malloc(CONTROL_LINE_MAX);
    if (!client || !client->line) {
        free(client);
        problem_no_memory(problem, "the control connection");
        return NULL;
    }
    client->socket = -1;
    client->timeout_ms = timeout_ms;
    strcpy(client->path, path);
    return client;
}

struct control_client *control_connect(const char *socket_path, int timeout_ms,
                                       struct problem *problem)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(socket_path) >= sizeof address.sun_path) {
        problem_set(problem, STARLING_INVALID,
                    "%.200s: a socket's path has at most %zu characters: set control.socket to a "
                    "shorter one",
                    socket_path, sizeof address.sun_path - 1);
        return NULL;
    }
    strcpy(address.sun_path, socket_path);
    struct control_client *client = allocate(socket_path, timeout_ms, problem);
    if (!client)
        return NULL;
    client->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* A Unix socket connects at once or not at all; EAGAIN is a full backlog. */
    if (client->socket < 0 ||
        connect(client->socket, (struct sockaddr *)&address, sizeof address)) {
        int reason = errno;
        if (reason == ENOENT || reason == ECONNREFUSED || reason == ENOTDIR)
            problem_set(problem, STARLING_FAILED,
                        "%s: no node answers: start starling-node, or name its folder with --dir",
                        socket_path);
        else
            problem_set(problem, STARLING_FAILED, "%s: no node answers: %s", socket_path,
                        strerror(reason));
        control_disconnect(&client);
    }
    return client;
}

void control_disconnect(struct control_client **client)
{
    struct control_client *ours = *client;
    *client = NULL;
    if (!ours)
        return;
    if (ours->socket >= 0)
        close(ours->socket);
    free(ours->line);
    free(ours);
}

/* Waits until the socket is ready; false when the time is up. */
static bool ready(const struct control_client *client, short events)
{
    struct pollfd wait = {.fd = client->socket, .events = events};
    int result;
    do
        result = poll(&wait, 1, client->timeout_ms);
    while (result < 0 && errno == EINTR);
    return result > 0;
}

static enum starling_error send_all(struct control_client *client, const char *bytes, size_t size,
                                    struct problem *problem)
{
    while (size > 0) {
        ssize_t done = send(client->socket, bytes, size, MSG_NOSIGNAL);
        if (done >= 0) {
            bytes += done;
            size -= (size_t)done;
        } else if (errno == EAGAIN) {
            if (!ready(client, POLLOUT))
                return silent(client, "does not listen", problem);
        } else if (errno != EINTR) {
            return silent(client, "hung up", problem);
        }
    }
    return STARLING_OK;
}

/* Reads some bytes; *got is at least 1 when all is well. */
static enum starling_error receive(struct control_client *client, void *bytes, size_t most,
                                   size_t *got, struct problem *problem)
{
    for (;;) {
        ssize_t count = recv(client->socket, bytes, most, 0);
        if (count > 0) {
            *got = (size_t)count;
            return STARLING_OK;
        }
        if (count == 0 || (errno != EAGAIN && errno != EINTR))
            return silent(client, "hung up without an answer", problem);
        if (errno == EAGAIN && !ready(client, POLLIN))
            return silent(client, "does not answer in time", problem);
    }
}

/* Reads until a line is whole; its length without the newline goes to *length. */
static enum starling_error receive_line(struct control_client *client, size_t *length,
                                        struct problem *problem)
{
    size_t searched = 0;
    for (;;) {
        char *newline = memchr(client->line + searched, '\n', client->used - searched);
        if (newline) {
            *length = (size_t)(newline - client->line);
            return STARLING_OK;
        }
        searched = client->used;
        if (client->used == CONTROL_LINE_MAX)
            return silent(client, "answers more than a line may hold", problem);
        size_t got = 0;
        enum starling_error error = receive(client, client->line + client->used,
                                            CONTROL_LINE_MAX - client->used, &got, problem);
        if (error)
            return error;
        client->used += got;
    }
}

/* The raw bytes behind an answer; memory grows with what arrives, not with what is promised. */
static enum starling_error receive_bytes(struct control_client *client, size_t size,
                                         unsigned char **bytes, struct problem *problem)
{
    size_t used = client->used < size ? client->used : size, room = used > 65536 ? used : 65536;
    unsigned char *taken = malloc(room);
    if (!taken)
        return problem_no_memory(problem, "the node's answer");
    memcpy(taken, client->line, used);
    memmove(client->line, client->line + used, client->used - used);
    client->used -= used;
    while (used < size) {
        if (used == room) {
            room = room < size / 2 ? room * 2 : size;
            unsigned char *larger = realloc(taken, room);
            if (!larger) {
                free(taken);
                return problem_no_memory(problem, "the node's answer");
            }
            taken = larger;
        }
        size_t got = 0, most = room < size ? room : size;
        enum starling_error error = receive(client, taken + used, most - used, &got, problem);
        if (error) {
            free(taken);
            return error;
        }
        used += got;
    }
    *bytes = taken;
    return STARLING_OK;
}

static json_t *receive_answer(struct control_client *client, struct problem *problem)
{
    size_t length = 0;
    json_error_t wrong;
    if (receive_line(client, &length, problem))
        return NULL;
    json_t *answer = json_loadb(client->line, length, 0, &wrong);
    client->used -= length + 1;
    memmove(client->line, client->line + length + 1, client->used);
    if (!json_is_object(answer)) {
        silent(client, "does not answer in JSON", problem);
        json_decref(answer);
        return NULL;
    }
    if (json_is_true(json_object_get(answer, "ok")))
        return answer;
    const char *said = json_string_value(json_object_get(answer, "error"));
    problem_set(problem, STARLING_INVALID, "%s", said ? said : "the node refused without a reason");
    json_decref(answer);
    return NULL;
}

json_t *control_ask(struct control_client *client, json_t *request, unsigned char **bytes,
                    size_t *size, struct problem *problem)
{
    if (bytes) {
        *bytes = NULL;
        *size = 0;
    }
    char *text = json_dumps(request, JSON_COMPACT);
    if (!text) {
        problem_no_memory(problem, "the request");
        return NULL;
    }
    size_t length = strlen(text);
    text[length] = '\n'; /* in place of the NUL: the length is known */
    enum starling_error error = send_all(client, text, length + 1, problem);
    free(text);
    if (error)
        return NULL;
    json_t *answer = receive_answer(client, problem);
    json_int_t promised = json_integer_value(json_object_get(answer, "bytes"));
    if (!answer || promised == 0 || !json_is_integer(json_object_get(answer, "bytes")))
        return answer;
    unsigned char *taken = NULL;
    if (promised < 0 || (uint64_t)promised > BYTES_MAX)
        error = silent(client, "promises more bytes than make sense", problem);
    else
        error = receive_bytes(client, (size_t)promised, &taken, problem);
    if (error) {
        json_decref(answer);
        return NULL;
    }
    if (bytes) {
        *bytes = taken;
        *size = (size_t)promised;
    } else {
        free(taken);
    }
    return answer;
}
