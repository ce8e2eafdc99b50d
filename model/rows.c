#include "model/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/fields.h"
#include "model/memory.h"

/* With classes=N the labels are the numbers below N, whether or not a line has each. */
enum starling_error row_names_begin(struct row_names *names, const struct read_options *options,
                                    const char *advice, struct problem *problem)
{
    *names = (struct row_names){.options = options, .advice = advice};
    enum starling_error error = read_classes(options, &names->classes, problem);
    for (size_t i = 0; i < names->classes && !error; i++) {
        char text[24];
        snprintf(text, sizeof text, "%zu", i);
        if (names_add(&names->labels, text) == NAMES_NONE)
            error = problem_no_memory(problem, "the labels of a data set");
    }
    return error;
}

void row_names_clear(struct row_names *names)
{
    names_clear(&names->labels);
    names_clear(&names->users);
}

static bool is_missing(const char *text)
{
    return *text == '\0' || strcmp(text, "?") == 0;
}

enum starling_error row_names_label(struct row_names *names, const char *text, bool training,
                                    uint16_t *label, struct problem *problem)
{
    char field[FIELDS_SHOWN];
    if (is_missing(text))
        return problem_set(problem, STARLING_INVALID,
                           "the label is missing: remove the example, or %s", names->advice);
    uint32_t number = training && !names->classes ? names_add(&names->labels, text)
                                                  : names_find(&names->labels, text);
    if (number == NAMES_NONE && names->classes)
        return problem_set(problem, STARLING_INVALID,
                           "label out of range: '%s' is no number below classes=%zu",
                           fields_shown(text, field), names->classes);
    if (number == NAMES_NONE && training)
        return problem_no_memory(problem, "the labels of a data set");
    if (number == NAMES_NONE)
        return problem_set(problem, STARLING_INVALID,
                           "label out of range: '%s' is no label of %s: test examples must be of "
                           "the classes trained on",
                           fields_shown(text, field), names->options->path);
    if (number >= DATASET_CLASSES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "more than %u distinct labels, too many for classes: %s",
                           DATASET_CLASSES_MAX, names->advice);
    *label = (uint16_t)number;
    return STARLING_OK;
}

enum starling_error row_names_user(struct row_names *names, const char *text, uint32_t *user,
                                   struct problem *problem)
{
    if (is_missing(text))
        return problem_set(problem, STARLING_INVALID,
                           "the user is missing: remove the example, or give it one");
    *user = names_add(&names->users, text);
    return *user == NAMES_NONE ? problem_no_memory(problem, "the users of a data set")
                               : STARLING_OK;
}

/* The names in sorted order, then NULL; NULL when memory is out. */
static char **sorted_texts(const struct names *names, const uint32_t *place)
{
    char **sorted = calloc(names->count + 1, sizeof *sorted);
    bool complete = sorted != NULL;
    for (size_t i = 0; i < names->count && complete; i++)
        complete = (sorted[place[i]] = strdup(names->texts[i])) != NULL;
    for (size_t i = 0; i < names->count && sorted && !complete; i++)
        free(sorted[i]);
    if (!complete)
        free(sorted);
    return complete ? sorted : NULL;
}

enum starling_error row_names_settle(struct row_names *names, size_t features, struct data *data,
                                     struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    struct dataset *both[] = {&data->train, &data->test};
    uint32_t *label_place = calloc(names->labels.count + 1, sizeof *label_place);
    uint32_t *user_place = calloc(names->users.count + 1, sizeof *user_place);
    if (!label_place || !user_place || !names_order(&names->labels, label_place) ||
        !names_order(&names->users, user_place) ||
        !(data->class_names = sorted_texts(&names->labels, label_place))) {
        error = problem_no_memory(problem, "the labels of a data set");
        goto done;
    }
    for (size_t k = 0; k < 2; k++) {
        both[k]->features = features;
        both[k]->classes = names->labels.count;
        both[k]->user_count = names->users.count;
        for (size_t i = 0; i < both[k]->examples; i++) {
            both[k]->labels[i] = (uint16_t)label_place[both[k]->labels[i]];
            if (both[k]->users)
                both[k]->users[i] = user_place[both[k]->users[i]];
        }
    }
done:
    free(label_place);
    free(user_place);
    return error;
}

/* Bytes of `capacity` rows, SIZE_MAX when they cannot be told. */
static size_t bytes_of(const struct dataset *rows, size_t capacity, bool with_users)
{
    size_t row, bytes;
    if (__builtin_mul_overflow(rows->features, sizeof *rows->floats, &row) ||
        __builtin_add_overflow(row, sizeof *rows->labels, &row) ||
        __builtin_add_overflow(row, with_users ? sizeof *rows->users : 0, &row) ||
        __builtin_mul_overflow(row, capacity, &bytes))
        return SIZE_MAX;
    return bytes;
}

/* Gives the arrays of `rows` room for `capacity` rows, of which bytes_of has found the size fit. */
static bool set_capacity(struct dataset *rows, size_t capacity, bool with_users)
{
    float *floats = realloc(rows->floats, capacity * rows->features * sizeof *floats);
    if (floats)
        rows->floats = floats;
    uint16_t *labels = realloc(rows->labels, capacity * sizeof *labels);
    if (labels)
        rows->labels = labels;
    if (!floats || !labels)
        return false;
    if (!with_users)
        return true;
    uint32_t *users = realloc(rows->users, capacity * sizeof *users);
    if (users)
        rows->users = users;
    return users != NULL;
}

static bool grow(struct dataset *rows, size_t *capacity, size_t wanted, bool with_users)
{
    size_t held = bytes_of(rows, *capacity, with_users);
    size_t bytes = bytes_of(rows, wanted, with_users);
    if (bytes == SIZE_MAX || !memory_holds(bytes - held) || !set_capacity(rows, wanted, with_users))
        return false;
    *capacity = wanted;
    return true;
}

enum starling_error rows_make_room(struct dataset *rows, size_t *capacity, size_t wanted,
                                   bool with_users, const char *path, struct problem *problem)
{
    if (wanted <= *capacity)
        return STARLING_OK;
    if (wanted > DATASET_EXAMPLES_MAX)
        return problem_set(
            problem, STARLING_INVALID,
            "%s: more than %u examples: at most that many are read: take a part of it", path,
            DATASET_EXAMPLES_MAX);
    size_t twice = *capacity ? *capacity * 2 : 64;
    size_t little = *capacity + *capacity / 8; /* where memory is nearly used up */
    if (grow(rows, capacity, wanted > twice ? wanted : twice, with_users) ||
        grow(rows, capacity, wanted > little ? wanted : little, with_users))
        return STARLING_OK;
    return problem_set(
        problem, STARLING_NO_MEMORY,
        "%s: memory does not hold its %zu or more examples of %zu numbers each: take "
        "a part of the file",
        path, wanted, rows->features);
}
