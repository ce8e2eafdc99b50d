/* hello — the first word on every connection, said by both sides and judged by both.
 *
 * Nothing else is read from or sent to a peer before its HELLO has been judged REFUSED_NOT, and the
 * membership in it must carry the very key that CURVE authenticated for this connection.
 * It is about the swarm, not a task: an unknown task refuses a message later, never a connection.
 */
#ifndef STARLING_HELLO_H
#define STARLING_HELLO_H

#include "gossip/membership.h"

#define HELLO_TASKS_MAX 16
#define HELLO_BYTES_MAX 2048

struct hello {
    uint32_t version_least, version_most; /* protocol versions spoken */
    uint8_t swarm[KEY_BYTES];
    struct card membership, descriptor; /* envelopes; empty membership: has none */
    uint64_t revocation;                /* number of the newest revocation list known, 0: none */
    uint32_t task_count;
    uint8_t tasks[HELLO_TASKS_MAX][TASK_ID_BYTES];
    int64_t time; /* the sender's wall time in seconds; 0: it does not know it */
    bool reply;   /* an answer to the other's HELLO, which wants none */
};

/* Into out (HELLO_BYTES_MAX). Returns the size, 0 when it would not fit or hello_decode would
 * refuse it: a version range upside down, too many tasks, cards too large. */
size_t hello_encode(const struct hello *hello, uint8_t *out);

/* The cards point into `bytes`. REFUSED_MALFORMED or REFUSED_VERSION when it is no HELLO. */
enum refusal hello_decode(const uint8_t *bytes, size_t size, struct hello *hello);

/* Whether bytes are a HELLO at all, as against a gossip message: also one of a version that
 * hello_decode refuses. */
bool hello_is(const uint8_t *bytes, size_t size);

/* Judges a HELLO that came over a connection authenticated for `curve`. The first of these that
 * does not hold is the reason:
 *   the versions overlap                                   else REFUSED_VERSION
 *   it is of this swarm                                    REFUSED_WRONG_SWARM
 *   there is a membership                                  REFUSED_NO_MEMBERSHIP
 *   it verifies                                            as membership_verify says
 *   it is a member's, and of this very CURVE key           REFUSED_NO_MEMBERSHIP
 *   it is valid now (not asked unless clock_set)           as membership_valid_at says
 *   the descriptor verifies                                as descriptor_verify says
 *   and is of the membership's identity                    REFUSED_BAD_SIGNATURE
 * Fills membership and descriptor when REFUSED_NOT; otherwise they are undefined. */
enum refusal hello_judge(const struct hello *hello, const uint8_t swarm[KEY_BYTES],
                         const uint8_t curve[KEY_BYTES], int64_t wall_s, bool clock_set,
                         struct membership *membership, struct descriptor *descriptor);

#endif
