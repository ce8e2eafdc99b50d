/* wire — msgpack at the door: written into fixed buffers, read only after it was bounded.
 *
 * Everything said between nodes is one msgpack value. Maps have integer keys, and one rule lets
 * them grow: an unknown key from 0 up is skipped, an unknown negative one refuses the whole
 * (REFUSED_VERSION), a key that comes twice is malformed. Extension types are malformed.
 *
 * Before msgpack-c sees a byte from outside, a scan has shown that the input is exactly one value,
 * no deeper and no larger than the limits below, and that every count and length fits into the
 * bytes that are there. Without it five bytes could make the library reserve gigabytes.
 */
#ifndef STARLING_WIRE_H
#define STARLING_WIRE_H

#include <msgpack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/message.h"

#define WIRE_DEPTH_MAX 8      /* maps and arrays inside one another */
#define WIRE_ELEMENTS_MAX 256 /* values in all, keys among them */

/* The first two keys of every message, HELLO included. */
#define WIRE_KEY_VERSION 0
#define WIRE_KEY_KIND 1

/* The kind of a HELLO, which enum message_kind leaves free. */
#define WIRE_KIND_HELLO 0

/* Writes into `out`, or with out == NULL counts: the same code gives the size and the bytes. */
struct wire_writer {
    uint8_t *out;
    size_t capacity, size;
    bool full; /* something did not fit: nothing more is written */
};

struct wire_writer wire_writer(uint8_t *out, size_t capacity);

/* What was written, 0 when it did not fit. */
size_t wire_written(const struct wire_writer *writer);

/* Bytes that wire_put_uint takes for `value`. */
static inline size_t wire_uint_bytes(uint64_t value)
{
    return value <= 127          ? 1
           : value <= UINT8_MAX  ? 2
           : value <= UINT16_MAX ? 3
           : value <= UINT32_MAX ? 5
                                 : 9;
}

void wire_put_array(struct wire_writer *writer, size_t count);
void wire_put_map(struct wire_writer *writer, size_t pairs);
void wire_put_key(struct wire_writer *writer, int64_t key);
void wire_put_uint(struct wire_writer *writer, uint64_t value);
void wire_put_double(struct wire_writer *writer, double value);
void wire_put_bool(struct wire_writer *writer, bool value);
void wire_put_text(struct wire_writer *writer, const char *text);

/* `bytes` may be NULL when only counting. */
void wire_put_bytes(struct wire_writer *writer, const uint8_t *bytes, size_t size);

/* One value taken apart; texts and byte strings in it point into the input. */
struct wire_reader {
    msgpack_unpacked unpacked;
};

/* REFUSED_MALFORMED unless the input is one value within the limits. Closed in either case by
 * wire_close. Takes at most some 32 KiB of memory, whatever the bytes. */
enum refusal wire_open(struct wire_reader *reader, const uint8_t *bytes, size_t size);
void wire_close(struct wire_reader *reader);

const msgpack_object *wire_root(const struct wire_reader *reader);

/* Opens a message and reads what all of them share: REFUSED_VERSION, with the kind, when it is not
 * of PROTOCOL_VERSION. */
enum refusal wire_open_message(struct wire_reader *reader, const uint8_t *bytes, size_t size,
                               uint64_t *kind);

enum wire_type { WIRE_UINT, WIRE_NUMBER, WIRE_BOOL, WIRE_BYTES, WIRE_TEXT, WIRE_ARRAY };

/* What a map may hold under a key. */
struct wire_field {
    int64_t key;
    enum wire_type type;
    bool optional;
    uint64_t least, most; /* of the value of a number, of the length of everything else */
};

/* Checks a map against `fields` (count): values[i] becomes the value of fields[i], of its type and
 * within its bounds, or NULL where an optional one is absent. A number is a finite double in
 * via.f64, from either float type. */
enum refusal wire_read_map(const msgpack_object *map, const struct wire_field *fields, size_t count,
                           const msgpack_object **values);

/* Whether `object` has this type and lies within these bounds. */
bool wire_is(const msgpack_object *object, enum wire_type type, uint64_t least, uint64_t most);

#endif
