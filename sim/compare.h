/* compare — runs side by side: a table or JSON on stdout, and a page to look at.
 */
#ifndef STARLING_COMPARE_H
#define STARLING_COMPARE_H

#include <stdio.h>

#include "sim/comparison.h"

struct compare_options {
    const char *out; /* the page; NULL: compare.html beside the first run's folder */
    bool force;      /* replace a file that is no page of ours */
    bool json;       /* rather than the table */
};

enum starling_error compare(char *const *dirs, size_t count, const struct compare_options *options,
                            struct problem *problem);

/* For a person: the figures of each run, and the settings that differ. */
void comparison_print(const struct comparison *comparison, FILE *file);

/* The same as JSON (docs/results-format.md); page: where the page is. */
enum starling_error comparison_json(const struct comparison *comparison, const char *page,
                                    FILE *file, struct problem *problem);

/* The page. */
enum starling_error comparison_page(const struct comparison *comparison, FILE *file,
                                    struct problem *problem);

#endif
