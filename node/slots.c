#include "node/slots.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <sodium.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/vector.h"
#include "node/files.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are written as they lie");

#define SLOTS 2
#define SLOT_VERSION 1
#define HEADER_BYTES 112 /* fields, and the first 16 bytes of BLAKE2b over them */
#define HEADER_CHECK_BYTES 16
#define CHECK_BYTES 32 /* BLAKE2b-256 over all that is before it */
#define HAS_MOMENTUM 1u
#define HAS_READOUT 2u

static const char *const slot_names[SLOTS] = {"parameters-a.slot", "parameters-b.slot"};
static const char slot_magic[8] = "starslot";

static void put(uint8_t **at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *(*at)++ = (uint8_t)(value >> (8 * i));
}

static uint64_t get(const uint8_t **at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t) * (*at)++ << (8 * i);
    return value;
}

static void encode_header(const struct saved *saved, uint8_t header[HEADER_BYTES])
{
    uint8_t *at = header;
    uint64_t age;
    memcpy(&age, &saved->age, sizeof age);
    memcpy(at, slot_magic, sizeof slot_magic);
    at += sizeof slot_magic;
    put(&at, SLOT_VERSION, 4);
    put(&at, (saved->momentum ? HAS_MOMENTUM : 0) | (saved->readout ? HAS_READOUT : 0), 4);
    memcpy(at, saved->task, TASK_ID_BYTES);
    at += TASK_ID_BYTES;
    const uint64_t fields[] = {
        saved->number,   age,           saved->round,     saved->works, saved->samples,
        saved->sequence, saved->ledger, saved->parameters};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put(&at, fields[i], 8);
    crypto_generichash(at, HEADER_CHECK_BYTES, header, (size_t)(at - header), NULL, 0);
    assert(at + HEADER_CHECK_BYTES == header + HEADER_BYTES);
}

/* NULL when the header is good, else what is wrong with it. */
static const char *decode_header(const uint8_t header[HEADER_BYTES], struct saved *saved,
                                 uint32_t *flags)
{
    uint8_t check[HEADER_CHECK_BYTES];
    const uint8_t *at = header;
    if (memcmp(at, slot_magic, sizeof slot_magic))
        return "is not a slot";
    at += sizeof slot_magic;
    if (get(&at, 4) != SLOT_VERSION)
        return "is of another version";
    crypto_generichash(check, sizeof check, header, HEADER_BYTES - sizeof check, NULL, 0);
    if (memcmp(check, header + HEADER_BYTES - sizeof check, sizeof check))
        return "is corrupt";
    *flags = (uint32_t)get(&at, 4);
    memcpy(saved->task, at, TASK_ID_BYTES);
    at += TASK_ID_BYTES;
    saved->number = get(&at, 8);
    uint64_t age = get(&at, 8);
    memcpy(&saved->age, &age, sizeof age);
    saved->round = get(&at, 8);
    saved->works = get(&at, 8);
    saved->samples = get(&at, 8);
    saved->sequence = get(&at, 8);
    saved->ledger = get(&at, 8);
    saved->parameters = get(&at, 8);
    if (*flags & ~(HAS_MOMENTUM | HAS_READOUT) || !isfinite(saved->age) || saved->age < 0 ||
        saved->number > INT64_MAX) /* there must always be a next one */
        return "is corrupt";
    return NULL;
}

static bool read_all(int file, void *bytes, size_t size)
{
    uint8_t *next = bytes;
    while (size > 0) {
        ssize_t got = read(file, next, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        next += got;
        size -= (size_t)got;
    }
    return true;
}

static int open_slot(const char *path, struct stat *about)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file >= 0 && (fstat(file, about) || !S_ISREG(about->st_mode))) {
        close(file);
        return -1;
    }
    return file;
}

/* The number of the save a slot holds, by its header; 0 when there is no good one. */
static uint64_t slot_number(const char *path)
{
    struct stat about;
    struct saved saved = {0};
    uint8_t header[HEADER_BYTES];
    uint32_t flags;
    int file = open_slot(path, &about);
    if (file < 0)
        return 0;
    bool good = read_all(file, header, sizeof header) && !decode_header(header, &saved, &flags);
    close(file);
    return good ? saved.number : 0;
}

enum starling_error slots_save(const char *dir, struct saved *saved, struct problem *problem)
{
    char paths[SLOTS][PATH_MAX];
    uint64_t numbers[SLOTS], newest = saved->number;
    if (sodium_init() < 0)
        return problem_set(problem, STARLING_FAILED, "libsodium cannot start");
    for (size_t i = 0; i < SLOTS; i++) {
        if (file_path(paths[i], sizeof paths[i], dir, slot_names[i], problem))
            return STARLING_INVALID;
        numbers[i] = slot_number(paths[i]);
        if (numbers[i] > newest)
            newest = numbers[i];
    }
    size_t target = numbers[0] <= numbers[1] ? 0 : 1, count = 0;
    uint64_t before = saved->number;
    saved->number = newest + 1;
    uint8_t header[HEADER_BYTES], check[CHECK_BYTES];
    struct file_part parts[5];
    encode_header(saved, header);
    parts[count++] = (struct file_part){header, sizeof header};
    const float *vectors[] = {saved->model, saved->momentum, saved->readout};
    for (size_t i = 0; i < 3; i++)
        if (vectors[i])
            parts[count++] = (struct file_part){vectors[i], saved->parameters * sizeof(float)};
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);
    for (size_t i = 0; i < count; i++)
        crypto_generichash_update(&state, parts[i].bytes, parts[i].size);
    crypto_generichash_final(&state, check, CHECK_BYTES);
    parts[count++] = (struct file_part){check, sizeof check};
    enum starling_error error = file_write(paths[target], 0600, parts, count, problem);
    if (error)
        saved->number = before;
    return error;
}

