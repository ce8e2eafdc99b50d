#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/dataset.h"
#include "model/nearest.h"
#include "model/random.h"
#include "model/set_apart.h"

static void make_floats(struct dataset *dataset, size_t examples, size_t features,
                        const float *values)
{
    *dataset = (struct dataset){.examples = examples, .features = features, .classes = 2};
    assert_int_equal(dataset_allocate(dataset, 0, 0, NULL), STARLING_OK);
    memcpy(dataset->floats, values, examples * features * sizeof *values);
    for (size_t i = 0; i < examples; i++)
        dataset->labels[i] = (uint16_t)(i % 2);
}

static void make_bytes(struct dataset *dataset, size_t examples, size_t features, uint64_t seed)
{
    *dataset = (struct dataset){.examples = examples, .features = features, .classes = 3};
    assert_int_equal(dataset_allocate(dataset, 1, 0, NULL), STARLING_OK);
    struct random random = random_stream(seed, 0, RANDOM_INITIAL, 0);
    for (size_t i = 0; i < examples * features; i++)
        dataset->bytes[i] = (uint8_t)random_u32(&random);
    for (size_t i = 0; i < examples; i++)
        dataset->labels[i] = (uint16_t)random_below(&random, 3);
}

static void gather_all(const struct dataset *dataset, float *out)
{
    for (uint32_t i = 0; i < dataset->examples; i++) {
        uint16_t label;
        dataset_gather(dataset, &i, 1, out + i * dataset->features, &label);
        assert_int_equal(label, dataset->labels[i]);
    }
}

static void assert_near(double saw, double wanted, double within)
{
    if (!(fabs(saw - wanted) <= within))
        fail_msg("saw %.9g, wanted %.9g within %g", saw, wanted, within);
}

static void pixels_go_to_0_to_1(void **state)
{
    (void)state;
    struct dataset train, test = {.features = 11};
    make_bytes(&train, 20, 11, 1);
    assert_int_equal(dataset_fit(&train, &test, SCALE_AUTO, NULL), STARLING_OK);
    assert_null(train.shift);
    assert_null(train.scale);
    float out[20 * 11];
    gather_all(&train, out);
    for (size_t i = 0; i < 20 * 11; i++)
        assert_near(out[i], train.bytes[i] / 255.0, 1e-6);
    dataset_clear(&train);
    dataset_clear(&test);
}

static void tables_are_standardised_by_the_training_examples_alone(void **state)
{
    (void)state;
    const float train_values[] = {1, 100, 2, 300, 3, 200}, test_values[] = {4, 400};
    struct dataset train, test;
    make_floats(&train, 3, 2, train_values);
    make_floats(&test, 1, 2, test_values);
    assert_int_equal(dataset_fit(&train, &test, SCALE_AUTO, NULL), STARLING_OK);
    float out[6], unseen[2];
    gather_all(&train, out);
    gather_all(&test, unseen);
    double deviation = sqrt(2.0 / 3.0);
    assert_near(out[0], -1 / deviation, 1e-5);
    assert_near(out[1], -1 / deviation, 1e-5);
    assert_near(out[2], 0, 1e-6);
    assert_near(out[3], 1 / deviation, 1e-5);
    assert_near(unseen[0], 2 / deviation, 1e-5);
    assert_near(unseen[1], 2 / deviation, 1e-5);
    dataset_clear(&train);
    dataset_clear(&test);
}

static void random_tables_come_out_with_mean_0_and_deviation_1(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct random random = random_stream(seed, 0, RANDOM_INITIAL, 0);
        float values[50 * 3], out[50 * 3];
        double offset = 1e4 * random_normal(&random), spread = exp(3 * random_normal(&random));
        for (size_t i = 0; i < 150; i++)
            values[i] = (float)(offset + spread * random_normal(&random));
        struct dataset train, test = {.features = 3};
        make_floats(&train, 50, 3, values);
        assert_int_equal(dataset_fit(&train, &test, SCALE_STANDARD, NULL), STARLING_OK);
        gather_all(&train, out);
        double sum = 0, squares = 0;
        for (size_t i = 0; i < 150; i++) {
            sum += out[i];
            squares += (double)out[i] * out[i];
        }
        /* Floats near the offset are a thousandth apart, which the spread may not dwarf. */
        double within = 1e-3 + 1e-6 * fabs(offset) / spread;
        assert_near(sum / 150, 0, within);
        assert_near(squares / 150, 1, 10 * within);
        dataset_clear(&train);
        dataset_clear(&test);
    }
}

