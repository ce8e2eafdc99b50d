#include "model/frozen.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are written as they lie");

#define ROOM 262144u /* bytes that are moved at a time */
#define SLOTS_MAX (UINT32_MAX - 8)

/* How a version begins; from SHARED_FIRST on, it is the one in a slot. */
enum { VERSION_NONE, VERSION_ALONE, VERSION_NEW, SHARED_FIRST };

enum state { FINE, CUT, WRONG, NO_ROOM, NO_MEMORY };

/* A version that was written, and has references that were not. */
struct shared {
    const struct version *version; /* NULL: none here */
    uint32_t slot, left;
};

/* A version that was read: a reference. */
struct slot {
    struct version *version;
    size_t count;
};

struct frozen {
    bool reads;
    enum state state;
    frozen_mover *mover;
    void *self;
    uint8_t *room;
    size_t at, end; /* where in the room; end: of what there is to read */
    /* of writing: a table by address, at most half full; slots that are free again */
    struct shared *shared;
    size_t shared_size, shared_count; /* size: a power of 2 */
    uint32_t *free_slots;
    size_t free_count, free_capacity;
    /* of both */
    struct slot *slots; /* reading only */
    size_t slots_count, slots_capacity;
};

struct frozen *frozen_new(bool reads, frozen_mover *mover, void *self)
{
    struct frozen *frozen = calloc(1, sizeof *frozen);
    uint8_t *room = malloc(ROOM);
    if (!frozen || !room) {
        free(frozen);
        free(room);
        return NULL;
    }
    frozen->reads = reads;
    frozen->mover = mover;
    frozen->self = self;
    frozen->room = room;
    return frozen;
}

static void fail(struct frozen *frozen, enum state state)
{
    if (frozen->state == FINE)
        frozen->state = state;
}

void frozen_refuse(struct frozen *frozen)
{
    fail(frozen, WRONG);
}

void frozen_no_memory(struct frozen *frozen)
{
    fail(frozen, NO_MEMORY);
}

bool frozen_reads(const struct frozen *frozen)
{
    return frozen->reads;
}

bool frozen_is_fine(const struct frozen *frozen)
{
    return frozen->state == FINE;
}

static void hand_out(struct frozen *frozen)
{
    if (frozen->at > 0 && frozen->mover(frozen->self, frozen->room, frozen->at) != frozen->at)
        fail(frozen, NO_ROOM);
    frozen->at = 0;
}

static enum starling_error tell(enum state state, const char *where, struct problem *problem)
{
    switch (state) {
    case FINE:
        return STARLING_OK;
    case CUT:
        return problem_set(problem, STARLING_INVALID, "%s: is cut short", where);
    case WRONG:
        return problem_set(problem, STARLING_INVALID, "%s: does not add up", where);
    case NO_ROOM:
        return problem_set(problem, STARLING_FAILED, "%s: cannot be written", where);
    case NO_MEMORY:
        break;
    }
    return problem_no_memory(problem, where);
}

enum starling_error frozen_end(struct frozen **frozen, const char *where, struct problem *problem)
{
    struct frozen *ours = *frozen;
    *frozen = NULL;
    if (!ours->reads && ours->state == FINE)
        hand_out(ours);
    enum starling_error error = tell(ours->state, where, problem);
    for (size_t i = 0; ours->reads && i < ours->slots_count; i++)
        version_release(&ours->slots[i].version);
    free(ours->slots);
    free(ours->shared);
    free(ours->free_slots);
    free(ours->room);
    free(ours);
    return error;
}

static void write_bytes(struct frozen *frozen, const uint8_t *bytes, size_t size)
{
    while (size > 0 && frozen->state == FINE) {
        size_t now = ROOM - frozen->at < size ? ROOM - frozen->at : size;
        memcpy(frozen->room + frozen->at, bytes, now);
        frozen->at += now;
        bytes += now;
        size -= now;
        if (frozen->at == ROOM)
            hand_out(frozen);
    }
}

static void read_bytes(struct frozen *frozen, uint8_t *bytes, size_t size)
{
    while (size > 0 && frozen->state == FINE) {
        if (frozen->at == frozen->end) {
            frozen->at = 0;
            frozen->end = frozen->mover(frozen->self, frozen->room, ROOM);
            if (frozen->end == 0)
                fail(frozen, CUT);
        }
        size_t left = frozen->end - frozen->at, now = left < size ? left : size;
        memcpy(bytes, frozen->room + frozen->at, now);
        frozen->at += now;
        bytes += now;
        size -= now;
    }
    if (size > 0)
        memset(bytes, 0, size);
}

