/* process — a program started beside this one: its start, its end, its last words.
 *
 * It gets a process group of its own, so that Ctrl-C at the terminal reaches the one who started it
 * alone, and SIGTERM from the kernel should that one die. Its standard input is empty.
 */
#ifndef STARLING_PROCESS_H
#define STARLING_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct process {
    pid_t id;   /* 0: none was started */
    int status; /* as waitpid gave it, once `ended` */
    bool ended;
};

/* Starts `program` with its standard output and error going to the open files `out` and `err`.
 * Its BLAS takes one thread: several on one machine would only stand in each other's way. 0, or
 * errno. Call from a thread that lives as long as the process shall. */
int process_start(struct process *process, const char *program, char *const arguments[], int out,
                  int err);

/* True when it has ended (or never ran). */
bool process_gone(struct process *process);

/* Sends a signal, if it runs. */
void process_signal(const struct process *process, int number);

/* How it ended: "was ended by signal 9 (Killed)", "ended by itself, exit status 1". */
void process_how(const struct process *process, char *text, size_t size);

/* The last line of the file open as `file`, or "". */
void process_last_words(int file, char *text, size_t size);

#endif
