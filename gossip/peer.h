/* peer — who is who, and what time it is, as the protocol sees them. */
#ifndef STARLING_PEER_H
#define STARLING_PEER_H

#include <stdint.h>

/* A peer is a small integer, resolved at the edge: an index in a simulation, an entry of the
 * roster in a node. */
typedef uint32_t peer_id;
#define PEER_NONE UINT32_MAX

/* Deadlines by the first, validity by the second; neither is read anywhere in the core. */
struct now {
    uint64_t monotonic_us;
    int64_t wall_s;
};

#endif
