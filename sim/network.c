#include "sim/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/random.h"
#include "node/config.h"

#define LATENCY_MOST_US (3600ull * 1000000)

static enum starling_error bad(const char *latency, struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID,
                       "sim.latency: '%s' is no latency: write constant:50ms, uniform:20ms-80ms or "
                       "lognormal:135ms,0.5, between 1ms and 1h",
                       latency);
}

/* Splits "A<separator>B" in a copy of `text`. */
static bool halves(const char *text, char separator, char *first, char *second, size_t size)
{
    const char *at = strchr(text, separator);
    if (!at || (size_t)(at - text) >= size || strlen(at + 1) >= size)
        return false;
    memcpy(first, text, (size_t)(at - text));
    first[at - text] = '\0';
    memcpy(second, at + 1, strlen(at + 1) + 1);
    return true;
}

static bool latency(const char *text, uint64_t *us)
{
    return config_duration(text, us) && *us >= NETWORK_LEAST_US && *us <= LATENCY_MOST_US;
}

enum starling_error network_parse(const char *text, double drop, uint64_t seed,
                                  struct network *network, struct problem *problem)
{
    char first[64], second[64];
    *network = (struct network){.drop = drop, .seed = seed};
    if (strncmp(text, "constant:", 9) == 0) {
        network->kind = LATENCY_CONSTANT;
        if (!latency(text + 9, &network->low_us))
            return bad(text, problem);
    } else if (strncmp(text, "uniform:", 8) == 0) {
        network->kind = LATENCY_UNIFORM;
        if (!halves(text + 8, '-', first, second, sizeof first) ||
            !latency(first, &network->low_us) || !latency(second, &network->high_us) ||
            network->high_us < network->low_us)
            return bad(text, problem);
    } else if (strncmp(text, "lognormal:", 10) == 0) {
        network->kind = LATENCY_LOGNORMAL;
        if (!halves(text + 10, ',', first, second, sizeof first) ||
            !latency(first, &network->low_us))
            return bad(text, problem);
        char *end;
        network->sigma = strtod(second, &end);
        if (end == second || *end || !isfinite(network->sigma) || network->sigma < 0 ||
            network->sigma > 10)
            return bad(text, problem);
    } else {
        return bad(text, problem);
    }
    return STARLING_OK;
}

uint64_t network_least_us(const struct network *network)
{
    return network->kind == LATENCY_LOGNORMAL ? NETWORK_LEAST_US : network->low_us;
}

uint64_t network_most_us(const struct network *network)
{
    return network->kind == LATENCY_LOGNORMAL && network->sigma > 0 ? UINT64_MAX
           : network->kind == LATENCY_UNIFORM                       ? network->high_us
                                                                    : network->low_us;
}

bool network_carry(const struct network *network, peer_id sender, uint64_t number,
                   uint64_t *delay_us)
{
    struct random random = random_stream(network->seed, sender, RANDOM_NETWORK, number);
    if (network->drop > 0 && random_uniform(&random) < network->drop)
        return false;
    double us = (double)network->low_us;
    if (network->kind == LATENCY_UNIFORM)
        us += random_uniform(&random) * (double)(network->high_us - network->low_us);
    else if (network->kind == LATENCY_LOGNORMAL)
        us *= exp(network->sigma * random_normal(&random));
    *delay_us = (uint64_t)fmin(fmax(us, NETWORK_LEAST_US), LATENCY_MOST_US);
    return true;
}
