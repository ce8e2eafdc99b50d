#include "node/config.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/nearest.h"
#include "node/config_table.h"
#include "node/config_units.h"
#include "node/expand.h"

#define BOUNDS_MAX 256

static_assert(sizeof(enum dataset_scale) == sizeof(int) && sizeof(enum schedule) == sizeof(int) &&
                  sizeof(enum agree) == sizeof(int) && sizeof(enum optimizer) == sizeof(int) &&
                  sizeof(enum encoding) == sizeof(int),
              "choices are stored as int");

static const char *const on_words[] = {"on", "true", "yes", "1", NULL};
static const char *const off_words[] = {"off", "false", "no", "0", NULL};

static void *member(struct config *config, const struct setting *setting)
{
    return (char *)config + setting->offset;
}

static const void *member_of(const struct config *config, const struct setting *setting)
{
    return (const char *)config + setting->offset;
}

static int word_index(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(word, words[i]))
            return i;
    return -1;
}

static const struct unit *units_of(const struct setting *setting)
{
    switch (setting->kind) {
    case SETTING_DURATION:
        return duration_units;
    case SETTING_PACE:
        return pace_units;
    default:
        return size_units;
    }
}

static void write_real(double value, char out[UNITS_TEXT_MAX])
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, UNITS_TEXT_MAX, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}

/* What a value may be, for a person: "a whole number from 1 to 32". */
static void describe(const struct setting *setting, char out[BOUNDS_MAX])
{
    char least[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];
    size_t used;
    switch (setting->kind) {
    case SETTING_TEXT:
        snprintf(out, BOUNDS_MAX, "at most %zu characters", setting->size - 1);
        break;
    case SETTING_COUNT:
        snprintf(out, BOUNDS_MAX, "%sa whole number from %" PRIu64 " to %" PRIu64,
                 setting->may_be_auto ? "auto or " : "", setting->least, setting->most);
        break;
    case SETTING_REAL:
        write_real(setting->floor, least);
        write_real(setting->ceiling, most);
        snprintf(out, BOUNDS_MAX, "%sa number from %s to %s",
                 setting->may_be_auto ? "auto or " : "", least, most);
        break;
    case SETTING_CHOICE:
        used = (size_t)snprintf(out, BOUNDS_MAX, "one of ");
        for (int i = 0; setting->words[i] && used < BOUNDS_MAX; i++)
            used += (size_t)snprintf(out + used, BOUNDS_MAX - used, "%s%s", i ? ", " : "",
                                     setting->words[i]);
        break;
    case SETTING_SWITCH:
        snprintf(out, BOUNDS_MAX, "on or off");
        break;
    case SETTING_DURATION:
    case SETTING_PACE:
    case SETTING_SIZE:
        units_write(units_of(setting), setting->least, least);
        units_write(units_of(setting), setting->most, most);
        snprintf(out, BOUNDS_MAX, "a %s from %s to %s, with its unit",
                 setting->kind == SETTING_SIZE ? "size" : "duration", least, most);
        break;
    }
}

static enum starling_error refuse(const struct setting *setting, const char *value,
                                  const char *where, struct problem *problem)
{
    char bounds[BOUNDS_MAX];
    describe(setting, bounds);
    const char *near =
        setting->kind == SETTING_CHOICE ? config_nearest(value, setting->words) : NULL;
    return problem_set(problem, STARLING_INVALID, "%s: %s.%s is \"%.60s%s\": %s%s%swrite %s", where,
                       setting->section, setting->name, value, strlen(value) > 60 ? "…" : "",
                       near ? "did you mean " : "", near ? near : "", near ? "? Or " : "", bounds);
}

/* A text is kept in one line of an INI file, so what would end it there is refused here. */
static bool text_fits(const char *value)
{
    for (const char *c = value; *c; c++) {
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 127)
            return false;
        bool mark = *c == '#' || *c == ';';
        if (mark && (c == value || strchr(" \t", c[-1])) && (!c[1] || strchr(" \t", c[1])))
            return false;
    }
    return true;
}

