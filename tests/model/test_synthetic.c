#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset.h"
#include "model/evaluation.h"
#include "model/learner.h"
#include "model/vector.h"

static struct data *open_writers(const char *specification, uint64_t seed, size_t writers,
                                 size_t examples)
{
    struct problem problem = {0};
    struct data_hints hints = {.seed = seed, .writers = writers, .examples_per_writer = examples};
    struct data *data = data_open(specification, &hints, &problem);
    if (!data)
        fail_msg("refused: %s", problem.text);
    return data;
}

static void the_shape_follows_from_hints_and_specification(void **state)
{
    (void)state;
    const struct {
        const char *specification;
        size_t writers, examples, wanted;
    } cases[] = {{"synth:writers", 3, 5, 3},
                 {"synth:writers?writers=4", 3, 5, 4},
                 {"synth:writers", 0, 1, 100}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data *data =
            open_writers(cases[i].specification, 1, cases[i].writers, cases[i].examples);
        assert_int_equal(data->train.user_count, cases[i].wanted);
        assert_int_equal(data->train.examples, cases[i].wanted * cases[i].examples);
        assert_int_equal(data->train.features, 784);
        assert_int_equal(data->train.classes, 10);
        assert_int_equal(data->test.examples, 2000);
        for (size_t k = 0; k < data->train.examples; k++) {
            assert_int_equal(data->train.users[k], k / cases[i].examples);
            assert_in_range(data->train.labels[k], 0, 9);
        }
        data_free(&data);
    }
}

static void a_writer_does_not_depend_on_how_many_there_are(void **state)
{
    (void)state;
    struct data *few = open_writers("synth:writers", 7, 2, 20);
    struct data *many = open_writers("synth:writers", 7, 9, 20);
    assert_memory_equal(few->train.bytes, many->train.bytes, 40 * 784);
    assert_memory_equal(few->train.labels, many->train.labels, 40 * sizeof(uint16_t));
    assert_memory_equal(few->test.bytes, many->test.bytes, 2000 * 784);
    data_free(&few);
    data_free(&many);
    few = open_writers("synth:writers", 7, 2, 10);
    many = open_writers("synth:writers", 7, 2, 20);
    assert_memory_equal(few->train.bytes + 10 * 784, many->train.bytes + 20 * 784, 10 * 784);
    data_free(&few);
    data_free(&many);
}

static void another_seed_writes_otherwise(void **state)
{
    (void)state;
    struct data *one = open_writers("synth:writers", 1, 2, 20);
    struct data *two = open_writers("synth:writers", 2, 2, 20);
    assert_memory_not_equal(one->train.bytes, two->train.bytes, 40 * 784);
    assert_memory_not_equal(one->test.bytes, two->test.bytes, 40 * 784);
    data_free(&one);
    data_free(&two);
}

static void every_image_holds_a_digit_in_its_middle(void **state)
{
    (void)state;
    struct data *data = open_writers("synth:writers", 3, 50, 20);
    for (size_t i = 0; i < data->train.examples; i++) {
        double ink = 0, x = 0, y = 0;
        for (size_t p = 0; p < 784; p++) {
            double value = data->train.bytes[i * 784 + p] > 60 ? 1 : 0;
            ink += value;
            x += value * (double)(p % 28);
            y += value * (double)(p / 28);
        }
        if (ink < 12 || ink > 350 || fabs(x / ink - 13.5) > 6 || fabs(y / ink - 13.5) > 6)
            fail_msg("example %zu: %g pixels of ink around %g, %g", i, ink, x / ink, y / ink);
    }
    data_free(&data);
}

static void writers_have_favourite_digits_and_the_test_has_none(void **state)
{
    (void)state;
    enum { WRITERS = 40, EXAMPLES = 200 };
    struct data *data = open_writers("synth:writers", 5, WRITERS, EXAMPLES);
    double apart = 0;
    for (size_t w = 0; w < WRITERS; w++) {
        double counts[10] = {0};
        for (size_t i = 0; i < EXAMPLES; i++)
            counts[data->train.labels[w * EXAMPLES + i]]++;
        for (size_t c = 0; c < 10; c++)
            apart += fabs(counts[c] / EXAMPLES - 0.1) / 2 / WRITERS;
    }
    /* Of 200 even draws the total variation from uniform is about .08; of Dir(1) it is .35. */
    if (apart < 0.25)
        fail_msg("writers differ from an even mixture by %g only", apart);
    size_t counts[10] = {0};
    for (size_t i = 0; i < data->test.examples; i++)
        counts[data->test.labels[i]]++;
    for (size_t c = 0; c < 10; c++)
        assert_int_equal(counts[c], 200);
    data_free(&data);
}

