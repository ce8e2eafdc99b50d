/* dataset — labelled examples in memory, as they lie, and their scaling.
 *
 * Features are kept as the file has them (bytes for pixels, floats for tables) and scaled when a
 * batch is gathered. A row is one example; rows are numbered from 0.
 */
#ifndef STARLING_DATASET_H
#define STARLING_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

/* Hard bounds at the door; a file beyond them is refused with a clear line. */
#define DATASET_EXAMPLES_MAX 100000000u
#define DATASET_FEATURES_MAX 1000000u
#define DATASET_CLASSES_MAX 10000u
#define DATASET_NO_USER UINT32_MAX
#define LABEL_NONE UINT16_MAX /* a position without a label: neither trained on nor tested */
_Static_assert(DATASET_CLASSES_MAX < LABEL_NONE, "a label is none of the classes");

enum dataset_scale {
    SCALE_AUTO,     /* pixels to 0..1, tables standardised */
    SCALE_NONE,     /* as they are */
    SCALE_STANDARD, /* (x − mean) / deviation over the training examples */
    SCALE_LOG,      /* standardised sign(x) log(1 + |x|) */
};

/* What one example looks like: all that a model must know of the data it learns from. */
struct shape {
    size_t features, classes;
    size_t height, width, channels; /* of images, features = height × width × channels; else 0 */
    size_t symbols;   /* sequences: features are numbers below it, one a position; else 0 */
    size_t positions; /* labels an example: 1, or for sequences as many as features */
};

/* Examples without any structure. */
struct shape shape_flat(size_t features, size_t classes);

struct dataset {
    size_t examples, features, classes;
    size_t height, width, channels; /* as in struct shape */
    size_t symbols;                 /* as there; `bytes` then hold numbers below it */
    size_t positions;               /* as there; 0 counts as 1 */
    uint8_t *bytes;                 /* examples × features, or NULL */
    float *floats;                  /* examples × features, or NULL; exactly one of the two is set.
                                       A missing value is NaN until dataset_fit, which fills it with the mean */
    uint16_t *labels;               /* examples × positions, each < classes, or LABEL_NONE */
    uint32_t *users; /* examples, each < user_count; NULL when the data has no users */
    size_t user_count;
    float *shift, *scale; /* features each; NULL: bytes go to x/255, floats as they are */
};

/* Training and test examples of one source; same features and classes. */
struct data {
    struct dataset train, test; /* test.examples is 0 where the source has none */
    char *name;                 /* the specification, as given */
    char **class_names; /* of each class, then NULL; NULL where they are called by number from 0 */
    char **feature_names; /* of each feature, a header's or the column's number, then NULL; NULL
                             where they are called by number from 1 */
};

/* What the caller knows and a specification may leave out. */
struct data_hints {
    uint64_t seed;
    size_t writers;             /* synth:writers without ?writers=N: how many (0: 100) */
    size_t examples_per_writer; /* 0: 600 */
    enum dataset_scale scale;
    bool agree; /* what would be standardised keeps its values instead, missing ones NaN: the
                   scaling is agreed on elsewhere and handed to dataset_gather_scaled */
};

/* Reads what `specification` names ("synth:writers", "idx:DIR", "csv:FILE?label=last&…"; see
 * docs/data.md) and scales it: the scaling is fitted to the training examples alone.
 * NULL and a problem naming file and line when anything is wrong. Freed by data_free. */
struct data *data_open(const char *specification, const struct data_hints *hints,
                       struct problem *problem);
void data_free(struct data **data);

struct shape dataset_shape(const struct dataset *dataset);
size_t dataset_positions(const struct dataset *dataset); /* at least 1 */

/* For data whose scaling is agreed on: takes the logarithms that SCALE_LOG asks for, no more. */
enum starling_error dataset_prepare(struct dataset *train, struct dataset *test,
                                    enum dataset_scale scale, struct problem *problem);

/* Allocates the arrays for the sizes already set in `dataset` (bytes when `pixels`). */
enum starling_error dataset_allocate(struct dataset *dataset, int pixels, int with_users,
                                     struct problem *problem);
void dataset_clear(struct dataset *dataset);

/* Whether examples like these are standardised, which takes the statistics of their features. */
bool dataset_standardises(const struct dataset *dataset, enum dataset_scale scale);

/* Fits the scaling of `train` and applies the same to `test`. */
enum starling_error dataset_fit(struct dataset *train, struct dataset *test,
                                enum dataset_scale scale, struct problem *problem);

/* Scaled features of `count` rows into out (count × features), labels into labels
 * (count × positions). Symbols come as they are. */
void dataset_gather(const struct dataset *dataset, const uint32_t *rows, size_t count, float *out,
                    uint16_t *labels);

/* Lets rows come from memory while something else is done, before they are gathered: those of a
 * large data set in random order are in no cache. */
void dataset_fetch(const struct dataset *dataset, const uint32_t *rows, size_t count);

/* As dataset_gather by another scaling: `scaling` holds features shifts, then features scales, and
 * a missing value becomes 0. NULL: the data's own. */
void dataset_gather_scaled(const struct dataset *dataset, const float *scaling,
                           const uint32_t *rows, size_t count, float *out, uint16_t *labels);

/* What is known of the features of some rows by adding up: the examples in which each is present,
 * the sum of its values, the sum of their squares. `sums` is SUMS × features. */
#define SUMS 3
void dataset_sums(const struct dataset *dataset, const uint32_t *rows, size_t count, double *sums);

/* Replaces what is stored by what dataset_gather gives, so that others who are handed the scaled
 * numbers hold the same examples, to the bit and the hash. */
enum starling_error dataset_bake(struct dataset *dataset, struct problem *problem);

/* A hash of one example's features and label as stored, the same for equal examples wherever they
 * lie: it decides what is held out, so that no copy of a held-out example is trained on. */
uint64_t dataset_row_hash(const struct dataset *dataset, uint32_t row);

/* Splits `rows` (count) by hash: about `fraction` of them go to `held`, the others to `kept`, both
 * arrays of `count` that the caller owns; returns how many were held. Permanent: the side of an
 * example depends on its content alone. Each `fold`, 0 to 1/fraction − 1, holds others: together
 * they hold every example once. */
size_t dataset_hold_out(const struct dataset *dataset, const uint32_t *rows, size_t count,
                        double fraction, uint32_t fold, uint32_t *kept, uint32_t *held);

/* Puts `rows` into the order of their hashes: one that content decides, equal examples together. */
enum starling_error dataset_sort_by_hash(const struct dataset *dataset, uint32_t *rows,
                                         size_t count, struct problem *problem);

#endif
