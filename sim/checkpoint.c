#include "sim/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "node/files.h"
#include "sim/frozen_world.h"
#include "sim/out.h"

#define FORMAT 1
#define MAGIC_BYTES 8
#define CHECK_BYTES 32 /* BLAKE2b-256 */
#define CHUNK 65536u
#define ANEW "run it anew with --force"

static const char magic[MAGIC_BYTES] = "starckpt";

static_assert(sizeof(struct round_row) == 15 * 8, "all of it is written");

static void add_rows(crypto_generichash_state *state, const struct dataset *dataset)
{
    for (size_t row = 0; row < dataset->examples; row++) {
        uint64_t hash = dataset_row_hash(dataset, (uint32_t)row);
        crypto_generichash_update(state, (const uint8_t *)&hash, sizeof hash);
    }
}

/* A hash of all that decides how a run goes: its settings, its data, and who has which of them.
 * Threads, and how often it is written down, do not. */
static enum starling_error summarise(const struct experiment *experiment, uint8_t out[CHECK_BYTES],
                                     struct problem *problem)
{
    struct config config = experiment->config;
    struct out_text text;
    crypto_generichash_state state;
    config.sim.threads = 0;
    config.sim.checkpoint_us = 0;
    enum starling_error error = out_text_begin(&text, problem);
    if (!error) {
        error = config_write(&config, "task learn gossip sim", false, text.file, problem);
        if (fclose(text.file) != 0 && !error)
            error = problem_no_memory(problem, "the settings");
        crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);
        if (!error)
            crypto_generichash_update(&state, (const uint8_t *)text.bytes, text.size);
        free(text.bytes);
    }
    if (error)
        return error;
    crypto_generichash_update(&state, experiment->settings.gossip.task, TASK_ID_BYTES);
    add_rows(&state, &experiment->data->train);
    add_rows(&state, &experiment->data->test);
    for (size_t node = 0; node < experiment->config.sim.nodes; node++) {
        size_t count;
        const uint32_t *rows = partition_rows(experiment->partition, node, &count);
        crypto_generichash_update(&state, (const uint8_t *)&count, sizeof count);
        crypto_generichash_update(&state, (const uint8_t *)rows, count * sizeof *rows);
    }
    crypto_generichash_final(&state, out, CHECK_BYTES);
    return STARLING_OK;
}

