#include "gossip/hello.h"

#include <string.h>

#include "gossip/wire.h"

/* Keys of a HELLO; docs/protocol.md has the same table. A number keeps its meaning for good. */
enum {
    HELLO_VERSION_LEAST = 2,
    HELLO_VERSION_MOST,
    HELLO_SWARM,
    HELLO_MEMBERSHIP,
    HELLO_DESCRIPTOR,
    HELLO_REVOCATION,
    HELLO_TASKS,
    HELLO_REPLY,
    HELLO_TIME
};

static bool hello_sound(const struct hello *hello)
{
    return hello->version_least <= hello->version_most && hello->task_count <= HELLO_TASKS_MAX &&
           hello->membership.size <= MEMBERSHIP_BYTES_MAX &&
           hello->descriptor.size <= DESCRIPTOR_BYTES_MAX && hello->time >= 0 &&
           hello->time <= CERTIFICATE_TIME_MAX;
}

size_t hello_encode(const struct hello *hello, uint8_t *out)
{
    if (!hello_sound(hello))
        return 0;
    size_t pairs = 8;
    pairs += hello->membership.size > 0;
    pairs += hello->descriptor.size > 0;
    pairs += hello->time > 0;
    struct wire_writer writer = wire_writer(out, HELLO_BYTES_MAX);
    wire_put_map(&writer, pairs);
    wire_put_key(&writer, WIRE_KEY_VERSION);
    wire_put_uint(&writer, PROTOCOL_VERSION);
    wire_put_key(&writer, WIRE_KEY_KIND);
    wire_put_uint(&writer, WIRE_KIND_HELLO);
    wire_put_key(&writer, HELLO_VERSION_LEAST);
    wire_put_uint(&writer, hello->version_least);
    wire_put_key(&writer, HELLO_VERSION_MOST);
    wire_put_uint(&writer, hello->version_most);
    wire_put_key(&writer, HELLO_SWARM);
    wire_put_bytes(&writer, hello->swarm, KEY_BYTES);
    if (hello->membership.size > 0) {
        wire_put_key(&writer, HELLO_MEMBERSHIP);
        wire_put_bytes(&writer, hello->membership.bytes, hello->membership.size);
    }
    if (hello->descriptor.size > 0) {
        wire_put_key(&writer, HELLO_DESCRIPTOR);
        wire_put_bytes(&writer, hello->descriptor.bytes, hello->descriptor.size);
    }
    wire_put_key(&writer, HELLO_REVOCATION);
    wire_put_uint(&writer, hello->revocation);
    wire_put_key(&writer, HELLO_TASKS);
    wire_put_array(&writer, hello->task_count);
    for (uint32_t i = 0; i < hello->task_count; i++)
        wire_put_bytes(&writer, hello->tasks[i], TASK_ID_BYTES);
    wire_put_key(&writer, HELLO_REPLY);
    wire_put_bool(&writer, hello->reply);
    if (hello->time > 0) {
        wire_put_key(&writer, HELLO_TIME);
        wire_put_uint(&writer, (uint64_t)hello->time);
    }
    return wire_written(&writer);
}

static struct card card_of(const msgpack_object *value)
{
    if (!value)
        return (struct card){0};
    return (struct card){(const uint8_t *)value->via.bin.ptr, value->via.bin.size};
}

