#include "sim/sweep_plan.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define BLANKS " \t"

/* A copy of `text` without the blanks around it; NULL when memory is out. */
static char *copy_trimmed(const char *text, size_t length)
{
    while (length > 0 && strchr(BLANKS, text[0])) {
        text++;
        length--;
    }
    while (length > 0 && strchr(BLANKS, text[length - 1]))
        length--;
    return strndup(text, length);
}

static void free_values(char **values, size_t count)
{
    for (size_t i = 0; values && i < count; i++)
        free(values[i]);
    free(values);
}

/* Parts a list into values of their own. */
static enum starling_error read_values(const char *list, const char *where, char ***values,
                                       size_t *count, struct problem *problem)
{
    char mark[2] = {strchr(list, ';') ? ';' : ',', '\0'};
    *count = 0;
    if (!list[strspn(list, BLANKS)])
        return problem_set(problem, STARLING_INVALID,
                           "%s: names no value: write them with a comma between", where);
    *values = calloc(SWEEP_VALUES_MAX, sizeof **values);
    if (!*values)
        return problem_no_memory(problem, "the sweep");
    for (const char *next = list; next;) {
        size_t length = strcspn(next, mark);
        const char *rest = next[length] ? next + length + 1 : NULL;
        if (!rest && *mark == ';' && *count > 0 && !next[strspn(next, BLANKS)])
            break; /* what ends in the mark */
        if (*count == SWEEP_VALUES_MAX) {
            free_values(*values, *count);
            return problem_set(problem, STARLING_INVALID, "%s: more than %d values: name fewer",
                               where, SWEEP_VALUES_MAX);
        }
        char *value = copy_trimmed(next, length);
        if (!value) {
            free_values(*values, *count);
            return problem_no_memory(problem, "the sweep");
        }
        (*values)[(*count)++] = value;
        next = rest;
    }
    return STARLING_OK;
}

/* Whether `name` is a setting that a run has, that takes `value`, and that a sweep may choose. */
static enum starling_error check_setting(const char *name, const char *value, const char *where,
                                         struct problem *problem)
{
    struct config scratch;
    if (!strncmp(name, "node.", 5) || !strncmp(name, "control.", 8))
        return problem_set(problem, STARLING_INVALID,
                           "%s: %s: is a setting of devices: vary one of task, learn, gossip or "
                           "sim",
                           where, name);
    if (!strcmp(name, "sim.seed"))
        return problem_set(problem, STARLING_INVALID,
                           "%s: sim.seed: seeds have a list of their "
                           "own: write --seeds 1-5, or seeds = 1-5 in "
                           "[sweep]",
                           where);
    config_defaults(&scratch);
    return config_set(&scratch, name, value, where, problem);
}

static enum starling_error add_axis(struct sweep_plan *plan, const char *name, const char *list,
                                    bool flag, const char *where, struct problem *problem)
{
    if (strlen(name) >= SWEEP_NAME_MAX)
        return check_setting(name, "", where, problem);
    struct sweep_axis *axis = plan->axes, *end = plan->axes + plan->axis_count;
    while (axis < end && strcmp(axis->name, name))
        axis++;
    if (axis < end && axis->flag == flag)
        return problem_set(problem, STARLING_INVALID,
                           "%s: %s is varied twice: put its values into one list", where, name);
    if (axis == end && plan->axis_count == SWEEP_AXES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s: more than %d settings are varied: vary fewer", where,
                           SWEEP_AXES_MAX);
    char **values = NULL;
    size_t count = 0;
    enum starling_error error = read_values(list, where, &values, &count, problem);
    for (size_t i = 0; i < count && !error; i++)
        error = check_setting(name, values[i], where, problem);
    for (size_t i = 0; i < count && !error; i++)
        for (size_t j = 0; j < i && !error; j++)
            if (!strcmp(values[i], values[j]))
                error = problem_set(problem, STARLING_INVALID,
                                    "%s: %s is \"%.60s\" twice: once "
                                    "is enough",
                                    where, name, values[i]);
    if (error) {
        free_values(values, count);
        return error;
    }
    if (axis < end)
        free_values(axis->values, axis->count);
    else
        plan->axis_count++;
    *axis = (struct sweep_axis){.values = values, .count = count, .flag = flag};
    memcpy(axis->name, name, strlen(name) + 1);
    return STARLING_OK;
}

