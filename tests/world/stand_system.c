/* What a device asks the machine for: the time, random numbers and memory. The linker is told to
 * wrap the first and the last (tests/local.mk). */
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "tests/world/device.h"
#include "tests/world/stand.h"

struct device *stand_device;

static struct random *stream;
static size_t vectors;

int __real_clock_gettime(clockid_t which, struct timespec *time);
int __wrap_clock_gettime(clockid_t which, struct timespec *time);
float *__real_vector_new(size_t count);
float *__wrap_vector_new(size_t count);
void __real_vector_free(float *vector);
void __wrap_vector_free(float *vector);

int __wrap_clock_gettime(clockid_t which, struct timespec *time)
{
    if (!stand_device)
        return __real_clock_gettime(which, time);
    uint64_t us = device_clock(stand_device, stand_device->world->now_us);
    if (which == CLOCK_REALTIME)
        *time = (struct timespec){.tv_sec = device_wall(stand_device)};
    else
        *time = (struct timespec){.tv_sec = (time_t)(us / 1000000),
                                  .tv_nsec = (long)(us % 1000000) * 1000};
    return 0;
}

float *__wrap_vector_new(size_t count)
{
    float *vector = __real_vector_new(count);
    vectors += vector != NULL;
    return vector;
}

void __wrap_vector_free(float *vector)
{
    vectors -= vector != NULL;
    __real_vector_free(vector);
}

size_t stand_vectors(void)
{
    return vectors;
}

static const char *stand_name(void)
{
    return "world";
}

static uint32_t stand_u32(void)
{
    return random_u32(stream);
}

static void stand_bytes(void *const bytes, const size_t size)
{
    for (size_t i = 0; i < size; i += sizeof(uint32_t)) {
        uint32_t word = random_u32(stream);
        memcpy((uint8_t *)bytes + i, &word, size - i < sizeof word ? size - i : sizeof word);
    }
}

void stand_random(struct random *random)
{
    static struct randombytes_implementation implementation = {
        .implementation_name = stand_name, .random = stand_u32, .buf = stand_bytes};
    static bool set;
    stream = random;
    if (!set)
        randombytes_set_implementation(&implementation);
    set = true;
}
