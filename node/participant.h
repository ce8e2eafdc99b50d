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
#include "model/learner.h"
#include "node/work.h"

/* Shared by every participant of a process; constant while they live. */
struct participant_settings {
    const struct model *model;
    struct learn_settings learn;
    struct gossip_settings gossip;
    bool agree;        /* the scaling of features is agreed on before anything is learned: the data
                          then come as dataset_prepare leaves them */
    double holdout;    /* share held out where a node has HOLDOUT_LEAST examples or more */
    uint32_t fold;     /* which part of them, 0 to 1/holdout − 1 */
    uint32_t personal; /* steps of fine-tuning; 0: none */
    bool evaluate;     /* test on the hold-out after every merge and pass, and measure distances */
    uint64_t seed;
};

#define HOLDOUT_LEAST 20
#define PERSONAL_LEAST 4 /* of a hold-out: two to choose a personal model by, two to report on */

struct participant {
    const struct participant_settings *settings;
    struct gossip gossip;
    struct version *model, *readout;  /* newest, perhaps still in the making. References */
    struct version *served;           /* the last finished read-out. A reference */
    struct optimizer_state optimizer; /* touched by works alone */
    const struct dataset *data;
    struct agreement *agreement; /* on the scaling; NULL where it is the data's own */
    struct version *scaling;     /* that was agreed on, as dataset_gather_scaled takes it; NULL
                                    before, and where it is the data's own. A reference */
    const uint32_t *train, *choose, *report; /* rows of data: trained on; hold-out, in two halves */
    uint32_t train_count, choose_count, report_count;
    uint32_t *split; /* where they are kept; NULL where nothing is held out: all are trained on, and
                        are the caller's */
    uint64_t works;  /* started */
    double pending_share; /* of the work with the driver */
    uint32_t pending_passes;
    uint64_t samples; /* trained on, by finished works */
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
    struct work work; /* to run once, and to report, unless it is an average of the final phase; the
                         driver's, with its references */
};

/* Splits `rows` of `data` (which both outlive it) into training and hold-out, and starts from
 * `initial` at `age` (a reference of its own is taken). `storage` as in gossip_init. */
enum starling_error participant_init(struct participant *participant,
                                     const struct participant_settings *settings, peer_id self,
                                     const struct dataset *data, const uint32_t *rows, size_t count,
                                     const struct gossip_storage *storage, struct version *initial,
                                     double age, struct problem *problem);
void participant_clear(struct participant *participant);

/* What a restart brings back beside the model and its age. Call right after participant_init.
 * first and second (of the optimiser, left out when they are another one's) and readout
 * (model_parameters() floats each), and the sums that the scaling was settled on
 * (SUMS × features), are copied; each may be NULL. */
struct participant_memory {
    const float *first, *second, *readout;
    uint64_t steps; /* of the optimiser */
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

/* Begins the final phase (gossip_conclude): the participant trains no more, and its read-out
 * becomes the mean of all that have begun it. A pass that is with the driver is finished first. */
void participant_conclude(struct participant *participant);

/* What is evaluated, served and exported: the read-out, or the model where there is none, of the
 * last finished work. Borrowed. */
struct version *participant_readout(const struct participant *participant);

/* The last finished model as it will be once what waits is merged, which has to be made by now: a
 * new reference; NULL when memory is out. */
struct version *participant_merged(const struct participant *participant);

/* Splits `count` rows into those to train on and a hold-out, by content (dataset_hold_out): a fold
 * of `share` of them where there are HOLDOUT_LEAST or more, and never all. Returns how many are
 * held. */
size_t participant_hold_out(const struct dataset *data, const uint32_t *rows, size_t count,
                            double share, uint32_t fold, uint32_t *kept, uint32_t *held);

#endif
