#include "node/participant.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/vector.h"

enum { EXAMPLES = 200, FEATURES = 5, PEERS = 4, INBOX = 8 };

/* What a participant borrows. */
struct room {
    struct view_entry entries[PEERS];
};

/* Two separable classes, a model for them, and the settings of who learns it. */
struct setting {
    struct dataset data;
    struct model *model;
    struct version *initial;
    uint32_t rows[EXAMPLES];
    struct participant_settings settings;
    struct workspace workspace;
};

static struct setting set_up(bool evaluate, double momentum)
{
    struct setting setting = {.data = {.examples = EXAMPLES, .features = FEATURES, .classes = 2}};
    assert_int_equal(dataset_allocate(&setting.data, 0, 0, NULL), STARLING_OK);
    struct random random = random_stream(1, 0, RANDOM_DIGIT, 0);
    for (uint32_t row = 0; row < EXAMPLES; row++) {
        setting.rows[row] = row;
        setting.data.labels[row] = row % 2;
        for (size_t i = 0; i < FEATURES; i++)
            setting.data.floats[row * FEATURES + i] =
                (float)random_normal(&random) + (row % 2 ? 1.f : -1.f);
    }
    setting.model = model_new("linear", shape_flat(FEATURES, 2), NULL);
    float *values = vector_new(model_parameters(setting.model));
    setting.initial = version_of(values);
    setting.settings = (struct participant_settings){
        .model = setting.model,
        .learn = {.rate = .1,
                  .momentum = momentum,
                  .decay = 1e-4,
                  .rate_floor = .1,
                  .batch = 16,
                  .epochs = 1},
        .gossip = {.period_us = 1000,
                   .jitter = .1,
                   .fanout = 1,
                   .view = PEERS,
                   .inbox = INBOX,
                   .pieces = true,
                   .shuffle_most = 10,
                   .merge = {.rule = merge_rule_find("limited"), .age_limit = 3, .alpha_max = 1},
                   .readout = true,
                   .fragments = 1,
                   .sample = 1,
                   .parameters = model_parameters(setting.model),
                   .seed = 2},
        .holdout = .2,
        .evaluate = evaluate,
        .seed = 2,
    };
    return setting;
}

static void tear_down(struct setting *setting)
{
    assert_int_equal(atomic_load(&setting->initial->references), 1);
    version_release(&setting->initial);
    model_free(&setting->model);
    dataset_clear(&setting->data);
    workspace_free(&setting->workspace);
}

static void begin(struct setting *setting, struct participant *participant, struct room *room,
                  struct outgoing *out)
{
    const struct gossip_storage storage = {.entries = room->entries};
    assert_int_equal(participant_init(participant, &setting->settings, 0, &setting->data,
                                      setting->rows, EXAMPLES, &storage, setting->initial, 0, NULL),
                     STARLING_OK);
    participant_start(participant, (struct now){0}, out);
}

/* One round; returns the work that was done in it. */
static struct work round_of(struct setting *setting, struct participant *participant,
                            struct outgoing *out)
{
    struct now now = {participant_deadline(participant), 0};
    participant_tick(participant, now, out);
    assert_true(out->has_work);
    struct work work = out->work;
    work_run(&work, &setting->workspace);
    participant_done(participant, now, out);
    for (size_t i = 0; i < out->count; i++)
        if (out->sends[i].message.kind == MESSAGE_MODEL)
            version_release(&out->sends[i].message.model.model);
    return work;
}

static void receive(struct setting *setting, struct participant *participant, peer_id from,
                    double age, float value, struct outgoing *out)
{
    size_t count = model_parameters(setting->model);
    float *values = vector_new(count);
    for (size_t i = 0; i < count; i++)
        values[i] = value;
    struct gossip_message message = {
        .kind = MESSAGE_MODEL,
        .model = {
            .piece = piece_whole(count), .age = age, .sequence = 1, .model = version_of(values)}};
    assert_int_equal(participant_receive(participant, from, &message, (struct now){0}, out),
                     REFUSED_NOT);
}

