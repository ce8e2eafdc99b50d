/* authority — the key that lets nodes into a swarm: made once, kept offline, needed to admit.
 *
 * DIR holds authority.key (0600), swarm.pub and issued.db (SQLite: every certificate given out).
 * Certificates and swarm.pub are small text files ("starling-membership 1" and base64).
 */
#ifndef STARLING_AUTHORITY_H
#define STARLING_AUTHORITY_H

#include "gossip/membership.h"
#include "node/identity.h"

struct authority;

/* Makes DIR and a new authority in it; refuses one that is there. */
struct authority *authority_create(const char *dir, struct problem *problem);
/* Opens one; refuses a key file that others can read. */
struct authority *authority_open(const char *dir, struct problem *problem);
void authority_close(struct authority **authority);

const uint8_t *authority_swarm(const struct authority *authority); /* KEY_BYTES */

/* Signs a membership for `keys`, with the next serial, on record in issued.db before it is given
 * out. Fills `bytes` (MEMBERSHIP_BYTES_MAX), *size and, unless NULL, *membership. */
enum starling_error authority_admit(struct authority *authority, const struct public_keys *keys,
                                    uint32_t roles, int64_t not_before, int64_t not_after,
                                    uint8_t *bytes, size_t *size, struct membership *membership,
                                    struct problem *problem);

/* The text files. Reading checks form and size; signatures are for membership_verify. Writing is
 * whole or not at all (temporary file, fsync, rename). */
enum starling_error certificate_write(const char *file, const uint8_t *bytes, size_t size,
                                      struct problem *problem);
enum starling_error certificate_read(const char *file, uint8_t bytes[MEMBERSHIP_BYTES_MAX],
                                     size_t *size, struct problem *problem);
enum starling_error swarm_write(const char *file, const uint8_t swarm[KEY_BYTES],
                                struct problem *problem);
enum starling_error swarm_read(const char *file, uint8_t swarm[KEY_BYTES], struct problem *problem);

#endif
