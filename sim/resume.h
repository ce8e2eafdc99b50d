/* resume — the settings of a run that is to go on: those it had, from DIR/experiment.ini.
 */
#ifndef STARLING_RESUME_H
#define STARLING_RESUME_H

#include "node/config.h"

/* Reads them over the defaults. */
enum starling_error resume_settings(const char *dir, struct config *config,
                                    struct problem *problem);

/* Refuses settings that would make another run of it; `had` is what resume_settings read. */
enum starling_error resume_check(const char *dir, const struct config *had,
                                 const struct config *asked, struct problem *problem);

#endif