static bool read_whole(const char **text, uint64_t *number)
{
    const char *c = *text;
    uint64_t value = 0;
    if (!isdigit((unsigned char)*c))
        return false;
    for (; isdigit((unsigned char)*c); c++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
            return false;
    *text = c;
    *number = value;
    return true;
}

/* "1-5,7" into at most `most` different numbers; `what` are they. */
static enum starling_error read_numbers(const char *list, const char *where, const char *what,
                                        uint64_t *numbers, size_t most, size_t *count,
                                        struct problem *problem)
{
    size_t found = 0;
    for (const char *c = list;;) {
        uint64_t first, last;
        c += strspn(c, BLANKS);
        bool good = read_whole(&c, &first);
        last = first;
        if (good && *c == '-') {
            c++;
            good = read_whole(&c, &last);
        }
        c += strspn(c, BLANKS);
        if (!good || last < first || last > INT64_MAX || (*c && *c != ','))
            return problem_set(problem, STARLING_INVALID,
                               "%s: \"%.60s\" is no list of %s: write 1,2,3 or 1-5", where, list,
                               what);
        if (last - first >= most - found)
            return problem_set(problem, STARLING_INVALID, "%s: more than %zu %s: name fewer", where,
                               most, what);
        for (uint64_t number = first; number <= last; number++) {
            for (size_t i = 0; i < found; i++)
                if (numbers[i] == number)
                    return problem_set(problem, STARLING_INVALID,
                                       "%s: %" PRIu64 " is there twice: once is enough", where,
                                       number);
            numbers[found++] = number;
        }
        if (!*c++)
            break;
    }
    *count = found;
    return STARLING_OK;
}

static enum starling_error set_seeds(struct sweep_plan *plan, const char *list, const char *where,
                                     struct problem *problem)
{
    uint64_t *seeds = calloc(SWEEP_VALUES_MAX, sizeof *seeds);
    if (!seeds)
        return problem_no_memory(problem, "the sweep");
    size_t count = 0;
    enum starling_error error =
        read_numbers(list, where, "seeds", seeds, SWEEP_VALUES_MAX, &count, problem);
    if (error) {
        free(seeds);
        return error;
    }
    free(plan->seeds);
    plan->seeds = seeds;
    plan->seed_count = count;
    return STARLING_OK;
}

static enum starling_error set_marks(struct sweep_plan *plan, const char *list, const char *where,
                                     struct problem *problem)
{
    size_t count = 0;
    enum starling_error error =
        read_numbers(list, where, "rounds", plan->marks, SWEEP_MARKS_MAX, &count, problem);
    plan->mark_count = error ? 0 : count;
    return error;
}

enum starling_error sweep_plan_vary(struct sweep_plan *plan, const char *pair,
                                    struct problem *problem)
{
    const char *equals = strchr(pair, '=');
    if (!equals)
        return problem_set(problem, STARLING_INVALID,
                           "--vary: \"%.60s\" names no values: write section.key=A,B,C", pair);
    char *name = copy_trimmed(pair, (size_t)(equals - pair));
    if (!name)
        return problem_no_memory(problem, "the sweep");
    enum starling_error error = add_axis(plan, name, equals + 1, true, "--vary", problem);
    free(name);
    return error;
}

enum starling_error sweep_plan_seeds(struct sweep_plan *plan, const char *list,
                                     struct problem *problem)
{
    return set_seeds(plan, list, "--seeds", problem);
}

enum starling_error sweep_plan_at(struct sweep_plan *plan, const char *list,
                                  struct problem *problem)
{
    return set_marks(plan, list, "--at", problem);
}

static enum starling_error begin_case(struct sweep_plan *plan, const char *section,
                                      const char *where, struct problem *problem)
{
    const char *name = section + strlen("case");
    name += strspn(name, BLANKS);
    size_t length = strlen(name);
    if (length == 0 || length >= SWEEP_NAME_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s: a case has a name of 1 to %d characters: write [case NAME]", where,
                           SWEEP_NAME_MAX - 1);
    for (size_t i = 0; i < plan->case_count; i++)
        if (!strcmp(plan->cases[i].name, name))
            return problem_set(problem, STARLING_INVALID,
                               "%s: there is a case \"%s\" already: give it another name", where,
                               name);
    if (plan->case_count == SWEEP_CASES_MAX)
        return problem_set(problem, STARLING_INVALID, "%s: more than %d cases: make fewer", where,
                           SWEEP_CASES_MAX);
    if (!plan->cases)
        plan->cases = calloc(SWEEP_CASES_MAX, sizeof *plan->cases);
    if (!plan->cases)
        return problem_no_memory(problem, "the sweep");
    memcpy(plan->cases[plan->case_count++].name, name, length + 1);
    return STARLING_OK;
}

static enum starling_error add_to_case(struct sweep_case *one, const char *key, const char *value,
                                       const char *where, struct problem *problem)
{
    enum starling_error error = check_setting(key, value, where, problem);
    if (error)
        return error;
    for (size_t i = 0; i < one->count; i++)
        if (!strcmp(one->settings[i].name, key))
            return problem_set(problem, STARLING_INVALID,
                               "%s: %s is given twice in this case: remove one", where, key);
    if (one->count == SWEEP_SETTINGS_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "%s: more than %d settings in one case: give fewer", where,
                           SWEEP_SETTINGS_MAX);
    if (!one->settings)
        one->settings = calloc(SWEEP_SETTINGS_MAX, sizeof *one->settings);
    char *copy = strdup(value);
    if (!one->settings || !copy) {
        free(copy);
        return problem_no_memory(problem, "the sweep");
    }
    struct sweep_setting *setting = &one->settings[one->count++];
    setting->value = copy;
    memcpy(setting->name, key, strlen(key) + 1); /* a setting there is: its name fits */
    return STARLING_OK;
}

enum starling_error sweep_plan_take(void *self, const char *section, const char *key,
                                    const char *value, const char *where, struct problem *problem)
{
    struct sweep_plan *plan = self;
    bool one_case = strcmp(section, "sweep") != 0;
    if (one_case)
        return key ? add_to_case(&plan->cases[plan->case_count - 1], key, value, where, problem)
                   : begin_case(plan, section, where, problem);
    if (!key)
        return STARLING_OK;
    if ((!strcmp(key, "seeds") && plan->seed_count > 0) ||
        (!strcmp(key, "at") && plan->mark_count > 0))
        return problem_set(problem, STARLING_INVALID, "%s: %s is given twice: remove one", where,
                           key);
    if (!strcmp(key, "seeds"))
        return set_seeds(plan, value, where, problem);
    if (!strcmp(key, "at"))
        return set_marks(plan, value, where, problem);
    if (!strchr(key, '.'))
        return problem_set(problem, STARLING_INVALID,
                           "%s: [sweep] has no \"%.40s\": write seeds, at, or the full name of a "
                           "setting, section.key",
                           where, key);
    return add_axis(plan, key, value, false, where, problem);
}

bool sweep_plan_any(const struct sweep_plan *plan)
{
    return plan->case_count > 0 || plan->axis_count > 0 || plan->seed_count > 0 ||
           plan->mark_count > 0;
}

/* Appends "_text" in letters that are easy in a shell. */
static void add_word(char *name, size_t size, const char *text)
{
    size_t used = strlen(name);
    if (used > 0 && used + 1 < size)
        name[used++] = '_';
    for (; *text && used + 1 < size; text++)
        name[used++] = isalnum((unsigned char)*text) || strchr("+-.", *text) ? *text : '-';
    name[used] = '\0';
}

/* The name of a run's folder: its case, values and seed, "push_partition-classes-1_seed-3". Names
 * too long or not this run's alone end in a hash of what they stand for. */
static void make_name(const struct sweep_plan *plan, size_t run, char name[SWEEP_RUN_NAME_MAX])
{
    const struct sweep_row *row = &plan->rows[run / plan->seed_count];
    char text[SWEEP_RUN_NAME_MAX * 4] = "", word[SWEEP_NAME_MAX + SWEEP_RUN_NAME_MAX];
    if (plan->case_count > 0)
        add_word(text, sizeof text, plan->cases[row->case_number].name);
    for (size_t i = 0; i < plan->axis_count; i++) {
        const struct sweep_axis *axis = &plan->axes[i];
        snprintf(word, sizeof word, "%s-%.140s", strchr(axis->name, '.') + 1,
                 axis->values[row->value[i]]);
        add_word(text, sizeof text, word);
    }
    snprintf(word, sizeof word, "seed-%" PRIu64, plan->seeds[run % plan->seed_count]);
    add_word(text, sizeof text, word);
    if (text[0] == '.')
        text[0] = '-';
    snprintf(name, SWEEP_RUN_NAME_MAX, "%.*s", SWEEP_RUN_NAME_MAX - 1, text);
    bool own = strlen(text) < SWEEP_RUN_NAME_MAX;
    for (size_t i = 0; i < run && own; i++)
        own = strcmp(plan->names[i], name) != 0;
    if (own)
        return;
    unsigned char hash[8];
    char hex[2 * sizeof hash + 1];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 16);
    if (plan->case_count > 0) {
        const char *one = plan->cases[row->case_number].name;
        crypto_generichash_update(&state, (const unsigned char *)one, strlen(one) + 1);
    }
    for (size_t i = 0; i < plan->axis_count; i++) {
        const char *value = plan->axes[i].values[row->value[i]];
        crypto_generichash_update(&state, (const unsigned char *)value, strlen(value) + 1);
    }
    unsigned char whole[16];
    crypto_generichash_final(&state, whole, sizeof whole);
    memcpy(hash, whole, sizeof hash);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    snprintf(name, SWEEP_RUN_NAME_MAX, "%.*s_%s_seed-%" PRIu64, SWEEP_RUN_NAME_MAX - 48, text, hex,
             plan->seeds[run % plan->seed_count]);
}

