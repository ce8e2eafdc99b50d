#include "node/settings.h"

#include <math.h>
#include <string.h>

#define JITTER 0.1 /* of a period, as a share of it */
#define SHUFFLE_MOST 10
#define WHOLE_BYTES_MAX (4u << 20)  /* of parameters: a larger model goes in fragments */
#define FRAGMENT_BYTES (256u << 10) /* then of about so many bytes in f32 */

/* Settings of gossip that say nothing together. */
static enum starling_error check_order(const struct config *config, struct problem *problem)
{
    if (config->gossip.order == ORDER_WALK && config->gossip.merge != 0)
        return problem_set(problem, STARLING_INVALID,
                           "gossip.merge: with gossip.order = walk a received model takes the "
                           "place of one's own, nothing is merged: leave gossip.merge out");
    bool quasi_global = config->learn.optimizer == OPTIMIZER_QUASI_GLOBAL;
    if (quasi_global && config->learn.momentum == 0)
        return problem_set(problem, STARLING_INVALID,
                           "learn.optimizer: quasi-global without learn.momentum is sgd: take one "
                           "of the two");
    if (quasi_global && config->gossip.order == ORDER_WALK)
        return problem_set(problem, STARLING_INVALID,
                           "learn.optimizer: quasi-global follows a model through its merges, and "
                           "with gossip.order = walk there are none: take another");
    if (config->gossip.order == ORDER_UPDATE_MERGE &&
        (quasi_global || optimizer_vectors(config->learn.optimizer, config->learn.momentum) > 0))
        return problem_set(problem, STARLING_INVALID,
                           "learn.%s: with gossip.order = update-merge others' models are trained "
                           "too, and what their optimisers remember is not known: leave it %s",
                           config->learn.optimizer == OPTIMIZER_SGD ? "momentum" : "optimizer",
                           config->learn.optimizer == OPTIMIZER_SGD ? "0" : "sgd");
    return STARLING_OK;
}

/* A setting that was changed where nothing looks at it. */
struct idle {
    const char *name;
    bool idle;
    const char *why;
};

static enum starling_error refuse_idle(const struct config *config, const struct idle *settings,
                                       size_t count, struct problem *problem)
{
    for (size_t i = 0; i < count; i++)
        if (settings[i].idle && config_changed(config, settings[i].name))
            return problem_set(problem, STARLING_INVALID, "%s: %s: leave it out", settings[i].name,
                               settings[i].why);
    return STARLING_OK;
}

static enum starling_error check_idle(const struct config *config, struct problem *problem)
{
    bool tokens = config->gossip.flow == FLOW_TOKEN, walk = config->gossip.order == ORDER_WALK;
    const struct idle settings[] = {
        {"gossip.token_least", !tokens, "without gossip.flow = token nobody saves tokens up"},
        {"gossip.token_most", !tokens, "without gossip.flow = token nobody saves tokens up"},
        {"gossip.age_limit", walk, "with gossip.order = walk nothing is merged"},
        {"gossip.age_limit", config->gossip.merge != 0, "only gossip.merge = limited has a limit"},
        {"learn.fold", config->learn.holdout == 0, "with learn.holdout = 0 nothing is kept"},
    };
    return refuse_idle(config, settings, sizeof settings / sizeof settings[0], problem);
}

enum starling_error settings_check(const struct config *config, struct problem *problem)
{
    if (check_idle(config, problem))
        return STARLING_INVALID;
    double end = config->learn.holdout * ((double)config->learn.fold + 1);
    if (config->learn.holdout > 0 && end > 1 + 1e-9)
        return problem_set(problem, STARLING_INVALID,
                           "learn.fold: %llu is beyond the last: with learn.holdout %g there are "
                           "folds 0 to %.0f",
                           (unsigned long long)config->learn.fold, config->learn.holdout,
                           floor(1 / config->learn.holdout + 1e-9) - 1);
    if (config->learn.schedule != SCHEDULE_COSINE && config->learn.horizon != CONFIG_AUTO)
        return problem_set(problem, STARLING_INVALID,
                           "learn.horizon: no schedule ends but cosine: take learn.schedule = "
                           "cosine, or leave the horizon out");
    if (config->learn.personal > 0 && config->learn.holdout == 0)
        return problem_set(problem, STARLING_INVALID,
                           "learn.personal: with learn.holdout = 0 there is nothing to choose by "
                           "between the swarm's model and one's own: leave one of them out");
    if (config->gossip.flow == FLOW_TOKEN && config->gossip.token_least > config->gossip.token_most)
        return problem_set(
            problem, STARLING_INVALID,
            "gossip.token_least: an account that holds %llu tokens at most never has "
            "%llu: lower it, or raise gossip.token_most",
            (unsigned long long)config->gossip.token_most,
            (unsigned long long)config->gossip.token_least);
    return check_order(config, problem);
}

enum starling_error settings_scaling(const struct config *config, const struct dataset *train,
                                     struct problem *problem)
{
    if (config->task.agree != AGREE_ON || dataset_standardises(train, config->task.scale))
        return STARLING_OK;
    return problem_set(problem, STARLING_INVALID,
                       "task.agree: %s, so there is no scaling to agree on: leave it auto",
                       config->task.scale == SCALE_NONE ? "with task.scale = none features stay as "
                                                          "they are"
                       : train->symbols                 ? "symbols are not scaled"
                                                        : "pixels are scaled to 0..1 everywhere");
}