void frozen_bytes(struct frozen *frozen, void *bytes, size_t size)
{
    if (frozen->reads)
        read_bytes(frozen, bytes, size);
    else
        write_bytes(frozen, bytes, size);
}

void frozen_u32(struct frozen *frozen, uint32_t *number)
{
    frozen_bytes(frozen, number, sizeof *number);
}

void frozen_u64(struct frozen *frozen, uint64_t *number)
{
    frozen_bytes(frozen, number, sizeof *number);
}

void frozen_real(struct frozen *frozen, double *number)
{
    frozen_bytes(frozen, number, sizeof *number);
}

void frozen_flag(struct frozen *frozen, bool *flag)
{
    uint8_t byte = 0;
    if (!frozen->reads)
        byte = *flag;
    frozen_bytes(frozen, &byte, 1);
    if (byte > 1)
        frozen_refuse(frozen);
    *flag = byte == 1;
}

void frozen_u64_to(struct frozen *frozen, uint64_t *number, uint64_t most)
{
    frozen_u64(frozen, number);
    if (frozen->reads && *number > most) {
        frozen_refuse(frozen);
        *number = 0;
    }
}

void frozen_u32_to(struct frozen *frozen, uint32_t *number, uint64_t most)
{
    frozen_u32(frozen, number);
    if (frozen->reads && *number > most) {
        frozen_refuse(frozen);
        *number = 0;
    }
}

void frozen_size_to(struct frozen *frozen, size_t *number, size_t most)
{
    uint64_t wide = *number;
    frozen_u64_to(frozen, &wide, most);
    *number = (size_t)wide;
}

void frozen_real_to(struct frozen *frozen, double *number, double most)
{
    frozen_real(frozen, number);
    if (frozen->reads && !(*number >= 0 && *number <= most)) {
        frozen_refuse(frozen);
        *number = 0;
    }
}

void frozen_floats(struct frozen *frozen, float *values, size_t count)
{
    frozen_bytes(frozen, values, count * sizeof *values);
}

void frozen_doubles(struct frozen *frozen, double *values, size_t count)
{
    frozen_bytes(frozen, values, count * sizeof *values);
}

/* Where a version is in the table, or would be. */
static size_t find(const struct frozen *frozen, const struct version *version)
{
    uint64_t mixed = (uint64_t)(uintptr_t)version * UINT64_C(0x9E3779B97F4A7C15);
    size_t place = (size_t)(mixed >> 20) & (frozen->shared_size - 1);
    while (frozen->shared[place].version && frozen->shared[place].version != version)
        place = (place + 1) & (frozen->shared_size - 1);
    return place;
}

static bool make_room(struct frozen *frozen)
{
    if (2 * (frozen->shared_count + 1) <= frozen->shared_size)
        return true;
    size_t old_size = frozen->shared_size, size = old_size ? 2 * old_size : 1024;
    struct shared *old = frozen->shared, *grown = calloc(size, sizeof *grown);
    if (!grown)
        return false;
    frozen->shared = grown;
    frozen->shared_size = size;
    for (size_t i = 0; i < old_size; i++)
        if (old[i].version)
            grown[find(frozen, old[i].version)] = old[i];
    free(old);
    return true;
}

/* Takes the one at `place` out, and moves up what lies where it does not belong for its sake. */
static void take_out(struct frozen *frozen, size_t place)
{
    size_t mask = frozen->shared_size - 1;
    frozen->shared[place].version = NULL;
    frozen->shared_count--;
    for (size_t i = (place + 1) & mask; frozen->shared[i].version; i = (i + 1) & mask) {
        struct shared moved = frozen->shared[i];
        frozen->shared[i].version = NULL;
        frozen->shared[find(frozen, moved.version)] = moved;
    }
}

