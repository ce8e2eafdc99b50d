#include "gossip/wire.h"

#include <math.h>
#include <string.h>

static int append(void *data, const char *bytes, size_t size)
{
    struct wire_writer *writer = data;
    if (writer->full || size > writer->capacity - writer->size) {
        writer->full = true;
        return -1;
    }
    if (writer->out && size > 0)
        memcpy(writer->out + writer->size, bytes, size);
    writer->size += size;
    return 0;
}

/* msgpack-c's handle on a writer; what it returns is remembered in writer->full. */
static msgpack_packer packer_of(struct wire_writer *writer)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, writer, append);
    return packer;
}

/* A value of known size, where it is only counted: without msgpack-c's detour. */
static bool counted(struct wire_writer *writer, size_t size)
{
    if (writer->out || writer->full || size > writer->capacity - writer->size)
        return false;
    writer->size += size;
    return true;
}

struct wire_writer wire_writer(uint8_t *out, size_t capacity)
{
    return (struct wire_writer){.out = out, .capacity = capacity};
}

size_t wire_written(const struct wire_writer *writer)
{
    return writer->full ? 0 : writer->size;
}

void wire_put_array(struct wire_writer *writer, size_t count)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_array(&packer, count);
}

void wire_put_map(struct wire_writer *writer, size_t pairs)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_map(&packer, pairs);
}

void wire_put_key(struct wire_writer *writer, int64_t key)
{
    if (key >= -32 && key <= 127 && counted(writer, 1))
        return;
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_int64(&packer, key);
}

void wire_put_uint(struct wire_writer *writer, uint64_t value)
{
    if (counted(writer, wire_uint_bytes(value)))
        return;
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_uint64(&packer, value);
}

void wire_put_double(struct wire_writer *writer, double value)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_double(&packer, value);
}

void wire_put_bool(struct wire_writer *writer, bool value)
{
    msgpack_packer packer = packer_of(writer);
    if (value)
        msgpack_pack_true(&packer);
    else
        msgpack_pack_false(&packer);
}

void wire_put_text(struct wire_writer *writer, const char *text)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_str_with_body(&packer, text, strlen(text));
}

void wire_put_bytes(struct wire_writer *writer, const uint8_t *bytes, size_t size)
{
    msgpack_packer packer = packer_of(writer);
    msgpack_pack_bin_with_body(&packer, bytes, size);
}

/* What the first byte of a value says about what follows it. */
struct lead {
    size_t length_bytes; /* of a count or length, big-endian */
    size_t fixed;        /* bytes or items that follow without one */
    enum { LEAD_SCALAR, LEAD_STRING, LEAD_ARRAY, LEAD_MAP, LEAD_REFUSED } kind;
};

static struct lead lead_of(uint8_t byte)
{
    if (byte <= 0x7f || byte >= 0xe0) /* small integers */
        return (struct lead){.kind = LEAD_SCALAR};
    if (byte <= 0x8f)
        return (struct lead){.kind = LEAD_MAP, .fixed = byte & 0x0f};
    if (byte <= 0x9f)
        return (struct lead){.kind = LEAD_ARRAY, .fixed = byte & 0x0f};
    if (byte <= 0xbf)
        return (struct lead){.kind = LEAD_STRING, .fixed = byte & 0x1f};
    switch (byte) {
    case 0xc0: /* nil */
    case 0xc2: /* false */
    case 0xc3: /* true */
        return (struct lead){.kind = LEAD_SCALAR};
    case 0xc4: /* bin */
    case 0xc5:
    case 0xc6:
        return (struct lead){.kind = LEAD_STRING, .length_bytes = (size_t)1 << (byte - 0xc4)};
    case 0xca: /* float */
        return (struct lead){.kind = LEAD_SCALAR, .fixed = 4};
    case 0xcb:
        return (struct lead){.kind = LEAD_SCALAR, .fixed = 8};
    case 0xcc: /* unsigned */
    case 0xcd:
    case 0xce:
    case 0xcf:
        return (struct lead){.kind = LEAD_SCALAR, .fixed = (size_t)1 << (byte - 0xcc)};
    case 0xd0: /* signed */
    case 0xd1:
    case 0xd2:
    case 0xd3:
        return (struct lead){.kind = LEAD_SCALAR, .fixed = (size_t)1 << (byte - 0xd0)};
    case 0xd9: /* str */
    case 0xda:
    case 0xdb:
        return (struct lead){.kind = LEAD_STRING, .length_bytes = (size_t)1 << (byte - 0xd9)};
    case 0xdc: /* array */
    case 0xdd:
        return (struct lead){.kind = LEAD_ARRAY, .length_bytes = (size_t)2 << (byte - 0xdc)};
    case 0xde: /* map */
    case 0xdf:
        return (struct lead){.kind = LEAD_MAP, .length_bytes = (size_t)2 << (byte - 0xde)};
    default: /* extensions, and the byte that is never used */
        return (struct lead){.kind = LEAD_REFUSED};
    }
}