static enum starling_error set_text(struct config *config, const struct setting *setting,
                                    const char *value, const char *where, struct problem *problem)
{
    char expanded[CONFIG_SEEDS_MAX], what[PROBLEM_TEXT_MAX];
    if (setting->expands) {
        snprintf(what, sizeof what, "%.200s: %s.%s", where, setting->section, setting->name);
        if (expand(value, expanded, sizeof expanded, what, problem))
            return STARLING_INVALID;
        value = expanded;
    }
    value += strspn(value, " \t");
    size_t length = strlen(value);
    while (length > 0 && strchr(" \t", value[length - 1]))
        length--;
    if (length >= setting->size)
        return refuse(setting, value, where, problem);
    if (!text_fits(value))
        return problem_set(problem, STARLING_INVALID,
                           "%s: %s.%s holds a control character or a comment mark between blanks: "
                           "write it without",
                           where, setting->section, setting->name);
    char *text = member(config, setting);
    memset(text, 0, setting->size);
    memcpy(text, value, length);
    return STARLING_OK;
}

static bool read_count(const struct setting *setting, const char *value, uint64_t *count)
{
    if (!*value)
        return false;
    if (setting->may_be_auto && !strcmp(value, "auto")) {
        *count = CONFIG_AUTO_COUNT;
        return true;
    }
    uint64_t result = 0;
    for (; *value; value++)
        if (*value < '0' || *value > '9' || __builtin_mul_overflow(result, 10, &result) ||
            __builtin_add_overflow(result, (uint64_t)(*value - '0'), &result))
            return false;
    *count = result;
    return result >= setting->least && result <= setting->most;
}

static bool read_real(const struct setting *setting, const char *value, double *real)
{
    if (setting->may_be_auto && !strcmp(value, "auto")) {
        *real = CONFIG_AUTO;
        return true;
    }
    char *end;
    *real = strtod(value, &end);
    return end != value && !*end && !strchr(" \t", *value) && isfinite(*real) &&
           *real >= setting->floor && *real <= setting->ceiling;
}

static enum starling_error set(struct config *config, const struct setting *setting,
                               const char *value, const char *where, struct problem *problem)
{
    uint64_t number = 0;
    double real;
    int choice;
    bool on, good = false;
    switch (setting->kind) {
    case SETTING_TEXT:
        return set_text(config, setting, value, where, problem);
    case SETTING_REAL:
        good = read_real(setting, value, &real);
        if (good)
            memcpy(member(config, setting), &real, sizeof real);
        break;
    case SETTING_CHOICE:
        choice = word_index(value, setting->words);
        good = choice >= 0;
        if (good)
            memcpy(member(config, setting), &choice, sizeof choice);
        break;
    case SETTING_SWITCH:
        on = word_index(value, on_words) >= 0;
        good = on || word_index(value, off_words) >= 0;
        if (good)
            memcpy(member(config, setting), &on, sizeof on);
        break;
    case SETTING_COUNT:
        good = read_count(setting, value, &number);
        if (good)
            memcpy(member(config, setting), &number, sizeof number);
        break;
    case SETTING_DURATION:
    case SETTING_PACE:
    case SETTING_SIZE:
        good = units_read(units_of(setting), value, &number) && number >= setting->least &&
               number <= setting->most;
        if (good)
            memcpy(member(config, setting), &number, sizeof number);
        break;
    }
    return good ? STARLING_OK : refuse(setting, value, where, problem);
}

void config_defaults(struct config *config)
{
    memset(config, 0, sizeof *config);
    assert(config_setting_count <= CONFIG_SETTINGS_MAX);
    for (size_t i = 0; i < config_setting_count; i++) {
        enum starling_error error =
            set(config, &config_settings[i], config_settings[i].initial, "default", NULL);
        assert(!error);
        (void)error;
    }
}

const char *config_nearest(const char *word, const char *const *words)
{
    size_t count = 0;
    while (words[count])
        count++;
    return nearest_word(word, words, count);
}