static void held_out_examples_are_never_trained_on(void **state)
{
    (void)state;
    struct setting setting = set_up(false, 0);
    memcpy(setting.data.floats + FEATURES, setting.data.floats, FEATURES * sizeof(float));
    setting.data.labels[1] = setting.data.labels[0]; /* rows 0 and 1 are copies */
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    int side[EXAMPLES] = {0};
    for (size_t i = 0; i < participant.train_count; i++)
        side[participant.train[i]] += 1;
    for (size_t i = 0; i < participant.choose_count; i++)
        side[participant.choose[i]] += 10;
    for (size_t i = 0; i < participant.report_count; i++)
        side[participant.report[i]] += 10;
    for (size_t row = 0; row < EXAMPLES; row++)
        assert_true(side[row] == 1 || side[row] == 10);
    assert_int_equal(side[0], side[1]);
    assert_in_range(participant.choose_count + participant.report_count, 20, 60);
    participant_clear(&participant);
    tear_down(&setting);
}

static void a_round_learns_and_reports(void **state)
{
    (void)state;
    struct setting setting = set_up(true, .9);
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    struct work work = {0};
    for (int round = 0; round < 10; round++)
        work = round_of(&setting, &participant, &out);
    assert_int_equal(work.failure, WORK_FINE);
    assert_int_equal(work.number, 9);
    assert_int_equal(work.pass.samples, participant.train_count);
    assert_int_equal(participant.samples, 10 * participant.train_count);
    assert_true(evaluation_accuracy(&work.passed) > .85);
    assert_int_equal(work.passed.examples, participant.choose_count);
    assert_float_equal(participant.gossip.age, 10, 0);
    participant_clear(&participant);
    tear_down(&setting);
}

static void received_models_are_measured_and_blended(void **state)
{
    (void)state;
    struct setting setting = set_up(true, 0);
    setting.settings.learn.rate = 0; /* so that only merging moves the parameters */
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    round_of(&setting, &participant, &out);
    receive(&setting, &participant, 1, 1, 4, &out);  /* ages 1 and 1: half of it */
    receive(&setting, &participant, 2, 30, 6, &out); /* far ahead: adopted */
    receive(&setting, &participant, 3, 2, 99, &out); /* far behind by then: ignored */
    struct work work = round_of(&setting, &participant, &out);
    assert_int_equal(work.heard_count, 3);
    assert_float_equal(work.heard[0].alpha, .5, 1e-6);
    assert_float_equal(work.heard[1].alpha, 1, 0);
    assert_float_equal(work.heard[2].alpha, 0, 0);
    assert_float_equal(work.heard[0].distance, 4 * sqrtf(FEATURES + 1), 1e-4f); /* mine was 0 */
    assert_int_equal(work.heard[2].here.examples, participant.choose_count);
    for (size_t i = 0; i < FEATURES; i++)
        assert_float_equal(participant.gossip.published->values[i], 6, 1e-5);
    assert_float_equal(participant.gossip.age, 31, 0);
    participant_clear(&participant);
    tear_down(&setting);
}

/* Of what merges do to a model the quasi-global momentum learns at the next pass; of one that is
 * taken over whole, only from there on. */
static void a_quasi_global_momentum_takes_in_the_merges(void **state)
{
    (void)state;
    for (int adopted = 0; adopted < 2; adopted++) {
        struct setting setting = set_up(false, .9);
        setting.settings.learn.optimizer = OPTIMIZER_QUASI_GLOBAL;
        setting.settings.learn.schedule = SCHEDULE_CONSTANT;
        struct participant participant;
        struct room room;
        struct outgoing out;
        begin(&setting, &participant, &room, &out);
        round_of(&setting, &participant, &out);
        float half = participant.gossip.published->values[0], m = participant.optimizer.first[0];
        if (adopted)
            receive(&setting, &participant, 1, 99, 4, &out);
        receive(&setting, &participant, 2, adopted ? 99 : 1, 1, &out); /* as old: one half */
        round_of(&setting, &participant, &out);
        float own = adopted ? 4 : half, merged = .5f * (own + 1), learned;
        double unit = (double)learner_steps(&setting.settings.learn, participant.train_count) * .1;
        m += .1f * (own - merged) / (float)unit;
        learned = participant.gossip.published->values[0];
        m = .9f * m + .1f * (merged - learned) / (float)unit;
        assert_float_equal(participant.optimizer.first[0], m, 1e-5f);
        participant_clear(&participant);
        tear_down(&setting);
    }
}

