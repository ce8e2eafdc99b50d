/* folder — a temporary folder for one test, and whole small files in it. */
#ifndef STARLING_TEST_FOLDER_H
#define STARLING_TEST_FOLDER_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[512];
    char name[1024]; /* the last made by folder_file */
};

static inline int folder_make(struct folder *folder)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%s/starling-test-XXXXXX",
             base && *base ? base : "/tmp");
    return mkdtemp(folder->path) ? 0 : -1;
}

static inline int folder_remove_one(const char *path, const struct stat *about, int flag,
                                    struct FTW *walk)
{
    (void)about;
    (void)flag;
    (void)walk;
    return remove(path);
}

static inline void folder_remove(const struct folder *folder)
{
    nftw(folder->path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A test's setup and teardown: its state is a folder of its own. */
static inline int folder_setup(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    *state = folder;
    return folder ? folder_make(folder) : -1;
}

static inline int folder_teardown(void **state)
{
    folder_remove(*state);
    free(*state);
    return 0;
}

/* The path of a file in it; good until the next call. */
static inline const char *folder_file(struct folder *folder, const char *name)
{
    snprintf(folder->name, sizeof folder->name, "%s/%s", folder->path, name);
    return folder->name;
}

static inline int folder_write(struct folder *folder, const char *name, const void *bytes,
                               size_t size)
{
    FILE *file = fopen(folder_file(folder, name), "wb");
    if (!file)
        return -1;
    size_t done = fwrite(bytes, 1, size, file);
    return fclose(file) || done != size ? -1 : 0;
}

/* Reads at most `most` bytes; returns how many, or -1. */
static inline long folder_read(struct folder *folder, const char *name, void *bytes, size_t most)
{
    FILE *file = fopen(folder_file(folder, name), "rb");
    if (!file)
        return -1;
    size_t done = fread(bytes, 1, most, file);
    fclose(file);
    return (long)done;
}

#endif
