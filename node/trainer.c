#include "node/trainer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct queue {
    struct job *first, *last;
};

struct trainer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct queue waiting, finished;
    struct job *running;
    bool ending, ended;
    int wake;
};

static void push(struct queue *queue, struct job *job)
{
    job->next = NULL;
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
}

static struct job *pop(struct queue *queue)
{
    struct job *job = queue->first;
    if (!job)
        return NULL;
    queue->first = job->next;
    if (!queue->first)
        queue->last = NULL;
    job->next = NULL;
    return job;
}

/* An eventfd that is full is readable all the same. */
static void wake(const struct trainer *trainer)
{
    uint64_t one = 1;
    while (write(trainer->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void *train(void *self)
{
    struct trainer *trainer = self;
    struct workspace workspace = {0};
    pthread_mutex_lock(&trainer->lock);
    while (!trainer->ending) {
        struct job *job = pop(&trainer->waiting);
        if (!job) {
            pthread_cond_wait(&trainer->change, &trainer->lock);
            continue;
        }
        trainer->running = job;
        pthread_mutex_unlock(&trainer->lock);
        job->run(job, &workspace);
        pthread_mutex_lock(&trainer->lock);
        trainer->running = NULL;
        push(&trainer->finished, job);
        wake(trainer);
    }
    trainer->ended = true;
    pthread_cond_broadcast(&trainer->change);
    pthread_mutex_unlock(&trainer->lock);
    workspace_free(&workspace);
    return NULL;
}

/* Signals are the reactor's. */
static int start_thread(struct trainer *trainer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&trainer->thread, NULL, train, trainer);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

struct trainer *trainer_new(struct problem *problem)
{
    struct trainer *trainer = calloc(1, sizeof *trainer);
    if (!trainer) {
        problem_no_memory(problem, "the trainer");
        return NULL;
    }
    trainer->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (trainer->wake < 0) {
        problem_set(problem, STARLING_FAILED, "eventfd: %s", strerror(errno));
        free(trainer);
        return NULL;
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&trainer->lock, NULL);
    pthread_cond_init(&trainer->change, &attributes);
    pthread_condattr_destroy(&attributes);
    int error = start_thread(trainer);
    if (error) {
        problem_set(problem, STARLING_FAILED, "the training thread: %s", strerror(error));
        close(trainer->wake);
        pthread_cond_destroy(&trainer->change);
        pthread_mutex_destroy(&trainer->lock);
        free(trainer);
        return NULL;
    }
    return trainer;
}

void trainer_submit(struct trainer *trainer, struct job *job)
{
    pthread_mutex_lock(&trainer->lock);
    push(&trainer->waiting, job);
    pthread_cond_broadcast(&trainer->change);
    pthread_mutex_unlock(&trainer->lock);
}

struct job *trainer_finished(struct trainer *trainer)
{
    pthread_mutex_lock(&trainer->lock);
    struct job *job = pop(&trainer->finished);
    uint64_t count;
    if (!trainer->finished.first && read(trainer->wake, &count, sizeof count) < 0)
        count = 0; /* nothing was left to take off */
    pthread_mutex_unlock(&trainer->lock);
    return job;
}

int trainer_descriptor(const struct trainer *trainer)
{
    return trainer->wake;
}

bool trainer_idle(struct trainer *trainer)
{
    pthread_mutex_lock(&trainer->lock);
    bool idle = !trainer->running && !trainer->waiting.first;
    pthread_mutex_unlock(&trainer->lock);
    return idle;
}

struct job *trainer_end(struct trainer *trainer, struct job **running)
{
    pthread_mutex_lock(&trainer->lock);
    struct job *first = trainer->waiting.first;
    trainer->waiting = (struct queue){0};
    trainer->ending = true;
    *running = trainer->running;
    pthread_cond_broadcast(&trainer->change);
    pthread_mutex_unlock(&trainer->lock);
    return first;
}

bool trainer_free(struct trainer **trainer, int timeout_ms)
{
    struct trainer *ours = *trainer;
    if (!ours)
        return true;
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += timeout_ms / 1000;
    deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&ours->lock);
    ours->ending = true;
    pthread_cond_broadcast(&ours->change);
    int error = 0;
    while (!ours->ended && !error)
        error = pthread_cond_timedwait(&ours->change, &ours->lock, &deadline);
    bool ended = ours->ended;
    pthread_mutex_unlock(&ours->lock);
    if (!ended)
        return false;
    pthread_join(ours->thread, NULL);
    close(ours->wake);
    pthread_cond_destroy(&ours->change);
    pthread_mutex_destroy(&ours->lock);
    free(ours);
    *trainer = NULL;
    return true;
}