static bool free_slot(struct frozen *frozen, uint32_t slot)
{
    if (frozen->free_count == frozen->free_capacity) {
        size_t capacity = frozen->free_capacity ? 2 * frozen->free_capacity : 64;
        uint32_t *grown = realloc(frozen->free_slots, capacity * sizeof *grown);
        if (!grown)
            return false;
        frozen->free_slots = grown;
        frozen->free_capacity = capacity;
    }
    frozen->free_slots[frozen->free_count++] = slot;
    return true;
}

static void write_new(struct frozen *frozen, const struct version *version, uint32_t references)
{
    uint32_t kind = VERSION_NEW;
    if (frozen->slots_count == SLOTS_MAX || !make_room(frozen)) {
        fail(frozen, NO_MEMORY);
        return;
    }
    uint32_t slot = frozen->free_count > 0 ? frozen->free_slots[--frozen->free_count]
                                           : (uint32_t)frozen->slots_count++;
    frozen->shared[find(frozen, version)] = (struct shared){version, slot, references - 1};
    frozen->shared_count++;
    frozen_u32(frozen, &kind);
    frozen_u32(frozen, &slot);
}

/* One that follows another is written as that, whose values it has. */
static void write_version(struct frozen *frozen, const struct version *version, size_t count)
{
    const struct version *owner = version ? version_owner(version) : NULL;
    uint32_t kind = owner ? VERSION_ALONE : VERSION_NONE;
    uint32_t references =
        owner ? atomic_load_explicit(&owner->references, memory_order_relaxed) : 0;
    size_t place = references > 1 && frozen->shared_size > 0 ? find(frozen, owner) : SIZE_MAX;
    if (place != SIZE_MAX && frozen->shared[place].version) {
        struct shared *shared = &frozen->shared[place];
        kind = SHARED_FIRST + shared->slot;
        frozen_u32(frozen, &kind);
        if (--shared->left == 0) {
            if (!free_slot(frozen, shared->slot))
                fail(frozen, NO_MEMORY);
            take_out(frozen, place);
        }
        return;
    }
    assert(!owner || version_made(owner));
    if (references > 1)
        write_new(frozen, owner, references);
    else
        frozen_u32(frozen, &kind);
    if (owner)
        frozen_floats(frozen, owner->values, count);
}

static struct version *read_values(struct frozen *frozen, size_t count)
{
    struct version *version = version_new(count);
    if (!version) {
        fail(frozen, NO_MEMORY);
        return NULL;
    }
    frozen_floats(frozen, version->values, count);
    version_keep(version);
    return version;
}

/* The slot that a new version goes to; NULL when there is none. */
static struct slot *read_slot(struct frozen *frozen)
{
    uint32_t number = 0;
    frozen_u32_to(frozen, &number, frozen->slots_count);
    if (!frozen_is_fine(frozen))
        return NULL;
    if (number == frozen->slots_capacity) {
        size_t capacity = number ? 2 * (size_t)number : 64;
        struct slot *grown = realloc(frozen->slots, capacity * sizeof *grown);
        if (!grown) {
            fail(frozen, NO_MEMORY);
            return NULL;
        }
        frozen->slots = grown;
        frozen->slots_capacity = capacity;
    }
    if (number == frozen->slots_count)
        frozen->slots[frozen->slots_count++] = (struct slot){NULL, 0};
    return &frozen->slots[number];
}

static struct version *read_version(struct frozen *frozen, size_t count)
{
    uint32_t kind = VERSION_NONE;
    frozen_u32(frozen, &kind);
    if (kind == VERSION_NONE)
        return NULL;
    if (kind == VERSION_ALONE)
        return read_values(frozen, count);
    if (kind == VERSION_NEW) {
        struct slot *slot = read_slot(frozen);
        struct version *version = slot ? read_values(frozen, count) : NULL;
        if (!version)
            return NULL;
        version_release(&slot->version);
        *slot = (struct slot){version_share(version), count};
        return version;
    }
    size_t number = kind - SHARED_FIRST;
    if (number >= frozen->slots_count || !frozen->slots[number].version ||
        frozen->slots[number].count != count) {
        frozen_refuse(frozen);
        return NULL;
    }
    return version_share(frozen->slots[number].version);
}

void frozen_version(struct frozen *frozen, struct version **version, size_t count, bool needed)
{
    if (!frozen->reads) {
        write_version(frozen, *version, count);
        return;
    }
    version_release(version);
    *version = read_version(frozen, count);
    if (!*version && needed)
        frozen_refuse(frozen);
}
