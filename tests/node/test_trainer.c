#include "node/trainer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#define DEADLINE_MS 20000
#define JOBS 50

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t change;
    bool open, reached;
};

/* Appends its number to a list that belongs to the trainer's thread while jobs run. */
struct counting {
    struct job job;
    int number, *list, *count;
    struct gate *gate; /* waits there, when there is one */
};

static void run_counting(struct job *job, struct workspace *workspace)
{
    struct counting *ours = (struct counting *)job;
    assert_true(workspace_reset(workspace, 1024));
    assert_non_null(workspace_take(workspace, 1024));
    if (ours->gate) {
        pthread_mutex_lock(&ours->gate->lock);
        ours->gate->reached = true;
        pthread_cond_broadcast(&ours->gate->change);
        while (!ours->gate->open)
            pthread_cond_wait(&ours->gate->change, &ours->gate->lock);
        pthread_mutex_unlock(&ours->gate->lock);
    }
    ours->list[(*ours->count)++] = ours->number;
}

static void gate_pass(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->open = true;
    pthread_cond_broadcast(&gate->change);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_await(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    while (!gate->reached)
        pthread_cond_wait(&gate->change, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static struct job *await_finished(struct trainer *trainer)
{
    struct pollfd item = {.fd = trainer_descriptor(trainer), .events = POLLIN};
    assert_int_equal(poll(&item, 1, DEADLINE_MS), 1);
    struct job *job = trainer_finished(trainer);
    assert_non_null(job);
    return job;
}

static bool readable(struct trainer *trainer)
{
    struct pollfd item = {.fd = trainer_descriptor(trainer), .events = POLLIN};
    return poll(&item, 1, 0) == 1;
}

static void jobs_run_and_come_back_in_order(void **state)
{
    (void)state;
    struct trainer *trainer = trainer_new(NULL);
    struct counting jobs[JOBS];
    int list[JOBS], count = 0;
    assert_non_null(trainer);
    assert_true(trainer_idle(trainer));
    assert_false(readable(trainer));
    assert_null(trainer_finished(trainer));
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct counting){{run_counting, NULL}, i, list, &count, NULL};
        trainer_submit(trainer, &jobs[i].job);
    }
    for (int i = 0; i < JOBS; i++)
        assert_ptr_equal(await_finished(trainer), &jobs[i].job);
    assert_false(readable(trainer));
    assert_true(trainer_idle(trainer));
    assert_true(trainer_free(&trainer, DEADLINE_MS));
    assert_null(trainer);
    assert_int_equal(count, JOBS);
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(list[i], i);
}

static void a_job_that_runs_on_is_not_waited_for_without_end(void **state)
{
    (void)state;
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
    struct trainer *trainer = trainer_new(NULL);
    int list[2], count = 0;
    struct counting job = {{run_counting, NULL}, 7, list, &count, &gate};
    trainer_submit(trainer, &job.job);
    gate_await(&gate);
    assert_false(trainer_idle(trainer));
    assert_false(trainer_free(&trainer, 1));
    assert_non_null(trainer);
    gate_pass(&gate);
    assert_true(trainer_free(&trainer, DEADLINE_MS));
    assert_int_equal(count, 1);
}

static void jobs_that_have_not_begun_are_handed_back_at_the_end(void **state)
{
    (void)state;
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER};
    struct trainer *trainer = trainer_new(NULL);
    int list[3], count = 0;
    struct counting jobs[3];
    for (int i = 0; i < 3; i++) {
        jobs[i] = (struct counting){{run_counting, NULL}, i, list, &count, i ? NULL : &gate};
        trainer_submit(trainer, &jobs[i].job);
    }
    gate_await(&gate);
    struct job *running, *left = trainer_end(trainer, &running);
    assert_ptr_equal(running, &jobs[0].job);
    assert_ptr_equal(left, &jobs[1].job);
    assert_ptr_equal(left->next, &jobs[2].job);
    assert_null(left->next->next);
    gate_pass(&gate);
    assert_ptr_equal(await_finished(trainer), &jobs[0].job);
    assert_true(trainer_free(&trainer, DEADLINE_MS));
    assert_int_equal(count, 1);
}

static void nothing_is_freed_twice(void **state)
{
    (void)state;
    struct trainer *trainer = NULL;
    assert_true(trainer_free(&trainer, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_run_and_come_back_in_order),
        cmocka_unit_test(a_job_that_runs_on_is_not_waited_for_without_end),
        cmocka_unit_test(jobs_that_have_not_begun_are_handed_back_at_the_end),
        cmocka_unit_test(nothing_is_freed_twice),
    };
    return cmocka_run_group_tests_name("trainer", tests, NULL, NULL);
}
