/* control_client — asking a running node over its local socket.
 *
 * A Unix stream socket in the node's folder. A request is one line of JSON, {"command":"status",…};
 * the answer one line of JSON, {"ok":true,…} or {"ok":false,"error":"…"}; an answer with "bytes":N
 * is followed by N raw bytes. Commands and answers are in docs/control.md.
 */
#ifndef STARLING_CONTROL_CLIENT_H
#define STARLING_CONTROL_CLIENT_H

#include <jansson.h>
#include <stddef.h>

#include "model/problem.h"

#define CONTROL_LINE_MAX 1048576

struct control_client;

/* Connects, waiting up to timeout_ms for each step. NULL: no node answers there. */
struct control_client *control_connect(const char *socket_path, int timeout_ms,
                                       struct problem *problem);
void control_disconnect(struct control_client **client);

/* Sends `request` (borrowed) and returns the answer (the caller's reference) when it is ok, else
 * NULL with the node's own words in `problem`. When the answer has bytes and `bytes` is not NULL,
 * *bytes is malloc'ed and the caller's. */
json_t *control_ask(struct control_client *client, json_t *request, unsigned char **bytes,
                    size_t *size, struct problem *problem);

#endif
