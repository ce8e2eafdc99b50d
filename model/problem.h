/* problem — what went wrong, where, and what to do about it.
 *
 * Below `main` nothing prints and nothing exits: a function that can fail returns an
 * enum starling_error (or NULL) and, when the caller lends a struct problem, one line of text
 * in the form "where: what is wrong: what to do".
 */
#ifndef STARLING_PROBLEM_H
#define STARLING_PROBLEM_H

enum starling_error {
    STARLING_OK = 0,
    STARLING_INVALID, /* a setting, file or message that makes no sense: the person must change it
                       */
    STARLING_FAILED,  /* the system said no: input/output, network, a library */
    STARLING_NO_MEMORY,
};

#define PROBLEM_TEXT_MAX 512

struct problem {
    enum starling_error error;
    char text[PROBLEM_TEXT_MAX];
};

/* Sets `problem` (which may be NULL) and returns `error`, so that a failing function can end with
 * `return problem_set(problem, STARLING_INVALID, "%s:%zu: …", file, line);`. Longer texts are cut.
 */
enum starling_error problem_set(struct problem *problem, enum starling_error error,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "where: " before the text of `problem`, which may be NULL. */
void problem_at(struct problem *problem, const char *where);

/* The text for running out of memory; returns STARLING_NO_MEMORY. `what` names what it was for. */
enum starling_error problem_no_memory(struct problem *problem, const char *what);

#endif
