#include "model/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/source.h"

#define READ_AHEAD (64u * 1024u)
#define NO_BYTE (-1) /* the end of the file */

/* What may come next. */
enum expected {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END, /* behind [ */
    EXPECT_KEY,
    EXPECT_KEY_OR_END, /* behind { */
    EXPECT_COMMA_OR_END,
    EXPECT_NOTHING, /* behind the outermost value */
};

struct json {
    struct source *source;
    enum expected expected;
    size_t depth;
    bool in_object[JSON_DEPTH_MAX]; /* else in an array */
    size_t length;                  /* of text */
    bool cut;
    char text[JSON_TEXT_MAX + 1];
    enum number_kind kind; /* of the last number, and its value */
    float value;
    size_t passed;     /* bytes in front of buffer */
    size_t begin, end; /* what lies in buffer and has not been looked at */
    unsigned char buffer[READ_AHEAD];
};

enum starling_error json_open(struct json **json, const char *path, struct problem *problem)
{
    *json = calloc(1, sizeof **json);
    if (!*json)
        return problem_no_memory(problem, "reading a file");
    enum starling_error error = source_open(&(*json)->source, path, problem);
    if (error)
        json_close(json);
    return error;
}

void json_close(struct json **json)
{
    if (!*json)
        return;
    source_close(&(*json)->source);
    free(*json);
    *json = NULL;
}

const char *json_text(const struct json *json)
{
    return json->text;
}

bool json_text_is_cut(const struct json *json)
{
    return json->cut;
}

enum number_kind json_number(const struct json *json, float *value)
{
    *value = json->value;
    return json->kind;
}

static enum starling_error refuse(const struct json *json, const char *what,
                                  struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID, "%s: byte %zu: %s", source_path(json->source),
                       json->passed + json->begin, what);
}

static enum starling_error refuse_end(const struct json *json, struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID,
                       "%s: ends in the middle of its JSON: fetch the file again",
                       source_path(json->source));
}

/* The next byte, which stays there; NO_BYTE at the end. */
static enum starling_error peek(struct json *json, int *byte, struct problem *problem)
{
    if (json->begin == json->end) {
        json->passed += json->end;
        json->begin = json->end = 0;
        enum starling_error error =
            source_bytes(json->source, json->buffer, READ_AHEAD, &json->end, problem);
        if (error)
            return error;
    }
    *byte = json->end ? json->buffer[json->begin] : NO_BYTE;
    return STARLING_OK;
}

/* Takes the next byte; the end of the file is refused. */
static enum starling_error take(struct json *json, int *byte, struct problem *problem)
{
    enum starling_error error = peek(json, byte, problem);
    if (error)
        return error;
    if (*byte == NO_BYTE)
        return refuse_end(json, problem);
    json->begin++;
    return STARLING_OK;
}

static enum starling_error skip_white(struct json *json, int *byte, struct problem *problem)
{
    for (;;) {
        enum starling_error error = peek(json, byte, problem);
        if (error)
            return error;
        if (*byte != ' ' && *byte != '\n' && *byte != '\r' && *byte != '\t')
            return STARLING_OK;
        json->begin++;
    }
}

/* Appends to the text; what is beyond its room is dropped, and no character half. */
static void keep(struct json *json, const char *bytes, size_t count)
{
    json->cut = json->cut || json->length + count > JSON_TEXT_MAX;
    if (json->cut)
        return;
    memcpy(json->text + json->length, bytes, count);
    json->length += count;
}

static void keep_character(struct json *json, uint32_t code)
{
    char bytes[4];
    size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = count; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3F));
    bytes[0] = (char)(lead[count] | code);
    keep(json, bytes, count);
}

static enum starling_error take_hexadecimal(struct json *json, uint32_t *code,
                                            struct problem *problem)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        int byte;
        enum starling_error error = take(json, &byte, problem);
        if (error)
            return error;
        uint32_t digit = byte >= '0' && byte <= '9'   ? (uint32_t)byte - '0'
                         : byte >= 'a' && byte <= 'f' ? (uint32_t)byte - 'a' + 10
                         : byte >= 'A' && byte <= 'F' ? (uint32_t)byte - 'A' + 10
                                                      : 16;
        if (digit == 16)
            return refuse(json, "\\u wants four hexadecimal digits: mend the file", problem);
        *code = *code << 4 | digit;
    }
    return STARLING_OK;
}

/* What follows \u: a character, or one of two halves of one, which both are taken. */
static enum starling_error take_unicode(struct json *json, struct problem *problem)
{
    uint32_t code, low;
    int slash = '\\', letter = 'u';
    enum starling_error error = take_hexadecimal(json, &code, problem);
    if (!error && code >= 0xD800 && code < 0xDC00) {
        error = take(json, &slash, problem);
        if (!error)
            error = take(json, &letter, problem);
        if (!error && slash == '\\' && letter == 'u')
            error = take_hexadecimal(json, &low, problem);
        else
            low = 0;
        if (!error)
            code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + ((code & 0x3FF) << 10) + (low & 0x3FF)
                                                 : 0xD800;
    }
    if (error)
        return error;
    if (code == 0 || (code >= 0xD800 && code < 0xE000))
        return refuse(json, "\\u names no character that a text can hold: mend the file", problem);
    keep_character(json, code);
    return STARLING_OK;
}

static enum starling_error take_escape(struct json *json, struct problem *problem)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    int byte;
    enum starling_error error = take(json, &byte, problem);
    if (error)
        return error;
    if (byte == 'u')
        return take_unicode(json, problem);
    const char *letter = byte ? strchr(letters, byte) : NULL;
    if (!letter)
        return refuse(json, "a backslash is written \\\\ in a string: mend the file", problem);
    keep(json, meant + (letter - letters), 1);
    return STARLING_OK;
}

