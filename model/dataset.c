#include "model/dataset.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/vector.h"

#define AHEAD 3               /* rows, */
#define FETCHED 4096          /* bytes of each at most; the processor goes on by itself */
#define LINE 64               /* of a cache */
#define DEVIATION_LEAST 1e-30 /* below it a feature counts as constant: 1/x must be a float */

struct shape shape_flat(size_t features, size_t classes)
{
    return (struct shape){.features = features, .classes = classes, .positions = 1};
}

size_t dataset_positions(const struct dataset *dataset)
{
    return dataset->positions ? dataset->positions : 1;
}

struct shape dataset_shape(const struct dataset *dataset)
{
    return (struct shape){.features = dataset->features,
                          .classes = dataset->classes,
                          .height = dataset->height,
                          .width = dataset->width,
                          .channels = dataset->channels,
                          .symbols = dataset->symbols,
                          .positions = dataset_positions(dataset)};
}

enum starling_error dataset_allocate(struct dataset *dataset, int pixels, int with_users,
                                     struct problem *problem)
{
    size_t examples = dataset->examples, values, positions = dataset_positions(dataset), labelled;
    size_t width = pixels ? sizeof *dataset->bytes : sizeof *dataset->floats;
    if (examples > DATASET_EXAMPLES_MAX || dataset->features > DATASET_FEATURES_MAX)
        return problem_set(
            problem, STARLING_INVALID,
            "%zu examples of %zu features: at most %u of %u are taken: use less data", examples,
            dataset->features, DATASET_EXAMPLES_MAX, DATASET_FEATURES_MAX);
    if (__builtin_mul_overflow(examples, dataset->features, &values) ||
        __builtin_mul_overflow(values, width, &values) ||
        __builtin_mul_overflow(examples + 1, positions * sizeof(uint16_t), &labelled))
        return problem_no_memory(problem, "a data set");
    void *features = malloc(values ? values : 1);
    uint16_t *labels = malloc(labelled);
    uint32_t *users = with_users ? malloc((examples + 1) * sizeof *users) : NULL;
    if (!features || !labels || (with_users && !users)) {
        free(features);
        free(labels);
        free(users);
        return problem_no_memory(problem, "a data set");
    }
    dataset->bytes = pixels ? features : NULL;
    dataset->floats = pixels ? NULL : features;
    dataset->labels = labels;
    dataset->users = users;
    return STARLING_OK;
}

void dataset_clear(struct dataset *dataset)
{
    free(dataset->bytes);
    free(dataset->floats);
    free(dataset->labels);
    free(dataset->users);
    free(dataset->shift);
    free(dataset->scale);
    *dataset = (struct dataset){0};
}

/* Turns bytes into floats of the same value, for a scaling that bytes cannot hold. */
static enum starling_error widen(struct dataset *dataset, struct problem *problem)
{
    if (!dataset->bytes)
        return STARLING_OK;
    size_t count = dataset->examples * dataset->features;
    if (count > SIZE_MAX / sizeof *dataset->floats)
        return problem_no_memory(problem, "a data set");
    float *floats = malloc(count ? count * sizeof *floats : 1);
    if (!floats)
        return problem_no_memory(problem, "a data set");
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)dataset->bytes[i];
    free(dataset->bytes);
    dataset->bytes = NULL;
    dataset->floats = floats;
    return STARLING_OK;
}

static void take_logarithms(struct dataset *dataset)
{
    size_t count = dataset->examples * dataset->features;
    for (size_t i = 0; i < count; i++) {
        float value = dataset->floats[i];
        dataset->floats[i] = copysignf(log1pf(fabsf(value)), value);
    }
}

/* What the examples say about each feature, missing values left out. */
struct moments {
    double *mean, *deviation; /* features each; deviation 0 where the feature is constant */
    size_t *present;          /* examples in which it is not missing */
};

