#include "sim/churn.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PERIOD_US 10000000u
#define NODES 4000u

static const char *const kinds[] = {"exp:50s,10s", "lognormal:0,1", "lognormal:0,1,0.5",
                                    "lognormal:1.5,0.5,0.25"};
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
    };
    for (size_t i = 0; i < KINDS; i++) {
        struct churn churn = parsed(kinds[i]);
        for (int online = 0; online < 2; online++) {
            double sum = 0;
            for (uint64_t change = 1; change <= 50000; change++) {
                uint64_t us = churn_lasts(&churn, 7, change, online);
                assert_true(us >= CHURN_LEAST_US);
                assert_true(us == churn_lasts(&churn, 7, change, online));
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
    static const double shares[KINDS] = {50. / 60, .9, .5, .25};
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
                    until += churn_lasts(&churn, node, ++change, online);
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
        assert_true(churn_lasts(&churn, node, 1, true) > UINT64_C(100000000000000));
    }
    assert_true(fabs((double)late / NODES - 0.2) < 0.03);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_churn_is_refused_with_advice),
        cmocka_unit_test(times_last_as_long_as_asked_for_on_average),
        cmocka_unit_test(those_who_come_late_come_at_once_and_stay),
        cmocka_unit_test(a_world_begins_in_the_midst_of_it),
    };
    return cmocka_run_group_tests_name("churn", tests, NULL, NULL);
}
