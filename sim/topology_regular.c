#include "sim/topology_regular.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "model/random.h"

#define SWITCHES_MAX 100000u /* tries to mend one pair before all is drawn anew */
#define ATTEMPTS_MAX 100u

struct edge {
    peer_id a, b;
};

struct graph {
    size_t nodes, degree;
    peer_id *slots;   /* nodes × degree */
    uint32_t *filled; /* per node: slots in use */
    struct edge *edges;
    size_t edge_count;
    peer_id *queue;  /* nodes: of the search */
    peer_id *parent; /* nodes: in the search's tree; PEER_NONE: not reached */
};

bool regular_exists(size_t nodes, size_t degree)
{
    if (degree >= nodes || nodes * degree % 2 != 0)
        return false;
    return degree >= 2 || (degree == 1 && nodes == 2) || (degree == 0 && nodes == 1);
}

static bool joined(const struct graph *graph, peer_id a, peer_id b)
{
    const peer_id *slots = graph->slots + (size_t)a * graph->degree;
    for (uint32_t i = 0; i < graph->filled[a]; i++)
        if (slots[i] == b)
            return true;
    return false;
}

static void enter(struct graph *graph, peer_id a, peer_id b)
{
    assert(graph->filled[a] < graph->degree);
    graph->slots[(size_t)a * graph->degree + graph->filled[a]++] = b;
}

static void strike(struct graph *graph, peer_id a, peer_id b)
{
    peer_id *slots = graph->slots + (size_t)a * graph->degree;
    uint32_t place = 0;
    while (slots[place] != b)
        place++;
    slots[place] = slots[--graph->filled[a]];
}

static void join(struct graph *graph, size_t edge, peer_id a, peer_id b)
{
    graph->edges[edge] = (struct edge){a, b};
    enter(graph, a, b);
    enter(graph, b, a);
}

static void part(struct graph *graph, size_t edge)
{
    struct edge old = graph->edges[edge];
    strike(graph, old.a, old.b);
    strike(graph, old.b, old.a);
}

/* A pair that clashes takes a random edge's ends apart: a–b and c–d become a–c and b–d. */
static bool mend(struct graph *graph, peer_id a, peer_id b, struct random *random)
{
    for (uint32_t tries = 0; tries < SWITCHES_MAX && graph->edge_count > 0; tries++) {
        size_t edge = random_below(random, (uint32_t)graph->edge_count);
        bool turned = random_below(random, 2) == 1;
        peer_id c = turned ? graph->edges[edge].b : graph->edges[edge].a;
        peer_id d = turned ? graph->edges[edge].a : graph->edges[edge].b;
        if (a == c || b == d || joined(graph, a, c) || joined(graph, b, d))
            continue;
        part(graph, edge);
        join(graph, edge, a, c);
        join(graph, graph->edge_count++, b, d);
        return true;
    }
    return false;
}

/* Pairs the stubs, `degree` of each node, at random; what would be a loop or a second edge is
 * mended. False when mending gave up. */
static bool pair(struct graph *graph, uint32_t *stubs, struct random *random)
{
    size_t count = graph->nodes * graph->degree, clashes = 0;
    for (size_t i = 0; i < count; i++)
        stubs[i] = (uint32_t)(i / graph->degree);
    random_permute(random, stubs, count);
    memset(graph->filled, 0, graph->nodes * sizeof *graph->filled);
    graph->edge_count = 0;
    for (size_t i = 0; i < count; i += 2) {
        peer_id a = stubs[i], b = stubs[i + 1];
        if (a != b && !joined(graph, a, b)) {
            join(graph, graph->edge_count++, a, b);
        } else { /* kept at the beginning, which has been read */
            stubs[clashes++] = a;
            stubs[clashes++] = b;
        }
    }
    for (size_t i = 0; i < clashes; i += 2)
        if (!mend(graph, stubs[i], stubs[i + 1], random))
            return false;
    return true;
}

