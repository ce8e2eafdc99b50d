#include "sim/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "model/vector.h"
#include "sim/measure.h"
#include "tests/sim/setting.h"

static void the_digest_is_the_same_for_any_number_of_threads(void **state)
{
    (void)state;
    struct outcome one = run(1, 6, NULL);
    for (size_t threads = 2; threads <= 5; threads++) {
        struct outcome more = run(threads, 6, NULL);
        assert_string_equal(more.digest, one.digest);
        assert_int_equal(more.counts.bytes, one.counts.bytes);
        assert_int_equal(more.counts.updates, one.counts.updates);
    }
    static const char *const other[] = {"sim.seed=2", NULL};
    struct outcome another = run(2, 6, other);
    assert_string_not_equal(another.digest, one.digest);
}

static void the_codec_changes_neither_digest_nor_bytes(void **state)
{
    (void)state;
    static const char *const cases[][4] = {
        {"sim.wire=off", NULL},
        {"sim.wire=off", "gossip.exchange=pushpull", "gossip.fanout=3", NULL},
        {"sim.wire=off", "sim.drop=0.3", "gossip.view=4", NULL},
        {"sim.wire=off", "gossip.merge=uniform", "gossip.fanout=5", NULL},
        {"sim.wire=off", "gossip.exchange=pull", "gossip.fanout=2", NULL},
        {"sim.wire=off", "gossip.flow=token", "gossip.token_least=2", NULL},
        {"sim.wire=off", "task.agree=on", "task.scale=standard", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *wire[5] = {"sim.wire=on"};
        for (size_t j = 1; j < 4 && cases[i][j]; j++)
            wire[j] = cases[i][j];
        struct outcome plain = run(2, 6, cases[i]), coded = run(2, 6, wire);
        assert_string_equal(plain.digest, coded.digest);
        assert_int_equal(plain.counts.bytes, coded.counts.bytes);
        assert_int_equal(plain.counts.messages, coded.counts.messages);
        assert_int_equal(coded.counts.rejected, 0);
    }
}

/* So many nodes that each thread lives through the events of its own share. */
static void many_nodes_live_side_by_side_with_the_same_digest(void **state)
{
    (void)state;
    char path[] = "/tmp/starling-world-XXXXXX", data[128];
    int file = mkstemp(path);
    assert_true(file >= 0);
    FILE *rows = fdopen(file, "w");
    struct random random = random_stream(1, 0, RANDOM_SPLIT, 0);
    for (int i = 0; i < 200; i++) {
        double x = random_normal(&random), y = random_normal(&random);
        fprintf(rows, "%g,%g,%d\n", x, y, x + y > 0);
    }
    fclose(rows);
    snprintf(data, sizeof data, "task.data=csv:%s", path);
    const char *const pairs[] = {data,
                                 "task.model=linear",
                                 "sim.partition=draw:1",
                                 "sim.samples=0",
                                 "sim.nodes=9000",
                                 "sim.latency=uniform:40ms-25s",
                                 "sim.drop=0.2",
                                 "sim.churn=exp:60s,10s",
                                 "gossip.exchange=pushpull",
                                 NULL};
    struct outcome one = run(1, 4, pairs);
    assert_in_range(one.counts.passes, 9000 * 3, 9000 * 4);
    for (size_t threads = 2; threads <= 4; threads++) {
        struct outcome more = run(threads, 4, pairs);
        assert_string_equal(more.digest, one.digest);
        assert_int_equal(more.counts.events, one.counts.events);
        assert_int_equal(more.counts.bytes, one.counts.bytes);
        assert_int_equal(more.counts.dropped, one.counts.dropped);
        assert_int_equal(more.counts.updates, one.counts.updates);
        assert_int_equal(more.counts.samples, one.counts.samples);
    }
    static const char *const plain[] = {
        NULL, "task.model=linear", "sim.partition=draw:1", "sim.samples=0", "sim.nodes=9000", NULL};
    const char *ordinary[6];
    memcpy(ordinary, plain, sizeof plain);
    ordinary[0] = data;
    struct setting setting;
    set_up(&setting, 2, ordinary);
    live(&setting, 2);
    assert_true(world_bytes_per_node(setting.world) < 1024);
    tear_down(&setting);
    unlink(path);
}

static void living_on_is_the_same_as_living_at_once(void **state)
{
    (void)state;
    struct setting setting;
    char digest[65];
    set_up(&setting, 2, NULL);
    for (uint64_t round = 1; round <= 6; round++)
        live(&setting, round);
    world_digest(setting.world, digest);
    tear_down(&setting);
    assert_string_equal(digest, run(2, 6, NULL).digest);
}

static void what_is_sent_arrives_is_lost_or_is_under_way(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.drop=0.25", NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    live(&setting, 20);
    const struct world_counts *counts = world_counts(setting.world);
    uint64_t in = 0, out = 0, bytes_out = 0;
    for (size_t node = 0; node < 12; node++) {
        in += world_traffic(setting.world, node)->messages_in;
        out += world_traffic(setting.world, node)->messages_out;
        bytes_out += world_traffic(setting.world, node)->bytes_out;
    }
    assert_int_equal(out, counts->messages);
    assert_int_equal(bytes_out, counts->bytes);
    assert_in_range(out - in - counts->dropped, 0, 12);
    assert_true(counts->dropped > out / 8 && counts->dropped < out / 2);
    /* one pass a period, whoever was heard: 12 nodes, 20 periods, jitter at the ends */
    assert_in_range(counts->passes, 12 * 20 - 12, 12 * 20 + 12);
    tear_down(&setting);
}

static void one_node_alone_learns(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.nodes=1", "sim.samples=600", "task.model=linear",
                                        NULL};
    struct setting setting;
    struct measured before, after;
    set_up(&setting, 1, pairs);
    const struct version *served = participant_readout(world_participant(setting.world, 0));
    measure(setting.experiment, setting.pool, &served, NULL, 1, 1000, &before);
    live(&setting, 20);
    served = participant_readout(world_participant(setting.world, 0));
    measure(setting.experiment, setting.pool, &served, NULL, 1, 1000, &after);
    assert_true(after.accuracy > before.accuracy + .3);
    assert_int_equal(world_counts(setting.world)->messages, 0);
    tear_down(&setting);
}

