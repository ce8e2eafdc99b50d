/* A few participants that hear each other, driven by hand in lockstep: what the protocol's rules do
 * to a swarm, without the simulator's network or clock. */
#include "node/participant.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/vector.h"

enum {
    NODES = 12,
    LATE = NODES - 1,
    FEATURES = 8,
    CLASSES = 4,
    LARGE = 400,
    SMALL = 24,
    VIEW = 11,
    INBOX = 8
};

struct swarm {
    struct dataset data;
    struct model *model;
    struct version *initial;
    struct participant_settings settings;
    struct participant participants[NODES];
    struct view_entry entries[NODES][VIEW];
    bool here[NODES];
    struct workspace workspace;
    uint32_t *rows;
    size_t start[NODES + 1];
};

/* Four clouds of points; node i holds few or many of them, and mostly those of one class. */
static void make_data(struct swarm *swarm)
{
    size_t examples = 0;
    for (size_t node = 0; node < NODES; node++) {
        swarm->start[node] = examples;
        examples += node % 2 ? LARGE : SMALL;
    }
    swarm->start[NODES] = examples;
    swarm->data =
        (struct dataset){.examples = examples + 400, .features = FEATURES, .classes = CLASSES};
    assert_int_equal(dataset_allocate(&swarm->data, 0, 0, NULL), STARLING_OK);
    swarm->rows = calloc(swarm->data.examples, sizeof *swarm->rows);
    assert_non_null(swarm->rows);
    struct random random = random_stream(3, 0, RANDOM_DIGIT, 0);
    size_t node = 0;
    for (uint32_t row = 0; row < swarm->data.examples; row++) {
        while (node < NODES && row >= swarm->start[node + 1])
            node++;
        uint32_t class = random_below(&random, CLASSES);
        if (node < NODES && random_uniform(&random) < .7)
            class = (uint32_t)node % CLASSES;
        swarm->rows[row] = row;
        swarm->data.labels[row] = (uint16_t) class;
        for (uint32_t i = 0; i < FEATURES; i++)
            swarm->data.floats[row * FEATURES + i] =
                (float)random_normal(&random) + (i % CLASSES == class ? 1.5f : 0);
    }
}

static void join(struct swarm *swarm, peer_id node)
{
    struct outgoing out;
    struct participant *participant = &swarm->participants[node];
    const struct gossip_storage storage = {.entries = swarm->entries[node]};
    assert_int_equal(participant_init(participant, &swarm->settings, node, &swarm->data,
                                      swarm->rows + swarm->start[node],
                                      swarm->start[node + 1] - swarm->start[node], &storage,
                                      swarm->initial, 0, NULL),
                     STARLING_OK);
    participant_start(participant, (struct now){0}, &out);
    swarm->here[node] = true;
    for (peer_id other = 0; other < NODES; other++)
        if (other != node && swarm->here[other]) {
            gossip_peer_up(&participant->gossip, other);
            gossip_peer_up(&swarm->participants[other].gossip, node);
        }
}

static struct swarm *set_up(void)
{
    struct swarm *swarm = calloc(1, sizeof *swarm);
    assert_non_null(swarm);
    make_data(swarm);
    swarm->model = model_new("linear", shape_flat(FEATURES, CLASSES), NULL);
    swarm->initial = version_of(vector_new(model_parameters(swarm->model)));
    swarm->settings = (struct participant_settings){
        .model = swarm->model,
        .learn = {.rate = .1, .decay = 1e-4, .rate_floor = .1, .batch = 8, .epochs = 1},
        .gossip = {.period_us = 1000,
                   .jitter = .1,
                   .fanout = 1,
                   .view = VIEW,
                   .inbox = INBOX,
                   .shuffle_most = 10,
                   .merge = {.rule = merge_rule_find("limited"), .age_limit = 1, .alpha_max = 1},
                   .readout = true,
                   .fragments = 1,
                   .sample = 1,
                   .parameters = model_parameters(swarm->model),
                   .seed = 4},
        .seed = 4,
    };
    return swarm;
}

static void tear_down(struct swarm *swarm)
{
    for (size_t node = 0; node < NODES; node++)
        if (swarm->here[node])
            participant_clear(&swarm->participants[node]);
    assert_int_equal(atomic_load(&swarm->initial->references), 1);
    version_release(&swarm->initial);
    model_free(&swarm->model);
    dataset_clear(&swarm->data);
    workspace_free(&swarm->workspace);
    free(swarm->rows);
    free(swarm);
}

