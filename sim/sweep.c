#include "sim/sweep.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/experiment.h"
#include "sim/out.h"
#include "sim/sweep_table.h"

/* Whether a run like this has a row of its nodes after that round. */
static bool tests_after(const struct config *config, uint64_t round)
{
    uint64_t rounds = config->sim.rounds, last = rounds + config->sim.final;
    return round > 0 && round <= last &&
           (round % config->sim.eval_every == 0 || round == rounds || round == last);
}

/* A mark that no run comes to would be no column at all. */
static enum starling_error check_marks(const struct sweep_plan *plan, const bool *reached,
                                       struct problem *problem)
{
    for (size_t i = 0; i < plan->mark_count; i++)
        if (!reached[i])
            return problem_set(problem, STARLING_INVALID,
                               "sweep: at: no run is tested after round %llu: name multiples of "
                               "sim.eval_every up to sim.rounds",
                               (unsigned long long)plan->marks[i]);
    return STARLING_OK;
}

/* What can be known to be wrong with any of the runs before one is made. */
static enum starling_error check_all(const struct sweep_plan *plan, const struct config *base,
                                     struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    bool reached[SWEEP_MARKS_MAX] = {false};
    struct config config;
    for (size_t row = 0; row < plan->row_count && !error; row++) {
        error = sweep_plan_config(plan, base, row * plan->seed_count, &config, problem);
        if (!error)
            error = experiment_check(&config, problem);
        if (!error)
            error = experiment_look(&config, problem);
        for (size_t i = 0; i < plan->mark_count && !error; i++)
            reached[i] = reached[i] || tests_after(&config, plan->marks[i]);
    }
    return error ? error : check_marks(plan, reached, problem);
}

/* runs/NAME: by task.name, or else the experiment's file. */
static void default_folder(const struct config *base, const char *file, char *dir, size_t size)
{
    const char *name = base->task.name;
    size_t length = strlen(name);
    if (length == 0 && file) {
        const char *slash = strrchr(file, '/'), *dot;
        name = slash ? slash + 1 : file;
        dot = strrchr(name, '.');
        length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    }
    if (length == 0)
        snprintf(dir, size, "runs/sweep");
    else
        snprintf(dir, size, "runs/%.*s", (int)length, name);
}

static enum starling_error write_plan(const struct sweep_runs *sweep, struct problem *problem)
{
    struct out_text text;
    enum starling_error error = out_text_begin(&text, problem);
    if (error)
        return error;
    error = config_write(sweep->base, "task learn gossip sim", false, text.file, problem);
    sweep_plan_write(sweep->plan, text.file);
    return out_text_end(&text, sweep->dir, "sweep.ini", error, problem);
}

static enum starling_error gather(const struct sweep_runs *sweep, struct figures *figures,
                                  struct problem *problem)
{
    const struct sweep_plan *plan = sweep->plan;
    enum starling_error error = STARLING_OK;
    for (size_t run = 0; run < plan->run_count && !error; run++) {
        enum sweep_state state = sweep->runs[run].state;
        if (state != SWEEP_DONE && state != SWEEP_SKIPPED)
            continue;
        char *dir = sweep_run_folder(sweep, run);
        error = dir ? figures_take(figures, run, dir, plan->marks, plan->mark_count, problem)
                    : problem_no_memory(problem, "a folder's name");
        free(dir);
    }
    return error;
}

static enum starling_error write_tables(const struct sweep_runs *sweep,
                                        const struct figures *figures, struct problem *problem)
{
    struct out_text text;
    enum starling_error error = out_text_begin(&text, problem);
    if (error)
        return error;
    sweep_table_csv(sweep, figures, text.file);
    error = out_text_end(&text, sweep->dir, "sweep.csv", STARLING_OK, problem);
    if (!error)
        error = out_text_begin(&text, problem);
    if (error)
        return error;
    error = sweep_table_json(sweep, figures, text.file, problem);
    return out_text_end(&text, sweep->dir, "sweep.json", error, problem);
}

/* Reads what all runs left, and tells it. */
static enum starling_error tell(const struct sweep_runs *sweep, const struct sweep_options *options,
                                struct problem *problem)
{
    struct figures *figures = figures_new(sweep->plan->run_count);
    if (!figures)
        return problem_no_memory(problem, "the table");
    enum starling_error error = gather(sweep, figures, problem);
    if (!error)
        error = write_tables(sweep, figures, problem);
    if (!error && options->json)
        error = sweep_table_json(sweep, figures, stdout, problem);
    else if (!error)
        error = sweep_table_print(sweep, figures, stdout, problem);
    figures_free(&figures);
    return error;
}

static void note(const struct sweep_runs *sweep, const char *what, size_t count)
{
    if (!sweep->quiet && count > 0)
        fprintf(stderr, "%zu of %zu runs %s\n", count, sweep->plan->run_count, what);
}

static enum starling_error make_runs(struct sweep_runs *sweep, const struct sweep_options *options,
                                     struct problem *problem)
{
    enum starling_error error = write_plan(sweep, problem);
    note(sweep, "are there already and are left as they are",
         sweep_runs_count(sweep, SWEEP_SKIPPED));
    if (!error)
        error = sweep_runs_make(sweep, problem);
    struct problem trouble = {0};
    enum starling_error told = tell(sweep, options, &trouble);
    note(sweep, "are not made yet: the same command goes on",
         sweep_runs_count(sweep, SWEEP_WAITING));
    if (!error && told)
        error = problem_set(problem, told, "%s", trouble.text);
    return error;
}

enum starling_error sweep(const struct config *base, struct sweep_plan *plan,
                          const struct sweep_options *options, size_t *failed,
                          struct problem *problem)
{
    char dir[PATH_MAX];
    size_t made = 0;
    *failed = 0;
    enum starling_error error = sweep_plan_finish(plan, base, problem);
    if (!error)
        error = check_all(plan, base, problem);
    if (error)
        return error;
    if (options->out)
        snprintf(dir, sizeof dir, "%s", options->out);
    else
        default_folder(base, options->file, dir, sizeof dir);
    struct sweep_runs runs = {
        .plan = plan,
        .base = base,
        .dir = dir,
        .jobs = options->jobs,
        .force = options->force,
        .quiet = options->quiet,
        .interrupted = options->interrupted,
        .runs = calloc(plan->run_count, sizeof *runs.runs),
    };
    int folder = runs.runs ? out_hold_folder(dir, "another sweep", 0, NULL, &made, problem) : -1;
    if (!runs.runs)
        error = problem_no_memory(problem, "the sweep");
    else if (folder < 0)
        error = problem->error;
    else
        error = sweep_runs_survey(&runs, problem);
    if (!error)
        error = make_runs(&runs, options, problem);
    *failed = runs.runs ? sweep_runs_count(&runs, SWEEP_FAILED) : 0;
    if (folder >= 0)
        close(folder);
    if (error)
        out_remove_folder(dir, made); /* unless there is something in it */
    sweep_runs_clear(&runs);
    return error;
}
