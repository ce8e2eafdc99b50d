/* control — the server side of a node's local socket: lines of JSON in, lines of JSON out.
 *
 * For the person who runs the node: the socket is made with mode 0600. Requests and answers are in
 * docs/control.md, asking is in control_client.h. Never blocks; used by the reactor's thread alone.
 * At most CONTROL_CLIENTS_MAX at a time, each line at most CONTROL_LINE_MAX bytes, and who says
 * nothing for CONTROL_QUIET_US is sent away.
 */
#ifndef STARLING_CONTROL_H
#define STARLING_CONTROL_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "model/problem.h"

#define CONTROL_CLIENTS_MAX 16
#define CONTROL_QUIET_US UINT64_C(60000000)
#define CONTROL_ITEMS_MAX (CONTROL_CLIENTS_MAX + 1)

struct control_answer {
    json_t *fields;       /* taken over; "ok" is added. NULL: refused, with `problem` */
    unsigned char *bytes; /* malloc'ed, taken over; NULL: none. "bytes" is added */
    size_t size;
    struct problem problem;
};

/* Answers one request, which is an object. */
typedef void control_function(void *self, const char *command, const json_t *request,
                              struct control_answer *answer);

struct control;

/* A socket file that nobody answers at is replaced; one where somebody does is left alone, and
 * NULL returned. */
struct control *control_open(const char *path, control_function *function, void *self,
                             struct problem *problem);
/* Sends what can be sent at once, and removes the socket file. */
void control_close(struct control **control);

/* What to poll for: fills at most CONTROL_ITEMS_MAX items and returns how many. */
size_t control_poll(const struct control *control, zmq_pollitem_t *items);
/* When it wants control_work at the latest. */
uint64_t control_deadline(const struct control *control);
void control_work(struct control *control, uint64_t now_us);

#endif