/* The right name for a wrong one: of the same section, of another, or of the nearest section. */
static enum starling_error unknown(const char *section, const char *key, const char *where,
                                   struct problem *problem)
{
    const char *names[128], *near = NULL, *near_section = section;
    size_t count = 0;
    if (word_index(section, config_sections) < 0) {
        near_section = config_nearest(section, config_sections);
        if (!near_section)
            return problem_set(
                problem, STARLING_INVALID,
                "%s: there is no section [%.40s]: choose one of task, learn, gossip, "
                "node, control, sim",
                where, section);
    }
    for (size_t i = 0; i < config_setting_count && count < 128; i++)
        if (!strcmp(config_settings[i].section, near_section))
            names[count++] = config_settings[i].name;
    near = nearest_word(key, names, count);
    for (size_t i = 0; i < config_setting_count; i++)
        if (!strcmp(config_settings[i].name, key)) {
            near_section = config_settings[i].section;
            near = key;
        }
    if (near)
        return problem_set(problem, STARLING_INVALID,
                           "%s: there is no setting %.40s.%.40s: did you mean %s.%s?", where,
                           section, key, near_section, near);
    return problem_set(problem, STARLING_INVALID,
                       "%s: there is no setting %.40s.%.40s: see starling-config(5) for those of "
                       "section [%s]",
                       where, section, key, near_section);
}

/* The place of "section.key" in the table, whose dot is at `dot`; past its end when there is none.
 */
static size_t find_setting(const char *name, const char *dot)
{
    size_t length = (size_t)(dot - name), place = 0;
    for (; place < config_setting_count; place++) {
        const struct setting *setting = &config_settings[place];
        if (strlen(setting->section) == length && !strncmp(name, setting->section, length) &&
            !strcmp(dot + 1, setting->name))
            break;
    }
    return place;
}

/* The same of a name that is known to be there. */
static size_t place_of(const char *name)
{
    const char *dot = strchr(name, '.');
    size_t place = dot ? find_setting(name, dot) : config_setting_count;
    assert(place < config_setting_count);
    return place;
}

bool config_given(const struct config *config, const char *name)
{
    return config->given[place_of(name)];
}

bool config_changed(const struct config *config, const char *name)
{
    const struct setting *setting = &config_settings[place_of(name)];
    struct config plain;
    config_defaults(&plain);
    return memcmp(member_of(config, setting), member_of(&plain, setting), setting->size) != 0;
}

bool config_differs(const struct config *a, const struct config *b, size_t *place,
                    char name[CONFIG_NAME_MAX])
{
    while (*place < config_setting_count) {
        const struct setting *setting = &config_settings[(*place)++];
        if (memcmp(member_of(a, setting), member_of(b, setting), setting->size) == 0)
            continue;
        snprintf(name, CONFIG_NAME_MAX, "%s.%s", setting->section, setting->name);
        return true;
    }
    return false;
}

enum starling_error config_set(struct config *config, const char *name, const char *value,
                               const char *where, struct problem *problem)
{
    const char *dot = strchr(name, '.');
    if (!dot || dot == name || !dot[1])
        return problem_set(problem, STARLING_INVALID,
                           "%s: \"%.60s\" does not name a setting: write section.key", where, name);
    size_t place = find_setting(name, dot);
    if (place < config_setting_count) {
        enum starling_error error = set(config, &config_settings[place], value, where, problem);
        if (!error)
            config->given[place] = true;
        return error;
    }
    char section[CONFIG_NAME_MAX];
    snprintf(section, sizeof section, "%.*s", (int)(dot - name < 40 ? dot - name : 40), name);
    return unknown(section, dot + 1, where, problem);
}

