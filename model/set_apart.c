#include "model/set_apart.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/random.h"

struct hashed_row {
    uint64_t hash;
    uint32_t row;
};

static int compare_hashed(const void *a, const void *b)
{
    const struct hashed_row *left = a, *right = b;
    if (left->hash != right->hash)
        return left->hash < right->hash ? -1 : 1;
    return left->row < right->row ? -1 : left->row > right->row;
}

/* What a tenth is taken of: a user's examples, or a class's where there are no users. */
static uint32_t share_of(const struct dataset *dataset, uint32_t row)
{
    if (dataset->users)
        return dataset->users[row];
    return dataset_positions(dataset) == 1 ? dataset->labels[row] : 0;
}

static size_t share_count(const struct dataset *dataset)
{
    if (dataset->users)
        return dataset->user_count;
    return dataset_positions(dataset) == 1 ? dataset->classes : 1;
}

/* The rows in an order that `seed` and their content decide, equal ones side by side. */
static struct hashed_row *sort_by_hash(const struct dataset *dataset, uint64_t seed)
{
    struct hashed_row *sorted = malloc(dataset->examples * sizeof *sorted);
    if (!sorted)
        return NULL;
    struct random random = random_stream(seed, 0, RANDOM_SPLIT, 0);
    uint64_t key = random_u64(&random), factor = random_u64(&random) | 1;
    for (size_t i = 0; i < dataset->examples; i++) {
        uint64_t hash = (dataset_row_hash(dataset, (uint32_t)i) ^ key) * factor;
        sorted[i] = (struct hashed_row){.hash = hash ^ hash >> 29, .row = (uint32_t)i};
    }
    qsort(sorted, dataset->examples, sizeof *sorted, compare_hashed);
    return sorted;
}

/* Takes what a group of equal rows needs from the quotas of their shares; gives it back when one of
 * them falls short. */
static bool take_group(const struct dataset *dataset, const struct hashed_row *group, size_t count,
                       size_t *quota)
{
    for (size_t i = 0; i < count; i++) {
        size_t *left = &quota[share_of(dataset, group[i].row)];
        if (*left == 0) {
            while (i-- > 0)
                quota[share_of(dataset, group[i].row)]++;
            return false;
        }
        --*left;
    }
    return true;
}

/* Marks the rows to set apart and returns how many they are. */
static size_t choose(const struct dataset *dataset, const struct hashed_row *sorted, size_t *quota,
                     bool *apart)
{
    size_t shares = share_count(dataset), chosen = 0;
    for (size_t i = 0; i < dataset->examples; i++)
        quota[share_of(dataset, (uint32_t)i)]++;
    for (size_t i = 0; i < shares; i++)
        quota[i] = (quota[i] + 5) / 10;
    size_t next;
    for (size_t i = 0; i < dataset->examples; i = next) {
        for (next = i + 1; next < dataset->examples && sorted[next].hash == sorted[i].hash; next++)
            ;
        if (!take_group(dataset, &sorted[i], next - i, quota))
            continue;
        for (size_t j = i; j < next; j++)
            apart[sorted[j].row] = true;
        chosen += next - i;
    }
    return chosen;
}

static void copy_row(struct dataset *to, size_t to_row, const struct dataset *from, size_t row)
{
    size_t features = from->features, positions = dataset_positions(from);
    if (from->bytes)
        memmove(to->bytes + to_row * features, from->bytes + row * features, features);
    else
        memmove(to->floats + to_row * features, from->floats + row * features,
                features * sizeof *from->floats);
    memmove(to->labels + to_row * positions, from->labels + row * positions,
            positions * sizeof *from->labels);
    if (from->users)
        to->users[to_row] = from->users[row];
}

static void move_rows(struct dataset *train, struct dataset *test, const bool *apart)
{
    size_t kept = 0, moved = 0;
    for (size_t i = 0; i < train->examples; i++) {
        if (apart[i])
            copy_row(test, moved++, train, i);
        else
            copy_row(train, kept++, train, i);
    }
    train->examples = kept;
}

enum starling_error dataset_set_apart(struct dataset *train, struct dataset *test, uint64_t seed,
                                      struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    struct hashed_row *sorted = sort_by_hash(train, seed);
    size_t *quota = calloc(share_count(train) + 1, sizeof *quota);
    bool *apart = calloc(train->examples + 1, sizeof *apart);
    if (!sorted || !quota || !apart) {
        error = problem_no_memory(problem, "setting test examples apart");
        goto done;
    }
    *test = (struct dataset){.features = train->features,
                             .classes = train->classes,
                             .height = train->height,
                             .width = train->width,
                             .channels = train->channels,
                             .symbols = train->symbols,
                             .positions = train->positions,
                             .user_count = train->user_count};
    test->examples = choose(train, sorted, quota, apart);
    if (test->examples == 0)
        goto done;
    error = dataset_allocate(test, train->bytes != NULL, train->users != NULL, problem);
    if (!error)
        move_rows(train, test, apart);
done:
    free(sorted);
    free(quota);
    free(apart);
    return error;
}
