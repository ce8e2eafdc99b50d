/* The participant in the node: what it starts from, its works, and what becomes of their results.
 */
#include "node/node_inside.h"

#include <math.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/sums.h"
#include "model/vector.h"
#include "node/settings.h"
#include "node/task.h"

/* When the node is to end: for a pass that runs, and then for the disk. */
#define FINISH_US UINT64_C(1000000)
#define SAVE_US UINT64_C(500000)

static enum node_outcome outcome_of(const struct problem *problem)
{
    return problem->error == STARLING_INVALID ? NODE_WRONG : NODE_FAILED;
}

/* Random numbers that protect nobody differ from node to node, and are the same after a restart. */
static uint64_t own_seed(const struct identity *identity)
{
    static const uint8_t context[] = "starling node seed 1";
    uint8_t hash[crypto_generichash_BYTES_MIN];
    uint64_t seed = 0;
    crypto_generichash(hash, sizeof hash, identity->keys.identity, KEY_BYTES, context,
                       sizeof context - 1);
    for (size_t i = 0; i < 8; i++)
        seed |= (uint64_t)hash[i] << (8 * i);
    return seed;
}

static bool open_task(struct node *node, struct problem *problem)
{
    const struct config *config = &node->config;
    bool agree = config->task.agree != AGREE_OFF;
    struct data_hints hints = {
        .seed = config->sim.seed, .scale = config->task.scale, .agree = agree};
    uint8_t id[TASK_ID_BYTES];
    node->data = data_open(config->task.data, &hints, problem);
    if (!node->data || settings_scaling(config, &node->data->train, problem))
        return false;
    node->model = model_new(config->task.model, dataset_shape(&node->data->train), problem);
    if (!node->model)
        return false;
    size_t bytes = model_parameters(node->model) * sizeof(float);
    if (bytes > config->node.max_model) {
        problem_set(
            problem, STARLING_INVALID,
            "task.model: %s has %zu bytes of parameters, more than node.max_model: choose a "
            "smaller one or raise that",
            config->task.model, bytes);
        return false;
    }
    if (settings_check(config, problem) || settings_suit(config, node->model, problem))
        return false;
    if (config->learn.schedule == SCHEDULE_COSINE && config->learn.horizon == CONFIG_AUTO) {
        problem_set(problem, STARLING_INVALID,
                    "learn.horizon: a node runs without an end: say after how many passes cosine "
                    "is at its floor");
        return false;
    }
    task_id(config->task.name, node->model, node->data, id);
    settings_make(config, node->model, id, own_seed(node->identity), &node->settings);
    node->settings.evaluate = true;
    node->settings.agree = agree && dataset_standardises(&node->data->train, config->task.scale);
    return true;
}

/* The version to start from: what was saved, or what every node of the task starts from. */
static struct version *first_version(struct node *node, struct saved *saved, bool found,
                                     struct problem *problem)
{
    float *values = found ? saved->model : vector_new(model_parameters(node->model));
    struct version *version = values ? version_of(values) : NULL;
    if (!version) {
        if (!found)
            vector_free(values);
        problem_no_memory(problem, "the model");
        return NULL;
    }
    if (found)
        saved->model = NULL; /* the version's now */
    else
        model_initialise(node->model, task_seed(node->settings.gossip.task), values);
    return version;
}

static bool open_participant(struct node *node, struct saved *saved, bool found,
                             struct problem *problem)
{
    size_t count = node->data->train.examples;
    node->rows = malloc(count * sizeof *node->rows);
    node->entries = calloc(node->settings.gossip.view, sizeof *node->entries);
    node->news = calloc(node->settings.gossip.inbox, sizeof *node->news);
    node->ages = calloc(2 * (size_t)node->settings.gossip.fragments, sizeof *node->ages);
    struct version *initial = first_version(node, saved, found, problem);
    bool opened = false;
    if (node->rows && node->entries && node->ages && node->news && initial) {
        const struct gossip_storage storage = {
            .entries = node->entries, .ages = node->ages, .news = node->news};
        for (size_t i = 0; i < count; i++)
            node->rows[i] = (uint32_t)i;
        opened = participant_init(&node->participant, &node->settings, ROSTER_SELF,
                                  &node->data->train, node->rows, count, &storage, initial,
                                  found ? saved->age : 0, problem) == STARLING_OK;
    } else if (initial) {
        problem_no_memory(problem, "the examples");
    }
    version_release(&initial);
    node->has_participant = opened;
    return opened;
}

/* The sums that the scaling of this task was settled on before a restart; the caller's. NULL when
 * there are none that are sound. */
