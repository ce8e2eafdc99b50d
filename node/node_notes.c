/* Words for the disk: written by the trainer between passes, so that the reactor never waits. */
#include "node/node_inside.h"

#include <stdlib.h>
#include <string.h>

#include "gossip/sums.h"

#define SAVE_AGAIN_US UINT64_C(10000000) /* after a save that failed */
#define NOTES_MAX 256 /* with the trainer at a time; a peer's card or a row beyond is not kept */

static void run_note(struct job *job, struct workspace *workspace)
{
    struct note_job *note = (struct note_job *)job;
    struct node *node = note->node;
    struct problem *problem = &note->problem;
    (void)workspace;
    switch (note->kind) {
    case NOTE_HISTORY:
        store_add_history(node->store, &note->row, problem);
        break;
    case NOTE_PEER: {
        struct card card = {note->peer.card, note->peer.size};
        store_put_peer(node->store, note->peer.identity, &card, note->peer.time, problem);
        break;
    }
    case NOTE_NUMBER:
        store_put_number(node->store, note->number.name, note->number.value, problem);
        break;
    case NOTE_SUMS:
        store_put_sums(node->store, note->sums.task, note->sums.bytes, note->sums.size,
                       note->sums.heard, problem);
        break;
    case NOTE_SAVE:
        slots_save(node->dir, &note->save.saved, problem);
        break;
    }
}

static struct note_job *note_new(struct node *node, enum note_kind kind)
{
    if (node->notes >= NOTES_MAX && kind != NOTE_SAVE)
        return NULL;
    struct note_job *note = calloc(1, sizeof *note);
    if (!note)
        return NULL;
    note->job.run = run_note;
    note->node = node;
    note->kind = kind;
    return note;
}

static void submit(struct node *node, struct note_job *note)
{
    if (!note) {
        log_limited(node->log, LOG_WARN, SAY_MEMORY, node->now.monotonic_us,
                    "a note for the disk was dropped: the disk is too slow, or memory is out");
        return;
    }
    node->notes++;
    trainer_submit(node->trainer, &note->job);
}

void note_history(struct node *node, const struct history_row *row)
{
    struct note_job *note = note_new(node, NOTE_HISTORY);
    if (note)
        note->row = *row;
    submit(node, note);
}

void note_peer(struct node *node, const uint8_t identity[KEY_BYTES], const struct card *card)
{
    if (card->size == 0 || card->size > CARD_BYTES_MAX)
        return;
    struct note_job *note = note_new(node, NOTE_PEER);
    if (note) {
        memcpy(note->peer.identity, identity, KEY_BYTES);
        memcpy(note->peer.card, card->bytes, card->size);
        note->peer.size = card->size;
        note->peer.time = node->now.wall_s;
    }
    submit(node, note);
}

void note_number(struct node *node, const char *name, uint64_t value)
{
    struct note_job *note = note_new(node, NOTE_NUMBER);
    if (note) {
        note->number.name = name;
        note->number.value = value;
    }
    submit(node, note);
}

bool note_sums(struct node *node, const double *sums, size_t features, uint32_t heard)
{
    struct note_job *note = note_new(node, NOTE_SUMS);
    if (note) {
        note->sums.size = sums_bytes(features);
        note->sums.bytes = malloc(note->sums.size);
        note->sums.heard = heard;
        memcpy(note->sums.task, node->settings.gossip.task, TASK_ID_BYTES);
        if (note->sums.bytes) {
            sums_encode(sums, features, note->sums.bytes);
        } else {
            free(note);
            note = NULL;
        }
    }
    submit(node, note);
    return note;
}

/* The last finished state. Must be called when the trainer has no pass, or before it is given the
 * next: the optimiser's memory is then that of this state. While a pass runs on at the end, the
 * optimiser is left out. */
void note_save(struct node *node)
{
    struct participant *participant = &node->participant;
    struct note_job *note = note_new(node, NOTE_SAVE);
    if (note) {
        note->save.model = version_share(participant->gossip.published);
        note->save.served = version_share(participant_readout(participant));
        note->save.saved = (struct saved){
            .age = participant->gossip.age,
            .round = participant->gossip.round,
            .works = participant->gossip.passes,
            .samples = participant->samples,
            .sequence = participant->gossip.sequence,
            .parameters = model_parameters(node->model),
            .model = note->save.model->values,
            .first = node->working ? NULL : participant->optimizer.first,
            .second = node->working ? NULL : participant->optimizer.second,
            .steps = node->working ? 0 : participant->optimizer.steps,
            .readout = participant->readout ? note->save.served->values : NULL,
        };
        memcpy(note->save.saved.task, node->settings.gossip.task, TASK_ID_BYTES);
        note->save.averages = node->averages;
        note->save.begun_us = node->now.monotonic_us;
    }
    submit(node, note);
}

/* Only what is on disk counts as saved. */
static void save_finished(struct node *node, const struct note_job *note)
{
    node->save_problem = note->problem;
    if (note->problem.error) {
        node->save_again_us = node->now.monotonic_us + SAVE_AGAIN_US;
        return;
    }
    node->saved_passes = (uint32_t)note->save.saved.works;
    node->saved_averages = note->save.averages;
    node->saved_us = note->save.begun_us;
}

void note_finished(struct note_job *note)
{
    struct node *node = note->node;
    unsigned subject = note->kind == NOTE_SAVE ? SAY_SAVE : SAY_DISK;
    if (note->problem.error)
        log_limited(node->log, LOG_ERROR, subject, node->now.monotonic_us, "%s",
                    note->problem.text);
    if (note->kind == NOTE_SUMS) {
        free(note->sums.bytes);
        if (note->problem.error) {
            version_release(&node->kept_scaling);
            node->keep_again_us = node->now.monotonic_us + SAVE_AGAIN_US;
        }
    }
    if (note->kind == NOTE_SAVE) {
        save_finished(node, note);
        version_release(&note->save.model);
        version_release(&note->save.served);
    }
    free(note);
    node->notes--;
}

void note_dropped(struct note_job *note)
{
    problem_set(&note->problem, STARLING_FAILED,
                "%s: the disk is too slow: what was to be written at the end is lost",
                note->node->dir);
    note_finished(note);
}
