#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "model/dataset.h"
#include "model/fields.h"
#include "model/random.h"

/* The four rows 1 2 a, 3 4 b, 5 6 a, 7 8 c: too few for any to be set apart. */
static void assert_four_rows(const struct data *data)
{
    static const uint16_t labels[] = {0, 1, 0, 2};
    assert_int_equal(data->train.examples, 4);
    assert_int_equal(data->train.features, 2);
    assert_int_equal(data->train.classes, 3);
    for (size_t i = 0; i < 8; i++)
        assert_true(data->train.floats[i] == (float)(i + 1));
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(data->train.labels[i], labels[i]);
}

static void every_usual_way_to_write_a_table_is_read(void **state)
{
    (void)state;
    const struct {
        const char *text, *options;
    } cases[] = {
        {"1,2,a\n3,4,b\n5,6,a\n7,8,c\n", ""},
        {"1,2,a\r\n3,4,b\r\n5,6,a\r\n7,8,c", ""},
        {"1;2;a\n3;4;b\n5;6;a\n7;8;c\n", ""},
        {"1\t2\ta\n3\t4\tb\n5\t6\ta\n7\t8\tc\n", ""},
        {"  1 2   a\n3 4 b  \n 5  6 a\n7 8 c\n", ""},
        {"\t1 2 \t a\n3\t4\t\tb\t\n \t 5  6\ta \r\n7 8 c\n", ""},
        {"1   2.0\t\"a\"\n3\t4\t\"b\"\n5 6 \"a\"\n7. 8 \"c\"\n", ""},
        {"x y kind\n1 2 a\n 3 4 b\n5 6 a\n7 8 c\n", ""},
        {" a 1 2\n b 3 4\n a 5 6\n c 7 8\n", "?label=1"},
        {"   1  2  9  a\n   3  4 -1  b\n   5  6 1.  a\n  7 8 1e3 c\n", "?ignore=3"},
        {"the x\tthe y\tkind\n1\t2\ta\n3\t4\tb\n5\t6\ta\n7\t8\tc\n", "?label=kind"},
        {"1\t 2\t a\n3\t\t4\tb\n5\t6\t\t\ta\n7\t8\tc\t\n", ""},
        {"\xEF\xBB\xBF"
         "1, 2, a\n\n 3 , 4 ,b \n5,6,a\n  \n7,8,c\n\n",
         ""},
        {"x,y,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,c\n", ""},
        {"x,y,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,c\n", "?label=kind"},
        {"x,y,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,c\n", "?label=3"},
        {"x,y,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,c\n", "?label=last"},
        {"kind,x,y\na,1,2\nb,3,4\na,5,6\nc,7,8\n", "?label=kind"},
        {"a,1,2\nb,3,4\na,5,6\nc,7,8\n", "?label=1"},
        {"0,1,kind\n1,2,a\n3,4,b\n5,6,a\n7,8,c\n", "?label=kind"},
        {"1,2,9,a\n3,4,x,b\n5,6,,a\n7,8,0,c\n", "?ignore=3"},
        {"n,x,y,z,kind\np,1,2,9,a\nq,3,4,x,b\nr,5,6,,a\ns,7,8,0,c\n", "?ignore=n,z"},
        {"\"1\",\"2\",\"a\"\n3,\"4\",b\n\"5\" , 6,a\n7,8,\"c\"\n", ""},
        {"\"the x, say\",\"a \"\"y\"\"\",kind\n1,2,a\n3,4,b\n5,6,a\n7,8,c\n", ""},
        {"1e0,+2,a\n.3e1,4.,b\n500e-2,6.0,a\n7,0.0008E4,c\n", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int packed = 0; packed < 2; packed++) {
            const char *path = files_text(packed ? "table.csv.gz" : "table.csv", cases[i].text);
            struct data *data = files_must_open("csv", path, cases[i].options);
            assert_four_rows(data);
            data_free(&data);
        }
    }
}

