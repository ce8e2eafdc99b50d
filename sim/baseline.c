#include "sim/baseline.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sim/measure.h"

#define TURN 16u /* nodes between two looks at progress and interruption */

/* What one learner without anybody else is given beside its examples. */
struct lonely {
    const struct participant_settings *settings;
    peer_id self;
    struct version *initial;
    uint64_t passes;
    const volatile sig_atomic_t *interrupted;
};

/* Called after each pass; an error ends the learning. */
typedef enum starling_error after_pass(const void *self, const struct participant *participant,
                                       uint64_t pass, struct problem *problem);

/* Lives so many periods as the only one there is and returns what it serves in the end (the
 * caller's reference), or NULL when interrupted or in trouble. */
static struct version *live_alone(const struct lonely *lonely, const struct examples *examples,
                                  after_pass *after, const void *self, struct workspace *workspace,
                                  struct problem *problem)
{
    struct view_entry entries[VIEW_MAX];
    const struct gossip_storage storage = {.entries = entries};
    struct participant participant;
    struct outgoing out;
    if (participant_init(&participant, lonely->settings, lonely->self, examples->data,
                         examples->rows, examples->count, &storage, lonely->initial, 0, problem))
        return NULL;
    participant_start(&participant, (struct now){0}, &out);
    uint64_t pass = 0;
    enum starling_error error = STARLING_OK;
    while (pass < lonely->passes && !*lonely->interrupted && !error) {
        struct now now = {participant_deadline(&participant), 0};
        participant_tick(&participant, now, &out);
        work_run(&out.work, workspace);
        participant_done(&participant, now, &out);
        pass++;
        if (after)
            error = after(self, &participant, pass, problem);
    }
    struct version *result =
        pass == lonely->passes && !error ? version_share(participant_readout(&participant)) : NULL;
    participant_clear(&participant);
    return result;
}

struct alone {
    const struct baseline *baseline;
    struct version *initial;
    uint64_t passes;
    struct measured *reached, *own;
    size_t first; /* node of this turn */
    atomic_bool failed;
};

static struct measured test_on(const struct experiment *experiment, const struct version *version,
                               const struct examples *examples, struct workspace *workspace)
{
    if (!workspace_reset(workspace, evaluation_workspace(experiment->model)))
        return (struct measured){NAN, NAN};
    struct evaluation evaluation =
        evaluate(experiment->model, version->values, examples, workspace);
    return (struct measured){evaluation_accuracy(&evaluation), evaluation_loss(&evaluation)};
}

static struct measured test(const struct experiment *experiment, const struct version *version,
                            struct workspace *workspace)
{
    const struct examples examples = {experiment->test, experiment->test_rows,
                                      experiment->test_count, NULL};
    return test_on(experiment, version, &examples, workspace);
}

/* What the last pass of a lone node is followed by. */
struct last_pass {
    const struct experiment *experiment;
    uint64_t passes;
    struct measured *own;
    struct workspace *workspace;
};

static enum starling_error test_own(const void *self, const struct participant *participant,
                                    uint64_t pass, struct problem *problem)
{
    (void)problem;
    const struct last_pass *last = self;
    const struct examples report = {participant->data, participant->report,
                                    participant->report_count, NULL};
    if (pass == last->passes)
        *last->own =
            test_on(last->experiment, participant_readout(participant), &report, last->workspace);
    return STARLING_OK;
}

static void run_alone(void *self, size_t number, struct workspace *workspace)
{
    struct alone *alone = self;
    size_t node = alone->first + number;
    const struct experiment *experiment = alone->baseline->experiment;
    struct lonely lonely = {&experiment->settings, (peer_id)node, alone->initial, alone->passes,
                            alone->baseline->interrupted};
    struct examples examples = {.data = &experiment->data->train};
    examples.rows = partition_rows(experiment->partition, node, &examples.count);
    struct problem problem = {0};
    struct measured own = {NAN, NAN};
    const struct last_pass last = {experiment, alone->passes, &own, workspace};
    struct version *result =
        live_alone(&lonely, &examples, alone->own ? test_own : NULL, &last, workspace, &problem);
    alone->reached[node] =
        result ? test(experiment, result, workspace) : (struct measured){NAN, NAN};
    if (alone->own)
        alone->own[node] = own;
    if (problem.error)
        atomic_store(&alone->failed, true);
    version_release(&result);
}

