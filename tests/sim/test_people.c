/* A network and people like real ones, in whole worlds. */
#include "sim/world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "sim/crash_world.h"
#include "sim/measure.h"
#include "tests/model/files.h"
#include "tests/sim/setting.h"

#define ROUND_US ((uint64_t)PERIOD_US)

/* Each of them alone, and all at once. */
static const char *const people[][8] = {
    {"sim.bandwidth=200kbit/s", NULL},
    {"sim.bandwidth=lognormal:200kbit/s/800kbit/s,1", "gossip.fanout=3", NULL},
    {"sim.partitions=20s-60s:2,50s-90s:0.3", NULL},
    {"sim.speed=lognormal:1", "sim.compute=10us", NULL},
    {"sim.churn=weibull:0.5,40s,0.7", NULL},
    {"sim.churn=daynight:60s,0.9,0.3,0.25", NULL},
    {"sim.bandwidth=lognormal:200kbit/s,1", "sim.partitions=20s-60s:2", "sim.speed=uniform:0.1-2",
     "sim.compute=10us", "sim.churn=daynight:60s,0.9,0.3", "gossip.exchange=pushpull",
     "sim.drop=0.1", NULL},
};
#define CASES (sizeof people / sizeof *people)

/* Lives on with the crashes of the experiment. */
static void live_on(struct setting *setting, uint64_t until_us)
{
    struct problem problem = {0};
    uint64_t reached;
    if (crash_world_live(setting->world, setting->experiment, setting->pool, until_us, NULL,
                         &reached, &problem))
        fail_msg("%s", problem.text);
    assert_true(reached == until_us);
}

static void the_bits_do_not_depend_on_threads_or_codec(void **state)
{
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const char *pairs[10] = {NULL};
        size_t count = 0;
        for (; people[i][count]; count++)
            pairs[count] = people[i][count];
        struct outcome one = run(1, 12, pairs), more = run(3, 12, pairs);
        pairs[count] = "sim.wire=on";
        struct outcome coded = run(2, 12, pairs);
        assert_string_equal(one.digest, more.digest);
        assert_string_equal(one.digest, coded.digest);
        assert_int_equal(one.counts.events, more.counts.events);
        assert_int_equal(one.counts.dropped_bytes, coded.counts.dropped_bytes);
        assert_true(one.counts.passes > 20);
    }
}

/* Many nodes, so that each thread has some of its own. */
static void nor_do_they_where_threads_have_nodes_of_their_own(void **state)
{
    (void)state;
    static const char *const pairs[] = {
        "sim.nodes=4000",           "sim.samples=10",
        "task.model=linear",        "task.data=synth:writers?writers=4000",
        "learn.holdout=0",          "sim.bandwidth=lognormal:50kbit/s,1",
        "sim.partitions=10s-40s:2", "sim.churn=weibull:0.5,40s,0.7",
        "sim.speed=uniform:0.1-2",  NULL};
    struct outcome one = run(1, 5, pairs), more = run(2, 5, pairs);
    assert_string_equal(one.digest, more.digest);
    assert_int_equal(one.counts.events, more.counts.events);
    assert_int_equal(one.counts.bytes, more.counts.bytes);
    assert_int_equal(one.counts.dropped_bytes, more.counts.dropped_bytes);
}

/* At all times; and when none is under way, sent is received and lost, to the byte. */
static void bytes_sent_are_received_or_lost(void **state)
{
    (void)state;
    enum { STEP_US = 250000, STEPS = 480 };
    for (size_t i = 0; i < CASES; i++) {
        struct setting setting;
        unsigned still = 0;
        set_up(&setting, 1, people[i]);
        for (uint64_t step = 1; step <= STEPS; step++) {
            live_on(&setting, step * STEP_US);
            const struct world_counts *counts = world_counts(setting.world);
            uint64_t messages = counts->dropped, bytes = counts->dropped_bytes;
            for (size_t node = 0; node < 12; node++) {
                messages += world_traffic(setting.world, node)->messages_in;
                bytes += world_traffic(setting.world, node)->bytes_in;
            }
            assert_true(messages <= counts->messages && bytes <= counts->bytes);
            assert_int_equal(messages == counts->messages, bytes == counts->bytes);
            still += messages == counts->messages;
        }
        if (still < 5)
            fail_msg("case %zu: none under way at %u times of %d", i, still, STEPS);
        tear_down(&setting);
    }
}

/* Only while it lasts is anything lost. */
static void a_split_loses_messages_until_it_heals(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.partitions=50s-100s:2", "sim.nodes=40", NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    const struct world_counts *counts = world_counts(setting.world);
    live_on(&setting, 5 * ROUND_US - 1000000);
    assert_int_equal(counts->dropped, 0);
    uint64_t before = counts->messages;
    live_on(&setting, 10 * ROUND_US);
    uint64_t dropped = counts->dropped, sent = counts->messages - before;
    assert_true((double)dropped > .3 * (double)sent && (double)dropped < .6 * (double)sent);
    live_on(&setting, 15 * ROUND_US);
    assert_int_equal(counts->dropped, dropped);
    tear_down(&setting);
}

