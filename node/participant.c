#include "node/participant.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/inbox.h"
#include "model/vector.h"

size_t participant_hold_out(const struct dataset *data, const uint32_t *rows, size_t count,
                            double share, uint32_t fold, uint32_t *kept, uint32_t *held)
{
    size_t held_count = 0;
    if (count >= HOLDOUT_LEAST)
        held_count = dataset_hold_out(data, rows, count, share, fold, kept, held);
    if (held_count == 0 || held_count == count) { /* few, or copies of one example */
        memcpy(kept, rows, count * sizeof *kept);
        return 0;
    }
    return held_count;
}

/* Rows to train on and, where there are enough examples, a hold-out in two halves: one to choose
 * by, one to report. Which side an example is on depends on its content alone. */
static enum starling_error split(struct participant *participant, const uint32_t *rows,
                                 size_t count, struct problem *problem)
{
    const struct participant_settings *settings = participant->settings;
    participant->train = rows;
    participant->train_count = (uint32_t)count;
    if (count < HOLDOUT_LEAST || settings->holdout == 0)
        return STARLING_OK;
    uint32_t *kept = malloc(2 * count * sizeof *kept), *held = kept + count;
    if (!kept)
        return problem_no_memory(problem, "a node's examples");
    size_t held_count = participant_hold_out(participant->data, rows, count, settings->holdout,
                                             settings->fold, kept, held);
    enum starling_error error = dataset_sort_by_hash(participant->data, held, held_count, problem);
    if (error) {
        free(kept);
        return error;
    }
    participant->split = kept;
    participant->train = kept;
    participant->train_count = (uint32_t)(count - held_count);
    participant->choose = held;
    participant->choose_count = (uint32_t)(held_count + 1) / 2;
    participant->report = held + participant->choose_count;
    participant->report_count = (uint32_t)held_count / 2;
    return STARLING_OK;
}

/* What one's own training examples say of the features, to be averaged with others'. */
static enum starling_error begin_agreement(struct participant *participant, struct problem *problem)
{
    const struct participant_settings *settings = participant->settings;
    size_t features = participant->data->features;
    participant->agreement = malloc(sizeof *participant->agreement);
    double *sums = calloc(SUMS * features, sizeof *sums);
    if (!participant->agreement || !sums) {
        free(participant->agreement);
        participant->agreement = NULL;
        free(sums);
        return problem_no_memory(problem, "the scaling of features");
    }
    dataset_sums(participant->data, participant->train, participant->train_count, sums);
    agreement_init(participant->agreement, settings->gossip.task, sums, features,
                   settings->gossip.period_us, settings->seed);
    return STARLING_OK;
}

enum starling_error participant_init(struct participant *participant,
                                     const struct participant_settings *settings, peer_id self,
                                     const struct dataset *data, const uint32_t *rows, size_t count,
                                     const struct gossip_storage *storage, struct version *initial,
                                     double age, struct problem *problem)
{
    *participant = (struct participant){.settings = settings, .data = data};
    gossip_init(&participant->gossip, &settings->gossip, self, storage, initial, age);
    participant->model = version_share(initial);
    if (settings->gossip.readout)
        participant->readout = version_share(initial);
    participant->served = version_share(initial);
    if (!optimizer_begin(&participant->optimizer, settings->learn.optimizer,
                         settings->learn.momentum, model_parameters(settings->model))) {
        participant_clear(participant);
        return problem_no_memory(problem, "a node's optimiser");
    }
    enum starling_error error = split(participant, rows, count, problem);
    if (!error && settings->agree)
        error = begin_agreement(participant, problem);
    if (error)
        participant_clear(participant);
    return error;
}

void participant_clear(struct participant *participant)
{
    gossip_clear(&participant->gossip);
    version_release(&participant->model);
    version_release(&participant->readout);
    version_release(&participant->served);
    version_release(&participant->scaling);
    if (participant->agreement)
        free(participant->agreement->sums);
    free(participant->agreement);
    participant->agreement = NULL;
    optimizer_end(&participant->optimizer);
    free(participant->split);
    participant->split = NULL;
    participant->train = participant->choose = participant->report = NULL;
}

