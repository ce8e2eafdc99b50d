#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "model/json.h"

/* Reads all of a file and writes what it saw: its tokens as letters, with the texts behind. */
static enum starling_error read_all(const char *path, char *out, struct problem *problem)
{
    static const char letters[] = ".{}[]ksntfz";
    struct json *json;
    enum json_token token = JSON_NULL;
    enum starling_error error = json_open(&json, path, problem);
    *out = '\0';
    while (!error && !(error = json_next(json, &token, problem)) && token != JSON_END) {
        float value;
        out += sprintf(out, "%c", letters[token]);
        if (token == JSON_NUMBER && json_number(json, &value) == NUMBER_FINE)
            out += sprintf(out, "%g ", (double)value);
        else if (token == JSON_KEY || token == JSON_STRING || token == JSON_NUMBER)
            out += sprintf(out, "%s ", json_text(json));
    }
    json_close(&json);
    return error;
}

static void what_is_json_comes_token_by_token(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        {"{}", "{}"},
        {" [ ] ", "[]"},
        {"7", "n7 "},
        {"\"\"", "s "},
        {"true", "t"},
        {"[1,-2.5,3e2,0.5E-1]", "[n1 n-2.5 n300 n0.05 ]"},
        {"{\"a\":[[],{}],\"b\":null}\n", "{ka [[]{}]kb z}"},
        {"\t{ \"a\" : false ,\r\n \"\" : { \"c\" : \"d\" } }", "{ka fk {kc sd }}"},
        {"[NaN,-Infinity,1e400]", "[nNaN n-Infinity n1e400 ]"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "s\"\\/\b\f\n\r\t "},
        {"\"\\u0041\\u00e4\\u20AC\\ud83d\\ude00\xc3\xa4\"",
         "sA\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc3\xa4 "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char seen[400];
        struct problem problem = {0};
        if (read_all(files_text("a.gz", cases[i].text), seen, &problem))
            fail_msg("%s: %s", cases[i].text, problem.text);
        if (strcmp(seen, cases[i].tokens) != 0)
            fail_msg("%s: saw '%s', wanted '%s'", cases[i].text, seen, cases[i].tokens);
    }
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "ends in the middle"},
        {"[1,2", "ends in the middle"},
        {"[1,", "ends in the middle"},
        {"{\"a\"", "ends in the middle"},
        {"{\"a\":", "ends in the middle"},
        {"{\"a", "ends in the middle"},
        {"\"a\\", "ends in the middle"},
        {"\"\\u12", "ends in the middle"},
        {"\"\\ud800", "ends in the middle"},
        {"[1,]", "byte 3: what stands here is no JSON"},
        {"[,1]", "byte 1: what stands here is no JSON"},
        {"[1 2]", "byte 3: a comma or the end"},
        {"[1}", "byte 2: a comma or the end"},
        {"{]", "byte 1: a key in quotes"},
        {"{1:2}", "a key in quotes"},
        {"{\"a\":1,}", "byte 7: a key in quotes"},
        {"{\"a\" 1}", "a colon is wanted"},
        {"{\"a\":}", "what stands here is no JSON"},
        {"]", "what stands here is no JSON"},
        {"1 1", "byte 2: text behind the end"},
        {"{}{}", "text behind the end"},
        {"nul", "is no number, true, false or null"},
        {"1.2.3", "is no number"},
        {"0x10", "is no number"},
        {"\"\\x\"", "a backslash"},
        {"\"a\tb\"", "a control character"},
        {"\"\\u00g0\"", "four hexadecimal digits"},
        {"\"\\u0000\"", "names no character"},
        {"\"\\ud800x\"", "names no character"},
        {"\"\\ud800\\u0041\"", "names no character"},
        {"\"\\udc00\"", "names no character"},
        {"'a'", "what stands here is no JSON"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char seen[400];
        struct problem problem = {0};
        if (!read_all(files_text("a", cases[i].text), seen, &problem))
            fail_msg("%s was read as '%s'", cases[i].text, seen);
        if (!strstr(problem.text, cases[i].says) || strchr(problem.text, '\n'))
            fail_msg("%s: says '%s', wanted '%s'", cases[i].text, problem.text, cases[i].says);
    }
}

static void the_bounds_hold(void **state)
{
    (void)state;
    char text[2000], seen[4000];
    struct problem problem = {0};
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    text[2 * JSON_DEPTH_MAX] = '\0';
    assert_int_equal(read_all(files_text("deep", text), seen, &problem), STARLING_OK);
    text[JSON_DEPTH_MAX] = '[';
    assert_int_equal(read_all(files_text("deep", text), seen, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "byte 33: nested too deep"));

    memset(text, '1', 1000);
    text[1000] = '\0';
    assert_int_equal(read_all(files_text("long", text), seen, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "a number of more digits"));

    struct json *json;
    enum json_token token;
    text[0] = text[999] = '"';
    assert_int_equal(json_open(&json, files_text("long", text), &problem), STARLING_OK);
    assert_int_equal(json_next(json, &token, &problem), STARLING_OK);
    assert_int_equal(token, JSON_STRING);
    assert_true(json_text_is_cut(json));
    assert_int_equal(strlen(json_text(json)), JSON_TEXT_MAX);
    json_close(&json);
}

static void a_value_is_passed_over_whole(void **state)
{
    (void)state;
    struct json *json;
    enum json_token token;
    const char *path = files_text("a", "{\"a\":[1,{\"b\":[2,\"]\"]}],\"c\":3}");
    assert_int_equal(json_open(&json, path, NULL), STARLING_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(json_next(json, &token, NULL), STARLING_OK);
    assert_int_equal(token, JSON_ARRAY);
    assert_int_equal(json_skip(json, token, NULL), STARLING_OK);
    assert_int_equal(json_next(json, &token, NULL), STARLING_OK);
    assert_int_equal(token, JSON_KEY);
    assert_string_equal(json_text(json), "c");
    json_close(&json);
}

static void what_lies_across_a_read_is_whole(void **state)
{
    (void)state;
    size_t count = 100000, length = 0;
    char *text = malloc(count * 16 + 16);
    length += (size_t)sprintf(text, "[");
    for (size_t i = 0; i < count; i++)
        length += (size_t)sprintf(text + length, "%s%zu,\"%zu\"", i ? "," : "", i, i);
    length += (size_t)sprintf(text + length, "]");
    struct json *json;
    enum json_token token;
    assert_int_equal(json_open(&json, files_write("a.gz", text, length), NULL), STARLING_OK);
    assert_int_equal(json_next(json, &token, NULL), STARLING_OK);
    for (size_t i = 0; i < 2 * count; i++) {
        assert_int_equal(json_next(json, &token, NULL), STARLING_OK);
        assert_int_equal(token, i % 2 ? JSON_STRING : JSON_NUMBER);
        assert_int_equal(strtoul(json_text(json), NULL, 10), i / 2);
    }
    json_close(&json);
    free(text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, files_setup, files_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_json_comes_token_by_token),
        TEST(what_is_no_json_is_refused_with_its_place),
        TEST(the_bounds_hold),
        TEST(a_value_is_passed_over_whole),
        TEST(what_lies_across_a_read_is_whole),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
