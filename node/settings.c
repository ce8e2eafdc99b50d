#include "node/settings.h"

#include <math.h>
#include <string.h>

#define JITTER 0.1 /* of a period, as a share of it */
#define SHUFFLE_MOST 10

/* Settings of gossip that say nothing together. */
static enum starling_error check_order(const struct config *config, struct problem *problem)
{
    if (config->gossip.order == ORDER_WALK && config->gossip.merge != 0)
        return problem_set(problem, STARLING_INVALID,
                           "gossip.merge: with gossip.order = walk a received model takes the "
                           "place of one's own, nothing is merged: leave gossip.merge out");
    if (config->gossip.order == ORDER_UPDATE_MERGE && config->learn.momentum > 0)
        return problem_set(problem, STARLING_INVALID,
                           "learn.momentum: with gossip.order = update-merge others' models are "
                           "trained too, and theirs is not known: leave it 0");
    return STARLING_OK;
}

enum starling_error settings_check(const struct config *config, struct problem *problem)
{
    double end = config->learn.holdout * ((double)config->learn.fold + 1);
    if (config->learn.holdout > 0 && end > 1 + 1e-9)
        return problem_set(problem, STARLING_INVALID,
                           "learn.fold: %llu is beyond the last: with learn.holdout %g there are "
                           "folds 0 to %.0f",
                           (unsigned long long)config->learn.fold, config->learn.holdout,
                           floor(1 / config->learn.holdout + 1e-9) - 1);
    return check_order(config, problem);
}

void settings_make(const struct config *config, const struct model *model,
                   const uint8_t task[TASK_ID_BYTES], uint64_t seed,
                   struct participant_settings *settings)
{
    double rate = config->learn.rate;
    *settings = (struct participant_settings){
        .model = model,
        .learn = {.rate = rate == CONFIG_AUTO ? model_rate(model) : rate,
                  .momentum = config->learn.momentum,
                  .decay = config->learn.decay,
                  .rate_floor = config->learn.rate_floor,
                  .batch = (uint32_t)config->learn.batch,
                  .epochs = (uint32_t)config->learn.epochs,
                  .max_batches = (uint32_t)config->learn.max_batches,
                  .schedule = config->learn.schedule},
        .gossip = {.period_us = config->gossip.period_us,
                   .jitter = JITTER,
                   .fanout = (uint32_t)config->gossip.fanout,
                   .exchange = (enum exchange)config->gossip.exchange,
                   .order = (enum order)config->gossip.order,
                   .flow = {.kind = (enum flow)config->gossip.flow,
                            .token_least = (uint32_t)config->gossip.token_least,
                            .token_most = (uint32_t)config->gossip.token_most},
                   .merge = {.rule = merge_rule_find(merge_rule_names[config->gossip.merge]),
                             .age_limit = config->gossip.age_limit,
                             .alpha_max = 1},
                   .view = config->gossip.view,
                   .inbox = (uint32_t)config->gossip.inbox,
                   .shuffle_most = SHUFFLE_MOST,
                   .readout = config->gossip.readout,
                   .parameters = model_parameters(model),
                   .seed = seed},
        .holdout = config->learn.holdout,
        .fold = (uint32_t)config->learn.fold,
        .seed = seed,
    };
    memcpy(settings->gossip.task, task, TASK_ID_BYTES);
}
