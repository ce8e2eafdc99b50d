#include "sim/network.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void bad_latencies_are_refused_with_advice(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",           "constant",         "constant:",           "constant:fast",
        "constant:0", "constant:999us",   "uniform:10ms",        "uniform:20ms-10ms",
        "lognormal:", "lognormal:50ms",   "lognormal:50ms,-1",   "lognormal:50ms,nan",
        "normal:5ms", "lognormal:50ms,x", "uniform:10ms-20ms-3", "constant:10d",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct network network;
        struct problem problem = {0};
        assert_int_equal(network_parse(cases[i], 0, 1, &network, &problem), STARLING_INVALID);
        assert_non_null(strstr(problem.text, "sim.latency"));
        assert_non_null(strstr(problem.text, "constant:50ms"));
    }
}

static void latencies_have_the_shape_that_was_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *latency;
        double mean_ms, least_ms, most_ms;
    } cases[] = {
        {"constant:50ms", 50, 50, 50},
        {"uniform:20ms-80ms", 50, 20, 80},
        {"lognormal:100ms,0.5", 100 * 1.1331, 1, 3600000}, /* median · exp(σ²/2) */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct network network;
        assert_int_equal(network_parse(cases[i].latency, 0, 7, &network, NULL), STARLING_OK);
        double sum = 0;
        for (uint64_t number = 0; number < 20000; number++) {
            uint64_t delay;
            assert_true(network_carry(&network, 3, number, &delay));
            double ms = (double)delay / 1000;
            assert_true(ms >= cases[i].least_ms - .01 && ms <= cases[i].most_ms + .01);
            assert_true(delay >= network_least_us(&network));
            sum += ms;
        }
        assert_true(fabs(sum / 20000 - cases[i].mean_ms) < cases[i].mean_ms * .02);
    }
}

static void as_many_are_lost_as_asked_for_and_always_the_same(void **state)
{
    (void)state;
    struct network network;
    assert_int_equal(network_parse("constant:50ms", .2, 9, &network, NULL), STARLING_OK);
    unsigned lost = 0;
    for (uint64_t number = 0; number < 20000; number++) {
        uint64_t delay;
        bool carried = network_carry(&network, 1, number, &delay);
        assert_int_equal(carried, network_carry(&network, 1, number, &delay));
        lost += !carried;
    }
    assert_in_range(lost, 3800, 4200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_latencies_are_refused_with_advice),
        cmocka_unit_test(latencies_have_the_shape_that_was_asked_for),
        cmocka_unit_test(as_many_are_lost_as_asked_for_and_always_the_same),
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
