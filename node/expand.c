#include "node/expand.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES_MAX 64
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"

/* The name between the braces of `opened` ("${NAME}…"); its length, or 0 when it is none. */
static size_t read_name(const char *opened, char name[NAME_BYTES_MAX])
{
    const char *start = opened + 2;
    size_t length = strspn(start, LETTERS "0123456789");
    if (length == 0 || length >= NAME_BYTES_MAX || !strchr(LETTERS, *start) || start[length] != '}')
        return 0;
    memcpy(name, start, length);
    name[length] = '\0';
    return length;
}

static enum starling_error find_value(const char *opened, size_t *length, const char **value,
                                      const char *what, struct problem *problem)
{
    char name[NAME_BYTES_MAX];
    *length = read_name(opened, name);
    if (*length == 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: \"%.40s\" names no environment variable: write ${NAME}", what,
                           opened);
    *value = getenv(name);
    if (!*value)
        return problem_set(problem, STARLING_INVALID,
                           "%s: the environment variable %s is not set: set it, as with export "
                           "%s=FOLDER",
                           what, name, name);
    if (strstr(*value, "${"))
        return problem_set(problem, STARLING_INVALID,
                           "%s: the environment variable %s holds ${ itself: set it to plain text",
                           what, name);
    return STARLING_OK;
}

/* Appends `length` bytes at *used; false when they do not fit. */
static bool append(char *out, size_t size, size_t *used, const char *text, size_t length)
{
    if (length >= size - *used)
        return false;
    memcpy(out + *used, text, length);
    *used += length;
    out[*used] = '\0';
    return true;
}

enum starling_error expand(const char *text, char *out, size_t size, const char *what,
                           struct problem *problem)
{
    size_t used = 0;
    bool fits = append(out, size, &used, "", 0);
    while (fits && *text) {
        const char *opened = strstr(text, "${"), *value = NULL;
        size_t plain = opened ? (size_t)(opened - text) : strlen(text), length = 0;
        fits = append(out, size, &used, text, plain);
        text += plain;
        if (!opened)
            break;
        enum starling_error error = find_value(opened, &length, &value, what, problem);
        if (error)
            return error;
        fits = fits && append(out, size, &used, value, strlen(value));
        text += length + 3;
    }
    if (!fits)
        return problem_set(problem, STARLING_INVALID,
                           "%s: is longer than %zu characters with its variables: shorten it", what,
                           size - 1);
    return STARLING_OK;
}