static void freeze_row(struct frozen *frozen, struct round_row *row)
{
    double *const figures[] = {&row->time_s,       &row->accuracy_mean, &row->accuracy_std,
                               &row->accuracy_min, &row->accuracy_p10,  &row->accuracy_p50,
                               &row->accuracy_p90, &row->loss_mean,     &row->consensus_distance,
                               &row->age_mean};
    uint64_t *const numbers[] = {&row->round, &row->online, &row->messages, &row->bytes,
                                 &row->dropped};
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        frozen_real(frozen, figures[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        frozen_u64(frozen, numbers[i]);
}

/* Rows are taken one by one: that there are many must be shown. */
static void read_rows(struct frozen *frozen, struct checkpoint *checkpoint)
{
    size_t capacity = 0, count = checkpoint->row_count;
    checkpoint->row_count = 0;
    while (checkpoint->row_count < count && frozen_is_fine(frozen)) {
        if (checkpoint->row_count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            struct round_row *grown =
                reallocarray(checkpoint->rows, capacity, sizeof *checkpoint->rows);
            if (!grown) {
                frozen_no_memory(frozen);
                return;
            }
            checkpoint->rows = grown;
        }
        struct round_row *row = &checkpoint->rows[checkpoint->row_count];
        uint64_t least = checkpoint->row_count > 0 ? row[-1].round + 1 : 1;
        freeze_row(frozen, row);
        if (row->round < least || row->round > checkpoint->rounds)
            frozen_refuse(frozen);
        checkpoint->row_count++;
    }
}

static void freeze_all(struct frozen *frozen, struct checkpoint *checkpoint,
                       const struct experiment *experiment, struct world *world)
{
    const struct config *config = &experiment->config;
    frozen_u64_to(frozen, &checkpoint->rounds, config->sim.rounds + config->sim.final);
    frozen_real(frozen, &checkpoint->wall_seconds);
    frozen_real(frozen, &checkpoint->eval_seconds);
    frozen_size_to(frozen, &checkpoint->row_count, checkpoint->rounds);
    if (frozen_reads(frozen))
        read_rows(frozen, checkpoint);
    for (size_t i = 0; i < checkpoint->row_count && !frozen_reads(frozen); i++)
        freeze_row(frozen, &checkpoint->rows[i]);
    frozen_world(frozen, world);
}

/* Where bytes go on their way to disk. */
struct sink {
    struct file_writer writer;
    crypto_generichash_state state;
    enum starling_error error;
    struct problem problem;
};

static size_t take(void *self, uint8_t *bytes, size_t size)
{
    struct sink *sink = self;
    crypto_generichash_update(&sink->state, bytes, size);
    if (!sink->error)
        sink->error = file_append(&sink->writer, bytes, size, &sink->problem);
    return sink->error ? 0 : size;
}

static void write_header(struct sink *sink, const uint8_t summary[CHECK_BYTES])
{
    uint8_t header[MAGIC_BYTES + 4 + CHECK_BYTES] = {0};
    memcpy(header, magic, MAGIC_BYTES);
    header[MAGIC_BYTES] = FORMAT;
    memcpy(header + MAGIC_BYTES + 4, summary, CHECK_BYTES);
    take(sink, header, sizeof header);
}

static enum starling_error write_file(const char *path, const struct checkpoint *checkpoint,
                                      const struct experiment *experiment, struct world *world,
                                      struct problem *problem)
{
    struct sink sink = {.error = STARLING_OK};
    struct checkpoint copy = *checkpoint;
    uint8_t check[CHECK_BYTES];
    enum starling_error error = summarise(experiment, check, problem);
    if (error)
        return error;
    crypto_generichash_init(&sink.state, NULL, 0, CHECK_BYTES);
    sink.error = file_begin(&sink.writer, path, 0666, &sink.problem);
    write_header(&sink, check);
    struct frozen *frozen = sink.error ? NULL : frozen_new(false, take, &sink);
    if (frozen) {
        freeze_all(frozen, &copy, experiment, world);
        error = frozen_end(&frozen, path, problem);
    } else if (!sink.error) {
        error = problem_no_memory(problem, "a checkpoint");
    }
    crypto_generichash_final(&sink.state, check, CHECK_BYTES);
    if (!error && !sink.error)
        sink.error = file_append(&sink.writer, check, CHECK_BYTES, &sink.problem);
    if (sink.error && problem)
        *problem = sink.problem;
    return file_end(&sink.writer, sink.error ? sink.error : error, problem);
}

enum starling_error checkpoint_save(const char *dir, const struct checkpoint *checkpoint,
                                    const struct experiment *experiment, struct world *world,
                                    struct problem *problem)
{
    char *path = out_path(dir, CHECKPOINT_NAME);
    enum starling_error error = path ? write_file(path, checkpoint, experiment, world, problem)
                                     : problem_no_memory(problem, "a file's name");
    free(path);
    return error;
}

/* A file that is read, up to its check. */
struct source {
    int file;
    uint64_t left;
};

static size_t give(void *self, uint8_t *bytes, size_t size)
{
    struct source *source = self;
    size = source->left < size ? (size_t)source->left : size;
    ssize_t got;
    do
        got = read(source->file, bytes, size);
    while (got < 0 && errno == EINTR);
    source->left -= got > 0 ? (uint64_t)got : 0;
    return got > 0 ? (size_t)got : 0;
}

static bool read_all(struct source *source, uint8_t *bytes, size_t size)
{
    while (size > 0) {
        size_t got = give(source, bytes, size);
        if (got == 0)
            return false;
        bytes += got;
        size -= got;
    }
    return true;
}

/* Whether the file ends with the hash of what is before. */
static bool is_whole(int file, uint64_t size)
{
    uint8_t bytes[CHUNK], check[CHECK_BYTES], stored[CHECK_BYTES];
    crypto_generichash_state state;
    struct source source = {file, size - CHECK_BYTES}, end = {file, CHECK_BYTES};
    crypto_generichash_init(&state, NULL, 0, CHECK_BYTES);
    while (source.left > 0) {
        size_t got = give(&source, bytes, sizeof bytes);
        if (got == 0)
            return false;
        crypto_generichash_update(&state, bytes, got);
    }
    crypto_generichash_final(&state, check, CHECK_BYTES);
    return read_all(&end, stored, CHECK_BYTES) && memcmp(check, stored, CHECK_BYTES) == 0;
}

/* Reads what is in front, and sees to it that the rest can be read. */
static enum starling_error open_body(const char *path, struct source *source,
                                     const struct experiment *experiment, struct problem *problem)
{
    uint8_t header[MAGIC_BYTES + 4 + CHECK_BYTES], summary[CHECK_BYTES];
    struct stat about;
    if (fstat(source->file, &about) || !S_ISREG(about.st_mode))
        return problem_set(problem, STARLING_INVALID, "%s: is not a file: " ANEW, path);
    uint64_t size = (uint64_t)about.st_size;
    source->left = size;
    if (size < sizeof header + CHECK_BYTES || !read_all(source, header, sizeof header) ||
        memcmp(header, magic, MAGIC_BYTES) != 0)
        return problem_set(problem, STARLING_INVALID, "%s: is no checkpoint: " ANEW, path);
    uint32_t version = 0;
    for (size_t i = 0; i < 4; i++)
        version |= (uint32_t)header[MAGIC_BYTES + i] << (8 * i);
    if (version != FORMAT)
        return problem_set(problem, STARLING_INVALID,
                           "%s: was written by another version of starling-sim: go on with that "
                           "one, or " ANEW,
                           path);
    if (lseek(source->file, 0, SEEK_SET) != 0 || !is_whole(source->file, size) ||
        lseek(source->file, sizeof header, SEEK_SET) != sizeof header)
        return problem_set(problem, STARLING_INVALID, "%s: is corrupt: " ANEW, path);
    source->left = size - sizeof header - CHECK_BYTES;
    enum starling_error error = summarise(experiment, summary, problem);
    if (!error && memcmp(summary, header + MAGIC_BYTES + 4, CHECK_BYTES) != 0)
        error = problem_set(problem, STARLING_INVALID,
                            "%s: is of other settings or data than there are now: put those back, "
                            "or " ANEW,
                            path);
    return error;
}

static enum starling_error read_file(const char *path, int file, struct checkpoint *checkpoint,
                                     const struct experiment *experiment, struct world *world,
                                     struct problem *problem)
{
    struct source source = {file, 0};
    enum starling_error error = open_body(path, &source, experiment, problem);
    if (error)
        return error;
    struct frozen *frozen = frozen_new(true, give, &source);
    if (!frozen)
        return problem_no_memory(problem, "a checkpoint");
    freeze_all(frozen, checkpoint, experiment, world);
    error = frozen_end(&frozen, path, problem);
    if (error == STARLING_INVALID)
        problem_set(problem, error, "%s: does not add up: " ANEW, path);
    return error;
}

enum starling_error checkpoint_load(const char *dir, struct checkpoint *checkpoint,
                                    const struct experiment *experiment, struct world *world,
                                    struct problem *problem)
{
    *checkpoint = (struct checkpoint){0};
    char *path = out_path(dir, CHECKPOINT_NAME);
    if (!path)
        return problem_no_memory(problem, "a file's name");
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum starling_error error =
        file < 0 ? problem_set(problem, STARLING_INVALID, "%s: cannot be opened: %s: " ANEW, path,
                               strerror(errno))
                 : read_file(path, file, checkpoint, experiment, world, problem);
    if (file >= 0)
        close(file);
    if (error) {
        free(checkpoint->rows);
        *checkpoint = (struct checkpoint){0};
    }
    free(path);
    return error;
}

bool checkpoint_is_there(const char *dir)
{
    char *path = out_path(dir, CHECKPOINT_NAME);
    bool found = path && access(path, F_OK) == 0;
    free(path);
    return found;
}

void checkpoint_remove(const char *dir)
{
    static const char *const names[] = {CHECKPOINT_NAME, CHECKPOINT_NAME ".tmp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = out_path(dir, names[i]);
        if (path)
            unlink(path);
        free(path);
    }
}