static void a_constant_feature_becomes_0(void **state)
{
    (void)state;
    const float train_values[] = {.1f, 7, .1f, 8, .1f, 9}, test_values[] = {5, 7};
    struct dataset train, test;
    make_floats(&train, 3, 2, train_values);
    make_floats(&test, 1, 2, test_values);
    assert_int_equal(dataset_fit(&train, &test, SCALE_AUTO, NULL), STARLING_OK);
    float out[6], unseen[2];
    gather_all(&train, out);
    gather_all(&test, unseen);
    for (size_t i = 0; i < 6; i += 2)
        assert_true(out[i] == 0);
    assert_true(unseen[0] == 0);
    dataset_clear(&train);
    dataset_clear(&test);
}

static void missing_values_become_the_training_mean(void **state)
{
    (void)state;
    const float train_values[] = {1, NAN, NAN, NAN, 3, NAN}, test_values[] = {NAN, NAN};
    const enum dataset_scale scales[] = {SCALE_AUTO, SCALE_NONE};
    for (size_t i = 0; i < 2; i++) {
        struct dataset train, test;
        make_floats(&train, 3, 2, train_values);
        make_floats(&test, 1, 2, test_values);
        assert_int_equal(dataset_fit(&train, &test, scales[i], NULL), STARLING_OK);
        float out[6], unseen[2], mean = scales[i] == SCALE_NONE ? 2 : 0;
        gather_all(&train, out);
        gather_all(&test, unseen);
        assert_true(out[2] == mean && unseen[0] == mean);
        assert_true(out[1] == 0 && out[3] == 0 && unseen[1] == 0);
        dataset_clear(&train);
        dataset_clear(&test);
    }
}

static void a_feature_missing_in_all_of_training_is_0(void **state)
{
    (void)state;
    const float train_values[] = {NAN, 1, NAN, 2, NAN, 3}, test_values[] = {7, NAN, NAN, 2};
    const enum dataset_scale scales[] = {SCALE_AUTO, SCALE_NONE, SCALE_STANDARD, SCALE_LOG};
    for (size_t i = 0; i < 4; i++) {
        struct dataset train, test;
        make_floats(&train, 3, 2, train_values);
        make_floats(&test, 2, 2, test_values);
        assert_int_equal(dataset_fit(&train, &test, scales[i], NULL), STARLING_OK);
        float out[6], unseen[4];
        gather_all(&train, out);
        gather_all(&test, unseen);
        for (size_t k = 0; k < 6; k += 2)
            assert_true(out[k] == 0);
        assert_true(unseen[0] == 0 && unseen[2] == 0);
        assert_near(unseen[1], scales[i] == SCALE_NONE ? 2 : 0, 1e-6);
        dataset_clear(&train);
        dataset_clear(&test);
    }
}

static void none_leaves_values_as_they_are(void **state)
{
    (void)state;
    struct dataset train, test = {.features = 9};
    make_bytes(&train, 10, 9, 2);
    assert_int_equal(dataset_fit(&train, &test, SCALE_NONE, NULL), STARLING_OK);
    float out[90];
    gather_all(&train, out);
    for (size_t i = 0; i < 90; i++)
        assert_true(out[i] == (float)train.bytes[i]);
    dataset_clear(&train);
    dataset_clear(&test);
}

static void pixels_can_be_standardised_and_taken_logarithms_of(void **state)
{
    (void)state;
    const enum dataset_scale scales[] = {SCALE_STANDARD, SCALE_LOG};
    for (size_t s = 0; s < 2; s++) {
        struct dataset train, test = {.features = 5};
        make_bytes(&train, 100, 5, 3);
        assert_int_equal(dataset_fit(&train, &test, scales[s], NULL), STARLING_OK);
        float out[500];
        gather_all(&train, out);
        double sum = 0, squares = 0;
        for (size_t i = 0; i < 500; i++) {
            sum += out[i];
            squares += (double)out[i] * out[i];
        }
        assert_near(sum / 500, 0, 1e-4);
        assert_near(squares / 500, 1, 1e-3);
        dataset_clear(&train);
        dataset_clear(&test);
    }
}

