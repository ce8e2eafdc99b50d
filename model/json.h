/* json — a JSON file (RFC 8259), plain or gzip, read token by token.
 *
 * What is held is one token and how it is nested, whatever the size of the file. Every failure is
 * one line that names the file and the byte in what it unpacks to.
 */
#ifndef STARLING_JSON_H
#define STARLING_JSON_H

#include <stdbool.h>

#include "model/fields.h"
#include "model/problem.h"

#define JSON_DEPTH_MAX 32 /* objects and arrays within each other */
#define JSON_TEXT_MAX 256 /* bytes kept of a string; a number has no more */

enum json_token {
    JSON_END, /* of the file */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY, /* what follows is its value */
    JSON_STRING,
    JSON_NUMBER, /* NaN and Infinity too, as some write them: json_number tells */
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

struct json;

/* *json is NULL when `path` cannot be read. Closed by json_close, for which NULL is fine. */
enum starling_error json_open(struct json **json, const char *path, struct problem *problem);
void json_close(struct json **json);

/* The next token. Never gives a key without a value or an end without a beginning: whatever is not
 * JSON, is nested too deep or ends early is refused. */
enum starling_error json_next(struct json *json, enum json_token *token, struct problem *problem);

/* Passes over the rest of a value that has begun with `first`. */
enum starling_error json_skip(struct json *json, enum json_token first, struct problem *problem);

/* The text of the key, string or number that json_next gave last, in UTF-8, until the next call.
 * It holds no zero byte. Of a string beyond JSON_TEXT_MAX bytes it is the beginning. */
const char *json_text(const struct json *json);
bool json_text_is_cut(const struct json *json);

/* The number that json_next gave last, as fields_number reads it; never missing, never text. */
enum number_kind json_number(const struct json *json, float *value);

#endif
