#include "sim/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>

#include <cmocka.h>

enum { TASKS = 5000 };

struct counting {
    atomic_uint done[TASKS];
};

static void count(void *self, size_t number, struct workspace *workspace)
{
    struct counting *counting = self;
    assert_true(workspace_reset(workspace, 64));
    /* every third task waits for the one before it */
    for (unsigned turn = 0; number % 3 == 2 && atomic_load(&counting->done[number - 1]) == 0;
         turn++)
        pool_wait(turn);
    atomic_fetch_add(&counting->done[number], 1);
}

static void every_task_runs_once_for_any_number_of_threads(void **state)
{
    (void)state;
    static struct counting counting;
    unsigned runs = 0;
    for (size_t threads = 1; threads <= 7; threads += 3) {
        struct pool *pool = pool_new(threads);
        assert_non_null(pool);
        for (size_t grain = 1; grain < 100; grain *= 7) {
            pool_run(pool, count, &counting, TASKS, grain);
            runs++;
            for (size_t i = 0; i < TASKS; i++)
                assert_int_equal(atomic_load(&counting.done[i]) >= runs, 1);
        }
        pool_run(pool, count, &counting, 0, 1); /* nothing to do: returns */
        pool_free(&pool);
        assert_null(pool);
    }
    for (size_t i = 0; i < TASKS; i++)
        assert_int_equal(atomic_load(&counting.done[i]), runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once_for_any_number_of_threads),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
