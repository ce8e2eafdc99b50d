/* What a run is compared with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/baseline.h"
#include "sim/fedavg.h"
#include "sim/run_inside.h"

/* The mean of every node alone, and each of them for nodes.csv. */
static bool run_local(struct run *run, const struct baseline *baseline, uint64_t passes,
                      struct problem *problem)
{
    struct measured *reached = calloc(2 * run->nodes_count, sizeof *reached);
    struct measured *own = reached ? reached + run->nodes_count : NULL;
    double *figures = calloc(run->nodes_count, sizeof *figures);
    if (!reached || !figures) {
        free(reached);
        free(figures);
        problem_no_memory(problem, "the baseline");
        return false;
    }
    progress_begin(&run->progress, "alone: node", run->nodes_count, run->options->quiet);
    bool personal = run->experiment->settings.personal > 0;
    bool complete = baseline_local(baseline, passes, reached, personal ? own : NULL, problem);
    progress_end(&run->progress);
    if (complete) {
        for (size_t i = 0; i < run->nodes_count; i++) {
            run->nodes[i].accuracy_alone = figures[i] = reached[i].accuracy;
            run->nodes[i].own.alone = personal ? own[i].accuracy : NAN;
        }
        run->summary.local_accuracy = spread_of(figures, run->nodes_count).mean;
        for (size_t i = 0; i < run->nodes_count; i++)
            figures[i] = reached[i].loss;
        run->summary.local_loss = spread_of(figures, run->nodes_count).mean;
    }
    free(reached);
    free(figures);
    return complete;
}

static bool run_fedavg(struct run *run, const struct baseline *baseline, struct problem *problem)
{
    struct summary *summary = &run->summary;
    struct fedavg_outcome outcome;
    progress_begin(&run->progress, "fedavg: round", fedavg_rounds(run->experiment, summary->passes),
                   run->options->quiet);
    bool complete = fedavg_run(baseline, summary->passes, &outcome, problem);
    progress_end(&run->progress);
    if (complete && !problem->error) {
        summary->fedavg.accuracy = outcome.accuracy;
        summary->fedavg.loss = outcome.loss;
        summary->fedavg.rounds = outcome.rounds;
        summary->fedavg.messages = outcome.messages;
        summary->fedavg.bytes = outcome.bytes;
    }
    return complete;
}

enum starling_error run_baselines(struct run *run, struct problem *problem)
{
    const char *wanted = run->experiment->config.sim.baseline;
    struct summary *summary = &run->summary;
    struct problem trouble = {0};
    const struct baseline baseline = {run->experiment, run->pool, run->options->interrupted,
                                      &run->progress, run->results};
    /* As many passes as the nodes made, which fall short of the rounds where passes outlast them.
     */
    uint64_t passes = (summary->passes + run->nodes_count / 2) / run->nodes_count;
    passes = passes > 0 ? passes : 1;
    if (strstr(wanted, "local") && summary->complete)
        summary->complete = run_local(run, &baseline, passes, &trouble);
    if (strstr(wanted, "fedavg") && summary->complete && !trouble.error)
        summary->complete = run_fedavg(run, &baseline, &trouble);
    if (strstr(wanted, "central") && summary->complete && !trouble.error) {
        progress_begin(&run->progress, "central: pass", passes, run->options->quiet);
        struct measured reached;
        summary->complete = baseline_central(&baseline, passes, &reached, &trouble);
        summary->central_accuracy = reached.accuracy;
        summary->central_loss = reached.loss;
        progress_end(&run->progress);
    }
    if (trouble.error && problem)
        *problem = trouble;
    return trouble.error;
}
