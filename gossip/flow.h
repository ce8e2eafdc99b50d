/* flow — how often a node sends.
 *
 * Periodic: `fanout` exchanges a period, neither more nor less. Token: the randomised token account
 * of Danner and Jelasity (ICDCS 2018, "Token account algorithms: the best of the proactive and
 * reactive worlds"). A period that sends nothing puts a token aside, up to C of them; a node that
 * hears something of use spends some at once, so that news run through the swarm in bursts, and a
 * node that hears nothing speaks up by itself. In the long run the bytes are those of the periodic
 * flow.
 *
 * Pure arithmetic: chances and numbers come out, the protocol acts on them.
 */
#ifndef STARLING_FLOW_H
#define STARLING_FLOW_H

#include <stdint.h>

#include "model/random.h"

enum flow { FLOW_PERIODIC, FLOW_TOKEN };

struct flow_settings {
    enum flow kind;
    uint32_t token_least; /* A: from about so many tokens on a node speaks by itself; ≥ 1 */
    uint32_t token_most;  /* C: tokens never are more; ≥ 1 */
};

/* The balance to begin with: ⌊A C / (C + 1)⌋, about which it stays in the long run where one
 * message comes a period, so that a new swarm is not silent for A periods. */
uint32_t flow_first_tokens(const struct flow_settings *settings);

/* PROACTIVE(a): the chance of sending at a period's turn: 0 below A − 1, (a − A + 1) / (C − A + 1)
 * from there on, 1 from C on. When nothing is sent, a token is put aside. */
double flow_proactive(const struct flow_settings *settings, uint32_t tokens);

/* REACTIVE(a) = a / A: messages to send, and tokens to spend, on hearing something of use; to be
 * made a whole number by flow_round, which never makes more of it than there are tokens. */
double flow_reactive(const struct flow_settings *settings, uint32_t tokens);

/* randRound: ⌊x⌋, or one more with the chance of x − ⌊x⌋. 0 ≤ x < 2^32 − 1. */
uint32_t flow_round(double x, struct random *random);

#endif
