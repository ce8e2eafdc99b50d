/* version — one set of parameters, immutable once made and shared by reference count.
 *
 * A version may be handed around before its values exist: a simulation runs ahead of the
 * arithmetic and passes the promise on. Whoever reads values waits until version_made().
 * Counts and the made flag are atomic; values are written by the one job that makes the version,
 * before it calls version_keep.
 */
#ifndef STARLING_VERSION_H
#define STARLING_VERSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct version {
    _Atomic uint32_t references;
    _Atomic bool made;
    bool foreign;  /* the values are from vector_new, and the version's to free */
    bool follows;  /* they are another version's, its owner */
    float *values; /* in the same block, or from vector_new, or the owner's */
};

/* A promise with one reference, owned by the caller, and with room for `count` values, 16-byte
 * aligned, to be filled by whoever fulfils it; NULL when memory is out. */
struct version *version_new(size_t count);

/* A version already made, that takes ownership of `values` (from vector_new); NULL when memory is
 * out, and then `values` stays the caller's. */
struct version *version_of(float *values);

/* Adds a reference and returns its argument. */
static inline struct version *version_share(struct version *version)
{
    atomic_fetch_add_explicit(&version->references, 1, memory_order_relaxed);
    return version;
}

/* What is left to do of a version that nobody refers to. */
void version_free(struct version *version);

/* Gives one reference back and sets *version to NULL; the last one frees. NULL is fine. */
static inline void version_release(struct version **version)
{
    struct version *ours = *version;
    *version = NULL;
    if (ours && atomic_fetch_sub_explicit(&ours->references, 1, memory_order_acq_rel) == 1)
        version_free(ours);
}

/* The version whose values these are: itself, or what it follows. Borrowed. */
const struct version *version_owner(const struct version *version);

bool version_made(const struct version *version);

/* Fulfils the promise: the values in its room are what it is. */
void version_keep(struct version *version);

/* Fulfils the promise, without its room, with the values of `other`, a made version, which it keeps
 * alive. */
void version_follow(struct version *version, struct version *other);

#endif
