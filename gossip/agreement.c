#include "gossip/agreement.h"

#include <math.h>
#include <string.h>

#include "gossip/sums.h"

#define PERIOD_LEAST_US 100000u
#define PERIOD_MOST_US 1000000u

void agreement_init(struct agreement *agreement, const uint8_t *task, double *sums, size_t features,
                    uint64_t period_us, uint64_t seed)
{
    uint64_t period = period_us / 5;
    period = period < PERIOD_LEAST_US ? PERIOD_LEAST_US : period;
    *agreement = (struct agreement){.task = task,
                                    .sums = sums,
                                    .features = features,
                                    .seed = seed,
                                    .period_us = period < PERIOD_MOST_US ? period : PERIOD_MOST_US,
                                    .next_us = UINT64_MAX};
}

void agreement_start(struct agreement *agreement, peer_id self, struct now now)
{
    struct random random = random_stream(agreement->seed, self, RANDOM_SUMS, 0);
    agreement->next_us =
        now.monotonic_us + (uint64_t)(random_uniform(&random) * (double)agreement->period_us);
}

/* The sums times `share`, as a message; false when memory is out. */
static bool write_message(const struct agreement *agreement, double share,
                          struct sums_message *message)
{
    struct version *version = sums_new(agreement->features);
    if (!version)
        return false;
    double *sums = sums_values(version);
    for (size_t i = 0; i < SUMS * agreement->features; i++)
        sums[i] = share * agreement->sums[i];
    *message = (struct sums_message){.settled = agreement->settled,
                                     .heard = agreement->heard,
                                     .features = agreement->features,
                                     .sums = version};
    memcpy(message->task, agreement->task, TASK_ID_BYTES);
    return true;
}

bool agreement_tick(struct agreement *agreement, const struct view *view, struct now now,
                    peer_id *to, struct sums_message *message)
{
    if (agreement->settled || now.monotonic_us < agreement->next_us)
        return false;
    agreement->next_us = now.monotonic_us + agreement->period_us;
    if (view->count == 0) {
        agreement->settled = ++agreement->lonely >= AGREEMENT_ROUNDS;
        return false;
    }
    struct random random =
        random_stream(agreement->seed, view->self, RANDOM_SUMS, ++agreement->rounds);
    *to = view_pick(view, &random);
    bool written = write_message(agreement, 0.5, message);
    for (size_t i = 0; written && i < SUMS * agreement->features; i++)
        agreement->sums[i] *= 0.5;
    agreement->settled = agreement->rounds >= AGREEMENT_ROUNDS;
    return written;
}

/* Whether to give one's own settled scaling up for theirs: one that nobody shares, for one that
 * somebody does, or for that which comes first in an order that both sides see alike. */
static bool gives_way(const struct agreement *agreement, const struct sums_message *message,
                      const double *theirs)
{
    if (agreement->heard > 0)
        return false;
    return message->heard > 0 ||
           memcmp(theirs, agreement->sums, SUMS * agreement->features * sizeof *theirs) < 0;
}

enum refusal agreement_receive(struct agreement *agreement, struct sums_message *message,
                               bool *answered, struct sums_message *answer, bool *changed)
{
    enum refusal refusal = REFUSED_NOT;
    *answered = *changed = false;
    if (memcmp(message->task, agreement->task, TASK_ID_BYTES) != 0)
        refusal = REFUSED_TASK;
    else if (message->features != agreement->features ||
             !sums_sound(sums_values(message->sums), message->features))
        refusal = REFUSED_MALFORMED;
    if (refusal != REFUSED_NOT) {
        version_release(&message->sums);
        return refusal;
    }
    const double *theirs = sums_values(message->sums);
    size_t count = SUMS * agreement->features;
    if (message->settled && (!agreement->settled || gives_way(agreement, message, theirs))) {
        memcpy(agreement->sums, theirs, count * sizeof *theirs);
        agreement->heard = message->heard > 0 ? message->heard : 1;
        agreement->settled = *changed = true;
    } else if (!message->settled && !agreement->settled) {
        for (size_t i = 0; i < count; i++)
            agreement->sums[i] += theirs[i];
        agreement->heard++;
    } else if (memcmp(theirs, agreement->sums, count * sizeof *theirs) != 0 &&
               (!message->settled || message->heard == 0)) {
        *answered = write_message(agreement, 1, answer);
        /* whoever takes it over shares it: from now on it is a swarm's */
        agreement->heard += *answered && agreement->heard == 0;
    }
    version_release(&message->sums);
    return REFUSED_NOT;
}

bool agreement_greet(const struct agreement *agreement, struct sums_message *message)
{
    return agreement->settled && agreement->heard == 0 && write_message(agreement, 1, message);
}

void agreement_scaling(const struct agreement *agreement, float *scaling)
{
    size_t features = agreement->features;
    const double *counts = agreement->sums, *sums = counts + features, *squares = sums + features;
    for (size_t f = 0; f < features; f++) {
        double mean = counts[f] > 0 ? sums[f] / counts[f] : 0;
        double variance = counts[f] > 0 ? squares[f] / counts[f] - mean * mean : 0;
        /* below what rounding leaves of equal values, a feature is constant */
        bool varies = variance > 1e-12 * mean * mean && variance > 1e-60;
        scaling[f] = (float)mean;
        scaling[features + f] = varies ? (float)(1 / sqrt(variance)) : 0.0f;
    }
}
