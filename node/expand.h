/* expand — environment variables in a text: ${NAME} becomes what NAME holds.
 *
 * So an experiment file can name data that lie elsewhere on another machine. A `$` without a brace
 * stays as it is.
 */
#ifndef STARLING_EXPAND_H
#define STARLING_EXPAND_H

#include <stddef.h>

#include "model/problem.h"

/* Writes `text` into `out` (`size` bytes) with each ${NAME} replaced. `what` ("--data: task.data")
 * begins the problem's text: a variable that is not set, a name that is none, a missing brace, a
 * value that itself holds ${, or a result that does not fit. */
enum starling_error expand(const char *text, char *out, size_t size, const char *what,
                           struct problem *problem);

#endif
