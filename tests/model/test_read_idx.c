#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "model/dataset.h"

#define TRAIN_IMAGES "train-images-idx3-ubyte"
#define TRAIN_LABELS "train-labels-idx1-ubyte"
#define TEST_IMAGES "t10k-images-idx3-ubyte"
#define TEST_LABELS "t10k-labels-idx1-ubyte"

/* Six images of 2×3 pixels with the labels 0 1 2 0 1 2, and two of them to test. */
static const uint8_t train_images[] = {0,  0,  8,  3,  0,  0,  0,  6,  0,  0,  0,  2,  0,
                                       0,  0,  3,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,
                                       10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
                                       23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 255};
static const uint8_t train_labels[] = {0, 0, 8, 1, 0, 0, 0, 6, 0, 1, 2, 0, 1, 2};
static const uint8_t test_images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0,  0,  0,  2,  0,  0,
                                      0, 3, 1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16};
static const uint8_t test_labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 2, 1};

static int begin(void **state)
{
    (void)state;
    files_begin();
    files_raw(TRAIN_IMAGES, train_images, sizeof train_images);
    files_raw(TRAIN_LABELS, train_labels, sizeof train_labels);
    files_raw(TEST_IMAGES, test_images, sizeof test_images);
    files_raw(TEST_LABELS, test_labels, sizeof test_labels);
    return 0;
}

static struct data *open_folder(const char *folder, struct problem *problem)
{
    char specification[1100];
    snprintf(specification, sizeof specification, "idx:%s", folder);
    return data_open(specification, &(struct data_hints){.seed = 1}, problem);
}

static void assert_opens(void)
{
    struct problem problem = {0};
    struct data *data = open_folder(files_path("."), &problem);
    if (!data)
        fail_msg("refused: %s", problem.text);
    assert_int_equal(data->train.examples, 6);
    assert_int_equal(data->train.features, 6);
    assert_int_equal(data->train.classes, 3);
    assert_int_equal(data->train.labels[5], 2);
    assert_int_equal(data->train.bytes[35], 255);
    assert_null(data->train.floats);
    assert_null(data->train.users);
    assert_int_equal(data->test.examples, 2);
    assert_int_equal(data->test.features, 6);
    assert_int_equal(data->test.classes, 3);
    assert_int_equal(data->test.bytes[11], 16);
    data_free(&data);
    assert_null(data);
}

/* Opening fails, names `file`, and says `says` in one line. */
static void assert_refused(const char *file, const char *says)
{
    struct problem problem = {0};
    struct data *data = open_folder(files_path("."), &problem);
    assert_null(data);
    assert_int_not_equal(problem.error, STARLING_OK);
    if (!strstr(problem.text, file) || !strstr(problem.text, says) || strchr(problem.text, '\n'))
        fail_msg("says '%s', wanted '%s' and '%s'", problem.text, file, says);
}

static void plain_files_are_read(void **state)
{
    (void)state;
    assert_opens();
}

static void gzip_files_are_read_beside_plain_ones(void **state)
{
    (void)state;
    unlink(files_path(TRAIN_IMAGES));
    unlink(files_path(TEST_LABELS));
    files_write(TRAIN_IMAGES ".gz", train_images, sizeof train_images);
    files_write(TEST_LABELS ".gz", test_labels, sizeof test_labels);
    assert_opens();
}

static void without_test_files_there_are_no_test_examples(void **state)
{
    (void)state;
    unlink(files_path(TEST_IMAGES));
    unlink(files_path(TEST_LABELS));
    struct data *data = open_folder(files_path("."), NULL);
    assert_non_null(data);
    assert_int_equal(data->test.examples, 0);
    assert_int_equal(data->test.features, data->train.features);
    data_free(&data);
}

static void missing_files_are_named(void **state)
{
    (void)state;
    unlink(files_path(TEST_LABELS));
    assert_refused("t10k-images-idx3-ubyte but not its labels", "fetch");
    unlink(files_path(TRAIN_IMAGES));
    assert_refused("train-labels-idx1-ubyte but not its images", "fetch");
    unlink(files_path(TRAIN_LABELS));
    assert_refused("has no " TRAIN_IMAGES, "four files");
    struct problem problem;
    assert_null(open_folder("/no/such/folder", &problem));
    assert_non_null(strstr(problem.text, "/no/such/folder"));
}

static void a_file_cut_anywhere_names_the_file(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof train_images; length++) {
        files_raw(TRAIN_IMAGES, train_images, length);
        assert_refused(TRAIN_IMAGES, "ends before");
    }
    files_raw(TRAIN_IMAGES, train_images, sizeof train_images);
    files_raw(TEST_LABELS, test_labels, sizeof test_labels - 1);
    assert_refused(TEST_LABELS, "ends before");
}

static void bytes_behind_the_last_example_are_refused(void **state)
{
    (void)state;
    uint8_t longer[sizeof train_images + 1] = {0};
    memcpy(longer, train_images, sizeof train_images);
    files_raw(TRAIN_IMAGES, longer, sizeof longer);
    assert_refused(TRAIN_IMAGES, "goes on after");
}

