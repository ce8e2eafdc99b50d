/* The experiments that come with the program: each can be read, and each of its runs be asked for.
 */
#include "sim/experiment.h"
#include "sim/sweep_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(const char *file)
{
    struct sweep_plan plan = {0};
    struct config base, config;
    struct problem problem = {0};
    config_defaults(&base);
    if (config_load_beyond(&base, file, sweep_plan_take, &plan, &problem) ||
        sweep_plan_finish(&plan, &base, &problem))
        fail_msg("%s", problem.text);
    for (size_t run = 0; run < plan.run_count; run++)
        if (sweep_plan_config(&plan, &base, run, &config, &problem) ||
            experiment_check(&config, &problem))
            fail_msg("%s: %s: %s", file, plan.names[run], problem.text);
    sweep_plan_clear(&plan);
}

static void every_run_of_an_experiment_can_be_asked_for(void **state)
{
    (void)state;
    const char *source = getenv("STARLING_SOURCE");
    char pattern[4096];
    glob_t found;
    if (!source) {
        print_message("skipped: STARLING_SOURCE names no folder\n");
        skip();
    }
    setenv("STARLING_DATA", "/nowhere", 0); /* the files are not opened */
    snprintf(pattern, sizeof pattern, "%s/sim/experiments/*.ini", source);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check(found.gl_pathv[i]);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_of_an_experiment_can_be_asked_for),
    };
    return cmocka_run_group_tests_name("experiments", tests, NULL, NULL);
}
