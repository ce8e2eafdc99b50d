#include "gossip/merge.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static struct merge_verdict blend_by_age(const struct merge_settings *settings, double mine,
                                         double theirs, unsigned nth)
{
    (void)nth;
    double total = mine + theirs;
    double alpha = total > 0 ? theirs / total : 0.5;
    return (struct merge_verdict){.alpha = (float)fmin(alpha, settings->alpha_max),
                                  .age = fmax(mine, theirs)};
}

/* a_i − a_j > L: ignore; a_j − a_i > L: adopt; otherwise weigh by age. */
static struct merge_verdict judge_limited(const struct merge_settings *settings, double mine,
                                          double theirs, unsigned nth)
{
    if (mine - theirs > settings->age_limit)
        return (struct merge_verdict){.ignore = true, .age = mine};
    if (theirs - mine > settings->age_limit)
        return (struct merge_verdict){.alpha = (float)settings->alpha_max, .age = theirs};
    return blend_by_age(settings, mine, theirs, nth);
}

static struct merge_verdict judge_average(const struct merge_settings *settings, double mine,
                                          double theirs, unsigned nth)
{
    (void)nth;
    return (struct merge_verdict){.alpha = (float)fmin(0.5, settings->alpha_max),
                                  .age = fmax(mine, theirs)};
}

/* w = (w + Σ received) / (1 + #received), one at a time: the nth gets 1 / (n + 1). */
static struct merge_verdict judge_uniform(const struct merge_settings *settings, double mine,
                                          double theirs, unsigned nth)
{
    return (struct merge_verdict){.alpha = (float)fmin(1.0 / (nth + 1.0), settings->alpha_max),
                                  .age = fmax(mine, theirs)};
}

static const struct merge_rule rules[] = {
    {"limited", judge_limited},
    {"age", blend_by_age},
    {"average", judge_average},
    {"uniform", judge_uniform},
};

const char *const merge_rule_names[] = {"limited", "age", "average", "uniform", NULL};

const struct merge_rule *merge_rule_find(const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

struct merge_verdict merge_judge(const struct merge_settings *settings, double mine, double theirs,
                                 unsigned nth)
{
    return settings->rule->judge(settings, mine, theirs, nth);
}
