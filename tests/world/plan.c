/* What a seed says a world is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/settings.h"
#include "tests/world/world.h"

#define FAULT_CHANCE .35
#define SMALL_MOST 12
#define CALM_PERIODS 60
#define CALM_LEAST_US                                                                              \
    UINT64_C(240000000) /* two silences are noticed, and dialling waits its most */
#define EXPIRY_PERIOD_US UINT64_C(20000000) /* then a storm outlasts CLOCK_TOLERANCE_S */
#define MONTHS_S (INT64_C(86400) * 200)     /* beyond any membership */

const char *const fault_names[FAULTS] = {
    "loss",      "duplication", "reordering", "delay",  "partition",  "crash",
    "torn-slot", "torn-store",  "death",      "move",   "wall-clock", "unset-clock",
    "sleep",     "slow-pass",   "slow-disk",  "expiry", "outsider",   "insider",
};

struct random world_stream(uint64_t seed, uint32_t which, uint64_t step)
{
    return random_stream(seed, 0, (enum random_purpose)which, step);
}

double draw_between(struct random *random, double least, double most)
{
    return least + (most - least) * random_uniform(random);
}

bool draw_chance(struct random *random, double chance)
{
    return random_uniform(random) < chance;
}

/* One of the first `count` numbers, the first as often as all others. */
static int draw_choice(struct random *random, uint32_t count)
{
    return draw_chance(random, .5) ? 0 : (int)random_below(random, count);
}

static void draw_task(struct plan *plan, struct random *random)
{
    static const char *const models[] = {"linear", "linear", "mlp:4", "mlp:8"};
    bool many = draw_chance(random, .15);
    plan->devices = 3 + random_below(random, many ? DEVICES_MAX - 2 : SMALL_MOST - 2);
    plan->features = 4 + random_below(random, 5);
    plan->classes = 2 + random_below(random, 3);
    plan->examples = 24 + random_below(random, 30);
    snprintf(plan->model, sizeof plan->model, "%s", models[random_below(random, 4)]);
    struct config *config = &plan->config;
    snprintf(config->task.model, sizeof config->task.model, "%s", plan->model);
    config->task.agree = draw_chance(random, .5) ? AGREE_ON : AGREE_OFF;
    config->task.scale = config->task.agree == AGREE_ON ? SCALE_AUTO : SCALE_NONE;
}

static void draw_learning(struct config *config, struct random *random)
{
    config->learn.optimizer = (enum optimizer)draw_choice(random, 4);
    config->learn.momentum = draw_chance(random, .3) ? .9 : CONFIG_AUTO;
    config->learn.holdout = draw_chance(random, .8) ? .2 : 0;
    config->learn.personal = draw_chance(random, .15) ? 20 : 0;
    config->learn.balance = draw_chance(random, .2);
    config->learn.max_batches = draw_chance(random, .2) ? 2 : 0;
}

static void draw_gossip(struct config *config, struct random *random)
{
    static const uint64_t periods_us[] = {1000000, 2000000, 4000000, 10000000};
    config->gossip.period_us = periods_us[random_below(random, 4)];
    config->gossip.fanout = 1 + (uint64_t)draw_choice(random, 3);
    config->gossip.exchange = draw_choice(random, 3);
    config->gossip.order = draw_choice(random, 3);
    config->gossip.merge = draw_choice(random, 4);
    config->gossip.flow = draw_choice(random, 2);
    config->gossip.token_least = 1 + random_below(random, 5);
    config->gossip.token_most = config->gossip.token_least + random_below(random, 10);
    config->gossip.view = 4 + random_below(random, 17);
    config->gossip.inbox = 1 + random_below(random, 8);
    config->gossip.age_limit = random_below(random, 5);
    config->gossip.readout = draw_chance(random, .8);
    config->gossip.encoding = (enum encoding)draw_choice(random, ENCODINGS);
    config->gossip.fragments = 1 + (uint64_t)draw_choice(random, 4);
    config->gossip.sample = draw_chance(random, .75) ? 1 : draw_between(random, .2, .9);
    config->node.save_every_us = random_below(random, 4) * 2 * config->gossip.period_us;
}

/* Draws until the settings go together. */
static void draw_settings(struct plan *plan, struct random *random)
{
    struct model *model = model_new(plan->model, shape_flat(plan->features, plan->classes), NULL);
    if (!model)
        abort();
    do {
        draw_learning(&plan->config, random);
        draw_gossip(&plan->config, random);
    } while (settings_check(&plan->config, NULL) || settings_suit(&plan->config, model, NULL));
    model_free(&model);
}

