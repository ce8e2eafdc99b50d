/* protocol — one node's side of the conversation: when it speaks, to whom, and what it does with
 * what it hears.
 *
 * Pure: no sockets, threads, clocks or memory of its own. Calls hand in time, messages and results
 * and append to a list of actions that the caller owns and carries out when and where it likes;
 * nothing calls back. The daemon and the simulator drive this very code.
 *
 * A period, with jitter, is a round. At its tick the models that wait in the inbox are merged in
 * order of arrival and one pass over the local data runs; when it ends, the new model goes to
 * `fanout` random peers. A pass that outlasts its period delays the next pass, never the sending:
 * then the last finished model goes out again. A node that heard from nobody trains all the same,
 * and after ASK_PATIENCE rounds asks one peer a round for its model: others learn of a newcomer
 * but slowly.
 * With pull a node asks those peers for their last finished model instead of sending its own; it
 * answers at most PULLS_VIEWS times its view's capacity of asks a period, and refuses the rest.
 * With a token account (gossip/flow.h) each of the period's exchanges either takes place or puts a
 * token aside, and a model that the merge rule would not ignore, by the ages at its receipt, spends
 * tokens on exchanges with random peers: as soon as the pass ends that has merged it, so that what
 * is told is the news.
 *
 * That is the default order, merge-update. With update-merge every waiting model that is merged
 * makes a pass over the local data of its own, as the node's does, and the results are merged: as
 * many passes more. With walk the last that came takes the place of the node's own and then makes
 * the pass: models wander and never mix.
 *
 * A message carries a piece of the model (gossip/encoding.h): by default all of it, else one of
 * `fragments`, or a random `sample` of that. Each fragment has an age of its own (gossip/ages.h),
 * by which it is merged where it lies. What the last pass has merged goes on first, each fragment
 * of it once and the latest before the others, as a whole model would have gone on; then come
 * fragments at random. An answer in push-pull carries the fragment that it answers.
 *
 * The final phase (gossip_conclude) is for the end: a node then trains and merges no more. Once a
 * period it sends its read-out, whole and in f32, to a random peer that is as far, which answers
 * with its own, and each moves its read-out by half of what lies between the two that were sent:
 * the mean of all read-outs stays, and their variance falls to .3 of itself a period. An answer
 * that is lost, or later than a period, leaves one of the two behind.
 *
 * The read-out is what a node evaluates and serves: an average over time and nodes. It follows the
 * models that are received, not the node's own, which leans to its own data pass after pass where
 * the others' leanings cancel; only a node that nobody talks to follows its own. A node that takes
 * over a model far ahead of its own, being new or long away, starts its read-out afresh from it.
 *
 * Sources: the orders, Ormándi, Hegedűs, Jelasity 2013 (arXiv 1109.1396), algorithms 1 and 2
 * (createModelMU, UM and RW), where m2 is here the node's own model; the averaged
 * read-out, Zhu et al. 2025 (arXiv 2507.06542), here over others' models: docs/algorithms.md; the
 * averages of the final phase, Jelasity, Montresor, Babaoglu 2005 (ACM TOCS 23(3)).
 */
#ifndef STARLING_PROTOCOL_H
#define STARLING_PROTOCOL_H

#include "gossip/ages.h"
#include "gossip/flow.h"
#include "gossip/merge.h"
#include "gossip/message.h"
#include "gossip/view.h"

#define INBOX_MAX 64
#define FANOUT_MAX 32
#define ACTIONS_MAX 128
#define PULLS_VIEWS 2
#define AGE_LEAP 1000       /* passes: one merge raises an age to twice itself and this at most */
#define READOUT_PATIENCE 10 /* passes without a model after which the read-out follows its own */
#define READOUT_LEAP 20     /* passes that a model is ahead which the read-out starts afresh from */
#define ASK_PATIENCE 5      /* rounds without a model after which a node asks for one */
#define READOUT_BEHIND 4    /* a model so many passes behind is too old to follow */

enum exchange { EXCHANGE_PUSH, EXCHANGE_PULL, EXCHANGE_PUSHPULL };
enum order { ORDER_MERGE_UPDATE, ORDER_UPDATE_MERGE, ORDER_WALK };

