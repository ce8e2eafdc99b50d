/* fedavg — federated averaging: the server that gossip does without, on the same nodes.
 *
 * Each round a share of the nodes, drawn by the seed, take the server's model, make one pass over
 * their training examples with the settings that gossip has (learn.epochs times through, the
 * model's rounds as its age, an optimiser that starts afresh), and send what they get; the server
 * averages it by numbers of examples:
 *
 *   w = Σ_k n_k w_k / Σ_k n_k
 *
 * Two messages a client and round, charged as gossip's are. A client whose pass is not finite is
 * left out of the average, as gossip undoes such a pass.
 *
 * Source: McMahan, Moore, Ramage, Hampson, Agüera y Arcas 2017 (AISTATS, arXiv 1602.05629),
 * Algorithm 1.
 */
#ifndef STARLING_FEDAVG_H
#define STARLING_FEDAVG_H

#include "sim/baseline.h"

struct fedavg_outcome {
    uint64_t rounds;
    uint64_t samples, messages, bytes;
    double accuracy, loss; /* on the whole test set */
};

/* Clients of a round: sim.fedavg_clients of the nodes, at least one. */
size_t fedavg_clients(const struct experiment *experiment);

/* How many rounds make `passes` passes, of all nodes together: one at least. */
uint64_t fedavg_rounds(const struct experiment *experiment, uint64_t passes);

/* Runs so many rounds. Its curve has a row whenever another sim.eval_every passes a node are made.
 * False when interrupted; a problem is left in *problem (error STARLING_OK when there is none). */
bool fedavg_run(const struct baseline *baseline, uint64_t passes, struct fedavg_outcome *outcome,
                struct problem *problem);

#endif
