/* Reading an INI file. inih knows the syntax; its line buffer is short in most builds (200 bytes),
 * so it is given the beginning of a long line, and the value is taken from the whole one here. */
#include "node/config.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "node/config_table.h"
#include "node/files.h"

#define FILE_BYTES_MAX 1048576
#define SECTION_BYTES_MAX 128

struct reading {
    struct config *config;
    const char *file;
    char *next, *end;               /* what inih has not asked for yet */
    const char *line;               /* the line it has now, comments and blanks around it removed */
    size_t number;                  /* of that line, from 1 */
    size_t failed;                  /* line of the first problem, 0: none */
    size_t *given;                  /* for each setting the line that gave it, 0: none */
    char beyond[SECTION_BYTES_MAX]; /* the section it stands in, when that is none of settings */
    config_taker *taker;            /* of what stands there; NULL: nobody */
    void *self;                     /* the taker's */
    struct problem *problem;
};

static enum starling_error fail(struct reading *reading, const char *what)
{
    if (!reading->failed) {
        reading->failed = reading->number;
        problem_set(reading->problem, STARLING_INVALID, "%s:%zu: %s", reading->file,
                    reading->number, what);
    }
    return STARLING_INVALID;
}

#define BLANKS " \t\v\f\r" /* what inih takes for blank */

/* Ends `line` before a comment: a mark with a blank on either side, so that a '#' within a key or
 * a path stays. */
static void strip(char *line)
{
    for (char *c = line; *c; c++)
        if ((*c == '#' || *c == ';') && (c == line || strchr(BLANKS, c[-1])) &&
            (!c[1] || strchr(BLANKS, c[1]))) {
            *c = '\0';
            break;
        }
    size_t length = strlen(line);
    while (length > 0 && strchr(BLANKS, line[length - 1]))
        line[--length] = '\0';
}

static void hand_over(struct reading *reading, const char *key, const char *value)
{
    char where[PROBLEM_TEXT_MAX];
    snprintf(where, sizeof where, "%.200s:%zu", reading->file, reading->number);
    if (reading->taker(reading->self, reading->beyond, key, value, where, reading->problem))
        reading->failed = reading->number;
}

/* A line "[name]", whole: inih keeps but 49 bytes of the name, and tells of no empty section. */
static void enter_section(struct reading *reading, const char *line, size_t length)
{
    bool sweep = !strcmp(line, "[sweep]"), one_case = !strncmp(line, "[case ", 6);
    reading->beyond[0] = '\0';
    if (!reading->taker || reading->failed || !(sweep || one_case))
        return;
    if (length >= SECTION_BYTES_MAX) {
        fail(reading, "the section's name is too long: shorten it");
        return;
    }
    snprintf(reading->beyond, SECTION_BYTES_MAX, "%.*s", (int)length - 2, line + 1);
    hand_over(reading, NULL, NULL);
}

/* inih's fgets: one whole line a call, so that its line numbers and ours agree. */
static char *next_line(char *buffer, int size, void *self)
{
    struct reading *reading = self;
    if (reading->next >= reading->end || size < 3)
        return NULL;
    char *line = reading->next, *newline = memchr(line, '\n', (size_t)(reading->end - line));
    char *stop = newline ? newline : reading->end;
    *stop = '\0';
    reading->next = stop + 1;
    reading->number++;
    if (strlen(line) != (size_t)(stop - line))
        fail(reading, "a zero byte: this is not a text file");
    line += strspn(line, BLANKS);
    strip(line);
    reading->line = line;
    size_t length = strlen(line);
    if (line[0] == '[' && line[length - 1] != ']')
        fail(reading, "a section's name ends with ]: put what follows on a line of its own");
    if (line[0] == '[' && line[length - 1] == ']')
        enter_section(reading, line, length);
    if (length > (size_t)size - 2)
        length = (size_t)size - 2;
    memcpy(buffer, line, length);
    memcpy(buffer + length, "\n", 2);
    return buffer;
}

