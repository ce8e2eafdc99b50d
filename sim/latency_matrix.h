/* latency_matrix — the door for measured round-trip times.
 */
#ifndef STARLING_LATENCY_MATRIX_H
#define STARLING_LATENCY_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

/* Reads `path` as sim/latency.h says. *matrix_us, places × places one-way times in microseconds,
 * row by row, is the caller's to free. Refused, with a problem that names file and line: rows of
 * different lengths, a matrix that is not square, of fewer than 2 places or more than
 * LATENCY_PLACES_MAX, times above 2 hours, words, and a file in which nothing was measured. */
enum starling_error latency_matrix_read(const char *path, uint32_t **matrix_us, size_t *places,
                                        struct problem *problem);

#endif
