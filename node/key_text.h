/* key_text — small text files of keys: a line "KIND 1", then "name HEX" lines in a fixed order.
 *
 * Lines that begin with # are comments. Anything else that is not expected refuses the file, with
 * its name and line.
 */
#ifndef STARLING_KEY_TEXT_H
#define STARLING_KEY_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

struct key_text {
    const char *file, *kind;
    const char *next; /* the text not read yet; borrowed, ends with a NUL */
    size_t line;
};

/* Starts reading: checks kind and version. `text` outlives *reader. */
enum starling_error key_text_begin(struct key_text *reader, const char *file, const char *kind,
                                   const char *text, struct problem *problem);
/* The next line must be `name` and `size` bytes in hexadecimal. */
enum starling_error key_text_hex(struct key_text *reader, const char *name, uint8_t *bytes,
                                 size_t size, struct problem *problem);
/* Nothing but comments may follow. */
enum starling_error key_text_end(struct key_text *reader, struct problem *problem);

#endif
