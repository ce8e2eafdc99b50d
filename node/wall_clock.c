#include "node/wall_clock.h"

#include <time.h>

#include "gossip/membership.h"

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

bool wall_clock_hear(struct wall_clock *clock, peer_id from, int64_t said_s, const struct now *now)
{
    if (wall_clock_set(now) || said_s < STARLING_BUILD_EPOCH)
        return false;
    int64_t before_s = clock->heard_s + (int64_t)((now->monotonic_us - clock->heard_us) / 1000000);
    int64_t apart_s = said_s > before_s ? said_s - before_s : before_s - said_s;
    if (clock->heard_s > 0 && clock->heard_from != from && apart_s <= CLOCK_TOLERANCE_S) {
        clock->floor_s = said_s < before_s ? said_s : before_s;
        clock->floor_us = now->monotonic_us;
        return true;
    }
    clock->heard_s = said_s;
    clock->heard_us = now->monotonic_us;
    clock->heard_from = from;
    return false;
}

bool wall_clock_set(const struct now *now)
{
    return now->wall_s >= STARLING_BUILD_EPOCH;
}
