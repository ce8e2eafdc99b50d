/* allocator — what a large world asks of the C library's memory.
 *
 * A world of many nodes is a few hundred million small blocks' worth of memory, read in no order:
 * with pages of 4 KiB the processor spends a good part of its time looking pages up, and blocks
 * that one event gives back are what the next one asks for. The library does better when told so,
 * which it can only be before a program starts.
 */
#ifndef STARLING_ALLOCATOR_H
#define STARLING_ALLOCATOR_H

#include <stddef.h>

/* Starts this program (argv) anew with the library told, where a world of so many nodes gains by it
 * and nobody has told the library anything else; returns where not, or where that has happened. */
void allocator_prepare(size_t nodes, char **argv);

#endif
