#include "node/tuning.h"

#include "model/vector.h"

static struct examples choosing(const struct tuning *tuning)
{
    const struct participant *participant = tuning->participant;
    return (struct examples){participant->data, participant->choose, participant->choose_count,
                             tuning->scaling};
}

static struct examples reporting(const struct tuning *tuning)
{
    const struct participant *participant = tuning->participant;
    return (struct examples){participant->data, participant->report, participant->report_count,
                             tuning->scaling};
}

bool tuning_run(const struct tuning *tuning, float *kept, struct workspace *workspace,
                struct tuned *tuned)
{
    const struct participant *participant = tuning->participant;
    const struct participant_settings *settings = participant->settings;
    const struct examples train = {participant->data, participant->train, participant->train_count,
                                   tuning->scaling};
    const struct examples choose = choosing(tuning), report = reporting(tuning);
    *tuned = (struct tuned){0};
    if (!workspace_reset(workspace,
                         personal_workspace(settings->model, &settings->learn, train.count)))
        return false;
    struct random random = random_stream(settings->seed, participant->gossip.view.self,
                                         RANDOM_PERSONAL, tuning->works);
    personal_fit(settings->model, &settings->learn, settings->personal, &train, &choose,
                 tuning->age, random, tuning->shared, kept, workspace, &tuned->chosen);
    tuned->shared = evaluate(settings->model, tuning->shared, &report, workspace);
    tuned->personal = tuned->chosen.steps > 0 ? evaluate(settings->model, kept, &report, workspace)
                                              : tuned->shared;
    return true;
}

/* Tuned anew where it is time, in new memory: what was kept is still there when that runs out. */
static bool renew(struct personal *personal, const struct tuning *tuning,
                  struct workspace *workspace)
{
    const struct participant_settings *settings = tuning->participant->settings;
    size_t samples = learner_samples(&settings->learn, tuning->participant->train_count, NULL);
    struct tuned tuned;
    personal->learned += (samples + settings->learn.batch - 1) / settings->learn.batch;
    if (personal->learned < settings->personal)
        return true;
    float *values = vector_new(model_parameters(settings->model));
    if (!values || !tuning_run(tuning, values, workspace, &tuned)) {
        vector_free(values);
        return false;
    }
    vector_free(personal->values);
    *personal = (struct personal){.values = values};
    return true;
}

bool tuning_round(struct personal *personal, const struct tuning *tuning,
                  struct workspace *workspace, struct evaluation *reported)
{
    const struct participant *participant = tuning->participant;
    const struct model *model = participant->settings->model;
    const struct examples choose = choosing(tuning), report = reporting(tuning);
    if (!renew(personal, tuning, workspace) ||
        !workspace_reset(workspace, evaluation_workspace(model)))
        return false;
    const float *best = tuning->shared;
    if (personal->values) {
        struct evaluation shared = evaluate(model, tuning->shared, &choose, workspace);
        struct evaluation own = evaluate(model, personal->values, &choose, workspace);
        best = personal_better(&own, &shared) ? personal->values : best;
    }
    *reported = evaluate(model, best, &report, workspace);
    return true;
}

void personal_forget(struct personal *personal)
{
    vector_free(personal->values);
    *personal = (struct personal){0};
}
