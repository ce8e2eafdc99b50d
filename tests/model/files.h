/* files — temporary files of a test: written, gzipped, removed. */
#ifndef STARLING_TEST_FILES_H
#define STARLING_TEST_FILES_H

#include <stddef.h>

#include "model/dataset.h"

/* A new folder under $TMPDIR or /tmp; removed with all its files by files_end. */
void files_begin(void);
void files_end(void);
/* The same as a group's setup and teardown. */
int files_setup(void **state);
int files_teardown(void **state);

/* The path of `name` in that folder, good until the next call but three. */
const char *files_path(const char *name);

/* Makes a folder in it and returns its path. */
const char *files_folder(const char *name);

/* Writes a file, plain or gzip by its name's ending ".gz"; returns its path. */
const char *files_write(const char *name, const void *bytes, size_t count);
const char *files_text(const char *name, const char *text);

/* Writes a file's bytes as they are, whatever its name. */
const char *files_raw(const char *name, const void *bytes, size_t count);

/* Opens KIND:PATH followed by `options`, unscaled, seed 1. */
struct data *files_open(const char *kind, const char *path, const char *options,
                        struct problem *problem);
/* The same, and fails the test when it is refused. */
struct data *files_must_open(const char *kind, const char *path, const char *options);
/* Fails the test unless it is refused with one line that says so. */
void files_assert_refused(const char *kind, const char *path, const char *options,
                          const char *says);

/* A real data set's path under $STARLING_DATA, or NULL after saying that the test skips it. */
const char *files_real(const char *name);

#endif
