/* node — a device in a swarm: participant, transport, trainer, disk and control socket, tied
 * together by one reactor.
 *
 * The reactor is the thread that calls node_run. It polls, decides and hands on; it never computes
 * on parameters beyond taking a received model in, and never waits for the disk while it runs.
 */
#ifndef STARLING_NODE_H
#define STARLING_NODE_H

#include "node/config.h"
#include "node/log.h"

struct node_options {
    const char *dir;
    const struct config *config; /* copied */
    bool require_membership;     /* else a node without one waits for it */
    int signals;                 /* a signalfd: SIGTERM and SIGINT end the node, SIGHUP rereads the
                                    configuration; -1: none */
    /* Makes the configuration again for SIGHUP. */
    enum starling_error (*reread)(void *self, struct config *config, struct problem *problem);
    void *self;
    struct log *log; /* must outlive the node */
};

/* The program's exit codes. */
enum node_outcome {
    NODE_ENDED = 0, /* as asked */
    NODE_FAILED = 1,
    NODE_WRONG = 2,        /* usage, configuration or data that a person must change */
    NODE_NOT_A_MEMBER = 3, /* and membership was required */
};

struct node;

/* Opens everything, in the order in which it is likely to be wrong; *node is NULL unless
 * NODE_ENDED (all is well) is returned. Leaves nothing behind when it fails. */
enum node_outcome node_open(const struct node_options *options, struct node **node,
                            struct problem *problem);

/* Runs until it is asked to end by a signal, the control socket or node_stop. */
enum node_outcome node_run(struct node *node, struct problem *problem);

/* Asks node_run to end; safe from any thread and from signal handlers. */
void node_stop(struct node *node);

/* Saves and frees. *saved: false, and said in the log, when the last save failed or took too long:
 * the node should end as NODE_FAILED. Returns false when a pass or a save still runs and would
 * outlast a person's patience: the state of before the pass is saved, and the process should end
 * by _exit. */
bool node_close(struct node **node, bool *saved);

#endif
