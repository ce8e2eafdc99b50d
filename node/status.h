/* status — what a node tells about itself, as JSON: the answers of the control socket.
 *
 * Names are in starling-node(1); null stands for what is not known.
 */
#ifndef STARLING_STATUS_H
#define STARLING_STATUS_H

#include <jansson.h>

#include "node/node.h"
#include "node/store.h"

/* Each is the caller's reference; NULL when memory is out. */
json_t *status_json(const struct node *node);
json_t *peers_json(const struct node *node);
json_t *history_json(const struct history_row *rows, size_t count);

/* "awaiting membership", "waiting", "alone" or "learning". */
const char *status_state(const struct node *node);

#endif
