#include "model/workspace.h"

#include <stdlib.h>

bool workspace_reset(struct workspace *workspace, size_t bytes)
{
    workspace->used = 0;
    if (bytes <= workspace->capacity)
        return true;
    if (bytes > PTRDIFF_MAX - WORKSPACE_ALIGNMENT)
        return false;
    unsigned char *memory = aligned_alloc(WORKSPACE_ALIGNMENT, workspace_cost(bytes));
    if (!memory)
        return false; /* what there was stays good */
    free(workspace->memory);
    workspace->memory = memory;
    workspace->capacity = workspace_cost(bytes);
    return true;
}

void workspace_free(struct workspace *workspace)
{
    free(workspace->memory);
    *workspace = (struct workspace){0};
}