/* The rest of a string whose opening quote has been taken. */
static enum starling_error take_string(struct json *json, struct problem *problem)
{
    json->length = 0;
    json->cut = false;
    for (;;) {
        int byte;
        enum starling_error error = take(json, &byte, problem);
        if (error)
            return error;
        if (byte == '"')
            break;
        if (byte < 0x20)
            return refuse(json, "a control character in a string: mend the file", problem);
        if (byte == '\\') {
            error = take_escape(json, problem);
            if (error)
                return error;
        } else {
            keep(json, &(char){(char)byte}, 1);
        }
    }
    json->text[json->length] = '\0';
    return STARLING_OK;
}

static bool is_of_word(int byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '+' || byte == '.';
}

/* A number, true, false or null. */
static enum starling_error take_word(struct json *json, enum json_token *token,
                                     struct problem *problem)
{
    int byte;
    enum starling_error error;
    json->length = 0;
    json->cut = false;
    while (!(error = peek(json, &byte, problem)) && is_of_word(byte) && !json->cut) {
        keep(json, &(char){(char)byte}, 1);
        json->begin++;
    }
    if (error)
        return error;
    json->text[json->length] = '\0';
    *token = strcmp(json->text, "true") == 0    ? JSON_TRUE
             : strcmp(json->text, "false") == 0 ? JSON_FALSE
             : strcmp(json->text, "null") == 0  ? JSON_NULL
                                                : JSON_NUMBER;
    if (*token != JSON_NUMBER)
        return STARLING_OK;
    json->kind = fields_number(json->text, &json->value);
    if (json->length > 0 && !json->cut && json->kind != NUMBER_TEXT)
        return STARLING_OK;
    return refuse(json,
                  json->cut      ? "a number of more digits than are read: round it"
                  : json->length ? "a word that is no number, true, false or null: mend the file"
                                 : "what stands here is no JSON: mend the file",
                  problem);
}

static enum starling_error enter(struct json *json, bool object, struct problem *problem)
{
    if (json->depth == JSON_DEPTH_MAX)
        return refuse(json, "nested too deep: at most 32 levels are read", problem);
    json->in_object[json->depth++] = object;
    json->expected = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return STARLING_OK;
}

static void value_is_over(struct json *json)
{
    json->expected = json->depth ? EXPECT_COMMA_OR_END : EXPECT_NOTHING;
}

static enum starling_error take_value(struct json *json, int byte, enum json_token *token,
                                      struct problem *problem)
{
    enum starling_error error;
    if (byte == '{' || byte == '[') {
        json->begin++;
        *token = byte == '{' ? JSON_OBJECT : JSON_ARRAY;
        return enter(json, byte == '{', problem);
    }
    if (byte == '"') {
        json->begin++;
        *token = JSON_STRING;
        error = take_string(json, problem);
    } else {
        error = take_word(json, token, problem);
    }
    value_is_over(json);
    return error;
}

/* "key": */
static enum starling_error take_key(struct json *json, int byte, struct problem *problem)
{
    if (byte != '"')
        return refuse(json, "a key in quotes is wanted: mend the file", problem);
    json->begin++;
    enum starling_error error = take_string(json, problem);
    if (!error)
        error = skip_white(json, &byte, problem);
    if (!error && byte == NO_BYTE)
        return refuse_end(json, problem);
    if (!error && byte != ':')
        return refuse(json, "a colon is wanted behind a key: mend the file", problem);
    json->begin += !error;
    json->expected = EXPECT_VALUE;
    return error;
}

static bool ends_here(const struct json *json, int byte)
{
    bool may = json->expected == EXPECT_COMMA_OR_END || json->expected == EXPECT_KEY_OR_END ||
               json->expected == EXPECT_VALUE_OR_END;
    return may && byte == (json->in_object[json->depth - 1] ? '}' : ']');
}

enum starling_error json_next(struct json *json, enum json_token *token, struct problem *problem)
{
    int byte;
    enum starling_error error = skip_white(json, &byte, problem);
    if (error)
        return error;
    *token = JSON_END;
    if (json->expected == EXPECT_NOTHING)
        return byte == NO_BYTE
                   ? STARLING_OK
                   : refuse(json, "text behind the end of the JSON: mend the file", problem);
    if (byte == NO_BYTE)
        return refuse_end(json, problem);
    if (ends_here(json, byte)) {
        json->begin++;
        *token = json->in_object[--json->depth] ? JSON_OBJECT_END : JSON_ARRAY_END;
        value_is_over(json);
        return STARLING_OK;
    }
    if (json->expected == EXPECT_COMMA_OR_END) {
        if (byte != ',')
            return refuse(json, "a comma or the end of a list is wanted: mend the file", problem);
        json->begin++;
        json->expected = json->in_object[json->depth - 1] ? EXPECT_KEY : EXPECT_VALUE;
        error = skip_white(json, &byte, problem);
        if (error || byte == NO_BYTE)
            return error ? error : refuse_end(json, problem);
    }
    if (json->expected == EXPECT_KEY || json->expected == EXPECT_KEY_OR_END) {
        *token = JSON_KEY;
        return take_key(json, byte, problem);
    }
    return take_value(json, byte, token, problem);
}

enum starling_error json_skip(struct json *json, enum json_token first, struct problem *problem)
{
    if (first != JSON_OBJECT && first != JSON_ARRAY)
        return STARLING_OK;
    size_t outside = json->depth - 1;
    enum starling_error error = STARLING_OK;
    while (!error && json->depth > outside)
        error = json_next(json, &(enum json_token){JSON_END}, problem);
    return error;
}