struct scan {
    const uint8_t *at;
    size_t left;                  /* bytes */
    size_t waiting;               /* values announced and not yet seen, at all depths */
    size_t seen;                  /* values */
    size_t depth;                 /* open maps and arrays */
    size_t items[WIRE_DEPTH_MAX]; /* values still to come in each of them */
};

static bool scan_take(struct scan *scan, size_t bytes)
{
    if (bytes > scan->left)
        return false;
    scan->at += bytes;
    scan->left -= bytes;
    return true;
}

/* Opens a map or array of `items` values; each of them takes at least a byte. */
static bool scan_enter(struct scan *scan, size_t items)
{
    if (scan->depth == WIRE_DEPTH_MAX || items > scan->left || scan->waiting > scan->left - items)
        return false;
    scan->items[scan->depth++] = items;
    scan->waiting += items;
    return true;
}

static bool scan_value(struct scan *scan)
{
    if (scan->left == 0 || ++scan->seen > WIRE_ELEMENTS_MAX)
        return false;
    struct lead lead = lead_of(*scan->at);
    scan_take(scan, 1);
    uint64_t count = lead.fixed;
    if (lead.length_bytes > scan->left)
        return false;
    for (size_t i = 0; i < lead.length_bytes; i++)
        count = count << 8 | scan->at[i];
    scan_take(scan, lead.length_bytes);
    /* Beyond the bytes there are it is refused in any case, and 32-bit sizes stay whole. */
    if (count > scan->left)
        return false;

    switch (lead.kind) {
    case LEAD_SCALAR:
    case LEAD_STRING:
        return scan_take(scan, (size_t)count);
    case LEAD_ARRAY:
        return scan_enter(scan, (size_t)count);
    case LEAD_MAP:
        return count <= scan->left / 2 && scan_enter(scan, (size_t)count * 2);
    case LEAD_REFUSED:
        return false;
    }
    return false;
}

/* Whether the input is exactly one value within the limits. */
static bool scan_input(const uint8_t *bytes, size_t size)
{
    struct scan scan = {.at = bytes, .left = size};
    if (!scan_value(&scan))
        return false;
    while (scan.depth > 0) {
        if (scan.items[scan.depth - 1] == 0) {
            scan.depth--;
            continue;
        }
        scan.items[scan.depth - 1]--;
        scan.waiting--;
        if (!scan_value(&scan))
            return false;
    }
    return scan.left == 0;
}

enum refusal wire_open(struct wire_reader *reader, const uint8_t *bytes, size_t size)
{
    msgpack_unpacked_init(&reader->unpacked);
    if (!scan_input(bytes, size))
        return REFUSED_MALFORMED;
    size_t offset = 0;
    msgpack_unpack_return result =
        msgpack_unpack_next(&reader->unpacked, (const char *)bytes, size, &offset);
    return result == MSGPACK_UNPACK_SUCCESS && offset == size ? REFUSED_NOT : REFUSED_MALFORMED;
}

void wire_close(struct wire_reader *reader)
{
    msgpack_unpacked_destroy(&reader->unpacked);
}

const msgpack_object *wire_root(const struct wire_reader *reader)
{
    return &reader->unpacked.data;
}

static bool is_integer(const msgpack_object *object)
{
    return object->type == MSGPACK_OBJECT_POSITIVE_INTEGER ||
           object->type == MSGPACK_OBJECT_NEGATIVE_INTEGER;
}

static bool has_key(const msgpack_object_kv *pair, int64_t key)
{
    if (key < 0)
        return pair->key.type == MSGPACK_OBJECT_NEGATIVE_INTEGER && pair->key.via.i64 == key;
    return pair->key.type == MSGPACK_OBJECT_POSITIVE_INTEGER && pair->key.via.u64 == (uint64_t)key;
}

