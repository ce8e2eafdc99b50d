#include "files.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define PATH_SIZE 1024

static char folder[PATH_SIZE / 2];

static void give_up(const char *what)
{
    perror(what);
    abort();
}

void files_begin(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/starling-test-XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(folder))
        give_up(folder);
}

static void remove_folder(const char *path)
{
    DIR *listing = opendir(path);
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        char inside[2 * PATH_SIZE];
        snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            unlink(inside) != 0)
            remove_folder(inside);
    }
    if (listing)
        closedir(listing);
    rmdir(path);
}

void files_end(void)
{
    remove_folder(folder);
}

int files_setup(void **state)
{
    (void)state;
    files_begin();
    return 0;
}

int files_teardown(void **state)
{
    (void)state;
    files_end();
    return 0;
}

const char *files_folder(const char *name)
{
    const char *path = files_path(name);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        give_up(path);
    return path;
}

const char *files_path(const char *name)
{
    static char paths[4][PATH_SIZE];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return path;
}

const char *files_raw(const char *name, const void *bytes, size_t count)
{
    const char *path = files_path(name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, count, file) != count || fclose(file) != 0)
        give_up(path);
    return path;
}

const char *files_write(const char *name, const void *bytes, size_t count)
{
    size_t length = strlen(name);
    if (length < 3 || strcmp(name + length - 3, ".gz") != 0)
        return files_raw(name, bytes, count);
    const char *path = files_path(name);
    gzFile file = gzopen(path, "wb");
    if (!file || (count && gzwrite(file, bytes, (unsigned)count) != (int)count) ||
        gzclose(file) != Z_OK)
        give_up(path);
    return path;
}

const char *files_text(const char *name, const char *text)
{
    return files_write(name, text, strlen(text));
}

const char *files_real(const char *name)
{
    static char path[PATH_SIZE];
    const char *data = getenv("STARLING_DATA");
    if (data)
        snprintf(path, sizeof path, "%s/%s", data, name);
    if (data && access(path, R_OK) == 0)
        return path;
    printf("skipped: no %s in $STARLING_DATA\n", name);
    return NULL;
}

struct data *files_open(const char *kind, const char *path, const char *options,
                        struct problem *problem)
{
    char specification[2200];
    snprintf(specification, sizeof specification, "%s:%s%s", kind, path, options);
    return data_open(specification, &(struct data_hints){.seed = 1, .scale = SCALE_NONE}, problem);
}

struct data *files_must_open(const char *kind, const char *path, const char *options)
{
    struct problem problem = {0};
    struct data *data = files_open(kind, path, options, &problem);
    if (!data)
        fail_msg("%s refused: %s", path, problem.text);
    return data;
}

void files_assert_refused(const char *kind, const char *path, const char *options, const char *says)
{
    struct problem problem = {0};
    struct data *data = files_open(kind, path, options, &problem);
    if (data)
        fail_msg("%s%s was read, wanted '%s'", path, options, says);
    if (!strstr(problem.text, says) || strchr(problem.text, '\n'))
        fail_msg("says '%s', wanted '%s' in one line", problem.text, says);
}
