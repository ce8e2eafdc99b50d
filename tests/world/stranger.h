/* stranger — someone who means harm: with no membership that counts, or, worse, with one. */
#ifndef STARLING_TEST_STRANGER_H
#define STARLING_TEST_STRANGER_H

#include "tests/world/world.h"

struct stranger *stranger_new(struct world *world, uint32_t number);
void stranger_free(struct stranger **stranger);

/* Does its next bit of harm, and puts the event of the one after. */
void stranger_act(struct stranger *stranger);
/* Takes the packet over. */
void stranger_take(struct stranger *stranger, struct packet *packet);
/* Goes for good. */
void stranger_leave(struct stranger *stranger);

/* harm.c: a message of the kind that no honest node sends, or not so many of; NULL payload: none.
 * The caller frees both. */
struct harm {
    uint8_t *header, *payload;
    size_t header_size, payload_size;
    bool has_payload, unsound;
    uint32_t times; /* to be sent so often */
};
struct harm harm_draw(struct world *world, const uint8_t task[TASK_ID_BYTES],
                      const struct card *own_card, const struct packet *heard);

#endif
