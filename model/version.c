#include "model/version.h"

#include <assert.h>
#include <stdlib.h>

#include "model/vector.h"

#define SMALL 4096 /* bytes of values that nothing is gained by aligning to cache lines */

/* Where the room of a version begins: behind it, at the next cache line if it is large. */
static float *room_of(const struct version *version, size_t count)
{
    uintptr_t place = (uintptr_t)(version + 1);
    place = (place + 15) & ~(uintptr_t)15;
    if (count * sizeof(float) > SMALL)
        place = (place + 63) & ~(uintptr_t)63;
    return (float *)place;
}

struct version *version_new(size_t count)
{
    if (count > PTRDIFF_MAX / sizeof(float) - 64)
        return NULL;
    size_t slack = count * sizeof(float) > SMALL ? 64 + 8 : 8; /* malloc aligns to 16 bytes */
    struct version *version = malloc(sizeof *version + slack + count * sizeof(float));
    if (!version)
        return NULL;
    atomic_init(&version->references, 1);
    atomic_init(&version->made, false);
    version->values = room_of(version, count);
    version->same = NULL;
    version->foreign = false;
    return version;
}

struct version *version_of(float *values)
{
    struct version *version = version_new(0);
    if (version) {
        version->values = values;
        version->foreign = true;
        version_keep(version);
    }
    return version;
}

struct version *version_share(struct version *version)
{
    atomic_fetch_add_explicit(&version->references, 1, memory_order_relaxed);
    return version;
}

void version_release(struct version **version)
{
    struct version *ours = *version;
    *version = NULL;
    if (!ours || atomic_fetch_sub_explicit(&ours->references, 1, memory_order_acq_rel) > 1)
        return;
    version_release(&ours->same);
    if (ours->foreign)
        vector_free(ours->values);
    free(ours);
}

bool version_made(const struct version *version)
{
    return atomic_load_explicit(&version->made, memory_order_acquire);
}

void version_keep(struct version *version)
{
    assert(!version_made(version));
    atomic_store_explicit(&version->made, true, memory_order_release);
}

void version_follow(struct version *version, struct version *other)
{
    assert(version_made(other));
    if (other->same) /* straight to the owner: followers of followers would make a chain */
        other = other->same;
    version->same = version_share(other);
    version->values = other->values;
    version_keep(version);
}