/* What a case sets must not be varied too: which of them would hold? */
static enum starling_error check_cases(const struct sweep_plan *plan, struct problem *problem)
{
    for (size_t i = 0; i < plan->case_count; i++)
        for (size_t j = 0; j < plan->cases[i].count; j++)
            for (size_t k = 0; k < plan->axis_count; k++)
                if (!strcmp(plan->cases[i].settings[j].name, plan->axes[k].name))
                    return problem_set(problem, STARLING_INVALID,
                                       "%s: is varied and set by case \"%s\": leave one of the two "
                                       "out",
                                       plan->axes[k].name, plan->cases[i].name);
    return STARLING_OK;
}

static enum starling_error count_runs(struct sweep_plan *plan, struct problem *problem)
{
    size_t rows = plan->case_count > 0 ? plan->case_count : 1;
    for (size_t i = 0; i < plan->axis_count && rows <= SWEEP_RUNS_MAX; i++)
        rows *= plan->axes[i].count;
    if (rows > SWEEP_RUNS_MAX || rows * plan->seed_count > SWEEP_RUNS_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "sweep: more than %d runs: vary less at a time", SWEEP_RUNS_MAX);
    plan->row_count = rows;
    plan->run_count = rows * plan->seed_count;
    return STARLING_OK;
}

