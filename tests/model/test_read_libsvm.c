#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "model/dataset.h"
#include "model/memory.h"
#include "model/random.h"

static void every_usual_way_to_write_it_is_read(void **state)
{
    (void)state;
    static const float wanted[] = {0.5f, 0, -2, 0, 0, 0, 0, 1e3f, 4};
    static const uint16_t labels[] = {1, 0, 1};
    static const char *const texts[] = {
        "+1 1:0.5 3:-2\n-1\n+1 2:1e3 3:4\n",
        "1 1:0.5 3:-2\n-1\n+1 2:1e3 3:4",
        "  2.5\t1:.5  3:-2.0 \r\n\r\n1 # nothing\r\n# all of it\r\n2.5 2:1000 3:+4 #1:7\r\n",
        "yes qid:7 1:0.5 2:0 3:-2\nno qid:7\nyes qid:8 2:1e3 3:4\n",
        "7 0001:0.5 3:-2\n-7 1:0\n7 2:1e+3 3:4\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int packed = 0; packed < 2; packed++) {
            struct data *data =
                files_must_open("libsvm", files_text(packed ? "a.gz" : "a", texts[i]), "");
            assert_int_equal(data->train.examples, 3);
            assert_int_equal(data->train.features, 3);
            assert_int_equal(data->train.classes, 2);
            assert_memory_equal(data->train.floats, wanted, sizeof wanted);
            assert_memory_equal(data->train.labels, labels, sizeof labels);
            data_free(&data);
        }
    }
}

static void labels_are_numbered_in_sorted_order_numbers_by_value(void **state)
{
    (void)state;
    struct data *data =
        files_must_open("libsvm", files_text("n", "10 1:1\n9 1:2\n-1 1:3\n9 1:4\n"), "");
    const uint16_t numeric[] = {2, 1, 0, 1};
    assert_memory_equal(data->train.labels, numeric, sizeof numeric);
    data_free(&data);
}

static void options_say_how_many_features_and_classes_there_are(void **state)
{
    (void)state;
    const char *path = files_text("a", "2 1:1\n0 3:2\n");
    struct data *data = files_must_open("libsvm", path, "?features=5&classes=4&test=none");
    const float wanted[] = {1, 0, 0, 0, 0, 0, 0, 2, 0, 0};
    assert_int_equal(data->train.features, 5);
    assert_int_equal(data->train.classes, 4);
    assert_int_equal(data->train.labels[0], 2);
    assert_memory_equal(data->train.floats, wanted, sizeof wanted);
    data_free(&data);
    files_assert_refused("libsvm", path, "?features=2",
                         "a:2: '3:2': the largest index that is taken is 2");
    files_assert_refused("libsvm", path, "?features=0", "features=0: a number from 1 to 1000000");
    files_assert_refused("libsvm", path, "?features=many", "features=many: a number from 1");
    files_assert_refused("libsvm", path, "?classes=2",
                         "a:1: label out of range: '2' is no number below");
}

static void the_wider_of_both_files_says_how_many_features_there_are(void **state)
{
    (void)state;
    char options[600];
    const char *const texts[] = {"1 2:3\n0 1:1\n", "0 4:1 # wider\n"};
    for (size_t i = 0; i < 2; i++) {
        files_text("train", i ? "1 1:1\n0 4:1\n" : texts[0]);
        snprintf(options, sizeof options, "?test=%s", files_text("test", i ? "0 2:3\n" : texts[1]));
        struct data *data = files_must_open("libsvm", files_path("train"), options);
        assert_int_equal(data->train.features, 4);
        assert_int_equal(data->test.features, 4);
        assert_int_equal(data->test.examples, 1);
        assert_int_equal(data->test.labels[0], 0);
        assert_true(data->test.floats[i ? 1 : 3] == (i ? 3.0f : 1.0f));
        data_free(&data);
    }
    snprintf(options, sizeof options, "?test=%s", files_text("test", "2 1:1\n"));
    files_assert_refused("libsvm", files_path("train"), options,
                         "test:1: label out of range: '2' is no label of");
}

