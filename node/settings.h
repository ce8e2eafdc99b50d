/* settings — a config made into the settings of participants: the same for a device and for a
 * simulated one, so that both do the same.
 */
#ifndef STARLING_SETTINGS_H
#define STARLING_SETTINGS_H

#include "node/config.h"
#include "node/participant.h"

/* What is wrong between settings that are each right by themselves. */
enum starling_error settings_check(const struct config *config, struct problem *problem);

/* The same once the data is known, */
enum starling_error settings_scaling(const struct config *config, const struct dataset *train,
                                     struct problem *problem);
/* and once the model is. */
enum starling_error settings_suit(const struct config *config, const struct model *model,
                                  struct problem *problem);

/* Fills `settings` from `config`, where "auto" takes what suits `model`, for a task. `seed` is of
 * everything random that protects nobody. The model must outlive the settings. */
void settings_make(const struct config *config, const struct model *model,
                   const uint8_t task[TASK_ID_BYTES], uint64_t seed,
                   struct participant_settings *settings);

#endif
