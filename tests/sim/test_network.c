#include "sim/network.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A network by settings like {"sim.drop=0.2", NULL}, of 50 rounds. */
static struct network parsed(const char *const *pairs)
{
    static struct config config;
    struct network network;
    struct problem problem = {0};
    config_defaults(&config);
    for (size_t i = 0; pairs[i]; i++)
        assert_int_equal(config_set_pair(&config, pairs[i], "test", &problem), STARLING_OK);
    if (network_make(&config, &network, &problem))
        fail_msg("%s", problem.text);
    return network;
}

static void as_many_are_lost_as_asked_for_and_always_the_same(void **state)
{
    (void)state;
    struct network network = parsed((const char *[]){"sim.drop=0.2", NULL});
    unsigned lost = 0;
    for (uint64_t number = 0; number < 20000; number++) {
        uint64_t delay;
        bool carried = network_carry(&network, NULL, 1, number, 2, 100, 0, &delay);
        assert_int_equal(carried, network_carry(&network, NULL, 1, number, 2, 100, 0, &delay));
        lost += !carried;
    }
    assert_in_range(lost, 3800, 4200);
}

/* Latency on top of the bytes over the line, which what is lost takes too. */
static void a_line_adds_to_the_latency(void **state)
{
    (void)state;
    struct network network =
        parsed((const char *[]){"sim.drop=0.5", "sim.bandwidth=1Mbit/s", NULL});
    assert_true(network_has_lines(&network));
    assert_int_equal(network_least_us(&network), 50000);
    assert_true(network_most_us(&network) == UINT64_MAX);
    uplink line = 0;
    unsigned lost = 0;
    for (uint64_t number = 0; number < 1000; number++) {
        uint64_t delay;
        bool carried = network_carry(&network, &line, 1, number, 2, 1000, 0, &delay);
        lost += !carried;
        assert_true(!carried || delay == 50000 + 8000 * (number + 1));
    }
    assert_in_range(lost, 400, 600);
    assert_int_equal(line, 8000000);
}

static void nothing_goes_through_a_split(void **state)
{
    (void)state;
    struct network network = parsed((const char *[]){"sim.partitions=100s-200s:2", NULL});
    unsigned there = 0;
    for (peer_id to = 1; to < 1000; to++) {
        uint64_t delay;
        assert_true(network_carry(&network, NULL, 0, to, to, 100, 99000000, &delay));
        assert_true(network_carry(&network, NULL, 0, to, to, 100, 200000000, &delay));
        bool carried = network_carry(&network, NULL, 0, to, to, 100, 150000000, &delay);
        assert_int_equal(carried, network_carry(&network, NULL, to, 9, 0, 1, 150000000, &delay));
        there += carried;
    }
    assert_in_range(there, 430, 570);
}

static void bad_settings_are_refused_each_under_its_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"sim.latency=soon", "sim.latency: 'soon'"},
                                           {"sim.bandwidth=much", "sim.bandwidth: 'much'"},
                                           {"sim.partitions=two", "sim.partitions: 'two'"},
                                           {"sim.partitions=500s-900s:2", "after 500 s"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct network network;
        struct problem problem = {0};
        config_defaults(&config);
        assert_int_equal(config_set_pair(&config, cases[i][0], "test", &problem), STARLING_OK);
        assert_int_equal(network_parse(&config, &network, &problem), STARLING_INVALID);
        if (!strstr(problem.text, cases[i][1]))
            fail_msg("%s: %s", cases[i][0], problem.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_settings_are_refused_each_under_its_name),
        cmocka_unit_test(a_line_adds_to_the_latency),
        cmocka_unit_test(nothing_goes_through_a_split),
        cmocka_unit_test(as_many_are_lost_as_asked_for_and_always_the_same),
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
