#include "model/personal.h"

#include <string.h>

#include "model/vector.h"

#define RATE_SHARE 0.3
#define LOOKS 3 /* after a quarter, half, and all of the steps */

/* What is being tuned. */
struct tune {
    const struct model *model;
    struct learn_settings settings;
    const struct examples *train;
    double time; /* in times through the data */
    struct random random;
    float *values;
    struct optimizer_state optimizer;
};

bool personal_better(const struct evaluation *tuned, const struct evaluation *less)
{
    return tuned->correct >= less->correct;
}

size_t personal_workspace(const struct model *model, const struct learn_settings *settings,
                          size_t train_count)
{
    size_t vectors = 1 + optimizer_vectors(settings->optimizer, 0);
    return workspace_cost(vectors * model_parameters(model) * sizeof(float)) +
           learner_workspace(model, settings, train_count) + evaluation_workspace(model);
}

static void begin(struct tune *tune, const float *shared, struct workspace *workspace)
{
    struct learn_settings *settings = &tune->settings;
    size_t count = model_parameters(tune->model);
    size_t vectors = optimizer_vectors(settings->optimizer, 0);
    float *memory = workspace_take(workspace, (1 + vectors) * count * sizeof *memory);
    memset(memory, 0, (1 + vectors) * count * sizeof *memory);
    tune->values = memory;
    tune->optimizer = (struct optimizer_state){.first = vectors > 0 ? memory + count : NULL,
                                               .second = vectors > 1 ? memory + 2 * count : NULL};
    memcpy(tune->values, shared, count * sizeof *shared);
    settings->rate *= RATE_SHARE;
    settings->epochs = 1;
    if (settings->optimizer ==
        OPTIMIZER_QUASI_GLOBAL) /* what the swarm's momentum knows stays out */
        settings->optimizer = OPTIMIZER_SGD;
    if (settings->optimizer == OPTIMIZER_SGD)
        settings->momentum = 0;
    if (settings->schedule != SCHEDULE_PEGASOS)
        settings->schedule = SCHEDULE_CONSTANT;
}

/* So many steps more, a pass at a time. */
static void go_on(struct tune *tune, uint32_t steps, struct workspace *workspace)
{
    size_t used = workspace->used;
    struct pass_report report;
    while (steps > 0) {
        uint32_t batch = tune->settings.batch;
        tune->settings.max_batches = steps;
        learner_pass(tune->model, &tune->settings, tune->train, tune->time,
                     random_stream(random_u64(&tune->random), 0, RANDOM_PERSONAL, 0), tune->values,
                     &tune->optimizer, workspace, &report);
        uint32_t made = (uint32_t)((report.samples + batch - 1) / batch);
        steps -= made < steps ? made : steps;
        tune->time += report.share;
        workspace->used = used;
    }
}

void personal_fit(const struct model *model, const struct learn_settings *settings, uint32_t steps,
                  const struct examples *train, const struct examples *choose, double time,
                  struct random random, const float *shared, float *kept,
                  struct workspace *workspace, struct personal_report *report)
{
    size_t count = model_parameters(model);
    struct tune tune = {.model = model,
                        .settings = *settings,
                        .train = train,
                        .time = time * settings->epochs,
                        .random = random};
    memcpy(kept, shared, count * sizeof *kept);
    report->steps = 0;
    report->shared = report->personal = evaluate(model, shared, choose, workspace);
    if (train->count == 0 || choose->count == 0)
        return;
    begin(&tune, shared, workspace);
    uint32_t done = 0;
    for (int look = LOOKS - 1; look >= 0; look--) {
        uint32_t until = steps >> look;
        go_on(&tune, until - done, workspace);
        done = until;
        tune.settings.rate /= look > 0 ? 2 : 1;
        if (!vector_finite(tune.values, count))
            return;
        struct evaluation tested = evaluate(model, tune.values, choose, workspace);
        if (!personal_better(&tested, &report->personal))
            continue;
        report->personal = tested;
        report->steps = done;
        memcpy(kept, tune.values, count * sizeof *kept);
    }
}
