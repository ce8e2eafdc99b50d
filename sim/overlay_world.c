#include "sim/overlay_world.h"

#include <stdlib.h>

static const struct view *view_of(const void *world, size_t node)
{
    return &world_participant(world, node)->gossip.view;
}

static bool is_there(const void *world, size_t node)
{
    return world_is_online(world, node);
}

static size_t degree_of(const void *world, size_t node)
{
    return view_of(world, node)->count;
}

static uint32_t peer_of(const void *world, size_t node, size_t index)
{
    return view_of(world, node)->entries[index].peer;
}

enum starling_error overlay_world(const struct world *world, size_t nodes, uint64_t seed,
                                  struct node_row *rows, struct overlay *overlay,
                                  struct problem *problem)
{
    const struct overlay_graph graph = {
        .nodes = nodes, .self = world, .there = is_there, .degree = degree_of, .peer = peer_of};
    uint32_t *in_degrees = malloc(nodes * sizeof *in_degrees);
    if (!in_degrees)
        return problem_no_memory(problem, "the overlay");
    enum starling_error error = overlay_measure(&graph, seed, in_degrees, overlay, problem);
    for (size_t node = 0; node < nodes && !error; node++)
        rows[node].in_degree = in_degrees[node];
    free(in_degrees);
    return error;
}
