#include "node/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The id of the task that these data give, by name and model. */
static void id_of(const char *name, const char *specification, struct shape shape,
                  char **class_names, uint8_t id[TASK_ID_BYTES])
{
    struct problem problem = {0};
    struct data data = {.class_names = class_names};
    struct model *model = model_new(specification, shape, &problem);
    if (!model)
        fail_msg("%s", problem.text);
    task_id(name, model, &data, id);
    model_free(&model);
}

static void blanks_around_a_name_do_not_count(void **state)
{
    (void)state;
    uint8_t one[TASK_ID_BYTES], other[TASK_ID_BYTES];
    id_of("digits", "linear", shape_flat(5, 3), NULL, one);
    id_of(" digits\n", "linear", shape_flat(5, 3), NULL, other);
    assert_memory_equal(one, other, TASK_ID_BYTES);
}

static void what_parameters_mean_tells_tasks_apart(void **state)
{
    (void)state;
    uint8_t ids[5][TASK_ID_BYTES];
    id_of("digits", "linear", shape_flat(5, 3), NULL, ids[0]);
    id_of("digit", "linear", shape_flat(5, 3), NULL, ids[1]);
    id_of("digits", "mlp:4", shape_flat(5, 3), NULL, ids[2]);
    id_of("digits", "linear", shape_flat(6, 3), NULL, ids[3]);
    id_of("digits", "linear", shape_flat(5, 4), NULL, ids[4]);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(ids[i], ids[j], TASK_ID_BYTES);
}

/* The first parameters of a recurrent model belong to symbols: as many others are not the same. */
static void nodes_with_other_symbols_have_another_task(void **state)
{
    (void)state;
    const struct shape shape = {8, 3, 0, 0, 0, 3, 8};
    char *abc[] = {"a", "b", "c", NULL}, *same[] = {"a", "b", "c", NULL};
    char *abd[] = {"a", "b", "d", NULL};
    uint8_t ids[3][TASK_ID_BYTES];
    id_of("text", "gru:2", shape, abc, ids[0]);
    id_of("text", "gru:2", shape, same, ids[1]);
    id_of("text", "gru:2", shape, abd, ids[2]);
    assert_memory_equal(ids[0], ids[1], TASK_ID_BYTES);
    assert_memory_not_equal(ids[0], ids[2], TASK_ID_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_around_a_name_do_not_count),
        cmocka_unit_test(what_parameters_mean_tells_tasks_apart),
        cmocka_unit_test(nodes_with_other_symbols_have_another_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
