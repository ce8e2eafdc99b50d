#include "sim/latency.h"

#include <math.h>
#include <stdlib.h>

#include "sim/latency_matrix.h"
#include "sim/words.h"

#define SIGMA_MOST 10.0

static bool parse(const char *text, struct latency *latency)
{
    if (words_begin(&text, "constant:")) {
        latency->kind = LATENCY_CONSTANT;
        return words_duration(&text, ',', LATENCY_LEAST_US, LATENCY_MOST_US, &latency->low_us) &&
               !*text;
    }
    if (words_begin(&text, "uniform:")) {
        latency->kind = LATENCY_UNIFORM;
        return words_duration(&text, '-', LATENCY_LEAST_US, LATENCY_MOST_US, &latency->low_us) &&
               words_duration(&text, '-', latency->low_us, LATENCY_MOST_US, &latency->high_us) &&
               !*text;
    }
    if (words_begin(&text, "lognormal:")) {
        latency->kind = LATENCY_LOGNORMAL;
        return words_duration(&text, ',', LATENCY_LEAST_US, LATENCY_MOST_US, &latency->low_us) &&
               words_number(&text, ',', 0, SIGMA_MOST, &latency->sigma) && !*text;
    }
    if (words_begin(&text, "file:")) {
        latency->kind = LATENCY_FILE;
        latency->file = text;
        return *text != '\0';
    }
    return false;
}

enum starling_error latency_parse(const char *text, struct latency *latency,
                                  struct problem *problem)
{
    *latency = (struct latency){0};
    if (parse(text, latency))
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "sim.latency: '%s' is no latency: write constant:50ms, uniform:20ms-80ms or "
                       "lognormal:135ms,0.5, between 1ms and 1h, or file:F with a matrix of "
                       "round-trip times",
                       text);
}

enum starling_error latency_open(struct latency *latency, size_t nodes, uint64_t seed,
                                 struct problem *problem)
{
    if (latency->kind != LATENCY_FILE)
        return STARLING_OK;
    enum starling_error error =
        latency_matrix_read(latency->file, &latency->matrix_us, &latency->places, problem);
    if (error) {
        problem_at(problem, "sim.latency");
        return error;
    }
    size_t places = latency->places;
    latency->place = malloc(places * sizeof *latency->place);
    if (!latency->place) {
        latency_clear(latency);
        return problem_no_memory(problem, "the places of sim.latency");
    }
    for (size_t i = 0; i < places; i++)
        latency->place[i] = (uint32_t)i;
    struct random random = random_stream(seed, 0, RANDOM_PLACE, 0);
    random_permute(&random, latency->place, places);
    latency->low_us = nodes > places ? LATENCY_LEAST_US : UINT64_MAX;
    for (size_t i = 0; i < places; i++)
        for (size_t j = 0; j < places; j++) {
            uint64_t us = latency->matrix_us[i * places + j];
            if (i != j && us < latency->low_us)
                latency->low_us = us;
            if (us > latency->high_us)
                latency->high_us = us;
        }
    return STARLING_OK;
}

void latency_clear(struct latency *latency)
{
    free(latency->matrix_us);
    free(latency->place);
    *latency = (struct latency){0};
}

uint64_t latency_least_us(const struct latency *latency)
{
    return latency->kind == LATENCY_LOGNORMAL && latency->sigma > 0 ? LATENCY_LEAST_US
                                                                    : latency->low_us;
}

uint64_t latency_most_us(const struct latency *latency)
{
    if (latency->kind == LATENCY_LOGNORMAL && latency->sigma > 0)
        return UINT64_MAX;
    return latency->high_us > latency->low_us ? latency->high_us : latency->low_us;
}

uint64_t latency_draw(const struct latency *latency, peer_id sender, peer_id receiver,
                      struct random *random)
{
    if (latency->kind == LATENCY_FILE) {
        size_t from = latency->place[sender % latency->places];
        size_t to = latency->place[receiver % latency->places];
        return latency->matrix_us[from * latency->places + to];
    }
    double us = (double)latency->low_us;
    if (latency->kind == LATENCY_UNIFORM)
        us += random_uniform(random) * (double)(latency->high_us - latency->low_us);
    else if (latency->kind == LATENCY_LOGNORMAL)
        us *= exp(latency->sigma * random_normal(random));
    return (uint64_t)fmin(fmax(us, LATENCY_LEAST_US), LATENCY_MOST_US);
}