/* Takes the scaling that has been settled on into use. Without memory for it nothing changes. */
static bool adopt_scaling(struct participant *participant)
{
    float *values = vector_new(2 * participant->data->features);
    struct version *scaling = values ? version_of(values) : NULL;
    if (!scaling) {
        vector_free(values);
        return false;
    }
    agreement_scaling(participant->agreement, values);
    version_release(&participant->scaling);
    participant->scaling = scaling;
    return true;
}

bool participant_ready(const struct participant *participant)
{
    return !participant->agreement || participant->scaling;
}

const float *participant_scaling(const struct participant *participant)
{
    return participant->scaling ? participant->scaling->values : NULL;
}

enum starling_error participant_restore(struct participant *participant,
                                        const struct participant_memory *memory,
                                        struct problem *problem)
{
    size_t size = model_parameters(participant->settings->model) * sizeof(float);
    struct optimizer_state *optimizer = &participant->optimizer;
    if (optimizer->first && memory->first && !optimizer->second == !memory->second) {
        memcpy(optimizer->first, memory->first, size);
        if (optimizer->second)
            memcpy(optimizer->second, memory->second, size);
        optimizer->steps = memory->steps;
    }
    if (memory->readout && participant->readout) {
        float *values = vector_new(size / sizeof(float));
        struct version *readout = values ? version_of(values) : NULL;
        if (!readout) {
            vector_free(values);
            return problem_no_memory(problem, "the read-out");
        }
        memcpy(values, memory->readout, size);
        version_release(&participant->readout);
        version_release(&participant->served);
        participant->readout = readout;
        participant->served = version_share(readout);
    }
    struct agreement *agreement = participant->agreement;
    if (memory->sums && agreement) {
        memcpy(agreement->sums, memory->sums, SUMS * agreement->features * sizeof *memory->sums);
        agreement->heard = memory->sums_heard;
        agreement->settled = true;
        if (!adopt_scaling(participant))
            return problem_no_memory(problem, "the scaling of features");
    }
    participant->works = memory->works;
    participant->samples = memory->samples;
    participant->gossip.round = (uint32_t)memory->round;
    participant->gossip.passes = (uint32_t)memory->works;
    participant->gossip.sequence = memory->sequence;
    return STARLING_OK;
}

/* Splits the protocol's actions into what goes out and one piece of work. */
static void carry_out(struct participant *participant, struct actions *actions,
                      struct outgoing *out)
{
    struct work *work = &out->work;
    bool sends_alone = true;
    for (size_t i = 0; i < actions->count && sends_alone; i++)
        sends_alone = actions->items[i].kind == ACTION_SEND;
    if (!sends_alone)
        memset(work, 0, offsetof(struct work, received));
    for (size_t i = 0; i < actions->count; i++) {
        struct action *action = &actions->items[i];
        switch (action->kind) {
        case ACTION_SEND:
            assert(out->count < sizeof out->sends / sizeof out->sends[0]);
            out->sends[out->count].to = action->send.to;
            out->sends[out->count++].message = action->send.message;
            break;
        case ACTION_MERGE:
            if (action->merge.alpha == 0 && !action->merge.follow &&
                !participant->settings->evaluate) {
                version_release(&action->merge.model);
                break;
            }
            work->received[work->heard_count] = action->merge.model;
            work->heard[work->heard_count++] = (struct heard){.from = action->merge.from,
                                                              .alpha = action->merge.alpha,
                                                              .follow = action->merge.follow,
                                                              .decoded = action->merge.decoded,
                                                              .piece = action->merge.piece,
                                                              .age = action->merge.age};
            break;
        case ACTION_TRAIN:
            out->has_work = true;
            work->age = action->train.age;
            work->each = action->train.each;
            break;
        case ACTION_READOUT:
            work->readout_step = action->readout.step;
            work->readout_own = action->readout.own;
            break;
        case ACTION_EVALUATE:
            break; /* work_run does, when the settings ask for it */
        case ACTION_AVERAGE:
            out->has_work = work->average = true;
            work->received[0] = action->average.theirs;
            work->received[1] = action->average.mine;
            work->heard[0] = work->heard[1] = (struct heard){.alpha = .5F};
            work->heard_count = 2;
            break;
        case ACTION_CUT:
            assert(out->cut_count < sizeof out->cuts / sizeof out->cuts[0]);
            out->cuts[out->cut_count++] = action->cut.peer;
            break;
        }
    }
}

