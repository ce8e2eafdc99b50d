#include "model/partition.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/memory.h"
#include "model/partition_inside.h"

#define SHAPE_MAX 1e6 /* of dirichlet: beyond it nothing differs from an even split */

struct random deal_random(const struct deal *deal, uint64_t step)
{
    return random_stream(deal->seed, 0, RANDOM_PARTITION, step);
}

enum starling_error deal_no_memory(const struct deal *deal)
{
    return problem_no_memory(deal->problem, "dealing out the data");
}

void groups_clear(struct groups *groups)
{
    free(groups->start);
    free(groups->rows);
}

size_t groups_size(const struct groups *groups, size_t group)
{
    return groups->start[group + 1] - groups->start[group];
}

static uint32_t group_of(const struct dataset *dataset, bool by_user, uint32_t row)
{
    return by_user ? dataset->users[row] : dataset->labels[row];
}

enum starling_error groups_make(struct groups *groups, const struct deal *deal, bool by_user)
{
    groups->count = by_user ? deal->dataset->user_count : deal->dataset->classes;
    groups->start = calloc(groups->count + 2, sizeof *groups->start);
    groups->rows = malloc(deal->examples * sizeof *groups->rows);
    if (!groups->start || !groups->rows)
        return deal_no_memory(deal);
    /* Counted two places ahead, so that filling moves each start to where it belongs. */
    for (size_t i = 0; i < deal->examples; i++)
        groups->start[group_of(deal->dataset, by_user, (uint32_t)i) + 2]++;
    for (size_t g = 2; g < groups->count + 2; g++)
        groups->start[g] += groups->start[g - 1];
    for (size_t i = 0; i < deal->examples; i++) {
        uint32_t row = deal->order[i];
        groups->rows[groups->start[group_of(deal->dataset, by_user, row) + 1]++] = row;
    }
    return STARLING_OK;
}

size_t share_start(size_t count, size_t parts, size_t i)
{
    size_t whole = count / parts, rest = count % parts;
    return i * whole + (i < rest ? i : rest);
}

static void deal_iid(struct deal *deal)
{
    for (size_t node = 0; node < deal->nodes; node++) {
        size_t end = share_start(deal->examples, deal->nodes, node + 1);
        for (size_t i = share_start(deal->examples, deal->nodes, node); i < end; i++)
            deal->owner[deal->order[i]] = (uint32_t)node;
    }
}

/* Draws Dir(shape) over the nodes into `ends`, as the sums of the shares up to each node. */
static void draw_shares(struct random random, double shape, double *ends, size_t nodes)
{
    double sum = 0;
    for (size_t i = 0; i < nodes; i++)
        ends[i] = sum += random_gamma(&random, shape);
    /* With a tiny shape every draw may fall below the least double: then one node takes all. */
    if (!(sum > 0)) {
        size_t winner = random_below(&random, (uint32_t)nodes);
        for (size_t i = 0; i < nodes; i++)
            ends[i] = i >= winner;
        sum = 1;
    }
    for (size_t i = 0; i < nodes; i++)
        ends[i] /= sum;
    ends[nodes - 1] = 1;
}

/* Gives each node without an example one of a node with several. One walk is enough: a node that
 * could spare nothing when the walk passed can spare nothing later. */
static enum starling_error fill_empty(struct deal *deal)
{
    size_t *held = calloc(deal->nodes, sizeof *held);
    if (!held)
        return deal_no_memory(deal);
    for (size_t i = 0; i < deal->examples; i++)
        held[deal->owner[i]]++;
    size_t at = 0;
    for (size_t node = 0; node < deal->nodes; node++) {
        if (held[node] > 0)
            continue;
        while (held[deal->owner[deal->order[at]]] < 2)
            at++;
        uint32_t row = deal->order[at++];
        held[deal->owner[row]]--;
        deal->owner[row] = (uint32_t)node;
        held[node] = 1;
    }
    free(held);
    return STARLING_OK;
}