static void log_keeps_the_sign(void **state)
{
    (void)state;
    const float values[] = {-10, 0, 10};
    struct dataset train, test = {.features = 1};
    make_floats(&train, 3, 1, values);
    assert_int_equal(dataset_fit(&train, &test, SCALE_LOG, NULL), STARLING_OK);
    assert_near(train.floats[0], -log(11), 1e-6);
    assert_true(train.floats[1] == 0);
    assert_near(train.floats[2], log(11), 1e-6);
    dataset_clear(&train);
    dataset_clear(&test);
}

static void too_large_a_set_is_refused(void **state)
{
    (void)state;
    const struct {
        size_t examples, features;
    } cases[] = {
        {DATASET_EXAMPLES_MAX + 1u, 1}, {1, DATASET_FEATURES_MAX + 1u}, {SIZE_MAX, SIZE_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        struct dataset dataset = {.examples = cases[i].examples, .features = cases[i].features};
        assert_int_not_equal(dataset_allocate(&dataset, 1, 1, &problem), STARLING_OK);
        assert_true(*problem.text);
        assert_null(dataset.bytes);
    }
}

static void equal_examples_hash_alike_wherever_they_lie(void **state)
{
    (void)state;
    const float values[] = {0.0f, NAN, 5, -0.0f, -NAN, 5, 0.0f, NAN, 6};
    struct dataset dataset;
    make_floats(&dataset, 3, 3, values);
    memset(dataset.labels, 0, 3 * sizeof *dataset.labels);
    assert_true(dataset_row_hash(&dataset, 0) == dataset_row_hash(&dataset, 1));
    assert_true(dataset_row_hash(&dataset, 0) != dataset_row_hash(&dataset, 2));
    dataset.labels[1] = 1;
    assert_true(dataset_row_hash(&dataset, 0) != dataset_row_hash(&dataset, 1));
    dataset_clear(&dataset);
}

/* What is handed on scaled must be held out alike by those who get it. */
static void a_baked_dataset_holds_what_was_gathered(void **state)
{
    (void)state;
    float values[40 * 3], before[3], after[3];
    struct random random = random_stream(2, 0, RANDOM_DIGIT, 0);
    for (size_t i = 0; i < 40 * 3; i++)
        values[i] = (float)(100 * random_normal(&random));
    struct dataset scaled, baked, test = {0}, other = {0};
    make_floats(&scaled, 40, 3, values);
    make_floats(&baked, 40, 3, values);
    assert_int_equal(dataset_fit(&scaled, &test, SCALE_STANDARD, NULL), STARLING_OK);
    assert_int_equal(dataset_fit(&baked, &other, SCALE_STANDARD, NULL), STARLING_OK);
    assert_int_equal(dataset_bake(&baked, NULL), STARLING_OK);
    for (uint32_t row = 0; row < 40; row++) {
        uint16_t label;
        dataset_gather(&scaled, &row, 1, before, &label);
        dataset_gather(&baked, &row, 1, after, &label);
        assert_memory_equal(before, after, sizeof before);
        assert_memory_equal(before, baked.floats + 3 * row, sizeof before);
    }
    dataset_clear(&scaled);
    dataset_clear(&baked);
    dataset_clear(&test);
    dataset_clear(&other);
}

static void a_change_of_any_byte_changes_the_hash(void **state)
{
    (void)state;
    for (size_t features = 1; features < 30; features++) {
        struct dataset dataset;
        make_bytes(&dataset, 1, features, features);
        uint64_t hash = dataset_row_hash(&dataset, 0);
        for (size_t f = 0; f < features; f++) {
            dataset.bytes[f] ^= 1;
            assert_true(dataset_row_hash(&dataset, 0) != hash);
            dataset.bytes[f] ^= 1;
        }
        assert_true(dataset_row_hash(&dataset, 0) == hash);
        dataset_clear(&dataset);
    }
}

static void folds_hold_every_example_once(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static const double shares[] = {0.5, 0.2, 0.1};
    struct dataset dataset;
    make_bytes(&dataset, COUNT, 16, 4);
    uint32_t *rows = calloc(COUNT * 3, sizeof *rows), *kept = rows + COUNT, *held = kept + COUNT;
    for (uint32_t i = 0; i < COUNT; i++)
        rows[i] = i;
    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        unsigned char *seen = calloc(COUNT, 1);
        uint32_t folds = (uint32_t)(1 / shares[i] + 0.5);
        for (uint32_t fold = 0; fold < folds; fold++) {
            size_t count = dataset_hold_out(&dataset, rows, COUNT, shares[i], fold, kept, held);
            for (size_t j = 0; j < count; j++)
                seen[held[j]]++;
        }
        for (size_t j = 0; j < COUNT; j++)
            assert_int_equal(seen[j], 1);
        free(seen);
    }
    free(rows);
    dataset_clear(&dataset);
}

