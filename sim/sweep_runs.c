#include "sim/sweep_runs.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sim/out.h"
#include "sim/process.h"
#include "sim/progress.h"
#include "sim/stopwatch.h"

#define SECTIONS "task learn gossip sim"
#define ASKED "asked.ini"
#define ARGUMENTS_MAX 512
#define LOOK_NS 200000000L /* between two looks at the running, unless one ends */
#define END_S 20.0         /* what an interrupted run has to write what it has */
#define WORDS_MAX 400

char *sweep_run_folder(const struct sweep_runs *sweep, size_t run)
{
    return out_path(sweep->dir, sweep->plan->names[run]);
}

/* The settings a run is asked for, as text. Threads do not change results and are left out. */
static enum starling_error asked_text(const struct sweep_runs *sweep, size_t run, char **text,
                                      struct problem *problem)
{
    struct config config;
    struct out_text out;
    enum starling_error error = sweep_plan_config(sweep->plan, sweep->base, run, &config, problem);
    if (!error)
        error = out_text_begin(&out, problem);
    if (error)
        return error;
    config.sim.threads = 0;
    error = config_write(&config, SECTIONS, false, out.file, problem);
    if (fclose(out.file) != 0 && !error)
        error = problem_no_memory(problem, "the sweep");
    if (error)
        free(out.bytes);
    else
        *text = out.bytes;
    return error;
}

/* The name of the first setting in which two such texts differ; "" when they are equal. */
static void first_difference(const char *ours, const char *theirs, char name[SWEEP_NAME_MAX])
{
    char section[SWEEP_NAME_MAX] = "";
    name[0] = '\0';
    while (*ours) {
        size_t length = strcspn(ours, "\n"), other = strcspn(theirs, "\n");
        if (length != other || memcmp(ours, theirs, length)) {
            snprintf(name, SWEEP_NAME_MAX, "%.20s.%.*s", section, (int)strcspn(ours, " ="), ours);
            return;
        }
        if (ours[0] == '[')
            snprintf(section, sizeof section, "%.*s", (int)length - 2, ours + 1);
        ours += length + (ours[length] == '\n');
        theirs += length + (theirs[length] == '\n');
    }
}

/* What a complete run in `dir` was asked for, written as this program writes it; NULL: not known.
 */
static char *asked_before(const char *dir)
{
    struct config config;
    struct out_text out;
    char *path = out_path(dir, ASKED), *text = NULL;
    config_defaults(&config);
    if (path && !config_load(&config, path, NULL) && !out_text_begin(&out, NULL)) {
        bool failed = config_write(&config, SECTIONS, false, out.file, NULL) != STARLING_OK;
        if (fclose(out.file) != 0 || failed)
            free(out.bytes);
        else
            text = out.bytes;
    }
    free(path);
    return text;
}

static bool is_complete(const char *dir)
{
    char *path = out_path(dir, "summary.json");
    json_t *summary = path ? json_load_file(path, 0, NULL) : NULL;
    bool complete = json_is_true(json_object_get(summary, "complete"));
    json_decref(summary);
    free(path);
    return complete;
}

static enum starling_error survey_one(struct sweep_runs *sweep, size_t run, const char *dir,
                                      struct problem *problem)
{
    if (!is_complete(dir) || sweep->force)
        return STARLING_OK;
    char *ours = NULL, *theirs = asked_before(dir), name[SWEEP_NAME_MAX];
    enum starling_error error = asked_text(sweep, run, &ours, problem);
    if (!error && !theirs) {
        error = problem_set(problem, STARLING_INVALID,
                            "%s: holds a run that is none of a sweep: replace it with --force, or "
                            "choose another folder with --out",
                            dir);
    } else if (!error) {
        first_difference(ours, theirs, name);
        if (!name[0])
            sweep->runs[run].state = SWEEP_SKIPPED;
        else
            error = problem_set(problem, STARLING_INVALID,
                                "%s: holds a run with another %s: replace it with --force, or "
                                "choose another folder with --out",
                                dir, name);
    }
    free(ours);
    free(theirs);
    return error;
}

enum starling_error sweep_runs_survey(struct sweep_runs *sweep, struct problem *problem)
{
    enum starling_error error = STARLING_OK;
    for (size_t run = 0; run < sweep->plan->run_count && !error; run++) {
        char *dir = sweep_run_folder(sweep, run);
        error = dir ? survey_one(sweep, run, dir, problem)
                    : problem_no_memory(problem, "a folder's name");
        free(dir);
    }
    return error;
}

size_t sweep_runs_count(const struct sweep_runs *sweep, enum sweep_state state)
{
    size_t count = 0;
    for (size_t run = 0; run < sweep->plan->run_count; run++)
        count += sweep->runs[run].state == state;
    return count;
}

/* One of the runs that go on side by side. */
struct job {
    bool busy;
    size_t run;
    struct process process;
    int said; /* a file in memory with what it says */
};