/* One's own model and the received one, each after a pass of its own: half of both. */
static void update_merge_trains_what_it_merges(void **state)
{
    (void)state;
    struct setting setting = set_up(true, 0);
    setting.settings.gossip.order = ORDER_UPDATE_MERGE;
    setting.settings.gossip.merge.rule = merge_rule_find("average");
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    round_of(&setting, &participant, &out);
    size_t count = model_parameters(setting.model);
    float *mine = vector_new(count), *theirs = vector_new(count);
    memcpy(mine, participant.gossip.published->values, count * sizeof *mine);
    for (size_t i = 0; i < count; i++)
        theirs[i] = .25f;
    receive(&setting, &participant, 1, 7, .25f, &out);
    struct work work = round_of(&setting, &participant, &out);
    assert_int_equal(work.passes, 2);
    assert_int_equal(participant.samples, 3 * participant.train_count);
    assert_float_equal(participant.gossip.age, 8, 0);
    assert_true(evaluation_accuracy(&work.merged) == evaluation_accuracy(&work.passed));
    const struct examples examples = {&setting.data, participant.train, participant.train_count,
                                      NULL};
    float *models[] = {mine, theirs};
    for (uint64_t place = 0; place < 2; place++) {
        struct pass_report report;
        assert_true(workspace_reset(
            &setting.workspace,
            learner_workspace(setting.model, &setting.settings.learn, examples.count)));
        learner_pass(setting.model, &setting.settings.learn, &examples, place ? 7 : 1,
                     random_stream(setting.settings.seed, 0, RANDOM_BATCH, 1 + (place << 40)),
                     models[place], NULL, &setting.workspace, &report);
    }
    for (size_t i = 0; i < count; i++)
        assert_float_equal(participant.gossip.published->values[i], .5f * (mine[i] + theirs[i]),
                           1e-6f);
    vector_free(mine);
    vector_free(theirs);
    participant_clear(&participant);
    tear_down(&setting);
}

static void update_merge_undoes_a_pass_that_diverges(void **state)
{
    (void)state;
    struct setting setting = set_up(false, 0);
    setting.settings.gossip.order = ORDER_UPDATE_MERGE;
    setting.settings.learn.decay = 1;
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    for (int round = 0; round < 3; round++) {
        setting.settings.learn.rate = round ? 1e25 : .1;
        if (round == 1)
            receive(&setting, &participant, 1, 1, 100, &out);
        struct work work = round_of(&setting, &participant, &out);
        assert_int_equal(work.failure, round ? WORK_DIVERGED : WORK_FINE);
        assert_true(
            vector_finite(participant.gossip.published->values, model_parameters(setting.model)));
    }
    participant_clear(&participant);
    tear_down(&setting);
}

/* The last that came takes the place of one's own, however old, and makes the pass. */
static void a_walk_takes_over_the_last_received(void **state)
{
    (void)state;
    struct setting setting = set_up(false, 0);
    setting.settings.learn.rate = 0; /* so that only receipts move the parameters */
    setting.settings.gossip.order = ORDER_WALK;
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    for (int round = 0; round < 10; round++)
        round_of(&setting, &participant, &out);
    receive(&setting, &participant, 1, 12, 4, &out);
    receive(&setting, &participant, 2, 3, 6, &out);
    struct work work = round_of(&setting, &participant, &out);
    assert_int_equal(work.passes, 1);
    assert_float_equal(participant.gossip.published->values[0], 6, 0);
    assert_float_equal(participant.gossip.age, 4, 0);
    participant_clear(&participant);
    tear_down(&setting);
}

/* A piece of a model whose values are all `value`, as its bytes would have it or still to be made.
 */
static void receive_piece(struct setting *setting, struct participant *participant, peer_id from,
                          struct piece piece, float value, bool decoded, struct outgoing *out)
{
    size_t count = model_parameters(setting->model);
    float *values = vector_new(count), *carried = vector_new(count);
    for (size_t i = 0; i < count; i++)
        values[i] = value;
    piece_roundtrip(&piece, count, values, carried);
    struct gossip_message message = {.kind = MESSAGE_MODEL,
                                     .model = {.piece = piece,
                                               .age = 1,
                                               .sequence = 1,
                                               .decoded = decoded,
                                               .model = version_of(decoded ? carried : values)}};
    vector_free(decoded ? values : carried);
    assert_int_equal(participant_receive(participant, from, &message, (struct now){0}, out),
                     REFUSED_NOT);
}