/* Shared by every participant of a process; constant while they live. */
struct gossip_settings {
    uint64_t period_us;
    double jitter; /* standard deviation of a period, as a share of it */
    bool in_step;  /* the first tick is at once, not at random within a period */
    uint32_t fanout;
    enum exchange exchange;
    enum order order;
    struct flow_settings flow;
    struct merge_settings merge;
    size_t view;           /* capacity, 1 to VIEW_MAX */
    bool fixed_view;       /* whoever fills it decides: no shuffles, and nobody enters by talking */
    uint32_t inbox;        /* models that may wait, 1 to INBOX_MAX */
    uint32_t shuffle_most; /* periods between shuffles once the view is settled */
    bool readout;
    enum encoding encoding; /* what a message carries: in how many bits, */
    uint32_t fragments;     /* which part of the model, 1 to FRAGMENTS_MAX and its parameters, */
    double sample;          /* and the share of that, above 0 to 1 */
    bool pieces;            /* such are taken too, not whole models in f32 alone */
    uint8_t task[TASK_ID_BYTES];
    size_t parameters;
    uint64_t seed;
};

/* A model that waits to be merged. */
struct waiting {
    struct version *model; /* a reference */
    double age;
    uint64_t sequence;
    peer_id from;
};

/* What there is of it. */
struct waiting_piece {
    struct piece piece;
    bool decoded; /* as in struct model_message */
};

/* Room that the caller owns, lends and keeps for as long as the node lives: a million nodes pay for
 * what their settings ask for, not for the most there can be. */
struct gossip_storage {
    struct view_entry *entries; /* settings->view of them */
    /* NULL where there is one fragment, or where nobody else is: then one age is all fragments' */
    double *ages;   /* 2 × settings->fragments of them */
    uint32_t *news; /* settings->inbox of them */
};

struct gossip_counters {
    uint32_t merged, ignored;   /* by the merge rule */
    uint32_t pushed_out, stale; /* from a full inbox; older than one already waiting */
    uint32_t unknown_task, refused;
    uint32_t too_many;       /* pulls beyond what a period allows; among the refused */
    uint32_t sent, received; /* models */
};

struct gossip {
    const struct gossip_settings *settings;
    struct view view;
    struct version *published; /* the last finished model: what is sent. A reference */
    double age;                /* of the published model */
    double training_age;       /* of the version being trained */
    double *ages;   /* of the fragments of both, one after the other; NULL where there is one age.
                       The caller's */
    uint32_t *news; /* fragments that the last pass merged and nobody was told yet, the latest last.
                       The caller's, NULL where there are no ages */
    uint32_t news_count;
    uint64_t next_tick_us;
    uint64_t sequence;                       /* of the last model sent */
    uint32_t round;                          /* ticks so far */
    uint32_t passes;                         /* finished */
    uint32_t next_shuffle, shuffle_interval; /* rounds */
    uint32_t tokens;                         /* put aside, when there is a token account */
    uint32_t to_tell;                        /* tokens spent, on what waits to be merged */
    uint32_t telling;                        /* on what is merged by the pass that runs */
    uint32_t pull_nonce;                     /* of the last PULL sent */
    uint32_t answered;                       /* pulls, since the last tick */
    uint32_t silent_passes;                  /* since the read-out last followed a received model */
    uint32_t readout_began;                  /* passes when the read-out last started afresh */
    uint32_t shuffle_sent_count;
    peer_id shuffle_sent[SHUFFLE_MAX];
    peer_id shuffle_partner;
    uint32_t shuffle_nonce;
    peer_id asked;              /* in the final phase: whose answer is awaited, */
    struct version *asked_with; /* to this read-out. A reference */
    bool concluding;            /* the final phase; it begins when no pass is with the driver */
    bool started;
    bool training;          /* a pass is with the driver */
    bool pass_due;          /* this period's pass has not begun */
    bool send_due;          /* this period's sending has not happened */
    uint32_t silent_rounds; /* since any model came */
    uint32_t waiting_count, waiting_room;
    struct waiting *inbox;        /* in order of arrival, with room for what waits: most nodes of a
                                     large swarm wait for little; NULL where nothing does */
    struct waiting_piece *pieces; /* of them, in the same block; NULL unless settings->pieces */
    struct gossip_counters counters;
};

