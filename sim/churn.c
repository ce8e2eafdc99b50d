#include "sim/churn.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/random.h"
#include "sim/words.h"

#define ONLINE_DEFAULT 0.9
#define MU_MOST 10.0 /* either way: from half a thousandth of a period to 22,026 periods */
#define SIGMA_MOST 5.0
#define SHAPE_LEAST 0.2
#define SHAPE_MOST 20.0
#define DAY_LEAST_US 1000000ull
#define LASTS_MOST_US 1000000000000000ull /* 30 years */

static enum starling_error bad(const char *text, struct problem *problem)
{
    return problem_set(problem, STARLING_INVALID,
                       "sim.churn: '%s' is no churn: write none, exp:UP,DOWN (exp:5m,30s), "
                       "lognormal:MU,SIGMA[,ONLINE] (lognormal:0,1,0.9), "
                       "weibull:K,L[,ONLINE] (weibull:0.5,10m), "
                       "daynight:PERIOD,DAY,NIGHT[,ZONES] (daynight:1d,0.9,0.3), file:F or "
                       "late:SHARE,TIME (late:0.1,30m)",
                       text);
}

static bool parse_exp(const char *text, struct churn *churn)
{
    uint64_t up_us, down_us;
    if (!words_duration(&text, ',', CHURN_LEAST_US, LASTS_MOST_US, &up_us) ||
        !words_duration(&text, ',', CHURN_LEAST_US, LASTS_MOST_US, &down_us) || *text)
        return false;
    churn->kind = CHURN_EXP;
    churn->up_us = (double)up_us;
    churn->down_us = (double)down_us;
    churn->online = churn->up_us / (churn->up_us + churn->down_us);
    return true;
}

/* The share that is there at the end of a text, and the absences that make it, from churn->up_us.
 */
static bool parse_online(const char *text, struct churn *churn)
{
    churn->online = ONLINE_DEFAULT;
    if (*text && (!words_number(&text, ',', 0, 1, &churn->online) || *text))
        return false;
    churn->down_us = churn->up_us * (1 - churn->online) / churn->online;
    return churn->online > 0 && churn->online < 1;
}

static bool parse_lognormal(const char *text, uint64_t period_us, struct churn *churn)
{
    churn->kind = CHURN_LOGNORMAL;
    churn->up_us = (double)period_us;
    return words_number(&text, ',', -MU_MOST, MU_MOST, &churn->mu) &&
           words_number(&text, ',', 0, SIGMA_MOST, &churn->sigma) && parse_online(text, churn);
}

static bool parse_weibull(const char *text, struct churn *churn)
{
    uint64_t scale_us;
    if (!words_number(&text, ',', SHAPE_LEAST, SHAPE_MOST, &churn->shape) ||
        !words_duration(&text, ',', CHURN_LEAST_US, LASTS_MOST_US, &scale_us))
        return false;
    churn->kind = CHURN_WEIBULL;
    churn->up_us = (double)scale_us;
    return parse_online(text, churn);
}

static bool parse_daily(const char *text, struct churn *churn)
{
    struct daily *daily = &churn->daily;
    uint64_t period_us;
    if (!words_duration(&text, ',', DAY_LEAST_US, LASTS_MOST_US, &period_us) ||
        !words_number(&text, ',', 0, 1, &daily->day) ||
        !words_number(&text, ',', 0, 1, &daily->night))
        return false;
    daily->zones = 1;
    if (*text && (!words_number(&text, ',', 0, 1, &daily->zones) || *text))
        return false;
    churn->kind = CHURN_DAILY;
    daily->period_us = (double)period_us;
    double both = daily->day + daily->night;
    return both > 0 && both < 2;
}

static bool parse_late(const char *text, struct churn *churn)
{
    double share;
    uint64_t time_us;
    if (!words_number(&text, ',', 0, 1, &share) || !(share > 0 && share < 1) ||
        !words_duration(&text, ',', CHURN_LEAST_US, LASTS_MOST_US, &time_us) || *text)
        return false;
    churn->kind = CHURN_LATE;
    churn->up_us = (double)LASTS_MOST_US;
    churn->down_us = (double)time_us;
    churn->online = 1 - share;
    return true;
}

enum starling_error churn_parse(const char *text, uint64_t period_us, uint64_t seed,
                                struct churn *churn, struct problem *problem)
{
    *churn = (struct churn){.seed = seed, .online = 1};
    const char *rest = text;
    bool good = strcmp(text, "none") == 0;
    if (words_begin(&rest, "exp:")) {
        good = parse_exp(rest, churn);
    } else if (words_begin(&rest, "lognormal:")) {
        good = parse_lognormal(rest, period_us, churn);
    } else if (words_begin(&rest, "weibull:")) {
        good = parse_weibull(rest, churn);
    } else if (words_begin(&rest, "daynight:")) {
        good = parse_daily(rest, churn);
    } else if (words_begin(&rest, "late:")) {
        good = parse_late(rest, churn);
    } else if (words_begin(&rest, "file:")) {
        churn->kind = CHURN_TRACE;
        churn->file = rest;
        good = *rest != '\0';
    }
    return good ? STARLING_OK : bad(text, problem);
}

