#include "sim/churn.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/random.h"
#include "node/config.h"

#define ONLINE_DEFAULT 0.9
#define MU_MOST 10.0 /* either way: from half a thousandth of a period to 22,026 periods */
#define SIGMA_MOST 5.0
#define LASTS_MOST_US 1e15 /* 30 years */

static enum starling_error bad(const char *text, struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID,
                       "sim.churn: '%s' is no churn: write none, exp:UP,DOWN (exp:5m,30s), "
                       "lognormal:MU,SIGMA[,ONLINE] (lognormal:0,1,0.9) or late:SHARE,TIME "
                       "(late:0.1,30m)",
                       text);
}

/* Copies what stands before the next comma, and moves behind it; false when that is nothing, and
 * when nothing follows a comma. */
static bool next_word(const char **text, char word[64])
{
    size_t length = strcspn(*text, ",");
    if (length == 0 || length >= 64)
        return false;
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length;
    if (!**text)
        return true;
    ++*text;
    return **text != '\0';
}

static bool next_number(const char **text, double *number)
{
    char word[64], *end;
    if (!next_word(text, word))
        return false;
    *number = strtod(word, &end);
    return end != word && !*end && isfinite(*number);
}

static bool parse_exp(const char *text, struct churn *churn)
{
    char up[64], down[64];
    uint64_t up_us, down_us;
    if (!next_word(&text, up) || !next_word(&text, down) || *text || !config_duration(up, &up_us) ||
        !config_duration(down, &down_us) || up_us < CHURN_LEAST_US || down_us < CHURN_LEAST_US)
        return false;
    churn->kind = CHURN_EXP;
    churn->up_us = (double)up_us;
    churn->down_us = (double)down_us;
    churn->online = churn->up_us / (churn->up_us + churn->down_us);
    return true;
}

static bool parse_lognormal(const char *text, uint64_t period_us, struct churn *churn)
{
    churn->online = ONLINE_DEFAULT;
    if (!next_number(&text, &churn->mu) || !next_number(&text, &churn->sigma) ||
        (*text && !next_number(&text, &churn->online)) || *text || fabs(churn->mu) > MU_MOST ||
        churn->sigma < 0 || churn->sigma > SIGMA_MOST || churn->online <= 0 || churn->online >= 1)
        return false;
    churn->kind = CHURN_LOGNORMAL;
    churn->up_us = (double)period_us;
    churn->down_us = (double)period_us * (1 - churn->online) / churn->online;
    return true;
}

static bool parse_late(const char *text, struct churn *churn)
{
    double share;
    char time[64];
    uint64_t time_us;
    if (!next_number(&text, &share) || !(share > 0 && share < 1) || !next_word(&text, time) ||
        *text || !config_duration(time, &time_us) || time_us < CHURN_LEAST_US)
        return false;
    churn->kind = CHURN_LATE;
    churn->up_us = LASTS_MOST_US;
    churn->down_us = (double)time_us;
    churn->online = 1 - share;
    return true;
}

enum starling_error churn_parse(const char *text, uint64_t period_us, uint64_t seed,
                                struct churn *churn, struct problem *problem)
{
    *churn = (struct churn){.seed = seed, .online = 1};
    bool good = strcmp(text, "none") == 0;
    if (strncmp(text, "exp:", 4) == 0)
        good = parse_exp(text + 4, churn);
    else if (strncmp(text, "lognormal:", 10) == 0)
        good = parse_lognormal(text + 10, period_us, churn);
    if (strncmp(text, "late:", 5) == 0)
        good = parse_late(text + 5, churn);
    return good ? STARLING_OK : bad(text, problem);
}

static uint64_t within(double us)
{
    return (uint64_t)fmin(fmax(us, CHURN_LEAST_US), LASTS_MOST_US);
}

/* Exponential with mean 1. */
static double exponential(struct random *random)
{
    return -log1p(-random_uniform(random));
}

bool churn_begin(const struct churn *churn, peer_id node, uint64_t *left_us)
{
    assert(churn->kind != CHURN_NONE);
    struct random random = random_stream(churn->seed, node, RANDOM_CHURN, 0);
    bool online = random_uniform(&random) < churn->online;
    double scale = online ? churn->up_us : churn->down_us;
    if (churn->kind == CHURN_LATE) {
        *left_us = within(scale);
    } else if (churn->kind == CHURN_EXP) { /* it has no memory */
        *left_us = within(scale * exponential(&random));
    } else {
        double whole =
            exp(churn->mu + churn->sigma * churn->sigma + churn->sigma * random_normal(&random));
        *left_us = within(scale * whole * random_uniform(&random));
    }
    return online;
}

uint64_t churn_lasts(const struct churn *churn, peer_id node, uint64_t change, bool online)
{
    assert(churn->kind != CHURN_NONE && change > 0);
    struct random random = random_stream(churn->seed, node, RANDOM_CHURN, change);
    double scale = online ? churn->up_us : churn->down_us;
    if (churn->kind == CHURN_LATE)
        return within(scale);
    if (churn->kind == CHURN_EXP)
        return within(scale * exponential(&random));
    return within(scale * exp(churn->mu + churn->sigma * random_normal(&random)));
}
