#include "model/speeches.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/names.h"

#define NAME_LINE_MAX 64

struct speech {
    size_t start, count;
    uint32_t name;
};

/* All that is gathered on the way. */
struct play {
    struct names names;
    struct speech *speeches;
    size_t speech_count, capacity;
};

/* A line's bytes without its end. */
static size_t bare_length(const uint8_t *line, size_t length)
{
    if (length > 0 && line[length - 1] == '\n')
        length--;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    return length;
}

/* Whether a line says who speaks, and who. */
static bool is_name(const uint8_t *line, size_t length, char name[NAME_LINE_MAX])
{
    length = bare_length(line, length);
    if (length < 2 || length > NAME_LINE_MAX || line[length - 1] != ':' ||
        memchr(line, '\0', length))
        return false;
    memcpy(name, line, length - 1);
    name[length - 1] = '\0';
    return true;
}

/* Begins a speech at byte `start`; false when memory is out. */
static bool begin_speech(struct play *play, size_t start, const char *name)
{
    if (play->speech_count == play->capacity) {
        size_t capacity = 2 * play->capacity + 64;
        struct speech *more = realloc(play->speeches, capacity * sizeof *more);
        if (!more)
            return false;
        play->speeches = more;
        play->capacity = capacity;
    }
    uint32_t number = names_add(&play->names, name);
    play->speeches[play->speech_count++] = (struct speech){.start = start, .name = number};
    return number != NAMES_NONE;
}

static bool cut(struct play *play, const uint8_t *text, size_t count)
{
    bool after_empty = true;
    size_t length;
    for (size_t at = 0; at < count; at += length) {
        char name[NAME_LINE_MAX] = "";
        const uint8_t *line = text + at, *end = memchr(line, '\n', count - at);
        length = end ? (size_t)(end - line) + 1 : count - at;
        bool begins = after_empty && is_name(line, length, name);
        if ((begins || at == 0) && !begin_speech(play, at, name))
            return false;
        play->speeches[play->speech_count - 1].count += length;
        after_empty = bare_length(line, length) == 0;
    }
    return true;
}

/* A speaker while the order is sought. */
struct voice {
    size_t count;
    const char *name;
    uint32_t number;
};

static int compare_voices(const void *a, const void *b)
{
    const struct voice *left = a, *right = b;
    if (left->count != right->count)
        return left->count > right->count ? -1 : 1;
    return strcmp(left->name, right->name);
}

/* Fills `speakers` in their order, and `places` with where each name's text begins. */
static bool order(const struct play *play, struct speaker *speakers, size_t *places)
{
    struct voice *voices = calloc(play->names.count + 1, sizeof *voices);
    if (!voices)
        return false;
    for (uint32_t v = 0; v < play->names.count; v++)
        voices[v] = (struct voice){.name = play->names.texts[v], .number = v};
    for (size_t s = 0; s < play->speech_count; s++)
        voices[play->speeches[s].name].count += play->speeches[s].count;
    qsort(voices, play->names.count, sizeof *voices, compare_voices);
    size_t at = 0;
    for (size_t v = 0; v < play->names.count; v++) {
        speakers[v] = (struct speaker){.start = at, .count = voices[v].count};
        places[voices[v].number] = at;
        at += voices[v].count;
    }
    free(voices);
    return true;
}

enum starling_error speeches_sort(uint8_t *text, size_t count, struct speaker **speakers,
                                  size_t *speaker_count, struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    struct play play = {0};
    size_t *places = NULL;
    uint8_t *copy = malloc(count + 1);
    bool fine = copy && cut(&play, text, count);
    *speaker_count = play.names.count;
    *speakers = calloc(play.names.count + 1, sizeof **speakers);
    places = calloc(play.names.count + 1, sizeof *places);
    if (!fine || !*speakers || !places || !order(&play, *speakers, places)) {
        free(*speakers);
        *speakers = NULL;
        error = problem_no_memory(problem, "the speeches of a text");
        goto done;
    }
    memcpy(copy, text, count);
    for (size_t s = 0; s < play.speech_count; s++) {
        const struct speech *speech = &play.speeches[s];
        memcpy(text + places[speech->name], copy + speech->start, speech->count);
        places[speech->name] += speech->count;
    }
done:
    free(copy);
    free(places);
    free(play.speeches);
    names_clear(&play.names);
    return error;
}
