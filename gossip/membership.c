#include "gossip/membership.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "gossip/wire.h"

#define ENVELOPE_VERSION 1
#define SIGNATURE_BYTES 64
#define BODY_BYTES_MAX 320
#define CONTEXT_BYTES_MAX 32

static const char MEMBERSHIP_CONTEXT[] = "starling membership";
static const char DESCRIPTOR_CONTEXT[] = "starling descriptor";

/* Keys of the bodies; docs/protocol.md has the same tables. A number keeps its meaning for good. */
enum {
    MEMBERSHIP_SWARM,
    MEMBERSHIP_IDENTITY,
    MEMBERSHIP_CURVE,
    MEMBERSHIP_SERIAL,
    MEMBERSHIP_ROLES,
    MEMBERSHIP_NOT_BEFORE,
    MEMBERSHIP_NOT_AFTER
};
enum { DESCRIPTOR_IDENTITY, DESCRIPTOR_ENDPOINT, DESCRIPTOR_SEQUENCE, DESCRIPTOR_TIME };
enum { CARD_MEMBERSHIP, CARD_DESCRIPTOR };

static_assert(KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "an identity is an Ed25519 key");
static_assert(SECRET_KEY_BYTES == crypto_sign_SECRETKEYBYTES, "as libsodium keeps it");
static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "an Ed25519 signature");

/* An envelope taken apart; the pointers lead into the bytes it came from. */
struct envelope {
    const uint8_t *body;
    size_t body_size;
    const uint8_t *signature; /* SIGNATURE_BYTES */
};

/* The bytes under a signature: the context with its final zero, the version, the body. So nothing
 * signed for one purpose can pass for another. */
static size_t signed_bytes(const char *context, const uint8_t *body, size_t body_size,
                           uint8_t out[CONTEXT_BYTES_MAX + BODY_BYTES_MAX])
{
    size_t context_size = strlen(context) + 1;
    assert(context_size + 1 <= CONTEXT_BYTES_MAX && body_size <= BODY_BYTES_MAX);
    memcpy(out, context, context_size);
    out[context_size] = ENVELOPE_VERSION;
    memcpy(out + context_size + 1, body, body_size);
    return context_size + 1 + body_size;
}

static size_t envelope_seal(const char *context, const struct wire_writer *body,
                            const uint8_t secret[SECRET_KEY_BYTES], uint8_t *out, size_t capacity)
{
    size_t body_size = wire_written(body);
    if (body_size == 0)
        return 0;
    uint8_t covered[CONTEXT_BYTES_MAX + BODY_BYTES_MAX];
    size_t covered_size = signed_bytes(context, body->out, body_size, covered);
    uint8_t signature[SIGNATURE_BYTES];
    crypto_sign_detached(signature, NULL, covered, covered_size, secret);

    struct wire_writer writer = wire_writer(out, capacity);
    wire_put_array(&writer, 3);
    wire_put_uint(&writer, ENVELOPE_VERSION);
    wire_put_bytes(&writer, body->out, body_size);
    wire_put_bytes(&writer, signature, sizeof signature);
    return wire_written(&writer);
}

static enum refusal envelope_open(const uint8_t *bytes, size_t size, size_t size_max,
                                  struct envelope *envelope)
{
    if (size > size_max)
        return REFUSED_MALFORMED;
    struct wire_reader reader;
    enum refusal refusal = wire_open(&reader, bytes, size);
    if (refusal != REFUSED_NOT)
        goto close;
    const msgpack_object *root = wire_root(&reader);
    refusal = REFUSED_MALFORMED;
    if (!wire_is(root, WIRE_ARRAY, 1, WIRE_ELEMENTS_MAX) ||
        !wire_is(&root->via.array.ptr[0], WIRE_UINT, 0, UINT64_MAX))
        goto close;
    const msgpack_object *parts = root->via.array.ptr;
    if (parts[0].via.u64 != ENVELOPE_VERSION) {
        refusal = REFUSED_VERSION;
        goto close;
    }
    if (root->via.array.size != 3 || !wire_is(&parts[1], WIRE_BYTES, 1, BODY_BYTES_MAX) ||
        !wire_is(&parts[2], WIRE_BYTES, SIGNATURE_BYTES, SIGNATURE_BYTES))
        goto close;
    *envelope = (struct envelope){
        .body = (const uint8_t *)parts[1].via.bin.ptr,
        .body_size = parts[1].via.bin.size,
        .signature = (const uint8_t *)parts[2].via.bin.ptr,
    };
    refusal = REFUSED_NOT;
close:
    wire_close(&reader);
    return refusal;
}