/* A promise of what comes after `from`; `from` itself when there is no memory for one. */
static struct version *promise(const struct participant *participant, struct version *from)
{
    struct version *version = version_new(model_parameters(participant->settings->model));
    return version ? version : version_share(from);
}

/* Makes the promises that the work will fulfil. The participant moves on to them at once. */
static void begin_work(struct participant *participant, struct work *work)
{
    work->participant = participant;
    work->number = participant->works++;
    learner_samples(&participant->settings->learn, participant->train_count, &work->share);
    work->from = participant->model;
    work->scaling = participant->scaling ? version_share(participant->scaling) : NULL;
    work->into = promise(participant, work->from);
    participant->model = version_share(work->into);
    if (participant->readout) {
        work->readout_from = participant->readout;
        work->readout_into = promise(participant, work->readout_from);
        participant->readout = version_share(work->readout_into);
    }
    work->last_age = participant->gossip.age - work->share;
    work->passes = 1;
    for (uint32_t i = 0; i < work->heard_count && work->each; i++)
        work->passes += work->heard[i].alpha > 0;
    participant->pending_share = work->share;
    participant->pending_passes = work->passes;
}

/* The read-out moves on to the mean of two at once. */
static void begin_average(struct participant *participant, struct work *work)
{
    work->participant = participant;
    work->from = participant->served;
    work->into = promise(participant, work->from);
    participant->served = version_share(work->into);
    if (participant->readout) {
        version_release(&participant->readout);
        participant->readout = version_share(work->into);
    }
    gossip_publish(&participant->gossip, work->into);
}

static void finish_call(struct participant *participant, struct actions *actions,
                        struct outgoing *out)
{
    out->count = 0;
    out->cut_count = 0;
    out->has_work = false;
    if (actions->count > 0)
        carry_out(participant, actions, out);
    if (out->has_work && out->work.average)
        begin_average(participant, &out->work);
    else if (out->has_work)
        begin_work(participant, &out->work);
}

void participant_start(struct participant *participant, struct now now, struct outgoing *out)
{
    struct actions actions;
    actions.count = 0;
    if (participant_ready(participant))
        gossip_start(&participant->gossip, now, &actions);
    else
        agreement_start(participant->agreement, participant->gossip.view.self, now);
    finish_call(participant, &actions, out);
}

uint64_t participant_deadline(const struct participant *participant)
{
    return participant_ready(participant) ? gossip_deadline(&participant->gossip)
                                          : participant->agreement->next_us;
}

static void send_sums(struct outgoing *out, peer_id to, const struct sums_message *sums)
{
    out->sends[out->count].to = to;
    out->sends[out->count++].message = (struct gossip_message){.kind = MESSAGE_SUMS, .sums = *sums};
}

/* One round of the agreement; the conversation begins when it has led to something. */
static void agree(struct participant *participant, struct now now, struct outgoing *out)
{
    struct actions actions;
    struct sums_message sums;
    peer_id to;
    actions.count = 0;
    bool sending =
        agreement_tick(participant->agreement, &participant->gossip.view, now, &to, &sums);
    if (participant->agreement->settled && adopt_scaling(participant))
        gossip_start(&participant->gossip, now, &actions);
    finish_call(participant, &actions, out);
    if (sending)
        send_sums(out, to, &sums);
}

static enum refusal receive_sums(struct participant *participant, peer_id from,
                                 struct sums_message *message, struct now now, struct outgoing *out)
{
    struct actions actions;
    struct sums_message answer;
    bool answered, changed, ready = participant_ready(participant);
    actions.count = 0;
    if (!participant->agreement) {
        version_release(&message->sums);
        finish_call(participant, &actions, out);
        return REFUSED_TASK; /* a task whose scaling is not agreed on */
    }
    view_add(&participant->gossip.view, from);
    enum refusal refusal =
        agreement_receive(participant->agreement, message, &answered, &answer, &changed);
    if (changed && adopt_scaling(participant) && !ready)
        gossip_start(&participant->gossip, now, &actions);
    finish_call(participant, &actions, out);
    if (answered)
        send_sums(out, from, &answer);
    return refusal;
}

