/* words — a setting's text taken apart, as in "lognormal:50ms,0.5".
 *
 * Each function reads what stands before the next separator, or before the end, and moves *text
 * behind it. False when that is not what was asked for, and when nothing follows a separator: then
 * *text is anywhere.
 */
#ifndef STARLING_WORDS_H
#define STARLING_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#define WORD_MAX 64 /* bytes of a word, its end included */

/* Moves *text behind `start` if it begins with that. */
bool words_begin(const char **text, const char *start);

/* A word that is not empty. */
bool words_next(const char **text, char separator, char word[WORD_MAX]);

/* A decimal number from `least` to `most`. */
bool words_number(const char **text, char separator, double least, double most, double *number);

/* A duration with its unit, from `least_us` to `most_us`. */
bool words_duration(const char **text, char separator, uint64_t least_us, uint64_t most_us,
                    uint64_t *us);

#endif
