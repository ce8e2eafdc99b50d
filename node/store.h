/* store — what a node remembers beside its parameters: DIR/state.db, SQLite in WAL mode.
 *
 * Evaluations and peers (synchronous=NORMAL: a power cut may cost the last seconds), sequences,
 * the latest wall time and the scaling of features (FULL). Created and upgraded as needed
 * (user_version).
 */
#ifndef STARLING_STORE_H
#define STARLING_STORE_H

#include <stdbool.h>

#include "gossip/membership.h"
#include "gossip/message.h"
#include "model/problem.h"

struct store;

/* NULL and a problem when it cannot be opened, or was written by a newer starling. One that is
 * damaged is moved aside (state.db.corrupt-N) and a new one begun: a node learns on without its
 * memories, and store_note says so. Numbers then start again from 0: a sequence should be taken
 * from the clock when that is greater. */
struct store *store_open(const char *dir, struct problem *problem);
void store_close(struct store **store);

/* A second connection to a store that is open, for another thread that only reads: nothing is
 * checked, made or moved. NULL and a problem when there is none of this version. */
struct store *store_open_reader(const char *dir, struct problem *problem);

/* A line for the log about what store_open met; "" when all was well. */
const char *store_note(const struct store *store);

/* The history keeps so many rows and the peers so many cards; the oldest make room. */
#define STORE_HISTORY_MAX 100000
#define STORE_PEERS_MAX 4096

/* One evaluation on the node's own hold-out. */
struct history_row {
    uint64_t round;
    int64_t time; /* wall seconds */
    double age;
    double accuracy, loss; /* after the pass, the choosing half; NaN: not known (NULL on disk) */
    double merged_accuracy, merged_loss; /* after the merges, before the pass */
    double distance; /* mean relative distance to the models received; NaN when none came */
    uint32_t merged; /* models merged */
    char trend[16];
    bool lost; /* set by store_history: later than the slot that was read back */
};

enum starling_error store_add_history(struct store *store, const struct history_row *row,
                                      struct problem *problem);
/* The last `most` rows, oldest first, into rows (most of them); returns how many. */
enum starling_error store_history(struct store *store, struct history_row *rows, size_t most,
                                  size_t *count, struct problem *problem);

/* Marks rows later than `round` as lost (column `lost`): the slot that was read back is older. */
enum starling_error store_mark_lost(struct store *store, uint64_t round, struct problem *problem);

/* Peers' cards by identity: kept so that a restarted node finds its swarm again. */
enum starling_error store_put_peer(struct store *store, const uint8_t identity[KEY_BYTES],
                                   const struct card *card, int64_t last_seen,
                                   struct problem *problem);
typedef void store_peer_function(void *self, const uint8_t *card, size_t size, int64_t last_seen);
/* Calls for each of the `most` latest seen. */
enum starling_error store_peers(struct store *store, size_t most, store_peer_function *each,
                                void *self, struct problem *problem);

/* A named number that only grows: "descriptor-sequence", "wall-clock". Missing: 0. A number put
 * is at most 2^63 − 1, on disk when the call returns, and left alone when it is not greater. */
enum starling_error store_get_number(struct store *store, const char *name, uint64_t *value,
                                     struct problem *problem);
enum starling_error store_put_number(struct store *store, const char *name, uint64_t value,
                                     struct problem *problem);

/* The sums that a task's scaling of features was settled on (the second frame of a message of sums,
 * gossip/sums.h), and from how many others. The latest of each task, on disk when the call returns.
 */
enum starling_error store_put_sums(struct store *store, const uint8_t task[TASK_ID_BYTES],
                                   const uint8_t *bytes, size_t size, uint32_t heard,
                                   struct problem *problem);
/* Into `bytes`, of `size`. *found: false when there are none of this very size. */
enum starling_error store_get_sums(struct store *store, const uint8_t task[TASK_ID_BYTES],
                                   uint8_t *bytes, size_t size, uint32_t *heard, bool *found,
                                   struct problem *problem);

#endif