struct making {
    struct sweep_runs *sweep;
    struct job *jobs;
    size_t job_count, threads; /* of each job */
    size_t next;               /* run to start */
    char program[PATH_MAX];
    char *plain; /* the settings of a default config, as text */
    struct progress progress;
};

/* The settings of `text` that differ from the defaults, as "section.key=value" behind "--set";
 * both texts have the same lines. The strings are the caller's to free: every second one. */
static size_t add_settings(const char *text, const char *plain, char **arguments, size_t used)
{
    char section[SWEEP_NAME_MAX] = "";
    static char set[] = "--set";
    while (*text && used + 3 < ARGUMENTS_MAX) {
        size_t length = strcspn(text, "\n"), other = strcspn(plain, "\n");
        char *pair = NULL;
        const char *equals = memchr(text, '=', length);
        if (text[0] == '[')
            snprintf(section, sizeof section, "%.*s", (int)length - 2, text + 1);
        else if (equals && (length != other || memcmp(text, plain, length)) &&
                 asprintf(&pair, "%s.%.*s=%.*s", section, (int)(equals - text - 1), text,
                          (int)(text + length - equals - 1 - (equals[1] == ' ')),
                          equals + 1 + (equals[1] == ' ')) >= 0) {
            arguments[used++] = set;
            arguments[used++] = pair;
        }
        text += length + (text[length] == '\n');
        plain += other + (plain[other] == '\n');
    }
    return used;
}

static enum starling_error start_process(struct making *making, struct job *job, const char *text,
                                         char *dir, struct problem *problem)
{
    char name[] = "starling-sim", command[] = "run", quiet[] = "--quiet", force[] = "--force";
    char out[] = "--out", threads[] = "--threads", number[24];
    char *arguments[ARGUMENTS_MAX] = {name, command, quiet, force, out, dir, threads, number};
    size_t fixed = 8, used = add_settings(text, making->plain, arguments, fixed);
    snprintf(number, sizeof number, "%zu", making->threads);
    int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    job->said = memfd_create("said", MFD_CLOEXEC);
    int reason = nothing >= 0 && job->said >= 0
                     ? process_start(&job->process, making->program, arguments, nothing, job->said)
                     : errno;
    for (size_t i = fixed; i < used; i += 2)
        free(arguments[i + 1]);
    if (nothing >= 0)
        close(nothing);
    if (!reason)
        return STARLING_OK;
    if (job->said >= 0)
        close(job->said);
    return problem_set(problem, STARLING_FAILED, "%s: cannot be started: %s", making->program,
                       strerror(reason));
}

static enum starling_error start(struct making *making, struct job *job, size_t run,
                                 struct problem *problem)
{
    size_t made = 0;
    char *text = NULL, *dir = sweep_run_folder(making->sweep, run);
    struct out_text asked;
    enum starling_error error = dir ? asked_text(making->sweep, run, &text, problem)
                                    : problem_no_memory(problem, "a folder's name");
    if (!error)
        error = out_make_folder(dir, &made, problem);
    if (!error)
        error = out_text_begin(&asked, problem);
    if (!error) {
        fputs(text, asked.file);
        error = out_text_end(&asked, dir, ASKED, STARLING_OK, problem);
    }
    if (!error)
        error = start_process(making, job, text, dir, problem);
    if (!error) {
        job->busy = true;
        job->run = run;
        making->sweep->runs[run].state = SWEEP_RUNNING;
    }
    free(text);
    free(dir);
    return error;
}

/* What a failed run said, without "starling-sim: " and the flag by which it got its settings. */
static char *reason_of(struct job *job)
{
    char words[WORDS_MAX], how[64];
    const char *text = words;
    process_last_words(job->said, words, sizeof words);
    static const char *const prefixes[] = {"starling-sim: ", "--set: "};
    for (size_t i = 0; i < 2; i++)
        if (!strncmp(text, prefixes[i], strlen(prefixes[i])))
            text += strlen(prefixes[i]);
    process_how(&job->process, how, sizeof how);
    return strdup(*text ? text : how);
}

static void tell(struct making *making, size_t run, const char *what)
{
    progress_clear(&making->progress);
    fprintf(stderr, "starling-sim: %s: %s\n", making->sweep->plan->names[run], what);
}

/* Takes back the folder of a run that left nothing. */
static void tidy(const char *dir)
{
    char *asked = out_path(dir, ASKED), *experiment = out_path(dir, "experiment.ini");
    if (asked && experiment && access(experiment, F_OK) != 0) {
        unlink(asked);
        rmdir(dir);
    }
    free(asked);
    free(experiment);
}

/* A job has ended: what became of its run? */
static void end_job(struct making *making, struct job *job, bool stopped)
{
    struct sweep_run *run = &making->sweep->runs[job->run];
    char *dir = sweep_run_folder(making->sweep, job->run);
    int status = job->process.status;
    job->busy = false;
    if (dir && WIFEXITED(status) && WEXITSTATUS(status) == 0 && is_complete(dir)) {
        run->state = SWEEP_DONE;
    } else if (stopped) {
        run->state = SWEEP_WAITING;
    } else {
        run->state = SWEEP_FAILED;
        run->why = reason_of(job);
        tell(making, job->run, run->why ? run->why : "failed");
    }
    if (dir && run->state != SWEEP_DONE)
        tidy(dir);
    close(job->said);
    free(dir);
}

