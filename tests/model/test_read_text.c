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

/* A window and its labels as text, symbol s written letters[s] and no label '.'. */
static void assert_window(const struct dataset *dataset, size_t row, const char *letters,
                          const char *symbols, const char *labels)
{
    char saw_symbols[64] = "", saw_labels[64] = "";
    for (size_t p = 0; p < dataset->features; p++) {
        uint16_t label = dataset->labels[row * dataset->features + p];
        saw_symbols[p] = letters[dataset->bytes[row * dataset->features + p]];
        saw_labels[p] = label == LABEL_NONE ? '.' : letters[label];
    }
    if (strcmp(saw_symbols, symbols) != 0 || strcmp(saw_labels, labels) != 0)
        fail_msg("window %zu: saw '%s' → '%s', wanted '%s' → '%s'", row, saw_symbols, saw_labels,
                 symbols, labels);
}

static void windows_follow_each_other_and_the_last_reaches_back(void **state)
{
    (void)state;
    for (int packed = 0; packed < 2; packed++) {
        struct data *data = files_must_open(
            "text", files_text(packed ? "a.gz" : "a", "abcdefghijk"), "?length=4&test=none");
        assert_int_equal(data->train.examples, 3);
        assert_int_equal(data->train.features, 4);
        assert_int_equal(data->train.positions, 4);
        assert_int_equal(data->train.symbols, 11);
        assert_int_equal(data->train.classes, 11);
        assert_null(data->train.users);
        assert_int_equal(data->test.examples, 0);
        assert_window(&data->train, 0, "abcdefghijk", "abcd", "bcde");
        assert_window(&data->train, 1, "abcdefghijk", "efgh", "fghi");
        assert_window(&data->train, 2, "abcdefghijk", "ghij", "hijk");
        data_free(&data);
    }
}

static void a_text_of_whole_windows_has_no_other(void **state)
{
    (void)state;
    struct data *data =
        files_must_open("text", files_text("a", "abcdabcda"), "?length=4&test=none");
    assert_int_equal(data->train.examples, 2);
    assert_window(&data->train, 0, "abcd", "abcd", "bcda");
    assert_window(&data->train, 1, "abcd", "abcd", "bcda");
    data_free(&data);
}

static void each_test_character_is_foretold_once_with_half_a_window_behind_it(void **state)
{
    (void)state;
    char test[2100];
    snprintf(test, sizeof test, "?length=4&test=%s", files_text("test", "abcdefghij"));
    struct data *data = files_must_open("text", files_text("a", "jihgfedcba"), test);
    assert_int_equal(data->test.examples, 4);
    assert_window(&data->test, 0, "abcdefghij", "abcd", "bcde");
    assert_window(&data->test, 1, "abcdefghij", "cdef", "..fg");
    assert_window(&data->test, 2, "abcdefghij", "efgh", "..hi");
    assert_window(&data->test, 3, "abcdefghij", "fghi", "...j");
    data_free(&data);

    snprintf(test, sizeof test, "?length=3&test=%s", files_path("test"));
    data = files_must_open("text", files_path("a"), test);
    assert_int_equal(data->test.examples, 4);
    assert_window(&data->test, 0, "abcdefghij", "abc", "bcd");
    assert_window(&data->test, 1, "abcdefghij", "cde", ".ef");
    assert_window(&data->test, 2, "abcdefghij", "efg", ".gh");
    assert_window(&data->test, 3, "abcdefghij", "ghi", ".ij");
    data_free(&data);
}

static void the_last_tenth_is_tested_and_its_symbols_count(void **state)
{
    (void)state;
    char text[201];
    for (size_t i = 0; i < 200; i++)
        text[i] = "ab"[i % 3 == 0];
    text[199] = 'z';
    text[200] = '\0';
    struct data *data = files_must_open("text", files_text("a", text), "?length=4");
    assert_int_equal(data->train.symbols, 3);
    assert_int_equal(data->train.examples, (180 - 1 + 3) / 4);
    size_t labelled = 0;
    for (size_t i = 0; i < data->test.examples * 4; i++)
        labelled += data->test.labels[i] != LABEL_NONE;
    assert_int_equal(labelled, 20 - 1);
    data_free(&data);
}

static const char play[] = "Prologue, by nobody\n"
                           "\n"
                           "ANN:\nhm\n"
                           "\n"
                           "BEN SMITH:\r\nlong speech\n"
                           "not a name:\n"
                           "\r\n"
                           "a new verse\n"
                           "\n"
                           "ANN:\nyes";

