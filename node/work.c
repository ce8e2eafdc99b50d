#include "node/work.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "model/vector.h"
#include "node/participant.h"

static const float *scaling_of(const struct work *work)
{
    return work->scaling ? work->scaling->values : NULL;
}

static struct evaluation test(const struct work *work, const float *parameters,
                              struct workspace *workspace)
{
    const struct participant *participant = work->participant;
    const struct participant_settings *settings = participant->settings;
    if (!settings->evaluate || participant->choose_count == 0 ||
        !workspace_reset(workspace, evaluation_workspace(settings->model)))
        return (struct evaluation){0};
    const struct examples held = {participant->data, participant->choose, participant->choose_count,
                                  scaling_of(work)};
    return evaluate(settings->model, parameters, &held, workspace);
}

/* Each received piece as the values that it carries. Those that came as their sender's whole model
 * are encoded and decoded, unless the values lie in it as they are: what came as bytes gives the
 * same. False when memory is out. */
static bool unpack(struct work *work, size_t count)
{
    for (uint32_t i = 0; i < work->heard_count; i++) {
        struct heard *heard = &work->heard[i];
        if (heard->decoded || piece_is_plain(&heard->piece, count))
            continue;
        float *values = vector_new(heard->piece.count);
        struct version *version = values ? version_of(values) : NULL;
        if (!version) {
            vector_free(values);
            return false;
        }
        piece_roundtrip(&heard->piece, count, work->received[i]->values, values);
        version_release(&work->received[i]);
        work->received[i] = version;
        heard->decoded = true;
    }
    return true;
}

static void leave_out_all(struct work *work)
{
    for (uint32_t i = 0; i < work->heard_count; i++)
        version_release(&work->received[i]);
    work->heard_count = 0;
}

/* The heard->piece.count values that were received as number i, unpacked. */
static const float *values_of(const struct work *work, uint32_t i, size_t count)
{
    size_t first = 0, size;
    if (!work->heard[i].decoded)
        piece_range(&work->heard[i].piece, count, &first, &size);
    return work->received[i]->values + first;
}

/* Whether piece number i is all of a model. */
static bool is_whole(const struct work *work, uint32_t i, size_t count)
{
    return work->heard[i].piece.count == count;
}

/* How far each received piece is from mine, and how well it does here: before any is merged. */
static void hear(struct work *work, size_t count, struct workspace *workspace)
{
    const float *mine = work->from->values;
    float *scratch = vector_new(count);
    for (uint32_t i = 0; i < work->heard_count && scratch; i++) {
        struct heard *heard = &work->heard[i];
        const struct piece *piece = &heard->piece;
        const float *theirs = values_of(work, i, count);
        piece_gather(piece, count, mine, scratch);
        double norm = sqrt(vector_norm2(scratch, piece->count));
        double distance = sqrt(vector_distance2(theirs, scratch, piece->count));
        heard->distance = norm > 0 ? distance / norm : distance;
        if (!is_whole(work, i, count)) {
            memcpy(scratch, mine, count * sizeof *scratch);
            piece_blend(piece, count, theirs, 1, scratch);
        }
        heard->here = test(work, is_whole(work, i, count) ? theirs : scratch, workspace);
    }
    vector_free(scratch);
}

/* Whether a squared norm is absurd to one whose own model, or the share of it that this is held
 * against, has the squared norm `mine`. */
static bool is_absurd(double theirs, double mine, double reach)
{
    return !(sqrt(theirs) <= NORM_RATIO_MAX * (fmax(1, reach) + sqrt(mine)));
}

/* A model that is finite and yet out of all proportion would only undo the pass: it is left out. A
 * subsample is held against its share of the norm of one's own, which is worked out only where it
 * matters. */
static void leave_out_absurd(struct work *work, size_t count)
{
    double reach = learner_reach(&work->participant->settings->learn);
    for (uint32_t i = 0; i < work->heard_count; i++) {
        const struct piece *piece = &work->heard[i].piece;
        double theirs = vector_norm2(values_of(work, i, count), piece->count);
        if (!is_absurd(theirs, 0, reach))
            continue;
        size_t first, size;
        piece_range(piece, count, &first, &size);
        double mine = vector_norm2(work->from->values + first, size) * piece_share(piece, count);
        if (!is_absurd(theirs, mine, reach))
            continue;
        work->heard[i].absurd = true;
        work->heard[i].alpha = 0;
        work->heard[i].follow = false;
    }
}

