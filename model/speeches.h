/* speeches — a play's text sorted by who speaks.
 *
 * A speech begins with a line `NAME:` (at most 64 bytes, the colon its last) at the beginning of
 * the text or after an empty line, and goes on to the next one; all its lines belong to it, the
 * first and empty ones too. What stands before the first speech is said by nobody, who is a speaker
 * with the empty name. Lines end in LF or CRLF.
 */
#ifndef STARLING_SPEECHES_H
#define STARLING_SPEECHES_H

#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

/* What one speaker says, one speech after another. */
struct speaker {
    size_t start, count; /* bytes */
};

/* Puts `text` (count bytes) into the order of its speakers, those who say most first, equal ones by
 * name; a speaker's speeches keep theirs. *speakers, the caller's to free, tells where each is. */
enum starling_error speeches_sort(uint8_t *text, size_t count, struct speaker **speakers,
                                  size_t *speaker_count, struct problem *problem);

#endif
