#include "tests/sim/command.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define WORDS_MAX 24

char program[PATH_MAX];
struct folder folder;
struct said said;

int command_begin(void)
{
    const char *name = getenv("STARLING_SIM");
    if (!name || access(name, X_OK) || !realpath(name, program)) {
        program[0] = '\0';
        fprintf(stderr, "skipped: STARLING_SIM names no program\n");
        return 0;
    }
    return folder_make(&folder);
}

void command_end(void)
{
    if (program[0])
        folder_remove(&folder);
}

double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

bool is_there(const char *name)
{
    return access(folder_file(&folder, name), F_OK) == 0;
}

void read_whole(const char *name, char *text, size_t size)
{
    long got = folder_read(&folder, name, text, size - 1);
    if (got < 0)
        fail_msg("%s: is not there", name);
    text[got] = '\0';
}

void write_text(const char *name, const char *text)
{
    assert_int_equal(folder_write(&folder, name, text, strlen(text)), 0);
}

void discard(const char *name)
{
    nftw(folder_file(&folder, name), folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void become(char **words, enum hold hold)
{
    int out =
        open(hold == HOLD_FULL_STDOUT ? "/dev/full" : "stdout", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int err = open("stderr", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int nothing = open("/dev/null", O_RDONLY);
    if (out < 0 || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    close(out);
    close(err);
    close(nothing);
    if (hold == HOLD_CLOSED_STDOUT)
        close(1);
    if (hold == HOLD_FILE_SIZE && setrlimit(RLIMIT_FSIZE, &(struct rlimit){2048, 2048}))
        _exit(126);
    execv(program, words);
    _exit(127);
}

pid_t launch(const char *arguments, enum hold hold)
{
    char *words[WORDS_MAX] = {program}, text[2048], *rest_of = text;
    size_t count = 1;
    snprintf(text, sizeof text, "%s", arguments);
    for (char *word; (word = strsep(&rest_of, " "));)
        if (*word) {
            assert_true(count < WORDS_MAX - 1);
            words[count++] = strcmp(word, "''") == 0 ? word + 2 : word;
        }
    pid_t process = fork();
    if (process == 0) {
        if (chdir(folder.path) == 0)
            become(words, hold);
        _exit(126);
    }
    assert_true(process > 0);
    return process;
}

void await(pid_t process, const char *arguments)
{
    double deadline = seconds() + DEADLINE_S;
    int how;
    while (waitpid(process, &how, WNOHANG) != process) {
        if (seconds() > deadline) {
            kill(process, SIGKILL);
            waitpid(process, NULL, 0);
            fail_msg("%s: does not end", arguments);
        }
        rest();
    }
    said.status = WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
    said.out[0] = '\0';
    if (is_there("stdout"))
        read_whole("stdout", said.out, sizeof said.out);
    read_whole("stderr", said.err, sizeof said.err);
    discard("stdout");
    discard("stderr");
}

void run_held(const char *arguments, enum hold hold)
{
    await(launch(arguments, hold), arguments);
}

void run(const char *arguments)
{
    run_held(arguments, HOLD_NOT);
}

void run_well(const char *arguments)
{
    run(arguments);
    if (said.status != 0)
        fail_msg("%s: ended with %d: %s", arguments, said.status, said.err);
}

void expect_line(const char *arguments, int status, const char *part)
{
    static const char prefix[] = "starling-sim: ";
    const char *newline = strchr(said.err, '\n');
    if (said.status != status)
        fail_msg("%s: ended with %d, wanted %d: %s", arguments, said.status, status, said.err);
    if (said.out[0])
        fail_msg("%s: printed %s", arguments, said.out);
    if (!newline || newline[1])
        fail_msg("%s: said not one line: \"%s\"", arguments, said.err);
    if (strncmp(said.err, prefix, strlen(prefix)) != 0 ||
        !strstr(said.err + strlen(prefix), ": ") || !strstr(said.err, part))
        fail_msg("%s: said \"%s\", wanted \"%s\"", arguments, said.err, part);
}