static void speakers_are_users_those_who_say_most_first(void **state)
{
    (void)state;
    /* BEN: 12 + 12 + 12 + 2 + 12 + 1 = 51 bytes, nobody 21, ANN 9 + 8 = 17. */
    struct data *data =
        files_must_open("text", files_text("play", play), "?by=speaker&length=8&test=none");
    assert_int_equal(data->train.user_count, 3);
    size_t windows[3] = {0};
    for (size_t i = 0; i < data->train.examples; i++)
        windows[data->train.users[i]]++;
    assert_int_equal(windows[0], 7);
    assert_int_equal(windows[1], 3);
    assert_int_equal(windows[2], 2);
    uint8_t first = data->train.bytes[0];
    data_free(&data);

    /* Ann's two speeches, end to end, say "…\n\nA": with 16 characters she has one window. */
    data = files_must_open("text", files_path("play"), "?by=speaker&length=16&test=none");
    size_t last = data->train.examples - 1;
    assert_int_equal(data->train.users[last], 2);
    assert_true(data->train.bytes[0] == first);                                    /* BEN's B */
    assert_true(data->train.bytes[last * 16] == data->train.bytes[last * 16 + 9]); /* A…A */
    data_free(&data);

    /* Whoever says less than a window and the next character is left out. */
    data = files_must_open("text", files_path("play"), "?by=speaker&length=17&test=none");
    assert_int_equal(data->train.user_count, 2);
    data_free(&data);
}

static void an_alphabet_of_its_own_numbers_the_symbols(void **state)
{
    (void)state;
    char options[2200];
    const char *letters = files_text("letters", "zyxabc\n");
    snprintf(options, sizeof options, "?length=2&test=none&alphabet=%s", letters);
    struct data *data = files_must_open("text", files_text("a", "abcabc"), options);
    assert_int_equal(data->train.symbols, 7);
    assert_window(&data->train, 0, "\nabcxyz", "ab", "bc");
    data_free(&data);
    files_assert_refused("text", files_text("b", "abc\nabd"), options,
                         "b:2: byte 0x64 does not occur");
}

static void windows_apart_share_nothing(void **state)
{
    (void)state;
    const char *path = files_text("a", "abcdabccb");
    struct data *data = files_must_open("text", path, "?length=2&windows=apart");
    assert_int_equal(data->train.examples, 3);
    assert_int_equal(data->test.examples, 0);
    assert_window(&data->train, 0, "abcd", "ab", "bc");
    assert_window(&data->train, 1, "abcd", "da", "ab");
    assert_window(&data->train, 2, "abcd", "cc", "cb");
    data_free(&data);
    files_assert_refused("text", path, "?length=3&windows=apart", "no whole windows of 4");
    files_assert_refused("text", path, "?length=2&windows=apart&by=speaker", "leave one out");
}

static void what_cannot_be_read_says_why(void **state)
{
    (void)state;
    const char *path = files_text("a", "abcdefghijklmnop");
    files_assert_refused("text", path, "?by=line",
                         "by=line: a text is parted by=speaker or not at all");
    files_assert_refused("text", path, "?windows=2", "windows=2: a text is one piece");
    files_assert_refused("text", path, "?length=1", "length=1: a number from 2 to 4096");
    files_assert_refused("text", path, "?length=0x2", "length=0x2: a number from 2 to 4096");
    files_assert_refused("text", path, "",
                         "no text of 65 characters to train on: give a smaller length=N");
    files_assert_refused("text", path, "?by=speaker", "no speaker of 65 characters to train on");
    files_assert_refused("text", path, "?length=4", "2 characters to test on");
    files_assert_refused("text", path, "?lenght=4", "did you mean 'length'?");
    files_assert_refused("text", files_text("b", ""), "", "is empty");
    files_assert_refused("text", files_path("nowhere"), "", "name a file that can be read");
    files_assert_refused("text", files_path("a"), "?length=4&test=nowhere",
                         "name a file that can be read");
    files_assert_refused("text", files_path("a"), "?length=4&alphabet=nowhere",
                         "name a file that can be read");
    files_assert_refused("text", files_text("c", "aaaaaaaaaaaa"), "?length=2&test=none",
                         "nothing to learn");
    static const unsigned char damaged[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff};
    files_assert_refused("text", files_raw("d", damaged, sizeof damaged), "", "gzip");
}

static void tiny_shakespeare_is_read(void **state)
{
    (void)state;
    const char *path = files_real("tinyshakespeare/input.txt.gz");
    if (!path)
        skip();
    struct data *data = files_must_open("text", path, "");
    assert_int_equal(data->train.symbols, 65);
    assert_int_equal(data->train.examples, (1003854 - 1 + 63) / 64);
    size_t labelled = 0;
    for (size_t i = 0; i < data->test.examples * 64; i++)
        labelled += data->test.labels[i] != LABEL_NONE;
    assert_int_equal(labelled, 111540 - 1);
    data_free(&data);
    data = files_must_open("text", path, "?by=speaker");
    assert_int_equal(data->train.user_count, 249);
    assert_int_equal(data->train.examples, 15778);
    data_free(&data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_follow_each_other_and_the_last_reaches_back),
        cmocka_unit_test(a_text_of_whole_windows_has_no_other),
        cmocka_unit_test(each_test_character_is_foretold_once_with_half_a_window_behind_it),
        cmocka_unit_test(the_last_tenth_is_tested_and_its_symbols_count),
        cmocka_unit_test(speakers_are_users_those_who_say_most_first),
        cmocka_unit_test(an_alphabet_of_its_own_numbers_the_symbols),
        cmocka_unit_test(windows_apart_share_nothing),
        cmocka_unit_test(what_cannot_be_read_says_why),
        cmocka_unit_test(tiny_shakespeare_is_read),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown);
}
