#include "sim/overlay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/random.h"

#define NO_SLOT UINT32_MAX

static void count_links(const struct overlay_graph *graph, uint32_t *in_degrees,
                        struct overlay *overlay)
{
    uint64_t links = 0, dead = 0;
    for (size_t node = 0; node < graph->nodes; node++) {
        bool there = graph->there(graph->self, node);
        in_degrees[node] = there ? 0 : OVERLAY_AWAY;
        overlay->nodes += there;
    }
    for (size_t node = 0; node < graph->nodes; node++) {
        size_t degree = in_degrees[node] == OVERLAY_AWAY ? 0 : graph->degree(graph->self, node);
        for (size_t i = 0; i < degree; i++) {
            uint32_t peer = graph->peer(graph->self, node, i);
            bool there = in_degrees[peer] != OVERLAY_AWAY;
            if (peer == node) /* knows nobody by it */
                continue;
            in_degrees[peer] += there;
            links += there;
            dead += !there;
        }
    }
    overlay->out_degree = (double)links / (double)overlay->nodes;
    overlay->dead_share = links + dead ? (double)dead / (double)(links + dead) : 0;
}

static void spread_in_degrees(const uint32_t *in_degrees, size_t nodes, struct overlay *overlay)
{
    double squares = 0, mean = overlay->out_degree; /* as many links arrive as leave */
    uint64_t min = UINT64_MAX, max = 0;
    for (size_t node = 0; node < nodes; node++) {
        if (in_degrees[node] == OVERLAY_AWAY)
            continue;
        double apart = (double)in_degrees[node] - mean;
        squares += apart * apart;
        min = in_degrees[node] < min ? in_degrees[node] : min;
        max = in_degrees[node] > max ? in_degrees[node] : max;
    }
    overlay->in_degree.mean = mean;
    overlay->in_degree.std = sqrt(squares / (double)overlay->nodes);
    overlay->in_degree.min = min;
    overlay->in_degree.max = max;
}

/* The chance that one node of the random graph knows another. */
static double link_chance(const struct overlay *overlay)
{
    return overlay->nodes > 1 ? fmin(overlay->out_degree / (double)(overlay->nodes - 1), 1) : 0;
}

static void expect_random(struct overlay *overlay)
{
    double chance = link_chance(overlay), others = (double)(overlay->nodes - 1);
    overlay->random.in_degree_std = sqrt(others * chance * (1 - chance));
    overlay->random.clustering = 1 - (1 - chance) * (1 - chance);
}

double overlay_random_nodes(const struct overlay *overlay, uint64_t in_degree)
{
    double chance = link_chance(overlay), others = (double)overlay->nodes - 1;
    double hits = (double)in_degree;
    if (overlay->nodes == 0 || hits > others)
        return 0;
    if (chance <= 0 || chance >= 1)
        return hits == (chance <= 0 ? 0 : others) ? (double)overlay->nodes : 0;
    double ways = lgamma(others + 1) - lgamma(hits + 1) - lgamma(others - hits + 1);
    return (double)overlay->nodes *
           exp(ways + hits * log(chance) + (others - hits) * log1p(-chance));
}

static uint32_t root_of(uint32_t *parents, uint32_t node)
{
    while (parents[node] != node) {
        parents[node] = parents[parents[node]];
        node = parents[node];
    }
    return node;
}

/* Joins along every link. The root with the lower number stays one: numbers are no more related to
 * places in the graph than chance is, which keeps the trees as flat as ranks would. */
static void count_components(const struct overlay_graph *graph, const uint32_t *in_degrees,
                             uint32_t *parents, struct overlay *overlay)
{
    overlay->components = overlay->nodes;
    for (size_t node = 0; node < graph->nodes; node++)
        parents[node] = (uint32_t)node;
    for (size_t node = 0; node < graph->nodes; node++) {
        size_t degree = in_degrees[node] == OVERLAY_AWAY ? 0 : graph->degree(graph->self, node);
        for (size_t i = 0; i < degree; i++) {
            uint32_t peer = graph->peer(graph->self, node, i);
            if (in_degrees[peer] == OVERLAY_AWAY)
                continue;
            uint32_t a = root_of(parents, (uint32_t)node), b = root_of(parents, peer);
            if (a == b)
                continue;
            parents[a > b ? a : b] = a > b ? b : a;
            overlay->components--;
        }
    }
}

/* Nodes under one root, of the tree with most. Roots come before what hangs on them. */
static enum starling_error find_largest(const struct overlay_graph *graph,
                                        const uint32_t *in_degrees, uint32_t *parents,
                                        struct overlay *overlay, struct problem *problem)
{
    uint32_t *sizes = calloc(graph->nodes, sizeof *sizes);
    if (!sizes)
        return problem_no_memory(problem, "the overlay");
    for (size_t node = 0; node < graph->nodes; node++) {
        uint32_t root = root_of(parents, (uint32_t)node);
        if (in_degrees[node] != OVERLAY_AWAY && ++sizes[root] > overlay->largest)
            overlay->largest = sizes[root];
    }
    free(sizes);
    return STARLING_OK;
}

/* The neighbourhoods of the nodes sampled: those that they know, and those that know them. */
struct sample {
    const struct overlay_graph *graph;
    const uint32_t *in_degrees;
    uint32_t *slots; /* of each node: its place in the sample, or NO_SLOT */
    size_t count;
    uint32_t *neighbours;  /* of all, one after the other */
    size_t *begins, *ends; /* of each: where its own are */
};