static double *recall_sums(struct node *node, uint32_t *heard, struct problem *problem)
{
    size_t features = model_features(node->model), size = sums_bytes(features);
    double *sums = malloc(size);
    uint8_t *bytes = malloc(size);
    bool found = false;
    if (!sums || !bytes)
        problem_no_memory(problem, "the scaling of features");
    else
        store_get_sums(node->store, node->settings.gossip.task, bytes, size, heard, &found,
                       problem);
    if (!found || !sums_decode(bytes, features, sums)) {
        free(sums);
        sums = NULL;
    }
    free(bytes);
    return sums;
}

/* Brings back what was known before a restart: `saved`, where a slot was found, and the scaling. */
static bool restore(struct node *node, const struct saved *saved, struct problem *problem)
{
    struct problem unread = {0};
    uint32_t heard = 0;
    double *sums = node->settings.agree ? recall_sums(node, &heard, &unread) : NULL;
    if (unread.error)
        log_write(node->log, LOG_WARN, "%s: the scaling of features is agreed on again",
                  unread.text);
    struct participant_memory memory = {.first = saved->first,
                                        .second = saved->second,
                                        .steps = saved->steps,
                                        .readout = saved->readout,
                                        .sums = sums,
                                        .sums_heard = heard,
                                        .round = saved->round,
                                        .works = saved->works,
                                        .samples = saved->samples,
                                        .sequence = saved->sequence};
    enum starling_error error = participant_restore(&node->participant, &memory, problem);
    if (!error && node->participant.scaling) {
        node->kept_scaling = version_share(node->participant.scaling);
        node->kept_heard = heard;
    }
    free(sums);
    return error == STARLING_OK;
}

void learning_keep_scaling(struct node *node)
{
    const struct participant *participant = &node->participant;
    if (!participant->scaling || node->now.monotonic_us < node->keep_again_us ||
        (participant->scaling == node->kept_scaling &&
         participant->agreement->heard == node->kept_heard))
        return;
    if (!note_sums(node, participant->agreement->sums, participant->agreement->features,
                   participant->agreement->heard))
        return;
    if (participant->scaling != node->kept_scaling)
        log_write(node->log, LOG_INFO, "the scaling of features is settled: %s",
                  participant->agreement->heard > 0 ? "agreed on with others"
                                                    : "from one's own examples");
    version_release(&node->kept_scaling);
    node->kept_scaling = version_share(participant->scaling);
    node->kept_heard = participant->agreement->heard;
}

/* The trend goes on from the evaluations before the restart, but for those that were lost. */
static enum starling_error recall_trend(struct node *node, struct problem *problem)
{
    struct history_row rows[TREND_WINDOW];
    size_t count = 0;
    enum starling_error error = store_history(node->store, rows, TREND_WINDOW, &count, problem);
    for (size_t i = 0; !error && i < count; i++)
        if (!rows[i].lost && isfinite(rows[i].loss))
            trend_add(&node->trend, rows[i].loss);
    return error;
}

static bool belongs(const struct node *node, const struct saved *saved, struct problem *problem)
{
    if (memcmp(saved->task, node->settings.gossip.task, TASK_ID_BYTES) == 0 &&
        saved->parameters == model_parameters(node->model))
        return true;
    problem_set(problem, STARLING_INVALID,
                "%s: holds what was learned for another task (model, data or task.name differ): "
                "use another --dir, or move its parameters-*.slot away to begin anew",
                node->dir);
    return false;
}

enum node_outcome learning_open(struct node *node, struct problem *problem)
{
    struct saved saved = {0};
    bool found = false;
    char note[PROBLEM_TEXT_MAX];
    if (!open_task(node, problem) || !conclude_recall(node, problem))
        return outcome_of(problem);
    if (slots_load(node->dir, node->config.node.max_model, &saved, &found, note, problem))
        return outcome_of(problem);
    if (note[0])
        log_write(node->log, LOG_WARN, "%s", note);
    bool opened = (!found || belongs(node, &saved, problem)) &&
                  open_participant(node, &saved, found, problem) && restore(node, &saved, problem);
    size_t held = node->participant.choose_count + node->participant.report_count;
    if (opened && node->settings.personal > 0 && held < PERSONAL_LEAST)
        log_write(node->log, LOG_WARN,
                  "learn.personal: %zu examples are held out here, too few to choose a personal "
                  "model by: raise learn.holdout",
                  held);
    if (opened && found) {
        struct problem lost = {0};
        node->saved_passes = node->participant.gossip.passes;
        log_write(node->log, LOG_INFO, "goes on at age %.1f, round %llu", saved.age,
                  (unsigned long long)saved.round);
        if (store_mark_lost(node->store, saved.round, &lost) || recall_trend(node, &lost))
            log_write(node->log, LOG_WARN, "%s", lost.text);
    }
    saved_clear(&saved);
    return opened ? NODE_ENDED : outcome_of(problem);
}