static void fill_rows(struct sweep_plan *plan)
{
    for (size_t i = 0; i < plan->row_count; i++) {
        size_t rest = i;
        for (size_t axis = plan->axis_count; axis-- > 0;) {
            plan->rows[i].value[axis] = rest % plan->axes[axis].count;
            rest /= plan->axes[axis].count;
        }
        plan->rows[i].case_number = rest;
    }
}

enum starling_error sweep_plan_finish(struct sweep_plan *plan, const struct config *base,
                                      struct problem *problem)
{
    enum starling_error error = check_cases(plan, problem);
    if (!error && plan->seed_count == 0) {
        plan->seeds = malloc(sizeof *plan->seeds);
        if (!plan->seeds)
            return problem_no_memory(problem, "the sweep");
        plan->seeds[plan->seed_count++] = base->sim.seed;
    }
    if (!error)
        error = count_runs(plan, problem);
    if (error)
        return error;
    plan->rows = calloc(plan->row_count, sizeof *plan->rows);
    plan->names = calloc(plan->run_count, sizeof *plan->names);
    if (!plan->rows || !plan->names)
        return problem_no_memory(problem, "the sweep");
    fill_rows(plan);
    for (size_t run = 0; run < plan->run_count; run++)
        make_name(plan, run, plan->names[run]);
    return STARLING_OK;
}