/* Whether the file is as long as its header says, and the vectors are not longer than allowed. */
static const char *judge_size(const struct saved *saved, uint32_t flags, off_t size,
                              size_t max_bytes)
{
    size_t vectors = 1u + (flags & HAS_MOMENTUM ? 1 : 0) + (flags & HAS_READOUT ? 1 : 0);
    if (saved->parameters == 0 || saved->parameters > max_bytes / sizeof(float))
        return "is larger than node.max_model";
    uint64_t bytes;
    if (__builtin_mul_overflow(saved->parameters * sizeof(float), vectors, &bytes) ||
        __builtin_add_overflow(bytes, HEADER_BYTES + CHECK_BYTES, &bytes) ||
        (uint64_t)size != bytes)
        return "is cut short";
    return NULL;
}

static const char *read_vectors(int file, const uint8_t header[HEADER_BYTES], uint32_t flags,
                                struct saved *saved)
{
    float **vectors[] = {&saved->model, &saved->momentum, &saved->readout};
    bool wanted[] = {true, (flags & HAS_MOMENTUM) != 0, (flags & HAS_READOUT) != 0};
    uint8_t check[CHECK_BYTES], stored[CHECK_BYTES];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);
    crypto_generichash_update(&state, header, HEADER_BYTES);
    for (size_t i = 0; i < 3; i++) {
        if (!wanted[i])
            continue;
        size_t bytes = saved->parameters * sizeof(float);
        float *vector = *vectors[i] = vector_new(saved->parameters);
        if (!vector)
            return "does not fit into memory";
        if (!read_all(file, vector, bytes))
            return "cannot be read to its end";
        crypto_generichash_update(&state, (const uint8_t *)vector, bytes);
    }
    crypto_generichash_final(&state, check, CHECK_BYTES);
    if (!read_all(file, stored, CHECK_BYTES))
        return "cannot be read to its end";
    return memcmp(check, stored, CHECK_BYTES) ? "is corrupt" : NULL;
}

/* Reads one slot whole. NULL, or what is wrong with it; *absent when there is no file. */
static const char *read_slot(const char *path, size_t max_bytes, struct saved *saved, bool *absent)
{
    struct stat about;
    uint8_t header[HEADER_BYTES];
    uint32_t flags = 0;
    int file = open_slot(path, &about);
    *absent = file < 0 && errno == ENOENT;
    if (file < 0)
        return *absent ? NULL : "cannot be opened";
    const char *wrong = "is cut short";
    if (about.st_size >= HEADER_BYTES && read_all(file, header, sizeof header))
        wrong = decode_header(header, saved, &flags);
    if (!wrong)
        wrong = judge_size(saved, flags, about.st_size, max_bytes);
    if (!wrong)
        wrong = read_vectors(file, header, flags, saved);
    close(file);
    if (wrong)
        saved_clear(saved);
    return wrong;
}

static void add_note(char *note, const char *path, const char *wrong)
{
    if (!note)
        return;
    size_t used = strlen(note);
    snprintf(note + used, PROBLEM_TEXT_MAX - used, "%s%s: %s and is passed over", used ? "; " : "",
             path, wrong);
}

enum starling_error slots_load(const char *dir, size_t max_bytes, struct saved *saved, bool *found,
                               char *note, struct problem *problem)
{
    char paths[SLOTS][PATH_MAX], name[64], leftover[PATH_MAX];
    uint64_t numbers[SLOTS];
    *found = false;
    memset(saved, 0, sizeof *saved);
    if (note)
        note[0] = '\0';
    if (sodium_init() < 0)
        return problem_set(problem, STARLING_FAILED, "libsodium cannot start");
    for (size_t i = 0; i < SLOTS; i++) {
        if (file_path(paths[i], sizeof paths[i], dir, slot_names[i], problem))
            return STARLING_INVALID;
        snprintf(name, sizeof name, "%s.tmp", slot_names[i]);
        if (!file_path(leftover, sizeof leftover, dir, name, NULL))
            unlink(leftover);
        numbers[i] = slot_number(paths[i]);
    }
    size_t first = numbers[1] > numbers[0] ? 1 : 0;
    for (size_t i = 0; i < SLOTS && !*found; i++) {
        const char *path = paths[i == 0 ? first : 1 - first];
        bool absent;
        const char *wrong = read_slot(path, max_bytes, saved, &absent);
        if (wrong)
            add_note(note, path, wrong);
        *found = !wrong && !absent;
    }
    return STARLING_OK;
}

void saved_clear(struct saved *saved)
{
    vector_free(saved->model);
    vector_free(saved->momentum);
    vector_free(saved->readout);
    memset(saved, 0, sizeof *saved);
}