static enum starling_error deal_dirichlet(struct deal *deal, double shape)
{
    struct groups classes = {0};
    double *ends = malloc(deal->nodes * sizeof *ends);
    enum starling_error error = ends ? groups_make(&classes, deal, false) : deal_no_memory(deal);
    for (size_t c = 0; c < classes.count && !error; c++) {
        draw_shares(deal_random(deal, STEP_SHARES + c), shape, ends, deal->nodes);
        size_t size = groups_size(&classes, c), node = 0;
        for (size_t i = 0; i < size; i++) {
            while (node + 1 < deal->nodes && ((double)i + 0.5) / (double)size > ends[node])
                node++;
            deal->owner[classes.rows[classes.start[c] + i]] = (uint32_t)node;
        }
    }
    free(ends);
    groups_clear(&classes);
    return error ? error : fill_empty(deal);
}

static enum starling_error deal_shards(struct deal *deal, size_t per_node)
{
    size_t shards;
    if (__builtin_mul_overflow(deal->nodes, per_node, &shards) || shards > deal->examples)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: shards:%zu: %zu examples are too few for %zu nodes: "
                           "lower sim.nodes or the number of shards",
                           per_node, deal->examples, deal->nodes);
    struct groups classes = {0};
    uint32_t *shuffled = malloc(shards * sizeof *shuffled);
    enum starling_error error =
        shuffled ? groups_make(&classes, deal, false) : deal_no_memory(deal);
    for (size_t i = 0; i < shards && !error; i++)
        shuffled[i] = (uint32_t)i;
    struct random random = deal_random(deal, STEP_SHARDS);
    if (!error)
        random_permute(&random, shuffled, shards);
    for (size_t i = 0; i < shards && !error; i++) {
        size_t end = share_start(deal->examples, shards, shuffled[i] + 1u);
        for (size_t k = share_start(deal->examples, shards, shuffled[i]); k < end; k++)
            deal->owner[classes.rows[k]] = (uint32_t)(i / per_node);
    }
    free(shuffled);
    groups_clear(&classes);
    return error;
}

/* Deals user u's rows out among the nodes u, u + present, u + 2 present, … */
static enum starling_error share_user(struct deal *deal, const uint32_t *rows, size_t count,
                                      size_t user, size_t present)
{
    if (user >= deal->nodes)
        return STARLING_OK;
    size_t holders = (deal->nodes - user + present - 1) / present;
    if (holders > count)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: user: user %zu has %zu examples for %zu nodes: lower "
                           "sim.nodes",
                           user + 1, count, holders);
    for (size_t i = 0; i < holders; i++)
        for (size_t k = share_start(count, holders, i); k < share_start(count, holders, i + 1); k++)
            deal->owner[rows[k]] = (uint32_t)(user + i * present);
    return STARLING_OK;
}

static enum starling_error deal_users(struct deal *deal)
{
    if (!deal->dataset->users)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: user: the data has no users: take another partition, or "
                           "for a csv: say which column is the user with ?user=COL");
    struct groups users = {0};
    enum starling_error error = groups_make(&users, deal, true);
    size_t present = 0, turn = 0;
    for (size_t u = 0; u < users.count && !error; u++)
        present += groups_size(&users, u) > 0;
    for (size_t u = 0; u < users.count && !error; u++)
        if (groups_size(&users, u) > 0)
            error = share_user(deal, users.rows + users.start[u], groups_size(&users, u), turn++,
                               present);
    groups_clear(&users);
    return error;
}

static enum starling_error unknown(const char *specification, struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID,
                       "sim.partition: '%.64s' is no partition: there are iid, dirichlet:ALPHA, "
                       "classes:K, shards:K, sizes:MIN-MAX, user and draw:K",
                       specification);
}

/* What follows "NAME:" in the specification; NULL when it does not begin so. */
static const char *argument(const char *specification, const char *name)
{
    size_t length = strlen(name);
    return strncmp(specification, name, length) == 0 ? specification + length : NULL;
}

static enum starling_error parse_count(const char *specification, const char *text, size_t *count,
                                       struct problem *problem)
{
    size_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= DATASET_EXAMPLES_MAX; at++)
        value = value * 10 + (size_t)(*at - '0');
    if (at == text || *at || value < 1 || value > DATASET_EXAMPLES_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "sim.partition: '%.64s': '%.32s' is no number of 1 or more: write one",
                           specification, text);
    *count = value;
    return STARLING_OK;
}