static size_t setting_index(const char *section, const char *name)
{
    size_t i = 0;
    while (i < config_setting_count &&
           (strcmp(config_settings[i].section, section) || strcmp(config_settings[i].name, name)))
        i++;
    return i;
}

static int take(void *self, const char *section, const char *name, const char *beginning)
{
    struct reading *reading = self;
    (void)beginning;
    if (reading->failed)
        return 0;
    if (!*section) {
        fail(reading, "a setting before any section: write [task], [learn], … above it");
        return 0;
    }
    char full[160], where[PROBLEM_TEXT_MAX];
    snprintf(full, sizeof full, "%.60s.%.60s", section, name);
    snprintf(where, sizeof where, "%.200s:%zu", reading->file, reading->number);
    const char *value = strpbrk(reading->line, "=:") + 1;
    value += strspn(value, BLANKS);
    if (reading->beyond[0]) {
        hand_over(reading, name, value);
        return !reading->failed;
    }
    if (config_set(reading->config, full, value, where, reading->problem)) {
        reading->failed = reading->number;
        return 0;
    }
    size_t index = setting_index(section, name);
    if (reading->given[index]) {
        char what[256];
        snprintf(what, sizeof what, "%s is given twice, first on line %zu: remove one", full,
                 reading->given[index]);
        fail(reading, what);
        return 0;
    }
    reading->given[index] = reading->number;
    return 1;
}

static enum starling_error parse(struct reading *reading)
{
    int result = ini_parse_stream(next_line, reading, take, reading);
    if (result > 0 && (!reading->failed || (size_t)result < reading->failed)) {
        reading->failed = 0;
        reading->number = (size_t)result;
        fail(reading, "neither [section] nor key = value: mend it or put a # in front");
    }
    if (result < 0 && !reading->failed)
        return problem_no_memory(reading->problem, "the configuration");
    return reading->failed ? STARLING_INVALID : STARLING_OK;
}

/* Reads `file` over `config`, which is half changed when it fails; given[] by setting. */
static enum starling_error load(struct config *config, const char *file, size_t *given,
                                config_taker *taker, void *self, struct problem *problem)
{
    struct reading reading = {.config = config,
                              .file = file,
                              .given = given,
                              .taker = taker,
                              .self = self,
                              .problem = problem};
    size_t size = 0;
    char *text = malloc(FILE_BYTES_MAX + 1);
    if (!text)
        return problem_no_memory(problem, "the configuration");
    enum starling_error error = file_read(file, false, text, FILE_BYTES_MAX, &size, problem);
    if (!error) {
        reading.next = text;
        reading.end = text + size;
        error = parse(&reading);
    }
    free(text);
    return error;
}

enum starling_error config_load_beyond(struct config *config, const char *file, config_taker *taker,
                                       void *self, struct problem *problem)
{
    struct config copy = *config;
    size_t *given = calloc(config_setting_count, sizeof *given);
    enum starling_error error = given ? load(&copy, file, given, taker, self, problem)
                                      : problem_no_memory(problem, "the configuration");
    if (!error)
        *config = copy;
    free(given);
    return error;
}

enum starling_error config_load(struct config *config, const char *file, struct problem *problem)
{
    return config_load_beyond(config, file, NULL, NULL, problem);
}

static enum starling_error pass_over(void *self, const char *section, const char *key,
                                     const char *value, const char *where, struct problem *problem)
{
    (void)self, (void)section, (void)key, (void)value, (void)where, (void)problem;
    return STARLING_OK;
}

size_t config_line(const char *file, const char *name)
{
    struct config scratch;
    char section[64];
    const char *dot = strchr(name, '.');
    size_t line = 0, *given = calloc(config_setting_count, sizeof *given);
    config_defaults(&scratch);
    if (given && dot && (size_t)(dot - name) < sizeof section &&
        !load(&scratch, file, given, pass_over, NULL, NULL)) {
        memcpy(section, name, (size_t)(dot - name));
        section[dot - name] = '\0';
        size_t index = setting_index(section, dot + 1);
        line = index < config_setting_count ? given[index] : 0;
    }
    free(given);
    return line;
}