void learning_close(struct node *node)
{
    if (node->has_participant)
        participant_clear(&node->participant);
    personal_forget(&node->personal);
    version_release(&node->kept_scaling);
    free(node->entries);
    free(node->rows);
    free(node->ages);
    free(node->news);
    model_free(&node->model);
    data_free(&node->data);
}

bool node_learns(const struct node *node)
{
    return node->member && node->started && !node->stopping && !node->concluded;
}

void learning_start(struct node *node)
{
    struct outgoing out;
    if (node->started || !node->member)
        return;
    node->started = true;
    node->saved_us = node->now.monotonic_us;
    participant_start(&node->participant, node->now, &out);
    node_carry_out(node, &out);
    if (node->conclude_wanted) {
        conclude_begin(node);
        return;
    }
    log_write(node->log, LOG_INFO, "learning %s on %u examples, a round each %.3g s",
              model_name(node->model), node->participant.train_count,
              (double)node->settings.gossip.period_us * 1e-6);
}

/* The read-out and, where it is asked for, the better of it and the personal model, on the half of
 * the hold-out that chooses nothing. */
static void test_served(struct work_job *ours, const float *scaling, double age, uint64_t works,
                        struct workspace *workspace)
{
    const struct participant *participant = ours->work.participant;
    const struct model *model = participant->settings->model;
    const struct examples examples = {participant->data, participant->report,
                                      participant->report_count, scaling};
    const struct tuning tuning = {participant, ours->served->values, scaling, age, works};
    ours->reported = ours->reported_personal = (struct evaluation){0};
    if (examples.count == 0)
        return;
    if (workspace_reset(workspace, evaluation_workspace(model)))
        ours->reported = evaluate(model, ours->served->values, &examples, workspace);
    if (participant->settings->personal > 0)
        ours->no_memory =
            !tuning_round(ours->personal, &tuning, workspace, &ours->reported_personal);
}

/* On the trainer's thread: the round's arithmetic, and a test of what is served. */
static void run_work(struct job *job, struct workspace *workspace)
{
    struct work_job *ours = (struct work_job *)job;
    struct version *scaling = ours->work.scaling; /* ours, beyond the work's end */
    if (scaling)
        version_share(scaling);
    work_run(&ours->work, workspace);
    test_served(ours, scaling ? scaling->values : NULL, ours->work.age + ours->work.share,
                ours->work.number + 1, workspace);
    version_release(&scaling);
}

/* The same when there is nothing more to learn. */
static void run_test(struct job *job, struct workspace *workspace)
{
    struct work_job *ours = (struct work_job *)job;
    const struct version *scaling = ours->work.scaling;
    test_served(ours, scaling ? scaling->values : NULL, ours->work.age, ours->work.number,
                workspace);
    work_drop(&ours->work);
}

void learning_test(struct node *node)
{
    struct participant *participant = &node->participant;
    node->work = (struct work_job){.job = {.run = run_test},
                                   .work = {.participant = participant,
                                            .number = participant->works,
                                            .age = participant->gossip.age},
                                   .served = version_share(participant_readout(participant)),
                                   .personal = &node->personal};
    if (participant->scaling)
        node->work.work.scaling = version_share(participant->scaling);
    node->working = true;
    trainer_submit(node->trainer, &node->work.job);
}

void learning_work(struct node *node, struct work *work)
{
    struct version *served = work->readout_into ? work->readout_into : work->into;
    node->work = (struct work_job){.job = {.run = run_work},
                                   .work = *work,
                                   .served = version_share(served),
                                   .personal = &node->personal,
                                   .round = node->participant.gossip.round};
    node->working = true;
    trainer_submit(node->trainer, &node->work.job);
}

static double accuracy_of(const struct evaluation *evaluation)
{
    return evaluation->examples > 0 ? evaluation_accuracy(evaluation) : NAN;
}

static double loss_of(const struct evaluation *evaluation)
{
    return evaluation->examples > 0 ? evaluation_loss(evaluation) : NAN;
}

/* What the work heard of others: how far away they are, and how they do here. */
static void judge_heard(struct node *node, const struct work *work, struct history_row *row)
{
    double distance = 0;
    uint32_t sound = 0;
    for (uint32_t i = 0; i < work->heard_count; i++) {
        const struct heard *heard = &work->heard[i];
        struct peer_record *record = roster_peer(&node->roster, heard->from);
        if (heard->absurd) {
            if (record)
                node_reject(node, heard->from, REFUSED_MALFORMED);
            continue;
        }
        distance += heard->distance;
        sound++;
        row->merged += heard->alpha > 0;
        if (record && heard->here.examples > 0)
            record->accuracy_here = evaluation_accuracy(&heard->here);
    }
    row->distance = sound > 0 ? distance / sound : NAN;
}