enum action_kind {
    ACTION_SEND,     /* hand send.message to send.to; the driver owns its model's reference */
    ACTION_MERGE,    /* blend merge.model (a reference, the driver's) into the version in the
                        making, with merge.alpha; alpha 0: measure only, the rule ignored it */
    ACTION_TRAIN,    /* then one pass over the local data at age train.age; report gossip_done. With
                        train.each comes before the merges: a pass of the node's own model, and
                        one, at its age, of each merge.model with an alpha */
    ACTION_READOUT,  /* then move the read-out by readout.step towards each model with merge.follow
                        and, with readout.own, towards the result */
    ACTION_EVALUATE, /* then test the result on the hold-out */
    ACTION_AVERAGE,  /* move the read-out by half of average.theirs − average.mine, what was sent
                        (references, the driver's), and report gossip_publish at once */
    ACTION_CUT,      /* be done with peer cut.peer: it broke the rules */
};

struct action {
    enum action_kind kind;
    union {
        struct {
            peer_id to;
            struct gossip_message message;
        } send;
        struct {
            peer_id from;
            struct version *model;
            struct piece piece;
            double age;
            float alpha;
            bool follow, decoded;
        } merge;
        struct {
            double age;
            bool each;
        } train;
        struct {
            float step;
            bool own;
        } readout;
        struct {
            struct version *theirs, *mine;
        } average;
        struct {
            peer_id peer;
        } cut;
    };
};

/* The caller's; emptied by it. No call appends more than ACTIONS_MAX. */
struct actions {
    size_t count;
    struct action items[ACTIONS_MAX];
};

/* `model` is what the node starts from, all fragments at `age`; a reference of its own is taken. */
void gossip_init(struct gossip *gossip, const struct gossip_settings *settings, peer_id self,
                 const struct gossip_storage *storage, struct version *model, double age);
void gossip_clear(struct gossip *gossip);

/* Begins: unless in_step, the first tick falls at random within a period, so that nodes do not
 * march in step. */
void gossip_start(struct gossip *gossip, struct now now, struct actions *actions);

/* When it next wants a tick, monotonic; UINT64_MAX before gossip_start. */
uint64_t gossip_deadline(const struct gossip *gossip);

/* Does what is due. Early or late is fine: a driver that was stopped for an hour ticks once. */
void gossip_tick(struct gossip *gossip, struct now now, struct actions *actions);

/* A message from a verified peer. Takes the reference in a model message over. Shuffle entries
 * are already resolved; those of PEER_NONE are skipped. Returns why it was refused, if it was. */
enum refusal gossip_receive(struct gossip *gossip, peer_id from, struct gossip_message *message,
                            struct now now, struct actions *actions);

/* The pass that ACTION_TRAIN asked for is finished: `model` (a reference is taken) is the new
 * version, older by `share` of a pass. */
void gossip_done(struct gossip *gossip, struct version *model, double share, struct now now,
                 struct actions *actions);

/* Begins the final phase, for good: nothing is trained or merged any more, what waits is given up.
 * The driver says with gossip_publish what is sent from then on, its read-out: at once or, where a
 * pass is with it, after gossip_done. */
void gossip_conclude(struct gossip *gossip);

/* What is sent from now on; a reference is taken. */
void gossip_publish(struct gossip *gossip, struct version *version);

/* For the parts of the protocol: one more action, and the random numbers of a purpose and step. */
struct action *actions_append(struct actions *actions, enum action_kind kind);
struct random gossip_stream(const struct gossip *gossip, enum random_purpose purpose,
                            uint64_t step);

/* A peer that came (by its HELLO), or is gone for good. */
void gossip_peer_up(struct gossip *gossip, peer_id peer);
void gossip_peer_down(struct gossip *gossip, peer_id peer);

/* The next shuffle is with this peer, which may be of a part of the swarm that one's own view knows
 * nothing of. */
void gossip_peer_next(struct gossip *gossip, peer_id peer);

#endif
