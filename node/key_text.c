#include "node/key_text.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The next line that says something; its length goes to *length. NULL at the end. */
static const char *next_line(struct key_text *reader, size_t *length)
{
    while (*reader->next) {
        const char *line = reader->next;
        size_t whole = strcspn(line, "\n");
        reader->next += whole + (line[whole] == '\n');
        reader->line++;
        while (whole > 0 && strchr(" \t\r", line[whole - 1]))
            whole--;
        *length = whole;
        if (whole > 0 && line[0] != '#')
            return line;
    }
    return NULL;
}

enum starling_error key_text_begin(struct key_text *reader, const char *file, const char *kind,
                                   const char *text, struct problem *problem)
{
    *reader = (struct key_text){.file = file, .kind = kind, .next = text};
    size_t length, kind_length = strlen(kind);
    const char *line = next_line(reader, &length);
    if (!line || length < kind_length + 2 || strncmp(line, kind, kind_length) ||
        line[kind_length] != ' ')
        return problem_set(problem, STARLING_INVALID,
                           "%s: is not a %s file: name another, or copy it again", file, kind);
    if (length != kind_length + 2 || line[kind_length + 1] != '1')
        return problem_set(problem, STARLING_INVALID,
                           "%s: is of version %.*s, known is version 1: use a newer starling", file,
                           (int)(length - kind_length - 1), line + kind_length + 1);
    return STARLING_OK;
}

enum starling_error key_text_hex(struct key_text *reader, const char *name, uint8_t *bytes,
                                 size_t size, struct problem *problem)
{
    size_t length, name_length = strlen(name), got = 0;
    const char *line = next_line(reader, &length);
    bool named = line && length > name_length && !strncmp(line, name, name_length) &&
                 line[name_length] == ' ';
    if (!named)
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: \"%s\" is missing: copy the file again", reader->file,
                           reader->line, name);
    const char *digits = line + name_length + 1;
    size_t count = length - name_length - 1;
    if (count != 2 * size || sodium_hex2bin(bytes, size, digits, count, NULL, &got, NULL) ||
        got != size)
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: \"%s\" is not %zu hexadecimal digits: copy the file again",
                           reader->file, reader->line, name, 2 * size);
    return STARLING_OK;
}

enum starling_error key_text_end(struct key_text *reader, struct problem *problem)
{
    size_t length;
    if (next_line(reader, &length))
        return problem_set(problem, STARLING_INVALID,
                           "%s:%zu: more than belongs into a %s file: copy it again", reader->file,
                           reader->line, reader->kind);
    return STARLING_OK;
}