static void keep_history(struct node *node, const struct work_job *done)
{
    const struct work *work = &done->work;
    struct history_row row = {
        .round = done->round,
        .time = node->now.wall_s,
        .age = work->age + work->share,
        .accuracy = accuracy_of(&work->passed),
        .loss = loss_of(&work->passed),
        .merged_accuracy = accuracy_of(&work->merged),
        .merged_loss = loss_of(&work->merged),
    };
    judge_heard(node, work, &row);
    if (work->passed.examples > 0)
        trend_add(&node->trend, row.loss);
    snprintf(row.trend, sizeof row.trend, "%s", trend_name(trend_of(&node->trend)));
    note_history(node, &row);
}

bool learning_unsaved(const struct node *node)
{
    return node->participant.gossip.passes != node->saved_passes ||
           node->averages != node->saved_averages;
}

static bool save_is_due(const struct node *node)
{
    return learning_unsaved(node) && node->now.monotonic_us >= node->save_again_us &&
           node->now.monotonic_us - node->saved_us >= node->config.node.save_every_us;
}

static void work_finished(struct node *node)
{
    struct work_job *done = &node->work;
    node->working = false;
    bool learned = done->job.run == run_work; /* or only tested */
    if (done->work.failure == WORK_DIVERGED)
        log_limited(node->log, LOG_WARN, SAY_DIVERGED, node->now.monotonic_us,
                    "a pass diverged and was undone: lower learn.rate");
    else if (done->work.failure == WORK_NO_MEMORY)
        log_limited(node->log, LOG_ERROR, SAY_MEMORY, node->now.monotonic_us,
                    "out of memory for a pass: use a smaller model or learn.batch");
    if (done->no_memory)
        log_limited(node->log, LOG_ERROR, SAY_MEMORY, node->now.monotonic_us,
                    "out of memory for the personal model: set learn.personal to 0");
    node->reported = done->reported;
    node->reported_personal = done->reported_personal;
    version_release(&done->served);
    if (!learned)
        return;
    keep_history(node, done);
    struct outgoing out;
    participant_done(&node->participant, node->now, &out);
    if (!node->stopping && save_is_due(node))
        note_save(node); /* before the next pass, which changes the optimiser's memory */
    node_carry_out(node, &out);
}

void learning_collect(struct node *node)
{
    struct job *job;
    while ((job = trainer_finished(node->trainer))) {
        if (job == &node->work.job)
            work_finished(node);
        else
            note_finished((struct note_job *)job);
    }
}

/* Until the trainer has nothing to do, or until then. */
static void await_trainer(struct node *node, uint64_t until_us)
{
    while (!trainer_idle(node->trainer) && node->now.monotonic_us < until_us) {
        struct pollfd item = {.fd = trainer_descriptor(node->trainer), .events = POLLIN};
        poll(&item, 1, (int)((until_us - node->now.monotonic_us) / 1000 + 1));
        learning_collect(node);
        node->now = wall_clock_now(&node->clock);
    }
    learning_collect(node);
}

/* The trainer outlasts our patience: what waits behind the job that runs is done here, so far as
 * nothing that the two share is in use. */
static void take_over(struct node *node, uint64_t until_us)
{
    struct workspace none = {0};
    struct job *running, *job = trainer_end(node->trainer, &running);
    if (running && running != &node->work.job) {
        await_trainer(node, until_us);
        if (trainer_idle(node->trainer))
            running = NULL;
    }
    while (job) {
        struct job *next = job->next;
        if (job == &node->work.job) { /* a pass that has not begun */
            work_drop(&node->work.work);
            version_release(&node->work.served);
            node->working = false;
        } else if (running == NULL || running == &node->work.job) {
            job->run(job, &none);
            note_finished((struct note_job *)job);
        } else {
            note_dropped((struct note_job *)job);
        }
        job = next;
    }
}

static bool all_is_saved(const struct node *node)
{
    if (!node->has_participant || !learning_unsaved(node))
        return true;
    log_write(node->log, LOG_ERROR, "what was learned since the last save is lost: %s",
              node->save_problem.error ? node->save_problem.text
                                       : "the disk is too slow, or memory is out");
    return false;
}

bool learning_finish(struct node *node)
{
    uint64_t started_us = node->now.monotonic_us;
    node->stopping = true;
    await_trainer(node, started_us + FINISH_US);
    if (node->has_participant && learning_unsaved(node))
        note_save(node);
    if (node->working)
        take_over(node, started_us + FINISH_US + SAVE_US);
    else
        await_trainer(node, started_us + FINISH_US + SAVE_US);
    return all_is_saved(node);
}
