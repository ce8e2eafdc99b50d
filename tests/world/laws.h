/* laws — what must hold in every world, at every event; a world ends where one is broken. */
#ifndef STARLING_TEST_WORLD_LAWS_H
#define STARLING_TEST_WORLD_LAWS_H

#include "tests/world/device.h"

/* What a node's counters said before a message, and what waited in its inbox. */
struct hearing {
    uint64_t messages, bytes, malformed, badly_signed;
    uint32_t waiting_count;
    struct waiting_before {
        peer_id from;
        uint32_t fragment, fragments;
        uint64_t sequence;
    } waiting[INBOX_MAX];
};

/* What was known before a round's arithmetic. */
struct lesson {
    double norm, age; /* of the oldest fragment */
    uint32_t heard;
};

/* After every turn of a device: bounds, order, who is who, the books. */
void laws_check(struct device *device);

/* A life begins with no less than is on disk; it ends. */
void laws_started(struct device *device);
void laws_ended(struct device *device);

/* A message leaves, a HELLO is about to. */
void laws_sent(struct device *device, const struct packet *packet);
void laws_greets(struct device *device);

/* A HELLO was judged; a message was handed to the node; one never was. */
void laws_judged(struct device *device, const uint8_t curve[KEY_BYTES], const struct packet *packet,
                 enum refusal refusal, peer_id peer);
struct hearing laws_before(const struct device *device);
void laws_after(struct device *device, const uint8_t curve[KEY_BYTES], const struct packet *packet,
                const struct hearing *hearing);
void laws_unheard(struct device *device, const struct packet *packet);

/* Whether somebody means harm whom others may take for a member. */
bool laws_has_insiders(const struct world *world);

/* A peer is cut. */
void laws_cut(struct device *device, const uint8_t curve[KEY_BYTES], enum refusal reason);

/* A round's arithmetic; a word for the disk that was written. */
struct lesson laws_before_work(struct device *device, const struct work *work);
void laws_after_work(struct device *device, const struct work *work, const struct lesson *lesson);
void laws_noted(struct device *device, const struct note_job *job);

/* overlay.c: once a period, and at the ends of the calm */
void overlay_look(struct world *world);
void overlay_calm(struct world *world);
void overlay_end(struct world *world);

/* Everything is over and given back. */
void laws_end(struct world *world);

#endif
