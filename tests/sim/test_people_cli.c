/* starling-sim as a person sees it who describes a network and people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/command.h"

#define FEW "--nodes 4 --rounds 2 --quiet "
#define SMALL FEW "--model linear --set sim.samples=10 "

static void what_cannot_be_is_one_line_under_its_name(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *says;
    } cases[] = {
        {"--set sim.latency=file:absent", "sim.latency: absent: No such file"},
        {"--set sim.latency=file:", "--set: sim.latency: 'file:' is no latency"},
        {"--set sim.latency=file:ragged", "sim.latency: ragged:2: a row of 1 times"},
        {"--set sim.latency=file:.", "sim.latency: .: is a folder"},
        {"--set sim.bandwidth=10", "--set: sim.bandwidth: '10' is no bandwidth"},
        {"--set sim.bandwidth=1e99Gbit/s", "--set: sim.bandwidth: '1e99Gbit/s'"},
        {"--set sim.partitions=5m", "--set: sim.partitions: '5m' is no list of splits"},
        {"--set sim.partitions=1h-2h:2", "begins when the run has ended, after 20 s"},
        {"--set sim.churn=weibull:9999,1s", "--set: sim.churn: 'weibull:9999,1s' is no churn"},
        {"--set sim.churn=daynight:1d", "--set: sim.churn: 'daynight:1d' is no churn"},
        {"--set sim.churn=file:absent", "sim.churn: absent: No such file"},
        {"--set sim.churn=file:trace", "sim.churn: trace:2: there is no node 7: sim.nodes is 4"},
        {"--set sim.churn=file:ragged", "sim.churn: ragged:1: is no stay"},
        {"--set sim.crash=all", "--set: sim.crash: 'all' is no list of crashes"},
        {"--set sim.crash=0.5@1h", "comes when the run has ended, after 20 s"},
        {"--set sim.speed=slow", "--set: sim.speed: 'slow' is no speed"},
        {"--set sim.speed=uniform:1e-9-1", "--set: sim.speed: 'uniform:1e-9-1' is no speed"},
        {"--set sim.sync=rounds --set sim.bandwidth=1Mbit/s", "sim.sync: with sim.bandwidth"},
        {"people.ini", "people.ini:2: sim.speed: 'slow' is no speed"},
    };
    if (!program[0])
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char arguments[256];
        snprintf(arguments, sizeof arguments, "run " SMALL "%s", cases[i].arguments);
        run(arguments);
        expect_line(arguments, 2, cases[i].says);
        assert_false(is_there("runs"));
    }
}

static void real_nodes_have_real_networks_and_people(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"live --set sim.bandwidth=1Mbit/s", "sim.bandwidth: real nodes talk over the real"},
        {"live --set sim.partitions=1s-2s:2", "sim.partitions: real nodes talk over the real"},
        {"live --set sim.crash=0.5@1s", "sim.crash: real nodes talk over the real"},
        {"live --set sim.speed=2", "sim.speed: real nodes talk over the real"},
        {"live --set sim.latency=file:matrix", "sim.latency: real nodes talk over the real"},
        {"live --set sim.churn=file:trace", "sim.churn: real nodes talk over the real"},
    };
    if (!program[0])
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(cases[i][0]);
        expect_line(cases[i][0], 2, cases[i][1]);
    }
}

static void digest_of(const char *folder_name, char digest[65])
{
    char name[64], text[8192];
    snprintf(name, sizeof name, "%s/summary.json", folder_name);
    read_whole(name, text, sizeof text);
    const char *at = strstr(text, "\"digest\"");
    assert_non_null(at);
    at = strchr(strchr(at, ':'), '"') + 1;
    memcpy(digest, at, 64);
    digest[64] = '\0';
}

/* What a run writes down is the whole of it, files named by the environment too. */
static void experiment_ini_gives_the_same_bits(void **state)
{
    (void)state;
    char one[65], other[65], text[16384];
    if (!program[0])
        skip();
    run_well("run " SMALL "all.ini --out one --rounds 6");
    run_well("run one/experiment.ini --quiet --out other --threads 1");
    digest_of("one", one);
    digest_of("other", other);
    assert_string_equal(one, other);
    read_whole("one/experiment.ini", text, sizeof text);
    static const char *const lines[] = {
        "\nlatency = file:matrix\n",        "\nbandwidth = lognormal:50kbit/s/1Mbit/s,0.5\n",
        "\npartitions = 10s-20s:2\n",       "\nchurn = file:stays\n",
        "\ncrash = 0.3@30s:best,0.3@40s\n", "\nspeed = uniform:0.5-2\n"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(text, lines[i]))
            fail_msg("not in experiment.ini: %s", lines[i]);
}

static void write_inputs(void)
{
    write_text("matrix", "0 20 30\n20 0 50\n30 50 0\n");
    write_text("ragged", "0 20\n20\n");
    write_text("trace", "0 0 100\n7 0 100\n");
    write_text("stays", "# two, and two like them\n0 0 100\n1 5 15\n1 25 1000\n");
    write_text("all.ini", "[sim]\nlatency = file:matrix\n"
                          "bandwidth = lognormal:50kbit/s/1Mbit/s,0.5\npartitions = 10s-20s:2\n"
                          "churn = file:stays\ncrash = 0.3@30s:best,0.3@40s\n"
                          "speed = uniform:0.5-2\n");
    write_text("people.ini", "[sim]\nspeed = slow\n");
}

static int begin(void **state)
{
    (void)state;
    if (command_begin())
        return -1;
    if (program[0])
        write_inputs();
    return 0;
}

static int end(void **state)
{
    (void)state;
    command_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_is_one_line_under_its_name),
        cmocka_unit_test(real_nodes_have_real_networks_and_people),
        cmocka_unit_test(experiment_ini_gives_the_same_bits),
    };
    return cmocka_run_group_tests_name("people at the prompt", tests, begin, end);
}
