#include "tests/world/data.h"

#include <stdio.h>
#include <stdlib.h>

#define APART 1.6 /* a class's centre from 0, in deviations, along each of its features */

/* Feature i of an example: the classes take turns in being off to one side. */
static float draw_feature(const struct plan *plan, struct random *random, size_t class, size_t i)
{
    double centre = i % plan->classes == class ? APART : -APART / (double)plan->classes;
    return (float)(centre + random_normal(random));
}

void data_write(const struct plan *plan, uint32_t number, const char *dir)
{
    char path[PATH_MAX];
    struct random random = world_stream(plan->seed, STREAM_DATA, 1 + number);
    if (snprintf(path, sizeof path, "%s/examples.csv", dir) >= PATH_MAX)
        abort();
    FILE *file = fopen(path, "wxe");
    if (!file)
        abort();
    for (size_t row = 0; row < plan->examples; row++) {
        bool own = random_uniform(&random) < .3; /* everybody has more of one class */
        size_t class =
            own ? number % plan->classes : random_below(&random, (uint32_t)plan->classes);
        for (size_t i = 0; i < plan->features; i++)
            fprintf(file, "%.4f,", (double)draw_feature(plan, &random, class, i));
        fprintf(file, "%zu\n", class);
    }
    if (fclose(file))
        abort();
}

void data_test(const struct plan *plan, struct dataset *test)
{
    struct random random = world_stream(plan->seed, STREAM_DATA, 0);
    *test = (struct dataset){
        .examples = TEST_EXAMPLES, .features = plan->features, .classes = plan->classes};
    if (dataset_allocate(test, 0, 0, NULL))
        abort();
    for (size_t row = 0; row < TEST_EXAMPLES; row++) {
        size_t class = row % plan->classes;
        test->labels[row] = (uint16_t) class;
        for (size_t i = 0; i < plan->features; i++)
            test->floats[row * plan->features + i] = draw_feature(plan, &random, class, i);
    }
}