static bool envelope_signed_by(const struct envelope *envelope, const char *context,
                               const uint8_t key[KEY_BYTES])
{
    uint8_t covered[CONTEXT_BYTES_MAX + BODY_BYTES_MAX];
    size_t covered_size = signed_bytes(context, envelope->body, envelope->body_size, covered);
    return crypto_sign_verify_detached(envelope->signature, covered, covered_size, key) == 0;
}

static void put_key_bytes(struct wire_writer *writer, int64_t key, const uint8_t bytes[KEY_BYTES])
{
    wire_put_key(writer, key);
    wire_put_bytes(writer, bytes, KEY_BYTES);
}

static void put_number(struct wire_writer *writer, int64_t key, uint64_t value)
{
    wire_put_key(writer, key);
    wire_put_uint(writer, value);
}

static bool time_sound(int64_t time)
{
    return time >= 0 && time <= CERTIFICATE_TIME_MAX;
}

size_t membership_sign(const struct membership *membership,
                       const uint8_t authority_secret[SECRET_KEY_BYTES], uint8_t *out)
{
    if (!time_sound(membership->not_before) || !time_sound(membership->not_after) ||
        membership->not_after < membership->not_before || membership->roles == 0 ||
        membership->serial > INT64_MAX)
        return 0;
    uint8_t body[BODY_BYTES_MAX];
    struct wire_writer writer = wire_writer(body, sizeof body);
    wire_put_map(&writer, 7);
    put_key_bytes(&writer, MEMBERSHIP_SWARM, membership->swarm);
    put_key_bytes(&writer, MEMBERSHIP_IDENTITY, membership->identity);
    put_key_bytes(&writer, MEMBERSHIP_CURVE, membership->curve);
    put_number(&writer, MEMBERSHIP_SERIAL, membership->serial);
    put_number(&writer, MEMBERSHIP_ROLES, membership->roles);
    put_number(&writer, MEMBERSHIP_NOT_BEFORE, (uint64_t)membership->not_before);
    put_number(&writer, MEMBERSHIP_NOT_AFTER, (uint64_t)membership->not_after);
    return envelope_seal(MEMBERSHIP_CONTEXT, &writer, authority_secret, out, MEMBERSHIP_BYTES_MAX);
}

static void copy_key(uint8_t out[KEY_BYTES], const msgpack_object *value)
{
    memcpy(out, value->via.bin.ptr, KEY_BYTES);
}

static enum refusal read_membership(const uint8_t *bytes, size_t size,
                                    struct membership *membership)
{
    enum { SWARM, IDENTITY, CURVE, SERIAL, ROLES, NOT_BEFORE, NOT_AFTER, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [SWARM] = {MEMBERSHIP_SWARM, WIRE_BYTES, false, KEY_BYTES, KEY_BYTES},
        [IDENTITY] = {MEMBERSHIP_IDENTITY, WIRE_BYTES, false, KEY_BYTES, KEY_BYTES},
        [CURVE] = {MEMBERSHIP_CURVE, WIRE_BYTES, false, KEY_BYTES, KEY_BYTES},
        [SERIAL] = {MEMBERSHIP_SERIAL, WIRE_UINT, false, 0, INT64_MAX},
        [ROLES] = {MEMBERSHIP_ROLES, WIRE_UINT, false, 1, UINT32_MAX},
        [NOT_BEFORE] = {MEMBERSHIP_NOT_BEFORE, WIRE_UINT, false, 0, CERTIFICATE_TIME_MAX},
        [NOT_AFTER] = {MEMBERSHIP_NOT_AFTER, WIRE_UINT, false, 0, CERTIFICATE_TIME_MAX},
    };
    struct wire_reader reader;
    const msgpack_object *values[FIELDS];
    enum refusal refusal = wire_open(&reader, bytes, size);
    if (refusal == REFUSED_NOT)
        refusal = wire_read_map(wire_root(&reader), fields, FIELDS, values);
    if (refusal != REFUSED_NOT)
        goto close;
    *membership = (struct membership){
        .serial = values[SERIAL]->via.u64,
        .roles = (uint32_t)values[ROLES]->via.u64,
        .not_before = (int64_t)values[NOT_BEFORE]->via.u64,
        .not_after = (int64_t)values[NOT_AFTER]->via.u64,
    };
    copy_key(membership->swarm, values[SWARM]);
    copy_key(membership->identity, values[IDENTITY]);
    copy_key(membership->curve, values[CURVE]);
    if (membership->not_after < membership->not_before)
        refusal = REFUSED_MALFORMED;
close:
    wire_close(&reader);
    return refusal;
}

