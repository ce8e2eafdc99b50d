/* post — a simulated message as the bytes it would be.
 *
 * Every message is charged what its frames take on a real wire. With `real`, it also is those
 * bytes: packed by the codec that nodes use, with keys, memberships and descriptors made for the
 * participants from the seed, and unpacked and verified at the other end. The outcome is the same
 * either way, to the bit.
 */
#ifndef STARLING_POST_H
#define STARLING_POST_H

#include <stdbool.h>

#include "gossip/message.h"
#include "model/problem.h"

/* A message under way. */
struct parcel {
    struct gossip_message message; /* what is sent; with bytes, models and peers are not in it */
    uint8_t *header, *payload;     /* the frames, or NULL */
    size_t header_size, payload_size;
    size_t bytes;              /* that it takes on the wire: post_bytes */
    struct parcel *next_spare; /* of those that are not under way */
};

struct post;

/* For participants 0 … nodes − 1, whose models have so many parameters. NULL and a problem when
 * memory is out. */
struct post *post_new(size_t nodes, size_t parameters, uint64_t seed, bool real,
                      struct problem *problem);
void post_free(struct post **post);
bool post_is_real(const struct post *post);

/* The bytes on the wire of a message, both frames and their framing. */
size_t post_bytes(const struct post *post, const struct gossip_message *message);

/* With `real`: turns the parcel's message into frames (its model, made, is given back), and frames
 * back into a message with a version of its own. A refusal is a fault of the codec. */
enum starling_error post_pack(struct post *post, struct parcel *parcel, struct problem *problem);
enum refusal post_unpack(struct post *post, struct parcel *parcel);

/* Gives back what a parcel that never arrives holds. */
void parcel_drop(struct parcel *parcel);

#endif
