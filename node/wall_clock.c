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

static struct now device_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (struct now){.monotonic_us = monotonic_us(), .wall_s = time.tv_sec};
}

int64_t wall_clock_floor(const struct wall_clock *clock, const struct now *now)
{
    if (clock->floor_s <= 0)
        return 0;
    return clock->floor_s + (int64_t)((now->monotonic_us - clock->floor_us) / 1000000);
}

struct now wall_clock_now(const struct wall_clock *clock)
{
    struct now now = device_time();
    int64_t least = wall_clock_floor(clock, &now);
    if (now.wall_s < least)
        now.wall_s = least;
    return now;
}

int64_t wall_clock_ahead(const struct wall_clock *clock)
{
    struct now now = device_time();
    int64_t least = wall_clock_floor(clock, &now);
    return least > now.wall_s ? least - now.wall_s : 0;
}

static void confirm(struct wall_clock *clock, int64_t said_s, const struct now *now)
{
    int64_t apart_s = said_s > now->wall_s ? said_s - now->wall_s : now->wall_s - said_s;
    int64_t earlier_s = said_s < now->wall_s ? said_s : now->wall_s;
    if (apart_s > CLOCK_TOLERANCE_S || earlier_s <= wall_clock_floor(clock, now))
        return;
    clock->floor_s = earlier_s;
    clock->floor_us = now->monotonic_us;
}

bool wall_clock_hear(struct wall_clock *clock, peer_id from, int64_t said_s, const struct now *now)
{
    if (said_s < STARLING_BUILD_EPOCH)
        return false;
    if (wall_clock_set(now)) {
        confirm(clock, said_s, now);
        return false;
    }
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
