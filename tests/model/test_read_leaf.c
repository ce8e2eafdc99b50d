#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "model/dataset.h"
#include "model/partition.h"
#include "model/random.h"

static int begin(void **state)
{
    (void)state;
    files_begin();
    files_folder("leaf");
    return 0;
}

static struct data *open_folder(const char *options, enum dataset_scale scale,
                                struct problem *problem)
{
    char specification[1200];
    snprintf(specification, sizeof specification, "leaf:%s%s", files_path("leaf"), options);
    return data_open(specification, &(struct data_hints){.seed = 1, .scale = scale}, problem);
}

static struct data *must_open(const char *options)
{
    struct problem problem = {0};
    struct data *data = open_folder(options, SCALE_NONE, &problem);
    if (!data)
        fail_msg("refused: %s", problem.text);
    return data;
}

static void assert_refused(const char *text, const char *says)
{
    struct problem problem = {0};
    struct data *data = open_folder("", SCALE_NONE, &problem);
    if (data)
        fail_msg("%s was read, wanted '%s'", text, says);
    if (!strstr(problem.text, says) || strchr(problem.text, '\n'))
        fail_msg("%s: says '%s', wanted '%s' in one line", text, problem.text, says);
}

/* Two users: b with two examples, a with one. */
static void assert_three_rows(const struct data *data)
{
    static const float wanted[] = {1, 2, 3, 4, 5, 6};
    static const uint16_t labels[] = {1, 0, 1};
    static const uint32_t users[] = {1, 1, 0};
    assert_int_equal(data->train.examples, 3);
    assert_int_equal(data->train.features, 2);
    assert_int_equal(data->train.classes, 2);
    assert_int_equal(data->train.user_count, 2);
    assert_memory_equal(data->train.floats, wanted, sizeof wanted);
    assert_memory_equal(data->train.labels, labels, sizeof labels);
    assert_memory_equal(data->train.users, users, sizeof users);
}

static void every_usual_way_to_write_it_is_read(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"users\": [\"b\", \"a\"], \"num_samples\": [2, 1], \"user_data\": {"
        "\"b\": {\"x\": [[1, 2], [3, 4]], \"y\": [7, 3]}, \"a\": {\"x\": [[5, 6]], \"y\": [7]}}}",
        "{\"user_data\":{\"b\":{\"y\":[7,3],\"x\":[[1,2.0],[3e0,4]]},\"a\":{\"y\":[7],"
        "\"x\":[[5,6]]}},\"num_samples\":[2,1],\"users\":[\"b\",\"a\"]}\n",
        "{\"hierarchies\":[[\"h\"],{\"i\":[]}],\"user_data\":{"
        "\"b\":{\"x\":[[[1],[2]],[[3],[4]]],\"y\":[\"seven\",\"\\u0033\"],\"more\":{\"z\":[1]}},"
        "\"a\":{\"x\":[[[5],[6]]],\"y\":[\"seven\"]}},\"metadata\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int packed = 0; packed < 2; packed++) {
            files_text(packed ? "leaf/a.json.gz" : "leaf/a.json", texts[i]);
            struct data *data = must_open("");
            assert_three_rows(data);
            data_free(&data);
            unlink(files_path(packed ? "leaf/a.json.gz" : "leaf/a.json"));
        }
    }
}

static void files_are_read_in_the_order_of_their_names(void **state)
{
    (void)state;
    files_text("leaf/2.json.gz", "{\"user_data\":{\"a\":{\"x\":[[5,6]],\"y\":[7]}}}");
    files_text("leaf/1.json", "{\"user_data\":{\"b\":{\"x\":[[1,2],[3,4]],\"y\":[7,3]}}}");
    files_text("leaf/readme.txt", "not read");
    struct data *data = must_open("");
    assert_three_rows(data);
    data_free(&data);
}

static void a_test_folder_is_the_test_set(void **state)
{
    (void)state;
    files_folder("leaf/train");
    files_text("leaf/train/a.json", "{\"user_data\":{\"b\":{\"x\":[[1,2],[3,4]],\"y\":[7,3]},"
                                    "\"a\":{\"x\":[[5,6]],\"y\":[7]}}}");
    struct data *data = must_open("");
    assert_three_rows(data);
    assert_int_equal(data->test.examples, 0);
    data_free(&data);

    files_folder("leaf/test");
    assert_refused("an empty folder", "leaf/test: holds no .json");
    files_text("leaf/test/t.json",
               "{\"user_data\":{\"c\":{\"x\":[[8,9]],\"y\":[3]},\"b\":{\"x\":[],\"y\":[]}}}");
    data = must_open("");
    assert_int_equal(data->train.examples, 3);
    assert_int_equal(data->test.examples, 1);
    assert_int_equal(data->test.labels[0], 0);
    assert_int_equal(data->test.users[0], 2);
    assert_int_equal(data->train.user_count, 3);
    assert_true(data->test.floats[1] == 9);
    data_free(&data);
    files_text("leaf/test/t.json", "{\"user_data\":{\"c\":{\"x\":[[8,9]],\"y\":[4]}}}");
    assert_refused("a new label", "t.json: user 'c': y 1: label out of range: '4' is no label of");
}

