#include "model/version.h"

#include <assert.h>
#include <stdlib.h>

#include "model/vector.h"

static_assert(sizeof(struct version) % 16 == 0, "the room is as aligned as malloc's blocks");

#define SMALL 4096 /* bytes of values that nothing is gained by aligning to cache lines */

/* Where the room of a version begins: behind it, at the next cache line if it is large. */
static float *room_of(struct version *version, size_t count)
{
    uintptr_t place = (uintptr_t)(version + 1);
    if (count * sizeof(float) > SMALL)
        place = (place + 63) & ~(uintptr_t)63;
    return (float *)place;
}

/* Where a follower, which does not need its room, keeps its reference to whose values it has. */
static struct version **owner_of(const struct version *version)
{
    return (struct version **)(uintptr_t)(version + 1);
}

struct version *version_new(size_t count)
{
    if (count > PTRDIFF_MAX / sizeof(float) - 64)
        return NULL;
    size_t room = count * sizeof(float) + (count * sizeof(float) > SMALL ? 64 : 0);
    if (room < sizeof(struct version *))
        room = sizeof(struct version *);
    struct version *version = malloc(sizeof *version + room);
    if (!version)
        return NULL;
    atomic_init(&version->references, 1);
    atomic_init(&version->made, false);
    version->values = room_of(version, count);
    version->foreign = version->follows = false;
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

void version_free(struct version *version)
{
    if (version->follows)
        version_release(owner_of(version));
    if (version->foreign)
        vector_free(version->values);
    free(version);
}

const struct version *version_owner(const struct version *version)
{
    return version->follows ? *owner_of(version) : version;
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
    if (other->follows) /* straight to the owner: followers of followers would make a chain */
        other = *owner_of(other);
    *owner_of(version) = version_share(other);
    version->follows = true;
    version->values = other->values;
    version_keep(version);
}
