#include "sim/crash_world.h"

#include <stdlib.h>

#include "sim/measure.h"
#include "sim/world_inside.h"

#define BATCH 65536u /* nodes that are tested at a time */

/* The accuracy of each of so many nodes, there or away. */
static enum starling_error test(const struct world *world, const struct experiment *experiment,
                                struct pool *pool, const uint32_t *nodes, size_t count,
                                double *accuracy, struct problem *problem)
{
    size_t most = count < BATCH ? count : BATCH;
    const struct version **models = malloc(most * sizeof *models);
    const float **scalings = malloc(most * sizeof *scalings);
    struct measured *measured = malloc(most * sizeof *measured);
    bool room = models && scalings && measured;
    for (size_t done = 0; room && done < count; done += most) {
        size_t now = count - done < most ? count - done : most;
        for (size_t i = 0; i < now; i++) {
            const struct participant *participant = world_participant(world, nodes[done + i]);
            models[i] = participant_readout(participant);
            scalings[i] = participant_scaling(participant);
        }
        measure(experiment, pool, models, scalings, now, experiment->config.sim.eval_examples,
                measured);
        for (size_t i = 0; i < now; i++)
            accuracy[done + i] = measured[i].accuracy;
    }
    free(models);
    free(scalings);
    free(measured);
    return room ? STARLING_OK : problem_no_memory(problem, "a crash of the best");
}

static enum starling_error crash(struct world *world, const struct experiment *experiment,
                                 struct pool *pool, size_t number, struct problem *problem)
{
    const struct crashes *crashes = &experiment->crashes;
    size_t nodes = experiment->config.sim.nodes, count = 0;
    bool best = crashes->crashes[number].best;
    uint32_t *left = malloc(nodes * sizeof *left);
    double *accuracy = best ? malloc(nodes * sizeof *accuracy) : NULL;
    enum starling_error error =
        left && (!best || accuracy) ? STARLING_OK : problem_no_memory(problem, "a crash");
    for (size_t node = 0; !error && node < nodes; node++)
        if (!world_is_gone(world, node))
            left[count++] = (uint32_t)node;
    if (!error && best)
        error = test(world, experiment, pool, left, count, accuracy, problem);
    size_t chosen = error ? 0 : crashes_choose(crashes, number, left, count, accuracy);
    if (chosen == SIZE_MAX)
        error = problem_no_memory(problem, "a crash");
    for (size_t i = 0; !error && i < chosen; i++)
        world_crash(world, left[i]);
    free(left);
    free(accuracy);
    return error;
}

enum starling_error crash_world_live(struct world *world, const struct experiment *experiment,
                                     struct pool *pool, uint64_t until_us,
                                     const volatile sig_atomic_t *interrupted, uint64_t *reached_us,
                                     struct problem *problem)
{
    const struct crashes *crashes = &experiment->crashes;
    while (world->crashes < crashes->count && crashes->crashes[world->crashes].at_us < until_us) {
        uint64_t at_us = crashes->crashes[world->crashes].at_us;
        enum starling_error error = world_live(world, at_us, interrupted, reached_us, problem);
        if (error || *reached_us < at_us)
            return error;
        error = crash(world, experiment, pool, world->crashes, problem);
        if (error)
            return error;
        world->crashes++;
    }
    return world_live(world, until_us, interrupted, reached_us, problem);
}
