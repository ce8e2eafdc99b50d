#include "model/learner.h"

#include <assert.h>

#include "model/optimizer.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t learner_samples(const struct learn_settings *settings, size_t count, double *share)
{
    assert(settings->batch > 0 && settings->epochs > 0);
    size_t steps_once = count / settings->batch + (count % settings->batch > 0);
    size_t whole = settings->epochs * count;
    size_t samples = whole;
    if (settings->max_batches > 0 && settings->max_batches < settings->epochs * steps_once) {
        size_t times = settings->max_batches / steps_once;
        size_t rest = settings->max_batches % steps_once; /* never the last, smaller batch */
        samples = times * count + rest * settings->batch;
    }
    if (share)
        *share = whole > 0 ? (double)samples / (double)whole : 0.0;
    return samples;
}

double learner_rate(const struct learn_settings *settings, double age)
{
    if (settings->schedule == SCHEDULE_CONSTANT)
        return settings->rate;
    double fallen = 1.0 / (1.0 + 0.02 * age);
    return settings->rate * (fallen > settings->rate_floor ? fallen : settings->rate_floor);
}

size_t learner_workspace(const struct model *model, const struct learn_settings *settings,
                         size_t count)
{
    size_t batch = smaller(settings->batch, count);
    return workspace_cost(count * sizeof(uint32_t)) +
           workspace_cost(batch * model_positions(model) * sizeof(uint16_t)) +
           workspace_cost(batch * model_features(model) * sizeof(float)) +
           workspace_cost(model_parameters(model) * sizeof(float)) + model_workspace(model, batch);
}

void learner_pass(const struct model *model, const struct learn_settings *settings,
                  const struct examples *examples, double age, struct random random,
                  float *parameters, float *momentum, struct workspace *workspace,
                  struct pass_report *report)
{
    assert(momentum || settings->momentum == 0.0);
    size_t batch_most = smaller(settings->batch, examples->count);
    size_t samples = learner_samples(settings, examples->count, &report->share);
    uint32_t *rows = workspace_take(workspace, examples->count * sizeof *rows);
    uint16_t *labels =
        workspace_take(workspace, batch_most * model_positions(model) * sizeof *labels);
    float *inputs = workspace_take(workspace, batch_most * model_features(model) * sizeof *inputs);
    float *gradient = workspace_take(workspace, model_parameters(model) * sizeof *gradient);
    float rate = (float)learner_rate(settings, age);
    double loss_sum = 0.0;

    for (size_t i = 0; i < examples->count; i++)
        rows[i] = examples->rows[i];
    size_t at = examples->count; /* in this time through the data */
    for (size_t done = 0; done < samples;) {
        if (at == examples->count) {
            random_permute(&random, rows, examples->count);
            at = 0;
        }
        size_t batch = smaller(batch_most, examples->count - at);
        dataset_gather_scaled(examples->data, examples->scaling, rows + at, batch, inputs, labels);
        loss_sum += (double)batch *
                    model_gradient(model, parameters, inputs, labels, batch, gradient, workspace);
        optimizer_sgd(parameters, momentum, gradient, rate, (float)settings->momentum,
                      (float)settings->decay, model_parameters(model));
        at += batch;
        done += batch;
    }
    report->samples = samples;
    report->mean_loss = samples > 0 ? loss_sum / (double)samples : 0.0;
}
