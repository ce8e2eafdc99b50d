#include "sim/out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "node/files.h"
#include "sim/stopwatch.h"

char *out_path(const char *dir, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

enum starling_error out_cannot_write(const char *path, struct problem *problem)
{
    return problem_set(problem, STARLING_FAILED, "%s: %s: %s", path, strerror(errno),
                       errno == ENOSPC || errno == EDQUOT
                           ? "make room on the disk; what was written before is kept"
                           : "choose a folder that can be written with --out");
}

static enum starling_error make_one(const char *path, size_t *made, struct problem *problem)
{
    if (mkdir(path, 0777) == 0)
        ++*made;
    else if (errno != EEXIST)
        return out_cannot_write(path, problem);
    return STARLING_OK;
}

enum starling_error out_make_folder(const char *dir, size_t *made, struct problem *problem)
{
    char *path = strdup(dir);
    if (!path)
        return problem_no_memory(problem, "a folder's name");
    enum starling_error error = STARLING_OK;
    for (char *slash = strchr(path + 1, '/'); slash && error == STARLING_OK;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = make_one(path, made, problem);
        *slash = '/';
    }
    struct stat status;
    if (error == STARLING_OK)
        error = make_one(path, made, problem);
    if (error == STARLING_OK && stat(path, &status) != 0)
        error = out_cannot_write(path, problem);
    else if (error == STARLING_OK && !S_ISDIR(status.st_mode))
        error = problem_set(problem, STARLING_INVALID,
                            "%s: is a file: choose another folder with --out", path);
    free(path);
    return error;
}

/* 1: held; 0: somebody else holds it, or it was taken away meanwhile; −1: it cannot be opened. */
static int hold_now(const char *dir, int *folder)
{
    struct stat held, named;
    *folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0)
        return errno == ENOENT ? 0 : -1;
    /* A file system without locks holds nothing, and nothing can be done about it. */
    bool taken = flock(*folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!taken && fstat(*folder, &held) == 0 && stat(dir, &named) == 0 &&
        held.st_ino == named.st_ino && held.st_dev == named.st_dev)
        return 1;
    close(*folder);
    return 0;
}

int out_hold_folder(const char *dir, const char *who, double wait_s,
                    const volatile sig_atomic_t *interrupted, size_t *made, struct problem *problem)
{
    double deadline_s = stopwatch_seconds() + wait_s;
    for (;;) {
        int folder;
        if (out_make_folder(dir, made, problem))
            return -1;
        int held = hold_now(dir, &folder);
        if (held > 0)
            return folder;
        if (held < 0) {
            out_cannot_write(dir, problem);
            return -1;
        }
        if (stopwatch_seconds() >= deadline_s || (interrupted && *interrupted))
            break;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    problem_set(problem, STARLING_INVALID,
                "%s: %s is at work there: wait for it, or choose another folder with --out", dir,
                who);
    return -1;
}

void out_remove_folder(const char *dir, size_t made)
{
    char *path = strdup(dir), *slash = path;
    while (slash && made > 0) {
        if (rmdir(path) == 0)
            made--;
        else if (errno != ENOENT)
            break;
        slash = strrchr(path, '/');
        if (slash)
            *slash = '\0';
    }
    free(path);
}

enum starling_error out_text_begin(struct out_text *text, struct problem *problem)
{
    text->file = open_memstream(&text->bytes, &text->size);
    return text->file ? STARLING_OK : problem_no_memory(problem, "a result file");
}

enum starling_error out_text_end(struct out_text *text, const char *dir, const char *name,
                                 enum starling_error error, struct problem *problem)
{
    if (fclose(text->file) != 0 && error == STARLING_OK)
        error = problem_no_memory(problem, "a result file");
    if (error == STARLING_OK) {
        char *path = out_path(dir, name);
        const struct file_part part = {text->bytes, text->size};
        error = path ? file_write(path, 0666, &part, 1, problem)
                     : problem_no_memory(problem, "a file's name");
        free(path);
    }
    free(text->bytes);
    return error;
}