static void a_shape_makes_images_of_rows(void **state)
{
    (void)state;
    const struct {
        const char *options;
        size_t height, width, channels;
    } cases[] = {
        {"", 0, 0, 0},
        {"?shape=2x3", 2, 3, 1},
        {"?shape=3x2x1", 3, 2, 1},
        {"?shape=1x2x3", 1, 2, 3},
        {"?shape=6x1", 6, 1, 1},
        {"?test=none&shape=1x6", 1, 6, 1},
    };
    char text[1000] = "";
    for (int i = 0; i < 20; i++)
        sprintf(text + strlen(text), "%d,1,2,3,4,5,%c\n", i, "ab"[i % 2]);
    const char *path = files_text("i.csv", text);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data *data = files_must_open("csv", path, cases[i].options);
        const struct dataset *both[] = {&data->train, &data->test};
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(both[k]->height, cases[i].height);
            assert_int_equal(both[k]->width, cases[i].width);
            assert_int_equal(both[k]->channels, cases[i].channels);
        }
        data_free(&data);
    }
    static const char *const wrong[] = {"6",
                                        "x",
                                        "2x",
                                        "x3",
                                        "2x3x",
                                        "2x3x1x1",
                                        "0x6",
                                        "-2x-3",
                                        "2 x3",
                                        "2X3",
                                        "1.5x4",
                                        "2x3,1",
                                        "99999999999999999999x1",
                                        "+2x3"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char option[60];
        snprintf(option, sizeof option, "?shape=%s", wrong[i]);
        files_assert_refused("csv", path, option,
                             "write HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, for example");
    }
    files_assert_refused("csv", path, "?shape=28x28",
                         "shape=28x28: is 784 numbers, but an example has 6");
    files_assert_refused("csv", path, "?shape=2x3x2",
                         "shape=2x3x2: is 12 numbers, but an example has 6");
}

static void labels_are_numbered_in_sorted_order_numbers_by_value(void **state)
{
    (void)state;
    struct data *data = files_must_open("csv", files_text("n.csv", "1,10\n2,9\n3,-1\n4,9\n"), "");
    const uint16_t numeric[] = {2, 1, 0, 1};
    assert_memory_equal(data->train.labels, numeric, sizeof numeric);
    data_free(&data);
    data = files_must_open("csv", files_text("t.csv", "1,10\n2,9\n3,x y\n4,9\n"), "");
    const uint16_t text[] = {0, 1, 2, 1};
    assert_memory_equal(data->train.labels, text, sizeof text);
    data_free(&data);
}

static void users_are_told_apart(void **state)
{
    (void)state;
    const char *path = files_text("u.csv", "who,x,y\n10,1,a\n9,2,b\n10,3,a\n2,4,b\n");
    struct data *data = files_must_open("csv", path, "?user=who");
    const uint32_t users[] = {2, 1, 2, 0};
    assert_int_equal(data->train.user_count, 3);
    assert_int_equal(data->train.features, 1);
    assert_memory_equal(data->train.users, users, sizeof users);
    data_free(&data);
    data = files_must_open("csv", path, "");
    assert_null(data->train.users);
    assert_int_equal(data->train.features, 2);
    data_free(&data);
}

static void missing_values_are_filled_with_the_mean(void **state)
{
    (void)state;
    struct data *data =
        files_must_open("csv", files_text("m.csv", "1,?,a\n,4,b\n5, ,a\n3,2,c\n"), "");
    const float wanted[] = {1, 3, 3, 4, 5, 3, 3, 2};
    for (size_t i = 0; i < 8; i++)
        assert_true(data->train.floats[i] == wanted[i]);
    data_free(&data);
}

