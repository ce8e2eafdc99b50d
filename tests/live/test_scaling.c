/* The scaling of a table's features: agreed on before learning, and kept for good. */
#include "tests/live/swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>

static const char settled[] = "the scaling of features is settled";

/* A table of two classes whose one feature lies around `centre`; its specification. */
static const char *table(const char *name, double centre)
{
    static char specification[1200];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.csv", tested_swarm.folder.path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("value,class\n", file);
    for (int i = 0; i < 60; i++)
        fprintf(file, "%g,%s\n", centre + (i % 2 ? 1 : -1) + i * 0.001, i % 2 ? "high" : "low");
    assert_int_equal(fclose(file), 0);
    snprintf(specification, sizeof specification, "task.data=csv:%s", path);
    return specification;
}

static size_t times_in_log(const struct device *device, const char *text)
{
    size_t times = 0;
    for (const char *at = device_log(device); (at = strstr(at, text)); at++)
        times++;
    return times;
}

static void begin(struct device *device, const char *name, double centre, const char *seed)
{
    char data[1200], seeds[256];
    snprintf(data, sizeof data, "%s", table(name, centre));
    snprintf(seeds, sizeof seeds, "node.seeds=%s", seed);
    const char *const settings[] = {data, "task.name=table", seeds, NULL};
    if (device->dir[0] == '\0')
        device_make(device, &tested_swarm, name, tested_swarm.authority, VALID);
    device_up(device, settings);
}

static void a_swarm_agrees_and_a_killed_node_keeps_to_it(void **state)
{
    (void)state;
    struct device first = {0}, second = {0};
    if (!swarm_ready)
        skip();
    begin(&first, "first", 10, "");
    begin(&second, "second", 30, device_seed(&first));
    device_await(&first, "age", 1);
    device_await(&second, "age", 1);
    char agreed[200];
    snprintf(agreed, sizeof agreed, "%s: agreed on with others", settled);
    if (times_in_log(&first, agreed) == 0 || times_in_log(&second, agreed) == 0)
        fail_msg("no agreement: \"%s\"", device_log(&second));
    size_t before = times_in_log(&second, settled);
    device_kill(&second, SIGKILL);
    begin(&second, "second", 30, device_seed(&first));
    device_await_text(&second, "state", "learning"); /* it does not have to agree again */
    device_await(&second, "age", 1);
    assert_int_equal(times_in_log(&second, settled), before);
    device_stop(&second);
    device_stop(&first);
}

static void a_node_alone_scales_by_its_own_examples(void **state)
{
    (void)state;
    struct device alone = {0};
    if (!swarm_ready)
        skip();
    begin(&alone, "alone", 5, "");
    device_await_text(&alone, "state", "agreeing on the scaling of features");
    device_await(&alone, "age", 1);
    if (!strstr(device_log(&alone), "settled: from one's own examples"))
        fail_msg("log: \"%s\"", device_log(&alone));
    device_stop(&alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_swarm_agrees_and_a_killed_node_keeps_to_it),
        cmocka_unit_test(a_node_alone_scales_by_its_own_examples),
    };
    return cmocka_run_group_tests_name("live scaling", tests, swarm_setup, swarm_teardown);
}