static void what_makes_no_sense_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "is empty"},
        {"\n \t \n# 1 1:1\n", "is empty"},
        {"1\n0\n", "no line has a feature"},
        {"1 1:1\n1:1 2:1\n", "a:2: the label is missing"},
        {"1 1:1\n? 2:1\n", "a:2: the label is missing"},
        {"1 1:1\n1,2 2:1\n", "a:2: several labels"},
        {"1 1:1\n0 0:1\n", "a:2: '0:1': indices count from 1"},
        {"1 1:1\n0 1000001:1\n", "'1000001:1': the largest index that is taken is 1000000"},
        {"1 1:1\n0 99999999999999999999999999:1\n", "the largest index that is taken is"},
        {"1 1:1\n0 4294967297:1\n", "the largest index that is taken is"},
        {"1 2:1 2:1\n0 1:1\n", "a:1: '2:1' behind index 2: indices must rise"},
        {"1 3:1 2:1\n0 1:1\n", "a:1: '2:1' behind index 3: indices must rise"},
        {"1 -1:1\n0 1:1\n", "'-1:1' is no feature"},
        {"1 1.5:1\n0 1:1\n", "'1.5:1' is no feature"},
        {"1 :1\n0 1:1\n", "':1' is no feature"},
        {"1 2\n0 1:1\n", "'2' is no feature"},
        {"1 1: 2:1\n0 1:1\n", "index 1: '' is missing"},
        {"1 1:?\n0 1:1\n", "index 1: '?' is missing"},
        {"1 1:nan\n0 1:1\n", "index 1: 'nan' is not finite"},
        {"1 1:-Inf\n0 1:1\n", "index 1: '-Inf' is not finite"},
        {"1 1:1e400\n0 1:1\n", "index 1: '1e400' is beyond"},
        {"1 1:2:3\n0 1:1\n", "index 1: '2:3' is not a number"},
        {"1 1:x\x01y\n0 1:1\n", "index 1: 'x?y' is not a number"},
        {"1 1:1 qid:3\n0 1:1\n", "'qid:3' is no feature"},
        {"1 1:1\n1 2:1\n", "nothing to learn"},
        {"a,b,c\n1,2,3\n", "several labels"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        files_assert_refused("libsvm", files_text("a", cases[i].text), "", cases[i].says);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    char options[600];
    files_assert_refused("libsvm", files_path("none"), "", "none: No such file");
    files_assert_refused("libsvm", files_path("."), "", "is a folder");
    snprintf(options, sizeof options, "?test=%s", files_path("none"));
    files_assert_refused("libsvm", files_text("a", "1 1:1\n0 1:1\n"), options,
                         "none: No such file");
    const char zeros[] = "1 1:1\n0 \0001:1\n";
    files_assert_refused("libsvm", files_raw("zero", zeros, sizeof zeros - 1), "",
                         "zero:2: a zero byte");
}

static void a_gzip_cut_short_is_refused(void **state)
{
    (void)state;
    char *text = malloc(200000);
    size_t length = 0;
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 0);
    for (int i = 0; i < 5000; i++)
        length += (size_t)sprintf(text + length, "%d 3:%u 9:%u\n", i % 3, random_u32(&random),
                                  random_u32(&random));
    const char *path = files_write("cut.gz", text, length);
    FILE *file = fopen(path, "rb");
    size_t packed = fread(text, 1, 200000, file);
    fclose(file);
    for (size_t part = 1; part < 8; part++)
        files_assert_refused("libsvm", files_raw("cut.gz", text, packed * part / 8), "",
                             "cut.gz: its gzip");
    free(text);
}

static void more_than_memory_holds_is_refused_before_it_is_taken(void **state)
{
    (void)state;
    size_t lines = memory_left() / 4000000 + 2;
    char *text = malloc(lines * 16);
    size_t length = 0;
    for (size_t i = 0; i < lines; i++)
        length += (size_t)sprintf(text + length, "%zu 1000000:1\n", i % 2);
    char says[100];
    snprintf(says, sizeof says, "memory does not hold its %zu or more examples of 1000000", lines);
    files_assert_refused("libsvm", files_raw("wide", text, length), "", says);
    free(text);
}

static void a_sparse_file_as_written_comes_back(void **state)
{
    (void)state;
    enum { ROWS = 2000, FEATURES = 50 };
    float *values = calloc(ROWS * FEATURES, sizeof *values);
    char *text = malloc(ROWS * FEATURES * 24);
    size_t length = 0;
    struct random random = random_stream(3, 0, RANDOM_INITIAL, 0);
    for (size_t i = 0; i < ROWS; i++) {
        length += (size_t)sprintf(text + length, "%zu", i % 3);
        for (size_t f = 0; f < FEATURES; f++) {
            if (random_below(&random, 4) || (i == 0 && f == FEATURES - 1))
                continue;
            values[i * FEATURES + f] = (float)random_normal(&random);
            length += (size_t)sprintf(text + length, " %zu:%.9g", f + 1,
                                      (double)values[i * FEATURES + f]);
        }
        text[length++] = '\n';
    }
    struct data *data = files_must_open("libsvm", files_write("s.gz", text, length), "?test=none");
    assert_int_equal(data->train.examples, ROWS);
    assert_int_equal(data->train.features, FEATURES);
    assert_memory_equal(data->train.floats, values, ROWS * FEATURES * sizeof *values);
    data_free(&data);
    data = files_must_open("libsvm", files_path("s.gz"), "");
    assert_int_equal(data->test.examples, 67 + 67 + 67); /* a tenth of each class */
    data_free(&data);
    free(text);
    free(values);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_usual_way_to_write_it_is_read),
        TEST(labels_are_numbered_in_sorted_order_numbers_by_value),
        TEST(options_say_how_many_features_and_classes_there_are),
        TEST(the_wider_of_both_files_says_how_many_features_there_are),
        TEST(what_makes_no_sense_is_refused_with_its_line),
        TEST(a_file_that_cannot_be_read_is_named),
        TEST(a_gzip_cut_short_is_refused),
        TEST(more_than_memory_holds_is_refused_before_it_is_taken),
        TEST(a_sparse_file_as_written_comes_back),
    };
    return cmocka_run_group_tests_name("read_libsvm", tests, NULL, NULL);
}
