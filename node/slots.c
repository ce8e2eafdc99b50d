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
#define SLOT_VERSION 2
#define HEADER_BYTES 120   /* fields, and the first 16 bytes of BLAKE2b over them */
#define HEADER_BYTES_1 112 /* of version 1: without the steps of the optimiser */
#define HEADER_CHECK_BYTES 16
#define CHECK_BYTES 32 /* BLAKE2b-256 over all that is before it */
#define HAS_FIRST 1u
#define HAS_READOUT 2u
#define HAS_SECOND 4u  /* from version 2 on */
#define VECTORS 4      /* at most */
#define SPOILT_MAX 100 /* corrupt files kept of a slot; the last gives way */

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
    put(&at,
        (saved->first ? HAS_FIRST : 0) | (saved->second ? HAS_SECOND : 0) |
            (saved->readout ? HAS_READOUT : 0),
        4);
    memcpy(at, saved->task, TASK_ID_BYTES);
    at += TASK_ID_BYTES;
    const uint64_t fields[] = {
        saved->number,   age,           saved->round,      saved->works, saved->samples,
        saved->sequence, saved->ledger, saved->parameters, saved->steps};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        put(&at, fields[i], 8);
    crypto_generichash(at, HEADER_CHECK_BYTES, header, (size_t)(at - header), NULL, 0);
    assert(at + HEADER_CHECK_BYTES == header + HEADER_BYTES);
}

/* What a slot was found to be, and why it is not good. */
enum slot_state {
    SLOT_GOOD,
    SLOT_ABSENT,  /* no such file */
    SLOT_CORRUPT, /* nothing can be made of it, ever: another slot is as good as it gets */
    SLOT_BARRED,  /* what it holds may be good, but is not for us now: a person must look */
};

struct finding {
    enum slot_state state;
    char why[PROBLEM_TEXT_MAX / 2]; /* "" when good or absent */
};

static struct finding found_corrupt(const char *why)
{
    struct finding finding = {.state = SLOT_CORRUPT};
    snprintf(finding.why, sizeof finding.why, "%s", why);
    return finding;
}

static struct finding found_barred(const char *what, const char *reason, const char *remedy)
{
    struct finding finding = {.state = SLOT_BARRED};
    snprintf(finding.why, sizeof finding.why, "%s%s: %s", what, reason, remedy);
    return finding;
}

#define REMEDY "put that right, or move the file away to go on without it"

/* What a file begins with, of any version. */
struct head {
    uint8_t bytes[HEADER_BYTES];
    size_t size;
    uint32_t flags;
};

/* How long the header is, by its first HEADER_BYTES_1 bytes. */
static struct finding measure_header(struct head *head)
{
    const uint8_t *at = head->bytes;
    if (memcmp(at, slot_magic, sizeof slot_magic))
        return found_corrupt("is not a slot");
    at += sizeof slot_magic;
    uint64_t version = get(&at, 4);
    if (version > SLOT_VERSION)
        return found_barred("was written by a newer starling", "",
                            "install that one again, or move the file away to go on without it");
    if (version == 0)
        return found_corrupt("is of no known version");
    head->size = version == 1 ? HEADER_BYTES_1 : HEADER_BYTES;
    return (struct finding){.state = SLOT_GOOD};
}

/* A slot of version 1 remembers an optimiser's momentum at most, which has no use for steps. */
static struct finding decode_header(struct head *head, struct saved *saved)
{
    uint8_t check[HEADER_CHECK_BYTES];
    const uint8_t *at = head->bytes + sizeof slot_magic + 4;
    size_t fields = head->size - sizeof check;
    uint32_t known = HAS_FIRST | HAS_READOUT | (head->size == HEADER_BYTES ? HAS_SECOND : 0);
    crypto_generichash(check, sizeof check, head->bytes, fields, NULL, 0);
    if (memcmp(check, head->bytes + fields, sizeof check))
        return found_corrupt("is corrupt");
    uint32_t flags = head->flags = (uint32_t)get(&at, 4);
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
    saved->steps = head->size == HEADER_BYTES ? get(&at, 8) : 0;
    if (flags & ~known || (flags & (HAS_FIRST | HAS_SECOND)) == HAS_SECOND ||
        !isfinite(saved->age) || saved->age < 0 ||
        saved->number > INT64_MAX) /* there must always be a next one */
        return found_corrupt("is corrupt");
    return (struct finding){.state = SLOT_GOOD};
}