/* The model and the read-out move where the piece lies, and nowhere else; and what is merged if one
 * asks before the pass is the same. */
static void a_piece_is_blended_where_it_lies(void **state)
{
    (void)state;
    static const enum encoding encodings[] = {ENCODING_F32, ENCODING_F16, ENCODING_I8};
    for (size_t i = 0; i < 6; i++) {
        struct setting setting = set_up(true, 0);
        setting.settings.learn.rate = 0;
        size_t count = model_parameters(setting.model), first, size;
        struct piece piece = piece_of(count, 1, 3, 1, encodings[i / 2]);
        struct participant participant;
        struct room room;
        struct outgoing out;
        begin(&setting, &participant, &room, &out);
        round_of(&setting, &participant, &out);
        piece.seed = 7;
        receive_piece(&setting, &participant, 1, piece, 4, i % 2, &out);
        struct version *merged = participant_merged(&participant);
        struct work work = round_of(&setting, &participant, &out);
        assert_float_equal(work.heard[0].alpha, .5, 1e-6);
        assert_float_equal(work.heard[0].distance, 4 * sqrtf((float)piece.count), 1e-3F);
        assert_int_equal(work.heard[0].here.examples, participant.choose_count);
        piece_range(&piece, count, &first, &size);
        for (size_t at = 0; at < count; at++) {
            float in = at >= first && at < first + size;
            assert_float_equal(participant.gossip.published->values[at], 2 * in, 1e-3F);
            assert_float_equal(merged->values[at], 2 * in, 1e-3F);
            assert_float_equal(participant_readout(&participant)->values[at],
                               4 * in * work.readout_step, 1e-3F);
        }
        version_release(&merged);
        participant_clear(&participant);
        tear_down(&setting);
    }
}

static void an_absurd_piece_is_left_out(void **state)
{
    (void)state;
    struct setting setting = set_up(false, 0);
    size_t count = model_parameters(setting.model);
    const struct piece piece = piece_of(count, 0, 3, .5, ENCODING_F32);
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    round_of(&setting, &participant, &out);
    receive_piece(&setting, &participant, 1, piece, 1e30F, true, &out);
    receive_piece(&setting, &participant, 2, piece, 1e30F, false, &out);
    receive_piece(&setting, &participant, 3, piece, 1, false, &out);
    struct work work = round_of(&setting, &participant, &out);
    assert_true(work.heard[0].absurd && work.heard[0].alpha == 0 && !work.heard[0].follow);
    assert_true(work.heard[1].absurd);
    assert_true(!work.heard[2].absurd && work.heard[2].alpha > 0);
    assert_true(vector_norm2(participant.gossip.published->values, count) < 1e6);
    participant_clear(&participant);
    tear_down(&setting);
}

/* One asks, the other answers with its last finished model, which the first merges. */
static void two_that_pull_learn_from_each_other(void **state)
{
    (void)state;
    struct setting setting = set_up(false, 0);
    setting.settings.gossip.exchange = EXCHANGE_PULL;
    struct participant asker, asked;
    struct room rooms[2];
    struct outgoing out;
    begin(&setting, &asker, &rooms[0], &out);
    begin(&setting, &asked, &rooms[1], &out);
    gossip_peer_up(&asker.gossip, 1);
    for (int round = 0; round < 3; round++)
        round_of(&setting, &asked, &out);
    round_of(&setting, &asker, &out);
    const struct gossip_message *pull = NULL;
    for (size_t i = 0; i < out.count; i++)
        if (out.sends[i].message.kind == MESSAGE_PULL && out.sends[i].to == 1)
            pull = &out.sends[i].message;
    assert_non_null(pull);
    struct gossip_message message = *pull;
    struct now now = {0};
    assert_int_equal(participant_receive(&asked, 0, &message, now, &out), REFUSED_NOT);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.sends[0].to, 0);
    message = out.sends[0].message;
    assert_float_equal(message.model.age, 3, 0);
    assert_int_equal(participant_receive(&asker, 1, &message, now, &out), REFUSED_NOT);
    struct work work = round_of(&setting, &asker, &out);
    assert_int_equal(work.heard_count, 1);
    assert_float_equal(work.heard[0].alpha, .75, 1e-6); /* 1 pass and 3 */
    assert_float_equal(asker.gossip.age, 4, 0);
    participant_clear(&asker);
    participant_clear(&asked);
    tear_down(&setting);
}

