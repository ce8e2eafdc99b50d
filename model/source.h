/* source — a file read from front to back, plain or gzip, by lines or by bytes.
 *
 * Every failure is one line that names the file: missing, a folder, unreadable, a gzip stream that
 * is damaged or ends early.
 */
#ifndef STARLING_SOURCE_H
#define STARLING_SOURCE_H

#include <stddef.h>

#include "model/problem.h"

#define SOURCE_LINE_MAX (1u << 20) /* bytes of one line; a longer one is refused */

struct source;

/* *source is NULL when `path` cannot be read. Freed by source_close, for which NULL is fine. */
enum starling_error source_open(struct source **source, const char *path, struct problem *problem);
void source_close(struct source **source);

const char *source_path(const struct source *source);

/* The number of the line that source_line gave last, from 1. */
size_t source_line_number(const struct source *source);

/* Reads up to `count` bytes; *got < count only at the end of the file. */
enum starling_error source_bytes(struct source *source, void *out, size_t count, size_t *got,
                                 struct problem *problem);

/* The next line without its end (LF or CRLF), zero-terminated, the caller's to change until the
 * next call; NULL in *line at the end of the file. A byte order mark in front of the first line is
 * left out, and a line that holds a zero byte is refused: such a file is no text. */
enum starling_error source_line(struct source *source, char **line, struct problem *problem);

/* Back to the front, as if it had just been opened; a pipe, which gives its bytes once, is refused.
 */
enum starling_error source_rewind(struct source *source, struct problem *problem);

#endif