static void a_missing_number_becomes_the_mean(void **state)
{
    (void)state;
    files_text("leaf/a.json",
               "{\"user_data\":{\"a\":{\"x\":[[1,null],[null,4],[3,6]],\"y\":[0,1,0]}}}");
    struct data *data = must_open("");
    const float wanted[] = {1, 5, 2, 4, 3, 6};
    assert_memory_equal(data->train.floats, wanted, sizeof wanted);
    data_free(&data);
}

static void classes_say_how_many_there_are(void **state)
{
    (void)state;
    files_text("leaf/a.json", "{\"user_data\":{\"a\":{\"x\":[[1],[2]],\"y\":[0,2]}}}");
    struct data *data = must_open("?classes=62");
    assert_int_equal(data->train.classes, 62);
    assert_int_equal(data->train.labels[1], 2);
    data_free(&data);
}

#define USER(x, y) "{\"user_data\":{\"a\":{\"x\":" x ",\"y\":" y "}}}"

static void what_makes_no_sense_is_refused_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "a.json: ends in the middle of its JSON"},
        {"{\"user_data\":{\"a\":{\"x\":[[1,2],[3", "ends in the middle of its JSON"},
        {"[1]", "an object is wanted, as LEAF writes it"},
        {"{}", "\"user_data\" is wanted"},
        {"{\"users\":[\"a\"],\"num_samples\":[0]}", "\"user_data\" is wanted"},
        {"{\"user_data\":{}}", "no user has an example"},
        {"{\"user_data\":[]}", "an object behind \"user_data\" is wanted"},
        {"{\"user_data\":{\"a\":[]}}", "an object with \"x\" and \"y\" for each user"},
        {"{\"user_data\":{\"a\":{}}}", "user 'a': has no 'x'"},
        {"{\"user_data\":{\"a\":{\"x\":[[1]]}}}", "user 'a': has no 'y'"},
        {"{\"user_data\":{\"a\":{\"y\":[1]}}}", "user 'a': has no 'x'"},
        {"{\"user_data\":{\"\":{\"x\":[[1]],\"y\":[1]}}}", "the user is missing"},
        {"{\"user_data\":{\"a\":{\"x\":[[1]],\"x\":[[1]],\"y\":[1]}}}", "has two lists 'x'"},
        {"{\"user_data\":{\"a\":{\"x\":[[1]],\"y\":[1]},\"a\":{\"x\":[[1]],\"y\":[1]}}}",
         "user 'a': is there twice"},
        {"{\"users\":[\"a\"],\"num_samples\":[2],\"user_data\":{\"a\":{\"x\":[[1]],\"y\":[1]}}}",
         "user 'a': has 1 examples, but num_samples says 2"},
        {"{\"users\":[\"a\",\"b\"],\"num_samples\":[1,4],"
         "\"user_data\":{\"a\":{\"x\":[[1]],\"y\":[1]}}}",
         "user 'b': has 0 examples, but num_samples says 4"},
        {"{\"users\":[],\"num_samples\":[],\"user_data\":{\"a\":{\"x\":[[1]],\"y\":[1]}}}",
         "a.json: 1 examples, but num_samples say 0"},
        {"{\"users\":[\"a\"],\"num_samples\":[1,2],"
         "\"user_data\":{\"a\":{\"x\":[[1]],\"y\":[1]}}}",
         "1 users and 2 num_samples"},
        {"{\"users\":\"a\"}", "a list of names behind \"users\" is wanted"},
        {"{\"users\":[null]}", "a name in \"users\" is wanted"},
        {"{\"num_samples\":[-1]}", "a count in \"num_samples\" is wanted"},
        {"{\"num_samples\":[1.5]}", "a count in \"num_samples\" is wanted"},
        {"{\"num_samples\":[1e300]}", "a count in \"num_samples\" is wanted"},
        {"{\"num_samples\":[NaN]}", "a count in \"num_samples\" is wanted"},
        {USER("[[1],[2]]", "[1]"), "user 'a': has 2 examples x and 1 labels y"},
        {USER("[[1,2],[3]]", "[1,2]"), "user 'a': x 2: 1 numbers, where the first example has 2"},
        {USER("[[1],[2,3]]", "[1,2]"), "user 'a': x 2: 2 numbers, where the first example has 1"},
        {USER("[[]]", "[1]"), "user 'a': x 1: holds no number"},
        {USER("[[1,NaN]]", "[1]"), "user 'a': x 1: 'NaN' is not finite"},
        {USER("[[-Infinity]]", "[1]"), "user 'a': x 1: '-Infinity' is not finite"},
        {USER("[[1e400]]", "[1]"), "user 'a': x 1: '1e400' is beyond"},
        {USER("[[true]]", "[1]"), "user 'a': x 1: is no list of numbers"},
        {USER("[{\"b\":1}]", "[1]"), "user 'a': x 1: is no list of numbers"},
        {USER("[\"some words\"]", "[1]"), "user 'a': x 1: holds text"},
        {USER("[[\"0\",\"words\"]]", "[1]"), "user 'a': x 1: holds text"},
        {USER("7", "[1]"), "a list of examples behind \"x\" is wanted"},
        {USER("[[1]]", "7"), "a list of labels behind \"y\" is wanted"},
        {USER("[[1]]", "[[1]]"), "user 'a': y 1: a label is a number or a string"},
        {USER("[[1]]", "[null]"), "user 'a': y 1: a label is a number or a string"},
        {USER("[[1]]", "[\"\"]"), "user 'a': y 1: the label is missing"},
        {USER("[[1],[2]]", "[1,1]"), "nothing to learn"},
        {USER("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]", "[1]"), "nested too deep"},
        {USER("[[1] [2]]", "[1,2]"), "byte 28: a comma or the end of a list"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        files_text("leaf/a.json", cases[i].text);
        assert_refused(cases[i].text, cases[i].says);
    }
}

