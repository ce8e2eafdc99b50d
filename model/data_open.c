#include "model/dataset.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/nearest.h"
#include "model/read.h"

#define OPTIONS_MAX 6

/* The readers, a line each, with the options each understands. */
static const struct reader {
    const char *kind;
    read_function *read;
    const char *options[OPTIONS_MAX];
} readers[] = {
    {"synth", read_synthetic, {"writers"}},
    {"idx", read_idx, {"classes"}},
    {"csv", read_csv, {"label", "user", "ignore", "test", "classes", "shape"}},
    {"libsvm", read_libsvm, {"test", "features", "classes", "shape"}},
    {"leaf", read_leaf, {"classes", "shape"}},
    {"text", read_text, {"by", "length", "test", "alphabet", "windows"}},
};

#define READER_COUNT (sizeof readers / sizeof readers[0])

/* Cuts `text` at the first `mark` and returns what follows it, NULL when there is none. */
static char *cut(char *text, char mark)
{
    char *at = strchr(text, mark);
    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

/* Appends `word` to a list in `out`, behind a comma where it is not the first. */
static void list_add(char *out, size_t size, const char *word, const char *behind)
{
    assert(strlen(out) + strlen(word) + strlen(behind) + 3 <= size);
    if (*out)
        strcat(out, ", ");
    strcat(strcat(out, word), behind);
}

static enum starling_error unknown_option(const char *specification, const struct reader *reader,
                                          const char *option, struct problem *problem)
{
    size_t count = 0;
    char list[128] = "";
    for (; count < OPTIONS_MAX && reader->options[count]; count++)
        list_add(list, sizeof list, reader->options[count], "");
    if (count == 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: unknown option '%s': %s: takes none, leave it out", specification,
                           option, reader->kind);
    const char *near = nearest_word(option, reader->options, count);
    if (near)
        return problem_set(problem, STARLING_INVALID, "%s: unknown option '%s': did you mean '%s'?",
                           specification, option, near);
    return problem_set(problem, STARLING_INVALID, "%s: unknown option '%s': %s: takes %s",
                       specification, option, reader->kind, list);
}

static const char **option_place(struct read_options *options, const char *key)
{
    const struct {
        const char *key, **place;
    } places[] = {
        {"label", &options->label},
        {"user", &options->user},
        {"ignore", &options->ignore},
        {"test", &options->test},
        {"writers", &options->writers},
        {"features", &options->features},
        {"shape", &options->shape},
        {"classes", &options->classes},
        {"by", &options->by},
        {"length", &options->length},
        {"alphabet", &options->alphabet},
        {"windows", &options->windows},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (strcmp(places[i].key, key) == 0)
            return places[i].place;
    return NULL;
}

enum starling_error read_option_number(const struct read_options *options, const char *key,
                                       const char *text, size_t least, size_t most, size_t *number,
                                       struct problem *problem)
{
    char *end = NULL;
    if (!text)
        return STARLING_OK;
    unsigned long value = strtoul(text, &end, 10);
    if (*end || text[0] < '0' || text[0] > '9' || value < least || value > most)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %s=%s: a number from %zu to %zu is wanted", options->path, key,
                           text, least, most);
    *number = value;
    return STARLING_OK;
}

enum starling_error read_classes(const struct read_options *options, size_t *classes,
                                 struct problem *problem)
{
    *classes = 0;
    return read_option_number(options, "classes", options->classes, 2, DATASET_CLASSES_MAX, classes,
                              problem);
}

static bool reader_takes(const struct reader *reader, const char *option)
{
    for (size_t i = 0; i < OPTIONS_MAX && reader->options[i]; i++)
        if (strcmp(reader->options[i], option) == 0)
            return true;
    return false;
}

/* Takes "key=value&…" apart in place; `text` may be NULL. */
static enum starling_error parse_options(const char *specification, const struct reader *reader,
                                         char *text, struct read_options *options,
                                         struct problem *problem)
{
    for (char *next; text; text = next) {
        next = cut(text, '&');
        char *value = cut(text, '=');
        if (!reader_takes(reader, text))
            return unknown_option(specification, reader, text, problem);
        if (!value || !*value)
            return problem_set(problem, STARLING_INVALID, "%s: no value for '%s': write %s=VALUE",
                               specification, text, text);
        const char **place = option_place(options, text);
        assert(place);
        if (*place)
            return problem_set(problem, STARLING_INVALID, "%s: '%s' is given twice: once is enough",
                               specification, text);
        *place = value;
    }
    return STARLING_OK;
}

static const struct reader *find_reader(const char *kind)
{
    for (size_t i = 0; i < READER_COUNT; i++)
        if (strcmp(readers[i].kind, kind) == 0)
            return &readers[i];
    return NULL;
}

static enum starling_error unknown_kind(const char *specification, const char *kind,
                                        struct problem *problem)
{
    const char *kinds[READER_COUNT];
    char list[128] = "";
    for (size_t i = 0; i < READER_COUNT; i++) {
        kinds[i] = readers[i].kind;
        list_add(list, sizeof list, kinds[i], ":");
    }
    const char *near = nearest_word(kind, kinds, READER_COUNT);
    return problem_set(problem, STARLING_INVALID,
                       "%s: no kind of data that is known: it begins with one of %s%s%s%s",
                       specification, list, near ? "; did you mean " : "", near ? near : "",
                       near ? ":?" : "");
}

/* Reads "28x28" or "32x32x3" into sizes, the channels 1 where they are left out; false when it is
 * neither. */
static bool parse_shape(const char *text, size_t sizes[3])
{
    size_t count = 0;
    sizes[2] = 1;
    for (;; text++) {
        char *end;
        if (count == 3 || *text < '0' || *text > '9')
            return false;
        sizes[count] = strtoul(text, &end, 10);
        if (sizes[count] < 1 || sizes[count++] > DATASET_FEATURES_MAX)
            return false;
        text = end;
        if (*text != 'x')
            return *text == '\0' && count >= 2;
    }
}

/* Gives every example the height, width and channels of shape=HxW or HxWxC. */
static enum starling_error give_shape(const struct read_options *options, struct data *data,
                                      struct problem *problem)
{
    size_t sizes[3];
    struct dataset *both[] = {&data->train, &data->test};
    if (!options->shape)
        return STARLING_OK;
    if (!parse_shape(options->shape, sizes))
        return problem_set(problem, STARLING_INVALID,
                           "%s: shape=%s: write HEIGHTxWIDTH or HEIGHTxWIDTHxCHANNELS, for example "
                           "28x28 or 32x32x3",
                           options->path, options->shape);
    /* Three times at most a million: no overflow. */
    if (sizes[0] * sizes[1] * sizes[2] != data->train.features)
        return problem_set(problem, STARLING_INVALID,
                           "%s: shape=%s: is %zu numbers, but an example has %zu: write a height, "
                           "width and channels whose product that is",
                           options->path, options->shape, sizes[0] * sizes[1] * sizes[2],
                           data->train.features);
    for (size_t i = 0; i < 2; i++) {
        both[i]->height = sizes[0];
        both[i]->width = sizes[1];
        both[i]->channels = sizes[2];
    }
    return STARLING_OK;
}

static enum starling_error read_specification(const char *specification, char *copy,
                                              const struct data_hints *hints, struct data *data,
                                              struct problem *problem)
{
    struct read_options options = {0};
    char *rest = cut(copy, ':');
    const struct reader *reader = rest ? find_reader(copy) : NULL;
    if (!reader)
        return unknown_kind(specification, copy, problem);
    enum starling_error error =
        parse_options(specification, reader, cut(rest, '?'), &options, problem);
    if (error)
        return error;
    options.path = rest;
    if (*rest == '\0')
        return problem_set(problem, STARLING_INVALID,
                           "%s: names nothing: write what follows %s:", specification,
                           reader->kind);
    error = reader->read(&options, hints, data, problem);
    if (!error)
        error = give_shape(&options, data, problem);
    if (error)
        return error;
    if (data->train.classes < 2)
        return problem_set(
            problem, STARLING_INVALID,
            "%s: every training example has the same label: there is nothing to learn",
            specification);
    if (hints->agree && dataset_standardises(&data->train, hints->scale))
        return dataset_prepare(&data->train, &data->test, hints->scale, problem);
    return dataset_fit(&data->train, &data->test, hints->scale, problem);
}

struct data *data_open(const char *specification, const struct data_hints *hints,
                       struct problem *problem)
{
    struct data *data = calloc(1, sizeof *data);
    char *copy = strdup(specification);
    if (!data || !(data->name = strdup(specification)) || !copy) {
        problem_no_memory(problem, "a data set");
        goto fail;
    }
    if (read_specification(specification, copy, hints, data, problem))
        goto fail;
    free(copy);
    return data;
fail:
    free(copy);
    data_free(&data);
    return NULL;
}

static void free_texts(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        free(texts[i]);
    free(texts);
}

void data_free(struct data **data)
{
    if (!*data)
        return;
    free_texts((*data)->class_names);
    free_texts((*data)->feature_names);
    dataset_clear(&(*data)->train);
    dataset_clear(&(*data)->test);
    free((*data)->name);
    free(*data);
    *data = NULL;
}
