#include "node/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "node/control_client.h"
#include "node/text.h"

#define READ_BYTES 4096
#define PENDING_MAX 16 /* clients that wait to be accepted */

struct buffer {
    unsigned char *bytes;
    size_t size, capacity;
};

struct client {
    int fd; /* -1: gone */
    uint64_t heard_us;
    struct buffer in;  /* not yet answered */
    struct buffer out; /* a line, and perhaps bytes after it */
    unsigned char *tail;
    size_t tail_size, sent;
    bool ended; /* nothing more is read: closed once what came before is answered and sent */
};

struct control {
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    int fd;
    control_function *function;
    void *self;
    size_t count;
    struct client *clients[CONTROL_CLIENTS_MAX];
};

static bool set_address(const char *path, struct sockaddr_un *address, struct problem *problem)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strlen(path) < sizeof address->sun_path) {
        memcpy(address->sun_path, path, strlen(path));
        return true;
    }
    problem_set(
        problem, STARLING_INVALID,
        "%s: too long for a socket's path (%zu characters at most): set control.socket to a "
        "shorter one",
        path, sizeof address->sun_path - 1);
    return false;
}

/* A file that a node left behind when it was killed is removed; anything else is not ours. */
static bool clear_place(const struct sockaddr_un *address, struct problem *problem)
{
    struct stat about;
    if (lstat(address->sun_path, &about))
        return true;
    if (!S_ISSOCK(about.st_mode)) {
        problem_set(problem, STARLING_INVALID,
                    "%s: is there and is no socket: remove it or set control.socket",
                    address->sun_path);
        return false;
    }
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool answered =
        probe >= 0 &&
        (connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN);
    if (probe >= 0)
        close(probe);
    if (answered) {
        problem_set(problem, STARLING_FAILED,
                    "%s: another node answers there: stop it, or choose another --dir",
                    address->sun_path);
        return false;
    }
    unlink(address->sun_path);
    return true;
}

struct control *control_open(const char *path, control_function *function, void *self,
                             struct problem *problem)
{
    struct sockaddr_un address;
    if (!set_address(path, &address, problem) || !clear_place(&address, problem))
        return NULL;
    struct control *control = calloc(1, sizeof *control);
    if (!control) {
        problem_no_memory(problem, "the control socket");
        return NULL;
    }
    *control = (struct control){.function = function, .self = self};
    memcpy(control->path, address.sun_path, sizeof control->path);
    control->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0177); /* so that nobody else can connect, not even at first */
    bool bound =
        control->fd >= 0 && bind(control->fd, (struct sockaddr *)&address, sizeof address) == 0;
    int error = errno;
    umask(before);
    if (bound && listen(control->fd, PENDING_MAX) == 0)
        return control;
    problem_set(problem, STARLING_FAILED, "%s: cannot listen there: %s: set control.socket", path,
                strerror(bound ? errno : error));
    if (control->fd >= 0)
        close(control->fd);
    free(control);
    return NULL;
}

static void client_free(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    free(client->in.bytes);
    free(client->out.bytes);
    free(client->tail);
    free(client);
}

static bool append(struct buffer *buffer, const void *bytes, size_t size)
{
    if (size > buffer->capacity - buffer->size) {
        size_t capacity = 2 * (buffer->size + size);
        unsigned char *grown = realloc(buffer->bytes, capacity);
        if (!grown)
            return false;
        buffer->bytes = grown;
        buffer->capacity = capacity;
    }
    if (size > 0)
        memcpy(buffer->bytes + buffer->size, bytes, size);
    buffer->size += size;
    return true;
}

static size_t unsent(const struct client *client)
{
    return client->out.size + client->tail_size - client->sent;
}