static void a_damaged_gzip_names_the_file(void **state)
{
    (void)state;
    enum { SIDE = 64, COUNT = 50 };
    static uint8_t images[16 + COUNT * SIDE * SIDE];
    const uint8_t header[] = {0, 0, 8, 3, 0, 0, 0, COUNT, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    memcpy(images, header, sizeof header);
    for (size_t i = sizeof header; i < sizeof images; i++)
        images[i] = (uint8_t)(i * i >> 7);
    unlink(files_path(TRAIN_IMAGES));
    const char *path = files_write(TRAIN_IMAGES ".gz", images, sizeof images);
    static uint8_t packed[sizeof images + 1000];
    FILE *file = fopen(path, "rb");
    size_t length = fread(packed, 1, sizeof packed, file);
    fclose(file);

    files_raw(TRAIN_IMAGES ".gz", packed, length / 2);
    assert_refused(TRAIN_IMAGES ".gz", "ends");
    files_raw(TRAIN_IMAGES ".gz", packed, length - 4);
    assert_refused(TRAIN_IMAGES ".gz", "ends");
    for (size_t i = length / 3; i < length / 3 + 40; i++)
        packed[i] ^= 0x55;
    files_raw(TRAIN_IMAGES ".gz", packed, length);
    assert_refused(TRAIN_IMAGES ".gz", "gzip");
}

static void headers_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const struct {
        const char *says;
        uint8_t header[24];
    } cases[] = {
        {"no IDX file", {1, 0, 8, 3}},
        {"no IDX file", {0, 1, 8, 3}},
        {"no IDX file", {0, 0, 8, 0}},
        {"no IDX file", {0, 0, 8, 5}},
        {"no IDX file", {0, 0, 8, 255}},
        {"type 0x0d", {0, 0, 13, 3}},
        {"type 0x00", {0, 0, 0, 3}},
        {"promises 0 examples", {0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3}},
        {"of 0 values", {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3}},
        {"promises 4294967295", {0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 2, 0, 0, 0, 3}},
        {"promises", {0, 0, 8, 3, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255}},
        {"promises",
         {0, 0, 8, 4, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
        {"ends before", {0, 0, 8, 3, 5, 0xf5, 0xe1, 0, 0, 0, 3, 232, 0, 0, 3, 232}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        files_raw(TRAIN_IMAGES, cases[i].header, sizeof cases[i].header);
        assert_refused(TRAIN_IMAGES, cases[i].says);
    }
}

static void labels_must_fit_their_images(void **state)
{
    (void)state;
    const uint8_t fewer[] = {0, 0, 8, 1, 0, 0, 0, 5, 0, 1, 2, 0, 1};
    files_raw(TRAIN_LABELS, fewer, sizeof fewer);
    assert_refused(TRAIN_LABELS, "5 labels for the 6 images");
    const uint8_t pairs[] = {0, 0, 8, 2, 0, 0, 0, 6, 0, 0, 0, 2,
                             0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2};
    files_raw(TRAIN_LABELS, pairs, sizeof pairs);
    assert_refused(TRAIN_LABELS, "2 values an example");
}

static void a_test_label_beyond_the_training_classes_names_file_and_example(void **state)
{
    (void)state;
    const uint8_t beyond[] = {0, 0, 8, 1, 0, 0, 0, 2, 2, 3};
    files_raw(TEST_LABELS, beyond, sizeof beyond);
    assert_refused(TEST_LABELS, "label out of range: example 2 has 3");
}

static void test_images_of_another_size_are_refused(void **state)
{
    (void)state;
    const uint8_t smaller[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4};
    files_raw(TEST_IMAGES, smaller, sizeof smaller);
    assert_refused("test images of 2 pixels and training images of 6", "one size");
}

static void a_single_class_is_nothing_to_learn(void **state)
{
    (void)state;
    const uint8_t same[] = {0, 0, 8, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0};
    const uint8_t same_test[] = {0, 0, 8, 1, 0, 0, 0, 2, 0, 0};
    files_raw(TRAIN_LABELS, same, sizeof same);
    files_raw(TEST_LABELS, same_test, sizeof same_test);
    assert_refused("idx:", "nothing to learn");
}

static void fashion_mnist_is_read_whole(void **state)
{
    (void)state;
    const char *folder = files_real("fashion-mnist");
    if (!folder)
        skip();
    struct data *data = open_folder(folder, NULL);
    assert_non_null(data);
    assert_int_equal(data->train.examples, 60000);
    assert_int_equal(data->test.examples, 10000);
    assert_int_equal(data->train.features, 784);
    assert_int_equal(data->train.classes, 10);
    size_t counts[10] = {0};
    for (size_t i = 0; i < 60000; i++)
        counts[data->train.labels[i]]++;
    for (size_t c = 0; c < 10; c++)
        assert_int_equal(counts[c], 6000);
    data_free(&data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, files_teardown)
    const struct CMUnitTest tests[] = {
        TEST(plain_files_are_read),
        TEST(gzip_files_are_read_beside_plain_ones),
        TEST(without_test_files_there_are_no_test_examples),
        TEST(missing_files_are_named),
        TEST(a_file_cut_anywhere_names_the_file),
        TEST(bytes_behind_the_last_example_are_refused),
        TEST(a_damaged_gzip_names_the_file),
        TEST(headers_that_make_no_sense_are_refused),
        TEST(labels_must_fit_their_images),
        TEST(a_test_label_beyond_the_training_classes_names_file_and_example),
        TEST(test_images_of_another_size_are_refused),
        TEST(a_single_class_is_nothing_to_learn),
        TEST(fashion_mnist_is_read_whole),
    };
    return cmocka_run_group_tests_name("read_idx", tests, NULL, NULL);
}
