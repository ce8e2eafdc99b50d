#include "model/read.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/memory.h"
#include "model/source.h"

#define DIMENSIONS_MAX 4
#define UNSIGNED_BYTE 0x08
#define FIRST_STEP (1u << 20) /* bytes asked for before a header's promise is believed */

/* One IDX file in memory: its first dimension, and all the others multiplied. */
struct idx {
    char path[4096];
    size_t count, width;
    size_t sizes[DIMENSIONS_MAX - 1]; /* what width is the product of: rows, columns, channels */
    uint8_t *bytes;                   /* count × width */
};

/* Finds DIR/NAME or DIR/NAME.gz; false when there is neither. */
static bool find_file(const char *folder, const char *name, struct idx *idx)
{
    static const char *const endings[] = {"", ".gz"};
    for (size_t i = 0; i < 2; i++) {
        int length = snprintf(idx->path, sizeof idx->path, "%s/%s%s", folder, name, endings[i]);
        if (length > 0 && (size_t)length < sizeof idx->path && access(idx->path, F_OK) == 0)
            return true;
    }
    return false;
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static enum starling_error read_exactly(struct source *source, uint8_t *out, size_t count,
                                        struct problem *problem)
{
    size_t got;
    enum starling_error error = source_bytes(source, out, count, &got, problem);
    if (!error && got < count)
        return problem_set(problem, STARLING_INVALID,
                           "%s: ends before the examples its header promises: fetch the file again",
                           source_path(source));
    return error;
}

/* Reads the magic number and the dimensions into idx->count and idx->width. */
static enum starling_error read_header(struct source *source, struct idx *idx,
                                       struct problem *problem)
{
    uint8_t bytes[4];
    enum starling_error error = read_exactly(source, bytes, 4, problem);
    if (error)
        return error;
    unsigned dimensions = bytes[3];
    if (bytes[0] != 0 || bytes[1] != 0 || dimensions < 1 || dimensions > DIMENSIONS_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s: begins with %02x%02x%02x%02x, which is no IDX file of 1 to %d "
                           "dimensions: name a folder with MNIST's files",
                           idx->path, bytes[0], bytes[1], bytes[2], bytes[3], DIMENSIONS_MAX);
    if (bytes[2] != UNSIGNED_BYTE)
        return problem_set(problem, STARLING_INVALID,
                           "%s: holds values of type 0x%02x: only unsigned bytes (0x08) are read",
                           idx->path, bytes[2]);
    idx->width = 1;
    for (size_t i = 0; i < DIMENSIONS_MAX - 1; i++)
        idx->sizes[i] = 1;
    for (unsigned i = 0; i < dimensions; i++) {
        error = read_exactly(source, bytes, 4, problem);
        if (error)
            return error;
        size_t size = big_endian(bytes);
        if (i == 0)
            idx->count = size;
        else if (__builtin_mul_overflow(idx->width, idx->sizes[i - 1] = size, &idx->width))
            idx->width = SIZE_MAX;
    }
    if (idx->count < 1 || idx->count > DATASET_EXAMPLES_MAX || idx->width < 1 ||
        idx->width > DATASET_FEATURES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s: its header promises %zu examples of %zu values: 1 to %u of 1 to %u "
                           "are read",
                           idx->path, idx->count, idx->width, DATASET_EXAMPLES_MAX,
                           DATASET_FEATURES_MAX);
    return STARLING_OK;
}

/* Reads count × width bytes in growing steps, so that memory follows what the file really holds
 * and not what its header says, and makes sure that nothing follows. */
static enum starling_error read_body(struct source *source, struct idx *idx,
                                     struct problem *problem)
{
    size_t total, have = 0, capacity = 0;
    if (__builtin_mul_overflow(idx->count, idx->width, &total))
        return problem_no_memory(problem, idx->path);
    while (have < total) {
        capacity = have == 0 ? FIRST_STEP : have > total / 2 ? total : have * 2;
        capacity = capacity < total ? capacity : total;
        uint8_t *grown = memory_holds(capacity - have) ? realloc(idx->bytes, capacity) : NULL;
        if (!grown)
            return problem_set(problem, STARLING_NO_MEMORY,
                               "%s: memory does not hold its %zu examples of %zu bytes each: take "
                               "fewer of them",
                               idx->path, idx->count, idx->width);
        idx->bytes = grown;
        enum starling_error error =
            read_exactly(source, idx->bytes + have, capacity - have, problem);
        if (error)
            return error;
        have = capacity;
    }
    uint8_t more;
    size_t got;
    enum starling_error error = source_bytes(source, &more, 1, &got, problem);
    if (!error && got > 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: goes on after the %zu examples of its header: fetch the file again",
                           idx->path, idx->count);
    return error;
}

static enum starling_error read_file(struct idx *idx, struct problem *problem)
{
    struct source *source;
    enum starling_error error = source_open(&source, idx->path, problem);
    if (!error)
        error = read_header(source, idx, problem);
    if (!error)
        error = read_body(source, idx, problem);
    source_close(&source);
    return error;
}

/* Makes a data set of the two files, whose bytes it takes over. */
static enum starling_error join(struct idx *images, struct idx *labels, struct dataset *dataset,
                                struct problem *problem)
{
    if (labels->width != 1)
        return problem_set(problem, STARLING_INVALID,
                           "%s: holds %zu values an example: a label is one", labels->path,
                           labels->width);
    if (labels->count != images->count)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %zu labels for the %zu images of %s: they must belong together",
                           labels->path, labels->count, images->count, images->path);
    dataset->labels = malloc(labels->count * sizeof *dataset->labels);
    if (!dataset->labels)
        return problem_no_memory(problem, labels->path);
    for (size_t i = 0; i < labels->count; i++)
        dataset->labels[i] = labels->bytes[i];
    dataset->examples = images->count;
    dataset->features = images->width;
    dataset->height = images->sizes[0];
    dataset->width = images->sizes[1];
    dataset->channels = images->sizes[2];
    dataset->bytes = images->bytes;
    images->bytes = NULL;
    return STARLING_OK;
}