enum starling_error churn_open(struct churn *churn, size_t nodes, struct problem *problem)
{
    if (churn->kind != CHURN_TRACE)
        return STARLING_OK;
    enum starling_error error = trace_read(churn->file, nodes, &churn->trace, problem);
    if (error)
        problem_at(problem, "sim.churn");
    return error;
}

void churn_clear(struct churn *churn)
{
    trace_clear(&churn->trace);
    *churn = (struct churn){0};
}

static uint64_t within(double us)
{
    return (uint64_t)fmin(fmax(us, CHURN_LEAST_US), (double)LASTS_MOST_US);
}

/* Exponential with mean 1. */
static double exponential(struct random *random)
{
    return -log1p(-random_uniform(random));
}

/* How far into its own day a node is. */
static double phase_us(const struct churn *churn, peer_id node, uint64_t now_us)
{
    const struct daily *daily = &churn->daily;
    struct random random = random_stream(churn->seed, node, RANDOM_ZONE, 0);
    double zone_us = daily->zones * daily->period_us * random_uniform(&random);
    return fmod((double)now_us + zone_us, daily->period_us);
}

/* The stays of the node of a trace that a node follows. */
static const struct stay *stays_of(const struct churn *churn, peer_id node, size_t *count)
{
    const struct trace *trace = &churn->trace;
    size_t like = node % trace->nodes;
    *count = trace->first[like + 1] - trace->first[like];
    return trace->stays + trace->first[like];
}

/* Whether the node of a trace is there at the beginning; what follows is in its stays. */
static bool is_there_first(const struct stay *stays, size_t count)
{
    return count > 0 && stays[0].from_us < CHURN_LEAST_US;
}

/* What a node's `change`-th change begins. */
static uint64_t lasts_by_trace(const struct churn *churn, peer_id node, uint64_t change,
                               bool online)
{
    size_t count;
    const struct stay *stays = stays_of(churn, node, &count);
    size_t number =
        (size_t)(change + is_there_first(stays, count)) / 2; /* of the stay, or the next */
    if (online) {
        const struct stay *stay = &stays[number];
        return stay->until_us - stay->from_us;
    }
    uint64_t since_us = number > 0 ? stays[number - 1].until_us : 0;
    return number < count ? stays[number].from_us - since_us : LASTS_MOST_US;
}

bool churn_begin(const struct churn *churn, peer_id node, uint64_t *left_us)
{
    assert(churn->kind != CHURN_NONE);
    if (churn->kind == CHURN_TRACE) {
        size_t count;
        const struct stay *stays = stays_of(churn, node, &count);
        bool first = is_there_first(stays, count);
        *left_us = first ? stays[0].until_us : lasts_by_trace(churn, node, 0, false);
        return first;
    }
    struct random random = random_stream(churn->seed, node, RANDOM_CHURN, 0);
    double phase = churn->kind == CHURN_DAILY ? phase_us(churn, node, 0) : 0;
    double share = churn->kind == CHURN_DAILY ? daily_share(&churn->daily, phase) : churn->online;
    bool online = random_uniform(&random) < share;
    double scale = online ? churn->up_us : churn->down_us, whole;
    switch (churn->kind) {
    case CHURN_EXP: /* it has no memory */
        *left_us = within(scale * exponential(&random));
        break;
    case CHURN_LOGNORMAL:
        whole =
            exp(churn->mu + churn->sigma * churn->sigma + churn->sigma * random_normal(&random));
        *left_us = within(scale * whole * random_uniform(&random));
        break;
    case CHURN_WEIBULL:
        whole = pow(random_gamma(&random, 1 + 1 / churn->shape), 1 / churn->shape);
        *left_us = within(scale * whole * random_uniform(&random));
        break;
    case CHURN_DAILY: /* nor has this */
        *left_us = within(daily_lasts(&churn->daily, phase, online, exponential(&random)));
        break;
    default:
        *left_us = within(scale);
    }
    return online;
}

uint64_t churn_lasts(const struct churn *churn, peer_id node, uint64_t change, bool online,
                     uint64_t now_us)
{
    assert(churn->kind != CHURN_NONE && change > 0);
    if (churn->kind == CHURN_TRACE)
        return lasts_by_trace(churn, node, change, online);
    struct random random = random_stream(churn->seed, node, RANDOM_CHURN, change);
    double scale = online ? churn->up_us : churn->down_us;
    switch (churn->kind) {
    case CHURN_EXP:
        return within(scale * exponential(&random));
    case CHURN_LOGNORMAL:
        return within(scale * exp(churn->mu + churn->sigma * random_normal(&random)));
    case CHURN_WEIBULL:
        return within(scale * pow(exponential(&random), 1 / churn->shape));
    case CHURN_DAILY:
        return within(daily_lasts(&churn->daily, phase_us(churn, node, now_us), online,
                                  exponential(&random)));
    default:
        return within(scale);
    }
}
