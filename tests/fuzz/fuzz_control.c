/* Any bytes at the control socket, as one client would send them. Whatever was said, every answer
 * is one line of JSON with "ok". */
#include "tests/fuzz/fuzz.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "node/control.h"

/* Gives back what was asked, "bytes" included, so that an answer is as odd as its request. */
static void echo(void *self, const char *command, const json_t *request,
                 struct control_answer *answer)
{
    (void)self;
    must(json_is_object(request));
    answer->fields = json_pack("{s:s, s:O}", "command", command, "request", request);
    if (!answer->fields)
        problem_set(&answer->problem, STARLING_NO_MEMORY, "echo: no answer");
}

static void check_answers(char *answers, size_t size)
{
    for (char *line = answers, *end; line < answers + size; line = end + 1) {
        end = memchr(line, '\n', (size_t)(answers + size - line));
        must(end);
        json_t *answer = json_loadb(line, (size_t)(end - line), 0, NULL);
        must(json_is_boolean(json_object_get(answer, "ok")));
        json_decref(answer);
    }
}

static int call(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(strlen(path) < sizeof address.sun_path);
    strcpy(address.sun_path, path);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct control *control;
    static char answers[1 << 20];
    size_t answered = 0;
    const char *path = folder_file(fuzz_folder_once(), "control.sock");
    if (!control)
        control = control_open(path, echo, NULL, NULL);
    must(control);
    int fd = call(path);
    for (uint64_t now_us = 1; now_us <= 3; now_us++) {
        /* In two pieces, so that a line may arrive by halves. */
        size_t piece = now_us == 1 ? size / 2 : now_us == 2 ? size - size / 2 : 0;
        const uint8_t *from = now_us == 1 ? data : data + size / 2;
        if (now_us == 3)
            shutdown(fd, SHUT_WR);
        else if (piece > 0)
            (void)!send(fd, from, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
        control_work(control, now_us);
    }
    for (ssize_t got;
         (got = recv(fd, answers + answered, sizeof answers - answered, MSG_DONTWAIT)) > 0;) {
        answered += (size_t)got;
        control_work(control, 4);
    }
    check_answers(answers, answered);
    close(fd);
    control_work(control, 5);
    return 0;
}
