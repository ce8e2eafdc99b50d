/* ctl — the built starlingctl, named by the environment variable STARLINGCTL, run as a person would
 * against folders of the test's making, and a node that the test plays.
 */
#ifndef STARLING_TEST_CTL_H
#define STARLING_TEST_CTL_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#include "tests/node/folder.h"

#define OUTPUT_MAX 65536

struct ctl_outcome {
    int exit;
    char out[OUTPUT_MAX], err[OUTPUT_MAX];
};

/* A node that answers every request with the same line, and remembers the last request. */
struct played_node {
    pthread_t thread;
    pthread_mutex_t lock; /* of the request */
    int listener;
    char path[600], answer[OUTPUT_MAX], request[OUTPUT_MAX];
    bool hang_up, stops; /* says nothing; ends after its first answer */
};

extern struct folder ctl_folder;   /* where it runs */
extern struct ctl_outcome ctl_got; /* what the last run said */

/* A group's setup and teardown. */
int ctl_setup(void **state);
int ctl_teardown(void **state);

/* Runs "starlingctl ARGUMENTS" through the shell; fills ctl_got and returns its exit status. Skips
 * the test when there is no program. */
int ctl(const char *format, ...);

/* Fail the test unless it ended well and, unless NULL, said `what`; or failed so and said why. */
void ctl_done(const char *what);
void ctl_failed(int code, const char *said);

/* What it said as JSON, the caller's. */
json_t *ctl_result(void);

/* A file of the folder into OUTPUT_MAX characters; nothing when there is none. */
void ctl_slurp(const char *name, char *into);

/* Listens at DIR/control.sock and answers with `answer`, until played_end. */
void played_begin(struct played_node *node, const char *dir, const char *answer);
void played_end(struct played_node *node);

/* The last request, whole: it is kept before it is answered. */
const char *played_request(struct played_node *node);

#endif