/* Reads the two files that begin with `prefix` ("train", "t10k"). A set that is not there at all
 * leaves `dataset` empty; half a set is an error. */
static enum starling_error read_set(const char *folder, const char *prefix, char *labels_path,
                                    size_t labels_path_size, struct dataset *dataset,
                                    struct problem *problem)
{
    enum starling_error error = STARLING_NO_MEMORY;
    struct idx *images = calloc(1, sizeof *images), *labels = calloc(1, sizeof *labels);
    if (!images || !labels) {
        problem_no_memory(problem, folder);
        goto done;
    }
    char name[64];
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", prefix);
    bool has_images = find_file(folder, name, images);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", prefix);
    bool has_labels = find_file(folder, name, labels);
    error = STARLING_OK;
    if (!has_images && !has_labels)
        goto done;
    if (has_images != has_labels) {
        error = problem_set(problem, STARLING_INVALID,
                            "%s: has %s-%s-ubyte but not its %s: fetch the missing file", folder,
                            prefix, has_images ? "images-idx3" : "labels-idx1",
                            has_images ? "labels" : "images");
        goto done;
    }
    error = read_file(images, problem);
    if (!error)
        error = read_file(labels, problem);
    if (!error)
        error = join(images, labels, dataset, problem);
    snprintf(labels_path, labels_path_size, "%s", labels->path);
done:
    if (images)
        free(images->bytes);
    if (labels)
        free(labels->bytes);
    free(images);
    free(labels);
    return error;
}

static enum starling_error check_test(const struct data *data, const char *folder,
                                      const char *labels_path, struct problem *problem)
{
    const struct dataset *test = &data->test;
    const struct dataset *train = &data->train;
    if (test->features != train->features ||
        (test->examples && (test->height != train->height || test->width != train->width)))
        return problem_set(problem, STARLING_INVALID,
                           "%s: test images of %zu pixels and training images of %zu: they must be "
                           "of one size",
                           folder, test->features, train->features);
    for (size_t i = 0; i < test->examples; i++)
        if (test->labels[i] >= train->classes)
            return problem_set(problem, STARLING_INVALID,
                               "%s: label out of range: example %zu has %u, but the training "
                               "labels end at %zu: fetch the file again",
                               labels_path, i + 1, test->labels[i], train->classes - 1);
    return STARLING_OK;
}

enum starling_error read_idx(const struct read_options *options, const struct data_hints *hints,
                             struct data *data, struct problem *problem)
{
    (void)hints;
    struct dataset *train = &data->train, *test = &data->test;
    char labels_path[4096] = "";
    if (access(options->path, F_OK) != 0)
        return problem_set(problem, STARLING_INVALID,
                           "idx:%s: %s: name a folder with MNIST's four files", options->path,
                           strerror(errno));
    enum starling_error error =
        read_set(options->path, "train", labels_path, sizeof labels_path, train, problem);
    if (error)
        return error;
    if (train->examples == 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: has no train-images-idx3-ubyte[.gz]: name a folder with MNIST's "
                           "four files",
                           options->path);
    size_t classes;
    error = read_classes(options, &classes, problem);
    if (error)
        return error;
    for (size_t i = 0; i < train->examples; i++)
        if (train->labels[i] >= train->classes)
            train->classes = train->labels[i] + 1u;
    if (classes && train->classes > classes)
        return problem_set(problem, STARLING_INVALID,
                           "%s: label out of range: there is a label %zu, but classes=%zu",
                           labels_path, train->classes - 1, classes);
    if (classes)
        train->classes = classes;
    error = read_set(options->path, "t10k", labels_path, sizeof labels_path, test, problem);
    if (error)
        return error;
    test->features = test->examples ? test->features : train->features;
    test->classes = train->classes;
    return check_test(data, options->path, labels_path, problem);
}
