#include "sim/pool.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

struct pool {
    size_t threads; /* the caller's included */
    pthread_t *handles;
    pthread_mutex_t lock;
    pthread_cond_t begin, end;
    unsigned long turn; /* grows with every pool_run */
    size_t busy;        /* threads that have not finished this turn */
    bool stop;
    struct workspace workspace; /* the caller's */
    pool_task *task;
    void *self;
    size_t count, grain;
    atomic_size_t next;
};

static void take_tasks(struct pool *pool, struct workspace *workspace)
{
    for (;;) {
        size_t first = atomic_fetch_add(&pool->next, pool->grain);
        if (first >= pool->count)
            return;
        size_t left = pool->count - first;
        size_t last = first + (left < pool->grain ? left : pool->grain);
        for (size_t number = first; number < last; number++)
            pool->task(pool->self, number, workspace);
    }
}

static void *serve(void *argument)
{
    struct pool *pool = argument;
    struct workspace workspace = {0};
    unsigned long seen = 0;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->turn == seen && !pool->stop)
            pthread_cond_wait(&pool->begin, &pool->lock);
        if (pool->stop)
            break;
        seen = pool->turn;
        pthread_mutex_unlock(&pool->lock);
        take_tasks(pool, &workspace);
        pthread_mutex_lock(&pool->lock);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->end);
    }
    pthread_mutex_unlock(&pool->lock);
    workspace_free(&workspace);
    return NULL;
}

struct pool *pool_new(size_t threads)
{
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->begin, NULL);
    pthread_cond_init(&pool->end, NULL);
    pool->threads = 1;
    pool->handles = calloc(threads, sizeof *pool->handles);
    if (!pool->handles) {
        pool_free(&pool);
        return NULL;
    }
    while (pool->threads < threads) {
        if (pthread_create(&pool->handles[pool->threads], NULL, serve, pool) != 0) {
            pool_free(&pool);
            return NULL;
        }
        pool->threads++;
    }
    return pool;
}

void pool_free(struct pool **pool)
{
    struct pool *ours = *pool;
    *pool = NULL;
    if (!ours)
        return;
    pthread_mutex_lock(&ours->lock);
    ours->stop = true;
    pthread_cond_broadcast(&ours->begin);
    pthread_mutex_unlock(&ours->lock);
    for (size_t i = 1; i < ours->threads; i++)
        pthread_join(ours->handles[i], NULL);
    pthread_cond_destroy(&ours->begin);
    pthread_cond_destroy(&ours->end);
    pthread_mutex_destroy(&ours->lock);
    workspace_free(&ours->workspace);
    free(ours->handles);
    free(ours);
}

size_t pool_threads(const struct pool *pool)
{
    return pool->threads;
}

void pool_run(struct pool *pool, pool_task *task, void *self, size_t count, size_t grain)
{
    pthread_mutex_lock(&pool->lock);
    pool->task = task;
    pool->self = self;
    pool->count = count;
    pool->grain = grain;
    atomic_store(&pool->next, 0);
    pool->busy = pool->threads;
    pool->turn++;
    pthread_cond_broadcast(&pool->begin);
    pthread_mutex_unlock(&pool->lock);
    take_tasks(pool, &pool->workspace);
    pthread_mutex_lock(&pool->lock);
    pool->busy--;
    while (pool->busy > 0)
        pthread_cond_wait(&pool->end, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void pool_wait(unsigned turn)
{
    if (turn < 64) {
        sched_yield();
    } else {
        struct timespec pause = {.tv_nsec = 20000};
        nanosleep(&pause, NULL);
    }
}
