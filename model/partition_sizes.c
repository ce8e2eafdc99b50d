#include <math.h>
#include <stdlib.h>

#include "model/partition_inside.h"

#define POWER_MOST 64.0 /* beyond it all nodes are of the least size */
#define HALVINGS 40

/* The sizes that nodes may have, and how much rarer the large ones are. */
struct spread {
    double least, most;
    double power; /* of the density, x^−power */
};

/* The size that a share of the nodes stays below: the inverse of the distribution function. */
static size_t size_at(const struct spread *spread, double share)
{
    double rest = 1 - spread->power, ratio = spread->most / spread->least;
    double times =
        fabs(rest) < 1e-9 ? pow(ratio, share) : pow(1 + share * (pow(ratio, rest) - 1), 1 / rest);
    return (size_t)(spread->least * times + 0.5);
}

static size_t total(const struct spread *spread, size_t nodes)
{
    size_t sum = 0;
    for (size_t i = 0; i < nodes; i++)
        sum += size_at(spread, ((double)i + 0.5) / (double)nodes);
    return sum;
}

/* As many large nodes as the data allows, up to log-uniform sizes. */
static void fit(struct spread *spread, const struct deal *deal)
{
    double enough = POWER_MOST, low = 1;
    spread->power = 1;
    if (total(spread, deal->nodes) <= deal->examples)
        return;
    for (int i = 0; i < HALVINGS; i++) {
        spread->power = (low + enough) / 2;
        if (total(spread, deal->nodes) <= deal->examples)
            enough = spread->power;
        else
            low = spread->power;
    }
    spread->power = enough;
}

/* Which node gets which size: sizes[node]. */
static enum starling_error draw_sizes(struct deal *deal, size_t least, size_t most, uint32_t *sizes)
{
    struct spread spread = {.least = (double)least, .most = (double)most};
    size_t needed;
    if (deal->nodes <= deal->examples && least <= deal->examples / deal->nodes &&
        most > deal->examples - (deal->nodes - 1) * least)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: sizes:%zu-%zu: of %zu examples a node can have %zu at "
                           "most when %zu others have %zu: lower the greatest size",
                           least, most, deal->examples, deal->examples - (deal->nodes - 1) * least,
                           deal->nodes - 1, least);
    fit(&spread, deal);
    if (__builtin_mul_overflow(deal->nodes, least, &needed) || needed > deal->examples ||
        total(&spread, deal->nodes) > deal->examples)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: sizes:%zu-%zu: %zu examples are too few for %zu nodes "
                           "of at least %zu: lower the least size or sim.nodes",
                           least, most, deal->examples, deal->nodes, least);
    struct random random = deal_random(deal, STEP_SIZES);
    for (size_t i = 0; i < deal->nodes; i++)
        sizes[i] = (uint32_t)size_at(&spread, ((double)i + 0.5) / (double)deal->nodes);
    random_permute(&random, sizes, deal->nodes);
    return STARLING_OK;
}

/* The class of the next example of a node that mixes classes so; one that is used up no longer
 * counts, and when none is left that it mixes, any that there is. */
static size_t draw_class(struct random *random, const double *mix, const size_t *left,
                         size_t classes)
{
    double sum = 0;
    size_t any = 0, last = classes;
    for (size_t c = 0; c < classes; c++) {
        sum += left[c] > 0 ? mix[c] : 0;
        any += left[c];
    }
    double at = random_uniform(random) * (sum > 0 ? sum : (double)any);
    for (size_t c = 0; c < classes; c++) {
        double share = sum > 0 ? mix[c] : (double)left[c];
        if (left[c] == 0 || !(share > 0))
            continue;
        last = c;
        if ((at -= share) < 0)
            break;
    }
    return last;
}

/* Each node takes its examples from the classes in proportions of its own, drawn from Dir(shape).
 */
static void deal_mixed(struct deal *deal, const struct groups *classes, const uint32_t *sizes,
                       double shape, double *mix, size_t *left)
{
    for (size_t c = 0; c < classes->count; c++)
        left[c] = groups_size(classes, c);
    for (size_t node = 0; node < deal->nodes; node++) {
        struct random random = deal_random(deal, STEP_MIXES + node);
        for (size_t c = 0; c < classes->count; c++)
            mix[c] = random_gamma(&random, shape);
        for (uint32_t i = 0; i < sizes[node]; i++) {
            size_t c = draw_class(&random, mix, left, classes->count);
            deal->owner[classes->rows[classes->start[c] + --left[c]]] = (uint32_t)node;
        }
    }
}

enum starling_error deal_sizes(struct deal *deal, size_t least, size_t most, double mix)
{
    struct groups classes = {0};
    uint32_t *sizes = malloc(deal->nodes * sizeof *sizes);
    double *mixes = malloc(deal->dataset->classes * sizeof *mixes);
    size_t *left = malloc(deal->dataset->classes * sizeof *left), at = 0;
    enum starling_error error =
        sizes && mixes && left ? draw_sizes(deal, least, most, sizes) : deal_no_memory(deal);
    if (!error && mix > 0)
        error = groups_make(&classes, deal, false);
    if (!error && mix > 0)
        deal_mixed(deal, &classes, sizes, mix, mixes, left);
    for (size_t node = 0; node < deal->nodes && !error && !(mix > 0); node++)
        for (uint32_t i = 0; i < sizes[node]; i++)
            deal->owner[deal->order[at++]] = (uint32_t)node;
    groups_clear(&classes);
    free(sizes);
    free(mixes);
    free(left);
    return error;
}