/* `from` with every received model blended in, in order, unless that comes later. */
static void merge(const struct work *work, float *values, size_t count)
{
    bool copied = false;
    for (uint32_t i = 0; i < work->heard_count && !work->each; i++) {
        const struct heard *heard = &work->heard[i];
        if (heard->alpha == 0)
            continue;
        const float *theirs = values_of(work, i, count);
        if (is_whole(work, i, count)) {
            vector_blend_to(values, copied ? values : work->from->values, theirs, heard->alpha,
                            count);
        } else {
            if (!copied)
                memcpy(values, work->from->values, count * sizeof *values);
            piece_blend(&heard->piece, count, theirs, heard->alpha, values);
        }
        copied = true;
    }
    if (!copied)
        memcpy(values, work->from->values, count * sizeof *values);
}

/* What the merges have done since the last pass, for a quasi-global momentum. A model that was
 * taken over whole counts as one's own: to go where another is shows no way down. */
static void learn_of_merges(const struct work *work, const float *values)
{
    struct participant *participant = work->participant;
    const struct participant_settings *settings = participant->settings;
    const struct learn_settings *learn = &settings->learn;
    if (learn->optimizer != OPTIMIZER_QUASI_GLOBAL || work->number == 0)
        return;
    size_t count = model_parameters(settings->model);
    const float *passed = work->from->values;
    float *mixed = NULL; /* one's own, with what was taken over in it; without memory as it was */
    for (uint32_t i = 0; i < work->heard_count; i++) {
        if (work->heard[i].alpha < 1)
            continue;
        if (is_whole(work, i, count)) {
            passed = values_of(work, i, count);
        } else if (mixed || (mixed = vector_new(count))) {
            if (passed != mixed)
                memcpy(mixed, passed, count * sizeof *mixed);
            piece_blend(&work->heard[i].piece, count, values_of(work, i, count), 1, mixed);
            passed = mixed;
        }
    }
    learner_merged(settings->model, learn, participant->train_count,
                   learner_time(learn, work->last_age, (double)work->number - 1), passed, values,
                   &participant->optimizer);
    vector_free(mixed);
}

/* A pass of one's own model (place 0) or of the one received as `place` − 1. */
static bool train(const struct work *work, double age, uint32_t place, float *values,
                  struct pass_report *report, struct workspace *workspace)
{
    struct participant *participant = work->participant;
    const struct participant_settings *settings = participant->settings;
    const struct examples examples = {participant->data, participant->train,
                                      participant->train_count, scaling_of(work)};
    if (!workspace_reset(workspace,
                         learner_workspace(settings->model, &settings->learn, examples.count)))
        return false;
    struct random random = random_stream(settings->seed, participant->gossip.view.self,
                                         RANDOM_BATCH, work->number + ((uint64_t)place << 40));
    double time = learner_time(&settings->learn, age, (double)work->number);
    learner_pass(settings->model, &settings->learn, &examples, time, random, values,
                 &participant->optimizer, workspace, report);
    return true;
}

/* w = merge(update(w), update(w_j)) for each received model w_j that counts; one that its pass
 * makes infinite is left out. A piece cannot be trained, and is merged as it came. */
static void merge_updated(struct work *work, float *values, struct workspace *workspace,
                          size_t count)
{
    float *theirs = vector_new(count);
    if (!theirs)
        work->failure = WORK_NO_MEMORY;
    for (uint32_t i = 0; i < work->heard_count && work->failure == WORK_FINE; i++) {
        struct pass_report report;
        const float *heard = values_of(work, i, count);
        if (work->heard[i].alpha == 0)
            continue;
        if (!is_whole(work, i, count)) {
            piece_blend(&work->heard[i].piece, count, heard, work->heard[i].alpha, values);
            continue;
        }
        memcpy(theirs, heard, count * sizeof *theirs);
        if (!train(work, work->heard[i].age, i + 1, theirs, &report, workspace))
            work->failure = WORK_NO_MEMORY;
        else if (vector_finite(theirs, count))
            vector_blend(values, theirs, work->heard[i].alpha, count);
        else
            work->heard[i].alpha = 0;
    }
    vector_free(theirs);
}

/* r = r + b (w − r) for each model w to follow, where the piece of it lies, and, when asked for,
 * for the result. */
