#include "model/version.h"

#include <assert.h>
#include <stdlib.h>

#include "model/vector.h"

struct version *version_new(void)
{
    struct version *version = malloc(sizeof *version);
    if (!version)
        return NULL;
    atomic_init(&version->references, 1);
    atomic_init(&version->made, false);
    version->values = NULL;
    version->same = NULL;
    return version;
}

struct version *version_of(float *values)
{
    struct version *version = version_new();
    if (version)
        version_keep(version, values);
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
    if (ours->same)
        version_release(&ours->same);
    else
        vector_free(ours->values);
    free(ours);
}

bool version_made(const struct version *version)
{
    return atomic_load_explicit(&version->made, memory_order_acquire);
}

void version_keep(struct version *version, float *values)
{
    assert(!version_made(version));
    version->values = values;
    atomic_store_explicit(&version->made, true, memory_order_release);
}

void version_follow(struct version *version, struct version *other)
{
    assert(version_made(other));
    if (other->same) /* straight to the owner: followers of followers would make a chain */
        other = other->same;
    version->same = version_share(other);
    version_keep(version, other->values);
}
