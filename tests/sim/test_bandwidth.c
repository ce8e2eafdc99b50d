#include "sim/bandwidth.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PERIOD_US 10000000u

static struct bandwidth parsed(const char *text)
{
    struct bandwidth bandwidth;
    struct problem problem = {0};
    if (bandwidth_parse(text, PERIOD_US, 3, &bandwidth, &problem))
        fail_msg("%s", problem.text);
    return bandwidth;
}

static void what_is_no_bandwidth_is_refused_with_advice(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "on",
        "10",
        "10Mbit",
        "-1Mbit/s",
        "0",
        "0bit/s",
        "999bit/s",
        "1001Gbit/s",
        "10Mbit/s/",
        "/10Mbit/s",
        "10/10Mbit/s",
        "10Mb/s",
        "10Mbit/s/5",
        "lognormal:10Mbit/s",
        "10Mbit/s,",
        "10Mbit/s,0.5",
        "lognormal",
        "nan",
        "lognormal:10Mbit/s,-1",
        "inf",
        "lognormal:,1",
        "1e9bit/s",
        "1Mbit/s/1Mbit/s/1Mbit/s",
        "99999999999999999999999bit/s",
        "lognormal:10Mbit/s,6",
        "lognormal:10Mbit/s,1,1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bandwidth bandwidth;
        struct problem problem = {0};
        if (!bandwidth_parse(cases[i], PERIOD_US, 1, &bandwidth, &problem))
            fail_msg("'%s' was taken", cases[i]);
        assert_non_null(strstr(problem.text, "sim.bandwidth: "));
        assert_non_null(strstr(problem.text, "10Mbit/s/50Mbit/s"));
    }
    struct bandwidth off = parsed("off");
    assert_false(bandwidth_is_on(&off));
}

static void a_message_takes_its_bytes_over_the_slower_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t takes_us, busy_us;
    } cases[] = {
        {"1Mbit/s", 8000, 8000},
        {"1Mbit/s/10Mbit/s", 8000, 8000},
        {"10Mbit/s/1Mbit/s", 8000, 800}, /* one's own line is free sooner than it is through */
        {"1kbit/s/1Gbit/s", 8000000, 8000000},
        {"1000Gbit/s", 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bandwidth bandwidth = parsed(cases[i].text);
        uplink line = 0;
        uint64_t takes_us;
        assert_true(bandwidth_send(&bandwidth, &line, 1, 2, 1000, 5000, &takes_us));
        assert_int_equal(takes_us, cases[i].takes_us);
        assert_int_equal(line, 5000 + cases[i].busy_us);
    }
}

static void messages_leave_one_after_another(void **state)
{
    (void)state;
    struct bandwidth bandwidth = parsed("1Mbit/s");
    uplink line = 0;
    uint64_t takes_us, sum = 0;
    for (uint64_t i = 1; i <= 5; i++) {
        assert_true(bandwidth_send(&bandwidth, &line, 1, 2, 1000 * i, 0, &takes_us));
        sum += 8000 * i;
        assert_int_equal(takes_us, sum);
    }
    assert_true(bandwidth_send(&bandwidth, &line, 1, 2, 1000, sum + 1, &takes_us)); /* it is free */
    assert_int_equal(takes_us, 8000);
}

static void a_line_that_is_taken_for_too_long_takes_no_more(void **state)
{
    (void)state;
    struct bandwidth bandwidth = parsed("1kbit/s");
    uplink line = 0;
    uint64_t takes_us;
    for (int i = 0; i < 11; i++) /* 10 s each: the last waits for ten periods */
        assert_true(bandwidth_send(&bandwidth, &line, 1, 2, 1250, 0, &takes_us));
    uplink before = line;
    assert_false(bandwidth_send(&bandwidth, &line, 1, 2, 1250, 0, &takes_us));
    assert_true(line == before);
    assert_true(bandwidth_send(&bandwidth, &line, 1, 2, 1250, 10000000, &takes_us));
}

/* The logarithms of what is drawn have the mean and deviation asked for, and one node's two lines
 * differ by the same factor as all. */
static void a_spread_is_log_normal(void **state)
{
    (void)state;
    enum { NODES = 20000 };
    struct bandwidth bandwidth = parsed("lognormal:10Mbit/s/40Mbit/s,0.7");
    double sum = 0, squares = 0;
    for (peer_id node = 0; node < NODES; node++) {
        double up, down, again;
        bandwidth_of(&bandwidth, node, &up, &down);
        assert_true(fabs(down / up - 4) < 1e-9);
        bandwidth_of(&bandwidth, node, &again, &down);
        assert_true(up == again);
        double log_of = log(up / 10e6);
        sum += log_of;
        squares += log_of * log_of;
    }
    assert_true(fabs(sum / NODES) < .02);
    assert_true(fabs(sqrt(squares / NODES) - .7) < .02);
}

static void no_line_of_a_spread_is_beyond_bounds(void **state)
{
    (void)state;
    struct bandwidth slow = parsed("lognormal:1kbit/s,5"), fast = parsed("lognormal:1000Gbit/s,5");
    for (peer_id node = 0; node < 2000; node++) {
        double up, down;
        bandwidth_of(&slow, node, &up, &down);
        assert_true(up >= BANDWIDTH_LEAST && down >= BANDWIDTH_LEAST);
        bandwidth_of(&fast, node, &up, &down);
        assert_true(up <= (double)BANDWIDTH_MOST && down <= (double)BANDWIDTH_MOST);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_bandwidth_is_refused_with_advice),
        cmocka_unit_test(a_message_takes_its_bytes_over_the_slower_line),
        cmocka_unit_test(messages_leave_one_after_another),
        cmocka_unit_test(a_line_that_is_taken_for_too_long_takes_no_more),
        cmocka_unit_test(a_spread_is_log_normal),
        cmocka_unit_test(no_line_of_a_spread_is_beyond_bounds),
    };
    return cmocka_run_group_tests_name("bandwidth", tests, NULL, NULL);
}