/* Each node that is there with the same chance (Knuth, Algorithm S). */
static void choose(struct sample *sample, uint64_t there, struct random *random)
{
    uint64_t wanted = there < OVERLAY_SAMPLE_MAX ? there : OVERLAY_SAMPLE_MAX, left = there;
    sample->count = 0;
    for (size_t node = 0; node < sample->graph->nodes; node++) {
        sample->slots[node] = NO_SLOT;
        if (sample->in_degrees[node] == OVERLAY_AWAY)
            continue;
        if (random_below(random, (uint32_t)left) < wanted - sample->count)
            sample->slots[node] = (uint32_t)sample->count++;
        left--;
    }
}

/* Room for the links of each: those that go out and those that come in. */
static bool make_room(struct sample *sample)
{
    size_t total = 0, slot = 0;
    sample->begins = calloc(sample->count + 1, sizeof *sample->begins);
    sample->ends = calloc(sample->count + 1, sizeof *sample->ends);
    if (!sample->begins || !sample->ends)
        return false;
    for (size_t node = 0; node < sample->graph->nodes; node++) {
        if (sample->slots[node] == NO_SLOT)
            continue;
        sample->begins[slot] = sample->ends[slot] = total;
        total += sample->graph->degree(sample->graph->self, node) + sample->in_degrees[node];
        slot++;
    }
    sample->neighbours = malloc((total + 1) * sizeof *sample->neighbours);
    return sample->neighbours != NULL;
}

static void add_neighbour(struct sample *sample, uint32_t slot, uint32_t neighbour)
{
    if (slot != NO_SLOT)
        sample->neighbours[sample->ends[slot]++] = neighbour;
}

static void gather(struct sample *sample)
{
    const struct overlay_graph *graph = sample->graph;
    for (size_t node = 0; node < graph->nodes; node++) {
        bool there = sample->in_degrees[node] != OVERLAY_AWAY;
        size_t degree = there ? graph->degree(graph->self, node) : 0;
        for (size_t i = 0; i < degree; i++) {
            uint32_t peer = graph->peer(graph->self, node, i);
            if (sample->in_degrees[peer] == OVERLAY_AWAY || peer == node)
                continue;
            add_neighbour(sample, sample->slots[node], peer);
            add_neighbour(sample, sample->slots[peer], (uint32_t)node);
        }
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static size_t sort_once_each(uint32_t *items, size_t count)
{
    size_t kept = 0;
    qsort(items, count, sizeof *items, by_number);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || items[kept - 1] != items[i])
            items[kept++] = items[i];
    return kept;
}

static bool knows(const struct overlay_graph *graph, uint32_t node, uint32_t other)
{
    size_t degree = graph->degree(graph->self, node);
    for (size_t i = 0; i < degree; i++)
        if (graph->peer(graph->self, node, i) == other)
            return true;
    return false;
}

/* The share of the pairs of `count` neighbours that are neighbours themselves. */
static double clustering_of(const struct overlay_graph *graph, uint32_t *neighbours, size_t count,
                            struct random *random)
{
    size_t linked = 0;
    count = sort_once_each(neighbours, count);
    if (count > OVERLAY_NEIGHBOURS_MAX) {
        random_permute(random, neighbours, count);
        count = OVERLAY_NEIGHBOURS_MAX;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            linked += knows(graph, neighbours[i], neighbours[j]) ||
                      knows(graph, neighbours[j], neighbours[i]);
    return count < 2 ? 0 : 2 * (double)linked / ((double)count * (double)(count - 1));
}

static enum starling_error measure_clustering(const struct overlay_graph *graph, uint64_t seed,
                                              const uint32_t *in_degrees, uint32_t *slots,
                                              struct overlay *overlay, struct problem *problem)
{
    struct sample sample = {.graph = graph, .in_degrees = in_degrees, .slots = slots};
    struct random random = random_stream(seed, 0, RANDOM_EVALUATE, 2);
    double sum = 0;
    choose(&sample, overlay->nodes, &random);
    bool room = make_room(&sample);
    if (room)
        gather(&sample);
    for (size_t i = 0; i < sample.count && room; i++)
        sum += clustering_of(graph, sample.neighbours + sample.begins[i],
                             sample.ends[i] - sample.begins[i], &random);
    overlay->clustering = sum / (double)sample.count;
    overlay->clustering_nodes = sample.count;
    free(sample.neighbours);
    free(sample.begins);
    free(sample.ends);
    return room ? STARLING_OK : problem_no_memory(problem, "the overlay");
}

enum starling_error overlay_measure(const struct overlay_graph *graph, uint64_t seed,
                                    uint32_t *in_degrees, struct overlay *overlay,
                                    struct problem *problem)
{
    *overlay = (struct overlay){0};
    count_links(graph, in_degrees, overlay);
    if (overlay->nodes == 0) {
        *overlay = (struct overlay){0};
        return STARLING_OK;
    }
    spread_in_degrees(in_degrees, graph->nodes, overlay);
    expect_random(overlay);
    uint32_t *scratch = malloc(graph->nodes * sizeof *scratch);
    if (!scratch)
        return problem_no_memory(problem, "the overlay");
    enum starling_error error =
        measure_clustering(graph, seed, in_degrees, scratch, overlay, problem);
    count_components(graph, in_degrees, scratch, overlay);
    if (!error)
        error = find_largest(graph, in_degrees, scratch, overlay, problem);
    free(scratch);
    return error;
}
