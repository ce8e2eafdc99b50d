/* swarm — real starling-node processes for tests: a swarm of its own in a temporary folder.
 *
 * Programs are found through the environment: STARLING_NODE, STARLINGCTL. What goes wrong fails the
 * running test, with the node's own log.
 */
#ifndef STARLING_TEST_SWARM_H
#define STARLING_TEST_SWARM_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "node/authority.h"
#include "node/identity.h"
#include "tests/node/folder.h"

#define PATIENCE_S 60 /* for what must happen; far more than it takes anywhere */

struct swarm {
    struct folder folder;
    struct authority *authority;
};

/* False (and the reason printed) when the programs are not there: then the tests are skipped. */
bool swarm_begin(struct swarm *swarm);
void swarm_end(struct swarm *swarm);

/* One swarm for all tests of a program: their group's setup and teardown. */
extern struct swarm tested_swarm;
extern bool swarm_ready; /* false: the programs are not there */
int swarm_setup(void **state);
int swarm_teardown(void **state);

struct device {
    struct swarm *swarm;
    char dir[600];
    struct public_keys keys;
    pid_t process;                              /* 0: not running */
    char seed[ENDPOINT_MAX + KEY_HEX_SIZE + 1]; /* once asked for */
};

/* When a membership is valid, around the present. */
enum validity { VALID, EXPIRED, NOT_YET_VALID };
void certify(struct authority *by, const struct public_keys *keys, enum validity validity,
             uint8_t bytes[MEMBERSHIP_BYTES_MAX], size_t *size);

/* A folder with keys and swarm.pub; certified by `by` unless that is NULL. */
void device_make(struct device *device, struct swarm *swarm, const char *name, struct authority *by,
                 enum validity validity);

/* Starts it with `settings` (SECTION.KEY=VALUE, NULL at the end; may be NULL) after those of every
 * test: small data, a linear model, rounds of 100 ms. */
void device_start(struct device *device, const char *const *settings);
/* Starts it and waits until it answers. */
void device_up(struct device *device, const char *const *settings);
/* Its exit status, once it ends; -N when signal N ended it. */
int device_await_end(struct device *device);
/* Asks it to end, and waits. */
void device_stop(struct device *device);
void device_kill(struct device *device, int signal);

/* The answer to a request (taken over), or NULL when it does not answer or says no. */
json_t *device_ask(struct device *device, json_t *request);
/* A number of its status by path, "peers.connected"; NAN when it is null. */
double device_number(struct device *device, const char *path);
/* Polls until that number is at least so much, and returns it. */
double device_await(struct device *device, const char *path, double least);
/* Polls until a text of its status is this. */
void device_await_text(struct device *device, const char *path, const char *wanted);
/* KEY@ENDPOINT of a running one. */
const char *device_seed(struct device *device);
/* Its log so far: static, until the next call. */
const char *device_log(const struct device *device);

/* Runs starlingctl on its folder; returns the exit status, and what it printed on either stream. */
int device_ctl(struct device *device, char *out, size_t size, const char *const *arguments);

#endif
