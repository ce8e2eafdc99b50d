#include "model/learner.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "model/sparse.h"
#include "model/vector.h"

#define ADAM_RATE 0.003 /* of networks */
#define ADAM_RATE_CONVEX 0.03
#define QUASI_GLOBAL_BETA 0.9
#define QUASI_GLOBAL_RATE 0.5 /* of SGD's */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Steps of a whole pass. */
static size_t steps_whole(const struct learn_settings *settings, size_t count)
{
    return settings->epochs * (count / settings->batch + (count % settings->batch > 0));
}

size_t learner_samples(const struct learn_settings *settings, size_t count, double *share)
{
    assert(settings->batch > 0 && settings->epochs > 0);
    if (settings->max_batches == 0) { /* the usual case, without a division */
        if (share)
            *share = count > 0;
        return settings->epochs * count;
    }
    size_t steps_once = steps_whole(settings, count) / settings->epochs;
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

size_t learner_steps(const struct learn_settings *settings, size_t count)
{
    size_t steps = steps_whole(settings, count);
    return settings->max_batches > 0 ? smaller(settings->max_batches, steps) : steps;
}

double learner_time(const struct learn_settings *settings, double age, double passes)
{
    return settings->schedule == SCHEDULE_COSINE ? passes : age;
}

double learner_rate(const struct learn_settings *settings, double time)
{
    double fallen = 1, floor = settings->rate_floor;
    switch (settings->schedule) {
    case SCHEDULE_AUTO:
    case SCHEDULE_CONSTANT:
        break;
    case SCHEDULE_PEGASOS:
        return 1 / (settings->decay * time);
    case SCHEDULE_INVERSE:
        fallen = fmax(1 / (1 + 0.02 * time), floor);
        break;
    case SCHEDULE_COSINE:
        fallen =
            floor + (1 - floor) * 0.5 * (1 + cos(acos(-1) * fmin(time / settings->horizon, 1)));
        break;
    }
    return settings->rate * fallen;
}

double learner_reach(const struct learn_settings *settings)
{
    return learner_rate(settings, settings->schedule == SCHEDULE_PEGASOS ? 1 : 0);
}

enum schedule learner_schedule_auto(const struct model *model)
{
    return model_loss(model) == LOSS_HINGE ? SCHEDULE_PEGASOS : SCHEDULE_INVERSE;
}

double learner_momentum_auto(enum optimizer optimizer)
{
    switch (optimizer) {
    case OPTIMIZER_SGD:
        break;
    case OPTIMIZER_ADAM:
    case OPTIMIZER_ADAMW:
        return ADAM_BETA1;
    case OPTIMIZER_QUASI_GLOBAL:
        return QUASI_GLOBAL_BETA;
    }
    return 0;
}

/* The way of a quasi-global momentum adds to every step, more the longer it lasts. */
double learner_rate_auto(const struct model *model, enum optimizer optimizer)
{
    if (optimizer == OPTIMIZER_SGD)
        return model_rate(model);
    if (optimizer == OPTIMIZER_QUASI_GLOBAL)
        return model_rate(model) * QUASI_GLOBAL_RATE;
    return model_convex(model) ? ADAM_RATE_CONVEX : ADAM_RATE;
}

/* Whether each step is made while its gradient is, so that the whole gradient is never there. */
static bool steps_at_once(const struct learn_settings *settings)
{
    bool adam = settings->optimizer == OPTIMIZER_ADAM || settings->optimizer == OPTIMIZER_ADAMW;
    return !adam && settings->clip == 0;
}

size_t learner_workspace(const struct model *model, const struct learn_settings *settings,
                         size_t count)
{
    size_t batch = smaller(settings->batch, count);
    size_t vector = model_parameters(model) * sizeof(float);
    size_t gradient = steps_at_once(settings) ? 0 : vector;
    size_t before = settings->optimizer == OPTIMIZER_QUASI_GLOBAL ? vector : 0;
    const struct model *sparse = model_sparse(model);
    size_t most = model_workspace(model, batch), other = 0;
    if (sparse) {
        size_t remembered = optimizer_vectors(settings->optimizer, settings->momentum);
        size_t needed = model_workspace(sparse, batch);
        most = needed > most ? needed : most;
        other = sparse_workspace(model) + (1 + remembered) * workspace_cost(vector);
    }
    return workspace_cost(count * sizeof(uint32_t)) +
           workspace_cost(batch * model_positions(model) * sizeof(uint16_t)) +
           workspace_cost(batch * model_features(model) * sizeof(float)) +
           workspace_cost(gradient) + workspace_cost(before) +
           workspace_cost(model_classes(model) * sizeof(float)) +
           workspace_cost(model_classes(model) * sizeof(uint32_t)) + other + most;
}

/* What an example of each class counts; NULL when all count alike. */
static const float *class_weights(const struct learn_settings *settings,
                                  const struct examples *examples, size_t classes,
                                  struct workspace *workspace)
{
    if (!settings->balance)
        return NULL;
    float *weights = workspace_take(workspace, classes * sizeof *weights);
    uint32_t *counts = workspace_take(workspace, classes * sizeof *counts);
    size_t present = 0;
    memset(counts, 0, classes * sizeof *counts);
    for (size_t i = 0; i < examples->count; i++)
        present += counts[examples->data->labels[examples->rows[i]]]++ == 0;
    for (size_t c = 0; c < classes; c++)
        weights[c] = fminf((float)examples->count / ((float)present * (float)counts[c]),
                           BALANCE_MOST); /* of a class that is not there: any number */
    return weights;
}

struct batch {
    const float *inputs;
    const uint16_t *labels;
    const float *weights; /* of the classes, or NULL */
    size_t count;
};

/* What a pass works on: what it was handed, or the same in the order of the sparse model. */
struct place {
    const struct model *model;
    float *parameters;
    struct optimizer_state state; /* of NULLs where there is none */
};

/* One step by one batch; its loss before. */
static double step(struct place *place, const struct learn_settings *settings, float rate,
                   const struct batch *batch, struct workspace *workspace)
{
    const struct model *model = place->model;
    float *parameters = place->parameters;
    float beta = (float)settings->momentum, decay = (float)settings->decay;
    size_t used = workspace->used, count = model_parameters(model);
    bool follows = settings->optimizer == OPTIMIZER_QUASI_GLOBAL;
    float *momentum = follows ? NULL : place->state.first;
    double loss;
    if (steps_at_once(settings)) {
        loss =
            model_descend(model, parameters, momentum, batch->inputs, batch->labels, batch->weights,
                          batch->count, &(struct descent){rate, beta, decay}, workspace);
    } else {
        float *gradient = workspace_take(workspace, count * sizeof *gradient);
        loss = model_gradient(model, parameters, batch->inputs, batch->labels, batch->weights,
                              batch->count, gradient, workspace);
        if (settings->clip > 0)
            (void)optimizer_clip(gradient, settings->clip, count);
        if (settings->optimizer == OPTIMIZER_SGD || follows)
            optimizer_sgd(parameters, momentum, gradient, rate, beta, decay, count);
        else
            optimizer_adam(parameters, &place->state, gradient, rate, beta, decay,
                           settings->optimizer == OPTIMIZER_ADAMW, count);
        workspace->used = used;
    }
    if (follows)
        vector_add_scaled(parameters, place->state.first, -rate * beta, count);
    return loss;
}

/* m̂ = keep m̂ + (1 − μ) (from − to) / (K η) */
static void turn(const struct learn_settings *settings, size_t steps, double rate, double keep,
                 const float *from, const float *to, float *momentum, size_t count)
{
    if (steps == 0 || rate <= 0)
        return;
    double weight = (1 - settings->momentum) / ((double)steps * rate);
    optimizer_turn(momentum, (float)keep, from, to, (float)weight, count);
}

void learner_merged(const struct model *model, const struct learn_settings *settings, size_t count,
                    double time, const float *passed, const float *merged,
                    struct optimizer_state *state)
{
    turn(settings, learner_steps(settings, count), learner_rate(settings, time), 1, passed, merged,
         state->first, model_parameters(model));
}

static float *packed_of(const struct model *sparse, const float *vector,
                        struct workspace *workspace)
{
    if (!vector)
        return NULL;
    float *packed = workspace_take(workspace, model_parameters(sparse) * sizeof *packed);
    model_sparse_pack(sparse, packed, vector);
    return packed;
}

static struct place enter(const struct model *model, const struct examples *examples,
                          size_t samples, float *parameters, const struct optimizer_state *state,
                          struct workspace *workspace)
{
    struct place place = {.parameters = parameters};
    if (state)
        place.state = *state;
    size_t vectors = 1u + !!place.state.first + !!place.state.second;
    place.model = sparse_choice(model, examples, samples, vectors, workspace);
    if (place.model == model)
        return place;
    place.parameters = packed_of(place.model, parameters, workspace);
    place.state.first = packed_of(place.model, place.state.first, workspace);
    place.state.second = packed_of(place.model, place.state.second, workspace);
    return place;
}

static void leave(const struct place *place, float *parameters, struct optimizer_state *state)
{
    if (state)
        state->steps = place->state.steps;
    if (place->parameters == parameters)
        return;
    model_sparse_unpack(place->model, parameters, place->parameters);
    if (place->state.first)
        model_sparse_unpack(place->model, state->first, place->state.first);
    if (place->state.second)
        model_sparse_unpack(place->model, state->second, place->state.second);
}

void learner_pass(const struct model *model, const struct learn_settings *settings,
                  const struct examples *examples, double time, struct random random,
                  float *parameters, struct optimizer_state *state, struct workspace *workspace,
                  struct pass_report *report)
{
    size_t batch_most = smaller(settings->batch, examples->count);
    size_t samples = learner_samples(settings, examples->count, &report->share);
    uint32_t *rows = workspace_take(workspace, examples->count * sizeof *rows);
    uint16_t *labels =
        workspace_take(workspace, batch_most * model_positions(model) * sizeof *labels);
    float *inputs = workspace_take(workspace, batch_most * model_features(model) * sizeof *inputs);
    const float *weights = class_weights(settings, examples, model_classes(model), workspace);
    double rate = settings->schedule == SCHEDULE_PEGASOS ? 0 : learner_rate(settings, time);
    size_t size = model_parameters(model) * sizeof *parameters;
    bool follows = settings->optimizer == OPTIMIZER_QUASI_GLOBAL;
    float *before = follows ? workspace_take(workspace, size) : NULL;
    struct place place = enter(model, examples, samples, parameters, state, workspace);
    double loss_sum = 0.0;

    if (follows)
        memcpy(before, place.parameters, size);
    double pegasos_time = time * (double)steps_whole(settings, examples->count);
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
        dataset_fetch(examples->data, rows + at + batch,
                      smaller(batch_most, examples->count - at - batch));
        if (settings->schedule == SCHEDULE_PEGASOS)
            rate = learner_rate(settings, ++pegasos_time);
        struct batch taken = {inputs, labels, weights, batch};
        loss_sum += (double)batch * step(&place, settings, (float)rate, &taken, workspace);
        at += batch;
        done += batch;
    }
    if (follows)
        turn(settings, learner_steps(settings, examples->count), rate, settings->momentum, before,
             place.parameters, place.state.first, model_parameters(model));
    leave(&place, parameters, state);
    report->samples = samples;
    report->mean_loss = samples > 0 ? loss_sum / (double)samples : 0.0;
}
