/* frozen_world — a simulated world between two calls of world_live, written and read back
 * (model/frozen.h): every participant, all messages and events under way, who is away, and what was
 * counted. Random numbers go by counters alone, and need nothing kept.
 */
#ifndef STARLING_FROZEN_WORLD_H
#define STARLING_FROZEN_WORLD_H

#include "model/frozen.h"
#include "sim/clock.h"
#include "sim/world.h"

/* Who reads begins with world_new, of the same experiment, on any number of threads, and from then
 * on the world is what the other was. A world that was refused can be freed and no more. */
void frozen_world(struct frozen *frozen, struct world *world);

/* An event of one of so many nodes, with its message; the parcel that is read is the caller's. */
void frozen_event(struct frozen *frozen, const struct world *world, struct event *event);

#endif
