#include "sim/topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/nearest.h"
#include "sim/topology_regular.h"

#define LINE_MAX_SIZE 256

static enum starling_error bad(const char *text, struct problem *problem)
{
    static const char *const words[] = {"random", "full", "ring", "regular:8", "file:"};
    const char *near = nearest_word(text, words, sizeof words / sizeof *words);
    return problem_set(problem, STARLING_INVALID,
                       "sim.topology: '%s' is no topology: %s%s%swrite random, full, ring, "
                       "regular:K or file:F",
                       text, near ? "did you mean " : "", near ? near : "", near ? "? Or " : "");
}

static enum starling_error parse_regular(const char *text, struct topology *topology,
                                         struct problem *problem)
{
    char *end;
    unsigned long degree = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || degree < 1 || degree > TOPOLOGY_DEGREE_MAX)
        return problem_set(problem, STARLING_INVALID,
                           "sim.topology: 'regular:%s': write a number of neighbours from 1 to %d",
                           text, TOPOLOGY_DEGREE_MAX);
    topology->degree_most = degree;
    if (!regular_exists(topology->nodes, degree))
        return problem_set(
            problem, STARLING_INVALID,
            "sim.topology: %zu nodes cannot have %lu neighbours each in a connected graph: %s",
            topology->nodes, degree,
            degree >= topology->nodes ? "take fewer neighbours, or more nodes"
            : degree == 1             ? "take 2 or more neighbours"
                                      : "one of the two numbers must be even");
    return STARLING_OK;
}

enum starling_error topology_parse(const char *text, size_t nodes, struct topology *topology,
                                   struct problem *problem)
{
    *topology = (struct topology){.nodes = nodes};
    if (strcmp(text, "random") == 0)
        topology->kind = TOPOLOGY_RANDOM;
    else if (strcmp(text, "full") == 0)
        topology->kind = TOPOLOGY_FULL;
    else if (strcmp(text, "ring") == 0)
        topology->kind = TOPOLOGY_RING;
    else if (strncmp(text, "regular:", 8) == 0)
        topology->kind = TOPOLOGY_REGULAR;
    else if (strncmp(text, "file:", 5) == 0 && text[5])
        topology->kind = TOPOLOGY_FILE;
    else
        return bad(text, problem);
    if (topology->kind == TOPOLOGY_FILE)
        topology->file = text + 5;
    return topology->kind == TOPOLOGY_REGULAR ? parse_regular(text + 8, topology, problem)
                                              : STARLING_OK;
}

/* Edges as they are found: each once in either direction. */
struct edges {
    peer_id (*ends)[2];
    size_t count, capacity;
};

static bool add_edge(struct edges *edges, size_t a, size_t b)
{
    if (edges->count == edges->capacity) {
        size_t capacity = edges->capacity ? 2 * edges->capacity : 1024;
        void *ends = reallocarray(edges->ends, capacity, sizeof *edges->ends);
        if (!ends)
            return false;
        edges->ends = ends;
        edges->capacity = capacity;
    }
    edges->ends[edges->count][0] = (peer_id)a;
    edges->ends[edges->count++][1] = (peer_id)b;
    return true;
}

/* "A B" with blanks between; false when the line is anything else. */
static bool read_edge(const char *line, unsigned long *a, unsigned long *b)
{
    char *end;
    line += strspn(line, " \t");
    if (*line < '0' || *line > '9')
        return false;
    *a = strtoul(line, &end, 10);
    line = end + strspn(end, " \t");
    if (line == end || *line < '0' || *line > '9')
        return false;
    *b = strtoul(line, &end, 10);
    return end[strspn(end, " \t\r\n")] == '\0';
}

