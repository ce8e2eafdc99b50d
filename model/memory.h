/* memory — how much more of it this process can have.
 *
 * The system promises memory that it does not have and ends the process when it is used, so what a
 * file asks for is held against this before it is taken.
 */
#ifndef STARLING_MEMORY_H
#define STARLING_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that can still be used without swapping: what Linux calls available, within the limit of
 * the container; the machine's memory where neither is told, SIZE_MAX where nothing is known. */
size_t memory_left(void);

/* True when `bytes` more fit, with a sixteenth of what is left to spare. */
bool memory_holds(size_t bytes);

#endif
