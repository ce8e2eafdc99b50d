/* live_node — one starling-node process of a live run: its folder, its start, its control, its end.
 *
 * What it says goes to node.log in its folder; its last line becomes the reason when the node ends
 * by itself.
 */
#ifndef STARLING_LIVE_NODE_H
#define STARLING_LIVE_NODE_H

#include <jansson.h>
#include <stdbool.h>

#include "node/authority.h"
#include "node/config.h"
#include "sim/process.h"

struct live_node {
    size_t number;
    char *dir, *socket;
    struct public_keys keys;
    char endpoint[ENDPOINT_MAX]; /* "" until it is known */
    struct process process;
};

/* Makes the folder DIR/node-NUMBER. Whatever it returns, live_node_clear takes it back. */
enum starling_error live_node_make(struct live_node *node, size_t number, const char *dir,
                                   struct problem *problem);
/* Fills it: keys, a membership from `authority`, and node.ini by `config`. */
enum starling_error live_node_equip(struct live_node *node, const struct config *config,
                                    struct authority *authority, struct problem *problem);
void live_node_clear(struct live_node *node);

/* The program to start: `given`, or starling-node beside this very program, or from PATH. The
 * caller's to free; NULL and a problem when there is none. */
char *live_node_program(const char *given, struct problem *problem);

enum starling_error live_node_start(struct live_node *node, const char *program,
                                    struct problem *problem);

/* STARLING_OK while it runs; else the problem is how it ended. */
enum starling_error live_node_check(struct live_node *node, struct problem *problem);

/* Asks over the control socket (see control_ask; `request` is taken over). NULL and a problem that
 * names the node. */
json_t *live_node_ask(const struct live_node *node, json_t *request, unsigned char **bytes,
                      size_t *size, struct problem *problem);

/* Bytes of memory that are the process's alone; NaN when the system does not say. */
double live_node_memory(const struct live_node *node);

/* Sends a signal, if it runs. */
void live_node_signal(const struct live_node *node, int number);

/* True when it has ended (or never ran). */
bool live_node_gone(struct live_node *node);

#endif
