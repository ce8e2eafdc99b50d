#include "sim/personal.h"

#include <stdatomic.h>

#include "model/vector.h"
#include "node/tuning.h"

#define TURN 64u /* nodes between two looks at progress and interruption */

struct personalising {
    const struct world *world;
    struct node_row *rows;
    size_t first; /* node of this turn */
    atomic_bool failed;
};

static void personalise(void *self, size_t number, struct workspace *workspace)
{
    struct personalising *personalising = self;
    size_t node = personalising->first + number;
    const struct participant *participant = world_participant(personalising->world, node);
    const struct tuning tuning = {
        .participant = participant,
        .shared = participant_readout(participant)->values,
        .scaling = participant_scaling(participant),
        .age = participant->gossip.age,
        .works = participant->works,
    };
    struct tuned tuned = {0};
    if (!participant_ready(participant))
        return;
    float *kept = vector_new(model_parameters(participant->settings->model));
    if (!kept || !tuning_run(&tuning, kept, workspace, &tuned))
        atomic_store(&personalising->failed, true);
    vector_free(kept);
    struct own_row *own = &personalising->rows[node].own;
    own->tested = tuned.shared.examples;
    own->shared = evaluation_accuracy(&tuned.shared);
    own->personal = evaluation_accuracy(&tuned.personal);
    own->steps = tuned.chosen.steps;
}

enum starling_error personal_run(const struct world *world, struct pool *pool,
                                 const volatile sig_atomic_t *interrupted,
                                 struct progress *progress, struct node_row *rows, size_t count,
                                 struct problem *problem)
{
    struct personalising personalising = {.world = world, .rows = rows};
    while (personalising.first < count && !*interrupted) {
        size_t left = count - personalising.first, turn = left < TURN ? left : TURN;
        pool_run(pool, personalise, &personalising, turn, 1);
        personalising.first += turn;
        progress_show(progress, personalising.first, NULL);
    }
    return atomic_load(&personalising.failed) ? problem_no_memory(problem, "the personal models")
                                              : STARLING_OK;
}

void personal_summarise(const struct node_row *rows, size_t count, struct summary *summary)
{
    double personal = 0, swarm = 0, alone = 0;
    uint64_t nodes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct own_row *own = &rows[i].own;
        if (own->tested == 0)
            continue;
        personal += own->personal;
        swarm += own->shared;
        alone += own->alone;
        nodes++;
    }
    summary->personal.nodes = nodes;
    summary->personal.accuracy = personal / (double)nodes;
    summary->personal.swarm = swarm / (double)nodes;
    summary->personal.alone = alone / (double)nodes;
}
