/* files — small files read with suspicion and written whole or not at all.
 *
 * What a node keeps must survive kill -9, a power cut and a full disk: a file is written beside its
 * place (PATH.tmp), synced, renamed over the old one, and the folder is synced. A leftover PATH.tmp
 * is nobody's; the next write of PATH removes it.
 */
#ifndef STARLING_FILES_H
#define STARLING_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/problem.h"

struct file_part {
    const void *bytes;
    size_t size;
};

/* Reads all of a regular file of at most `most` bytes into `buffer`. `secret`: refuses a file that
 * group or others can read or write, and leaves nothing of it in `buffer` when it fails. */
enum starling_error file_read(const char *path, bool secret, void *buffer, size_t most,
                              size_t *size, struct problem *problem);

/* Writes the parts, one after the other, in place of what `path` was: all of it or none. */
enum starling_error file_write(const char *path, mode_t mode, const struct file_part *parts,
                               size_t count, struct problem *problem);

/* The same piece by piece. The caller ends what it has begun, whether that went well or not. */
struct file_writer {
    int file; /* -1: not begun */
    char path[PATH_MAX], temporary[PATH_MAX];
};
enum starling_error file_begin(struct file_writer *writer, const char *path, mode_t mode,
                               struct problem *problem);
enum starling_error file_append(struct file_writer *writer, const void *bytes, size_t size,
                                struct problem *problem);
/* Puts the file into its place, unless writing it has come to `error`: then that is returned, and
 * what `path` was is as it was. */
enum starling_error file_end(struct file_writer *writer, enum starling_error error,
                             struct problem *problem);

/* Writes a file that must not be there yet; what was begun is removed when it fails. */
enum starling_error file_create(const char *path, mode_t mode, const void *bytes, size_t size,
                                struct problem *problem);

/* Fills `path` with DIR/NAME; a path that does not fit is an error. */
enum starling_error file_path(char *path, size_t size, const char *dir, const char *name,
                              struct problem *problem);

#endif