static bool moments_new(struct moments *moments, size_t features)
{
    moments->mean = calloc(features, sizeof *moments->mean);
    moments->deviation = calloc(features, sizeof *moments->deviation);
    moments->present = calloc(features, sizeof *moments->present);
    return moments->mean && moments->deviation && moments->present;
}

static void moments_free(struct moments *moments)
{
    free(moments->mean);
    free(moments->deviation);
    free(moments->present);
}

static double stored_value(const struct dataset *dataset, size_t index)
{
    return dataset->bytes ? (double)dataset->bytes[index] : (double)dataset->floats[index];
}

/* A running mean, which is exact where a feature is constant. */
static void measure_means(const struct dataset *dataset, struct moments *moments)
{
    for (size_t i = 0, at = 0; i < dataset->examples; i++) {
        for (size_t f = 0; f < dataset->features; f++, at++) {
            double value = stored_value(dataset, at);
            if (!isnan(value))
                moments->mean[f] += (value - moments->mean[f]) / (double)++moments->present[f];
        }
    }
}

/* A pass of its own: the sum of squares in one loses everything where the mean is far from zero. */
static void measure_deviations(const struct dataset *dataset, struct moments *moments)
{
    for (size_t i = 0, at = 0; i < dataset->examples; i++) {
        for (size_t f = 0; f < dataset->features; f++, at++) {
            double apart = stored_value(dataset, at) - moments->mean[f];
            if (!isnan(apart))
                moments->deviation[f] += apart * apart;
        }
    }
    for (size_t f = 0; f < dataset->features; f++) {
        double present = moments->present[f] ? (double)moments->present[f] : 1.0;
        double deviation = sqrt(moments->deviation[f] / present);
        moments->deviation[f] = deviation > DEVIATION_LEAST ? deviation : 0;
    }
}

/* A feature that no training example has tells nothing: a test example's value of it would only
 * meet weights that were never trained, and becomes 0 too. */
static void fill_missing(struct dataset *dataset, const struct moments *moments)
{
    for (size_t i = 0, at = 0; i < dataset->examples && dataset->floats; i++)
        for (size_t f = 0; f < dataset->features; f++, at++)
            if (isnan(dataset->floats[at]) || !moments->present[f])
                dataset->floats[at] = (float)moments->mean[f];
}

static enum starling_error set_scaling(struct dataset *dataset, const struct moments *moments,
                                       bool standardise, struct problem *problem)
{
    free(dataset->shift);
    free(dataset->scale);
    dataset->shift = malloc(dataset->features * sizeof *dataset->shift);
    dataset->scale = malloc(dataset->features * sizeof *dataset->scale);
    if (!dataset->shift || !dataset->scale)
        return problem_no_memory(problem, "the scaling of a data set");
    for (size_t f = 0; f < dataset->features; f++) {
        double deviation = moments->deviation[f];
        dataset->shift[f] = standardise ? (float)moments->mean[f] : 0.0f;
        dataset->scale[f] = !standardise ? 1.0f : deviation > 0 ? (float)(1.0 / deviation) : 0.0f;
    }
    return STARLING_OK;
}

bool dataset_standardises(const struct dataset *dataset, enum dataset_scale scale)
{
    return !dataset->symbols && scale != SCALE_NONE && (scale != SCALE_AUTO || !dataset->bytes);
}

enum starling_error dataset_prepare(struct dataset *train, struct dataset *test,
                                    enum dataset_scale scale, struct problem *problem)
{
    struct dataset *both[] = {train, test};
    for (size_t i = 0; i < 2 && scale == SCALE_LOG; i++) {
        enum starling_error error = widen(both[i], problem);
        if (error)
            return error;
        take_logarithms(both[i]);
    }
    return STARLING_OK;
}

