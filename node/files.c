#include "node/files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BESIDE ".tmp"

enum starling_error file_path(char *path, size_t size, const char *dir, const char *name,
                              struct problem *problem)
{
    int length = snprintf(path, size, "%s/%s", dir, name);
    if (length < 0 || (size_t)length >= size)
        return problem_set(problem, STARLING_INVALID,
                           "%.100s…: the path is too long: choose a shorter one", dir);
    return STARLING_OK;
}

/* Says whether an open file may be read: a pipe or device could hang or never end. */
static enum starling_error judge(const char *path, int file, bool secret, size_t most,
                                 struct problem *problem)
{
    struct stat about;
    if (fstat(file, &about))
        return problem_set(problem, STARLING_FAILED, "%s: cannot be examined: %s", path,
                           strerror(errno));
    if (!S_ISREG(about.st_mode))
        return problem_set(problem, STARLING_INVALID, "%s: is not a regular file: name another",
                           path);
    if (secret && (about.st_mode & (S_IRWXG | S_IRWXO)))
        return problem_set(problem, STARLING_INVALID,
                           "%s: a secret that others have access to: chmod 600 %s", path, path);
    if (about.st_size < 0 || (uintmax_t)about.st_size > most)
        return problem_set(problem, STARLING_INVALID,
                           "%s: is larger than %zu bytes: it is not what belongs there", path,
                           most);
    return STARLING_OK;
}

enum starling_error file_read(const char *path, bool secret, void *buffer, size_t most,
                              size_t *size, struct problem *problem)
{
    *size = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return problem_set(problem, errno == ENOENT ? STARLING_INVALID : STARLING_FAILED,
                           "%s: cannot be opened: %s: see that the path is right", path,
                           strerror(errno));
    enum starling_error error = judge(path, file, secret, most, problem);
    /* One byte beyond `most` is asked for apart, so that a file that grows meanwhile is seen. */
    while (!error) {
        char beyond;
        bool full = *size == most;
        ssize_t got = full ? read(file, &beyond, 1)
                           : read(file, (unsigned char *)buffer + *size, most - *size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            error = problem_set(problem, STARLING_FAILED, "%s: cannot be read: %s", path,
                                strerror(errno));
        else if (got > 0 && full)
            error =
                problem_set(problem, STARLING_INVALID, "%s: is larger than %zu bytes", path, most);
        else if (got == 0)
            break;
        else
            *size += (size_t)got;
    }
    close(file);
    if (error && secret)
        sodium_memzero(buffer, most);
    return error;
}

/* What the system said no to, by the name a person knows: a file is made as NAME.tmp at first. */
static enum starling_error cannot(const char *what, const char *path, struct problem *problem)
{
    int reason = errno;
    size_t length = strlen(path), end = strlen(BESIDE);
    if (length > end && !strcmp(path + length - end, BESIDE))
        length -= end;
    bool full = reason == ENOSPC || reason == EDQUOT || reason == EFBIG;
    return problem_set(problem, STARLING_FAILED, "%.*s: cannot be %s: %s: %s",
                       (int)(length < 300 ? length : 300), path, what, strerror(reason),
                       full ? "make room on the disk; what was there before is kept"
                            : "see that its folder is there and can be written");
}

static enum starling_error write_all(const char *path, int file, const struct file_part *part,
                                     struct problem *problem)
{
    const unsigned char *next = part->bytes;
    size_t left = part->size;
    while (left > 0) {
        ssize_t done = write(file, next, left < SSIZE_MAX ? left : SSIZE_MAX);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return cannot("written", path, problem);
        next += done;
        left -= (size_t)done;
    }
    return STARLING_OK;
}

/* Makes `path` anew and opens it. */
static enum starling_error create(const char *path, mode_t mode, int *file, struct problem *problem)
{
    *file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (*file < 0 && errno == EEXIST)
        return problem_set(problem, STARLING_INVALID,
                           "%s: is there already: remove it or choose another place", path);
    return *file < 0 ? cannot("made", path, problem) : STARLING_OK;
}

/* Unless filling it came to `error`, it is on disk when this returns. Nothing is left when it
 * fails. */
static enum starling_error complete(const char *path, int file, enum starling_error error,
                                    struct problem *problem)
{
    if (!error && fsync(file))
        error = cannot("written", path, problem);
    if (close(file) && !error)
        error = cannot("written", path, problem);
    if (error)
        unlink(path);
    return error;
}

/* A new name is only safe from a power cut once its folder is on disk. */
static enum starling_error sync_folder(const char *path, struct problem *problem)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (!slash)
        snprintf(folder, sizeof folder, ".");
    else
        snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* Some file systems cannot sync a folder (EINVAL): then there is nothing more to be done. */
    bool failed = file < 0 || (fsync(file) && errno != EINVAL);
    int reason = errno;
    if (file >= 0)
        close(file);
    if (failed)
        return problem_set(problem, STARLING_FAILED, "%s: cannot be synced: %s", folder,
                           strerror(reason));
    return STARLING_OK;
}

enum starling_error file_begin(struct file_writer *writer, const char *path, mode_t mode,
                               struct problem *problem)
{
    writer->file = -1;
    int length = snprintf(writer->path, sizeof writer->path, "%s", path);
    int other = snprintf(writer->temporary, sizeof writer->temporary, "%s" BESIDE, path);
    if (length < 0 || other < 0 || (size_t)other >= sizeof writer->temporary)
        return problem_set(problem, STARLING_INVALID,
                           "%.100s…: the path is too long: choose a shorter one", path);
    if (unlink(writer->temporary) && errno != ENOENT)
        return problem_set(problem, STARLING_FAILED,
                           "%.300s: cannot be removed: %s: remove it by hand", writer->temporary,
                           strerror(errno));
    return create(writer->temporary, mode, &writer->file, problem);
}

enum starling_error file_append(struct file_writer *writer, const void *bytes, size_t size,
                                struct problem *problem)
{
    const struct file_part part = {bytes, size};
    return write_all(writer->temporary, writer->file, &part, problem);
}

enum starling_error file_end(struct file_writer *writer, enum starling_error error,
                             struct problem *problem)
{
    if (writer->file < 0)
        return error;
    error = complete(writer->temporary, writer->file, error, problem);
    if (error)
        return error;
    if (rename(writer->temporary, writer->path)) {
        cannot("replaced", writer->path, problem);
        unlink(writer->temporary);
        return STARLING_FAILED;
    }
    return sync_folder(writer->path, problem);
}

enum starling_error file_write(const char *path, mode_t mode, const struct file_part *parts,
                               size_t count, struct problem *problem)
{
    struct file_writer writer;
    enum starling_error error = file_begin(&writer, path, mode, problem);
    for (size_t i = 0; i < count && !error; i++)
        error = file_append(&writer, parts[i].bytes, parts[i].size, problem);
    return file_end(&writer, error, problem);
}

enum starling_error file_create(const char *path, mode_t mode, const void *bytes, size_t size,
                                struct problem *problem)
{
    const struct file_part part = {bytes, size};
    int file;
    enum starling_error error = create(path, mode, &file, problem);
    if (error)
        return error;
    error = complete(path, file, write_all(path, file, &part, problem), problem);
    return error ? error : sync_folder(path, problem);
}
