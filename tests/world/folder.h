/* folder — what a crash leaves of a device's folder, and what a bad disk makes of it. */
#ifndef STARLING_TEST_WORLD_FOLDER_H
#define STARLING_TEST_WORLD_FOLDER_H

#include "tests/world/device.h"

/* Closing a store tidies it up; a crash does not. So its files are kept as they are before the node
 * is taken apart, and brought back after. */
void folder_keep(struct device *device);
void folder_bring_back(struct device *device);

/* While it is off: the newest slot, or both, or the store may be spoilt, and a save that was
 * interrupted may have left its beginning. What is on disk for sure (device->kept) is then less. */
void folder_damage(struct device *device);

void folder_remove(const char *dir);

#endif
