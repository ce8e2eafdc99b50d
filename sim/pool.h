/* pool — the threads of a simulation, and the tasks they take in order.
 *
 * Tasks of one pool_run are numbered; threads take them in rising order, a few at a time. A task
 * may wait (pool_wait) for the result of one with a lower number: the lowest unfinished task never
 * has to, so nothing can wait in a circle.
 */
#ifndef STARLING_POOL_H
#define STARLING_POOL_H

#include <stdbool.h>
#include <stddef.h>

#include "model/workspace.h"

struct pool;

/* `threads` ≥ 1, the caller's among them. NULL when they cannot be had. */
struct pool *pool_new(size_t threads);
void pool_free(struct pool **pool);
size_t pool_threads(const struct pool *pool);

typedef void pool_task(void *self, size_t number, struct workspace *workspace);

/* Calls task(self, 0 … count − 1), `grain` ≥ 1 numbers a turn, and returns when all are done.
 * Each thread lends a workspace of its own. As many tasks as there are threads run side by side,
 * and may wait for each other. */
void pool_run(struct pool *pool, pool_task *task, void *self, size_t count, size_t grain);

/* Lets others run for a moment: the body of a loop that waits; `turn` counts from 0. */
void pool_wait(unsigned turn);

#endif