enum starling_error sweep_plan_config(const struct sweep_plan *plan, const struct config *base,
                                      size_t run, struct config *config, struct problem *problem)
{
    const struct sweep_row *row = &plan->rows[run / plan->seed_count];
    enum starling_error error = STARLING_OK;
    *config = *base;
    config->sim.seed = plan->seeds[run % plan->seed_count];
    if (plan->case_count > 0) {
        const struct sweep_case *one = &plan->cases[row->case_number];
        for (size_t i = 0; i < one->count && !error; i++)
            error = config_set(config, one->settings[i].name, one->settings[i].value, one->name,
                               problem);
    }
    for (size_t i = 0; i < plan->axis_count && !error; i++)
        error = config_set(config, plan->axes[i].name, plan->axes[i].values[row->value[i]],
                           "--vary", problem);
    return error;
}

static void write_values(char *const *values, size_t count, FILE *file)
{
    bool commas = false;
    for (size_t i = 0; i < count; i++)
        commas |= strchr(values[i], ',') != NULL;
    for (size_t i = 0; i < count; i++)
        fprintf(file, "%s%s", i == 0 ? "" : commas ? ";" : ",", values[i]);
    fputs(commas ? ";\n" : "\n", file);
}

void sweep_plan_write(const struct sweep_plan *plan, FILE *file)
{
    fputs("\n[sweep]\nseeds = ", file);
    for (size_t i = 0; i < plan->seed_count; i++)
        fprintf(file, "%s%" PRIu64, i ? "," : "", plan->seeds[i]);
    fputc('\n', file);
    for (size_t i = 0; i < plan->mark_count; i++)
        fprintf(file, "%s%" PRIu64 "%s", i ? "," : "at = ", plan->marks[i],
                i + 1 == plan->mark_count ? "\n" : "");
    for (size_t i = 0; i < plan->axis_count; i++) {
        fprintf(file, "%s = ", plan->axes[i].name);
        write_values(plan->axes[i].values, plan->axes[i].count, file);
    }
    for (size_t i = 0; i < plan->case_count; i++) {
        fprintf(file, "\n[case %s]\n", plan->cases[i].name);
        for (size_t j = 0; j < plan->cases[i].count; j++)
            fprintf(file, "%s = %s\n", plan->cases[i].settings[j].name,
                    plan->cases[i].settings[j].value);
    }
}

void sweep_plan_clear(struct sweep_plan *plan)
{
    for (size_t i = 0; i < plan->case_count; i++) {
        for (size_t j = 0; j < plan->cases[i].count; j++)
            free(plan->cases[i].settings[j].value);
        free(plan->cases[i].settings);
    }
    free(plan->cases);
    for (size_t i = 0; i < plan->axis_count; i++)
        free_values(plan->axes[i].values, plan->axes[i].count);
    free(plan->seeds);
    free(plan->rows);
    free(plan->names);
    *plan = (struct sweep_plan){0};
}
