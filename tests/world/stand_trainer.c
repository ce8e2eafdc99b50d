/* A device's trainer without a thread, and its control socket without a socket. A job is run when
 * its virtual time is up, so that what a crash finds undone was never done. */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "tests/world/device.h"
#include "tests/world/laws.h"
#include "tests/world/stand.h"

struct waiting_job {
    struct job *job;
    uint64_t done_us; /* the world's time */
};

struct trainer {
    struct device *device;
    struct workspace workspace;
    bool hurry;
    int fd; /* always readable: nobody waits for it */
    size_t count, capacity;
    struct waiting_job *jobs;
    uint64_t busy_until_us;
};

struct trainer *trainer_new(struct problem *problem)
{
    (void)problem;
    struct trainer *trainer = calloc(1, sizeof *trainer);
    if (!trainer)
        abort();
    trainer->device = stand_device;
    trainer->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    stand_device->trainer = trainer;
    return trainer;
}

void trainer_submit(struct trainer *trainer, struct job *job)
{
    struct device *device = trainer->device;
    if (trainer->count == trainer->capacity) {
        trainer->capacity = trainer->capacity ? 2 * trainer->capacity : 16;
        trainer->jobs = realloc(trainer->jobs, trainer->capacity * sizeof *trainer->jobs);
        if (!trainer->jobs)
            abort();
    }
    uint64_t now_us = device->world->now_us;
    if (trainer->busy_until_us < now_us)
        trainer->busy_until_us = now_us;
    trainer->busy_until_us += device_job_us(device, job);
    job->next = NULL;
    trainer->jobs[trainer->count++] =
        (struct waiting_job){.job = job, .done_us = trainer->busy_until_us};
}

static void run(struct trainer *trainer, struct job *job)
{
    struct device *device = trainer->device;
    struct work_job *ours = (struct work_job *)job;
    if (device->node && job == &device->node->work.job) {
        struct lesson lesson = laws_before_work(device, &ours->work);
        job->run(job, &trainer->workspace);
        laws_after_work(device, &ours->work, &lesson);
    } else {
        job->run(job, &trainer->workspace);
        laws_noted(device, (const struct note_job *)job);
    }
}

struct job *trainer_finished(struct trainer *trainer)
{
    if (trainer->count == 0 ||
        (!trainer->hurry && trainer->jobs[0].done_us > trainer->device->world->now_us))
        return NULL;
    struct job *job = trainer->jobs[0].job;
    trainer->count--;
    for (size_t i = 0; i < trainer->count; i++)
        trainer->jobs[i] = trainer->jobs[i + 1];
    run(trainer, job);
    return job;
}

int trainer_descriptor(const struct trainer *trainer)
{
    return trainer->fd;
}

bool trainer_idle(struct trainer *trainer)
{
    return trainer->count == 0;
}

struct job *trainer_end(struct trainer *trainer, struct job **running)
{
    *running = NULL;
    struct job *first = NULL;
    for (size_t i = trainer->count; i-- > 0;) {
        trainer->jobs[i].job->next = first;
        first = trainer->jobs[i].job;
    }
    trainer->count = 0;
    return first;
}

bool trainer_free(struct trainer **trainer, int timeout_ms)
{
    struct trainer *ours = *trainer;
    (void)timeout_ms;
    *trainer = NULL;
    if (!ours)
        return true;
    workspace_free(&ours->workspace);
    close(ours->fd);
    free(ours->jobs);
    ours->device->trainer = NULL;
    free(ours);
    return true;
}

uint64_t stand_trainer_due(const struct trainer *trainer)
{
    return trainer->count > 0 ? trainer->jobs[0].done_us : NEVER;
}

void stand_trainer_hurry(struct trainer *trainer)
{
    trainer->hurry = true;
}

void stand_trainer_abandon(struct trainer **trainer)
{
    struct trainer *ours = *trainer;
    struct node *node = ours->device->node;
    for (size_t i = 0; i < ours->count; i++) {
        struct job *job = ours->jobs[i].job;
        if (job == &node->work.job) {
            work_drop(&node->work.work);
            version_release(&node->work.served);
            node->working = false;
        } else {
            note_dropped((struct note_job *)job);
        }
    }
    ours->count = 0;
    trainer_free(trainer, 0);
}

struct control *control_open(const char *path, control_function *function, void *self,
                             struct problem *problem)
{
    (void)path;
    (void)function;
    (void)self;
    (void)problem;
    return malloc(1);
}

void control_close(struct control **control)
{
    free(*control);
    *control = NULL;
}

size_t control_poll(const struct control *control, zmq_pollitem_t *items)
{
    (void)control;
    (void)items;
    return 0;
}

uint64_t control_deadline(const struct control *control)
{
    (void)control;
    return NEVER;
}

void control_work(struct control *control, uint64_t now_us)
{
    (void)control;
    (void)now_us;
}
