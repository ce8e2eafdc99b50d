/* churn — when the nodes of a simulated world are there, and when they are away.
 *
 * none
 * exp:UP,DOWN                   stays and absences last so long on average, exponentially
 *                               distributed
 * lognormal:MU,SIGMA[,ONLINE]   a stay lasts exp(N(MU, SIGMA)) gossip periods; an absence likewise,
 *                               made longer or shorter so that a share ONLINE (0.9) of the nodes is
 *                               there on average
 * weibull:K,L[,ONLINE]          a stay lasts L·E^(1/K), E exponential with mean 1: shape K, scale
 * L; an absence likewise daynight:PERIOD,DAY,NIGHT[,ZONES]   sim/daily.h file:F sim/trace.h; node i
 * does as node i modulo the trace's nodes did, and is away for good after its last stay
 * late:SHARE,TIME               each node with that probability comes at TIME only; then all stay
 *
 * But for the last two a world begins in the midst of it: each node is there with the share's
 * probability, and the time left of its first stay or absence is that of one met at a random
 * moment: a uniform part of one drawn with a probability that grows with its length (of the
 * log-normal exp(N(MU + SIGMA², SIGMA)), of the Weibull L·G^(1/K), G gamma-distributed with shape 1
 * + 1/K).
 *
 * Sources: log-normal and Weibull sessions, as measured by Stutzbach and Rejaie 2006 (IMC) and
 * Steiner, En-Najjary, Biersack 2009 (IEEE/ACM Transactions on Networking 17(5)); log-normal ones
 * in the experiments of Ormándi, Hegedűs, Jelasity 2013 (arXiv 1109.1396); beginnings: the
 * inspection paradox of renewal theory, Feller 1971, vol. II, XI.4.
 */
#ifndef STARLING_CHURN_H
#define STARLING_CHURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gossip/peer.h"
#include "model/problem.h"
#include "sim/daily.h"
#include "sim/trace.h"

#define CHURN_LEAST_US 1000u /* no stay or absence is shorter */

struct churn {
    enum {
        CHURN_NONE,
        CHURN_EXP,
        CHURN_LOGNORMAL,
        CHURN_WEIBULL,
        CHURN_DAILY,
        CHURN_TRACE,
        CHURN_LATE
    } kind;
    double up_us, down_us; /* means; of others than exp: what a random number is multiplied by */
    double mu, sigma;      /* of the log-normal */
    double shape;          /* of the Weibull */
    double online;         /* share of the time that a node is there; of late: from the beginning */
    struct daily daily;
    const char *file; /* points into the text it was read from */
    struct trace trace;
    uint64_t seed;
};

/* Reads a setting's text; a file is not opened. */
enum starling_error churn_parse(const char *text, uint64_t period_us, uint64_t seed,
                                struct churn *churn, struct problem *problem);

/* Opens the file, where there is one, for so many nodes: of more it must not tell. */
enum starling_error churn_open(struct churn *churn, size_t nodes, struct problem *problem);
void churn_clear(struct churn *churn);

/* Whether a node is there when the world begins, and for how long that still holds. */
bool churn_begin(const struct churn *churn, peer_id node, uint64_t *left_us);

/* How long the stay (`online`) or absence lasts that a node's `change`-th change, from 1 on,
 * begins, now. */
uint64_t churn_lasts(const struct churn *churn, peer_id node, uint64_t change, bool online,
                     uint64_t now_us);

#endif
