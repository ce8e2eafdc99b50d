/* sim_help — what starling-sim --help says. */
#ifndef STARLING_SIM_HELP_H
#define STARLING_SIM_HELP_H

#include <stdio.h>

void sim_help(FILE *file);

#endif