/* As much as the socket takes. */
static void client_send(struct client *client)
{
    while (client->fd >= 0 && unsent(client) > 0) {
        bool head = client->sent < client->out.size;
        const unsigned char *from = head ? client->out.bytes + client->sent
                                         : client->tail + (client->sent - client->out.size);
        size_t size = head ? client->out.size - client->sent : unsent(client);
        ssize_t sent = send(client->fd, from, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (sent <= 0) {
            close(client->fd);
            client->fd = -1;
        } else {
            client->sent += (size_t)sent;
        }
    }
    free(client->tail);
    client->tail = NULL;
    client->out.size = client->tail_size = client->sent = 0;
}

void control_close(struct control **control)
{
    struct control *ours = *control;
    *control = NULL;
    if (!ours)
        return;
    for (size_t i = 0; i < ours->count; i++) {
        client_send(ours->clients[i]);
        client_free(ours->clients[i]);
    }
    close(ours->fd);
    unlink(ours->path);
    free(ours);
}

/* Queues an answer; takes its parts over. */
static void client_answer(struct client *client, struct control_answer *answer)
{
    json_t *line = answer->fields;
    if (line) {
        json_object_set_new(line, "ok", json_true());
        if (answer->bytes)
            json_object_set_new(line, "bytes", json_integer((json_int_t)answer->size));
    } else {
        text_make_utf8(answer->problem.text);
        line = json_pack("{s:b, s:s}", "ok", 0, "error", answer->problem.text);
    }
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    json_decref(line);
    if (!text || !append(&client->out, text, strlen(text)) || !append(&client->out, "\n", 1)) {
        client->ended = true; /* out of memory: a closed connection says so too */
        client->in.size = 0;
        free(answer->bytes);
    } else {
        client->tail = answer->bytes;
        client->tail_size = answer->bytes ? answer->size : 0;
    }
    free(text);
}

/* Takes the request over; NULL is none. */
static void answer_request(struct control *control, struct client *client, json_t *request)
{
    struct control_answer answer = {0};
    const char *command = json_string_value(json_object_get(request, "command"));
    if (command)
        control->function(control->self, command, request, &answer);
    else
        problem_set(&answer.problem, STARLING_INVALID,
                    "request: no JSON object with a \"command\": see docs/control.md");
    json_decref(request);
    client_answer(client, &answer);
}

/* Answers the next whole line, if there is one; the one before it must have been sent. */
static bool client_next(struct control *control, struct client *client)
{
    unsigned char *end =
        client->in.size > 0 ? memchr(client->in.bytes, '\n', client->in.size) : NULL;
    if (!end) {
        if (client->in.size > CONTROL_LINE_MAX) {
            struct control_answer answer = {0};
            problem_set(&answer.problem, STARLING_INVALID,
                        "request: longer than %d bytes: ask for less at a time", CONTROL_LINE_MAX);
            client->ended = true;
            client->in.size = 0;
            client_answer(client, &answer);
            return true;
        }
        return false;
    }
    size_t size = (size_t)(end - client->in.bytes);
    json_error_t error;
    json_t *request =
        json_loadb((const char *)client->in.bytes, size, JSON_REJECT_DUPLICATES, &error);
    client->in.size -= size + 1;
    memmove(client->in.bytes, end + 1, client->in.size);
    answer_request(control, client, request); /* may give up what else came in */
    return true;
}

/* Reads what is there, up to a line too many. */
static void client_read(struct client *client, uint64_t now_us)
{
    while (!client->ended && client->in.size <= CONTROL_LINE_MAX) {
        unsigned char bytes[READ_BYTES];
        ssize_t got = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0 || !append(&client->in, bytes, (size_t)got)) {
            client->ended = true;
            return;
        }
        client->heard_us = now_us;
    }
}

static void client_work(struct control *control, struct client *client, uint64_t now_us)
{
    client_send(client);
    if (client->fd >= 0 && unsent(client) == 0)
        client_read(client, now_us);
    while (client->fd >= 0 && unsent(client) == 0 && client_next(control, client))
        client_send(client);
    bool over = client->ended && unsent(client) == 0;
    if (client->fd >= 0 && (over || now_us - client->heard_us > CONTROL_QUIET_US)) {
        close(client->fd);
        client->fd = -1;
    }
}

static void accept_clients(struct control *control, uint64_t now_us)
{
    while (control->count < CONTROL_CLIENTS_MAX) {
        int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
            return;
        struct client *client = calloc(1, sizeof *client);
        if (!client) {
            close(fd);
            return;
        }
        client->fd = fd;
        client->heard_us = now_us;
        control->clients[control->count++] = client;
    }
}

size_t control_poll(const struct control *control, zmq_pollitem_t *items)
{
    size_t count = 0;
    if (control->count < CONTROL_CLIENTS_MAX)
        items[count++] = (zmq_pollitem_t){.fd = control->fd, .events = ZMQ_POLLIN};
    for (size_t i = 0; i < control->count; i++) {
        const struct client *client = control->clients[i];
        short events = unsent(client) > 0 ? ZMQ_POLLOUT : ZMQ_POLLIN;
        items[count++] = (zmq_pollitem_t){.fd = client->fd, .events = events};
    }
    return count;
}

uint64_t control_deadline(const struct control *control)
{
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < control->count; i++)
        if (control->clients[i]->heard_us + CONTROL_QUIET_US + 1 < first)
            first = control->clients[i]->heard_us + CONTROL_QUIET_US + 1;
    return first;
}

void control_work(struct control *control, uint64_t now_us)
{
    accept_clients(control, now_us);
    for (size_t i = 0; i < control->count;) {
        client_work(control, control->clients[i], now_us);
        if (control->clients[i]->fd >= 0) {
            i++;
            continue;
        }
        client_free(control->clients[i]);
        control->clients[i] = control->clients[--control->count];
    }
}
