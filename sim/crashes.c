#include "sim/crashes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/random.h"
#include "sim/words.h"

#define TIME_MOST_US 1000000000000000u /* 30 years */

/* "SHARE@TIME", "SHARE@TIME:random" or "SHARE@TIME:best". */
static bool parse_one(const char *text, struct crash *crash)
{
    char kind[WORD_MAX] = "random", time[WORD_MAX];
    const char *when = time;
    if (!words_number(&text, '@', 0, 1, &crash->share) || !words_next(&text, ':', time) ||
        !words_duration(&when, ':', 0, TIME_MOST_US, &crash->at_us) || *when)
        return false;
    if (*text && (!words_next(&text, ',', kind) || *text))
        return false;
    crash->best = strcmp(kind, "best") == 0;
    return (crash->best || strcmp(kind, "random") == 0) && crash->share > 0 && crash->share < 1;
}

static void put_in_order(struct crashes *crashes)
{
    for (size_t i = 1; i < crashes->count; i++) {
        struct crash crash = crashes->crashes[i];
        size_t place = i;
        for (; place > 0 && crashes->crashes[place - 1].at_us > crash.at_us; place--)
            crashes->crashes[place] = crashes->crashes[place - 1];
        crashes->crashes[place] = crash;
    }
}

enum starling_error crashes_parse(const char *text, uint64_t end_us, uint64_t seed,
                                  struct crashes *crashes, struct problem *problem)
{
    *crashes = (struct crashes){.seed = seed};
    if (strcmp(text, "none") == 0)
        return STARLING_OK;
    const char *rest = text;
    do {
        char word[WORD_MAX];
        struct crash *crash = &crashes->crashes[crashes->count];
        if (crashes->count == CRASHES_MAX)
            return problem_set(problem, STARLING_INVALID,
                               "sim.crash: there are more than %u crashes: write fewer",
                               CRASHES_MAX);
        if (!words_next(&rest, ',', word) || !parse_one(word, crash))
            return problem_set(problem, STARLING_INVALID,
                               "sim.crash: '%s' is no list of crashes: write none, or SHARE@TIME "
                               "with a share between 0 and 1 (0.7@10m), with :best behind it for "
                               "those of the highest accuracy (0.3@10m:best), and commas between",
                               text);
        if (crash->at_us >= end_us)
            return problem_set(problem, STARLING_INVALID,
                               "sim.crash: '%s' comes when the run has ended, after %g s: crash "
                               "earlier, or raise sim.rounds",
                               word, (double)end_us * 1e-6);
        crashes->count++;
    } while (*rest);
    put_in_order(crashes);
    return STARLING_OK;
}

struct candidate {
    double accuracy;
    uint64_t lot;
    uint32_t node;
};

/* The best first; among those alike in an order of their own. */
static int compare(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    if (a->accuracy != b->accuracy)
        return a->accuracy > b->accuracy ? -1 : 1;
    if (a->lot != b->lot)
        return a->lot < b->lot ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

size_t crashes_choose(const struct crashes *crashes, size_t number, uint32_t *left, size_t count,
                      const double *accuracy)
{
    const struct crash *crash = &crashes->crashes[number];
    size_t chosen = (size_t)llround(crash->share * (double)count);
    chosen = chosen > 0 ? chosen : 1;
    if (chosen >= count)
        chosen = count > 0 ? count - 1 : 0;
    struct candidate *candidates = malloc((count + 1) * sizeof *candidates);
    if (!candidates)
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        struct random random = random_stream(crashes->seed, left[i], RANDOM_CRASH, number);
        bool known = crash->best && !isnan(accuracy[i]);
        candidates[i] = (struct candidate){known ? accuracy[i] : -1, random_u64(&random), left[i]};
    }
    qsort(candidates, count, sizeof *candidates, compare);
    for (size_t i = 0; i < count; i++)
        left[i] = candidates[i].node;
    free(candidates);
    return chosen;
}
