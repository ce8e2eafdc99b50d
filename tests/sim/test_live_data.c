#include "sim/live_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/random.h"

#define EXAMPLES 200u

static char dir[256], share[300];
static struct problem problem;
static struct config config;

static int make_dir(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(dir, sizeof dir, "%s/starling-share-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(dir));
    snprintf(share, sizeof share, "%s/share", dir);
    config_defaults(&config);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                        "share.csv", "share.txt", "alphabet.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", share, names[i]);
        unlink(path);
    }
    rmdir(share);
    return rmdir(dir);
}

/* Random examples of `classes` classes; pixels or floats of very different size. */
static void make_dataset(struct dataset *data, bool pixels, size_t features, size_t classes)
{
    struct random random = random_stream(7, 0, RANDOM_DIGIT, features);
    *data = (struct dataset){.examples = EXAMPLES, .features = features, .classes = classes};
    assert_int_equal(dataset_allocate(data, pixels, false, &problem), STARLING_OK);
    for (size_t i = 0; i < EXAMPLES * features; i++)
        if (pixels)
            data->bytes[i] = (uint8_t)random_below(&random, 256);
        else
            data->floats[i] = (float)(random_normal(&random) * (i % 3 ? 1e-3 : 1e4));
    for (size_t i = 0; i < EXAMPLES; i++)
        data->labels[i] = (uint16_t)random_below(&random, (uint32_t)classes);
}

static void fit(struct dataset *data, enum dataset_scale scale)
{
    struct dataset none = {.features = data->features, .classes = data->classes};
    assert_int_equal(dataset_fit(data, &none, scale, &problem), STARLING_OK);
    dataset_clear(&none);
}

/* Writes the rows of some of the labels and holds what is read back against them, scaled. */
static void comes_back_the_same(const struct dataset *data, uint16_t labels_below)
{
    uint32_t rows[EXAMPLES], count = 0;
    for (uint32_t i = 0; i < EXAMPLES; i++)
        if (data->labels[i] < labels_below)
            rows[count++] = i;
    if (live_data_write(data, rows, count, share, &config, &problem) != STARLING_OK)
        fail_msg("%s", problem.text);
    const struct data_hints hints = {.seed = 1, .scale = config.task.scale};
    struct data *back = data_open(config.task.data, &hints, &problem);
    if (!back)
        fail_msg("%s", problem.text);
    assert_int_equal(back->train.examples, count);
    assert_int_equal(back->train.classes, data->classes);
    assert_int_equal(back->train.features, data->features);
    assert_int_equal(back->test.examples, 0);
    if (data->height > 0) {
        assert_int_equal(back->train.height, data->height);
        assert_int_equal(back->train.width, data->width);
        assert_int_equal(back->train.channels, data->channels);
    }
    float *wanted = calloc(data->features, sizeof *wanted);
    float *got = calloc(data->features, sizeof *got);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t label, label_back;
        dataset_gather(data, &rows[i], 1, wanted, &label);
        dataset_gather(&back->train, &i, 1, got, &label_back);
        assert_int_equal(label, label_back);
        assert_memory_equal(wanted, got, data->features * sizeof *got);
    }
    free(wanted);
    free(got);
    data_free(&back);
}

static void pixels_come_back_bit_for_bit(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 12, 16, 784};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct dataset data;
        make_dataset(&data, true, sizes[i], 10);
        fit(&data, SCALE_AUTO);
        comes_back_the_same(&data, 10);
        assert_int_equal(strncmp(config.task.data, "idx:", 4), 0);
        dataset_clear(&data);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

static void standardised_pixels_keep_the_swarms_scale(void **state)
{
    (void)state;
    struct dataset data;
    make_dataset(&data, true, 16, 3);
    data.height = 4;
    data.width = data.channels = 2;
    fit(&data, SCALE_STANDARD);
    comes_back_the_same(&data, 3);
    dataset_clear(&data);
}