enum starling_error dataset_fit(struct dataset *train, struct dataset *test,
                                enum dataset_scale scale, struct problem *problem)
{
    if (train->symbols || (scale == SCALE_AUTO && train->bytes))
        return STARLING_OK;
    enum starling_error error = STARLING_OK;
    struct moments moments = {0};
    if (!moments_new(&moments, train->features)) {
        error = problem_no_memory(problem, "the scaling of a data set");
        goto done;
    }
    struct dataset *both[] = {train, test};
    error = dataset_prepare(train, test, scale, problem);
    if (error)
        goto done;
    measure_means(train, &moments);
    measure_deviations(train, &moments);
    bool standardise = scale != SCALE_NONE;
    for (size_t i = 0; i < 2 && !error; i++) {
        fill_missing(both[i], &moments);
        /* Floats as they are need no scaling; bytes do, for without one they mean x/255. */
        if (standardise || both[i]->bytes)
            error = set_scaling(both[i], &moments, standardise, problem);
    }
done:
    moments_free(&moments);
    return error;
}

/* Inside its caller: of a call, gcc sees no effect and drops it. */
static inline __attribute__((always_inline)) void fetch_row(const struct dataset *dataset,
                                                            uint32_t row)
{
    size_t width = dataset->bytes ? sizeof *dataset->bytes : sizeof *dataset->floats;
    size_t bytes = dataset->features * width, most = bytes < FETCHED ? bytes : FETCHED;
    const char *from =
        dataset->bytes ? (const char *)dataset->bytes : (const char *)dataset->floats;
    for (size_t at = 0; at < most; at += LINE)
        __builtin_prefetch(from + row * bytes + at, 0, 2);
    __builtin_prefetch(dataset->labels + row * dataset_positions(dataset), 0, 2);
}

void dataset_fetch(const struct dataset *dataset, const uint32_t *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fetch_row(dataset, rows[i]);
}

void dataset_gather(const struct dataset *dataset, const uint32_t *rows, size_t count, float *out,
                    uint16_t *labels)
{
    size_t features = dataset->features, positions = dataset_positions(dataset);
    for (size_t i = 0; i < count; i++, out += features) {
        if (i + AHEAD < count)
            fetch_row(dataset, rows[i + AHEAD]);
        size_t start = rows[i] * features;
        memcpy(labels + i * positions, dataset->labels + rows[i] * positions,
               positions * sizeof *labels);
        if (dataset->symbols) {
            for (size_t f = 0; f < features; f++)
                out[f] = (float)dataset->bytes[start + f];
        } else if (dataset->bytes && !dataset->scale) {
            vector_from_bytes(out, dataset->bytes + start, features);
        } else if (dataset->bytes) {
            for (size_t f = 0; f < features; f++)
                out[f] = ((float)dataset->bytes[start + f] - dataset->shift[f]) * dataset->scale[f];
        } else if (dataset->scale) {
            vector_standardise(out, dataset->floats + start, dataset->shift, dataset->scale,
                               features);
        } else {
            memcpy(out, dataset->floats + start, features * sizeof *out);
        }
    }
}

void dataset_gather_scaled(const struct dataset *dataset, const float *scaling,
                           const uint32_t *rows, size_t count, float *out, uint16_t *labels)
{
    dataset_gather(dataset, rows, count, out, labels);
    size_t features = dataset->features;
    const float *shift = scaling, *scale = scaling ? scaling + features : NULL;
    for (size_t i = 0; scaling && i < count; i++) {
        /* bytes come divided by 255 */
        float *row = out + i * features, unit = dataset->bytes && !dataset->scale ? 255.0f : 1.0f;
        for (size_t f = 0; f < features; f++)
            row[f] = isnan(row[f]) ? 0.0f : (unit * row[f] - shift[f]) * scale[f];
    }
}