static void the_order_by_hash_depends_on_content_alone(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    struct dataset dataset;
    make_bytes(&dataset, COUNT, 16, 4);
    uint32_t rows[COUNT], again[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        rows[i] = i;
        again[i] = (i * 7 + 3) % COUNT;
    }
    assert_int_equal(dataset_sort_by_hash(&dataset, rows, COUNT, NULL), 0);
    assert_int_equal(dataset_sort_by_hash(&dataset, again, COUNT, NULL), 0);
    assert_memory_equal(rows, again, sizeof rows);
    for (size_t i = 1; i < COUNT; i++)
        assert_true(dataset_row_hash(&dataset, rows[i - 1]) <= dataset_row_hash(&dataset, rows[i]));
    dataset_clear(&dataset);
}

static void the_hold_out_is_a_split_of_about_its_fraction_and_permanent(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct dataset dataset;
    make_bytes(&dataset, COUNT, 16, 4);
    uint32_t *rows = calloc(COUNT * 3, sizeof *rows), *kept = rows + COUNT, *held = kept + COUNT;
    for (uint32_t i = 0; i < COUNT; i++)
        rows[i] = COUNT - 1 - i;
    size_t count = dataset_hold_out(&dataset, rows, COUNT, 0.2, 0, kept, held);
    /* Five standard deviations of a binomial. */
    assert_near((double)count / COUNT, 0.2, 5 * sqrt(0.2 * 0.8 / COUNT));
    unsigned char *seen = calloc(COUNT, 1);
    for (size_t i = 0; i < COUNT; i++)
        seen[i < count ? held[i] : kept[i - count]]++;
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(seen[i], 1);

    uint32_t one; /* alone, each row goes where it went among the others */
    for (size_t i = 0; i < count; i++)
        assert_int_equal(dataset_hold_out(&dataset, &held[i], 1, 0.2, 0, kept, &one), 1);
    assert_int_equal(dataset_hold_out(&dataset, rows, COUNT, 0, 0, kept, held), 0);
    free(rows);
    free(seen);
    dataset_clear(&dataset);
}

static void what_is_set_apart_shares_no_row_with_the_rest(void **state)
{
    (void)state;
    enum { COUNT = 2000, USERS = 7 };
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct dataset train, test = {0};
        make_bytes(&train, COUNT, 1, seed); /* 768 different rows at most: many are equal */
        train.user_count = USERS;
        train.users = calloc(COUNT, sizeof *train.users);
        for (size_t i = 0; i < COUNT; i++)
            train.users[i] = (uint32_t)(i % USERS);
        assert_int_equal(dataset_set_apart(&train, &test, seed, NULL), STARLING_OK);
        assert_int_equal(train.examples + test.examples, COUNT);
        assert_in_range(test.examples, COUNT / 20, COUNT / 10 + USERS);
        bool held[256][3] = {{0}};
        size_t users[USERS] = {0};
        for (size_t i = 0; i < test.examples; i++) {
            held[test.bytes[i]][test.labels[i]] = true;
            users[test.users[i]]++;
        }
        for (size_t i = 0; i < train.examples; i++)
            assert_false(held[train.bytes[i]][train.labels[i]]);
        for (size_t u = 0; u < USERS; u++)
            assert_in_range(users[u], COUNT / USERS / 20, COUNT / USERS / 10 + 1);
        dataset_clear(&train);
        dataset_clear(&test);
    }
}

static void a_tenth_of_each_class_is_set_apart(void **state)
{
    (void)state;
    enum { CLASSES = 4, COUNT = 1000 + 104 + 20 + 4 };
    static const size_t sizes[CLASSES] = {1000, 104, 20, 4}, tenths[CLASSES] = {100, 10, 2, 0};
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct dataset train = {.examples = COUNT, .features = 1, .classes = CLASSES}, test = {0};
        assert_int_equal(dataset_allocate(&train, 0, 0, NULL), STARLING_OK);
        for (size_t c = 0, row = 0; c < CLASSES; c++)
            for (size_t i = 0; i < sizes[c]; i++, row++) {
                train.floats[row] = (float)row;
                train.labels[row] = (uint16_t)c;
            }
        assert_int_equal(dataset_set_apart(&train, &test, seed, NULL), STARLING_OK);
        size_t seen[CLASSES] = {0};
        for (size_t i = 0; i < test.examples; i++)
            seen[test.labels[i]]++;
        assert_memory_equal(seen, tenths, sizeof seen);
        dataset_clear(&train);
        dataset_clear(&test);
    }
}

