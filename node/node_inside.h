/* node_inside — what the files of the node share; nobody else includes it. */
#ifndef STARLING_NODE_INSIDE_H
#define STARLING_NODE_INSIDE_H

#include <limits.h>

#include "node/control.h"
#include "node/identity.h"
#include "node/node.h"
#include "node/participant.h"
#include "node/roster.h"
#include "node/slots.h"
#include "node/store.h"
#include "node/trainer.h"
#include "node/transport.h"
#include "node/tuning.h"
#include "node/wall_clock.h"

#define SEEDS_MAX 256
#define OFFENCES_MAX 3         /* broken rules of a peer before it is cut */
#define UNREACHABLE_FAILURES 3 /* dials in a row before a peer leaves the view */
#define CONCLUDE_PERIODS 20    /* of the final phase, unless it is told; enough for any swarm */
#define CONCLUDE_PERIODS_MOST 1000000
#define CHORES_US UINT64_C(60000000)

/* Lines that strangers can cause, by subject; reasons of refusal come first. */
enum { SAY_DISK = REFUSALS, SAY_SAVE, SAY_DIVERGED, SAY_MEMORY };

struct seed {
    uint8_t curve[KEY_BYTES];
    char endpoint[ENDPOINT_MAX];
    uint64_t until_us; /* dialled again and again until then, or until met; 0: only when alone */
    bool met;          /* and shuffled with, in this life of the node */
};

/* A round of arithmetic with the trainer. */
struct work_job {
    struct job job;
    struct work work;
    struct version *served;     /* what is reported on: the read-out, or the model. A reference */
    uint64_t round;             /* in which it began */
    struct personal *personal;  /* the trainer's while it has the job */
    struct evaluation reported; /* of `served` on the reporting half of the hold-out */
    struct evaluation reported_personal; /* of the personal model; empty where there is none */
    bool no_memory;                      /* for the personal model */
};

/* A word for the disk. */
enum note_kind { NOTE_HISTORY, NOTE_PEER, NOTE_NUMBER, NOTE_SUMS, NOTE_SAVE };
struct note_job {
    struct job job;
    struct node *node;
    enum note_kind kind;
    struct problem problem; /* error 0 when it was kept */
    union {
        struct history_row row;
        struct {
            uint8_t identity[KEY_BYTES], card[CARD_BYTES_MAX];
            size_t size;
            int64_t time;
        } peer;
        struct {
            const char *name;
            uint64_t value;
        } number;
        struct {
            uint8_t task[TASK_ID_BYTES];
            uint8_t *bytes; /* the note's own */
            size_t size;
            uint32_t heard;
        } sums;
        struct {
            struct saved saved;             /* its vectors belong to the versions */
            struct version *model, *served; /* references */
            uint64_t begun_us, averages;
        } save;
    };
};

struct totals {
    uint64_t refused[REFUSALS];
    uint64_t messages_in, messages_out, rejected, unsent;
    uint64_t bytes_in, bytes_out;
};

struct node {
    struct node_options options;
    struct config config;
    char dir[PATH_MAX];
    struct log *log;
    int lock, wake; /* the folder's lock; an eventfd for node_stop */
    bool stopping;
    uint64_t stop_us;
    struct wall_clock clock;
    struct now now;
    uint64_t started_us;

    struct identity *identity;
    bool has_swarm, member;
    uint8_t swarm[KEY_BYTES];
    uint8_t certificate[MEMBERSHIP_BYTES_MAX];
    size_t certificate_size; /* 0: none */
    struct membership membership;
    char awaiting[PROBLEM_TEXT_MAX]; /* why it is no member */
    uint64_t descriptor_sequence;
    uint8_t descriptor[DESCRIPTOR_BYTES_MAX];
    size_t descriptor_size;
    char endpoint[ENDPOINT_MAX]; /* told to others */

    struct data *data;
    struct model *model;
    struct participant_settings settings;
    struct view_entry *entries;
    uint32_t *rows; /* of the data: all */
    double *ages;
    uint32_t *news;
    bool has_participant;
    struct participant participant;
    bool autostart, started;      /* wanted; participant_start was called */
    struct version *kept_scaling; /* what is on disk, or on its way there. A reference */
    uint32_t kept_heard;          /* and from how many others that was */
    uint64_t keep_again_us;       /* after it could not be written: not before this */

    bool conclude_wanted, concluding,
        concluded;                             /* asked for, maybe before a restart; begun; over */
    uint32_t conclude_periods, conclude_until; /* round */
    char conclude_name[32];                    /* of the number that tells it after a restart */

    struct trainer *trainer;
    bool working;
    struct work_job work;
    size_t notes;                /* with the trainer */
    uint32_t saved_passes;       /* of what is on disk */
    uint64_t averages;           /* of the final phase */
    uint64_t saved_averages;     /* those on disk */
    uint64_t saved_us;           /* when that was given to the trainer */
    uint64_t save_again_us;      /* after a save that failed: not before this */
    struct problem save_problem; /* of the last save; error 0 when it succeeded */
    struct trend_window trend;
    struct evaluation reported, reported_personal;
    struct personal personal;

