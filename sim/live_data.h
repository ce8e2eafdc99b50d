/* live_data — a node's share of an experiment's data, as files that starling-node reads back.
 *
 * Pixels that are only brought to 0..1 become IDX files and stay bit for bit what they were;
 * windows of text become a text of windows=apart, a byte a symbol, and its alphabet;
 * everything else becomes a CSV of the scaled features (nine digits: the same floats) with the
 * label last. The specification names the number of classes, because a share may lack some, and
 * nothing of a share is set apart for tests.
 */
#ifndef STARLING_LIVE_DATA_H
#define STARLING_LIVE_DATA_H

#include "model/dataset.h"
#include "node/config.h"

/* Writes `count` rows of `data` into DIR (made when it is missing), and into config->task.data and
 * .scale how to read them back. A path that a specification cannot hold is refused. */
enum starling_error live_data_write(const struct dataset *data, const uint32_t *rows, size_t count,
                                    const char *dir, struct config *config,
                                    struct problem *problem);

#endif