void dataset_sums(const struct dataset *dataset, const uint32_t *rows, size_t count, double *sums)
{
    size_t features = dataset->features;
    double *counts = sums, *values = sums + features, *squares = sums + 2 * features;
    memset(sums, 0, SUMS * features * sizeof *sums);
    for (size_t i = 0; i < count; i++)
        for (size_t f = 0; f < features; f++) {
            double value = stored_value(dataset, rows[i] * features + f);
            if (isnan(value))
                continue;
            counts[f]++;
            values[f] += value;
            squares[f] += value * value;
        }
}

/* One step of the hash below: a bijection of `hash` for each word, so that no two examples that
 * differ in one word agree. The factor is 2^64 over the golden ratio, odd. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, size_t count)
{
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        hash = mix(hash, word);
    }
    uint64_t word = 0;
    memcpy(&word, bytes, count);
    return mix(hash, word);
}

static uint64_t hash_floats(uint64_t hash, const float *floats, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = 0x7fc00000u; /* every NaN is the same, and so are both zeros */
        float value = floats[i] + 0.0f;
        if (!isnan(value))
            memcpy(&bits, &value, sizeof bits);
        hash = mix(hash, bits);
    }
    return hash;
}

uint64_t dataset_row_hash(const struct dataset *dataset, uint32_t row)
{
    size_t features = dataset->features, start = row * features;
    size_t positions = dataset_positions(dataset);
    uint64_t hash = features;
    for (size_t p = 0; p < positions; p++)
        hash = mix(hash, dataset->labels[row * positions + p]);
    hash = dataset->bytes ? hash_bytes(hash, dataset->bytes + start, features)
                          : hash_floats(hash, dataset->floats + start, features);
    /* The finaliser of MurmurHash3 (Appleby 2011): every bit of the content reaches every bit. */
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 33;
}

size_t dataset_hold_out(const struct dataset *dataset, const uint32_t *rows, size_t count,
                        double fraction, uint32_t fold, uint32_t *kept, uint32_t *held)
{
    size_t held_count = 0, kept_count = 0;
    double from = fraction * fold, to = fraction * ((double)fold + 1);
    for (size_t i = 0; i < count; i++) {
        double place = (double)(dataset_row_hash(dataset, rows[i]) >> 11) * 0x1p-53;
        if (place >= from && place < to)
            held[held_count++] = rows[i];
        else
            kept[kept_count++] = rows[i];
    }
    return held_count;
}

struct hashed {
    uint64_t hash;
    uint32_t row;
};

static int by_hash(const void *a, const void *b)
{
    const struct hashed *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return (left->row > right->row) - (left->row < right->row);
}

enum starling_error dataset_sort_by_hash(const struct dataset *dataset, uint32_t *rows,
                                         size_t count, struct problem *problem)
{
    struct hashed *sorted = malloc((count + 1) * sizeof *sorted);
    if (!sorted)
        return problem_no_memory(problem, "the order of examples");
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct hashed){dataset_row_hash(dataset, rows[i]), rows[i]};
    qsort(sorted, count, sizeof *sorted, by_hash);
    for (size_t i = 0; i < count; i++)
        rows[i] = sorted[i].row;
    free(sorted);
    return STARLING_OK;
}

enum starling_error dataset_bake(struct dataset *dataset, struct problem *problem)
{
    if (dataset->symbols || (!dataset->shift && dataset->floats))
        return STARLING_OK;
    size_t values;
    if (__builtin_mul_overflow(dataset->examples, dataset->features, &values))
        return problem_no_memory(problem, "a data set");
    float *floats = calloc(values + 1, sizeof *floats);
    if (!floats)
        return problem_no_memory(problem, "a data set");
    for (uint32_t row = 0; row < dataset->examples; row++) {
        uint16_t label; /* only data without symbols gets here: one label an example */
        dataset_gather(dataset, &row, 1, floats + row * dataset->features, &label);
    }
    free(dataset->bytes);
    free(dataset->floats);
    free(dataset->shift);
    free(dataset->scale);
    dataset->bytes = NULL;
    dataset->shift = dataset->scale = NULL;
    dataset->floats = floats;
    return STARLING_OK;
}
