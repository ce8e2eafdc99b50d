/* What a swarm has to come back to in the calm after a storm: one overlay, members all, that
 * learns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/world/laws.h"
#include "tests/world/stand.h"

/* After the calm began; measured: docs/testing.md. */
#define CONNECTED_PERIODS 40
#define CONNECTED_US UINT64_C(180000000) /* or so long, where periods are short */
#define PASSES_LEAST 10
#define LEARNED_LEAST .4 /* accuracy, of what chance leaves */
#define LEARNED_MORE .1  /* or so much more than when the calm began */
#define ACCURACY_LOST .1

static uint32_t root_of(uint32_t *roots, uint32_t i)
{
    while (roots[i] != i)
        i = roots[i] = roots[roots[i]];
    return i;
}

static uint32_t number_of(const struct world *world, const uint8_t identity[KEY_BYTES])
{
    for (uint32_t i = 0; i < world->plan.devices; i++)
        if (memcmp(world->truths[i].identity, identity, KEY_BYTES) == 0)
            return i;
    return UINT32_MAX;
}

/* In how many parts those who are here fall, by whom each has in its view. */
static uint32_t parts_of(const struct world *world)
{
    uint32_t roots[DEVICES_MAX], parts = 0;
    for (uint32_t i = 0; i < world->plan.devices; i++)
        roots[i] = i;
    for (uint32_t i = 0; i < world->plan.devices; i++) {
        const struct node *node = world->devices[i]->node;
        const struct view *view = node ? &node->participant.gossip.view : NULL;
        for (uint32_t j = 0; view && j < view->count; j++) {
            const struct peer_record *record = roster_peer(&node->roster, view->entries[j].peer);
            uint32_t other = number_of(world, record->identity);
            if (other < world->plan.devices && world->devices[other]->node)
                roots[root_of(roots, i)] = root_of(roots, other);
        }
    }
    for (uint32_t i = 0; i < world->plan.devices; i++)
        parts += world->devices[i]->node && root_of(roots, i) == i;
    return parts;
}

static bool all_learn(const struct world *world)
{
    for (uint32_t i = 0; i < world->plan.devices; i++) {
        const struct node *node = world->devices[i]->node;
        if (node && !(node->member && node->started && participant_ready(&node->participant)))
            return false;
    }
    return true;
}

void overlay_look(struct world *world)
{
    if (!world->calm || world->connected_us != NEVER)
        return;
    uint64_t since_us = world->now_us - world->plan.calm_us;
    uint64_t most_us = CONNECTED_PERIODS * world->plan.config.gossip.period_us;
    if (most_us < CONNECTED_US)
        most_us = CONNECTED_US;
    uint32_t parts = parts_of(world);
    if (parts <= 1 && all_learn(world)) {
        world->connected_us = since_us;
        note(world, "the overlay is whole %.1f periods after the storm",
             (double)since_us / (double)world->plan.config.gossip.period_us);
    } else if (since_us > most_us) {
        broken(world, "%.0f periods after the storm the overlay is in %u parts, %s",
               (double)since_us / (double)world->plan.config.gossip.period_us, parts,
               all_learn(world) ? "and all learn" : "and not all learn");
    }
}

/* On the test examples, of those who are here; NaN when nobody is. */
static double mean_accuracy(const struct world *world)
{
    struct workspace workspace = {0};
    double sum = 0;
    uint32_t count = 0;
    if (!workspace_reset(&workspace, evaluation_workspace(world->model)))
        abort();
    for (uint32_t i = 0; i < world->plan.devices; i++) {
        const struct node *node = world->devices[i]->node;
        if (!node || !participant_ready(&node->participant))
            continue;
        const struct examples examples = {&world->test, world->test_rows, world->test.examples,
                                          participant_scaling(&node->participant)};
        const struct evaluation evaluation = evaluate(
            world->model, participant_readout(&node->participant)->values, &examples, &workspace);
        if (!workspace_reset(&workspace, evaluation_workspace(world->model)))
            abort();
        sum += evaluation_accuracy(&evaluation);
        count++;
    }
    workspace_free(&workspace);
    return count > 0 ? sum / count : NAN;
}

void overlay_calm(struct world *world)
{
    world->accuracy_before = mean_accuracy(world);
    for (uint32_t i = 0; i < world->plan.devices; i++) {
        struct device *device = world->devices[i];
        if (device->node) {
            device->calm_passes = device->node->participant.gossip.passes;
            device->calm_received = device->node->participant.gossip.counters.received;
        }
    }
}

static void check_device(struct world *world, const struct device *device, uint32_t here)
{
    const struct gossip *gossip = &device->node->participant.gossip;
    if (gossip->passes < device->calm_passes + PASSES_LEAST)
        broken(world, "device %u has made %u passes in the calm", device->number,
               gossip->passes - device->calm_passes);
    if (here > 1 && gossip->counters.received == device->calm_received)
        broken(world, "device %u has heard of nobody in the calm", device->number);
}

void overlay_end(struct world *world)
{
    uint32_t here = 0;
    double chance = 1.0 / (double)world->plan.classes;
    for (uint32_t i = 0; i < world->plan.devices; i++)
        here += world->devices[i]->node != NULL;
    for (uint32_t i = 0; i < world->plan.devices; i++)
        if (world->devices[i]->node)
            check_device(world, world->devices[i], here);
    world->accuracy_after = mean_accuracy(world);
    if (laws_has_insiders(world) || here == 0)
        return;
    if (world->accuracy_after < chance + LEARNED_LEAST * (1 - chance) &&
        world->accuracy_after < world->accuracy_before + LEARNED_MORE)
        broken(world, "an accuracy of %.3f in the end, %.3f before the calm", world->accuracy_after,
               world->accuracy_before);
    if (world->accuracy_after < world->accuracy_before - ACCURACY_LOST)
        broken(world, "the calm has cost accuracy: %.3f after %.3f", world->accuracy_after,
               world->accuracy_before);
}

void laws_end(struct world *world)
{
    const struct books *books = &world->books;
    if (stand_vectors() > 0)
        broken(world, "%zu vectors are still held in the end", stand_vectors());
    if (books->under_way > 0)
        broken(world, "%llu bytes never came anywhere", (unsigned long long)books->under_way);
}