/* What a model trained on the first `examples` rows reaches on the people of the test set. */
static double learn(const char *specification, const struct data *data, size_t examples,
                    uint32_t passes)
{
    struct model *model = model_new(specification, dataset_shape(&data->train), NULL);
    assert_non_null(model);
    uint32_t *rows = calloc(data->train.examples + data->test.examples, sizeof *rows);
    for (uint32_t i = 0; i < data->train.examples + data->test.examples; i++)
        rows[i] = i;
    struct examples train = {&data->train, rows, examples, NULL};
    struct examples test = {&data->test, rows, data->test.examples, NULL};
    struct learn_settings settings = {
        .rate = model_rate(model), .decay = 1e-4, .batch = 8, .epochs = 1};
    float *parameters = vector_new(model_parameters(model));
    model_initialise(model, 1, parameters);
    struct workspace workspace = {0};
    for (uint32_t pass = 0; pass < passes; pass++) {
        struct pass_report report;
        assert_true(workspace_reset(&workspace, learner_workspace(model, &settings, examples)));
        learner_pass(model, &settings, &train, pass, random_stream(1, 0, RANDOM_BATCH, pass),
                     parameters, NULL, &workspace, &report);
    }
    assert_true(workspace_reset(&workspace, evaluation_workspace(model)));
    struct evaluation result = evaluate(model, parameters, &test, &workspace);
    workspace_free(&workspace);
    vector_free(parameters);
    free(rows);
    model_free(&model);
    return evaluation_accuracy(&result);
}

static void there_is_something_to_learn_and_something_to_gain_from_peers(void **state)
{
    (void)state;
    double alone = 0, linear = 0, network = 0;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct data *data = open_writers("synth:writers", seed, 8, 600);
        alone += learn("linear", data, 600, 20) / 3;
        linear += learn("linear", data, 4800, 20) / 3;
        network += learn("mlp:64", data, 4800, 20) / 3;
        data_free(&data);
    }
    if (!(alone < 0.75 && linear > 0.84 && linear < 0.92 && network > linear + 0.03))
        fail_msg("linear alone %g, linear on all %g, mlp:64 on all %g", alone, linear, network);
}

static void numbers_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *specification, *says;
        size_t writers, examples;
    } cases[] = {
        {"synth:writers?writers=0", "not a number of writers", 1, 1},
        {"synth:writers?writers=-1", "not a number of writers", 1, 1},
        {"synth:writers?writers=ten", "not a number of writers", 1, 1},
        {"synth:writers?writers=1000001", "not a number of writers", 1, 1},
        {"synth:writers?writers=99999999999999999999999", "not a number of writers", 1, 1},
        {"synth:writers", "at most", 1000001, 1},
        {"synth:writers", "at most", 10000, 1000},
        {"synth:writers", "at most", SIZE_MAX, SIZE_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        struct data_hints hints = {
            .seed = 1, .writers = cases[i].writers, .examples_per_writer = cases[i].examples};
        assert_null(data_open(cases[i].specification, &hints, &problem));
        if (!strstr(problem.text, cases[i].says))
            fail_msg("'%s' says '%s', wanted '%s'", cases[i].specification, problem.text,
                     cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shape_follows_from_hints_and_specification),
        cmocka_unit_test(a_writer_does_not_depend_on_how_many_there_are),
        cmocka_unit_test(another_seed_writes_otherwise),
        cmocka_unit_test(every_image_holds_a_digit_in_its_middle),
        cmocka_unit_test(writers_have_favourite_digits_and_the_test_has_none),
        cmocka_unit_test(there_is_something_to_learn_and_something_to_gain_from_peers),
        cmocka_unit_test(numbers_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests_name("synthetic", tests, NULL, NULL);
}
