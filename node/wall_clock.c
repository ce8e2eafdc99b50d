#include "node/wall_clock.h"

#include <time.h>

static uint64_t monotonic_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

void wall_clock_start(struct wall_clock *clock, int64_t stored_s)
{
    clock->floor_s = stored_s;
    clock->floor_us = monotonic_us();
}

struct now wall_clock_now(const struct wall_clock *clock)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    struct now now = {.monotonic_us = monotonic_us(), .wall_s = time.tv_sec};
    int64_t least = clock->floor_s + (int64_t)((now.monotonic_us - clock->floor_us) / 1000000);
    if (now.wall_s < least)
        now.wall_s = least;
    return now;
}

bool wall_clock_set(const struct now *now)
{
    return now->wall_s >= STARLING_BUILD_EPOCH;
}