/* One that lies cannot undo everybody's passes with numbers that are finite. */
static void an_absurd_model_is_left_out(void **state)
{
    (void)state;
    struct setting setting = set_up(true, .9);
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    round_of(&setting, &participant, &out);
    receive(&setting, &participant, 1, 1, 3e38f, &out);
    receive(&setting, &participant, 2, 1, .5f, &out);
    struct work work = round_of(&setting, &participant, &out);
    assert_true(work.heard[0].absurd && work.heard[0].alpha == 0);
    assert_true(!work.heard[1].absurd && work.heard[1].alpha > 0);
    assert_int_equal(work.failure, WORK_FINE);
    assert_true(fabsf(participant.gossip.published->values[0]) < 10);
    participant_clear(&participant);
    tear_down(&setting);
}

/* The first step of Pegasos is 1/λ long, which is no lie: who has not made it yet is still at 0. */
static void a_first_step_of_pegasos_is_not_absurd(void **state)
{
    (void)state;
    struct setting setting = set_up(true, 0);
    setting.settings.learn.schedule = SCHEDULE_PEGASOS;
    setting.settings.learn.decay = 1e-4;
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    receive(&setting, &participant, 1, 1, 1e6F, &out);
    receive(&setting, &participant, 2, 1, 1e10F, &out);
    struct work work = round_of(&setting, &participant, &out);
    assert_true(!work.heard[0].absurd && work.heard[0].alpha > 0);
    assert_true(work.heard[1].absurd && work.heard[1].alpha == 0);
    participant_clear(&participant);
    tear_down(&setting);
}

/* Undone passes all share the values before them, however many there are. */
static void passes_undone_without_end_cost_no_memory(void **state)
{
    (void)state;
    struct setting setting = set_up(false, 0);
    setting.settings.learn.rate = 1e38;
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    for (int round = 0; round < 1000; round++)
        round_of(&setting, &participant, &out);
    assert_true(!version_owner(participant.model)->follows);
    participant_clear(&participant);
    tear_down(&setting);
}

static void a_pass_that_diverges_is_undone(void **state)
{
    (void)state;
    struct setting setting = set_up(false, .9);
    setting.settings.learn.rate = 1e30;
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    bool diverged = false;
    for (int round = 0; round < 5; round++)
        diverged |= round_of(&setting, &participant, &out).failure == WORK_DIVERGED;
    size_t count = model_parameters(setting.model);
    assert_true(diverged);
    assert_true(vector_finite(participant.gossip.published->values, count));
    assert_true(vector_finite(participant_readout(&participant)->values, count));
    assert_true(vector_finite(participant.optimizer.first, count));
    participant_clear(&participant);
    tear_down(&setting);
}

/* r = r + b (w − r) with b = max(0.03, 1/(1 + 0.25 t)), w its own where nobody else is heard. */
static void the_readout_of_a_node_alone_follows_its_own(void **state)
{
    (void)state;
    struct setting setting = set_up(false, 0);
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    double expected = 0;
    for (int round = 0; round < 200; round++) {
        round_of(&setting, &participant, &out);
        double w = participant.gossip.published->values[0];
        expected += fmax(.03, 1 / (1 + .25 * round)) * (w - expected);
        assert_float_equal((float)expected, participant_readout(&participant)->values[0], 1e-4f);
    }
    participant_clear(&participant);
    tear_down(&setting);
}

/* In a swarm it follows what is received, until nothing was for READOUT_PATIENCE passes. */
static void the_readout_in_a_swarm_follows_the_others(void **state)
{
    (void)state;
    struct setting setting = set_up(false, 0);
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    for (int round = 0; round < 10; round++)
        round_of(&setting, &participant, &out);
    double before = participant_readout(&participant)->values[0];
    receive(&setting, &participant, 1, 10, 4, &out);
    receive(&setting, &participant, 2, 1, 1000, &out); /* far behind: not even followed */
    round_of(&setting, &participant, &out);
    double expected = before + 1 / (1 + .25 * 10) * (4 - before);
    for (int silent = 0; silent < READOUT_PATIENCE; silent++) {
        assert_float_equal((float)expected, participant_readout(&participant)->values[0], 1e-5f);
        round_of(&setting, &participant, &out);
    }
    assert_true(fabs(expected - participant_readout(&participant)->values[0]) > 1e-3);
    participant_clear(&participant);
    tear_down(&setting);
}

