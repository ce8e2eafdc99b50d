#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/workspace.h"

static void what_is_taken_is_aligned_and_does_not_overlap(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 64, 0, 63, 65, 1000, 7};
    size_t count = sizeof sizes / sizeof *sizes, bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += workspace_cost(sizes[i]);
    struct workspace workspace = {0};
    assert_true(workspace_reset(&workspace, bytes));
    unsigned char *taken[sizeof sizes / sizeof *sizes];
    for (size_t i = 0; i < count; i++) {
        taken[i] = workspace_take(&workspace, sizes[i]);
        assert_int_equal((uintptr_t)taken[i] % 64, 0);
        memset(taken[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < count; i++)
        for (size_t b = 0; b < sizes[i]; b++)
            assert_int_equal(taken[i][b], i);
    workspace_free(&workspace);
}

static void a_reset_gives_everything_back_and_keeps_the_memory(void **state)
{
    (void)state;
    struct workspace workspace = {0};
    assert_true(workspace_reset(&workspace, 1000));
    void *first = workspace_take(&workspace, 1000);
    assert_true(workspace_reset(&workspace, 500));
    assert_ptr_equal(workspace_take(&workspace, 500), first);
    workspace_free(&workspace);
}

static void a_reset_beyond_all_memory_fails_and_keeps_what_there_was(void **state)
{
    (void)state;
    struct workspace workspace = {0};
    assert_true(workspace_reset(&workspace, 100));
    assert_false(workspace_reset(&workspace, SIZE_MAX));
    assert_false(workspace_reset(&workspace, SIZE_MAX / 2));
    assert_true(workspace_reset(&workspace, 100));
    memset(workspace_take(&workspace, 100), 1, 100);
    workspace_free(&workspace);
}

static void nothing_may_be_asked_for_and_freed_twice(void **state)
{
    (void)state;
    struct workspace workspace = {0};
    assert_true(workspace_reset(&workspace, 0));
    workspace_free(&workspace);
    workspace_free(&workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_is_aligned_and_does_not_overlap),
        cmocka_unit_test(a_reset_gives_everything_back_and_keeps_the_memory),
        cmocka_unit_test(a_reset_beyond_all_memory_fails_and_keeps_what_there_was),
        cmocka_unit_test(nothing_may_be_asked_for_and_freed_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
