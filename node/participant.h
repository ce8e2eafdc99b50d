/* participant — learner, gossip and evaluator as one: what a node is, without its sockets.
 *
 * Still pure. It carries out the protocol's actions as far as they are arithmetic and leaves two
 * things to its driver: messages to send, and at most one piece of work at a time, which may run on
 * any thread. The daemon gives work to its trainer; a simulation runs works of many participants
 * side by side, and may run ahead of them, since only work_run reads parameters.
 */
#ifndef STARLING_PARTICIPANT_H
#define STARLING_PARTICIPANT_H

#include "gossip/agreement.h"
#include "gossip/protocol.h"
#include "model/evaluation.h"
#include "model/learner.h"

/* Shared by every participant of a process; constant while they live. */
struct participant_settings {
    const struct model *model;
    struct learn_settings learn;
    struct gossip_settings gossip;
    bool agree;     /* the scaling of features is agreed on before anything is learned: the data
                       then come as dataset_prepare leaves them */
    double holdout; /* share held out where a node has HOLDOUT_LEAST examples or more */
    uint32_t fold;  /* which part of them, 0 to 1/holdout − 1 */
    bool evaluate;  /* test on the hold-out after every merge and pass, and measure distances */
    uint64_t seed;
};

#define HOLDOUT_LEAST 20
#define NORM_RATIO_MAX 1000 /* ‖received‖ / (1 + ‖mine‖) beyond which a model is absurd */

/* What a work found out about one received model. */
struct heard {
    peer_id from;
    float alpha; /* its weight in the merge; 0: ignored */
    bool follow; /* the read-out takes it in */
    bool absurd; /* its norm is far beyond one's own: left out */
    double age;
    double distance;        /* ‖received − mine‖ / ‖mine‖; 0 when not evaluated */
    struct evaluation here; /* the received model on my hold-out; empty when not evaluated */
};

enum work_failure {
    WORK_FINE,
    WORK_DIVERGED,  /* the result was not finite, not even without what was received: dropped, the
                       optimiser starts afresh */
    WORK_NO_MEMORY, /* nothing was changed */
};

/* One round of arithmetic: merges in order, then a pass, then the read-out, then evaluation. */
struct work {
    struct participant *participant;
    struct version *from, *into; /* references: what it starts from, and what it makes */
    struct version *scaling;     /* of the features: a reference, NULL where it is the data's own */
    struct version *readout_from, *readout_into; /* NULL when there is no read-out */
    uint32_t heard_count;
    uint64_t number; /* of this work at this participant, from 0 */
    double age;      /* of the version trained, before the pass */
    float readout_step;
    bool readout_own; /* the read-out follows the result too, not received models alone */
    double share;     /* the age grows by this; known before the work is run */
    /* filled in by work_run */
    struct pass_report pass;
    struct evaluation merged, passed; /* on the choosing half of the hold-out */
    enum work_failure failure;        /* `into` then equals `from` */
    /* heard_count of each: last, so that the room for the rest is neither cleared nor copied */
    struct version *received[INBOX_MAX]; /* references */
    struct heard heard[INBOX_MAX];
};

struct participant {
    const struct participant_settings *settings;
    struct gossip gossip;
    struct version *model, *readout; /* newest, perhaps still in the making. References */
    struct version *served;          /* the last finished read-out. A reference */
    float *momentum;                 /* NULL when not used; touched by works alone */
    const struct dataset *data;
    struct agreement *agreement; /* on the scaling; NULL where it is the data's own */
    struct version *scaling;     /* that was agreed on, as dataset_gather_scaled takes it; NULL
                                    before, and where it is the data's own. A reference */
    uint32_t *train, *choose, *report; /* rows of data: trained on; hold-out, in two halves */
    size_t train_count, choose_count, report_count;
    uint64_t works;       /* started */
    double pending_share; /* of the work with the driver */
    uint64_t samples;     /* trained on, by finished works */
};

/* What a call leaves to the driver. */
struct outgoing {
    size_t count;
    struct {
        peer_id to;
        struct gossip_message message; /* its model's reference is the driver's */
    } sends[FANOUT_MAX + 4];
    size_t cut_count;
    peer_id cuts[4];
    bool has_work;
    struct work work; /* to run once, and to report; the driver's, with its references */
};

/* Splits `rows` of `data` (which outlives it) into training and hold-out, and starts from
 * `initial` at `age` (a reference of its own is taken). `storage` as in gossip_init. */
enum starling_error participant_init(struct participant *participant,
                                     const struct participant_settings *settings, peer_id self,
                                     const struct dataset *data, const uint32_t *rows, size_t count,
                                     const struct gossip_storage *storage, struct version *initial,
                                     double age, struct problem *problem);
void participant_clear(struct participant *participant);

/* What a restart brings back beside the model and its age. Call right after participant_init.
 * momentum and readout (model_parameters() floats), and the sums that the scaling was settled on
 * (SUMS × features), are copied; each may be NULL. */
struct participant_memory {
    const float *momentum, *readout;
    const double *sums;
    uint32_t sums_heard;
    uint64_t round, works, samples, sequence;
};
enum starling_error participant_restore(struct participant *participant,
                                        const struct participant_memory *memory,
                                        struct problem *problem);

void participant_start(struct participant *participant, struct now now, struct outgoing *out);
uint64_t participant_deadline(const struct participant *participant);
void participant_tick(struct participant *participant, struct now now, struct outgoing *out);
enum refusal participant_receive(struct participant *participant, peer_id from,
                                 struct gossip_message *message, struct now now,
                                 struct outgoing *out);

/* A peer that has come: it may have to be told something. */
void participant_peer_up(struct participant *participant, peer_id peer, struct outgoing *out);

/* The scaling that examples are gathered with, NULL where it is the data's own; borrowed. Not to be
 * asked for before participant_ready. */
const float *participant_scaling(const struct participant *participant);

/* Whether it may learn: its features have a scaling. */
bool participant_ready(const struct participant *participant);

/* The work is over by the clock of the driver: its model counts as finished from now on. */
void participant_done(struct participant *participant, struct now now, struct outgoing *out);

/* What is evaluated, served and exported: the read-out, or the model where there is none, of the
 * last finished work. Borrowed. */
struct version *participant_readout(const struct participant *participant);

/* Splits `count` rows into those to train on and a hold-out, by content (dataset_hold_out): a fold
 * of `share` of them where there are HOLDOUT_LEAST or more, and never all. Returns how many are
 * held. */
size_t participant_hold_out(const struct dataset *data, const uint32_t *rows, size_t count,
                            double share, uint32_t fold, uint32_t *kept, uint32_t *held);

/* Puts `from` into the memory of `to`. */
void work_copy(struct work *to, const struct work *from);

/* The arithmetic. Needs `from`, `received` and `readout_from` made; makes `readout_into` and then
 * `into`, fills the results in, and gives all references of the work back. */
void work_run(struct work *work, struct workspace *workspace);

#endif