static enum starling_error parse_shape(const char *specification, const char *text, double *shape,
                                       struct problem *problem)
{
    char *end;
    *shape = strtod(text, &end);
    if (end == text || *end || !(*shape > 0) || !(*shape <= SHAPE_MAX))
        return problem_set(problem, STARLING_INVALID,
                           "sim.partition: '%.64s': '%.32s' is no number above 0 and up to 1e6: "
                           "write one, or iid for an even split",
                           specification, text);
    return STARLING_OK;
}

/* "MIN-MAX" or "MIN-MAX,dirichlet:ALPHA". */
static enum starling_error deal_by_sizes(struct deal *deal, const char *specification,
                                         const char *text)
{
    char counts[64] = "";
    const char *comma = strchr(text, ',');
    size_t length = comma ? (size_t)(comma - text) : strlen(text);
    size_t least = 0, most = 0;
    double mix = 0;
    if (length < sizeof counts)
        memcpy(counts, text, length);
    char *dash = strchr(counts, '-');
    if (!dash)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: '%.64s': write the least and the greatest size of a "
                           "node, as in sizes:10-1000 or sizes:10-1000,dirichlet:0.3",
                           specification);
    *dash = '\0';
    const char *shape = comma ? argument(comma + 1, "dirichlet:") : NULL;
    enum starling_error error = parse_count(specification, counts, &least, deal->problem);
    if (!error)
        error = parse_count(specification, dash + 1, &most, deal->problem);
    if (!error && comma && !shape)
        error = problem_set(deal->problem, STARLING_INVALID,
                            "sim.partition: '%.64s': behind the sizes may stand dirichlet:ALPHA, "
                            "the labels' skew: write that or nothing",
                            specification);
    if (!error && shape)
        error = parse_shape(specification, shape, &mix, deal->problem);
    if (!error && least > most)
        error = problem_set(deal->problem, STARLING_INVALID,
                            "sim.partition: '%.64s': the least size is above the greatest",
                            specification);
    return error ? error : deal_sizes(deal, least, most, mix);
}

/* Whether the specification deals by the class of an example, which a sequence does not have. */
static bool deals_by_class(const char *specification)
{
    return strcmp(specification, "iid") != 0 && strcmp(specification, "user") != 0 &&
           !argument(specification, "draw:") &&
           (!argument(specification, "sizes:") || strchr(specification, ','));
}

static enum starling_error deal_by(struct deal *deal, const char *specification)
{
    if (dataset_positions(deal->dataset) > 1 && deals_by_class(specification))
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: %.64s: the examples are sequences, which have no class "
                           "of their own: take iid or user",
                           specification);
    const char *text;
    size_t count = 0;
    double shape;
    enum starling_error error;
    if (strcmp(specification, "iid") == 0) {
        deal_iid(deal);
        return STARLING_OK;
    }
    if (strcmp(specification, "user") == 0)
        return deal_users(deal);
    if ((text = argument(specification, "dirichlet:"))) {
        error = parse_shape(specification, text, &shape, deal->problem);
        return error ? error : deal_dirichlet(deal, shape);
    }
    if ((text = argument(specification, "classes:"))) {
        error = parse_count(specification, text, &count, deal->problem);
        return error ? error : deal_classes(deal, count);
    }
    if ((text = argument(specification, "shards:"))) {
        error = parse_count(specification, text, &count, deal->problem);
        return error ? error : deal_shards(deal, count);
    }
    if ((text = argument(specification, "sizes:")))
        return deal_by_sizes(deal, specification, text);
    return unknown(specification, deal->problem);
}

/* Hands row by row, in the deal's order, to its owner while there is room; only those that are
 * `first`, or only the others. */
static void hand_out(const struct deal *deal, bool first, struct partition *partition,
                     size_t *filled)
{
    for (size_t i = 0; i < deal->examples; i++) {
        uint32_t row = deal->order[i], node = deal->owner[row];
        if (node == NOBODY || (deal->first && deal->first[row]) != first)
            continue;
        size_t at = partition->start[node] + filled[node];
        if (at < partition->start[node + 1]) {
            partition->rows[at] = row;
            filled[node]++;
        }
    }
}