    struct store *store;   /* the trainer's, but at the start and the end */
    struct store *history; /* the reactor's, for reading; opened when first asked for */
    struct control *control;
    struct transport *transport;
    struct roster roster;
    struct totals totals;
    struct seed *seeds;
    size_t seed_count;
    uint64_t seek_us, seek_after_us; /* when to look for peers next, and after how long again */
    uint64_t apart_us;               /* when to look for parts of the swarm that are unknown here */
    uint32_t ping_nonce;
    peer_id ping_peer;
    uint64_t ping_us;
    uint64_t chores_us;
};

/* node.c: the reactor without its waiting, which another driver may do in its own way */
/* When something is due, whatever comes: monotonic. */
uint64_t node_deadline(const struct node *node);
/* Does all that has come or is due. */
void node_turn(struct node *node);

/* node_membership.c: who we are to others, and who others are to us */
enum node_outcome membership_load(struct node *node, struct problem *problem);
/* Judges the certificate by the present time: becomes a member, or is one no more. */
void membership_check(struct node *node);
/* Takes in a new certificate, and keeps it. */
enum starling_error membership_accept(struct node *node, const uint8_t *bytes, size_t size,
                                      struct problem *problem);
/* Signs a descriptor with the next sequence. */
enum starling_error descriptor_renew(struct node *node, struct problem *problem);
/* Cuts peers whose membership has ended. */
void membership_expire_peers(struct node *node);
size_t node_greet(void *self, bool reply, uint8_t *out);
enum refusal node_judge(void *self, const uint8_t curve[KEY_BYTES], const uint8_t *bytes,
                        size_t size, peer_id *peer);

/* node_messages.c: what is said */
void node_up(void *self, peer_id peer, uint64_t round_trip_us);
void node_down(void *self, peer_id peer);
void node_receive(void *self, peer_id peer, struct parcel *parcel);
void node_sent(void *self, peer_id peer, size_t wire_bytes, uint32_t mark);
void node_refused(void *self, enum refusal reason, peer_id peer, const char *address);
/* Something of a peer's is refused; who keeps breaking the rules is cut. */
void node_reject(struct node *node, peer_id peer, enum refusal reason);
/* Sends what is to be sent, cuts, and gives work to the trainer. */
void node_carry_out(struct node *node, struct outgoing *out);
/* The number of a peer the roster gave up. */
void node_forget(struct node *node, peer_id peer);

/* node_seek.c: finding peers */
/* Adds KEY@ENDPOINTs, separated by blanks or commas. `introduced`: by the control socket, to be
 * met even when others are. */
enum starling_error seeds_add(struct node *node, const char *text, bool introduced,
                              struct problem *problem);
bool node_keeps(void *self, peer_id peer);
void node_unreachable(void *self, const uint8_t curve[KEY_BYTES], uint32_t failures);
void peers_remember(struct node *node);
/* Dials seeds and remembered peers while nobody is connected, and introduced ones until met. */
void node_seek(struct node *node);
void node_seek_soon(struct node *node);
/* Now and then shuffles with somebody outside the view: a seed not met yet, or one known before. */
void node_seek_apart(struct node *node);
size_t node_connected(const struct node *node);

/* node_learning.c: the participant, its works and their traces on disk */
enum node_outcome learning_open(struct node *node, struct problem *problem);
void learning_close(struct node *node);
bool node_learns(const struct node *node);
/* Starts the participant when it may be started and has not been. */
void learning_start(struct node *node);
void learning_work(struct node *node, struct work *work);
/* Tests what is served, when the trainer has nothing to learn. */
void learning_test(struct node *node);
/* Whether something was learned since the last save. */
bool learning_unsaved(const struct node *node);
/* Puts the scaling of features on disk when it has changed. */
void learning_keep_scaling(struct node *node);
/* Takes finished jobs from the trainer. */
void learning_collect(struct node *node);
/* Waits for the trainer and saves what is unsaved; false, and said, when that could not be done. */
bool learning_finish(struct node *node);

/* node_conclude.c: the final phase */
/* Finds out whether it was begun before a restart; false and a problem when that cannot be read. */
bool conclude_recall(struct node *node, struct problem *problem);
/* Begins it where it is wanted and learning has begun. */
void conclude_begin(struct node *node);
/* Asks for it, of so many periods, for good. */
enum starling_error conclude_ask(struct node *node, uint32_t periods, struct problem *problem);
/* Ends it when its periods are over: from then on the node only serves. */
void conclude_check(struct node *node);

/* node_notes.c */
void note_history(struct node *node, const struct history_row *row);
void note_peer(struct node *node, const uint8_t identity[KEY_BYTES], const struct card *card);
void note_number(struct node *node, const char *name, uint64_t value);
/* The scaling's sums, heard from so many; false when that could not be taken on. */
bool note_sums(struct node *node, const double *sums, size_t features, uint32_t heard);
void note_save(struct node *node);
/* After the trainer, or in its stead at the end. */
void note_finished(struct note_job *note);
/* In place of note_finished, for one that was never run. */
void note_dropped(struct note_job *note);

/* node_commands.c */
void node_command(void *self, const char *command, const json_t *request,
                  struct control_answer *answer);

#endif