/* Copies text without the blanks around it; false when it does not fit. */
static bool trim(char *out, size_t size, const char *text, size_t length)
{
    while (length > 0 && strchr(" \t", text[0])) {
        text++;
        length--;
    }
    while (length > 0 && strchr(" \t", text[length - 1]))
        length--;
    if (length >= size)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

enum starling_error config_set_pair(struct config *config, const char *pair, const char *where,
                                    struct problem *problem)
{
    char name[CONFIG_NAME_MAX], value[CONFIG_SEEDS_MAX];
    const char *equals = strchr(pair, '=');
    if (!equals || !trim(name, sizeof name, pair, (size_t)(equals - pair)))
        return problem_set(problem, STARLING_INVALID,
                           "%s: \"%.60s\" is no setting: write section.key=value", where, pair);
    if (!trim(value, sizeof value, equals + 1, strlen(equals + 1)))
        return problem_set(problem, STARLING_INVALID,
                           "%s: the value of %s is longer than %d characters: write a shorter one",
                           where, name, CONFIG_SEEDS_MAX - 1);
    return config_set(config, name, value, where, problem);
}

static void write_value(const struct config *config, const struct setting *setting, FILE *file)
{
    char text[UNITS_TEXT_MAX] = "";
    const void *from = member_of(config, setting);
    uint64_t number;
    double real;
    int choice;
    bool on;
    switch (setting->kind) {
    case SETTING_TEXT:
        fprintf(file, "%s%s", *(const char *)from ? " " : "", (const char *)from);
        return;
    case SETTING_REAL:
        memcpy(&real, from, sizeof real);
        if (setting->may_be_auto && real == CONFIG_AUTO)
            snprintf(text, sizeof text, "auto");
        else
            write_real(real, text);
        break;
    case SETTING_CHOICE:
        memcpy(&choice, from, sizeof choice);
        fprintf(file, " %s", setting->words[choice]);
        return;
    case SETTING_SWITCH:
        memcpy(&on, from, sizeof on);
        snprintf(text, sizeof text, on ? "on" : "off");
        break;
    case SETTING_COUNT:
        memcpy(&number, from, sizeof number);
        if (setting->may_be_auto && number == CONFIG_AUTO_COUNT)
            snprintf(text, sizeof text, "auto");
        else
            snprintf(text, sizeof text, "%" PRIu64, number);
        break;
    case SETTING_DURATION:
    case SETTING_PACE:
    case SETTING_SIZE:
        memcpy(&number, from, sizeof number);
        units_write(units_of(setting), number, text);
        break;
    }
    fprintf(file, " %s", text);
}

static void write_comment(const struct setting *setting, FILE *file)
{
    char bounds[BOUNDS_MAX];
    describe(setting, bounds);
    if (setting->kind == SETTING_TEXT)
        fprintf(file, "# %s\n", setting->help);
    else
        fprintf(file, "# %s (%s)\n", setting->help, bounds);
}

/* The next of the words in `list`; NULL after the last. */
static const char *next_section(const char **list, char out[CONFIG_NAME_MAX])
{
    *list += strspn(*list, " ");
    size_t length = strcspn(*list, " ");
    if (length == 0)
        return NULL;
    snprintf(out, CONFIG_NAME_MAX, "%.*s", (int)length, *list);
    assert(word_index(out, config_sections) >= 0);
    *list += length;
    return out;
}

enum starling_error config_write(const struct config *config, const char *sections, bool comments,
                                 FILE *file, struct problem *problem)
{
    char section[CONFIG_NAME_MAX];
    for (bool first = true; next_section(&sections, section); first = false) {
        fprintf(file, "%s[%s]\n", first ? "" : "\n", section);
        for (size_t i = 0; i < config_setting_count; i++) {
            const struct setting *setting = &config_settings[i];
            if (strcmp(setting->section, section))
                continue;
            if (comments)
                write_comment(setting, file);
            fprintf(file, "%s =", setting->name);
            write_value(config, setting, file);
            fputs("\n", file);
        }
    }
    if (fflush(file) || ferror(file))
        return problem_set(problem, STARLING_FAILED,
                           "configuration: cannot be written: is the disk full?");
    return STARLING_OK;
}

#define HELP_COLUMN 34
#define HELP_WIDTH 79

/* `head`, and `help` beside it, broken between words. */
static void write_help(const char *head, const char *help, FILE *file)
{
    int column = fprintf(file, "  %-*s", HELP_COLUMN - 2, head);
    while (*help) {
        size_t length = strcspn(help, " ");
        if (column > HELP_COLUMN && column + 1 + (int)length > HELP_WIDTH)
            column = fprintf(file, "\n%*s", HELP_COLUMN, "") - 1;
        column += fprintf(file, " %.*s", (int)length, help);
        help += length + strspn(help + length, " ");
    }
    fputs("\n", file);
}

void config_help(FILE *file, const char *sections)
{
    char section[CONFIG_NAME_MAX];
    while (next_section(&sections, section))
        for (size_t i = 0; i < config_setting_count; i++) {
            const struct setting *setting = &config_settings[i];
            if (strcmp(setting->section, section))
                continue;
            char head[CONFIG_TEXT_MAX];
            snprintf(head, sizeof head, "%s.%s (%s)", setting->section, setting->name,
                     *setting->initial ? setting->initial : "empty");
            write_help(head, setting->help, file);
        }
}
