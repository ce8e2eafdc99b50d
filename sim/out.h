/* out — where results go: folders that are made and, left empty, taken back; files that are written
 * whole or not at all; and one way to say that something cannot be written.
 */
#ifndef STARLING_OUT_H
#define STARLING_OUT_H

#include <signal.h>
#include <stdio.h>

#include "model/problem.h"

/* DIR/NAME, the caller's to free; NULL when memory is out. */
char *out_path(const char *dir, const char *name);

/* "PATH: why (errno): what to do". */
enum starling_error out_cannot_write(const char *path, struct problem *problem);

/* Makes `dir` and its parents; *made counts those that are new, from its end. */
enum starling_error out_make_folder(const char *dir, size_t *made, struct problem *problem);

/* The same, and holds the folder, so that no second program that does so works in it: a file to be
 * closed in the end, or −1 and a problem. Waits up to `wait_s` for who holds it, or until
 * *interrupted (may be NULL); `who`: "another run". */
int out_hold_folder(const char *dir, const char *who, double wait_s,
                    const volatile sig_atomic_t *interrupted, size_t *made,
                    struct problem *problem);

/* Takes back the last `made` of the folders that `dir` names, as far as they are empty. */
void out_remove_folder(const char *dir, size_t made);

/* A file's text, made in memory. */
struct out_text {
    char *bytes;
    size_t size;
    FILE *file;
};

enum starling_error out_text_begin(struct out_text *text, struct problem *problem);

/* Ends the text and, unless making it came to `error`, puts it into DIR/NAME. */
enum starling_error out_text_end(struct out_text *text, const char *dir, const char *name,
                                 enum starling_error error, struct problem *problem);

#endif