/* A pass takes a node's own time; who needs more than a round makes fewer. */
static void slow_nodes_make_fewer_passes(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.speed=uniform:0.05-2", "sim.compute=400us",
                                        "sim.nodes=40", "task.data=synth:writers?writers=40", NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    live_on(&setting, 40 * ROUND_US);
    for (size_t node = 0; node < 40; node++) {
        const struct participant *participant = world_participant(setting.world, node);
        double speed = speed_of(&setting.experiment->speed, (peer_id)node);
        double pass_s = (double)experiment_pass_us(setting.experiment, (peer_id)node,
                                                   participant->train_count) *
                        1e-6;
        double alike_s = (double)participant->train_count *
                         (double)model_parameters(setting.experiment->model) * 400e-6;
        assert_true(fabs(pass_s - alike_s / speed) < 1e-3);
        double most = fmin(40, 400 / pass_s); /* the next begins with a round that finds it done */
        double works = (double)participant->works;
        if (works > most + 2 || works < 400 / (pass_s + 11) - 2)
            fail_msg("node %zu, %g s a pass: %g passes", node, pass_s, works);
    }
    tear_down(&setting);
}

static void narrow_lines_hold_models_back(void **state)
{
    (void)state;
    static const char *const lines[] = {"sim.bandwidth=off", "sim.bandwidth=400kbit/s",
                                        "sim.bandwidth=20kbit/s"};
    uint64_t in[3] = {0}, dropped[3];
    for (size_t i = 0; i < 3; i++) {
        const char *const pairs[] = {lines[i], "task.model=mlp:32", NULL}; /* 102 kB */
        struct setting setting;
        set_up(&setting, 2, pairs);
        live_on(&setting, 20 * ROUND_US);
        for (size_t node = 0; node < 12; node++)
            in[i] += world_traffic(setting.world, node)->bytes_in;
        dropped[i] = world_counts(setting.world)->dropped;
        tear_down(&setting);
    }
    assert_true(in[1] < in[0]); /* 2 s a model: some are under way at the end */
    if ((double)in[1] < .8 * (double)in[0])
        fail_msg("%llu bytes came, %llu without lines", (unsigned long long)in[1],
                 (unsigned long long)in[0]);
    assert_true(in[2] <= 12 * 20000 / 8 * 200); /* the line's bytes */
    assert_int_equal(dropped[0], 0);
    assert_int_equal(dropped[1], 0);
    assert_true(dropped[2] > 0); /* more than ten rounds wait */
}

