/* agreement — the scaling of features that a swarm agrees on before it learns.
 *
 * Parameters mean the same at two nodes only if both scale their features alike, and no node may
 * show its examples. So each node adds up its own training examples, a count, a sum and a sum of
 * squares for each feature, and these sums are averaged over the swarm by push-sum (Kempe, Dobra,
 * Gehrke 2003, FOCS, section 2): a node keeps half of what it has and sends half to a random peer,
 * again and again. Everywhere the quotients of the sums come to those of the whole swarm's data,
 * which are the mean and the deviation; a node's weight cancels out of them, and so does the loss
 * of a message, as far as chance goes.
 *
 * After AGREEMENT_ROUNDS a node settles on what it has, which then is its scaling for good, and
 * tells it to whoever still asks: a node that comes later takes it over. A node that met nobody
 * settles on its own examples, and gives that up for the scaling of a swarm it meets later; of two
 * such nodes that meet, one, the same from both sides, gives way.
 *
 * Pure: no sockets, clocks or memory of its own.
 */
#ifndef STARLING_AGREEMENT_H
#define STARLING_AGREEMENT_H

#include "gossip/message.h"
#include "gossip/view.h"
#include "model/dataset.h"

#define AGREEMENT_ROUNDS 30 /* push-sum's error falls by .55 a round: to some 1e-4 of its start */

struct agreement {
    const uint8_t *task; /* TASK_ID_BYTES, the caller's */
    double *sums;        /* SUMS × features, the caller's: counts, sums, sums of squares */
    size_t features;
    uint64_t seed, period_us, next_us;
    uint32_t rounds; /* with somebody to send to */
    uint32_t lonely; /* without */
    uint32_t heard;  /* shares received; of a scaling taken over, those of whoever settled on it */
    bool settled;
};

/* Starts from one's own `sums`; `period_us` is that of the gossip, of which a fifth is taken,
 * between a tenth of a second and a second. */
void agreement_init(struct agreement *agreement, const uint8_t *task, double *sums, size_t features,
                    uint64_t period_us, uint64_t seed);

/* Begins at a random moment within a period. */
void agreement_start(struct agreement *agreement, peer_id self, struct now now);

/* What is to be sent, if anything, and to whom: `message` then holds a reference to a version that
 * is the caller's. False when there is nothing to send, or no memory for it. */
bool agreement_tick(struct agreement *agreement, const struct view *view, struct now now,
                    peer_id *to, struct sums_message *message);

/* Takes in what `from` sent and gives the message's reference back. *answered: `answer` is to be
 * sent back to it, as in agreement_tick. *changed: the scaling is another one now, or settled. */
enum refusal agreement_receive(struct agreement *agreement, struct sums_message *message,
                               bool *answered, struct sums_message *answer, bool *changed);

/* Settled on one's own, it introduces itself to a peer that has come: as agreement_tick. */
bool agreement_greet(const struct agreement *agreement, struct sums_message *message);

/* The scaling, as dataset_gather_scaled takes it: features shifts, then features scales. */
void agreement_scaling(const struct agreement *agreement, float *scaling);

#endif
