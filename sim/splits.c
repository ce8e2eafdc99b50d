#include "sim/splits.h"

#include <string.h>

#include "model/random.h"
#include "sim/words.h"

#define TIME_MOST_US 1000000000000000u /* 30 years */

/* "START-END:PARTS" or "START-END:SHARE"; the two differ by what they can be. */
static bool parse_one(const char *text, struct split *split)
{
    char span[WORD_MAX];
    const char *times = span;
    double number;
    if (!words_next(&text, ':', span) || !words_number(&text, ':', 0, SPLIT_PARTS_MAX, &number) ||
        *text)
        return false;
    if (!words_duration(&times, '-', 0, TIME_MOST_US, &split->from_us) ||
        !words_duration(&times, '-', split->from_us + 1, TIME_MOST_US, &split->until_us) || *times)
        return false;
    split->share = number;
    split->parts = number >= 2 ? (uint32_t)number : 0;
    return split->parts ? number == split->parts : number > 0 && number < 1;
}

enum starling_error splits_parse(const char *text, uint64_t end_us, uint64_t seed,
                                 struct splits *splits, struct problem *problem)
{
    *splits = (struct splits){.seed = seed};
    if (strcmp(text, "none") == 0)
        return STARLING_OK;
    const char *rest = text;
    do {
        char word[WORD_MAX];
        struct split *split = &splits->splits[splits->count];
        if (splits->count == SPLITS_MAX)
            return problem_set(problem, STARLING_INVALID,
                               "sim.partitions: there are more than %u splits: write fewer",
                               SPLITS_MAX);
        if (!words_next(&rest, ',', word) || !parse_one(word, split))
            return problem_set(problem, STARLING_INVALID,
                               "sim.partitions: '%s' is no list of splits: write none, or "
                               "START-END:PARTS with 2 to %u parts (10m-20m:2) or START-END:SHARE "
                               "with the share cut off (10m-20m:0.3), and commas between",
                               text, SPLIT_PARTS_MAX);
        if (split->from_us >= end_us)
            return problem_set(problem, STARLING_INVALID,
                               "sim.partitions: '%s' begins when the run has ended, after %g s: "
                               "begin earlier, or raise sim.rounds",
                               word, (double)end_us * 1e-6);
        splits->count++;
    } while (*rest);
    return STARLING_OK;
}

uint32_t splits_side(const struct splits *splits, size_t number, peer_id node)
{
    const struct split *split = &splits->splits[number];
    struct random random = random_stream(splits->seed, node, RANDOM_SIDE, number);
    return split->parts ? random_below(&random, split->parts)
                        : random_uniform(&random) < split->share;
}

bool splits_part(const struct splits *splits, peer_id sender, peer_id receiver, uint64_t sent_us,
                 uint64_t arrives_us)
{
    for (size_t i = 0; i < splits->count; i++) {
        const struct split *split = &splits->splits[i];
        if (split->from_us <= arrives_us && sent_us < split->until_us &&
            splits_side(splits, i, sender) != splits_side(splits, i, receiver))
            return true;
    }
    return false;
}
