#include "sim/live_data.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define IDX_BYTES 0x08
#define IDX_CLASSES_MAX 256u /* a label is a byte */

static enum starling_error cannot_write(const char *path, struct problem *problem)
{
    return problem_set(problem, STARLING_FAILED,
                       "%s: %s: make room there, or name another place in TMPDIR", path,
                       strerror(errno));
}

/* Opens DIR/NAME for writing; NULL and a problem when it cannot be. */
static FILE *open_file(const char *dir, const char *name, char path[CONFIG_TEXT_MAX],
                       struct problem *problem)
{
    int length = snprintf(path, CONFIG_TEXT_MAX, "%s/%s", dir, name);
    if (length < 0 || length >= CONFIG_TEXT_MAX) {
        problem_set(problem, STARLING_INVALID,
                    "%.100s…: the path is too long: choose a shorter one", dir);
        return NULL;
    }
    FILE *file = fopen(path, "wxe");
    if (!file)
        cannot_write(path, problem);
    return file;
}

static enum starling_error close_file(FILE *file, const char *path, struct problem *problem)
{
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    return failed ? cannot_write(path, problem) : STARLING_OK;
}

static void put_big_endian(size_t value, FILE *file)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(value >> shift & 0xFF), file);
}

static void put_idx_head(const size_t *sizes, unsigned dimensions, FILE *file)
{
    put_big_endian((size_t)IDX_BYTES << 8 | dimensions, file);
    for (unsigned i = 0; i < dimensions; i++)
        put_big_endian(sizes[i], file);
}

static enum starling_error write_idx(const struct dataset *data, const uint32_t *rows, size_t count,
                                     const char *dir, struct problem *problem)
{
    char path[CONFIG_TEXT_MAX];
    FILE *file = open_file(dir, "train-images-idx3-ubyte", path, problem);
    if (!file)
        return STARLING_FAILED;
    bool image = data->height > 0;
    put_idx_head((size_t[]){count, image ? data->height : 1, image ? data->width : data->features,
                            image ? data->channels : 1},
                 4, file);
    for (size_t i = 0; i < count; i++)
        fwrite(data->bytes + rows[i] * data->features, 1, data->features, file);
    enum starling_error error = close_file(file, path, problem);
    if (error != STARLING_OK)
        return error;
    file = open_file(dir, "train-labels-idx1-ubyte", path, problem);
    if (!file)
        return STARLING_FAILED;
    put_idx_head(&count, 1, file);
    for (size_t i = 0; i < count; i++)
        fputc(data->labels[rows[i]], file);
    return close_file(file, path, problem);
}

static enum starling_error write_csv(const struct dataset *data, const uint32_t *rows, size_t count,
                                     const char *dir, struct problem *problem)
{
    char path[CONFIG_TEXT_MAX];
    float *features = calloc(data->features, sizeof *features);
    if (!features)
        return problem_no_memory(problem, "a node's share of the data");
    FILE *file = open_file(dir, "share.csv", path, problem);
    if (!file) {
        free(features);
        return STARLING_FAILED;
    }
    for (size_t i = 0; i < count; i++) {
        uint16_t label;
        dataset_gather(data, &rows[i], 1, features, &label);
        for (size_t j = 0; j < data->features; j++)
            fprintf(file, "%.9g,", (double)features[j]);
        fprintf(file, "%u\n", label);
    }
    free(features);
    return close_file(file, path, problem);
}

/* Windows one after another, each symbol a byte of its number, and all symbols as the alphabet. */
static enum starling_error write_text(const struct dataset *data, const uint32_t *rows,
                                      size_t count, const char *dir, struct problem *problem)
{
    char path[CONFIG_TEXT_MAX];
    size_t length = data->features;
    FILE *file = open_file(dir, "share.txt", path, problem);
    if (!file)
        return STARLING_FAILED;
    for (size_t i = 0; i < count; i++) {
        fwrite(data->bytes + rows[i] * length, 1, length, file);
        fputc(data->labels[rows[i] * length + length - 1], file);
    }
    enum starling_error error = close_file(file, path, problem);
    if (error != STARLING_OK)
        return error;
    file = open_file(dir, "alphabet.txt", path, problem);
    if (!file)
        return STARLING_FAILED;
    for (size_t symbol = 0; symbol < data->symbols; symbol++)
        fputc((int)symbol, file);
    return close_file(file, path, problem);
}

/* The ways to write a share, the first that fits it. */
enum form { FORM_TEXT, FORM_IDX, FORM_CSV };

static enum form form_of(const struct dataset *data)
{
    if (data->symbols > 0)
        return FORM_TEXT;
    return data->bytes && !data->shift && data->classes <= IDX_CLASSES_MAX ? FORM_IDX : FORM_CSV;
}

/* The specification of a share in DIR; what snprintf returns. */
static int specify(const struct dataset *data, const char *dir, char *text, size_t size)
{
    switch (form_of(data)) {
    case FORM_TEXT:
        return snprintf(text, size, "text:%s/share.txt?length=%zu&windows=apart&alphabet=%s/%s",
                        dir, data->features, dir, "alphabet.txt");
    case FORM_IDX:
        return snprintf(text, size, "idx:%s?classes=%zu", dir, data->classes);
    case FORM_CSV:
    default:
        if (data->height > 0)
            return snprintf(text, size, "csv:%s/share.csv?classes=%zu&test=none&shape=%zux%zux%zu",
                            dir, data->classes, data->height, data->width, data->channels);
        return snprintf(text, size, "csv:%s/share.csv?classes=%zu&test=none", dir, data->classes);
    }
}

enum starling_error live_data_write(const struct dataset *data, const uint32_t *rows, size_t count,
                                    const char *dir, struct config *config, struct problem *problem)
{
    int length = specify(data, dir, config->task.data, sizeof config->task.data);
    if (length < 0 || (size_t)length >= sizeof config->task.data || strpbrk(dir, "?&\n\r"))
        return problem_set(problem, STARLING_INVALID,
                           "%.100s: a folder that a data specification cannot name: choose a "
                           "shorter and plainer one in TMPDIR",
                           dir);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return cannot_write(dir, problem);
    config->task.scale = form_of(data) == FORM_IDX ? SCALE_AUTO : SCALE_NONE;
    switch (form_of(data)) {
    case FORM_TEXT:
        return write_text(data, rows, count, dir, problem);
    case FORM_IDX:
        return write_idx(data, rows, count, dir, problem);
    case FORM_CSV:
    default:
        return write_csv(data, rows, count, dir, problem);
    }
}