bool baseline_local(const struct baseline *baseline, uint64_t passes, struct measured *reached,
                    struct measured *own, struct problem *problem)
{
    problem->error = STARLING_OK;
    struct alone alone = {.baseline = baseline,
                          .initial = experiment_initial(baseline->experiment),
                          .passes = passes,
                          .reached = reached,
                          .own = own};
    if (!alone.initial) {
        problem_no_memory(problem, "the baseline");
        return false;
    }
    size_t count = baseline->experiment->partition->nodes;
    for (; alone.first < count && !*baseline->interrupted; alone.first += TURN) {
        size_t left = count - alone.first;
        pool_run(baseline->pool, run_alone, &alone, left < TURN ? left : TURN, 1);
        progress_show(baseline->progress, left < TURN ? count : alone.first + TURN, NULL);
    }
    version_release(&alone.initial);
    if (atomic_load(&alone.failed))
        problem_no_memory(problem, "the baseline");
    return !*baseline->interrupted;
}

enum starling_error training_gather(const struct experiment *experiment, struct training *training,
                                    struct problem *problem)
{
    const struct partition *partition = experiment->partition;
    size_t most = partition->start[partition->nodes];
    uint32_t *kept = malloc(2 * most * sizeof *kept);
    size_t *start = malloc((partition->nodes + 1) * sizeof *start), count = 0;
    *training = (struct training){kept, start};
    if (!kept || !start) {
        training_free(training);
        return problem_no_memory(problem, "the baseline's examples");
    }
    for (size_t node = 0; node < partition->nodes; node++) {
        size_t mine_count;
        const uint32_t *mine = partition_rows(partition, node, &mine_count);
        size_t held = participant_hold_out(&experiment->data->train, mine, mine_count,
                                           experiment->settings.holdout, experiment->settings.fold,
                                           kept + count, kept + most);
        start[node] = count;
        count += mine_count - held;
    }
    start[partition->nodes] = count;
    return STARLING_OK;
}

void training_free(struct training *training)
{
    free(training->rows);
    free(training->start);
    *training = (struct training){0};
}

/* A point of the central learner's curve, where one is due. */
static enum starling_error mark_central(const void *self, const struct participant *participant,
                                        uint64_t pass, struct problem *problem)
{
    const struct baseline *baseline = self;
    const struct config *config = &baseline->experiment->config;
    progress_show(baseline->progress, pass, NULL);
    if (!baseline->results || pass % config->sim.eval_every != 0)
        return STARLING_OK;
    const struct version *served = participant_readout(participant);
    struct measured measured;
    measure(baseline->experiment, baseline->pool, &served, NULL, 1, config->sim.eval_examples,
            &measured);
    const struct baseline_row row = {.baseline = "central",
                                     .round = pass,
                                     .samples = participant->samples,
                                     .accuracy = measured.accuracy,
                                     .loss = measured.loss};
    return results_baseline(baseline->results, &row, problem);
}

bool baseline_central(const struct baseline *baseline, uint64_t passes, struct measured *reached,
                      struct problem *problem)
{
    const struct experiment *experiment = baseline->experiment;
    problem->error = STARLING_OK;
    *reached = (struct measured){NAN, NAN};
    struct training training = {0};
    struct version *initial = experiment_initial(experiment), *result = NULL;
    struct workspace workspace = {0};
    struct participant_settings settings = experiment->settings;
    settings.holdout = 0;
    /* a cap holds for each node's pass: together they do as many batches */
    uint64_t batches = (uint64_t)settings.learn.max_batches * experiment->partition->nodes;
    settings.learn.max_batches = batches < UINT32_MAX ? (uint32_t)batches : UINT32_MAX;
    const struct lonely lonely = {&settings, 0, initial, passes, baseline->interrupted};
    if (!initial) {
        problem_no_memory(problem, "the baseline");
    } else if (!training_gather(experiment, &training, problem)) {
        const struct examples examples = {&experiment->data->train, training.rows,
                                          training.start[experiment->partition->nodes], NULL};
        result = live_alone(&lonely, &examples, mark_central, baseline, &workspace, problem);
    }
    if (result)
        *reached = test(experiment, result, &workspace);
    version_release(&result);
    version_release(&initial);
    workspace_free(&workspace);
    training_free(&training);
    return !*baseline->interrupted;
}
