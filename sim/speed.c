#include "sim/speed.h"

#include <math.h>

#include "model/random.h"
#include "sim/words.h"

#define SIGMA_MOST 3.0

static bool parse(const char *text, struct speed *speed)
{
    if (words_begin(&text, "uniform:"))
        return words_number(&text, '-', SPEED_LEAST, SPEED_MOST, &speed->low) &&
               words_number(&text, '-', speed->low, SPEED_MOST, &speed->high) && !*text;
    if (words_begin(&text, "lognormal:"))
        return words_number(&text, ',', 0, SIGMA_MOST, &speed->sigma) && !*text;
    bool good = words_number(&text, ',', SPEED_LEAST, SPEED_MOST, &speed->low) && !*text;
    speed->high = speed->low;
    return good;
}

enum starling_error speed_parse(const char *text, uint64_t seed, struct speed *speed,
                                struct problem *problem)
{
    *speed = (struct speed){.low = 1, .high = 1, .seed = seed};
    if (parse(text, speed))
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "sim.speed: '%s' is no speed: write 1, another number from 0.001 to 1000, "
                       "uniform:A-B between such (uniform:0.1-2), or lognormal:SIGMA with a "
                       "deviation up to 3",
                       text);
}

bool speed_is_alike(const struct speed *speed)
{
    return speed->sigma <= 0 && !(speed->high > speed->low);
}

double speed_of(const struct speed *speed, peer_id node)
{
    if (speed_is_alike(speed))
        return speed->low;
    struct random random = random_stream(speed->seed, node, RANDOM_SPEED, 0);
    double factor = speed->sigma > 0
                        ? exp(speed->sigma * random_normal(&random))
                        : speed->low + random_uniform(&random) * (speed->high - speed->low);
    return fmin(fmax(factor, SPEED_LEAST), SPEED_MOST);
}
