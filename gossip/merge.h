/* merge — how a received model is combined with one's own, by their ages alone.
 *
 * Ages count local passes. Pure arithmetic: the vectors are blended elsewhere with the alpha that
 * comes out, w = (1 − α) w + α w_received. A new rule is one function and one line in the table.
 */
#ifndef STARLING_MERGE_H
#define STARLING_MERGE_H

#include <stdbool.h>

struct merge_settings {
    const struct merge_rule *rule;
    double age_limit; /* L, passes */
    double alpha_max; /* at most this weight to a received model: 1 in a closed swarm */
};

struct merge_verdict {
    bool ignore;
    float alpha; /* weight of the received model */
    double age;  /* of the result */
};

struct merge_rule {
    const char *name;
    struct merge_verdict (*judge)(const struct merge_settings *, double mine, double theirs,
                                  unsigned nth);
};

/* "limited" (Danner 2023, ICCCI; algorithms in docs/algorithms.md), "age" (Hegedűs, Danner,
 * Jelasity 2021, JPDC 148), "average" (Ormándi, Hegedűs, Jelasity 2013, arXiv 1109.1396), "uniform"
 * (Epidemic Learning, de Vos et al., NeurIPS 2023, arXiv 2310.01972: one's own model and all those
 * of a round weigh the same); NULL when there is no such rule. */
const struct merge_rule *merge_rule_find(const char *name);

/* Names of all rules, NULL at the end: the first is the default. */
extern const char *const merge_rule_names[];

/* On the nth model of a round, from 1. Ages are finite and not negative (checked where they came
 * in). */
struct merge_verdict merge_judge(const struct merge_settings *settings, double mine, double theirs,
                                 unsigned nth);

#endif