enum refusal membership_verify(const uint8_t *bytes, size_t size, const uint8_t swarm[KEY_BYTES],
                               struct membership *membership)
{
    struct envelope envelope;
    enum refusal refusal = envelope_open(bytes, size, MEMBERSHIP_BYTES_MAX, &envelope);
    if (refusal == REFUSED_NOT)
        refusal = read_membership(envelope.body, envelope.body_size, membership);
    if (refusal != REFUSED_NOT)
        return refusal;
    if (memcmp(membership->swarm, swarm, KEY_BYTES) != 0)
        return REFUSED_WRONG_SWARM;
    return envelope_signed_by(&envelope, MEMBERSHIP_CONTEXT, swarm) ? REFUSED_NOT
                                                                    : REFUSED_BAD_SIGNATURE;
}

enum refusal membership_valid_at(const struct membership *membership, int64_t wall_s)
{
    if (wall_s > membership->not_after + CLOCK_TOLERANCE_S)
        return REFUSED_EXPIRED;
    if (wall_s < membership->not_before - CLOCK_TOLERANCE_S)
        return REFUSED_NOT_YET_VALID;
    return REFUSED_NOT;
}

size_t descriptor_sign(const struct descriptor *descriptor,
                       const uint8_t identity_secret[SECRET_KEY_BYTES], uint8_t *out)
{
    if (!memchr(descriptor->endpoint, '\0', ENDPOINT_MAX) ||
        !endpoint_valid(descriptor->endpoint) || !time_sound(descriptor->time) ||
        descriptor->sequence > INT64_MAX)
        return 0;
    uint8_t body[BODY_BYTES_MAX];
    struct wire_writer writer = wire_writer(body, sizeof body);
    wire_put_map(&writer, 4);
    put_key_bytes(&writer, DESCRIPTOR_IDENTITY, descriptor->identity);
    wire_put_key(&writer, DESCRIPTOR_ENDPOINT);
    wire_put_text(&writer, descriptor->endpoint);
    put_number(&writer, DESCRIPTOR_SEQUENCE, descriptor->sequence);
    put_number(&writer, DESCRIPTOR_TIME, (uint64_t)descriptor->time);
    return envelope_seal(DESCRIPTOR_CONTEXT, &writer, identity_secret, out, DESCRIPTOR_BYTES_MAX);
}

static enum refusal read_descriptor(const uint8_t *bytes, size_t size,
                                    struct descriptor *descriptor)
{
    enum { IDENTITY, ENDPOINT, SEQUENCE, TIME, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [IDENTITY] = {DESCRIPTOR_IDENTITY, WIRE_BYTES, false, KEY_BYTES, KEY_BYTES},
        [ENDPOINT] = {DESCRIPTOR_ENDPOINT, WIRE_TEXT, false, 0, ENDPOINT_MAX - 1},
        [SEQUENCE] = {DESCRIPTOR_SEQUENCE, WIRE_UINT, false, 0, INT64_MAX},
        [TIME] = {DESCRIPTOR_TIME, WIRE_UINT, false, 0, CERTIFICATE_TIME_MAX},
    };
    struct wire_reader reader;
    const msgpack_object *values[FIELDS];
    enum refusal refusal = wire_open(&reader, bytes, size);
    if (refusal == REFUSED_NOT)
        refusal = wire_read_map(wire_root(&reader), fields, FIELDS, values);
    if (refusal != REFUSED_NOT)
        goto close;
    *descriptor = (struct descriptor){
        .sequence = values[SEQUENCE]->via.u64,
        .time = (int64_t)values[TIME]->via.u64,
    };
    copy_key(descriptor->identity, values[IDENTITY]);
    /* A zero byte within would make the rest of the text invisible. */
    const msgpack_object_str *endpoint = &values[ENDPOINT]->via.str;
    memcpy(descriptor->endpoint, endpoint->ptr, endpoint->size);
    if (strlen(descriptor->endpoint) != endpoint->size || !endpoint_valid(descriptor->endpoint))
        refusal = REFUSED_MALFORMED;
close:
    wire_close(&reader);
    return refusal;
}

