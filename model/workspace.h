/* workspace — scratch memory that a thread owns and lends to the arithmetic.
 *
 * Taken in order and given back all at once; 64-byte aligned. It grows between uses, never while
 * something is taken, so pointers stay valid until workspace_reset.
 */
#ifndef STARLING_WORKSPACE_H
#define STARLING_WORKSPACE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct workspace {
    unsigned char *memory;
    size_t capacity, used;
};

/* Gives everything back and makes sure of `bytes`; false when memory is out. Start from {0}. */
bool workspace_reset(struct workspace *workspace, size_t bytes);

void workspace_free(struct workspace *workspace);

#define WORKSPACE_ALIGNMENT 64

/* What taking `bytes` costs with alignment, for adding up what a reset must ask for. */
static inline size_t workspace_cost(size_t bytes)
{
    assert(bytes <= SIZE_MAX - WORKSPACE_ALIGNMENT);
    return (bytes + WORKSPACE_ALIGNMENT - 1) / WORKSPACE_ALIGNMENT * WORKSPACE_ALIGNMENT;
}

/* The next `bytes`, uninitialised. The reset before it asked for enough: asserted. */
static inline void *workspace_take(struct workspace *workspace, size_t bytes)
{
    size_t cost = workspace_cost(bytes);
    assert(cost <= workspace->capacity - workspace->used);
    void *taken = workspace->memory + workspace->used;
    workspace->used += cost;
    return taken;
}

#endif
