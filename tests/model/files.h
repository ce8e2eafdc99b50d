/* files — temporary files of a test: written, gzipped, removed. */
#ifndef STARLING_TEST_FILES_H
#define STARLING_TEST_FILES_H

#include <stddef.h>

/* A new folder under $TMPDIR or /tmp; removed with all its files by files_end. */
void files_begin(void);
void files_end(void);

/* The path of `name` in that folder, good until the next call but three. */
const char *files_path(const char *name);

/* Makes a folder in it and returns its path. */
const char *files_folder(const char *name);

/* Writes a file, plain or gzip by its name's ending ".gz"; returns its path. */
const char *files_write(const char *name, const void *bytes, size_t count);
const char *files_text(const char *name, const char *text);

/* Writes a file's bytes as they are, whatever its name. */
const char *files_raw(const char *name, const void *bytes, size_t count);

/* A real data set's path under $STARLING_DATA, or NULL after saying that the test skips it. */
const char *files_real(const char *name);

#endif
