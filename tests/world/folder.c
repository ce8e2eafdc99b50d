#include "tests/world/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST ((size_t)8 << 20)
#define VERSION_AT 8      /* in a slot's header */
#define SLOT_NUMBER_AT 32 /* of the save's number in a slot's header: docs/state.md */

struct image {
    const char *name;
    uint8_t *bytes;
    size_t size;
    bool there;
};

static struct image images[] = {{.name = "state.db"}, {.name = "state.db-wal"}};
enum { IMAGES = sizeof images / sizeof images[0] };

static const char *const slots[] = {"parameters-a.slot", "parameters-b.slot"};

static void path_of(const struct device *device, const char *name, char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%s/%s", device->dir, name) >= PATH_MAX)
        abort();
}

static uint8_t *read_file(const char *path, size_t *size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    struct stat about;
    if (fstat(file, &about) || (size_t)about.st_size > FILE_MOST)
        abort();
    *size = (size_t)about.st_size;
    uint8_t *bytes = malloc(*size + 1);
    if (!bytes || read(file, bytes, *size) != (ssize_t)*size)
        abort();
    close(file);
    return bytes;
}

static void write_file(const char *path, const uint8_t *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size || close(file))
        abort();
}

void folder_keep(struct device *device)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < IMAGES; i++) {
        path_of(device, images[i].name, path);
        images[i].bytes = read_file(path, &images[i].size);
        images[i].there = images[i].bytes != NULL;
    }
}

void folder_bring_back(struct device *device)
{
    char path[PATH_MAX];
    path_of(device, "state.db-shm", path);
    unlink(path);
    for (size_t i = 0; i < IMAGES; i++) {
        path_of(device, images[i].name, path);
        if (images[i].there)
            write_file(path, images[i].bytes, images[i].size);
        else
            unlink(path);
        free(images[i].bytes);
        images[i].bytes = NULL;
    }
}

/* Cut short, a bit turned, its end as zeros, or nothing at all. */
static void spoil(struct random *random, const char *path)
{
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    if (!bytes)
        return;
    uint32_t at = size > 0 ? random_below(random, (uint32_t)size) : 0;
    switch (random_below(random, 4)) {
    case 0:
        size = at;
        break;
    case 1:
        if (size > 0 && (at < VERSION_AT || at >= SLOT_NUMBER_AT)) /* a newer version is refused */
            bytes[at] ^= (uint8_t)(1u << random_below(random, 8));
        else
            size = at;
        break;
    case 2:
        if (size > 0) {
            memset(bytes + at, 0, size - at);
            bytes[size - 1] = 1; /* the check's last byte may have been 0 */
            bytes[at] = 0;
        }
        break;
    default:
        size = 0;
    }
    write_file(path, bytes, size);
    free(bytes);
}

static uint64_t slot_number(const char *path)
{
    size_t size;
    uint64_t number = 0;
    uint8_t *bytes = read_file(path, &size);
    if (bytes && size >= SLOT_NUMBER_AT + sizeof number)
        memcpy(&number, bytes + SLOT_NUMBER_AT, sizeof number);
    free(bytes);
    return number;
}

static void damage_slots(struct device *device, struct random *random)
{
    char paths[2][PATH_MAX];
    uint64_t numbers[2];
    for (size_t i = 0; i < 2; i++) {
        path_of(device, slots[i], paths[i]);
        numbers[i] = slot_number(paths[i]);
    }
    size_t newest = numbers[1] > numbers[0];
    bool both = draw_chance(random, .1);
    if (numbers[newest] == 0)
        return;
    spoil(random, paths[newest]);
    if (both)
        spoil(random, paths[1 - newest]);
    struct kept *kept = &device->kept;
    kept->slot = !both && kept->before.slot;
    kept->age = kept->before.age;
    kept->round = kept->before.round;
    kept->works = kept->before.works;
    kept->sequence = kept->before.sequence;
    kept->before.slot = false;
    kept->spoilt = true;
    note(device->world, "device %u: %s spoilt", device->number, both ? "both slots" : "a slot");
}

static void damage_store(struct device *device, struct random *random)
{
    char path[PATH_MAX];
    path_of(device, "state.db", path);
    size_t size;
    uint8_t *bytes = read_file(path, &size);
    if (!bytes)
        abort();
    if (size >= 100 && draw_chance(random, .5)) /* no store any more */
        memset(bytes, 0x5a, 100);
    else if (size > 0)
        size = random_below(random, (uint32_t)size);
    write_file(path, bytes, size);
    free(bytes);
    device->kept.descriptor_sequence = device->kept.told_sequence = 0;
    note(device->world, "device %u: its store is spoilt", device->number);
}

void folder_damage(struct device *device)
{
    struct world *world = device->world;
    struct random *random = &world->device_random;
    char path[PATH_MAX];
    if (device->lives == 0)
        return;
    if (world->plan.faults[FAULT_TORN_SLOT] && draw_chance(random, .5))
        damage_slots(device, random);
    if (world->plan.faults[FAULT_TORN_SLOT] && draw_chance(random, .2)) {
        path_of(device, "parameters-a.slot.tmp", path);
        write_file(path, (const uint8_t *)"starslot", 8);
    }
    if (world->plan.faults[FAULT_TORN_STORE] && draw_chance(random, .3))
        damage_store(device, random);
}

void folder_remove(const char *dir)
{
    char path[PATH_MAX];
    DIR *folder = opendir(dir);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) >= PATH_MAX)
            continue;
        if (unlink(path))
            folder_remove(path);
    }
    if (folder)
        closedir(folder);
    rmdir(dir);
}