static struct finding read_all(int file, void *bytes, size_t size)
{
    uint8_t *next = bytes;
    while (size > 0) {
        ssize_t got = read(file, next, size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return found_barred("cannot be read: ", strerror(errno), REMEDY);
        if (got == 0)
            return found_corrupt("is cut short");
        next += got;
        size -= (size_t)got;
    }
    return (struct finding){.state = SLOT_GOOD};
}

/* Opens a slot and reads its header; *file is open exactly when that is good. */
static struct finding open_slot(const char *path, int *file, off_t *size, struct saved *saved,
                                struct head *head)
{
    struct stat about;
    struct finding finding;
    *file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*file < 0 && errno == ENOENT)
        return (struct finding){.state = SLOT_ABSENT};
    if (*file < 0)
        return found_barred("cannot be opened: ", strerror(errno), REMEDY);
    if (fstat(*file, &about))
        finding = found_barred("cannot be examined: ", strerror(errno), REMEDY);
    else if (!S_ISREG(about.st_mode))
        finding = found_barred("is not a regular file", "", "move it away");
    else
        finding = read_all(*file, head->bytes, HEADER_BYTES_1);
    if (finding.state == SLOT_GOOD)
        finding = measure_header(head);
    if (finding.state == SLOT_GOOD)
        finding = read_all(*file, head->bytes + HEADER_BYTES_1, head->size - HEADER_BYTES_1);
    if (finding.state == SLOT_GOOD)
        finding = decode_header(head, saved);
    if (finding.state == SLOT_GOOD) {
        *size = about.st_size;
        return finding;
    }
    close(*file);
    *file = -1;
    return finding;
}

/* The number of the save a slot holds, by its header; 0 when there is no good one. */
static struct finding slot_number(const char *path, uint64_t *number)
{
    struct saved saved = {0};
    struct head head = {0};
    off_t size;
    int file;
    struct finding finding = open_slot(path, &file, &size, &saved, &head);
    *number = finding.state == SLOT_GOOD ? saved.number : 0;
    if (file >= 0)
        close(file);
    return finding;
}

static enum starling_error slot_barred(const char *path, const struct finding *finding,
                                       struct problem *problem)
{
    return problem_set(problem, STARLING_FAILED, "%.250s: %s", path, finding->why);
}

/* Paths of the slots and the numbers of their saves; an error when one may be good and cannot be
 * told to be. */
static enum starling_error survey(const char *dir, char paths[SLOTS][PATH_MAX],
                                  uint64_t numbers[SLOTS], struct problem *problem)
{
    if (sodium_init() < 0)
        return problem_set(problem, STARLING_FAILED, "libsodium cannot start");
    for (size_t i = 0; i < SLOTS; i++) {
        if (file_path(paths[i], PATH_MAX, dir, slot_names[i], problem))
            return STARLING_INVALID;
        struct finding finding = slot_number(paths[i], &numbers[i]);
        if (finding.state == SLOT_BARRED)
            return slot_barred(paths[i], &finding, problem);
    }
    return STARLING_OK;
}

enum starling_error slots_save(const char *dir, struct saved *saved, struct problem *problem)
{
    char paths[SLOTS][PATH_MAX];
    uint64_t numbers[SLOTS], newest = saved->number;
    enum starling_error error = survey(dir, paths, numbers, problem);
    if (error)
        return error;
    for (size_t i = 0; i < SLOTS; i++)
        if (numbers[i] > newest)
            newest = numbers[i];
    size_t target = numbers[0] <= numbers[1] ? 0 : 1, count = 0;
    uint64_t before = saved->number;
    saved->number = newest + 1;
    uint8_t header[HEADER_BYTES], check[CHECK_BYTES];
    struct file_part parts[VECTORS + 2];
    encode_header(saved, header);
    parts[count++] = (struct file_part){header, sizeof header};
    const float *vectors[VECTORS] = {saved->model, saved->first, saved->second, saved->readout};
    for (size_t i = 0; i < VECTORS; i++)
        if (vectors[i])
            parts[count++] = (struct file_part){vectors[i], saved->parameters * sizeof(float)};
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);
    for (size_t i = 0; i < count; i++)
        crypto_generichash_update(&state, parts[i].bytes, parts[i].size);
    crypto_generichash_final(&state, check, CHECK_BYTES);
    parts[count++] = (struct file_part){check, sizeof check};
    error = file_write(paths[target], 0600, parts, count, problem);
    if (error)
        saved->number = before;
    return error;
}

/* Whether the file is as long as its header says, and the vectors are not longer than allowed. */
static struct finding judge_size(const struct saved *saved, const struct head *head, off_t size,
                                 size_t max_bytes)
{
    size_t vectors = 1u + (head->flags & HAS_FIRST ? 1 : 0) + (head->flags & HAS_SECOND ? 1 : 0) +
                     (head->flags & HAS_READOUT ? 1 : 0);
    uint64_t bytes;
    if (saved->parameters == 0 ||
        __builtin_mul_overflow(saved->parameters, vectors * sizeof(float), &bytes) ||
        __builtin_add_overflow(bytes, head->size + CHECK_BYTES, &bytes) || (uint64_t)size != bytes)
        return found_corrupt("is cut short");
    if (saved->parameters > max_bytes / sizeof(float))
        return found_barred("holds a model larger than node.max_model", "",
                            "raise that, or move the file away to go on without it");
    return (struct finding){.state = SLOT_GOOD};
}