enum refusal descriptor_verify(const uint8_t *bytes, size_t size, struct descriptor *descriptor)
{
    struct envelope envelope;
    enum refusal refusal = envelope_open(bytes, size, DESCRIPTOR_BYTES_MAX, &envelope);
    if (refusal == REFUSED_NOT)
        refusal = read_descriptor(envelope.body, envelope.body_size, descriptor);
    if (refusal != REFUSED_NOT)
        return refusal;
    return envelope_signed_by(&envelope, DESCRIPTOR_CONTEXT, descriptor->identity)
               ? REFUSED_NOT
               : REFUSED_BAD_SIGNATURE;
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool is_hexadecimal(char character)
{
    return is_digit(character) || (character >= 'a' && character <= 'f') ||
           (character >= 'A' && character <= 'F');
}

static bool is_alphanumeric(char character)
{
    return is_digit(character) || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z');
}

/* Behind the host at the start of `text`, NULL when there is none. */
static const char *endpoint_after_host(const char *text)
{
    const char *at = text;
    if (*at == '[') {
        at++;
        while (is_hexadecimal(*at) || *at == ':' || *at == '.')
            at++;
        return *at == ']' && at > text + 1 ? at + 1 : NULL;
    }
    while (is_alphanumeric(*at) || *at == '.' || *at == '-')
        at++;
    return at > text ? at : NULL;
}

bool endpoint_valid(const char *endpoint)
{
    static const char scheme[] = "tcp://";
    if (*endpoint == '\0')
        return true;
    if (strlen(endpoint) >= ENDPOINT_MAX || strncmp(endpoint, scheme, strlen(scheme)) != 0)
        return false;
    const char *at = endpoint_after_host(endpoint + strlen(scheme));
    if (!at || *at != ':')
        return false;
    const char *port = ++at;
    unsigned value = 0;
    while (is_digit(*at) && at - port < 5)
        value = value * 10 + (unsigned)(*at++ - '0');
    return *at == '\0' && *port != '0' && value >= 1 && value <= 65535;
}

size_t card_encode(const struct card *membership, const struct card *descriptor,
                   uint8_t out[CARD_BYTES_MAX])
{
    if (membership->size < 1 || membership->size > MEMBERSHIP_BYTES_MAX || descriptor->size < 1 ||
        descriptor->size > DESCRIPTOR_BYTES_MAX)
        return 0;
    struct wire_writer writer = wire_writer(out, CARD_BYTES_MAX);
    wire_put_map(&writer, 2);
    wire_put_key(&writer, CARD_MEMBERSHIP);
    wire_put_bytes(&writer, membership->bytes, membership->size);
    wire_put_key(&writer, CARD_DESCRIPTOR);
    wire_put_bytes(&writer, descriptor->bytes, descriptor->size);
    return wire_written(&writer);
}

bool card_decode(const uint8_t *bytes, size_t size, struct card *membership,
                 struct card *descriptor)
{
    enum { MEMBERSHIP, DESCRIPTOR, FIELDS };
    static const struct wire_field fields[FIELDS] = {
        [MEMBERSHIP] = {CARD_MEMBERSHIP, WIRE_BYTES, false, 1, MEMBERSHIP_BYTES_MAX},
        [DESCRIPTOR] = {CARD_DESCRIPTOR, WIRE_BYTES, false, 1, DESCRIPTOR_BYTES_MAX},
    };
    if (size > CARD_BYTES_MAX)
        return false;
    struct wire_reader reader;
    const msgpack_object *values[FIELDS];
    bool sound = wire_open(&reader, bytes, size) == REFUSED_NOT &&
                 wire_read_map(wire_root(&reader), fields, FIELDS, values) == REFUSED_NOT;
    if (sound) {
        *membership = (struct card){(const uint8_t *)values[MEMBERSHIP]->via.bin.ptr,
                                    values[MEMBERSHIP]->via.bin.size};
        *descriptor = (struct card){(const uint8_t *)values[DESCRIPTOR]->via.bin.ptr,
                                    values[DESCRIPTOR]->via.bin.size};
    }
    wire_close(&reader);
    return sound;
}
