/* What a device's transport remembers of keys, and the frames that it is given: as
 * node/transport.c. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/stand_inside.h"

#define RETRY_FIRST_US UINT64_C(100000)
#define RETRY_MOST_US UINT64_C(30000000)

bool bucket_take(struct bucket *bucket, double per_s, double burst, uint64_t now_us)
{
    if (bucket->last_us == 0)
        bucket->tokens = burst;
    else
        bucket->tokens += per_s * (double)(now_us - bucket->last_us) * 1e-6;
    if (bucket->tokens > burst)
        bucket->tokens = burst;
    bucket->last_us = now_us;
    if (bucket->tokens < 1)
        return false;
    bucket->tokens -= 1;
    return true;
}

struct key_note *note_of(struct transport *transport, const uint8_t curve[KEY_BYTES])
{
    for (size_t i = 0; i < transport->note_count; i++)
        if (memcmp(transport->notes[i].curve, curve, KEY_BYTES) == 0)
            return &transport->notes[i];
    struct key_note *new = &transport->notes[transport->note_count++];
    if (transport->note_count > NOTES_MAX)
        abort();
    *new = (struct key_note){0};
    memcpy(new->curve, curve, KEY_BYTES);
    return new;
}

bool parcel_init(struct parcel *parcel, const uint8_t *header, size_t size)
{
    *parcel = (struct parcel){0};
    zmq_msg_init(&parcel->payload);
    if (zmq_msg_init_size(&parcel->header, size))
        abort();
    memcpy(zmq_msg_data(&parcel->header), header, size);
    return true;
}

bool parcel_payload(struct parcel *parcel, void *data, size_t size,
                    void (*release)(void *data, void *hint), void *hint)
{
    if (zmq_msg_init_data(&parcel->payload, data, size, release, hint))
        abort();
    parcel->has_payload = true;
    return true;
}

void parcel_clear(struct parcel *parcel)
{
    zmq_msg_close(&parcel->header);
    zmq_msg_close(&parcel->payload);
    zmq_msg_init(&parcel->header);
    zmq_msg_init(&parcel->payload);
}

uint64_t retry_after(uint32_t failures)
{
    uint64_t wait = RETRY_FIRST_US << (failures < 12 ? failures - 1 : 11);
    if (wait > RETRY_MOST_US)
        wait = RETRY_MOST_US;
    return wait * 3 / 4 + randombytes_uniform((uint32_t)(wait / 2));
}

void remember_refused(struct transport *transport, const uint8_t curve[KEY_BYTES],
                      enum refusal reason)
{
    bool soon = reason == REFUSED_NO_MEMBERSHIP || reason == REFUSED_NOT_YET_VALID ||
                reason == REFUSED_EXPIRED;
    struct key_note *key = note_of(transport, curve);
    key->reason = reason;
    key->refused_until_us = transport->now_us + TRANSPORT_REFUSED_US / (soon ? 6 : 1);
}