static enum starling_error read_line(const struct topology *topology, const char *line,
                                     size_t number, struct edges *edges, struct problem *problem)
{
    unsigned long a, b;
    size_t most = topology->nodes * TOPOLOGY_DEGREE_MAX; /* every edge listed both ways */
    if (!strchr(line, '\n') && strlen(line) == LINE_MAX_SIZE - 1)
        return problem_set(problem, STARLING_INVALID,
                           "sim.topology: %s:%zu: the line is too long: write two nodes a line",
                           topology->file, number);
    if (line[strspn(line, " \t\r\n")] == '\0' || line[strspn(line, " \t")] == '#')
        return STARLING_OK;
    if (!read_edge(line, &a, &b) || a == b)
        return problem_set(problem, STARLING_INVALID,
                           "sim.topology: %s:%zu: is no edge: write two different nodes with a "
                           "blank between",
                           topology->file, number);
    if (a >= topology->nodes || b >= topology->nodes)
        return problem_set(problem, STARLING_INVALID,
                           "sim.topology: %s:%zu: there is no node %lu: sim.nodes is %zu, and they "
                           "are numbered from 0",
                           topology->file, number, a > b ? a : b, topology->nodes);
    if (edges->count == most)
        return problem_set(problem, STARLING_INVALID,
                           "sim.topology: %s: holds more than %zu edges: a node has %d neighbours "
                           "at most",
                           topology->file, most, TOPOLOGY_DEGREE_MAX);
    return add_edge(edges, a, b) ? STARLING_OK : problem_no_memory(problem, "the topology");
}

static enum starling_error read_edges(const struct topology *topology, struct edges *edges,
                                      struct problem *problem)
{
    FILE *file = fopen(topology->file, "re");
    if (!file)
        return problem_set(problem, STARLING_INVALID,
                           "sim.topology: %s: %s: name a file of edges, \"A B\" a line",
                           topology->file, strerror(errno));
    char line[LINE_MAX_SIZE];
    enum starling_error error = STARLING_OK;
    for (size_t number = 1; !error && fgets(line, sizeof line, file); number++)
        error = read_line(topology, line, number, edges, problem);
    if (!error && ferror(file))
        error = problem_set(problem, STARLING_FAILED, "sim.topology: %s: cannot be read: %s",
                            topology->file, strerror(errno));
    fclose(file);
    return error;
}

static int by_number(const void *left, const void *right)
{
    peer_id a = *(const peer_id *)left, b = *(const peer_id *)right;
    return a < b ? -1 : a > b;
}

/* Neighbours in order, an edge that was given twice once. */
static void put_in_order(struct topology *topology)
{
    size_t kept = 0, from = 0;
    for (size_t node = 0; node < topology->nodes; node++) {
        size_t to = topology->start[node + 1], first = kept;
        qsort(topology->neighbours + from, to - from, sizeof(peer_id), by_number);
        for (size_t i = from; i < to; i++)
            if (kept == first || topology->neighbours[kept - 1] != topology->neighbours[i])
                topology->neighbours[kept++] = topology->neighbours[i];
        topology->start[node] = first;
        from = to;
        if (kept - first > topology->degree_most)
            topology->degree_most = kept - first;
    }
    topology->start[topology->nodes] = kept;
}

/* The lists of neighbours that edges make. */
static enum starling_error lists_of(struct topology *topology, const struct edges *edges,
                                    struct problem *problem)
{
    size_t nodes = topology->nodes;
    topology->start = calloc(nodes + 2, sizeof *topology->start);
    topology->neighbours = malloc((2 * edges->count + 1) * sizeof *topology->neighbours);
    if (!topology->start || !topology->neighbours)
        return problem_no_memory(problem, "the topology");
    /* start[i + 2] counts, then start[i + 1] moves from the start of node i to its end */
    for (size_t i = 0; i < edges->count; i++)
        for (int side = 0; side < 2; side++)
            topology->start[edges->ends[i][side] + 2]++;
    for (size_t i = 2; i <= nodes + 1; i++)
        topology->start[i] += topology->start[i - 1];
    for (size_t i = 0; i < edges->count; i++)
        for (int side = 0; side < 2; side++) {
            peer_id node = edges->ends[i][side];
            topology->neighbours[topology->start[node + 1]++] = edges->ends[i][!side];
        }
    put_in_order(topology);
    return STARLING_OK;
}