static size_t reap(struct making *making, bool stopped)
{
    size_t busy = 0;
    for (size_t i = 0; i < making->job_count; i++) {
        struct job *job = &making->jobs[i];
        if (job->busy && process_gone(&job->process))
            end_job(making, job, stopped);
        busy += job->busy;
    }
    return busy;
}

/* Until a child ends, or a moment has passed. SIGCHLD is blocked. */
static void wait_for_one(void)
{
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigtimedwait(&child, NULL, &(struct timespec){.tv_nsec = LOOK_NS});
}

static enum starling_error start_next(struct making *making, struct problem *problem)
{
    struct sweep_runs *sweep = making->sweep;
    enum starling_error error = STARLING_OK;
    for (size_t i = 0; i < making->job_count && !error && !*sweep->interrupted; i++) {
        while (making->next < sweep->plan->run_count &&
               sweep->runs[making->next].state != SWEEP_WAITING)
            making->next++;
        if (!making->jobs[i].busy && making->next < sweep->plan->run_count)
            error = start(making, &making->jobs[i], making->next++, problem);
    }
    return error;
}

/* Ends those that run: by asking first. */
static void stop_all(struct making *making)
{
    double begun = stopwatch_seconds();
    for (bool killed = false; reap(making, true) > 0;) {
        bool late = stopwatch_seconds() - begun > END_S;
        for (size_t i = 0; i < making->job_count; i++)
            if (making->jobs[i].busy && (!killed || late))
                process_signal(&making->jobs[i].process, late ? SIGKILL : SIGTERM);
        killed = true;
        wait_for_one();
    }
}

static enum starling_error make_all(struct making *making, struct problem *problem)
{
    const struct sweep_runs *sweep = making->sweep;
    size_t skipped = sweep_runs_count(sweep, SWEEP_SKIPPED);
    enum starling_error error = STARLING_OK;
    progress_begin(&making->progress, "run", sweep->plan->run_count - skipped, sweep->quiet);
    while (!error && !*sweep->interrupted) {
        error = start_next(making, problem);
        size_t running = reap(making, false);
        size_t ended = sweep_runs_count(sweep, SWEEP_DONE) + sweep_runs_count(sweep, SWEEP_FAILED);
        progress_count(&making->progress, ended, running);
        if (running == 0 && making->next == sweep->plan->run_count)
            break;
        if (running == making->job_count || making->next == sweep->plan->run_count)
            wait_for_one();
    }
    stop_all(making);
    progress_end(&making->progress);
    return error;
}

static enum starling_error prepare(struct making *making, struct problem *problem)
{
    const struct sweep_runs *sweep = making->sweep;
    struct config plain;
    struct out_text text;
    long found = sysconf(_SC_NPROCESSORS_ONLN);
    size_t cores = found > 0 ? (size_t)found : 1, runs = sweep_runs_count(sweep, SWEEP_WAITING);
    making->job_count = sweep->jobs ? sweep->jobs : cores;
    if (making->job_count > runs)
        making->job_count = runs ? runs : 1;
    making->threads = sweep->base->sim.threads;
    if (making->threads == 0)
        making->threads = cores > making->job_count ? cores / making->job_count : 1;
    ssize_t length = readlink("/proc/self/exe", making->program, sizeof making->program - 1);
    if (length <= 0)
        return problem_set(problem, STARLING_FAILED,
                           "/proc/self/exe: cannot be read: %s: see that /proc is mounted",
                           strerror(errno));
    making->program[length] = '\0';
    making->jobs = calloc(making->job_count, sizeof *making->jobs);
    enum starling_error error =
        making->jobs ? out_text_begin(&text, problem) : problem_no_memory(problem, "the sweep");
    if (error)
        return error;
    config_defaults(&plain);
    error = config_write(&plain, SECTIONS, false, text.file, problem);
    if (fclose(text.file) != 0 && !error)
        error = problem_no_memory(problem, "the sweep");
    making->plain = text.bytes;
    return error;
}

enum starling_error sweep_runs_make(struct sweep_runs *sweep, struct problem *problem)
{
    struct making making = {.sweep = sweep};
    sigset_t child, before;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);
    enum starling_error error = prepare(&making, problem);
    if (!error)
        error = make_all(&making, problem);
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(making.jobs);
    free(making.plain);
    return error;
}

void sweep_runs_clear(struct sweep_runs *sweep)
{
    for (size_t run = 0; sweep->runs && run < sweep->plan->run_count; run++)
        free(sweep->runs[run].why);
    free(sweep->runs);
    sweep->runs = NULL;
}
