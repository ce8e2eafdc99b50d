#include "sim/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_NO_PROGRAM 127

extern char **environ;

static char **make_environment(void)
{
    static const char setting[] = "OPENBLAS_NUM_THREADS=";
    static char one[] = "OPENBLAS_NUM_THREADS=1";
    size_t count = 0, kept = 0;
    while (environ[count])
        count++;
    char **variables = calloc(count + 2, sizeof *variables);
    for (size_t i = 0; variables && i < count; i++)
        if (strncmp(environ[i], setting, sizeof setting - 1) != 0)
            variables[kept++] = environ[i];
    if (variables)
        variables[kept] = one;
    return variables;
}

/* Between fork and exec of a program with threads: only what is async-signal-safe. */
static void become(const char *program, char *const arguments[], char *const variables[],
                   int nothing, int out, int err, pid_t starter)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != starter) /* it died before the kernel was asked */
        _exit(EXIT_NO_PROGRAM);
    if (dup2(nothing, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(err, STDERR_FILENO) >= 0)
        execve(program, arguments, variables);
    _exit(EXIT_NO_PROGRAM);
}

int process_start(struct process *process, const char *program, char *const arguments[], int out,
                  int err)
{
    *process = (struct process){0};
    char **variables = make_environment();
    if (!variables)
        return ENOMEM;
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t starter = getpid(), id = nothing >= 0 ? fork() : -1;
    if (id == 0)
        become(program, arguments, variables, nothing, out, err, starter);
    int reason = errno;
    if (nothing >= 0)
        close(nothing);
    free(variables);
    if (id < 0)
        return reason;
    process->id = id;
    return 0;
}

bool process_gone(struct process *process)
{
    if (!process->id || process->ended)
        return true;
    pid_t id;
    do
        id = waitpid(process->id, &process->status, WNOHANG);
    while (id < 0 && errno == EINTR);
    process->ended = id != 0;
    return process->ended;
}

void process_signal(const struct process *process, int number)
{
    if (process->id && !process->ended)
        kill(process->id, number);
}

void process_how(const struct process *process, char *text, size_t size)
{
    if (WIFSIGNALED(process->status))
        snprintf(text, size, "was ended by signal %d (%s)", WTERMSIG(process->status),
                 strsignal(WTERMSIG(process->status)));
    else
        snprintf(text, size, "ended by itself, exit status %d", WEXITSTATUS(process->status));
}

void process_last_words(int file, char *text, size_t size)
{
    off_t end = lseek(file, 0, SEEK_END), most = (off_t)size - 1;
    ssize_t got = end < 0 ? -1 : pread(file, text, size - 1, end > most ? end - most : 0);
    size_t length = got > 0 ? (size_t)got : 0;
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\0'))
        length--;
    text[length] = '\0';
    char *line = strrchr(text, '\n');
    if (line)
        memmove(text, line + 1, strlen(line + 1) + 1);
}