static enum starling_error make_regular(struct topology *topology, uint64_t seed,
                                        struct problem *problem)
{
    size_t nodes = topology->nodes, degree = topology->degree_most;
    topology->start = malloc((nodes + 1) * sizeof *topology->start);
    topology->neighbours = malloc((nodes * degree + 1) * sizeof *topology->neighbours);
    if (!topology->start || !topology->neighbours)
        return problem_no_memory(problem, "the topology");
    for (size_t i = 0; i <= nodes; i++)
        topology->start[i] = i * degree;
    enum starling_error error = regular_make(nodes, degree, seed, topology->neighbours, problem);
    if (!error)
        put_in_order(topology);
    return error;
}

static enum starling_error make_listed(struct topology *topology, struct problem *problem)
{
    struct edges edges = {0};
    size_t nodes = topology->nodes;
    enum starling_error error = STARLING_OK;
    bool ring = topology->kind == TOPOLOGY_RING, added = true;
    for (size_t i = 0; ring && added && i < nodes && nodes > 1; i++)
        added = add_edge(&edges, i, (i + 1) % nodes);
    if (!added)
        error = problem_no_memory(problem, "the topology");
    else if (!ring)
        error = read_edges(topology, &edges, problem);
    if (!error)
        error = lists_of(topology, &edges, problem);
    free(edges.ends);
    return error;
}

/* Degrees within bounds, and all nodes within reach of each other. */
static enum starling_error check_graph(const struct topology *topology, struct problem *problem)
{
    size_t nodes = topology->nodes, reached = 1;
    for (size_t node = 0; node < nodes; node++)
        if (topology->start[node + 1] - topology->start[node] > TOPOLOGY_DEGREE_MAX)
            return problem_set(
                problem, STARLING_INVALID,
                "sim.topology: %s: node %zu has %zu neighbours: %d at most", topology->file, node,
                topology->start[node + 1] - topology->start[node], TOPOLOGY_DEGREE_MAX);
    peer_id *queue = malloc(nodes * sizeof *queue);
    bool *seen = calloc(nodes, sizeof *seen);
    if (!queue || !seen) {
        free(queue);
        free(seen);
        return problem_no_memory(problem, "the topology");
    }
    queue[0] = 0;
    seen[0] = true;
    for (size_t i = 0; i < reached; i++)
        for (size_t j = topology->start[queue[i]]; j < topology->start[queue[i] + 1]; j++) {
            peer_id next = topology->neighbours[j];
            if (!seen[next])
                queue[reached++] = next;
            seen[next] = true;
        }
    size_t lost = 0;
    while (lost < nodes && seen[lost])
        lost++;
    free(queue);
    free(seen);
    return lost == nodes
               ? STARLING_OK
               : problem_set(problem, STARLING_INVALID,
                             "sim.topology: %s: no way leads from node 0 to node %zu: add "
                             "the edges that are missing",
                             topology->file, lost);
}

enum starling_error topology_make(const char *text, size_t nodes, uint64_t seed,
                                  struct topology *topology, struct problem *problem)
{
    enum starling_error error = topology_parse(text, nodes, topology, problem);
    if (error || !topology_is_static(topology))
        return error;
    error = topology->kind == TOPOLOGY_REGULAR ? make_regular(topology, seed, problem)
                                               : make_listed(topology, problem);
    if (!error && topology->kind == TOPOLOGY_FILE)
        error = check_graph(topology, problem);
    if (error)
        topology_clear(topology);
    return error;
}

void topology_clear(struct topology *topology)
{
    free(topology->start);
    free(topology->neighbours);
    *topology = (struct topology){0};
}

bool topology_is_static(const struct topology *topology)
{
    return topology->kind >= TOPOLOGY_RING;
}

const peer_id *topology_neighbours(const struct topology *topology, size_t node, size_t *count)
{
    *count = topology->start[node + 1] - topology->start[node];
    return topology->neighbours + topology->start[node];
}