void participant_peer_up(struct participant *participant, peer_id peer, struct outgoing *out)
{
    struct actions actions;
    struct sums_message sums;
    actions.count = 0;
    gossip_peer_up(&participant->gossip, peer);
    finish_call(participant, &actions, out);
    if (participant->agreement && agreement_greet(participant->agreement, &sums))
        send_sums(out, peer, &sums);
}

void participant_tick(struct participant *participant, struct now now, struct outgoing *out)
{
    struct actions actions;
    actions.count = 0;
    if (!participant_ready(participant)) {
        agree(participant, now, out);
        return;
    }
    gossip_tick(&participant->gossip, now, &actions);
    finish_call(participant, &actions, out);
}

enum refusal participant_receive(struct participant *participant, peer_id from,
                                 struct gossip_message *message, struct now now,
                                 struct outgoing *out)
{
    struct actions actions;
    actions.count = 0;
    if (message->kind == MESSAGE_SUMS)
        return receive_sums(participant, from, &message->sums, now, out);
    enum refusal refusal = gossip_receive(&participant->gossip, from, message, now, &actions);
    finish_call(participant, &actions, out);
    return refusal;
}

void participant_done(struct participant *participant, struct now now, struct outgoing *out)
{
    struct actions actions;
    actions.count = 0;
    const struct participant_settings *settings = participant->settings;
    participant->samples += participant->pending_passes *
                            learner_samples(&settings->learn, participant->train_count, NULL);
    version_release(&participant->served);
    participant->served =
        version_share(participant->readout ? participant->readout : participant->model);
    gossip_done(&participant->gossip, participant->model, participant->pending_share, now,
                &actions);
    if (participant->gossip.concluding)
        gossip_publish(&participant->gossip, participant->served);
    finish_call(participant, &actions, out);
}

/* What waits at `place`, merged into `values`; `scratch` has room for a model. */
static void merge_waiting(const struct gossip *gossip, uint32_t place, const struct ages *ages,
                          float *values, float *scratch)
{
    const struct waiting_piece waiting = inbox_piece(gossip, place);
    const float *theirs = gossip->inbox[place].model->values;
    struct merge_verdict verdict = inbox_judge(gossip, place, ages);
    if (verdict.ignore)
        return;
    if (!waiting.decoded) {
        piece_roundtrip(&waiting.piece, ages->parameters, theirs, scratch);
        theirs = scratch;
    }
    piece_blend(&waiting.piece, ages->parameters, theirs, verdict.alpha, values);
}

struct version *participant_merged(const struct participant *participant)
{
    const struct gossip *gossip = &participant->gossip;
    size_t count = model_parameters(participant->settings->model);
    uint32_t fragments = gossip->settings->fragments;
    double age = gossip->age;
    double *each = gossip->ages ? malloc(fragments * sizeof *each) : NULL;
    float *values = vector_new(count), *scratch = vector_new(count);
    struct version *merged =
        values && scratch && (each || !gossip->ages) ? version_of(values) : NULL;
    if (merged) {
        const struct ages ages = {count, fragments, each, &age};
        if (each)
            memcpy(each, gossip->ages, fragments * sizeof *each);
        memcpy(values, gossip->published->values, count * sizeof *values);
        for (uint32_t i = 0; i < gossip->waiting_count; i++)
            merge_waiting(gossip, i, &ages, values, scratch);
    } else {
        vector_free(values);
    }
    vector_free(scratch);
    free(each);
    return merged;
}

void participant_conclude(struct participant *participant)
{
    gossip_conclude(&participant->gossip);
    if (!participant->gossip.training)
        gossip_publish(&participant->gossip, participant->served);
}

struct version *participant_readout(const struct participant *participant)
{
    return participant->served;
}