static void a_folder_that_cannot_be_read_is_named(void **state)
{
    (void)state;
    assert_refused("an empty folder", "leaf: holds no .json and no .json.gz");
    files_folder("leaf/a.json");
    assert_refused("a folder for a file", "a.json: is a folder");
    rmdir(files_path("leaf/a.json"));
    rmdir(files_path("leaf"));
    assert_refused("no folder", "leaf: No such file or directory: name a folder");
    files_text("leaf", "{}");
    assert_refused("a file", "leaf: Not a directory: name a folder");
}

static void a_gzip_cut_short_is_refused(void **state)
{
    (void)state;
    char *text = malloc(400000);
    size_t length = (size_t)sprintf(text, "{\"user_data\":{\"a\":{\"x\":[");
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 0);
    for (int i = 0; i < 9000; i++)
        length += (size_t)sprintf(text + length, "%s[%u]", i ? "," : "", random_u32(&random));
    const char *path = files_write("leaf/cut.json.gz", text, length);
    FILE *file = fopen(path, "rb");
    size_t packed = fread(text, 1, 400000, file);
    fclose(file);
    for (size_t part = 1; part < 8; part++) {
        files_raw("leaf/cut.json.gz", text, packed * part / 8);
        assert_refused("a part", "cut.json.gz: its gzip");
    }
    free(text);
}

static void users_become_nodes_and_a_tenth_of_each_is_set_apart(void **state)
{
    (void)state;
    enum { USERS = 7, EACH = 40 };
    char *text = malloc(200000), users[200] = "", counts[200] = "";
    size_t length = 0;
    struct random random = random_stream(2, 0, RANDOM_INITIAL, 0);
    for (int u = 0; u < USERS; u++) {
        length += (size_t)sprintf(text + length, "%s\"f%d\":{\"x\":[", u ? "," : "", u);
        for (int i = 0; i < EACH; i++)
            length +=
                (size_t)sprintf(text + length, "%s[%u,%d]", i ? "," : "", random_u32(&random), u);
        length += (size_t)sprintf(text + length, "],\"y\":[");
        for (int i = 0; i < EACH; i++)
            length += (size_t)sprintf(text + length, "%s%d", i ? "," : "", i % 4);
        length += (size_t)sprintf(text + length, "]}");
        sprintf(users + strlen(users), "%s\"f%d\"", u ? "," : "", u);
        sprintf(counts + strlen(counts), "%s%d", u ? "," : "", EACH);
    }
    char *whole = malloc(length + 1000);
    sprintf(whole, "{\"users\":[%s],\"num_samples\":[%s],\"user_data\":{%s}}", users, counts, text);
    files_text("leaf/all.json", whole);
    struct data *data = must_open("");
    assert_int_equal(data->train.examples, USERS * EACH * 9 / 10);
    assert_int_equal(data->test.examples, USERS * EACH / 10);
    struct partition *partition = partition_new("user", &data->train, USERS, 0, 1, NULL);
    assert_non_null(partition);
    for (size_t node = 0; node < USERS; node++) {
        size_t count;
        const uint32_t *rows = partition_rows(partition, node, &count);
        assert_int_equal(count, EACH * 9 / 10);
        for (size_t i = 0; i < count; i++)
            assert_true(data->train.floats[rows[i] * 2 + 1] == (float)node);
    }
    partition_free(&partition);
    data_free(&data);
    free(whole);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, files_teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_usual_way_to_write_it_is_read),
        TEST(files_are_read_in_the_order_of_their_names),
        TEST(a_test_folder_is_the_test_set),
        TEST(a_missing_number_becomes_the_mean),
        TEST(classes_say_how_many_there_are),
        TEST(what_makes_no_sense_is_refused_in_one_line),
        TEST(a_folder_that_cannot_be_read_is_named),
        TEST(a_gzip_cut_short_is_refused),
        TEST(users_become_nodes_and_a_tenth_of_each_is_set_apart),
    };
    return cmocka_run_group_tests_name("read_leaf", tests, NULL, NULL);
}
