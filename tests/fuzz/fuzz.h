/* fuzz — what the targets share: a check that finds, a folder of their own, parts of an input. */
#ifndef STARLING_FUZZ_H
#define STARLING_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "tests/node/folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool holds)
{
    if (!holds)
        abort();
}

static struct folder *fuzz_folder;

static inline void fuzz_folder_remove(void)
{
    folder_remove(fuzz_folder);
    free(fuzz_folder);
}

/* One folder for the whole process, removed when it ends well. */
static inline struct folder *fuzz_folder_once(void)
{
    if (!fuzz_folder) {
        fuzz_folder = malloc(sizeof *fuzz_folder);
        must(fuzz_folder && folder_make(fuzz_folder) == 0);
        atexit(fuzz_folder_remove);
    }
    return fuzz_folder;
}

/* What is left of an input. */
struct part {
    const uint8_t *bytes;
    size_t size;
};

static inline uint8_t part_byte(struct part *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->bytes++;
}

/* The next bytes, as many as two bytes before them say. */
static inline struct part part_next(struct part *input)
{
    size_t size = part_byte(input);
    size |= (size_t)part_byte(input) << 8;
    if (size > input->size)
        size = input->size;
    struct part next = {input->bytes, size};
    input->bytes += size;
    input->size -= size;
    return next;
}

#endif