static void a_few_rows_are_not_set_apart(void **state)
{
    (void)state;
    struct dataset train, test = {0};
    make_bytes(&train, 4, 3, 1);
    assert_int_equal(dataset_set_apart(&train, &test, 1, NULL), STARLING_OK);
    assert_int_equal(train.examples, 4);
    assert_int_equal(test.examples, 0);
    dataset_clear(&train);
    dataset_clear(&test);
}

static void a_wrong_specification_says_what_is_right(void **state)
{
    (void)state;
    const struct {
        const char *specification, *says;
    } cases[] = {
        {"", "one of synth:, idx:, csv:, libsvm:, leaf:"},
        {"synth", "did you mean synth:?"},
        {"cvs:x", "did you mean csv:?"},
        {"parquet:x", "one of synth:, idx:, csv:, libsvm:, leaf:"},
        {"csv:", "names nothing"},
        {"csv:x?labl=3", "did you mean 'label'?"},
        {"csv:x?zzzzzz=3", "csv: takes label, user, ignore, test, classes, shape"},
        {"csv:x?label", "write label=VALUE"},
        {"csv:x?label=", "write label=VALUE"},
        {"csv:x?label=1&label=2", "given twice"},
        {"csv:x?writers=1", "unknown option 'writers'"},
        {"idx:x?test=y", "idx: takes classes"},
        {"synth:letters", "there is synth:writers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        struct data_hints hints = {.seed = 1};
        assert_null(data_open(cases[i].specification, &hints, &problem));
        assert_int_equal(problem.error, STARLING_INVALID);
        if (!strstr(problem.text, cases[i].says) || strchr(problem.text, '\n'))
            fail_msg("'%s' says '%s', wanted '%s' in one line", cases[i].specification,
                     problem.text, cases[i].says);
    }
    assert_null(data_open("nothing", &(struct data_hints){0}, NULL));
}

static void the_nearest_word_is_never_absurd(void **state)
{
    (void)state;
    const char *const words[] = {"label", "user", "ignore", "test"};
    assert_string_equal(nearest_word("lable", words, 4), "label");
    assert_string_equal(nearest_word("users", words, 4), "user");
    assert_string_equal(nearest_word("ignor", words, 4), "ignore");
    assert_null(nearest_word("partition", words, 4));
    assert_null(nearest_word("", words, 4));
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_null(nearest_word(longest, words, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_go_to_0_to_1),
        cmocka_unit_test(tables_are_standardised_by_the_training_examples_alone),
        cmocka_unit_test(random_tables_come_out_with_mean_0_and_deviation_1),
        cmocka_unit_test(a_constant_feature_becomes_0),
        cmocka_unit_test(missing_values_become_the_training_mean),
        cmocka_unit_test(a_feature_missing_in_all_of_training_is_0),
        cmocka_unit_test(none_leaves_values_as_they_are),
        cmocka_unit_test(pixels_can_be_standardised_and_taken_logarithms_of),
        cmocka_unit_test(log_keeps_the_sign),
        cmocka_unit_test(too_large_a_set_is_refused),
        cmocka_unit_test(equal_examples_hash_alike_wherever_they_lie),
        cmocka_unit_test(a_baked_dataset_holds_what_was_gathered),
        cmocka_unit_test(a_change_of_any_byte_changes_the_hash),
        cmocka_unit_test(folds_hold_every_example_once),
        cmocka_unit_test(the_order_by_hash_depends_on_content_alone),
        cmocka_unit_test(the_hold_out_is_a_split_of_about_its_fraction_and_permanent),
        cmocka_unit_test(what_is_set_apart_shares_no_row_with_the_rest),
        cmocka_unit_test(a_tenth_of_each_class_is_set_apart),
        cmocka_unit_test(a_few_rows_are_not_set_apart),
        cmocka_unit_test(a_wrong_specification_says_what_is_right),
        cmocka_unit_test(the_nearest_word_is_never_absurd),
    };
    return cmocka_run_group_tests_name("dataset", tests, NULL, NULL);
}
