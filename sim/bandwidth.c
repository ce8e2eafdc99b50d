#include "sim/bandwidth.h"

#include <math.h>
#include <string.h>

#include "model/random.h"
#include "node/config_units.h"
#include "sim/words.h"

#define SIGMA_MOST 5.0

static const struct unit rate_units[] = {
    {"bit/s", 1}, {"kbit/s", 1000}, {"Mbit/s", 1000000}, {"Gbit/s", 1000000000}, {NULL, 0},
};

static bool read_rate(const char *text, uint64_t *rate)
{
    return units_read(rate_units, text, rate) && *rate >= BANDWIDTH_LEAST &&
           *rate <= BANDWIDTH_MOST;
}

/* "RATE" or "UP/DOWN"; a rate has a stroke of its own. */
static bool read_rates(char *text, struct bandwidth *bandwidth)
{
    char *stroke = strchr(text, '/');
    stroke = stroke ? strchr(stroke + 1, '/') : NULL;
    if (stroke)
        *stroke = '\0';
    if (!read_rate(text, &bandwidth->up))
        return false;
    bandwidth->down = bandwidth->up;
    return !stroke || read_rate(stroke + 1, &bandwidth->down);
}

static bool parse(const char *text, struct bandwidth *bandwidth)
{
    char rates[WORD_MAX];
    if (strcmp(text, "off") == 0)
        return true;
    bool spread = words_begin(&text, "lognormal:");
    if (!words_next(&text, ',', rates) || !read_rates(rates, bandwidth))
        return false;
    return (!spread || words_number(&text, ',', 0, SIGMA_MOST, &bandwidth->sigma)) && !*text;
}

enum starling_error bandwidth_parse(const char *text, uint64_t period_us, uint64_t seed,
                                    struct bandwidth *bandwidth, struct problem *problem)
{
    *bandwidth =
        (struct bandwidth){.wait_most_us = BANDWIDTH_WAIT_PERIODS * period_us, .seed = seed};
    if (parse(text, bandwidth))
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "sim.bandwidth: '%s' is no bandwidth: write off, 10Mbit/s, "
                       "10Mbit/s/50Mbit/s (up, down) or lognormal:10Mbit/s,0.5, from 1kbit/s to "
                       "1000Gbit/s with a deviation up to 5",
                       text);
}

bool bandwidth_is_on(const struct bandwidth *bandwidth)
{
    return bandwidth->up > 0;
}

static double within(double rate)
{
    return fmin(fmax(rate, BANDWIDTH_LEAST), (double)BANDWIDTH_MOST);
}

void bandwidth_of(const struct bandwidth *bandwidth, peer_id node, double *up, double *down)
{
    *up = (double)bandwidth->up;
    *down = (double)bandwidth->down;
    if (bandwidth->sigma <= 0)
        return;
    struct random random = random_stream(bandwidth->seed, node, RANDOM_LINE, 0);
    double factor = exp(bandwidth->sigma * random_normal(&random));
    *up = within(*up * factor);
    *down = within(*down * factor);
}

bool bandwidth_send(const struct bandwidth *bandwidth, uplink *line, peer_id sender,
                    peer_id receiver, size_t bytes, uint64_t now_us, uint64_t *takes_us)
{
    double up, down, ignored, us = 8e6 * (double)bytes;
    uint64_t begins_us = *line > now_us ? *line : now_us;
    if (begins_us - now_us > bandwidth->wait_most_us)
        return false;
    bandwidth_of(bandwidth, sender, &up, &ignored);
    bandwidth_of(bandwidth, receiver, &ignored, &down);
    *line = begins_us + (uint64_t)ceil(us / up);
    *takes_us = begins_us - now_us + (uint64_t)ceil(us / fmin(up, down));
    return true;
}
