/* checkpoint — a run on disk as far as it has come, to go on from: DIR/checkpoint.
 *
 * One file, replaced as a whole: kill -9, power cut or a full disk at any instant leave the last
 * one or the new one. All that a run goes by is in it (sim/frozen_world.h), and how it was told of
 * so far; settings and data are not, but what follows from them is, in short, and held against
 * those of who reads. The format, docs/results-format.md, has a version in front and a BLAKE2b-256
 * behind.
 */
#ifndef STARLING_CHECKPOINT_H
#define STARLING_CHECKPOINT_H

#include "sim/results.h"
#include "sim/world.h"

#define CHECKPOINT_NAME "checkpoint"

/* How far a run has come. */
struct checkpoint {
    uint64_t rounds; /* that are over; the next one may have begun */
    double wall_seconds, eval_seconds;
    struct round_row *rows; /* of the evaluations so far */
    size_t row_count;
};

enum starling_error checkpoint_save(const char *dir, const struct checkpoint *checkpoint,
                                    const struct experiment *experiment, struct world *world,
                                    struct problem *problem);

/* Reads the file into a world that world_new has made, of the same experiment, and into
 * *checkpoint, whose rows are the caller's to free. What is refused leaves a world that can be
 * freed and no more, and no rows. */
enum starling_error checkpoint_load(const char *dir, struct checkpoint *checkpoint,
                                    const struct experiment *experiment, struct world *world,
                                    struct problem *problem);

bool checkpoint_is_there(const char *dir);
/* And what one that was interrupted has left behind. */
void checkpoint_remove(const char *dir);

#endif
