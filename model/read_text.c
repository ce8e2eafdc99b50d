#include "model/read.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/memory.h"
#include "model/source.h"
#include "model/speeches.h"

#define BYTE_VALUES 256
#define LENGTH_DEFAULT 64
#define LENGTH_MAX 4096
#define READ_STEP ((size_t)1 << 20)
#define NO_SYMBOL UINT16_MAX

struct text {
    uint8_t *bytes;
    size_t count;
};

static enum starling_error too_large(const char *path, size_t count, struct problem *problem)
{
    return problem_set(problem, STARLING_NO_MEMORY,
                       "%s: more than %zu MB of text, and memory holds no more: use less text",
                       path, count >> 20);
}

/* Room for some more. */
static bool text_grow(struct text *text, size_t *capacity)
{
    size_t more = *capacity / 2 > READ_STEP ? *capacity / 2 : READ_STEP;
    if (*capacity > SIZE_MAX / 4 || !memory_holds(more))
        return false;
    uint8_t *bytes = realloc(text->bytes, *capacity + more);
    if (!bytes)
        return false;
    text->bytes = bytes;
    *capacity += more;
    return true;
}

static enum starling_error read_whole(struct text *text, const char *path, struct problem *problem)
{
    struct source *source;
    size_t capacity = 0, got = 0;
    enum starling_error error = source_open(&source, path, problem);
    while (!error) {
        if (text->count == capacity && !text_grow(text, &capacity)) {
            error = too_large(path, text->count, problem);
            break;
        }
        error =
            source_bytes(source, text->bytes + text->count, capacity - text->count, &got, problem);
        text->count += got;
        if (got == 0)
            break;
    }
    source_close(&source);
    return error;
}

/* The number of each byte that occurs, from 0 in byte order; of the others NO_SYMBOL. */
struct alphabet {
    uint16_t symbols[BYTE_VALUES];
    size_t count;
};

static void alphabet_make(struct alphabet *alphabet, const struct text *first,
                          const struct text *second)
{
    bool occurs[BYTE_VALUES] = {0};
    for (size_t i = 0; i < first->count; i++)
        occurs[first->bytes[i]] = true;
    for (size_t i = 0; i < second->count; i++)
        occurs[second->bytes[i]] = true;
    alphabet->count = 0;
    for (size_t b = 0; b < BYTE_VALUES; b++)
        alphabet->symbols[b] = occurs[b] ? (uint16_t)alphabet->count++ : NO_SYMBOL;
}

/* Refuses a byte that is not in the alphabet. */
static enum starling_error check(const struct alphabet *alphabet, const char *path,
                                 const struct text *text, struct problem *problem)
{
    size_t line = 1;
    for (size_t i = 0; i < text->count; i++) {
        if (alphabet->symbols[text->bytes[i]] == NO_SYMBOL)
            return problem_set(problem, STARLING_INVALID,
                               "%s:%zu: byte 0x%02x does not occur in alphabet=FILE: name a text "
                               "that holds it",
                               path, line, text->bytes[i]);
        line += text->bytes[i] == '\n';
    }
    return STARLING_OK;
}

/* Bytes become symbols, in place. */
static void to_symbols(const struct alphabet *alphabet, struct text *text)
{
    for (size_t i = 0; i < text->count; i++)
        text->bytes[i] = (uint8_t)alphabet->symbols[text->bytes[i]];
}

/* Calls each class by its character, or by its number where that cannot be printed. */
static enum starling_error name_symbols(const struct alphabet *alphabet, struct data *data,
                                        struct problem *problem)
{
    data->class_names = calloc(alphabet->count + 1, sizeof *data->class_names);
    bool complete = data->class_names != NULL;
    for (unsigned byte = 0; byte < BYTE_VALUES && complete; byte++) {
        char name[8];
        size_t symbol = alphabet->symbols[byte];
        if (symbol == NO_SYMBOL)
            continue;
        if (byte > ' ' && byte <= '~')
            snprintf(name, sizeof name, "%c", (int)byte);
        else if (byte == ' ' || byte == '\n')
            strcpy(name, byte == ' ' ? "' '" : "\\n");
        else
            snprintf(name, sizeof name, "0x%02x", byte);
        complete = (data->class_names[symbol] = strdup(name)) != NULL;
    }
    return complete ? STARLING_OK : problem_no_memory(problem, "a text's symbols");
}