static struct learn_settings learning(const struct config *config, const struct model *model)
{
    double rate = config->learn.rate, momentum = config->learn.momentum;
    double clip = config->learn.clip;
    enum schedule schedule = config->learn.schedule;
    if (schedule == SCHEDULE_AUTO)
        schedule = learner_schedule_auto(model);
    return (struct learn_settings){
        .optimizer = config->learn.optimizer,
        .rate = rate == CONFIG_AUTO ? learner_rate_auto(model, config->learn.optimizer) : rate,
        .momentum =
            momentum == CONFIG_AUTO ? learner_momentum_auto(config->learn.optimizer) : momentum,
        .decay = config->learn.decay,
        .rate_floor = config->learn.rate_floor,
        .batch = (uint32_t)config->learn.batch,
        .epochs = (uint32_t)config->learn.epochs,
        .max_batches = (uint32_t)config->learn.max_batches,
        .schedule = schedule,
        .horizon = config->learn.horizon,
        .balance = config->learn.balance,
        .clip = clip == CONFIG_AUTO ? model_clip(model) : clip};
}

/* As many as are asked for, or that suit the model. */
static uint32_t fragments_of(const struct config *config, const struct model *model)
{
    size_t bytes = model_parameters(model) * sizeof(float);
    uint64_t fragments = config->gossip.fragments;
    if (fragments == CONFIG_AUTO_COUNT)
        fragments = bytes < WHOLE_BYTES_MAX ? 1 : (bytes + FRAGMENT_BYTES - 1) / FRAGMENT_BYTES;
    return fragments < FRAGMENTS_MAX ? (uint32_t)fragments : FRAGMENTS_MAX;
}

/* Which pieces a message may carry. */
static enum starling_error check_pieces(const struct config *config, const struct model *model,
                                        struct problem *problem)
{
    if (config->gossip.fragments != CONFIG_AUTO_COUNT &&
        config->gossip.fragments > model_parameters(model))
        return problem_set(problem, STARLING_INVALID,
                           "gossip.fragments: %llu are more than the %zu parameters of %s: ask "
                           "for fewer",
                           (unsigned long long)config->gossip.fragments, model_parameters(model),
                           model_name(model));
    bool whole = fragments_of(config, model) == 1 && config->gossip.sample == 1;
    if (config->gossip.order == ORDER_UPDATE_MERGE && !whole)
        return problem_set(problem, STARLING_INVALID,
                           "gossip.%s: with gossip.order = update-merge received models are "
                           "trained, and a piece cannot be: leave it 1",
                           config->gossip.sample < 1 ? "sample" : "fragments");
    return STARLING_OK;
}

enum starling_error settings_suit(const struct config *config, const struct model *model,
                                  struct problem *problem)
{
    if (check_pieces(config, model, problem))
        return STARLING_INVALID;
    struct learn_settings learn = learning(config, model);
    bool pegasos = learn.schedule == SCHEDULE_PEGASOS;
    const struct idle floor = {"learn.rate_floor", pegasos || learn.schedule == SCHEDULE_CONSTANT,
                               "a floor is for schedules that fall to it, inverse and cosine"};
    if (refuse_idle(config, &floor, 1, problem))
        return STARLING_INVALID;
    if (pegasos && learn.decay == 0)
        return problem_set(problem, STARLING_INVALID,
                           "learn.decay: a step of Pegasos is 1 / (decay · age) long: write a "
                           "number above 0, or take another learn.schedule");
    if (pegasos && (config->learn.rate != CONFIG_AUTO || learn.momentum > 0))
        return problem_set(problem, STARLING_INVALID,
                           "learn.%s: the steps of Pegasos follow from learn.decay alone: leave it "
                           "out, or take another learn.schedule",
                           config->learn.rate != CONFIG_AUTO  ? "rate"
                           : learn.optimizer != OPTIMIZER_SGD ? "optimizer"
                                                              : "momentum");
    if (learn.balance && model_positions(model) > 1)
        return problem_set(problem, STARLING_INVALID,
                           "learn.balance: in sequences the classes are symbols, which are as rare "
                           "as they are: leave it off");
    return STARLING_OK;
}

void settings_make(const struct config *config, const struct model *model,
                   const uint8_t task[TASK_ID_BYTES], uint64_t seed,
                   struct participant_settings *settings)
{
    *settings = (struct participant_settings){
        .model = model,
        .learn = learning(config, model),
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
                   .pieces = true,
                   .shuffle_most = SHUFFLE_MOST,
                   .readout = config->gossip.readout,
                   .encoding = config->gossip.encoding,
                   .fragments = fragments_of(config, model),
                   .sample = config->gossip.sample,
                   .parameters = model_parameters(model),
                   .seed = seed},
        .holdout = config->learn.holdout,
        .fold = (uint32_t)config->learn.fold,
        .personal = (uint32_t)config->learn.personal,
        .seed = seed,
    };
    memcpy(settings->gossip.task, task, TASK_ID_BYTES);
}
