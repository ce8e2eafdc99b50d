#include "model/source.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#define READ_AHEAD (256u * 1024u)

struct source {
    gzFile file;
    char *path;
    size_t line_number;
    char *buffer;      /* of SOURCE_LINE_MAX + READ_AHEAD bytes, made when lines are asked for */
    size_t begin, end; /* what lies in buffer and has not been given out */
    int end_of_file;
};

enum starling_error source_open(struct source **source, const char *path, struct problem *problem)
{
    *source = NULL;
    struct stat status;
    if (stat(path, &status) != 0)
        return problem_set(problem, STARLING_INVALID, "%s: %s: name a file that can be read", path,
                           strerror(errno));
    if (S_ISDIR(status.st_mode))
        return problem_set(problem, STARLING_INVALID, "%s: is a folder: name a file in it", path);
    *source = calloc(1, sizeof **source);
    if (!*source || !((*source)->path = strdup(path))) {
        source_close(source);
        return problem_no_memory(problem, "reading a file");
    }
    errno = 0;
    (*source)->file = gzopen(path, "rb");
    if (!(*source)->file) {
        int reason = errno ? errno : ENOMEM;
        source_close(source);
        return problem_set(problem, STARLING_INVALID, "%s: %s: name a file that can be read", path,
                           strerror(reason));
    }
    gzbuffer((*source)->file, READ_AHEAD);
    return STARLING_OK;
}

void source_close(struct source **source)
{
    if (!*source)
        return;
    if ((*source)->file)
        gzclose_r((*source)->file);
    free((*source)->buffer);
    free((*source)->path);
    free(*source);
    *source = NULL;
}

const char *source_path(const struct source *source)
{
    return source->path;
}

size_t source_line_number(const struct source *source)
{
    return source->line_number;
}

static enum starling_error reading_failed(struct source *source, struct problem *problem)
{
    int code = Z_OK;
    const char *text = gzerror(source->file, &code);
    if (code == Z_BUF_ERROR)
        return problem_set(problem, STARLING_INVALID,
                           "%s: its gzip stream ends early: fetch the file again", source->path);
    if (code == Z_ERRNO)
        return problem_set(problem, STARLING_FAILED, "%s: %s: it cannot be read", source->path,
                           strerror(errno));
    if (code == Z_MEM_ERROR)
        return problem_no_memory(problem, "unpacking a gzip file");
    return problem_set(problem, STARLING_INVALID,
                       "%s: its gzip stream is damaged (%s): fetch the file again", source->path,
                       text && *text ? text : "unknown error");
}

enum starling_error source_bytes(struct source *source, void *out, size_t count, size_t *got,
                                 struct problem *problem)
{
    *got = 0;
    while (*got < count) {
        size_t rest = count - *got;
        unsigned step = rest > INT_MAX / 2 ? INT_MAX / 2 : (unsigned)rest;
        int result = gzread(source->file, (unsigned char *)out + *got, step);
        if (result < 0)
            return reading_failed(source, problem);
        *got += (size_t)result;
        if (result == 0 || (unsigned)result < step) {
            int code = Z_OK;
            gzerror(source->file, &code);
            if (code != Z_OK && code != Z_STREAM_END)
                return reading_failed(source, problem);
            break;
        }
    }
    return STARLING_OK;
}

/* Moves what is left to the front and fills up. */
static enum starling_error read_ahead(struct source *source, struct problem *problem)
{
    memmove(source->buffer, source->buffer + source->begin, source->end - source->begin);
    source->end -= source->begin;
    source->begin = 0;
    size_t got;
    enum starling_error error =
        source_bytes(source, source->buffer + source->end, READ_AHEAD, &got, problem);
    source->end += got;
    source->end_of_file = got < READ_AHEAD;
    return error;
}

/* Gives out the line of `length` bytes at source->begin, `taken` bytes with its end. */
static enum starling_error give_line(struct source *source, size_t length, size_t taken,
                                     char **line, struct problem *problem)
{
    char *text = source->buffer + source->begin;
    source->begin += taken;
    source->line_number++;
    if (length > SOURCE_LINE_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: a line of more than 1 MiB: is this a table, a row a line?",
                           source->path, source->line_number);
    if (length > 0 && text[length - 1] == '\r')
        length--;
    text[length] = '\0';
    if (memchr(text, '\0', length))
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: a zero byte: this is no text; name a table of text",
                           source->path, source->line_number);
    if (source->line_number == 1 && length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    *line = text;
    return STARLING_OK;
}

enum starling_error source_line(struct source *source, char **line, struct problem *problem)
{
    *line = NULL;
    if (!source->buffer) {
        /* One byte more than is ever filled, for the zero behind a last line without an end. */
        source->buffer = malloc(SOURCE_LINE_MAX + READ_AHEAD + 1);
        if (!source->buffer)
            return problem_no_memory(problem, "reading lines");
    }
    size_t searched = 0;
    for (;;) {
        const char *start = source->buffer + source->begin;
        size_t held = source->end - source->begin;
        const char *newline = memchr(start + searched, '\n', held - searched);
        if (newline) {
            size_t length = (size_t)(newline - start);
            return give_line(source, length, length + 1, line, problem);
        }
        if (held > SOURCE_LINE_MAX || (source->end_of_file && held > 0))
            return give_line(source, held, held, line, problem);
        if (source->end_of_file)
            return STARLING_OK;
        searched = held;
        enum starling_error error = read_ahead(source, problem);
        if (error)
            return error;
    }
}

enum starling_error source_rewind(struct source *source, struct problem *problem)
{
    if (gzrewind(source->file) != 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: can be read only once, and is needed twice: save it in a file",
                           source->path);
    source->line_number = source->begin = source->end = 0;
    source->end_of_file = 0;
    return STARLING_OK;
}
