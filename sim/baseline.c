#include "sim/baseline.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sim/measure.h"

#define TURN 16u /* nodes between two looks at progress and interruption */

/* Lives `rounds` periods as the only one there is, shown on `progress` if there is one, and returns
 * what it serves in the end (the caller's reference), or NULL when interrupted or out of memory. */
static struct version *live_alone(const struct participant_settings *settings, peer_id self,
                                  const struct dataset *data, const uint32_t *rows, size_t count,
                                  struct version *initial, uint64_t rounds,
                                  const volatile sig_atomic_t *interrupted,
                                  struct progress *progress, struct workspace *workspace,
                                  struct problem *problem)
{
    struct view_entry entries[VIEW_MAX];
    struct waiting inbox[INBOX_MAX];
    const struct gossip_storage storage = {.entries = entries, .inbox = inbox};
    struct participant participant;
    struct outgoing out;
    if (participant_init(&participant, settings, self, data, rows, count, &storage, initial, 0,
                         problem))
        return NULL;
    participant_start(&participant, (struct now){0}, &out);
    uint64_t round = 0;
    for (; round < rounds && !*interrupted; round++) {
        struct now now = {participant_deadline(&participant), 0};
        participant_tick(&participant, now, &out);
        work_run(&out.work, workspace);
        participant_done(&participant, now, &out);
        if (progress)
            progress_show(progress, round + 1, NULL);
    }
    struct version *result =
        round == rounds ? version_share(participant_readout(&participant)) : NULL;
    participant_clear(&participant);
    return result;
}

struct alone {
    const struct experiment *experiment;
    struct version *initial;
    uint64_t rounds;
    const volatile sig_atomic_t *interrupted;
    double *accuracy;
    size_t first; /* node of this turn */
    atomic_bool failed;
};

static double test(const struct experiment *experiment, const struct version *version,
                   struct workspace *workspace)
{
    const struct examples examples = {experiment->test, experiment->test_rows,
                                      experiment->test_count};
    if (!workspace_reset(workspace, evaluation_workspace(experiment->model)))
        return NAN;
    struct evaluation evaluation =
        evaluate(experiment->model, version->values, &examples, workspace);
    return evaluation_accuracy(&evaluation);
}

static void run_alone(void *self, size_t number, struct workspace *workspace)
{
    struct alone *alone = self;
    size_t node = alone->first + number;
    const struct experiment *experiment = alone->experiment;
    size_t count;
    const uint32_t *rows = partition_rows(experiment->partition, node, &count);
    struct problem problem = {0};
    struct version *result =
        live_alone(&experiment->settings, (peer_id)node, &experiment->data->train, rows, count,
                   alone->initial, alone->rounds, alone->interrupted, NULL, workspace, &problem);
    alone->accuracy[node] = result ? test(experiment, result, workspace) : NAN;
    if (problem.error)
        atomic_store(&alone->failed, true);
    version_release(&result);
}

bool baseline_local(const struct experiment *experiment, struct pool *pool, uint64_t rounds,
                    const volatile sig_atomic_t *interrupted, struct progress *progress,
                    double *accuracy, struct problem *problem)
{
    problem->error = STARLING_OK;
    struct alone alone = {.experiment = experiment,
                          .initial = experiment_initial(experiment),
                          .rounds = rounds,
                          .interrupted = interrupted,
                          .accuracy = accuracy};
    if (!alone.initial) {
        problem_no_memory(problem, "the baseline");
        return false;
    }
    size_t nodes = experiment->partition->nodes;
    for (; alone.first < nodes && !*interrupted; alone.first += TURN) {
        size_t left = nodes - alone.first;
        pool_run(pool, run_alone, &alone, left < TURN ? left : TURN, 1);
        progress_show(progress, left < TURN ? nodes : alone.first + TURN, NULL);
    }
    version_release(&alone.initial);
    if (atomic_load(&alone.failed))
        problem_no_memory(problem, "the baseline");
    return !*interrupted;
}

/* All that the nodes train on, without what they hold out. */
static enum starling_error gather(const struct experiment *experiment, uint32_t **rows,
                                  size_t *count, struct problem *problem)
{
    const struct partition *partition = experiment->partition;
    size_t most = partition->start[partition->nodes];
    uint32_t *kept = malloc(2 * most * sizeof *kept);
    if (!kept)
        return problem_no_memory(problem, "the central learner's examples");
    *rows = kept;
    *count = 0;
    for (size_t node = 0; node < partition->nodes; node++) {
        size_t mine_count, held;
        const uint32_t *mine = partition_rows(partition, node, &mine_count);
        held = participant_hold_out(&experiment->data->train, mine, mine_count,
                                    experiment->settings.holdout, kept + *count, kept + most);
        *count += mine_count - held;
    }
    return STARLING_OK;
}

bool baseline_central(const struct experiment *experiment, uint64_t rounds,
                      const volatile sig_atomic_t *interrupted, struct progress *progress,
                      double *accuracy, struct problem *problem)
{
    problem->error = STARLING_OK;
    *accuracy = NAN;
    uint32_t *rows = NULL;
    size_t count = 0;
    struct version *initial = experiment_initial(experiment), *result = NULL;
    struct workspace workspace = {0};
    struct participant_settings settings = experiment->settings;
    settings.holdout = 0;
    /* a cap holds for each node's pass: together they do as many batches */
    uint64_t batches = (uint64_t)settings.learn.max_batches * experiment->partition->nodes;
    settings.learn.max_batches = batches < UINT32_MAX ? (uint32_t)batches : UINT32_MAX;
    if (!initial)
        problem_no_memory(problem, "the baseline");
    else if (!gather(experiment, &rows, &count, problem))
        result = live_alone(&settings, 0, &experiment->data->train, rows, count, initial, rounds,
                            interrupted, progress, &workspace, problem);
    if (result)
        *accuracy = test(experiment, result, &workspace);
    version_release(&result);
    version_release(&initial);
    workspace_free(&workspace);
    free(rows);
    return !*interrupted;
}
