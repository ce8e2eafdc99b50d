/* churn — when the nodes of a simulated world are there, and when they are away.
 *
 * none
 * exp:UP,DOWN                  stays and absences last so long on average, exponentially
 * distributed lognormal:MU,SIGMA[,ONLINE]  a stay lasts exp(N(MU, SIGMA)) gossip periods; an
 * absence likewise, made longer or shorter so that a share ONLINE (0.9) of the nodes is there on
 * average
 * late:SHARE,TIME              each node with that probability comes at TIME only; then all stay
 *
 * But for the last a world begins in the midst of it: each node is there with the share's
 * probability, and the time left of its first stay or absence is that of one met at a random moment
 * (for the log-normal, whose length-biased distribution is exp(N(MU + SIGMA², SIGMA)), a uniform
 * part of it).
 *
 * Sources: log-normal sessions, as measured by Stutzbach and Rejaie 2006 (IMC), in the experiments
 * of Ormándi, Hegedűs, Jelasity 2013 (arXiv 1109.1396); beginnings: the inspection paradox of
 * renewal theory, Feller 1971, vol. II, XI.4.
 */
#ifndef STARLING_CHURN_H
#define STARLING_CHURN_H

#include <stdbool.h>
#include <stdint.h>

#include "gossip/peer.h"
#include "model/problem.h"

#define CHURN_LEAST_US 1000u /* no stay or absence is shorter */

struct churn {
    enum { CHURN_NONE, CHURN_EXP, CHURN_LOGNORMAL, CHURN_LATE } kind;
    double up_us, down_us; /* means; of a log-normal: what exp(N(MU, SIGMA)) is multiplied by */
    double mu, sigma;
    double online; /* share of the time that a node is there; of late: from the beginning */
    uint64_t seed;
};

enum starling_error churn_parse(const char *text, uint64_t period_us, uint64_t seed,
                                struct churn *churn, struct problem *problem);

/* Whether a node is there when the world begins, and for how long that still holds. */
bool churn_begin(const struct churn *churn, peer_id node, uint64_t *left_us);

/* How long the stay (`online`) or absence lasts that a node's `change`-th change, from 1 on,
 * begins. */
uint64_t churn_lasts(const struct churn *churn, peer_id node, uint64_t change, bool online);

#endif