/* Delivers what a call left to its driver, at once, and what that leaves, and so on. */
static void deliver(struct swarm *swarm, peer_id from, struct outgoing *out)
{
    struct outgoing *answer = malloc(sizeof *answer);
    assert_non_null(answer);
    for (size_t i = 0; i < out->count; i++) {
        peer_id to = out->sends[i].to;
        assert_true(swarm->here[to]);
        assert_int_equal(participant_receive(&swarm->participants[to], from, &out->sends[i].message,
                                             (struct now){0}, answer),
                         REFUSED_NOT);
        deliver(swarm, to, answer);
    }
    free(answer);
}

static void live(struct swarm *swarm, int rounds)
{
    struct outgoing *out = malloc(sizeof *out);
    assert_non_null(out);
    for (int round = 0; round < rounds; round++)
        for (peer_id node = 0; node < NODES; node++) {
            if (!swarm->here[node])
                continue;
            struct participant *participant = &swarm->participants[node];
            struct now now = {participant_deadline(participant), 0};
            participant_tick(participant, now, out);
            assert_true(out->has_work);
            struct work work = out->work;
            deliver(swarm, node, out);
            work_run(&work, &swarm->workspace);
            participant_done(participant, now, out);
            deliver(swarm, node, out);
        }
    free(out);
}

static double accuracy(struct swarm *swarm, peer_id node)
{
    struct examples test = {&swarm->data, swarm->rows + swarm->start[NODES], 400, NULL};
    assert_true(workspace_reset(&swarm->workspace, evaluation_workspace(swarm->model)));
    struct evaluation evaluation =
        evaluate(swarm->model, participant_readout(&swarm->participants[node])->values, &test,
                 &swarm->workspace);
    return evaluation_accuracy(&evaluation);
}

static double mean_accuracy(struct swarm *swarm, size_t nodes)
{
    double sum = 0;
    for (peer_id node = 0; node < nodes; node++)
        sum += accuracy(swarm, node);
    return sum / (double)nodes;
}

/* Ages count passes, so a node with little data is heard as one with much, and both learn what
 * neither could alone. */
static void nodes_of_unequal_size_and_taste_agree(void **state)
{
    (void)state;
    struct swarm *swarm = set_up();
    for (peer_id node = 0; node < NODES; node++)
        join(swarm, node);
    live(swarm, 60);
    for (peer_id node = 0; node < NODES; node++) {
        const struct gossip *gossip = &swarm->participants[node].gossip;
        assert_true(accuracy(swarm, node) > .77); /* all data in one place: about .80 */
        assert_true(gossip->age >= 60 && gossip->age <= 180);
        assert_true(gossip->counters.merged > 3 * gossip->counters.ignored);
    }
    tear_down(swarm);
}

/* A newcomer takes the swarm's age and model over with the first one it hears, and serves as good a
 * read-out as the others a few rounds later; nobody else is set back. */
static void a_late_joiner_catches_up_and_sets_nobody_back(void **state)
{
    (void)state;
    struct swarm *swarm = set_up();
    for (peer_id node = 0; node < LATE; node++)
        join(swarm, node);
    live(swarm, 60);
    double before = mean_accuracy(swarm, LATE);
    join(swarm, LATE);
    live(swarm, 12);
    assert_true(mean_accuracy(swarm, LATE) > before - .02);
    assert_true(accuracy(swarm, LATE) > before - .05);
    assert_true(swarm->participants[LATE].gossip.age >= 70);
    tear_down(swarm);
}

/* What came back from a long absence is old: it is not merged, and takes over what others have. */
static void a_node_long_away_comes_back_without_harm(void **state)
{
    (void)state;
    struct swarm *swarm = set_up();
    for (peer_id node = 0; node < NODES; node++)
        join(swarm, node);
    live(swarm, 20);
    swarm->here[LATE] = false;
    for (peer_id node = 0; node < LATE; node++)
        gossip_peer_down(&swarm->participants[node].gossip, LATE);
    live(swarm, 40);
    double before = mean_accuracy(swarm, LATE);
    swarm->here[LATE] = true;
    for (peer_id node = 0; node < LATE; node++)
        gossip_peer_up(&swarm->participants[node].gossip, LATE);
    live(swarm, 12);
    assert_true(mean_accuracy(swarm, LATE) > before - .02);
    assert_true(accuracy(swarm, LATE) > before - .05);
    assert_true(swarm->participants[LATE].gossip.age >= 70);
    tear_down(swarm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_of_unequal_size_and_taste_agree),
        cmocka_unit_test(a_late_joiner_catches_up_and_sets_nobody_back),
        cmocka_unit_test(a_node_long_away_comes_back_without_harm),
    };
    return cmocka_run_group_tests_name("swarm", tests, NULL, NULL);
}
