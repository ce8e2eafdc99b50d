/* data — what the devices of a world learn: clouds of points, one a class. */
#ifndef STARLING_TEST_WORLD_DATA_H
#define STARLING_TEST_WORLD_DATA_H

#include "tests/world/world.h"

#define TEST_EXAMPLES 200

/* A device's table, DIR/examples.csv. */
void data_write(const struct plan *plan, uint32_t number, const char *dir);

/* The examples that everybody is tested on. */
void data_test(const struct plan *plan, struct dataset *test);

#endif
