#include "sim/compare.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/out.h"

#define PAGE_NAME "compare.html"
#define HEAD_BYTES 512

/* Where the page goes: its folder and its name there, both within the buffers. */
static enum starling_error choose_place(const char *out, const char *first, char dir[PATH_MAX],
                                        char name[NAME_MAX + 1], struct problem *problem)
{
    char copy[PATH_MAX];
    const char *path = out ? out : first, *end = strrchr(path, '/');
    if (strlen(path) >= sizeof copy)
        return problem_set(problem, STARLING_INVALID, "--out: is too long: name another file");
    strcpy(copy, path);
    snprintf(dir, PATH_MAX, "%s", dirname(copy));
    end = end ? end + 1 : path;
    if (out && (!*end || strlen(end) > NAME_MAX))
        return problem_set(problem, STARLING_INVALID,
                           "--out: %.200s: names no file: give one such as runs/compare.html", out);
    snprintf(name, NAME_MAX + 1, "%s", out ? end : PAGE_NAME);
    return STARLING_OK;
}

/* A file that is there already is replaced when it is a page of ours. */
static enum starling_error check_place(const char *dir, const char *name, bool force,
                                       struct problem *problem)
{
    char head[HEAD_BYTES + 1] = "";
    char *path = out_path(dir, name);
    FILE *file = path && !force ? fopen(path, "re") : NULL;
    enum starling_error error = path ? STARLING_OK : problem_no_memory(problem, "a file's name");
    if (file) {
        head[fread(head, 1, HEAD_BYTES, file)] = '\0';
        fclose(file);
        if (!strstr(head, "content=\"starling-sim\""))
            error = problem_set(problem, STARLING_INVALID,
                                "%s: is no page of starling-sim: replace it with --force, or "
                                "choose another file with --out",
                                path);
    }
    free(path);
    return error;
}

static enum starling_error write_page(const struct comparison *comparison, const char *dir,
                                      const char *name, struct problem *problem)
{
    struct out_text text;
    enum starling_error error = out_text_begin(&text, problem);
    if (error)
        return error;
    error = comparison_page(comparison, text.file, problem);
    return out_text_end(&text, dir, name, error, problem);
}

enum starling_error compare(char *const *dirs, size_t count, const struct compare_options *options,
                            struct problem *problem)
{
    char dir[PATH_MAX], name[NAME_MAX + 1], page[PATH_MAX + NAME_MAX + 2];
    struct comparison *comparison = comparison_new(dirs, count, problem);
    if (!comparison)
        return problem->error;
    enum starling_error error =
        choose_place(options->out, comparison->runs[0].past->dir, dir, name, problem);
    if (!error)
        error = check_place(dir, name, options->force, problem);
    if (!error)
        error = write_page(comparison, dir, name, problem);
    if (!error) {
        snprintf(page, sizeof page, "%s%s%s", strcmp(dir, ".") ? dir : "",
                 strcmp(dir, ".") ? "/" : "", name);
        if (options->json)
            error = comparison_json(comparison, page, stdout, problem);
        else
            comparison_print(comparison, stdout);
        if (!error && !options->json)
            printf("\n%s\n", page);
    }
    comparison_free(&comparison);
    return error;
}
