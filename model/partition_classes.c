#include <stdlib.h>

#include "model/partition_inside.h"

/* The classes that have examples, at most DATASET_CLASSES_MAX; returns how many. */
static size_t list_classes(const struct groups *classes, uint32_t *list)
{
    size_t count = 0;
    for (size_t c = 0; c < classes->count; c++)
        if (groups_size(classes, c) > 0)
            list[count++] = (uint32_t)c;
    return count;
}

static bool contains(const uint32_t *list, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == value)
            return true;
    return false;
}

/* Draws `per_node` different labels for every node into holds (nodes × per_node): the list of all
 * labels is dealt round, shuffled anew each time. A node that gets the end of one round and the
 * start of the next may meet a label again; it then takes the next one of the round instead. */
static void deal_labels(const struct deal *deal, uint32_t *list, size_t classes, size_t per_node,
                        uint32_t *holds)
{
    struct random random = deal_random(deal, STEP_LABELS);
    size_t at = classes;
    for (size_t node = 0; node < deal->nodes; node++) {
        uint32_t *mine = holds + node * per_node;
        for (size_t k = 0; k < per_node; k++, at++) {
            if (at == classes) {
                random_permute(&random, list, classes);
                at = 0;
            }
            size_t pick = at;
            while (contains(mine, k, list[pick]))
                pick++;
            mine[k] = list[pick];
            list[pick] = list[at];
            list[at] = mine[k];
        }
    }
}

/* Shares each class's examples out among the nodes that hold it. */
static enum starling_error share_classes(struct deal *deal, const struct groups *classes,
                                         const uint32_t *holds, size_t per_node)
{
    size_t total = deal->nodes * per_node;
    size_t *holders = calloc(classes->count, sizeof *holders);
    size_t *served = calloc(classes->count, sizeof *served);
    enum starling_error error = holders && served ? STARLING_OK : deal_no_memory(deal);
    for (size_t i = 0; i < total && !error; i++)
        holders[holds[i]]++;
    for (size_t c = 0; c < classes->count && !error; c++)
        if (holders[c] > groups_size(classes, c))
            error = problem_set(deal->problem, STARLING_INVALID,
                                "sim.partition: classes:%zu: class %zu has %zu examples for %zu "
                                "nodes: lower sim.nodes",
                                per_node, c, groups_size(classes, c), holders[c]);
    for (size_t i = 0; i < total && !error; i++) {
        size_t c = holds[i], size = groups_size(classes, c), turn = served[c]++;
        const uint32_t *rows = classes->rows + classes->start[c];
        size_t begin = share_start(size, holders[c], turn);
        size_t end = share_start(size, holders[c], turn + 1);
        deal->first[rows[begin]] = true;
        for (size_t k = begin; k < end; k++)
            deal->owner[rows[k]] = (uint32_t)(i / per_node);
    }
    free(holders);
    free(served);
    return error;
}

static enum starling_error check_classes(const struct deal *deal, size_t present, size_t per_node)
{
    if (per_node > present)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: classes:%zu: the data has %zu classes: ask for at most "
                           "as many",
                           per_node, present);
    if (deal->samples && deal->samples < per_node)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: classes:%zu: sim.samples is %zu: it must be at least "
                           "one a label",
                           per_node, deal->samples);
    return STARLING_OK;
}

enum starling_error deal_classes(struct deal *deal, size_t per_node)
{
    struct groups classes = {0};
    uint32_t *holds = NULL;
    size_t total;
    uint32_t *list = malloc((deal->dataset->classes + 1) * sizeof *list);
    enum starling_error error = list ? groups_make(&classes, deal, false) : deal_no_memory(deal);
    size_t present = error ? 0 : list_classes(&classes, list);
    if (!error)
        error = check_classes(deal, present, per_node);
    if (!error && !__builtin_mul_overflow(deal->nodes, per_node * sizeof *holds, &total))
        holds = malloc(total);
    deal->first = calloc(deal->examples, sizeof *deal->first);
    if (!error && (!holds || !deal->first))
        error = deal_no_memory(deal);
    if (!error) {
        deal_labels(deal, list, present, per_node, holds);
        error = share_classes(deal, &classes, holds, per_node);
    }
    free(holds);
    free(list);
    groups_clear(&classes);
    return error;
}
