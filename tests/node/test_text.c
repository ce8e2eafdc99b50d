#include "node/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/log.h"

static void only_whole_characters_stay(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa6", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xa6"},
        {"cut \xe2\x82", "cut ??"},
        {"cut \xf0\x9f\x90", "cut ???"},
        {"\x80 \xff", "? ?"},
        {"\xc0\x80", "??"},           /* overlong */
        {"\xe0\x80\x80", "???"},      /* overlong */
        {"\xed\xa0\x80", "???"},      /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* beyond Unicode */
        {"\xe2\xc3\xa9", "?\xc3\xa9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s", cases[i].before);
        text_make_utf8(text);
        assert_string_equal(text, cases[i].after);
    }
}

/* jansson is the judge: what it takes stays as it is, and what it refuses is made fit. */
static void every_text_becomes_one_that_json_takes(void **state)
{
    (void)state;
    for (unsigned bits = 0x010101; bits < 0x1000000; bits += 257) {
        char text[4] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
        char before[4];
        memcpy(before, text, sizeof text);
        json_t *fit = json_string(text);
        text_make_utf8(text);
        json_t *made = json_string(text);
        assert_non_null(made);
        assert_int_equal(fit != NULL, strcmp(before, text) == 0);
        json_decref(fit);
        json_decref(made);
    }
}

static void a_log_in_json_drops_no_line(void **state)
{
    (void)state;
    static const char *const texts[] = {"a file \xff", "\x01\x02\x03", ""};
    char longest[2000], line[8192];
    memset(longest, 1, sizeof longest - 1); /* six bytes each, escaped */
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i < 4; i++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        struct log log = {.program = "test", .fd = ends[1], .level = LOG_INFO, .json = true};
        log_write(&log, LOG_WARN, "%s", i < 3 ? texts[i] : longest);
        close(ends[1]);
        ssize_t size = read(ends[0], line, sizeof line);
        close(ends[0]);
        assert_true(size > 0 && line[size - 1] == '\n');
        json_t *object = json_loadb(line, (size_t)size, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(object, "level")), "warn");
        json_decref(object);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_characters_stay),
        cmocka_unit_test(every_text_becomes_one_that_json_takes),
        cmocka_unit_test(a_log_in_json_drops_no_line),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