static enum refusal read_hello(const msgpack_object *map, struct hello *hello)
{
    enum { LEAST, MOST, SWARM, MEMBERSHIP, DESCRIPTOR, REVOCATION, TASKS, REPLY, TIME, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [LEAST] = {HELLO_VERSION_LEAST, WIRE_UINT, false, 0, UINT32_MAX},
        [MOST] = {HELLO_VERSION_MOST, WIRE_UINT, false, 0, UINT32_MAX},
        [SWARM] = {HELLO_SWARM, WIRE_BYTES, false, KEY_BYTES, KEY_BYTES},
        [MEMBERSHIP] = {HELLO_MEMBERSHIP, WIRE_BYTES, true, 0, MEMBERSHIP_BYTES_MAX},
        [DESCRIPTOR] = {HELLO_DESCRIPTOR, WIRE_BYTES, true, 0, DESCRIPTOR_BYTES_MAX},
        [REVOCATION] = {HELLO_REVOCATION, WIRE_UINT, false, 0, UINT64_MAX},
        [TASKS] = {HELLO_TASKS, WIRE_ARRAY, false, 0, HELLO_TASKS_MAX},
        [REPLY] = {HELLO_REPLY, WIRE_BOOL, false, 0, 0},
        [TIME] = {HELLO_TIME, WIRE_UINT, true, 0, CERTIFICATE_TIME_MAX},
    };
    const msgpack_object *values[FIELDS];
    enum refusal refusal = wire_read_map(map, fields, FIELDS, values);
    if (refusal != REFUSED_NOT)
        return refusal;
    const msgpack_object_array *tasks = &values[TASKS]->via.array;
    *hello = (struct hello){
        .version_least = (uint32_t)values[LEAST]->via.u64,
        .version_most = (uint32_t)values[MOST]->via.u64,
        .membership = card_of(values[MEMBERSHIP]),
        .descriptor = card_of(values[DESCRIPTOR]),
        .revocation = values[REVOCATION]->via.u64,
        .task_count = tasks->size,
        .reply = values[REPLY]->via.boolean,
        .time = values[TIME] ? (int64_t)values[TIME]->via.u64 : 0,
    };
    memcpy(hello->swarm, values[SWARM]->via.bin.ptr, KEY_BYTES);
    for (uint32_t i = 0; i < tasks->size; i++) {
        if (!wire_is(&tasks->ptr[i], WIRE_BYTES, TASK_ID_BYTES, TASK_ID_BYTES))
            return REFUSED_MALFORMED;
        memcpy(hello->tasks[i], tasks->ptr[i].via.bin.ptr, TASK_ID_BYTES);
    }
    return hello_sound(hello) ? REFUSED_NOT : REFUSED_MALFORMED;
}

enum refusal hello_decode(const uint8_t *bytes, size_t size, struct hello *hello)
{
    if (size > HELLO_BYTES_MAX)
        return REFUSED_MALFORMED;
    struct wire_reader reader;
    uint64_t kind = 0;
    enum refusal refusal = wire_open_message(&reader, bytes, size, &kind);
    if (refusal == REFUSED_NOT)
        refusal =
            kind == WIRE_KIND_HELLO ? read_hello(wire_root(&reader), hello) : REFUSED_MALFORMED;
    wire_close(&reader);
    return refusal;
}

bool hello_is(const uint8_t *bytes, size_t size)
{
    if (size > HELLO_BYTES_MAX)
        return false;
    struct wire_reader reader;
    uint64_t kind = 0;
    enum refusal refusal = wire_open_message(&reader, bytes, size, &kind);
    bool is = refusal != REFUSED_MALFORMED && kind == WIRE_KIND_HELLO;
    wire_close(&reader);
    return is;
}

enum refusal hello_judge(const struct hello *hello, const uint8_t swarm[KEY_BYTES],
                         const uint8_t curve[KEY_BYTES], int64_t wall_s, bool clock_set,
                         struct membership *membership, struct descriptor *descriptor)
{
    if (hello->version_least > PROTOCOL_VERSION || hello->version_most < PROTOCOL_VERSION)
        return REFUSED_VERSION;
    if (memcmp(hello->swarm, swarm, KEY_BYTES) != 0)
        return REFUSED_WRONG_SWARM;
    if (hello->membership.size == 0)
        return REFUSED_NO_MEMBERSHIP;
    enum refusal refusal =
        membership_verify(hello->membership.bytes, hello->membership.size, swarm, membership);
    if (refusal != REFUSED_NOT)
        return refusal;
    /* Anybody may hold a copy of a membership; it belongs to the key that CURVE authenticated. */
    if (memcmp(membership->curve, curve, KEY_BYTES) != 0 || !(membership->roles & ROLE_MEMBER))
        return REFUSED_NO_MEMBERSHIP;
    if (clock_set) {
        refusal = membership_valid_at(membership, wall_s);
        if (refusal != REFUSED_NOT)
            return refusal;
    }
    refusal = descriptor_verify(hello->descriptor.bytes, hello->descriptor.size, descriptor);
    if (refusal != REFUSED_NOT)
        return refusal;
    return memcmp(descriptor->identity, membership->identity, KEY_BYTES) == 0
               ? REFUSED_NOT
               : REFUSED_BAD_SIGNATURE;
}
