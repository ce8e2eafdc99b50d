/* Nodes that learn characters, each from a text of its own. */
#include "tests/live/swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Writes `line` so many times into a file of the test's own. */
static void write_text(const char *name, const char *line, size_t times)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", tested_swarm.folder.path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < times; i++)
        fprintf(file, "%s\n", line);
    assert_int_equal(fclose(file), 0);
}

/* A node with that text, which meets `seed`. */
static void begin(struct device *device, const char *name, const char *line, const char *alphabet,
                  const char *seed)
{
    char data[2048], seeds[256];
    write_text(name, line, 40);
    snprintf(data, sizeof data, "task.data=text:%s/%s?length=8%s%s%s", tested_swarm.folder.path,
             name, alphabet ? "&alphabet=" : "", alphabet ? tested_swarm.folder.path : "",
             alphabet ? alphabet : "");
    snprintf(seeds, sizeof seeds, "node.seeds=%s", seed);
    const char *const settings[] = {data, "task.model=gru:4", "task.name=words", seeds, NULL};
    char folder[64];
    snprintf(folder, sizeof folder, "%s-node", name);
    device_make(device, &tested_swarm, folder, tested_swarm.authority, VALID);
    device_up(device, settings);
}

static void texts_of_one_alphabet_are_learned_together(void **state)
{
    (void)state;
    struct device first = {0}, second = {0};
    if (!swarm_ready)
        skip();
    write_text("letters", "the quick brown fox jumps over the lazy dog", 1);
    begin(&first, "first", "the lazy dog", "/letters", "");
    begin(&second, "second", "a quick brown fox", "/letters", device_seed(&first));
    device_await(&first, "merged", 2);
    device_await(&second, "merged", 2);
    assert_true(device_number(&second, "loss") < 4);
    device_stop(&second);
    device_stop(&first);
}

/* As many symbols, but others. */
static void texts_of_other_alphabets_are_not_mixed(void **state)
{
    (void)state;
    struct device first = {0}, second = {0};
    if (!swarm_ready)
        skip();
    begin(&first, "abc", "abcabca", NULL, "");
    begin(&second, "abd", "abdabda", NULL, device_seed(&first));
    device_await(&second, "round", 5);
    device_await(&first, "age", 1);
    assert_true(device_number(&first, "merged") == 0);
    assert_true(device_number(&second, "merged") == 0);
    device_stop(&second);
    device_stop(&first);
}

static void what_a_text_needs_is_one_clear_line(void **state)
{
    (void)state;
    static const struct {
        const char *name, *line, *model, *says;
        size_t times;
    } cases[] = {
        {"flat", "abcabc", "task.model=mlp:4", "use a recurrent model", 40},
        {"one", "", "task.model=gru:4", "nothing to learn", 200}, /* nothing but newlines */
        {"empty", "", "task.model=gru:4", "is empty", 0},
    };
    if (!swarm_ready)
        skip();
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct device device = {0};
        char data[2048], folder[64];
        write_text(cases[c].name, cases[c].line, cases[c].times);
        snprintf(data, sizeof data, "task.data=text:%s/%s?length=8", tested_swarm.folder.path,
                 cases[c].name);
        snprintf(folder, sizeof folder, "%s-node", cases[c].name);
        const char *const settings[] = {data, cases[c].model, NULL};
        device_make(&device, &tested_swarm, folder, tested_swarm.authority, VALID);
        device_start(&device, settings);
        int status = device_await_end(&device);
        if (status != 2 || !strstr(device_log(&device), cases[c].says))
            fail_msg("%s: ended with %d: %s", cases[c].name, status, device_log(&device));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_one_alphabet_are_learned_together),
        cmocka_unit_test(texts_of_other_alphabets_are_not_mixed),
        cmocka_unit_test(what_a_text_needs_is_one_clear_line),
    };
    return cmocka_run_group_tests_name("live sequences", tests, swarm_setup, swarm_teardown);
}
