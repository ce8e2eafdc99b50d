#include "model/workspace.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#define ALIGNMENT 64

size_t workspace_cost(size_t bytes)
{
    assert(bytes <= SIZE_MAX - ALIGNMENT);
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

bool workspace_reset(struct workspace *workspace, size_t bytes)
{
    workspace->used = 0;
    if (bytes <= workspace->capacity)
        return true;
    if (bytes > PTRDIFF_MAX - ALIGNMENT)
        return false;
    unsigned char *memory = aligned_alloc(ALIGNMENT, workspace_cost(bytes));
    if (!memory)
        return false; /* what there was stays good */
    free(workspace->memory);
    workspace->memory = memory;
    workspace->capacity = workspace_cost(bytes);
    return true;
}

void *workspace_take(struct workspace *workspace, size_t bytes)
{
    size_t cost = workspace_cost(bytes);
    assert(cost <= workspace->capacity - workspace->used);
    void *taken = workspace->memory + workspace->used;
    workspace->used += cost;
    return taken;
}

void workspace_free(struct workspace *workspace)
{
    free(workspace->memory);
    *workspace = (struct workspace){0};
}
