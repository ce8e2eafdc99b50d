/* command — starling-sim as a person runs it, from a test: in a folder of its own, its exit status
 * and what it prints kept. The program is named by the environment variable STARLING_SIM.
 */
#ifndef STARLING_TEST_COMMAND_H
#define STARLING_TEST_COMMAND_H

#include "tests/node/folder.h"

#include <stdbool.h>
#include <sys/types.h>

#define DEADLINE_S 60.0 /* for what takes milliseconds, on a slow and busy machine */

extern char program[PATH_MAX]; /* "": there is none, and the test skips */
extern struct folder folder;   /* every run's working folder, with the inputs in it */

/* How a run is held back. */
enum hold { HOLD_NOT, HOLD_FILE_SIZE, HOLD_FULL_STDOUT, HOLD_CLOSED_STDOUT };

/* How a run ended, and what it printed. */
struct said {
    int status; /* -N: by signal N */
    char out[16384], err[16384];
};
extern struct said said;

/* Finds the program and makes the folder; 0, also when there is no program. */
int command_begin(void);
void command_end(void);

double seconds(void);
void rest(void);

bool is_there(const char *name);
void read_whole(const char *name, char *text, size_t size);
void write_text(const char *name, const char *text);
void discard(const char *name);

/* Starts it with the words of `arguments`, parted by blanks ('' is an empty one). */
pid_t launch(const char *arguments, enum hold hold);
void await(pid_t process, const char *arguments);
void run_held(const char *arguments, enum hold hold);
void run(const char *arguments);

/* It ended well. */
void run_well(const char *arguments);

/* "starling-sim: what is wrong: what to do", and no more. */
void expect_line(const char *arguments, int status, const char *part);

#endif