static struct finding read_vectors(int file, const struct head *head, struct saved *saved)
{
    float **vectors[VECTORS] = {&saved->model, &saved->first, &saved->second, &saved->readout};
    const bool wanted[VECTORS] = {true, head->flags & HAS_FIRST, head->flags & HAS_SECOND,
                                  head->flags & HAS_READOUT};
    uint8_t check[CHECK_BYTES], stored[CHECK_BYTES];
    struct finding finding = {.state = SLOT_GOOD};
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);
    crypto_generichash_update(&state, head->bytes, head->size);
    for (size_t i = 0; i < VECTORS && finding.state == SLOT_GOOD; i++) {
        if (!wanted[i])
            continue;
        size_t bytes = saved->parameters * sizeof(float);
        float *vector = *vectors[i] = vector_new(saved->parameters);
        if (!vector)
            return found_barred("does not fit into memory", "", "make room, and start again");
        finding = read_all(file, vector, bytes);
        if (finding.state == SLOT_GOOD)
            crypto_generichash_update(&state, (const uint8_t *)vector, bytes);
    }
    if (finding.state == SLOT_GOOD)
        finding = read_all(file, stored, CHECK_BYTES);
    crypto_generichash_final(&state, check, CHECK_BYTES);
    if (finding.state == SLOT_GOOD && memcmp(check, stored, CHECK_BYTES))
        finding = found_corrupt("is corrupt");
    return finding;
}

/* Reads one slot whole. */
static struct finding read_slot(const char *path, size_t max_bytes, struct saved *saved)
{
    struct head head = {0};
    off_t size;
    int file;
    struct finding finding = open_slot(path, &file, &size, saved, &head);
    if (finding.state == SLOT_GOOD)
        finding = judge_size(saved, &head, size, max_bytes);
    if (finding.state == SLOT_GOOD)
        finding = read_vectors(file, &head, saved);
    if (file >= 0)
        close(file);
    if (finding.state != SLOT_GOOD)
        saved_clear(saved);
    return finding;
}

static void add_note(char *note, const char *path, const char *why, const char *outcome)
{
    if (!note)
        return;
    size_t used = strlen(note);
    snprintf(note + used, PROBLEM_TEXT_MAX - used, "%s%.150s: %s and %s", used ? "; " : "", path,
             why, outcome);
}

/* Out of the way of the next save: it may still be of use to a person. */
static enum starling_error move_aside(const char *path, const char *why, char *note,
                                      struct problem *problem)
{
    char to[PATH_MAX], outcome[64];
    int n = 0, length;
    do
        length = snprintf(to, sizeof to, "%s.corrupt-%d", path, ++n);
    while (n < SPOILT_MAX && access(to, F_OK) == 0);
    errno = ENAMETOOLONG;
    if (length >= (int)sizeof to || rename(path, to))
        return problem_set(problem, STARLING_FAILED,
                           "%.250s: %s and cannot be moved aside: %s: move it away", path, why,
                           strerror(errno));
    snprintf(outcome, sizeof outcome, "was moved aside, to .corrupt-%d", n);
    add_note(note, path, why, outcome);
    return STARLING_OK;
}

/* Reads the slots, the newest first, until one is whole. */
static enum starling_error read_newest(char paths[SLOTS][PATH_MAX], size_t first, size_t max_bytes,
                                       struct saved *saved, bool *found, char *note,
                                       struct problem *problem)
{
    struct finding findings[SLOTS];
    for (size_t i = 0; i < SLOTS && !*found; i++) {
        size_t slot = i == 0 ? first : 1 - first;
        findings[slot] = read_slot(paths[slot], max_bytes, saved);
        if (findings[slot].state == SLOT_BARRED)
            return slot_barred(paths[slot], &findings[slot], problem);
        *found = findings[slot].state == SLOT_GOOD;
        if (i == 1 && *found && findings[first].state == SLOT_CORRUPT)
            add_note(note, paths[first], findings[first].why, "is passed over");
    }
    enum starling_error error = STARLING_OK;
    for (size_t i = 0; i < SLOTS && !*found && !error; i++)
        if (findings[i].state == SLOT_CORRUPT)
            error = move_aside(paths[i], findings[i].why, note, problem);
    return error;
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
    enum starling_error error = survey(dir, paths, numbers, problem);
    if (error)
        return error;
    for (size_t i = 0; i < SLOTS; i++) {
        snprintf(name, sizeof name, "%s.tmp", slot_names[i]);
        if (!file_path(leftover, sizeof leftover, dir, name, NULL))
            unlink(leftover);
    }
    size_t first = numbers[1] > numbers[0] ? 1 : 0;
    return read_newest(paths, first, max_bytes, saved, found, note, problem);
}

void saved_clear(struct saved *saved)
{
    vector_free(saved->model);
    vector_free(saved->first);
    vector_free(saved->second);
    vector_free(saved->readout);
    memset(saved, 0, sizeof *saved);
}