static enum starling_error collect(const struct deal *deal, struct partition *partition)
{
    size_t *filled = calloc(deal->nodes, sizeof *filled);
    partition->start = calloc(deal->nodes + 1, sizeof *partition->start);
    if (!filled || !partition->start) {
        free(filled);
        return deal_no_memory(deal);
    }
    for (size_t i = 0; i < deal->examples; i++)
        if (deal->owner[i] != NOBODY)
            partition->start[deal->owner[i] + 1]++;
    for (size_t node = 1; node <= deal->nodes; node++) {
        size_t held = partition->start[node];
        if (deal->samples && held > deal->samples)
            held = deal->samples;
        partition->start[node] = partition->start[node - 1] + held;
    }
    partition->rows = malloc((partition->start[deal->nodes] + 1) * sizeof *partition->rows);
    if (partition->rows) {
        hand_out(deal, true, partition, filled);
        hand_out(deal, false, partition, filled);
    }
    free(filled);
    return partition->rows ? STARLING_OK : deal_no_memory(deal);
}

/* Each node `each` examples, drawn with replacement. */
static enum starling_error draw(const struct deal *deal, const char *specification,
                                const char *text, struct partition *partition)
{
    size_t each, count;
    enum starling_error error = parse_count(specification, text, &each, deal->problem);
    if (error)
        return error;
    if (deal->samples && each > deal->samples)
        each = deal->samples;
    if (__builtin_mul_overflow(each, deal->nodes, &count) || count > SIZE_MAX / 16 ||
        !memory_holds(count * sizeof(uint32_t) + deal->nodes * sizeof(size_t)))
        return deal_no_memory(deal);
    partition->start = calloc(deal->nodes + 1, sizeof *partition->start);
    partition->rows = calloc(count, sizeof *partition->rows);
    if (!partition->start || !partition->rows)
        return deal_no_memory(deal);
    for (size_t node = 0; node < deal->nodes; node++) {
        struct random random = deal_random(deal, STEP_MIXES + node);
        partition->start[node + 1] = (node + 1) * each;
        for (size_t i = 0; i < each; i++)
            partition->rows[node * each + i] = random_below(&random, (uint32_t)deal->examples);
    }
    return STARLING_OK;
}

/* Lends the deal its arrays: rows in random order, owned by nobody. */
static enum starling_error prepare(struct deal *deal)
{
    if (deal->nodes > deal->examples || deal->nodes >= NOBODY)
        return problem_set(deal->problem, STARLING_INVALID,
                           "sim.partition: %zu examples are too few for %zu nodes: lower "
                           "sim.nodes, or let nodes share examples with draw:K",
                           deal->examples, deal->nodes);
    deal->order = malloc(deal->examples * sizeof *deal->order);
    deal->owner = malloc(deal->examples * sizeof *deal->owner);
    if (!deal->order || !deal->owner)
        return deal_no_memory(deal);
    for (size_t i = 0; i < deal->examples; i++) {
        deal->order[i] = (uint32_t)i;
        deal->owner[i] = NOBODY;
    }
    struct random random = deal_random(deal, STEP_ORDER);
    random_permute(&random, deal->order, deal->examples);
    return STARLING_OK;
}

struct partition *partition_new(const char *specification, const struct dataset *dataset,
                                size_t nodes, size_t samples, uint64_t seed,
                                struct problem *problem)
{
    assert(nodes > 0);
    struct deal deal = {.dataset = dataset,
                        .nodes = nodes,
                        .samples = samples,
                        .seed = seed,
                        .examples = dataset->examples,
                        .problem = problem};
    struct partition *partition = calloc(1, sizeof *partition);
    const char *drawn = argument(specification, "draw:");
    enum starling_error error = partition ? STARLING_OK : deal_no_memory(&deal);
    if (!error && drawn) {
        error = draw(&deal, specification, drawn, partition);
    } else if (!error) {
        error = prepare(&deal);
        if (!error)
            error = deal_by(&deal, specification);
        if (!error)
            error = collect(&deal, partition);
    }
    if (!error)
        partition->nodes = nodes;
    free(deal.order);
    free(deal.owner);
    free(deal.first);
    if (error)
        partition_free(&partition);
    return partition;
}

void partition_free(struct partition **partition)
{
    if (!*partition)
        return;
    free((*partition)->start);
    free((*partition)->rows);
    free(*partition);
    *partition = NULL;
}

const uint32_t *partition_rows(const struct partition *partition, size_t node, size_t *count)
{
    *count = partition->start[node + 1] - partition->start[node];
    return partition->rows + partition->start[node];
}
