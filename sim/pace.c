#include "sim/pace.h"

#include "sim/crash_world.h"
#include "sim/stopwatch.h"

#define STEP_S 0.25        /* wanted of a step, on the wall */
#define STEPS_A_PERIOD 256 /* at most: a step costs a little */

/* Twice as long where the last one took no time, half as long where it took too much. */
static void adapt(struct pace *pace, uint64_t period_us, double took_s)
{
    uint64_t least_us = period_us / STEPS_A_PERIOD + 1;
    if (took_s < STEP_S / 2 && pace->step_us < period_us)
        pace->step_us *= 2;
    else if (took_s > 2 * STEP_S && pace->step_us > least_us)
        pace->step_us /= 2;
}

enum starling_error pace_live(struct pace *pace, struct world *world,
                              const struct experiment *experiment, struct pool *pool,
                              uint64_t round, const volatile sig_atomic_t *interrupted,
                              uint64_t *reached_us, struct progress *progress,
                              const struct round_row *latest, struct problem *problem)
{
    uint64_t period_us = experiment->config.gossip.period_us, from = (round - 1) * period_us,
             begin = from, end = from + period_us;
    if (pace->step_us == 0)
        pace->step_us = period_us / STEPS_A_PERIOD + 1;
    while (from < end) {
        uint64_t to = end - from > pace->step_us ? from + pace->step_us : end;
        double before_s = stopwatch_seconds();
        enum starling_error error =
            crash_world_live(world, experiment, pool, to, interrupted, reached_us, problem);
        if (error || *reached_us < to)
            return error;
        adapt(pace, period_us, stopwatch_seconds() - before_s);
        from = to;
        if (from < end)
            progress_within(progress, round - 1, (double)(from - begin) / (double)period_us,
                            latest);
    }
    return STARLING_OK;
}