static void parameters_stay_finite_at_an_absurd_rate(void **state)
{
    (void)state;
    static const char *const pairs[] = {"learn.rate=1000", "sim.nodes=6", NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    live(&setting, 10);
    for (size_t node = 0; node < 6; node++)
        assert_true(vector_finite(world_participant(setting.world, node)->gossip.published->values,
                                  model_parameters(setting.experiment->model)));
    tear_down(&setting);
}

/* One synchronous round of D-PSGD (Lian et al. 2017, Algorithm 1, averaging before the step):
 * w_i = (w_i + Σ_j w_j) / (1 + degree), then a pass; at the first there is nothing to average. */
static void synchronous_rounds_on_a_graph_are_d_psgd(void **state)
{
    (void)state;
    enum { ROUNDS = 4, NODES = 12, DEGREE = 3 };
    static const char *const pairs[] = {"sim.sync=rounds",
                                        "sim.topology=regular:3",
                                        "gossip.fanout=3",
                                        "gossip.merge=uniform",
                                        "gossip.readout=off",
                                        "gossip.inbox=1",
                                        NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    live(&setting, ROUNDS);
    const struct world_counts *counts = world_counts(setting.world);
    assert_int_equal(counts->passes, NODES * ROUNDS);
    assert_int_equal(counts->messages, NODES * ROUNDS * DEGREE); /* and no shuffles */
    assert_int_equal(counts->updates, NODES * (ROUNDS - 1) * DEGREE);

    const struct experiment *experiment = setting.experiment;
    const struct participant_settings *settings = &experiment->settings;
    size_t count = model_parameters(experiment->model);
    struct version *initial = experiment_initial(experiment);
    struct workspace workspace = {0};
    float *old[NODES], *new[NODES];
    for (size_t i = 0; i < NODES; i++) {
        old[i] = vector_new(count);
        new[i] = vector_new(count);
        memcpy(old[i], initial->values, count * sizeof(float));
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < NODES; i++) {
            const struct participant *participant = world_participant(setting.world, i);
            size_t degree;
            const peer_id *peers = topology_neighbours(&experiment->topology, i, &degree);
            assert_int_equal(degree, DEGREE);
            memcpy(new[i], old[i], count * sizeof(float));
            for (size_t j = 0; j < degree && round > 0; j++)
                vector_add_scaled(new[i], old[peers[j]], 1, count);
            vector_scale(new[i], round > 0 ? 1.0F / (1 + DEGREE) : 1, count);
            const struct examples examples = {.data = participant->data,
                                              .rows = participant->train,
                                              .count = participant->train_count};
            struct pass_report report;
            assert_true(workspace_reset(
                &workspace, learner_workspace(settings->model, &settings->learn, examples.count)));
            learner_pass(settings->model, &settings->learn, &examples, round,
                         random_stream(settings->seed, (uint32_t)i, RANDOM_BATCH, (uint64_t)round),
                         new[i], NULL, &workspace, &report);
        }
        for (size_t i = 0; i < NODES; i++)
            memcpy(old[i], new[i], count * sizeof(float));
    }
    for (size_t i = 0; i < NODES; i++) {
        const float *got = participant_readout(world_participant(setting.world, i))->values;
        double distance = sqrt(vector_distance2(got, old[i], count));
        if (distance > 1e-4)
            fail_msg("node %zu is %g from D-PSGD", i, distance);
        /* and its round ends with the average */
        size_t degree;
        const peer_id *peers = topology_neighbours(&experiment->topology, i, &degree);
        memcpy(new[i], old[i], count * sizeof(float));
        for (size_t j = 0; j < degree; j++)
            vector_add_scaled(new[i], old[peers[j]], 1, count);
        vector_scale(new[i], 1.0F / (1 + DEGREE), count);
        struct version *merged = participant_merged(world_participant(setting.world, i));
        distance = sqrt(vector_distance2(merged->values, new[i], count));
        if (distance > 1e-4)
            fail_msg("node %zu is %g from the average of D-PSGD", i, distance);
        version_release(&merged);
    }
    for (size_t i = 0; i < NODES; i++) {
        vector_free(old[i]);
        vector_free(new[i]);
    }
    workspace_free(&workspace);
    version_release(&initial);
    tear_down(&setting);
}

static void a_static_view_is_the_neighbours_for_good(void **state)
{
    (void)state;
    static const char *const topologies[] = {"sim.topology=ring", "sim.topology=regular:4"};
    for (size_t t = 0; t < 2; t++) {
        const char *const pairs[] = {topologies[t], "gossip.exchange=pushpull", "sim.drop=0.2",
                                     "task.model=linear", NULL};
        struct setting setting;
        set_up(&setting, 2, pairs);
        live(&setting, 25);
        for (size_t node = 0; node < 12; node++) {
            size_t count;
            const peer_id *peers = topology_neighbours(&setting.experiment->topology, node, &count);
            const struct view *view = &world_participant(setting.world, node)->gossip.view;
            assert_int_equal(view->count, count);
            for (size_t i = 0; i < count; i++)
                assert_true(view_has(view, peers[i]));
        }
        tear_down(&setting);
    }
}

static void in_a_full_topology_anybody_may_be_met(void **state)
{
    (void)state;
    enum { NODES = 40, ROUNDS = 50 };
    static const char *const pairs[] = {"sim.topology=full",
                                        "sim.nodes=40",
                                        "gossip.view=4",
                                        "task.model=linear",
                                        "sim.samples=1",
                                        "task.data=synth:writers",
                                        NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    live(&setting, ROUNDS);
    const struct world_counts *counts = world_counts(setting.world);
    assert_in_range(counts->messages, NODES * (ROUNDS - 1), NODES * (ROUNDS + 1));
    for (size_t node = 0; node < NODES; node++) /* Poisson around the rounds */
        assert_in_range(world_traffic(setting.world, node)->messages_in, 20, 85);
    tear_down(&setting);
}

static void the_bits_do_not_depend_on_threads_or_codec_anywhere(void **state)
{
    (void)state;
    static const char *const topologies[] = {"sim.topology=full", "sim.topology=ring",
                                             "sim.topology=regular:4"};
    for (size_t i = 0; i < 3; i++) {
        const char *view = i == 0 ? "gossip.view=3" : "gossip.inbox=3"; /* others' is fixed */
        const char *const plain[] = {topologies[i], "gossip.fanout=2", view, NULL};
        const char *const wire[] = {topologies[i], "gossip.fanout=2", view,
                                    "sim.wire=on", "sim.sync=off",    NULL};
        struct outcome one = run(1, 6, plain), more = run(3, 6, plain), coded = run(2, 6, wire);
        assert_string_equal(one.digest, more.digest);
        assert_string_equal(one.digest, coded.digest);
    }
}

static void a_round_that_is_too_short_for_its_messages_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool fits;
    } cases[] = {
        {"sim.latency=constant:9s", "gossip.exchange=push", true},
        {"sim.latency=constant:10s", "gossip.exchange=push", false},
        {"sim.latency=uniform:1ms-10s", "gossip.exchange=push", false},
        {"sim.latency=lognormal:50ms,0.5", "gossip.exchange=push", false},
        {"sim.latency=constant:4s", "gossip.exchange=pushpull", true},
        {"sim.latency=constant:5s", "gossip.exchange=pushpull", false},
        {"sim.latency=constant:5s", "gossip.exchange=pull", false},
        {"sim.latency=constant:5s", "sim.compute=1ms", false},
        {"sim.latency=constant:1s", "gossip.flow=token", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_in_step("sim.nodes=4", cases[i].first, cases[i].second, cases[i].fits);
}

static void who_is_away_sends_hears_and_learns_nothing(void **state)
{
    (void)state;
    enum { NODES = 60, ROUNDS = 40 };
    static const char *const pairs[] = {"sim.churn=exp:40s,60s",   "sim.nodes=60",
                                        "sim.samples=10",          "task.model=linear",
                                        "task.data=synth:writers", NULL};
    struct setting setting;
    struct problem problem = {0};
    set_up(&setting, 2, pairs);
    static struct world_traffic before[NODES];
    static uint64_t works[NODES];
    bool was_there[NODES];
    uint64_t reached, quiet = 0;
    double there = 0;
    /* a tenth of a round at a time: who is away at both ends was mostly away between them too */
    for (uint64_t step = 1; step <= 10 * ROUNDS; step++) {
        size_t online = 0;
        for (size_t i = 0; i < NODES; i++) {
            before[i] = *world_traffic(setting.world, i);
            works[i] = world_participant(setting.world, i)->works;
            was_there[i] = world_is_online(setting.world, i);
        }
        assert_int_equal(world_live(setting.world, step * PERIOD_US / 10, NULL, &reached, &problem),
                         STARLING_OK);
        for (size_t i = 0; i < NODES; i++) {
            const struct world_traffic *after = world_traffic(setting.world, i);
            bool is_there = world_is_online(setting.world, i);
            online += is_there;
            if (was_there[i] || is_there)
                continue;
            quiet++;
            /* a visit of less than a second happens, but hardly with a round or a message in it */
            assert_in_range(after->messages_out - before[i].messages_out, 0, 2);
            assert_in_range(world_participant(setting.world, i)->works - works[i], 0, 1);
        }
        assert_int_equal(online, world_online(setting.world));
        there += (double)online / NODES / (10 * ROUNDS);
    }
    assert_true(quiet > NODES);
    assert_true(there > .3 && there < .5);
    const struct world_counts *counts = world_counts(setting.world);
    double share = (double)counts->passes / (NODES * ROUNDS);
    assert_true(fabs(share - there) < .03); /* in their phase: a pass a period that it is there */
    uint64_t in = 0;
    for (size_t i = 0; i < NODES; i++)
        in += world_traffic(setting.world, i)->messages_in;
    assert_in_range(counts->messages - in - counts->dropped, 0, NODES);
    assert_true((double)counts->dropped > .5 * (double)counts->messages);
    tear_down(&setting);
}

static void nobody_there_is_no_trouble(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.churn=exp:1ms,100000s", "sim.nodes=3",
                                        "task.model=linear", NULL};
    struct setting setting;
    set_up(&setting, 1, pairs);
    live(&setting, 5);
    assert_int_equal(world_online(setting.world), 0);
    assert_int_equal(world_counts(setting.world)->passes, 0);
    tear_down(&setting);
}

static void the_bits_of_all_failures_depend_on_the_seed_alone(void **state)
{
    (void)state;
    static const char *const plain[] = {"sim.preset=af", "gossip.exchange=pushpull", NULL};
    static const char *const wire[] = {"sim.preset=af", "gossip.exchange=pushpull", "sim.wire=on",
                                       NULL};
    struct outcome one = run(1, 15, plain), more = run(3, 15, plain), coded = run(2, 15, wire);
    assert_string_equal(one.digest, more.digest);
    assert_string_equal(one.digest, coded.digest);
    assert_int_equal(one.counts.events, more.counts.events);
    assert_int_equal(one.counts.dropped, coded.counts.dropped);
    assert_true(2 * one.counts.dropped > one.counts.messages);
}

static void a_preset_leaves_alone_what_is_given(void **state)
{
    (void)state;
    static const struct {
        const char *pair, *latency, *churn;
        double drop;
    } cases[] = {
        {"sim.preset=none", "constant:50ms", "none", 0},
        {"sim.preset=af", "uniform:10s-100s", "lognormal:0,1,0.9", .5},
        {"gossip.period=1500ms", "uniform:1500ms-15s", "lognormal:0,1,0.9", .5},
        {"sim.drop=0", "uniform:10s-100s", "lognormal:0,1,0.9", 0},
        {"sim.latency=constant:50ms", "constant:50ms", "lognormal:0,1,0.9", .5},
        {"sim.churn=none", "uniform:10s-100s", "none", .5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct problem problem = {0};
        config_defaults(&config);
        const char *const pairs[] = {"sim.preset=af", "task.model=linear", "sim.nodes=4",
                                     "sim.samples=30", cases[i].pair};
        for (size_t j = 0; j < sizeof pairs / sizeof *pairs; j++)
            assert_int_equal(config_set_pair(&config, pairs[j], "test", &problem), STARLING_OK);
        struct experiment *experiment = experiment_new(&config, false, &problem);
        if (!experiment)
            fail_msg("%s: %s", cases[i].pair, problem.text);
        assert_string_equal(experiment->config.sim.latency, cases[i].latency);
        assert_string_equal(experiment->config.sim.churn, cases[i].churn);
        assert_true(experiment->config.sim.drop == cases[i].drop);
        experiment_free(&experiment);
    }
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_is_the_same_for_any_number_of_threads),
        cmocka_unit_test(the_codec_changes_neither_digest_nor_bytes),
        cmocka_unit_test(many_nodes_live_side_by_side_with_the_same_digest),
        cmocka_unit_test(living_on_is_the_same_as_living_at_once),
        cmocka_unit_test(what_is_sent_arrives_is_lost_or_is_under_way),
        cmocka_unit_test(one_node_alone_learns),
        cmocka_unit_test(synchronous_rounds_on_a_graph_are_d_psgd),
        cmocka_unit_test(a_static_view_is_the_neighbours_for_good),
        cmocka_unit_test(in_a_full_topology_anybody_may_be_met),
        cmocka_unit_test(the_bits_do_not_depend_on_threads_or_codec_anywhere),
        cmocka_unit_test(a_round_that_is_too_short_for_its_messages_is_refused),
        cmocka_unit_test(who_is_away_sends_hears_and_learns_nothing),
        cmocka_unit_test(nobody_there_is_no_trouble),
        cmocka_unit_test(the_bits_of_all_failures_depend_on_the_seed_alone),
        cmocka_unit_test(a_preset_leaves_alone_what_is_given),
        cmocka_unit_test(parameters_stay_finite_at_an_absurd_rate),
    };
    return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
