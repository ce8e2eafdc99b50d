#include "model/columns.h"

#include <stdlib.h>
#include <string.h>

#include "model/fields.h"
#include "model/nearest.h"

/* True when `name` is a number from 1, which goes to *number; SIZE_MAX for one beyond any table. */
static bool is_column_number(const char *name, size_t *number)
{
    size_t value = 0;
    for (const char *at = name; *at; at++) {
        if (*at < '0' || *at > '9')
            return false;
        value = value > DATASET_FEATURES_MAX ? SIZE_MAX / 16 : value * 10 + (size_t)(*at - '0');
    }
    *number = value;
    return *name != '\0';
}

static bool is_header_name(const char *name)
{
    size_t number;
    return strcmp(name, "last") != 0 && !is_column_number(name, &number);
}

/* Finds what `name`, given as the option `option`, means in a first line of count texts. */
static enum starling_error find_column(const char *option, const char *name, char *const *texts,
                                       size_t count, const char *where, size_t *column,
                                       struct problem *problem)
{
    size_t number;
    if (strcmp(name, "last") == 0) {
        *column = count - 1;
        return STARLING_OK;
    }
    if (is_column_number(name, &number)) {
        if (number < 1 || number > count)
            return problem_set(problem, STARLING_INVALID,
                               "%s: %s=%s: there are columns 1 to %zu: name one of them", where,
                               option, name, count);
        *column = number - 1;
        return STARLING_OK;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(texts[i], name) == 0) {
            *column = i;
            return STARLING_OK;
        }
    }
    const char *near = nearest_word(name, (const char *const *)texts, count);
    return problem_set(problem, STARLING_INVALID,
                       "%s: %s=%.64s: no column of that name in the first line: %s%s%s", where,
                       option, name, near ? "did you mean '" : "name one of it, or give its number",
                       near ? near : "", near ? "'?" : "");
}

/* Gives the column that `name` means a role; it must not have another one yet. */
static enum starling_error give_role(struct columns *columns, const char *option, const char *name,
                                     enum column_role role, char *const *texts, const char *where,
                                     size_t *column, struct problem *problem)
{
    enum starling_error error =
        find_column(option, name, texts, columns->count, where, column, problem);
    if (error)
        return error;
    enum column_role *place = &columns->roles[*column];
    if (*place != COLUMN_FEATURE && *place != role)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %s=%.64s: column %zu is the %s already: say which is which with "
                           "label=COL and user=COL",
                           where, option, name, *column + 1,
                           *place == COLUMN_LABEL ? "label" : "user");
    *place = role;
    return STARLING_OK;
}

/* Calls give_role for each name in the list "A,B,…", which is changed and left as it was. */
static enum starling_error give_ignored(struct columns *columns, char *list, char *const *texts,
                                        const char *where, struct problem *problem)
{
    for (char *next; list; list = next) {
        size_t column;
        next = strchr(list, ',');
        if (next)
            *next++ = '\0';
        enum starling_error error =
            give_role(columns, "ignore", list, COLUMN_IGNORED, texts, where, &column, problem);
        if (error)
            return error;
    }
    return STARLING_OK;
}

static bool any_header_name(const struct read_options *options, const char *ignore)
{
    if ((options->label && is_header_name(options->label)) ||
        (options->user && is_header_name(options->user)))
        return true;
    size_t length;
    for (; ignore; ignore = ignore[length] ? ignore + length + 1 : NULL) {
        char name[8] = "";
        length = strcspn(ignore, ",");
        /* The longest word that is no name is a number or "last". */
        strncat(name, ignore, length < sizeof name - 1 ? length : sizeof name - 1);
        if (is_header_name(name))
            return true;
    }
    return false;
}

static bool mostly_text(const struct columns *columns, char *const *texts)
{
    size_t numbers = 0, words = 0;
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->roles[i] != COLUMN_FEATURE)
            continue;
        float value;
        enum number_kind kind = fields_number(texts[i], &value);
        words += kind == NUMBER_TEXT;
        numbers += kind != NUMBER_TEXT && kind != NUMBER_MISSING;
    }
    return words > numbers;
}

static enum starling_error keep_header(struct columns *columns, char *const *texts,
                                       struct problem *problem)
{
    columns->header = calloc(columns->count, sizeof *columns->header);
    if (!columns->header)
        return problem_no_memory(problem, "a table's header");
    for (size_t i = 0; i < columns->count; i++) {
        columns->header[i] = strdup(texts[i]);
        if (!columns->header[i])
            return problem_no_memory(problem, "a table's header");
    }
    return STARLING_OK;
}

static enum starling_error give_roles(struct columns *columns, const struct read_options *options,
                                      char *const *texts, const char *where,
                                      struct problem *problem)
{
    const char *label = options->label ? options->label : "last";
    enum starling_error error =
        give_role(columns, "label", label, COLUMN_LABEL, texts, where, &columns->label, problem);
    if (!error && options->user)
        error = give_role(columns, "user", options->user, COLUMN_USER, texts, where, &columns->user,
                          problem);
    if (error || !options->ignore)
        return error;
    char *ignore = strdup(options->ignore);
    if (!ignore)
        return problem_no_memory(problem, "a table's columns");
    error = give_ignored(columns, ignore, texts, where, problem);
    free(ignore);
    return error;
}

enum starling_error columns_settle(struct columns *columns, const struct read_options *options,
                                   char *const *texts, size_t count, const char *where,
                                   struct problem *problem)
{
    *columns = (struct columns){.count = count, .user = count};
    columns->roles = calloc(count, sizeof *columns->roles);
    if (!columns->roles)
        return problem_no_memory(problem, "a table's columns");
    enum starling_error error = give_roles(columns, options, texts, where, problem);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++)
        columns->features += columns->roles[i] == COLUMN_FEATURE;
    if (columns->features == 0)
        return problem_set(problem, STARLING_INVALID,
                           "%s: no column is left for a feature: is the table parted by commas, "
                           "semicolons, tabs or blanks?",
                           where);
    if (any_header_name(options, options->ignore) || mostly_text(columns, texts))
        return keep_header(columns, texts, problem);
    return STARLING_OK;
}

bool columns_is_header(const struct columns *columns, char *const *texts)
{
    if (columns->header) {
        size_t same = 0;
        while (same < columns->count && strcmp(columns->header[same], texts[same]) == 0)
            same++;
        if (same == columns->count)
            return true;
    }
    return mostly_text(columns, texts);
}

void columns_clear(struct columns *columns)
{
    for (size_t i = 0; columns->header && i < columns->count; i++)
        free(columns->header[i]);
    free(columns->header);
    free(columns->roles);
    *columns = (struct columns){0};
}
