/* slots — a node's learning on disk: two files written in turn, the newest whole one wins.
 *
 * A slot is complete in itself: task, age, counters, parameters, optimiser, read-out, and a
 * BLAKE2b-256 over all of it. Written to a temporary file, fsync, rename, fsync of the folder, so
 * kill -9, power cut or a full disk at any instant leaves at least one whole slot. Format in
 * docs/state.md; every field little-endian, with a version in front.
 */
#ifndef STARLING_SLOTS_H
#define STARLING_SLOTS_H

#include <stdbool.h>

#include "gossip/message.h"
#include "model/problem.h"

struct saved {
    uint8_t task[TASK_ID_BYTES];
    uint64_t number; /* of this save, growing: the newest wins. Set by slots_save */
    double age;
    uint64_t round, works, samples, sequence, ledger; /* ledger: of the privacy ledger, 0 now */
    size_t parameters;                                /* floats in each vector below */
    float *model;                                     /* all from vector_new */
    float *first, *second; /* of the optimiser: momentum, or Adam's; second only with first */
    float *readout;        /* NULL: none */
    uint64_t steps;        /* of the optimiser */
};

/* Writes into the slot that is not the newest. `number` is the save's, one above the last. Fails
 * when it cannot be told which is the newest: a slot cannot be read, or is a newer starling's. */
enum starling_error slots_save(const char *dir, struct saved *saved, struct problem *problem);

/* Reads the newest whole slot into *saved (freed by saved_clear); *found false when there is none.
 * A corrupt slot is passed over for a whole one; when there is no whole one, the corrupt are moved
 * aside to NAME.corrupt-N. Either is said in `note` (NULL or PROBLEM_TEXT_MAX chars; "" when all is
 * well). A slot that may be good and cannot be used, for it cannot be opened or read, is of a newer
 * version, or has vectors of more than max_bytes each, is an error: to learn on without it would
 * overwrite it. What a save that was interrupted left behind is removed. */
enum starling_error slots_load(const char *dir, size_t max_bytes, struct saved *saved, bool *found,
                               char *note, struct problem *problem);
void saved_clear(struct saved *saved);

#endif
