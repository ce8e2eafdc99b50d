#include "node/settings.h"

#include <string.h>

#define JITTER 0.1 /* of a period, as a share of it */
#define SHUFFLE_MOST 10

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
        .seed = seed,
    };
    memcpy(settings->gossip.task, task, TASK_ID_BYTES);
}
