#include "sim/churn.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/model/files.h"

#define PERIOD_US 10000000u
#define NODES 4000u

static const char *const kinds[] = {"exp:50s,10s",         "lognormal:0,1",
                                    "lognormal:0,1,0.5",   "lognormal:1.5,0.5,0.25",
                                    "weibull:0.5,10s,0.6", "weibull:2,20s"};
#define KINDS (sizeof kinds / sizeof *kinds)

static struct churn parsed(const char *text)
{
    struct churn churn;
    struct problem problem = {0};
    if (churn_parse(text, PERIOD_US, 3, &churn, &problem))
        fail_msg("%s", problem.text);
    return churn;
}

static void what_is_no_churn_is_refused_with_advice(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "some",
        "none:1",
        "exp",
        "exp:",
        "exp:5m",
        "exp:5m,",
        "exp:5,1",
        "exp:5m,30s,1",
        "exp:0s,1s",
        "exp:999us,1s",
        "lognormal:",
        "lognormal:0",
        "lognormal:0,x",
        "lognormal:0,-1",
        "lognormal:0,6",
        "lognormal:11,1",
        "lognormal:nan,1",
        "lognormal:0,1,0",
        "lognormal:0,1,1",
        "lognormal:0,1,",
        "lognormal:0,1,0.9,2",
        "lognormal:0,1,90%",
        "weibull:1,2",
        "weibull:",
        "weibull:0.5",
        "weibull:0.1,10s",
        "weibull:21,10s",
        "weibull:nan,10s",
        "weibull:1,0s",
        "weibull:1,10s,",
        "weibull:1,10s,1",
        "weibull:1,10s,0.5,1",
        "weibull:1,10s,-0.5",
        "daynight:",
        "daynight:1d",
        "daynight:1d,0.5",
        "daynight:1ms,0.5,0.2",
        "daynight:1d,1.1,0.2",
        "daynight:1d,0,0",
        "daynight:1d,1,1",
        "daynight:1d,0.5,nan",
        "daynight:1d,0.5,0.2,2",
        "daynight:1d,0.5,0.2,0.5,1",
        "file:",
        "late:",
        "late:0.1",
        "late:0,1m",
        "late:1,1m",
        "late:0.1,soon",
        "late:0.1,1m,2",
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct churn churn;
        struct problem problem = {0};
        if (!churn_parse(cases[i], PERIOD_US, 1, &churn, &problem))
            fail_msg("'%s' was taken", cases[i]);
        assert_non_null(strstr(problem.text, "sim.churn"));
        assert_non_null(strstr(problem.text, "late:0.1,30m")); /* not cut */
    }
    assert_int_equal(parsed("none").kind, CHURN_NONE);
}

static void times_last_as_long_as_asked_for_on_average(void **state)
{
    (void)state;
    static const double means_s[KINDS][2] = {
        {50, 10},
        {10 * 1.64872, 10 * 1.64872 / 9}, /* exp(σ²/2) periods; absences a ninth of it */
        {10 * 1.64872, 10 * 1.64872},
        {10 * 5.07842, 10 * 5.07842 * 3}, /* exp(1.5 + 0.125) */
        {10 * 2, 10 * 2 / 1.5},           /* Γ(1 + 1/K): Γ(3); 0.6 are there */
        {20 * .886227, 20 * .886227 / 9}, /* Γ(1.5) */
    };
    for (size_t i = 0; i < KINDS; i++) {
        struct churn churn = parsed(kinds[i]);
        for (int online = 0; online < 2; online++) {
            double sum = 0;
            for (uint64_t change = 1; change <= 50000; change++) {
                uint64_t us = churn_lasts(&churn, 7, change, online, 0);
                assert_true(us >= CHURN_LEAST_US);
                assert_true(us == churn_lasts(&churn, 7, change, online, 0));
                sum += (double)us * 1e-6;
            }
            double mean = sum / 50000, wanted = means_s[i][!online];
            if (fabs(mean - wanted) > .03 * wanted)
                fail_msg("%s, online %d: mean %g s, wanted %g", kinds[i], online, mean, wanted);
        }
    }
}

/* As many are there at the beginning as later, and leave no faster: the world begins in its midst.
 */
static void a_world_begins_in_the_midst_of_it(void **state)
{
    (void)state;
    static const double shares[KINDS] = {50. / 60, .9, .5, .25, .6, .9};
    static const uint64_t times_us[] = {0, 2000000, 10000000, 60000000, 500000000};
    for (size_t i = 0; i < KINDS; i++) {
        struct churn churn = parsed(kinds[i]);
        for (size_t t = 0; t < sizeof times_us / sizeof *times_us; t++) {
            unsigned there = 0;
            for (peer_id node = 0; node < NODES; node++) {
                uint64_t until, change = 0;
                bool online = churn_begin(&churn, node, &until);
                while (until <= times_us[t]) {
                    online = !online;
                    until += churn_lasts(&churn, node, ++change, online, until);
                }
                there += online;
            }
            double share = (double)there / NODES;
            if (fabs(share - shares[i]) > .03)
                fail_msg("%s: %g are there after %g s, wanted %g", kinds[i], share,
                         (double)times_us[t] * 1e-6, shares[i]);
        }
    }
}

static void those_who_come_late_come_at_once_and_stay(void **state)
{
    (void)state;
    struct churn churn = parsed("late:0.2,30m");
    unsigned late = 0;
    for (peer_id node = 0; node < NODES; node++) {
        uint64_t left_us;
        bool online = churn_begin(&churn, node, &left_us);
        late += !online;
        assert_true(online ? left_us > UINT64_C(100000000000000) : left_us == 1800000000);
        assert_true(churn_lasts(&churn, node, 1, true, 0) > UINT64_C(100000000000000));
    }
    assert_true(fabs((double)late / NODES - 0.2) < 0.03);
}

