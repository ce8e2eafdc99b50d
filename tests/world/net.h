/* net — the network of a world: links between ports, and what becomes of what is sent over them. */
#ifndef STARLING_TEST_NET_H
#define STARLING_TEST_NET_H

#include "tests/world/world.h"

struct port *net_find(struct world *world, const char *endpoint);

/* Takes the packet, its frames and all, over. One that dials nobody's endpoint has no `to`. */
void net_send(struct world *world, struct packet *packet);
/* Somebody has to take it in now; the packet is freed. */
void net_arrive(struct world *world, struct packet *packet);
struct packet *packet_new(enum packet_kind kind, uint64_t link, struct port *from, struct port *to);
void packet_set_frames(struct packet *packet, const void *header, size_t header_size,
                       const void *payload, size_t payload_size);
void packet_free(struct packet *packet);

/* Since when nothing has gone to and fro; NEVER when something may. */
uint64_t net_silent_since(const struct world *world, const struct port *a, const struct port *b);

#endif
