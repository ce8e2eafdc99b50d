/* work — one round of a node's arithmetic: merge what was heard, learn, move the read-out, test.
 *
 * A participant says what is to be done and moves on with the promise of its result; a work may run
 * on any thread and much later, as soon as the versions that it reads are made. Works of one
 * participant run one at a time, in their order: they share its momentum.
 */
#ifndef STARLING_WORK_H
#define STARLING_WORK_H

#include "gossip/protocol.h"
#include "model/evaluation.h"
#include "model/learner.h"

struct participant;

/* ‖received‖ / (max(1, η₁) + ‖mine‖) beyond which a model is absurd: mine may be 0 still, and
 * another already a first step, learner_reach() long, away from that. */
#define NORM_RATIO_MAX 1000

/* What a work found out about one received model. */
struct heard {
    peer_id from;
    float alpha;        /* its weight in the merge; 0: ignored */
    bool follow;        /* the read-out takes it in */
    bool absurd;        /* its norm is far beyond one's own: left out */
    bool decoded;       /* as in struct model_message */
    struct piece piece; /* of the sender's model that was received */
    double age;
    double distance; /* ‖received − mine‖ / ‖mine‖, where it lies; 0 when not evaluated */
    struct evaluation here; /* the received model, or mine with the piece in it, on my hold-out;
                               empty when not evaluated */
};

enum work_failure {
    WORK_FINE,
    WORK_DIVERGED,  /* the result was not finite, not even without what was received: dropped, the
                       optimiser starts afresh */
    WORK_NO_MEMORY, /* nothing was changed */
};

/* One round of arithmetic: merges in order, then a pass, then the read-out, then evaluation; with
 * `each` the pass first, one more of each received model that is to be merged, then the merges. */
struct work {
    struct participant *participant;
    struct version *from, *into; /* references: what it starts from, and what it makes */
    struct version *scaling;     /* of the features: a reference, NULL where it is the data's own */
    struct version *readout_from, *readout_into; /* NULL when there is no read-out */
    uint32_t heard_count;
    uint64_t number; /* of this work at this participant, from 0 */
    double age;      /* of the version trained, before the pass */
    double last_age; /* the same of the work before */
    bool each;
    uint32_t passes; /* to be made, of one's own model and of others */
    float readout_step;
    bool average; /* of the final phase: into = from + ½ (received[0] − received[1]), and no more */
    bool readout_own; /* the read-out follows the result too, not received models alone */
    double share;     /* the age grows by this; known before the work is run */
    /* filled in by work_run */
    struct pass_report pass;          /* of one's own model */
    struct evaluation merged, passed; /* on the choosing half of the hold-out, before the pass and
                                         at the end; with `each` both at the end */
    enum work_failure failure;        /* `into` then equals `from` */
    /* heard_count of each: last, so that the room for the rest is neither cleared nor copied */
    struct version *received[INBOX_MAX]; /* references */
    struct heard heard[INBOX_MAX];
};

/* Puts `from` into the memory of `to`. */
void work_copy(struct work *to, const struct work *from);

/* The arithmetic. Needs `from`, `received` and `readout_from` made; makes `readout_into` and then
 * `into`, fills the results in, and gives all references of the work back. */
void work_run(struct work *work, struct workspace *workspace);

/* Gives the references of a work that is never run back. */
void work_drop(struct work *work);

#endif
