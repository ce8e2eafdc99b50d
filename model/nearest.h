/* nearest — the known word that a mistyped one most likely meant. */
#ifndef STARLING_NEAREST_H
#define STARLING_NEAREST_H

#include <stddef.h>

/* The one of `words` (count) with the least edit distance to `word` (Levenshtein 1966), the first
 * of several; NULL when none is nearer than about half its letters, so that a suggestion is never
 * absurd. Words beyond 64 bytes are passed over. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

#endif
