/* crashes — nodes that are gone for good, many at once.
 *
 * none
 * SHARE@TIME          at TIME so large a share of the nodes that are left crash: any of them
 * SHARE@TIME:best,…   those whose models are the best then
 *
 * The share is rounded to a number of nodes: one at least, and one at least is left.
 */
#ifndef STARLING_CRASHES_H
#define STARLING_CRASHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/problem.h"

#define CRASHES_MAX 32u

struct crashes {
    size_t count;
    uint64_t seed;
    struct crash {
        uint64_t at_us;
        double share;
        bool best;
    } crashes[CRASHES_MAX]; /* in the order of time */
};

/* `end_us`: of the run; a crash then or later is refused. */
enum starling_error crashes_parse(const char *text, uint64_t end_us, uint64_t seed,
                                  struct crashes *crashes, struct problem *problem);

/* Of those numbered by left[0 … count − 1], in any order, puts those in front that crash in the
 * crash of that number, and returns how many. Those of the best have the highest accuracy[i] of
 * left[i]; which of several alike, and who at random, the seed says. SIZE_MAX when memory is out.
 */
size_t crashes_choose(const struct crashes *crashes, size_t number, uint32_t *left, size_t count,
                      const double *accuracy);

#endif