/* Exponential stays are Weibull ones with shape 1; the median is L·(ln 2)^(1/K). */
static void weibull_stays_have_their_median(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double median_s;
    } cases[] = {{"weibull:1,10s", 6.931}, {"weibull:0.5,10s", 4.805}, {"weibull:3,10s", 8.850}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct churn churn = parsed(cases[i].text);
        unsigned shorter = 0;
        for (uint64_t change = 1; change <= 20000; change++)
            shorter += (double)churn_lasts(&churn, 7, change, true, 0) < 1e6 * cases[i].median_s;
        assert_in_range(shorter, 9700, 10300);
    }
}

/* The share of the nodes that is there at a time, by their stays from the beginning on. */
static double there_at(const struct churn *churn, uint64_t time_us)
{
    unsigned there = 0;
    for (peer_id node = 0; node < NODES; node++) {
        uint64_t until, change = 0;
        bool online = churn_begin(churn, node, &until);
        while (until <= time_us) {
            online = !online;
            until += churn_lasts(churn, node, ++change, online, until);
        }
        there += online;
    }
    return (double)there / NODES;
}

/* In one time zone, as many as dawn, noon, dusk and midnight of any day have them. */
static void by_day_others_are_there_than_by_night(void **state)
{
    (void)state;
    static const char *const texts[] = {"daynight:240s,0.9,0.3,0", "daynight:240s,0,1,0",
                                        "daynight:240s,0.5,0.02,0"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct churn churn = parsed(texts[i]);
        for (uint64_t at = 0; at <= 960; at += 40) {
            double wanted = daily_share(&churn.daily, (double)(at % 240) * 1e6);
            double share = there_at(&churn, at * 1000000);
            if (fabs(share - wanted) > .03)
                fail_msg("%s: %g are there after %d s, wanted %g", texts[i], share, (int)at,
                         wanted);
        }
        assert_true(fabs(daily_share(&churn.daily, 119.9e6) - churn.daily.day) < .001);
        assert_true(fabs(daily_share(&churn.daily, 239.9e6) - churn.daily.night) < .001);
        assert_true(fabs(daily_share(&churn.daily, 0) - churn.daily.night) < .001);
    }
}

static void all_over_the_globe_as_many_are_there_at_any_time(void **state)
{
    (void)state;
    struct churn churn = parsed("daynight:240s,0.9,0.3");
    for (uint64_t at = 0; at <= 480; at += 60)
        assert_true(fabs(there_at(&churn, at * 1000000) - .6) < .03);
}

/* A stay ends by day as a Markov chain with that rate would have it: after 10 s on average here. */
static void stays_by_day_last_as_long_as_they_should(void **state)
{
    (void)state;
    struct daily daily = {240e6, .9, .3, 0};
    double sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += daily_lasts(&daily, 0, false, -log1p(-(i + .5) / 1000));
    assert_true(fabs(sum / 1000 - 10e6 / .9) < .1e6);
    assert_true(fabs(daily_lasts(&daily, 0, true, 1.2) - 120e6) < 1); /* 120 s · 0.1 / 10 s */
    assert_true(fabs(daily_lasts(&daily, 0, true, 1.9) - 130e6) < 1); /* then 0.7 / 10 s */
    assert_true(fabs(daily_lasts(&daily, 120e6, true, 8.4 + 1.2) - 240e6) < 1);
    assert_true(fabs(daily_lasts(&daily, 60e6, true, 3 * 9.6) - 720e6) < 1);
}

/* The trace itself is what comes out, and nodes beyond it follow those in it. */
static void a_trace_is_followed(void **state)
{
    (void)state;
    static char text[4096];
    struct churn churn;
    struct problem problem = {0};
    snprintf(text, sizeof text, "file:%s",
             files_text("trace", "0 0 5\n0 10 20\n2 3 4\n2 6 1000\n"));
    if (churn_parse(text, PERIOD_US, 3, &churn, &problem) || churn_open(&churn, 7, &problem))
        fail_msg("%s", problem.text);
    static const uint64_t changes_s[3][4] = {{5, 10, 20, 0}, {0}, {3, 4, 6, 1000}};
    for (peer_id node = 0; node < 7; node++) {
        uint64_t until;
        bool online = churn_begin(&churn, node, &until);
        assert_int_equal(online, node % 3 == 0);
        for (size_t change = 0; change < 4 && changes_s[node % 3][change]; change++) {
            assert_int_equal(until, 1000000 * changes_s[node % 3][change]);
            online = !online;
            until += churn_lasts(&churn, node, change + 1, online, until);
        }
        assert_false(online);
        assert_true(until > UINT64_C(100000000000000)); /* for good */
    }
    churn_clear(&churn);
    assert_int_equal(churn_parse(text, PERIOD_US, 3, &churn, &problem), STARLING_OK);
    assert_int_equal(churn_open(&churn, 2, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "sim.churn: "));
    assert_non_null(strstr(problem.text, "there is no node 2"));
    churn_clear(&churn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_churn_is_refused_with_advice),
        cmocka_unit_test(times_last_as_long_as_asked_for_on_average),
        cmocka_unit_test(those_who_come_late_come_at_once_and_stay),
        cmocka_unit_test(weibull_stays_have_their_median),
        cmocka_unit_test(by_day_others_are_there_than_by_night),
        cmocka_unit_test(all_over_the_globe_as_many_are_there_at_any_time),
        cmocka_unit_test(stays_by_day_last_as_long_as_they_should),
        cmocka_unit_test(a_trace_is_followed),
        cmocka_unit_test(a_world_begins_in_the_midst_of_it),
    };
    return cmocka_run_group_tests_name("churn", tests, files_setup, files_teardown);
}