static void a_tab_parts_fields_one_of_which_may_be_missing(void **state)
{
    (void)state;
    struct data *data =
        files_must_open("csv", files_text("m.tsv", "1\t2\ta\n\t4\tb\n5\t\ta\n"), "");
    const float wanted[] = {1, 2, 3, 4, 5, 3};
    assert_memory_equal(data->train.floats, wanted, sizeof wanted);
    data_free(&data);
}

static void what_makes_no_sense_is_refused_with_its_line(void **state)
{
    (void)state;
    const struct {
        const char *text, *options, *says;
    } cases[] = {
        {"", "", "is empty"},
        {"\n\n  \n", "", "is empty"},
        {"x,y,kind\n", "", "is empty"},
        {"1,2,a\n3,abc,b\n", "", "t.csv:2: column 2: 'abc' is not a number"},
        {"1,2,3,abc,b\n1,2,3,4,a\n", "", "t.csv:1: column 4: 'abc' is not a number"},
        {"1,2,a\n3,4x,b\n", "", "column 2: '4x' is not a number"},
        {"1,2,a\n3,1 2,b\n", "", "'1 2' is not a number"},
        {"1,2,a\n3,0x10,b\n", "", "'0x10' is not a number"},
        {"1,2,a\n3,1e,b\n", "", "'1e' is not a number"},
        {"1,2,a\n3,-,b\n", "", "'-' is not a number"},
        {"1,2,a\n3,a\x01"
         "b\tc,b\n",
         "", "'a?b?c' is not a number"},
        {"1,2,a\n3,nan,b\n", "", "t.csv:2: column 2: 'nan' is not finite"},
        {"1,-Inf,a\n3,4,b\n", "", "t.csv:1: column 2: '-Inf' is not finite"},
        {"1,2,a\n3,1e99,b\n", "", "'1e99' is beyond"},
        {"1,2,a\n3,-1e999999999999,b\n", "", "is beyond"},
        {"1,2,a\n3,4\n", "", "t.csv:2: 2 fields where the first line of"},
        {"1,2,a\n3,4,5,b\n", "", "t.csv:2: 4 fields"},
        {"1 2 a\n3 4 5 b\n", "", "t.csv:2: 4 fields"},
        {"1\t2\ta\n3\t\t4\t5\tb\n", "", "t.csv:2: 4 fields"},
        {"1,2,a\n3,4,\n", "", "t.csv:2: column 3: the label is missing"},
        {"1,2,a\n3,4,?\n", "", "the label is missing"},
        {"1,2,a\n,4,b\n", "?user=1", "t.csv:2: column 1: the user is missing"},
        {"1,2,a\n3,\"4,b\n", "", "t.csv:2: a quote is not closed"},
        {"1,2,a\n3,\"4\"5,b\n", "", "t.csv:2: text behind a closing quote"},
        {"x,y,kind\n1,2,a\n3,4,b\n", "?label=kin", "did you mean 'kind'?"},
        {"1,2,a\n3,4,b\n", "?label=4", "there are columns 1 to 3"},
        {"1,2,a\n3,4,b\n", "?label=0", "there are columns 1 to 3"},
        {"1,2,a\n3,4,b\n", "?label=99999999999999999999999", "there are columns 1 to 3"},
        {"1,2,a\n3,4,b\n", "?user=last", "column 3 is the label already"},
        {"1,2,a\n3,4,b\n", "?ignore=1,3", "column 3 is the label already"},
        {"1,2,a\n3,4,b\n", "?user=1&ignore=1", "column 1 is the user already"},
        {"1,2,a\n3,4,b\n", "?ignore=1,2", "no column is left"},
        {"word\nother\n", "", "no column is left"},
        {"1,2,a\n3,4,a\n", "", "nothing to learn"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        files_assert_refused("csv", files_text("t.csv", cases[i].text), cases[i].options,
                             cases[i].says);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    files_assert_refused("csv", files_path("none.csv"), "", "none.csv: No such file");
    files_assert_refused("csv", files_path("."), "", "is a folder");
    files_text("t.csv", "1,2,a\n3,4,b\n");
    char options[600];
    snprintf(options, sizeof options, "?test=%s", files_path("none.csv"));
    files_assert_refused("csv", files_path("t.csv"), options, "none.csv: No such file");
}

static void a_file_that_is_no_text_is_refused(void **state)
{
    (void)state;
    const char zeros[] = "1,2,a\n3,\0004,b\n";
    files_assert_refused("csv", files_raw("zero.csv", zeros, sizeof zeros - 1), "",
                         "zero.csv:2: a zero byte");
    size_t length = (1u << 20) + 100;
    char *line = malloc(length + 8);
    memcpy(line, "1,2,a\n", 6);
    memset(line + 6, '7', length);
    files_assert_refused("csv", files_raw("long.csv", line, length), "",
                         "long.csv:2: a line of more than 1 MiB");
    line[length] = '\n';
    files_assert_refused("csv", files_raw("long.csv", line, length + 1), "",
                         "a line of more than 1 MiB");
    free(line);
}

static void a_gzip_cut_short_is_refused(void **state)
{
    (void)state;
    char *text = malloc(200000);
    size_t length = 0;
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 0);
    for (int i = 0; i < 5000; i++)
        length += (size_t)sprintf(text + length, "%u,%u,%d\n", random_u32(&random),
                                  random_u32(&random), i % 3);
    const char *path = files_write("cut.csv.gz", text, length);
    FILE *file = fopen(path, "rb");
    size_t packed = fread(text, 1, 200000, file);
    fclose(file);
    for (size_t part = 1; part < 8; part++)
        files_assert_refused("csv", files_raw("cut.csv.gz", text, packed * part / 8), "",
                             "cut.csv.gz: its gzip");
    memset(text + packed / 2, 0, 100);
    files_assert_refused("csv", files_raw("cut.csv.gz", text, packed), "", "cut.csv.gz");
    free(text);
}

static void too_many_labels_are_refused(void **state)
{
    (void)state;
    char *text = malloc(300000);
    size_t length = 0;
    for (unsigned i = 0; i <= DATASET_CLASSES_MAX; i++)
        length += (size_t)sprintf(text + length, "1,%u.5\n", i);
    const char *path = files_raw("many.csv", text, length);
    files_assert_refused("csv", path, "",
                         "many.csv:10001: column 2: more than 10000 distinct labels");
    free(text);
}

static struct data *open_pair(const char *train, const char *test, struct problem *problem)
{
    char options[600];
    files_text("train.csv", train);
    snprintf(options, sizeof options, "?test=%s", files_text("test.csv", test));
    return files_open("csv", files_path("train.csv"), options, problem);
}

static void a_test_file_is_read_by_the_training_files_columns(void **state)
{
    (void)state;
    const char *const train[] = {"1,a\n2,b\n", "x,kind\n1,a\n2,b\n", "x,kind\n1,a\n2,b\n"};
    const char *const test[] = {"3,b\n", "x,kind\n3,b\n", "3,b\n"};
    for (size_t i = 0; i < 3; i++) {
        struct problem problem = {0};
        struct data *data = open_pair(train[i], test[i], &problem);
        if (!data)
            fail_msg("case %zu: %s", i, problem.text);
        assert_int_equal(data->train.examples, 2);
        assert_int_equal(data->test.examples, 1);
        assert_true(data->test.floats[0] == 3);
        assert_int_equal(data->test.labels[0], 1);
        assert_int_equal(data->test.classes, 2);
        data_free(&data);
    }
}

static void a_test_label_never_trained_on_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *test, *says;
    } cases[] = {
        {"3,b\n4,c\n", "test.csv:2: column 2: label out of range: 'c'"},
        {"3,4,b\n", "test.csv:1: 3 fields"},
        {"", "test.csv: is empty"},
        {"4,b\nx,a\n", "test.csv:2: column 1: 'x' is not a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        assert_null(open_pair("1,a\n2,b\n", cases[i].test, &problem));
        if (!strstr(problem.text, cases[i].says))
            fail_msg("says '%s', wanted '%s'", problem.text, cases[i].says);
    }
}