static void follow(const struct work *work, const float *result, float *readout, size_t count)
{
    memcpy(readout, work->readout_from->values, count * sizeof *readout);
    for (uint32_t i = 0; i < work->heard_count; i++)
        if (work->heard[i].follow)
            piece_blend(&work->heard[i].piece, count, values_of(work, i, count), work->readout_step,
                        readout);
    if (work->readout_own)
        vector_blend(readout, result, work->readout_step, count);
}

/* The promises are kept, the read-out's first: once `into` is made, the participant's next work may
 * run elsewhere. */
static void keep(struct work *work, bool made, bool readout_made)
{
    if (readout_made)
        version_keep(work->readout_into);
    else if (work->readout_into && work->readout_into != work->readout_from)
        version_follow(work->readout_into, work->readout_from);
    if (made)
        version_keep(work->into);
    else if (work->into != work->from)
        version_follow(work->into, work->from);
}

/* The pass; when it diverges, once more from before the merges, which may have been the reason. */
static void learn(struct work *work, float *values, struct workspace *workspace, size_t count)
{
    for (int tries = 0; tries < 2; tries++) {
        if (!train(work, work->age, 0, values, &work->pass, workspace)) {
            work->failure = WORK_NO_MEMORY;
            return;
        }
        if (vector_finite(values, count)) {
            work->failure = WORK_FINE;
            return;
        }
        work->failure = WORK_DIVERGED;
        memcpy(values, work->from->values, count * sizeof *values);
        optimizer_forget(&work->participant->optimizer, count);
        if (work->heard_count == 0 || work->each)
            return;
    }
}

void work_copy(struct work *to, const struct work *from)
{
    memcpy(to, from, offsetof(struct work, received));
    memcpy(to->received, from->received, from->heard_count * sizeof from->received[0]);
    memcpy(to->heard, from->heard, from->heard_count * sizeof from->heard[0]);
}

void work_drop(struct work *work)
{
    for (uint32_t i = 0; i < work->heard_count; i++)
        version_release(&work->received[i]);
    version_release(&work->from);
    version_release(&work->scaling);
    version_release(&work->readout_from);
    version_release(&work->into);
    version_release(&work->readout_into);
}

/* The mean of all stays if both sides do this, each with what it sent and what it got. */
static void run_average(struct work *work, size_t count)
{
    const float *from = work->from->values, *theirs = work->received[0]->values;
    work->heard[0].absurd = is_absurd(vector_norm2(theirs, count), vector_norm2(from, count),
                                      learner_reach(&work->participant->settings->learn));
    bool made = work->into != work->from;
    work->failure = made ? WORK_FINE : WORK_NO_MEMORY;
    if (made && !work->heard[0].absurd) {
        float *values = work->into->values;
        memcpy(values, from, count * sizeof *values);
        vector_add_scaled(values, theirs, .5F, count);
        vector_add_scaled(values, work->received[1]->values, -.5F, count);
        made = vector_finite(values, count);
    }
    keep(work, made && !work->heard[0].absurd, false);
}

void work_run(struct work *work, struct workspace *workspace)
{
    if (work->average) {
        run_average(work, model_parameters(work->participant->settings->model));
        work_drop(work);
        return;
    }
    const struct participant *participant = work->participant;
    size_t count = model_parameters(participant->settings->model);
    bool readout_wanted = work->readout_into && work->readout_into != work->readout_from;
    bool unpacked = unpack(work, count);
    if (!unpacked)
        leave_out_all(work);
    leave_out_absurd(work, count);
    if (participant->settings->evaluate)
        hear(work, count, workspace);
    float *values = unpacked && work->into != work->from ? work->into->values : NULL;
    float *readout = values && readout_wanted ? work->readout_into->values : NULL;
    if (!values || (work->readout_into && !readout_wanted))
        work->failure = WORK_NO_MEMORY;
    else {
        merge(work, values, count);
        if (!work->each)
            work->merged = test(work, values, workspace);
        learn_of_merges(work, values);
        learn(work, values, workspace, count);
        if (work->each && work->failure == WORK_FINE)
            merge_updated(work, values, workspace, count);
    }
    bool fine = work->failure == WORK_FINE;
    work->passed = test(work, fine ? values : work->from->values, workspace);
    if (work->each)
        work->merged = work->passed;
    if (fine && readout)
        follow(work, values, readout, count);
    keep(work, fine, fine && readout);
    work_drop(work);
}
