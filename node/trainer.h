/* trainer — the one thread of a node that computes and waits for the disk.
 *
 * It runs jobs one after the other, in the order they were given. What a job touches is its alone
 * from trainer_submit until trainer_finished hands it back: nothing else is shared.
 */
#ifndef STARLING_TRAINER_H
#define STARLING_TRAINER_H

#include <stdbool.h>

#include "model/problem.h"
#include "model/workspace.h"

/* The first member of whatever a job needs; the submitter owns it, before and after. */
struct job {
    void (*run)(struct job *job, struct workspace *workspace);
    struct job *next; /* the trainer's, while it has the job */
};

struct trainer;

struct trainer *trainer_new(struct problem *problem);

/* Appends a job to those waiting. */
void trainer_submit(struct trainer *trainer, struct job *job);

/* A job that is done, in order; NULL when there is none. */
struct job *trainer_finished(struct trainer *trainer);

/* Readable while a finished job waits to be taken: an eventfd, to poll. */
int trainer_descriptor(const struct trainer *trainer);

/* True when no job waits or runs (finished ones may wait to be taken). */
bool trainer_idle(struct trainer *trainer);

/* Begins no more jobs, and hands back those that wait, in order, as a list by `next`. *running is
 * the one that still runs, or NULL. */
struct job *trainer_end(struct trainer *trainer, struct job **running);

/* Waits up to timeout_ms for the running job, ends the thread and frees; jobs that wait are not
 * run. False when the job runs on: then *trainer stays, nothing that the job uses may be freed, and
 * the process should end by _exit. */
bool trainer_free(struct trainer **trainer, int timeout_ms);

#endif