static const char *write_random_table(char *text, size_t rows)
{
    size_t length = 0;
    struct random random = random_stream(5, 0, RANDOM_INITIAL, 0);
    for (size_t i = 0; i < rows; i++)
        length += (size_t)sprintf(text + length, "%u,%u,%u,c%u\n", random_below(&random, 4),
                                  random_below(&random, 30), random_below(&random, 30),
                                  random_below(&random, 3));
    return files_raw("random.csv", text, length);
}

static void without_a_test_file_a_tenth_is_set_apart_by_seed(void **state)
{
    (void)state;
    char *text = malloc(100000);
    char specification[1200];
    snprintf(specification, sizeof specification, "csv:%s?user=1", write_random_table(text, 3000));
    struct data *by_seed[3];
    for (size_t i = 0; i < 3; i++) {
        struct data_hints hints = {.seed = i == 2 ? 1 : i + 1, .scale = SCALE_NONE};
        by_seed[i] = data_open(specification, &hints, NULL);
        assert_non_null(by_seed[i]);
        assert_in_range(by_seed[i]->test.examples, 285, 302);
        assert_int_equal(by_seed[i]->train.examples + by_seed[i]->test.examples, 3000);
        size_t users[4] = {0};
        for (size_t k = 0; k < by_seed[i]->test.examples; k++)
            users[by_seed[i]->test.users[k]]++;
        for (size_t u = 0; u < 4; u++)
            assert_in_range(users[u], 60, 90);
    }
    size_t count = by_seed[0]->test.examples;
    assert_int_equal(count, by_seed[2]->test.examples);
    assert_memory_equal(by_seed[0]->test.floats, by_seed[2]->test.floats,
                        count * 2 * sizeof(float));
    size_t other = by_seed[1]->test.examples < count ? by_seed[1]->test.examples : count;
    assert_memory_not_equal(by_seed[0]->test.floats, by_seed[1]->test.floats,
                            other * 2 * sizeof(float));
    for (size_t i = 0; i < 3; i++)
        data_free(&by_seed[i]);
    free(text);
}

