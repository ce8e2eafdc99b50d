#include "sim/table_read.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOT_THERE SIZE_MAX

/* Parts a line at its commas, in place. */
static size_t part(char *line, const char *fields[TABLE_COLUMNS_MAX])
{
    size_t count = 0;
    for (char *next = line; next && count < TABLE_COLUMNS_MAX;)
        fields[count++] = strsep(&next, ",");
    return count;
}

/* One line without its end: 1 there is one, 0 there is none, or none that was finished; −1 it is
 * longer than a row can be. */
static int next_line(FILE *file, char line[TABLE_LINE_MAX])
{
    if (!fgets(line, TABLE_LINE_MAX, file))
        return 0;
    size_t length = strcspn(line, "\n");
    if (line[length] != '\n')
        return length == TABLE_LINE_MAX - 1 ? -1 : 0;
    if (length > 0 && line[length - 1] == '\r')
        length--;
    line[length] = '\0';
    return 1;
}

static void find_places(const char *const *found, size_t found_count, const char *const *heads,
                        size_t count, size_t *places)
{
    for (size_t i = 0; i < count; i++) {
        places[i] = NOT_THERE;
        for (size_t j = 0; j < found_count; j++)
            if (strcmp(heads[i], found[j]) == 0)
                places[i] = j;
    }
}

static enum starling_error take_line(char *line, const size_t *places, size_t width, size_t count,
                                     table_taker *taker, void *self, const char *where,
                                     struct problem *problem)
{
    const char *found[TABLE_COLUMNS_MAX], *fields[TABLE_COLUMNS_MAX];
    if (part(line, found) != width)
        return problem_set(problem, STARLING_INVALID,
                           "%s: has not as many fields as the first line: remove what is no row of "
                           "a run",
                           where);
    for (size_t i = 0; i < count; i++)
        fields[i] = places[i] == NOT_THERE ? "" : found[places[i]];
    return taker(self, fields, where, problem);
}

static enum starling_error read_all(FILE *file, const char *path, const char *const *heads,
                                    size_t count, table_taker *taker, void *self,
                                    struct problem *problem)
{
    char line[TABLE_LINE_MAX], where[PROBLEM_TEXT_MAX / 2];
    const char *found[TABLE_COLUMNS_MAX];
    size_t places[TABLE_COLUMNS_MAX] = {NOT_THERE}, width = 0;
    enum starling_error error = STARLING_OK;
    int got = next_line(file, line);
    if (got > 0) {
        width = part(line, found);
        find_places(found, width, heads, count, places);
    }
    if (got <= 0 || places[0] == NOT_THERE)
        return problem_set(problem, STARLING_INVALID,
                           "%s: has no column %s: is it the table of a run?", path, heads[0]);
    for (size_t number = 2; !error && (got = next_line(file, line)) != 0; number++) {
        snprintf(where, sizeof where, "%.200s:%zu", path, number);
        error = got < 0 ? problem_set(problem, STARLING_INVALID,
                                      "%s: is longer than a row can be: is it the table of a run?",
                                      where)
                        : take_line(line, places, width, count, taker, self, where, problem);
    }
    if (!error && ferror(file))
        error = problem_set(problem, STARLING_FAILED, "%s: %s: see that the disk is well", path,
                            strerror(errno));
    return error;
}

enum starling_error table_read(const char *path, const char *const *heads, size_t count,
                               table_taker *taker, void *self, struct problem *problem)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return problem_set(problem, errno == ENOENT ? STARLING_INVALID : STARLING_FAILED,
                           "%s: %s: name the folder of a run", path, strerror(errno));
    enum starling_error error = read_all(file, path, heads, count, taker, self, problem);
    fclose(file);
    return error;
}

bool table_figure(const char *text, double *value)
{
    char *end;
    *value = NAN;
    if (!*text)
        return true;
    double read = strtod(text, &end);
    if (*end)
        return false;
    if (isfinite(read))
        *value = read;
    return true;
}

bool table_whole(const char *text, uint64_t *value)
{
    char *end;
    errno = 0;
    *value = 0;
    if (*text < '0' || *text > '9')
        return false;
    unsigned long long read = strtoull(text, &end, 10);
    if (*end || errno)
        return false;
    *value = read;
    return true;
}