/* Windows of `length` that cover a text, each `step` behind the one before it, the last one as far
 * back as it takes to be whole; behind a window comes the label of its last character. */
static size_t windows_of(size_t count, size_t length, size_t step)
{
    if (count < length + 1)
        return 0;
    return 1 + (count - length - 1 + step - 1) / step;
}

/* Appends those windows of `text` to `rows`, which has room for them. `whole`: a position is
 * labelled in every window that it lies in, else only where it has most behind it to go by. */
static void cut_windows(struct dataset *rows, const uint8_t *text, size_t count, size_t step,
                        bool whole, uint32_t user)
{
    size_t length = rows->features, windows = windows_of(count, length, step), done = 0;
    for (size_t w = 0; w < windows; w++, rows->examples++) {
        size_t last = count - length - 1, start = w * step < last ? w * step : last;
        uint16_t *labels = rows->labels + rows->examples * length;
        memcpy(rows->bytes + rows->examples * length, text + start, length);
        for (size_t p = 0; p < length; p++)
            labels[p] = whole || start + p >= done ? text[start + p + 1] : LABEL_NONE;
        done = start + length;
        if (rows->users)
            rows->users[rows->examples] = user;
    }
}

/* Makes room for `examples` windows of `length` symbols. */
static enum starling_error make_room(struct dataset *rows, size_t examples, size_t length,
                                     size_t symbols, bool with_users, const char *path,
                                     struct problem *problem)
{
    size_t bytes;
    *rows = (struct dataset){.examples = examples,
                             .features = length,
                             .positions = length,
                             .symbols = symbols,
                             .classes = symbols};
    if (__builtin_mul_overflow(examples, length * (1 + sizeof *rows->labels), &bytes) ||
        !memory_holds(bytes))
        return too_large(path, examples * length, problem);
    enum starling_error error = dataset_allocate(rows, 1, with_users, problem);
    rows->examples = 0;
    return error;
}

/* What read_text is asked for. */
struct request {
    const struct read_options *options;
    size_t length; /* of a window */
    size_t step;   /* from one training window to the next */
    bool by_speaker;
};

static enum starling_error understand(const struct read_options *options, struct request *request,
                                      struct problem *problem)
{
    *request = (struct request){.options = options, .length = LENGTH_DEFAULT};
    enum starling_error error = read_option_number(options, "length", options->length, 2,
                                                   LENGTH_MAX, &request->length, problem);
    request->step = request->length;
    if (!error && options->by && strcmp(options->by, "speaker") != 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: by=%.32s: a text is parted by=speaker or not at all", options->path,
                           options->by);
    request->by_speaker = options->by != NULL;
    if (!error && options->windows && strcmp(options->windows, "apart") != 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: windows=%.32s: a text is one piece unless it is windows=apart",
                           options->path, options->windows);
    if (options->windows)
        request->step++;
    if (!error && options->windows && options->by)
        return problem_set(problem, STARLING_INVALID,
                           "%s: windows=apart and by=speaker: windows apart have no speakers: "
                           "leave one out",
                           options->path);
    return error;
}

/* The texts as they are read, until they are cut. */
struct texts {
    struct text train, test;
    const char *test_path;
    struct alphabet alphabet;
    struct speaker *speakers; /* of the training text: one where speakers are not told apart */
    size_t speaker_count;
};

/* Cuts the training text, by its speakers or as a whole. */
static enum starling_error cut_training(const struct request *request, const struct texts *texts,
                                        struct dataset *rows, struct problem *problem)
{
    const struct text *text = &texts->train;
    const char *path = request->options->path;
    size_t examples = 0, users = 0;
    for (size_t s = 0; s < texts->speaker_count; s++) {
        size_t windows = windows_of(texts->speakers[s].count, request->length, request->step);
        examples += windows;
        users += windows > 0;
    }
    if (examples == 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: no %s of %zu characters to train on: give a smaller length=N", path,
                           request->by_speaker ? "speaker" : "text", request->length + 1);
    if (request->options->windows && text->count % request->step != 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %zu bytes are no whole windows of %zu: give the length=N that it "
                           "was written with",
                           path, text->count, request->step);
    enum starling_error error = make_room(rows, examples, request->length, texts->alphabet.count,
                                          request->by_speaker, path, problem);
    rows->user_count = request->by_speaker ? users : 0;
    for (size_t s = 0; s < texts->speaker_count && !error; s++)
        cut_windows(rows, text->bytes + texts->speakers[s].start, texts->speakers[s].count,
                    request->step, true, (uint32_t)s);
    return error;
}