static void draw_faults(struct plan *plan, struct random *random)
{
    bool peaceful = draw_chance(random, .1); /* laws hold without any fault, too */
    for (size_t i = 0; i < FAULTS; i++)
        plan->faults[i] = !peaceful && draw_chance(random, FAULT_CHANCE);
    bool *faults = plan->faults;
    faults[FAULT_EXPIRY] = faults[FAULT_EXPIRY] && draw_chance(random, .3);
    faults[FAULT_CRASH] |= faults[FAULT_TORN_SLOT] || faults[FAULT_TORN_STORE] ||
                           faults[FAULT_MOVE] || faults[FAULT_DEATH];
    double period_us = (double)plan->config.gossip.period_us;
    plan->loss = faults[FAULT_LOSS] ? draw_between(random, .01, .4) : 0;
    plan->duplication = faults[FAULT_DUPLICATION] ? draw_between(random, .01, .3) : 0;
    plan->reordering = faults[FAULT_REORDERING] ? draw_between(random, .05, .5) : 0;
    plan->delay_least_us = 1000;
    plan->delay_most_us =
        faults[FAULT_DELAY] ? (uint64_t)(period_us * draw_between(random, .1, 3)) : 20000;
    if (faults[FAULT_OUTSIDER] || faults[FAULT_INSIDER])
        plan->strangers = 1 + random_below(random, STRANGERS_MAX);
    plan->expiry_us = NEVER;
    if (faults[FAULT_EXPIRY])
        plan->config.gossip.period_us = EXPIRY_PERIOD_US;
}

static void add(struct plan *plan, uint64_t at_us, enum act_kind kind, uint32_t device,
                int64_t amount)
{
    if (plan->act_count == ACTS_MAX)
        abort();
    plan->acts[plan->act_count++] = (struct act){at_us, kind, device, amount};
}

static uint64_t draw_time(const struct plan *plan, struct random *random)
{
    return (uint64_t)(random_uniform(random) * (double)plan->calm_us);
}

static void draw_crashes(struct plan *plan, struct random *random)
{
    uint32_t crashes = 1 + random_below(random, plan->devices);
    double period_us = (double)plan->config.gossip.period_us;
    for (uint32_t i = 0; i < crashes; i++) {
        uint64_t at_us = draw_time(plan, random);
        uint32_t device = random_below(random, plan->devices);
        double away =
            draw_chance(random, .3) ? draw_between(random, 0, .5) : draw_between(random, .5, 20);
        add(plan, at_us, ACT_CRASH, device, draw_chance(random, .5));
        add(plan, at_us + (uint64_t)(away * period_us), ACT_BOOT, device, 0);
    }
}

static void draw_splits(struct plan *plan, struct random *random)
{
    double period_us = (double)plan->config.gossip.period_us;
    for (uint32_t i = 0; i <= random_below(random, 2); i++) {
        uint64_t at_us = draw_time(plan, random);
        int64_t who = 1 + random_below(random, (1u << (plan->devices - 1)) - 1);
        add(plan, at_us, ACT_SPLIT, 0, who);
        add(plan, at_us + (uint64_t)(draw_between(random, 2, 60) * period_us), ACT_HEAL, 0, 0);
    }
}

static void draw_clocks(struct plan *plan, struct random *random)
{
    uint32_t jumps = 1 + random_below(random, plan->devices);
    for (uint32_t i = 0; plan->faults[FAULT_WALL_CLOCK] && i < jumps; i++) {
        static const int64_t most_s[] = {60, 900, 86400, MONTHS_S};
        int64_t most = most_s[random_below(random, 4)];
        add(plan, draw_time(plan, random), ACT_CLOCK, random_below(random, plan->devices),
            (int64_t)draw_between(random, (double)-most, (double)most));
    }
    for (uint32_t i = 0; plan->faults[FAULT_SLEEP] && i < jumps; i++)
        add(plan, draw_time(plan, random), ACT_SLEEP, random_below(random, plan->devices),
            (int64_t)(draw_between(random, 1, 30) * (double)plan->config.gossip.period_us));
}

static void draw_acts(struct plan *plan, struct random *random)
{
    uint64_t period_us = plan->config.gossip.period_us;
    plan->calm_us = (30 + random_below(random, 31)) * period_us;
    uint64_t calm_us = CALM_PERIODS * period_us;
    plan->end_us = plan->calm_us + (calm_us > CALM_LEAST_US ? calm_us : CALM_LEAST_US);
    if (plan->faults[FAULT_EXPIRY])
        plan->expiry_us = plan->calm_us / 20;
    for (uint32_t i = 0; i < plan->devices; i++) {
        bool late = i > 0 && draw_chance(random, .1);
        add(plan, late ? draw_time(plan, random) : random_below(random, (uint32_t)(3 * period_us)),
            ACT_BOOT, i, 0);
    }
    if (plan->faults[FAULT_CRASH])
        draw_crashes(plan, random);
    if (plan->faults[FAULT_PARTITION])
        draw_splits(plan, random);
    draw_clocks(plan, random);
    add(plan, plan->calm_us, ACT_CALM, 0, 0);
    add(plan, plan->end_us, ACT_END, 0, 0);
}

void plan_draw(struct plan *plan, uint64_t seed)
{
    struct random random = world_stream(seed, STREAM_PLAN, 0);
    *plan = (struct plan){.seed = seed};
    config_defaults(&plan->config);
    draw_task(plan, &random);
    draw_settings(plan, &random);
    draw_faults(plan, &random);
    draw_acts(plan, &random);
}