static void a_trace_is_what_happens(void **state)
{
    (void)state;
    static char churn[4096];
    snprintf(churn, sizeof churn, "sim.churn=file:%s",
             files_text("trace", "0 0 1e6\n1 15 35\n1 55 75\n2 0 25\n"));
    const char *const pairs[] = {churn, NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    static const bool there[][3] = {{1, 0, 1}, {1, 1, 1}, {1, 1, 0}, {1, 0, 0},
                                    {1, 0, 0}, {1, 1, 0}, {1, 1, 0}, {1, 0, 0}};
    for (uint64_t round = 1; round <= 8; round++) {
        live_on(&setting, round * ROUND_US);
        size_t online = 0;
        for (size_t node = 0; node < 12; node++) {
            assert_int_equal(world_is_online(setting.world, node), there[round - 1][node % 3]);
            online += there[round - 1][node % 3];
        }
        assert_int_equal(world_online(setting.world), online);
    }
    tear_down(&setting);
}

/* Its bits do not depend on threads either, nor on when anyone looks. */
static void who_crashed_is_gone_for_good(void **state)
{
    (void)state;
    enum { NODES = 40 };
    static const char *const pairs[] = {"sim.crash=0.25@35s,0.5@55s:best", "sim.nodes=40",
                                        "sim.churn=exp:100s,10s", NULL};
    char digests[2][65];
    for (size_t threads = 1; threads <= 2; threads++) {
        struct setting setting;
        uint64_t works[NODES], out[NODES];
        set_up(&setting, threads, pairs);
        live_on(&setting, 3 * ROUND_US);
        live_on(&setting, 3 * ROUND_US + 5500000);
        size_t gone = 0;
        for (size_t node = 0; node < NODES; node++) {
            gone += world_is_gone(setting.world, node);
            works[node] = world_participant(setting.world, node)->works;
            out[node] = world_traffic(setting.world, node)->messages_out;
        }
        assert_int_equal(gone, 10);
        live_on(&setting, 20 * ROUND_US);
        size_t online = 0, alike = 0;
        gone = 0;
        for (size_t node = 0; node < NODES; node++) {
            bool is_gone = world_is_gone(setting.world, node);
            gone += is_gone;
            online += world_is_online(setting.world, node);
            assert_false(is_gone && world_is_online(setting.world, node));
            alike += is_gone && works[node] == world_participant(setting.world, node)->works &&
                     out[node] == world_traffic(setting.world, node)->messages_out;
        }
        assert_int_equal(gone, 25); /* 10, and 15 of the 30 that were left */
        assert_true(alike >= 10);
        assert_int_equal(world_online(setting.world), online);
        assert_true(online <= 15 && online > 8);
        world_digest(setting.world, digests[threads - 1]);
        tear_down(&setting);
    }
    assert_string_equal(digests[0], digests[1]);
}

/* All who crashed were at least as good as all who did not. */
static void the_best_crash_when_asked_to(void **state)
{
    (void)state;
    enum { NODES = 40 };
    static const char *const pairs[] = {"sim.crash=0.3@45s:best", "sim.nodes=40",
                                        "task.data=synth:writers?writers=40",
                                        "sim.eval_examples=300", NULL};
    struct setting setting;
    struct measured measured[NODES];
    const struct version *models[NODES];
    set_up(&setting, 2, pairs);
    live_on(&setting, 45000000);
    for (size_t node = 0; node < NODES; node++) {
        assert_false(world_is_gone(setting.world, node));
        models[node] = participant_readout(world_participant(setting.world, node));
    }
    measure(setting.experiment, setting.pool, models, NULL, NODES, 300, measured);
    live_on(&setting, 45000001);
    double worst = 1, best = 0;
    size_t gone = 0;
    for (size_t node = 0; node < NODES; node++) {
        bool is_gone = world_is_gone(setting.world, node);
        gone += is_gone;
        if (is_gone && measured[node].accuracy < worst)
            worst = measured[node].accuracy;
        if (!is_gone && measured[node].accuracy > best)
            best = measured[node].accuracy;
    }
    assert_int_equal(gone, 12);
    assert_true(worst >= best && best > 0);
    tear_down(&setting);
}

static void measured_latencies_are_what_messages_take(void **state)
{
    (void)state;
    static char latency[4096];
    snprintf(latency, sizeof latency, "sim.latency=file:%s",
             files_text("rtt", "0 600 900\n600 0 1500\n900 1500 0\n"));
    const char *const pairs[] = {latency, "sim.nodes=3", "sim.sync=rounds", NULL};
    struct setting setting;
    set_up(&setting, 2, pairs);
    assert_int_equal(network_least_us(&setting.experiment->network), 300000);
    assert_int_equal(network_most_us(&setting.experiment->network), 750000);
    const struct world_counts *counts = world_counts(setting.world);
    uint64_t in[3] = {0}, sent[3]; /* before a round, in which all send at once, and in it */
    const uint64_t times_us[] = {2 * ROUND_US, 2 * ROUND_US + 300000, 2 * ROUND_US + 750001};
    for (size_t i = 0; i < 3; i++) {
        live_on(&setting, times_us[i]);
        sent[i] = counts->messages;
        for (size_t node = 0; node < 3; node++)
            in[i] += world_traffic(setting.world, node)->messages_in;
    }
    assert_int_equal(in[0], sent[0]);
    assert_int_equal(in[1], in[0]);
    assert_true(sent[1] >= sent[0] + 3);
    assert_true(in[2] >= sent[1]);
    tear_down(&setting);
}

static void rounds_that_lines_or_slow_nodes_may_outlast_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second;
        bool fits;
    } cases[] = {
        {"sim.bandwidth=10Mbit/s", "sim.drop=0", false},
        {"sim.speed=lognormal:3", "sim.compute=100us", false},
        {"sim.speed=1000", "sim.compute=100us", true},
        {"sim.speed=0.5", "sim.compute=6ns", true},
        {"sim.partitions=1m-2m:2", "sim.crash=0.5@1m", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_in_step("sim.nodes=20", cases[i].first, cases[i].second, cases[i].fits);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_do_not_depend_on_threads_or_codec),
        cmocka_unit_test(nor_do_they_where_threads_have_nodes_of_their_own),
        cmocka_unit_test(bytes_sent_are_received_or_lost),
        cmocka_unit_test(a_split_loses_messages_until_it_heals),
        cmocka_unit_test(slow_nodes_make_fewer_passes),
        cmocka_unit_test(narrow_lines_hold_models_back),
        cmocka_unit_test(a_trace_is_what_happens),
        cmocka_unit_test(who_crashed_is_gone_for_good),
        cmocka_unit_test(the_best_crash_when_asked_to),
        cmocka_unit_test(measured_latencies_are_what_messages_take),
        cmocka_unit_test(rounds_that_lines_or_slow_nodes_may_outlast_are_refused),
    };
    return cmocka_run_group_tests_name("people", tests, files_setup, files_teardown);
}