static enum starling_error cut_test(const struct request *request, const struct texts *texts,
                                    struct data *data, struct problem *problem)
{
    const struct text *text = &texts->test;
    const char *path = texts->test_path;
    size_t step = request->length - request->length / 2;
    size_t examples = windows_of(text->count, request->length, step);
    if (examples == 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %zu characters to test on, less than a window and the next one: "
                           "give a smaller length=N, or test=none",
                           path, text->count);
    enum starling_error error = make_room(&data->test, examples, request->length,
                                          texts->alphabet.count, false, path, problem);
    data->test.user_count = data->train.user_count;
    if (!error)
        cut_windows(&data->test, text->bytes, text->count, step, false, 0);
    return error;
}

static enum starling_error read_alphabet(const struct read_options *options, struct texts *texts,
                                         struct problem *problem)
{
    if (!options->alphabet) {
        alphabet_make(&texts->alphabet, &texts->train, &texts->test);
        return STARLING_OK;
    }
    struct text text = {0};
    enum starling_error error = read_whole(&text, options->alphabet, problem);
    alphabet_make(&texts->alphabet, &text, &text);
    free(text.bytes);
    if (!error)
        error = check(&texts->alphabet, options->path, &texts->train, problem);
    return error ? error : check(&texts->alphabet, texts->test_path, &texts->test, problem);
}

static enum starling_error read_files(const struct read_options *options, struct texts *texts,
                                      struct problem *problem)
{
    bool with_test = options->test && strcmp(options->test, "none") != 0;
    texts->test_path = with_test ? options->test : options->path;
    enum starling_error error = read_whole(&texts->train, options->path, problem);
    if (!error && texts->train.count == 0)
        error =
            problem_set(problem, STARLING_INVALID, "%s: is empty: a text is wanted", options->path);
    if (!error && with_test)
        error = read_whole(&texts->test, options->test, problem);
    return error ? error : read_alphabet(options, texts, problem);
}

/* The last tenth of the text, rounded up, becomes the test text. */
static enum starling_error set_apart(struct texts *texts, struct problem *problem)
{
    struct text *train = &texts->train, *test = &texts->test;
    size_t kept = train->count / 10 * 9 + train->count % 10 * 9 / 10;
    test->count = train->count - kept;
    test->bytes = malloc(test->count);
    if (!test->bytes)
        return problem_no_memory(problem, "a text");
    memcpy(test->bytes, train->bytes + kept, test->count);
    train->count = kept;
    return STARLING_OK;
}

static enum starling_error find_speakers(const struct request *request, struct texts *texts,
                                         struct problem *problem)
{
    if (request->by_speaker)
        return speeches_sort(texts->train.bytes, texts->train.count, &texts->speakers,
                             &texts->speaker_count, problem);
    texts->speakers = malloc(sizeof *texts->speakers);
    if (!texts->speakers)
        return problem_no_memory(problem, "a text");
    *texts->speakers = (struct speaker){.count = texts->train.count};
    texts->speaker_count = 1;
    return STARLING_OK;
}

enum starling_error read_text(const struct read_options *options, const struct data_hints *hints,
                              struct data *data, struct problem *problem)
{
    (void)hints;
    struct request request;
    struct texts texts = {0};
    enum starling_error error = understand(options, &request, problem);
    if (!error)
        error = read_files(options, &texts, problem);
    if (!error && !options->test && !options->windows)
        error = set_apart(&texts, problem);
    if (!error)
        error = find_speakers(&request, &texts, problem);
    if (error)
        goto done;
    to_symbols(&texts.alphabet, &texts.train);
    to_symbols(&texts.alphabet, &texts.test);
    error = name_symbols(&texts.alphabet, data, problem);
    if (!error)
        error = cut_training(&request, &texts, &data->train, problem);
    if (!error && texts.test.bytes)
        error = cut_test(&request, &texts, data, problem);
done:
    free(texts.train.bytes);
    free(texts.test.bytes);
    free(texts.speakers);
    return error;
}
