#include "node/log.h"

#include <assert.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/text.h"

#define LINE_MAX_BYTES 1024

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* A line that cannot be written has nobody to tell. */
static void put(const struct log *log, const char *line, size_t size)
{
    if (write(log->fd, line, size) < 0)
        return;
}

static void put_json(const struct log *log, enum log_level level, char *text)
{
    text_make_utf8(text);
    json_t *object = json_pack("{s:I, s:s, s:s}", "time", (json_int_t)time(NULL), "level",
                               level_names[level], "text", text);
    char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
    char out[6 * LINE_MAX_BYTES + 128]; /* each byte may be escaped as \uXXXX */
    if (line) {
        int size = snprintf(out, sizeof out, "%s\n", line);
        put(log, out, (size_t)size < sizeof out ? (size_t)size : sizeof out - 1);
    }
    free(line);
    json_decref(object);
}

static void say(const struct log *log, enum log_level level, char *text)
{
    if (log->json) {
        put_json(log, level, text);
        return;
    }
    char line[LINE_MAX_BYTES + 64];
    const char *tag = level == LOG_WARN ? "warning: " : level == LOG_DEBUG ? "debug: " : "";
    int size = snprintf(line, sizeof line, "%s: %s%s\n", log->program, tag, text);
    put(log, line, (size_t)size < sizeof line ? (size_t)size : sizeof line - 1);
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    if (level > log->level)
        return;
    char text[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    say(log, level, text);
}

void log_limited(struct log *log, enum log_level level, unsigned subject, uint64_t now_us,
                 const char *format, ...)
{
    assert(subject < LOG_SUBJECTS);
    if (level > log->level)
        return;
    if (now_us < log->limits[subject].next_us) {
        log->limits[subject].held_back++;
        return;
    }
    char text[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    size_t size = strlen(text);
    if (log->limits[subject].held_back > 0)
        snprintf(text + size, sizeof text - size, " (and %llu like it)",
                 (unsigned long long)log->limits[subject].held_back);
    log->limits[subject].held_back = 0;
    log->limits[subject].next_us = now_us + LOG_LIMIT_US;
    say(log, level, text);
}

bool log_level_from(const char *text, enum log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcmp(text, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}