static void a_table_as_written_comes_back(void **state)
{
    (void)state;
    enum { ROWS = 3000, COLUMNS = 7 };
    char *text = malloc(ROWS * COLUMNS * 24);
    float *values = malloc(ROWS * COLUMNS * sizeof *values);
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct random random = random_stream(seed, 0, RANDOM_INITIAL, 0);
        size_t length = 0;
        for (size_t i = 0; i < ROWS * COLUMNS; i++) {
            double value = random_normal(&random) * exp(8 * random_normal(&random));
            values[i] = (float)value;
            length += (size_t)sprintf(text + length, seed == 1 ? "%.9g," : "%.17g,",
                                      seed == 1 ? (double)values[i] : value);
            if (i % COLUMNS == COLUMNS - 1)
                length += (size_t)sprintf(text + length, "%zu\n", i / COLUMNS % 2);
        }
        const char *test = files_text("one.csv", "1,2,3,4,5,6,7,0\n");
        char options[600];
        snprintf(options, sizeof options, "?test=%s", test);
        struct data *data = files_must_open("csv", files_raw("big.csv", text, length), options);
        assert_int_equal(data->train.examples, ROWS);
        for (size_t i = 0; i < ROWS * COLUMNS; i++)
            if (data->train.floats[i] != values[i])
                fail_msg("seed %d, value %zu: saw %.9g, wanted %.9g", (int)seed, i,
                         (double)data->train.floats[i], (double)values[i]);
        data_free(&data);
    }
    free(text);
    free(values);
}