/* The value under `key`, NULL when there is none. */
static const msgpack_object *find(const msgpack_object *map, int64_t key)
{
    for (uint32_t i = 0; i < map->via.map.size; i++)
        if (has_key(&map->via.map.ptr[i], key))
            return &map->via.map.ptr[i].val;
    return NULL;
}

/* Integer keys, none twice. WIRE_ELEMENTS_MAX bounds the square. */
static bool keys_sound(const msgpack_object *map)
{
    const msgpack_object_kv *pairs = map->via.map.ptr;
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        if (!is_integer(&pairs[i].key))
            return false;
        for (uint32_t j = 0; j < i; j++)
            if (pairs[i].key.type == pairs[j].key.type &&
                pairs[i].key.via.u64 == pairs[j].key.via.u64)
                return false;
    }
    return true;
}

enum refusal wire_open_message(struct wire_reader *reader, const uint8_t *bytes, size_t size,
                               uint64_t *kind)
{
    if (wire_open(reader, bytes, size) != REFUSED_NOT)
        return REFUSED_MALFORMED;
    const msgpack_object *map = wire_root(reader);
    if (map->type != MSGPACK_OBJECT_MAP || !keys_sound(map))
        return REFUSED_MALFORMED;
    const msgpack_object *version = find(map, WIRE_KEY_VERSION);
    const msgpack_object *found = find(map, WIRE_KEY_KIND);
    if (!version || !wire_is(version, WIRE_UINT, 0, UINT64_MAX) || !found ||
        !wire_is(found, WIRE_UINT, 0, UINT64_MAX))
        return REFUSED_MALFORMED;
    *kind = found->via.u64;
    return version->via.u64 == PROTOCOL_VERSION ? REFUSED_NOT : REFUSED_VERSION;
}

bool wire_is(const msgpack_object *object, enum wire_type type, uint64_t least, uint64_t most)
{
    uint64_t extent;
    switch (type) {
    case WIRE_UINT:
        if (object->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
            return false;
        extent = object->via.u64;
        break;
    case WIRE_NUMBER:
        if (object->type != MSGPACK_OBJECT_FLOAT32 && object->type != MSGPACK_OBJECT_FLOAT64)
            return false;
        return isfinite(object->via.f64) && object->via.f64 >= (double)least &&
               object->via.f64 <= (double)most;
    case WIRE_BOOL:
        return object->type == MSGPACK_OBJECT_BOOLEAN;
    case WIRE_BYTES:
        if (object->type != MSGPACK_OBJECT_BIN)
            return false;
        extent = object->via.bin.size;
        break;
    case WIRE_TEXT:
        if (object->type != MSGPACK_OBJECT_STR)
            return false;
        extent = object->via.str.size;
        break;
    case WIRE_ARRAY:
        if (object->type != MSGPACK_OBJECT_ARRAY)
            return false;
        extent = object->via.array.size;
        break;
    default:
        return false;
    }
    return extent >= least && extent <= most;
}

/* Whether a key of the map is required (negative) and not among the fields. */
static bool demands_unknown(const msgpack_object *map, const struct wire_field *fields,
                            size_t count)
{
    for (uint32_t i = 0; i < map->via.map.size; i++) {
        const msgpack_object_kv *pair = &map->via.map.ptr[i];
        if (pair->key.type != MSGPACK_OBJECT_NEGATIVE_INTEGER)
            continue;
        size_t field = 0;
        while (field < count && !has_key(pair, fields[field].key))
            field++;
        if (field == count)
            return true;
    }
    return false;
}

enum refusal wire_read_map(const msgpack_object *map, const struct wire_field *fields, size_t count,
                           const msgpack_object **values)
{
    if (map->type != MSGPACK_OBJECT_MAP || !keys_sound(map))
        return REFUSED_MALFORMED;
    /* First: what a newer sender demands may well be why the rest looks wrong. */
    if (demands_unknown(map, fields, count))
        return REFUSED_VERSION;
    for (size_t i = 0; i < count; i++) {
        values[i] = find(map, fields[i].key);
        if (!values[i] && fields[i].optional)
            continue;
        if (!values[i] || !wire_is(values[i], fields[i].type, fields[i].least, fields[i].most))
            return REFUSED_MALFORMED;
    }
    return REFUSED_NOT;
}
