#include "sim/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/out.h"

/* The last `parts` names of a path, slashes at its end apart. */
static const char *end_of(const char *path, size_t parts)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    for (; length > 0; length--)
        if (path[length - 1] == '/' && --parts == 0)
            break;
    return path + length;
}

static bool names_differ(const struct comparison *comparison, size_t parts)
{
    for (size_t i = 0; i < comparison->count; i++)
        for (size_t j = 0; j < i; j++)
            if (!strcmp(end_of(comparison->runs[i].past->dir, parts),
                        end_of(comparison->runs[j].past->dir, parts)))
                return false;
    return true;
}

static void name_runs(struct comparison *comparison)
{
    size_t parts = 1;
    for (size_t i = 0; i < comparison->count; i++) { /* a slash at the end names nothing */
        char *dir = comparison->runs[i].past->dir;
        for (size_t length = strlen(dir); length > 1 && dir[length - 1] == '/'; length--)
            dir[length - 1] = '\0';
    }
    while (parts < 8 && !names_differ(comparison, parts))
        parts++;
    for (size_t i = 0; i < comparison->count; i++)
        comparison->runs[i].name = end_of(comparison->runs[i].past->dir, parts);
}

static double final_accuracy(const struct past *past)
{
    return past->round_count ? past->rounds[past->round_count - 1].accuracy_mean : NAN;
}

static void measure_one(struct compared *run, double target)
{
    const struct past *past = run->past;
    double nodes = past->summary.nodes ? (double)past->summary.nodes : 1;
    run->best = NAN;
    run->bytes_a_node = (double)past->summary.bytes / nodes;
    run->time_s = past->round_count ? past->rounds[past->round_count - 1].time_s : NAN;
    for (size_t i = 0; i < past->round_count; i++) {
        const struct round_row *row = &past->rounds[i];
        if (isfinite(row->accuracy_mean) && !(row->accuracy_mean <= run->best)) {
            run->best = row->accuracy_mean;
            run->best_round = row->round;
        }
        if (!run->reached.ever && row->accuracy_mean >= target)
            run->reached =
                (struct reached){true, row->round, row->time_s, (double)row->bytes / nodes};
    }
}

static void measure(struct comparison *comparison)
{
    comparison->target = INFINITY;
    for (size_t i = 0; i < comparison->count; i++) {
        double last = final_accuracy(comparison->runs[i].past);
        if (isnan(last) || last < comparison->target) {
            comparison->target = last;
            comparison->lowest = i;
        }
        if (isnan(last))
            break;
    }
    for (size_t i = 0; i < comparison->count; i++)
        measure_one(&comparison->runs[i], comparison->target);
}

static bool write_settings(const struct past *past, char **text, struct problem *problem)
{
    struct out_text out;
    if (out_text_begin(&out, problem))
        return false;
    enum starling_error error =
        config_write(&past->config, "task learn gossip sim", false, out.file, problem);
    if (fclose(out.file) != 0 && !error)
        error = problem_no_memory(problem, "a comparison");
    if (error)
        free(out.bytes);
    else
        *text = out.bytes;
    return !error;
}

static bool is_of_no_account(const char *name)
{
    return !strcmp(name, "sim.threads") || !strcmp(name, "sim.checkpoint") ||
           !strcmp(name, "task.name");
}

/* The value of a line "key = value". */
static char *value_of(const char *line)
{
    size_t length = strcspn(line, "\n"), skip = strcspn(line, "=") + 1;
    while (skip < length && line[skip] == ' ')
        skip++;
    return skip < length ? strndup(line + skip, length - skip) : strdup("");
}

static bool add_difference(struct comparison *comparison, const char *name, char *const *lines)
{
    struct difference *grown =
        reallocarray(comparison->differences, comparison->difference_count + 1, sizeof *grown);
    if (!grown)
        return false;
    comparison->differences = grown;
    struct difference *difference = &grown[comparison->difference_count++];
    *difference = (struct difference){strdup(name), calloc(comparison->count, sizeof(char *))};
    bool complete = difference->name && difference->values;
    for (size_t i = 0; i < comparison->count && complete; i++)
        complete = (difference->values[i] = value_of(lines[i])) != NULL;
    return complete;
}

/* All texts have the same lines, since one program wrote them: they are read side by side. */
static bool find_differences(struct comparison *comparison, char **texts)
{
    char section[64] = "", name[160], *lines[COMPARISON_RUNS_MAX];
    memcpy(lines, texts, comparison->count * sizeof *lines);
    while (*lines[0]) {
        bool same = true;
        size_t length = strcspn(lines[0], "\n");
        for (size_t i = 1; i < comparison->count; i++)
            same &= strcspn(lines[i], "\n") == length && !memcmp(lines[i], lines[0], length);
        if (lines[0][0] == '[')
            snprintf(section, sizeof section, "%.*s", (int)strcspn(lines[0] + 1, "]"),
                     lines[0] + 1);
        snprintf(name, sizeof name, "%s.%.*s", section, (int)strcspn(lines[0], " =\n"), lines[0]);
        if (!same && !is_of_no_account(name) && !add_difference(comparison, name, lines))
            return false;
        for (size_t i = 0; i < comparison->count; i++) {
            lines[i] += strcspn(lines[i], "\n");
            lines[i] += *lines[i] == '\n';
        }
    }
    return true;
}

static enum starling_error compare_settings(struct comparison *comparison, struct problem *problem)
{
    char *texts[COMPARISON_RUNS_MAX] = {NULL};
    bool written = true;
    for (size_t i = 0; i < comparison->count && written; i++)
        written = write_settings(comparison->runs[i].past, &texts[i], problem);
    if (written && !find_differences(comparison, texts)) {
        problem_no_memory(problem, "a comparison");
        written = false;
    }
    for (size_t i = 0; i < comparison->count; i++)
        free(texts[i]);
    return written ? STARLING_OK : STARLING_FAILED;
}

struct comparison *comparison_new(char *const *dirs, size_t count, struct problem *problem)
{
    struct comparison *comparison = calloc(1, sizeof *comparison);
    if (!comparison) {
        problem_no_memory(problem, "a comparison");
        return NULL;
    }
    if (count > COMPARISON_RUNS_MAX) {
        problem_set(problem, STARLING_INVALID,
                    "compare: %zu runs are more than one page shows: name %d at most", count,
                    COMPARISON_RUNS_MAX);
        goto fail;
    }
    for (; comparison->count < count; comparison->count++) {
        struct compared *run = &comparison->runs[comparison->count];
        run->past = past_read(dirs[comparison->count], false, problem);
        if (!run->past)
            goto fail;
    }
    name_runs(comparison);
    measure(comparison);
    if (compare_settings(comparison, problem))
        goto fail;
    return comparison;
fail:
    comparison_free(&comparison);
    return NULL;
}

void comparison_free(struct comparison **comparison)
{
    struct comparison *ours = *comparison;
    *comparison = NULL;
    if (!ours)
        return;
    for (size_t i = 0; i < ours->difference_count; i++) {
        for (size_t j = 0; ours->differences[i].values && j < ours->count; j++)
            free(ours->differences[i].values[j]);
        free(ours->differences[i].values);
        free(ours->differences[i].name);
    }
    free(ours->differences);
    for (size_t i = 0; i < ours->count; i++)
        past_free(&ours->runs[i].past);
    free(ours);
}
