/* stand_inside — what the files of the transport's stand-in share. */
#ifndef STARLING_TEST_STAND_INSIDE_H
#define STARLING_TEST_STAND_INSIDE_H

#include "tests/world/net.h"

#define NOTES_MAX 64
#define LINES_MAX 256

struct bucket {
    double tokens;
    uint64_t last_us;
};

/* What is remembered of a key. */
struct key_note {
    uint8_t curve[KEY_BYTES];
    uint64_t refused_until_us, failed_until_us;
    uint32_t failures;
    enum refusal reason;
    struct bucket hellos;
};

/* One end of a connection. */
struct line {
    bool dialled;
    enum { LINE_OPENING, LINE_GREETING, LINE_VERIFIED, LINE_GONE } state;
    uint64_t link;
    struct port *other; /* NULL: dialled where nobody is */
    uint8_t curve[KEY_BYTES];
    peer_id peer;
    uint64_t since_us, used_us;
    struct bucket messages;
    struct parcel outbox[TRANSPORT_OUTBOX_MAX];
    size_t outbox_count;
};

struct transport {
    struct transport_settings settings;
    struct transport_owner owner;
    struct device *device;
    bool open, silent;
    uint64_t now_us; /* by the device's clock */
    size_t count, note_count;
    struct line *lines[LINES_MAX];
    struct key_note notes[NOTES_MAX];
    struct packet *arrived, **last;
};

/* stand_keys.c */
bool bucket_take(struct bucket *bucket, double per_s, double burst, uint64_t now_us);
/* Finds or makes; no world has more keys than there is room for. */
struct key_note *note_of(struct transport *transport, const uint8_t curve[KEY_BYTES]);
void remember_refused(struct transport *transport, const uint8_t curve[KEY_BYTES],
                      enum refusal reason);
/* Twice as long after each failure, and never two devices in step. */
uint64_t retry_after(uint32_t failures);

#endif