static void tables_come_back_as_the_same_scaled_floats(void **state)
{
    (void)state;
    static const enum dataset_scale scales[] = {SCALE_AUTO, SCALE_NONE, SCALE_LOG};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        struct dataset data;
        make_dataset(&data, false, 5, 12);
        fit(&data, scales[i]);
        comes_back_the_same(&data, 12);
        assert_int_equal(config.task.scale, SCALE_NONE);
        dataset_clear(&data);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

static void windows_of_text_come_back_with_all_symbols(void **state)
{
    (void)state;
    struct dataset data = {
        .examples = 6, .features = 3, .classes = 7, .symbols = 7, .positions = 3};
    assert_int_equal(dataset_allocate(&data, true, false, &problem), STARLING_OK);
    for (size_t i = 0; i < 18; i++) {
        data.bytes[i] = (uint8_t)(i % 5);
        data.labels[i] = (uint16_t)((i + 1) % 5);
    }
    const uint32_t rows[] = {4, 0, 5};
    if (live_data_write(&data, rows, 3, share, &config, &problem) != STARLING_OK)
        fail_msg("%s", problem.text);
    struct data *back = data_open(config.task.data, &(struct data_hints){.seed = 1}, &problem);
    if (!back)
        fail_msg("%s", problem.text);
    assert_int_equal(back->train.examples, 3);
    assert_int_equal(back->train.symbols, 7);
    assert_int_equal(back->train.positions, 3);
    assert_int_equal(back->test.examples, 0);
    for (size_t i = 0; i < 3; i++) {
        assert_memory_equal(back->train.bytes + 3 * i, data.bytes + 3 * rows[i], 3);
        assert_memory_equal(back->train.labels + 3 * i, data.labels + 3 * rows[i],
                            3 * sizeof *data.labels);
    }
    data_free(&back);
    dataset_clear(&data);
}

static void a_share_without_the_highest_labels_has_all_classes(void **state)
{
    (void)state;
    for (int pixels = 0; pixels < 2; pixels++) {
        struct dataset data;
        make_dataset(&data, pixels, 9, 11);
        fit(&data, SCALE_AUTO);
        comes_back_the_same(&data, 1);
        dataset_clear(&data);
        remove_dir(NULL);
        make_dir(NULL);
    }
}

static void what_cannot_be_written_is_one_clear_line(void **state)
{
    (void)state;
    struct dataset data;
    const uint32_t row = 0;
    make_dataset(&data, true, 4, 3);
    assert_int_equal(live_data_write(&data, &row, 1, "/dev/null/share", &config, &problem),
                     STARLING_FAILED);
    assert_non_null(strstr(problem.text, "TMPDIR"));
    assert_int_equal(live_data_write(&data, &row, 1, "/tmp/what?", &config, &problem),
                     STARLING_INVALID);
    char longer[2 * CONFIG_TEXT_MAX] = "/";
    memset(longer + 1, 'x', sizeof longer - 2);
    assert_int_equal(live_data_write(&data, &row, 1, longer, &config, &problem), STARLING_INVALID);
    assert_int_equal(live_data_write(&data, &row, 1, share, &config, &problem), STARLING_OK);
    assert_int_equal(live_data_write(&data, &row, 1, share, &config, &problem), STARLING_FAILED);
    assert_non_null(strstr(problem.text, "train-images-idx3-ubyte"));
    dataset_clear(&data);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(pixels_come_back_bit_for_bit),
        IN_A_FOLDER(standardised_pixels_keep_the_swarms_scale),
        IN_A_FOLDER(tables_come_back_as_the_same_scaled_floats),
        IN_A_FOLDER(windows_of_text_come_back_with_all_symbols),
        IN_A_FOLDER(a_share_without_the_highest_labels_has_all_classes),
        IN_A_FOLDER(what_cannot_be_written_is_one_clear_line),
    };
    return cmocka_run_group_tests_name("live_data", tests, NULL, NULL);
}