static void numbers_are_read_as_strtof_reads_them(void **state)
{
    (void)state;
    struct random random = random_stream(9, 0, RANDOM_INITIAL, 0);
    static const char alphabet[] = "0123456789.eE+-";
    for (int i = 0; i < 200000; i++) {
        char text[24];
        size_t length = 1 + random_below(&random, 12);
        for (size_t k = 0; k < length; k++)
            text[k] = alphabet[random_below(&random, sizeof alphabet - 1)];
        text[length] = '\0';
        float value;
        double wanted;
        char *stop;
        wanted = strtod(text, &stop);
        enum number_kind kind = fields_number(text, &value);
        bool number = *stop == '\0' && stop != text;
        if (number != (kind != NUMBER_TEXT))
            fail_msg("'%s' is%s a number", text, number ? "" : " not");
        if (kind == NUMBER_FINE && !(value == (float)wanted))
            fail_msg("'%s': saw %.9g, wanted %.9g", text, (double)value, wanted);
    }
}

static void spambase_and_pendigits_are_read(void **state)
{
    (void)state;
    char folder[1000];
    const char *path = files_real("spambase/spambase.data.gz");
    if (!path)
        skip();
    struct data *data = files_must_open("csv", path, "");
    assert_int_equal(data->train.examples + data->test.examples, 4601);
    assert_in_range(data->test.examples, 450, 460);
    assert_int_equal(data->train.features, 57);
    assert_int_equal(data->train.classes, 2);
    data_free(&data);

    path = files_real("pendigits");
    if (!path)
        skip();
    snprintf(folder, sizeof folder, "%s", path);
    char train[1100], options[1100];
    snprintf(train, sizeof train, "%s/pendigits.tra.gz", folder);
    snprintf(options, sizeof options, "?test=%s/pendigits.tes.gz", folder);
    data = files_must_open("csv", train, options);
    assert_int_equal(data->train.examples, 7494);
    assert_int_equal(data->test.examples, 3498);
    assert_int_equal(data->train.features, 16);
    assert_int_equal(data->train.classes, 10);
    data_free(&data);
}

static void wisdm_is_read_with_its_people(void **state)
{
    (void)state;
    const char *path = files_real("wisdm/wisdm.csv.gz");
    if (!path)
        skip();
    struct data *data = files_must_open("csv", path, "?label=class&user=user&ignore=UNIQUE_ID");
    assert_int_equal(data->train.examples + data->test.examples, 5418);
    assert_int_equal(data->train.features, 43);
    assert_int_equal(data->train.classes, 6);
    assert_int_equal(data->train.user_count, 36);
    for (size_t i = 0; i < data->train.examples * 43; i++)
        assert_true(isfinite(data->train.floats[i]) != 0);
    data_free(&data);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_usual_way_to_write_a_table_is_read),
        TEST(a_shape_makes_images_of_rows),
        TEST(labels_are_numbered_in_sorted_order_numbers_by_value),
        TEST(users_are_told_apart),
        TEST(missing_values_are_filled_with_the_mean),
        TEST(a_tab_parts_fields_one_of_which_may_be_missing),
        TEST(what_makes_no_sense_is_refused_with_its_line),
        TEST(a_file_that_cannot_be_read_is_named),
        TEST(a_file_that_is_no_text_is_refused),
        TEST(a_gzip_cut_short_is_refused),
        TEST(too_many_labels_are_refused),
        TEST(a_test_file_is_read_by_the_training_files_columns),
        TEST(a_test_label_never_trained_on_is_refused),
        TEST(without_a_test_file_a_tenth_is_set_apart_by_seed),
        TEST(a_table_as_written_comes_back),
        TEST(numbers_are_read_as_strtof_reads_them),
        TEST(spambase_and_pendigits_are_read),
        TEST(wisdm_is_read_with_its_people),
    };
    return cmocka_run_group_tests_name("read_csv", tests, NULL, NULL);
}