/* Reaches what hangs together with node 0; returns how many nodes. */
static size_t search(struct graph *graph)
{
    for (size_t i = 0; i < graph->nodes; i++)
        graph->parent[i] = PEER_NONE;
    size_t reached = 1;
    graph->queue[0] = 0;
    graph->parent[0] = 0;
    for (size_t i = 0; i < reached; i++) {
        peer_id node = graph->queue[i];
        for (uint32_t j = 0; j < graph->filled[node]; j++) {
            peer_id next = graph->slots[(size_t)node * graph->degree + j];
            if (graph->parent[next] == PEER_NONE) {
                graph->parent[next] = node;
                graph->queue[reached++] = next;
            }
        }
    }
    return reached;
}

/* Joins the part of node 0 with another: an edge of it that its tree can do without, and any edge
 * elsewhere, are switched. */
static void bridge(struct graph *graph)
{
    size_t spare = graph->edge_count, other = graph->edge_count;
    for (size_t i = 0; i < graph->edge_count; i++) {
        struct edge edge = graph->edges[i];
        if (graph->parent[edge.a] == PEER_NONE)
            other = i;
        else if (graph->parent[edge.a] != edge.b && graph->parent[edge.b] != edge.a)
            spare = i;
    }
    assert(spare < graph->edge_count && other < graph->edge_count); /* each degree is two or more */
    struct edge in = graph->edges[spare], out = graph->edges[other];
    part(graph, spare);
    part(graph, other);
    join(graph, spare, in.a, out.a);
    join(graph, other, in.b, out.b);
}

/* The graph of all that are not joined; of a dense graph it is the sparse one that is drawn. */
static void complement(const struct graph *graph, size_t degree, peer_id *neighbours)
{
    for (size_t a = 0; a < graph->nodes; a++) {
        size_t count = 0;
        for (size_t b = 0; b < graph->nodes; b++)
            if (a != b && !joined(graph, (peer_id)a, (peer_id)b))
                neighbours[a * degree + count++] = (peer_id)b;
        assert(count == degree);
    }
}

/* Memory of a graph; false when there is none. */
static bool begin(struct graph *graph, uint32_t **stubs)
{
    size_t count = graph->nodes * graph->degree;
    graph->slots = malloc((count + 1) * sizeof *graph->slots);
    graph->filled = calloc(graph->nodes, sizeof *graph->filled);
    graph->edges = malloc((count / 2 + 1) * sizeof *graph->edges);
    graph->queue = malloc(graph->nodes * sizeof *graph->queue);
    graph->parent = malloc(graph->nodes * sizeof *graph->parent);
    *stubs = malloc((count + 1) * sizeof **stubs);
    return graph->slots && graph->filled && graph->edges && graph->queue && graph->parent && *stubs;
}

static void end(struct graph *graph, uint32_t *stubs)
{
    free(graph->slots);
    free(graph->filled);
    free(graph->edges);
    free(graph->queue);
    free(graph->parent);
    free(stubs);
}

enum starling_error regular_make(size_t nodes, size_t degree, uint64_t seed, peer_id *neighbours,
                                 struct problem *problem)
{
    assert(regular_exists(nodes, degree));
    bool dense = 2 * degree >= nodes; /* and then it hangs together by itself */
    struct graph graph = {.nodes = nodes, .degree = dense ? nodes - 1 - degree : degree};
    uint32_t *stubs;
    bool made = false;
    if (!begin(&graph, &stubs)) {
        end(&graph, stubs);
        return problem_no_memory(problem, "the topology");
    }
    for (uint32_t attempt = 0; attempt < ATTEMPTS_MAX && !made; attempt++) {
        struct random random = random_stream(seed, 0, RANDOM_TOPOLOGY, attempt);
        made = graph.degree == 0 || pair(&graph, stubs, &random);
    }
    if (made && dense) {
        complement(&graph, degree, neighbours);
    } else if (made) {
        while (search(&graph) < nodes)
            bridge(&graph);
        memcpy(neighbours, graph.slots, nodes * degree * sizeof *neighbours);
    }
    end(&graph, stubs);
    return made ? STARLING_OK
                : problem_set(problem, STARLING_FAILED,
                              "sim.topology: no graph of %zu neighbours for %zu nodes was found: "
                              "take another sim.seed",
                              degree, nodes);
}