static void check_restored(enum optimizer optimizer)
{
    struct setting setting = set_up(false, .9);
    setting.settings.learn.optimizer = optimizer;
    struct participant whole, restored;
    struct room room, more_room;
    const struct gossip_storage more = {.entries = more_room.entries};
    struct outgoing out;
    begin(&setting, &whole, &room, &out);
    for (int round = 0; round < 5; round++)
        round_of(&setting, &whole, &out);
    struct participant_memory memory = {.first = whole.optimizer.first,
                                        .second = whole.optimizer.second,
                                        .steps = whole.optimizer.steps,
                                        .readout = participant_readout(&whole)->values,
                                        .round = whole.gossip.round,
                                        .works = whole.works,
                                        .samples = whole.samples,
                                        .sequence = whole.gossip.sequence};
    assert_int_equal(participant_init(&restored, &setting.settings, 0, &setting.data, setting.rows,
                                      EXAMPLES, &more, whole.model, whole.gossip.age, NULL),
                     STARLING_OK);
    assert_int_equal(participant_restore(&restored, &memory, NULL), STARLING_OK);
    participant_start(&restored, (struct now){0}, &out);
    round_of(&setting, &restored, &out);
    round_of(&setting, &whole, &out);
    size_t size = model_parameters(setting.model) * sizeof(float);
    assert_memory_equal(restored.gossip.published->values, whole.gossip.published->values, size);
    assert_memory_equal(participant_readout(&restored)->values, participant_readout(&whole)->values,
                        size);
    assert_int_equal(restored.gossip.round, 6);
    participant_clear(&restored);
    participant_clear(&whole);
    tear_down(&setting);
}

static void a_restored_node_goes_on_where_it_was(void **state)
{
    (void)state;
    check_restored(OPTIMIZER_SGD);
    check_restored(OPTIMIZER_ADAM);
    check_restored(OPTIMIZER_QUASI_GLOBAL);
}

/* Momentum is of no use to Adam: it starts afresh. */
static void what_another_optimiser_remembered_is_left_out(void **state)
{
    (void)state;
    struct setting setting = set_up(false, .9);
    setting.settings.learn.optimizer = OPTIMIZER_ADAM;
    struct participant participant;
    struct room room;
    struct outgoing out;
    begin(&setting, &participant, &room, &out);
    float *first = vector_new(model_parameters(setting.model));
    first[0] = 1;
    struct participant_memory memory = {.first = first, .steps = 3};
    assert_int_equal(participant_restore(&participant, &memory, NULL), STARLING_OK);
    assert_true(participant.optimizer.first[0] == 0);
    assert_int_equal(participant.optimizer.steps, 0);
    vector_free(first);
    participant_clear(&participant);
    tear_down(&setting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(held_out_examples_are_never_trained_on),
        cmocka_unit_test(a_round_learns_and_reports),
        cmocka_unit_test(received_models_are_measured_and_blended),
        cmocka_unit_test(a_quasi_global_momentum_takes_in_the_merges),
        cmocka_unit_test(update_merge_trains_what_it_merges),
        cmocka_unit_test(update_merge_undoes_a_pass_that_diverges),
        cmocka_unit_test(a_walk_takes_over_the_last_received),
        cmocka_unit_test(two_that_pull_learn_from_each_other),
        cmocka_unit_test(an_absurd_model_is_left_out),
        cmocka_unit_test(a_piece_is_blended_where_it_lies),
        cmocka_unit_test(a_first_step_of_pegasos_is_not_absurd),
        cmocka_unit_test(an_absurd_piece_is_left_out),
        cmocka_unit_test(passes_undone_without_end_cost_no_memory),
        cmocka_unit_test(a_pass_that_diverges_is_undone),
        cmocka_unit_test(the_readout_of_a_node_alone_follows_its_own),
        cmocka_unit_test(the_readout_in_a_swarm_follows_the_others),
        cmocka_unit_test(a_restored_node_goes_on_where_it_was),
        cmocka_unit_test(what_another_optimiser_remembered_is_left_out),
    };
    return cmocka_run_group_tests_name("participant", tests, NULL, NULL);
}
