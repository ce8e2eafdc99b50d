#include "gossip/flow.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct flow_settings usual = {FLOW_TOKEN, 10, 20};

static void the_token_account_follows_its_equations(void **state)
{
    (void)state;
    static const struct {
        uint32_t tokens;
        double proactive, reactive;
    } cases[] = {
        {0, 0, 0},          {8, 0, .8},          {9, 0, .9}, {10, 1 / 11., 1},
        {15, 6 / 11., 1.5}, {19, 10 / 11., 1.9}, {20, 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(fabs(flow_proactive(&usual, cases[i].tokens) - cases[i].proactive) < 1e-12);
        assert_true(fabs(flow_reactive(&usual, cases[i].tokens) - cases[i].reactive) < 1e-12);
    }
    /* it stays where what is put aside and what is spent even out: a/A + (a − A + 1)/(C − A + 1) =
     * 1
     */
    assert_int_equal(flow_first_tokens(&usual), 9);
    const struct flow_settings one = {FLOW_TOKEN, 1, 1}, upside_down = {FLOW_TOKEN, 30, 5};
    assert_int_equal(flow_first_tokens(&one), 0);
    assert_true(flow_proactive(&one, 0) <= 0 && flow_proactive(&one, 1) >= 1);
    assert_int_equal(flow_first_tokens(&upside_down), 5);
    assert_true(flow_proactive(&upside_down, 4) <= 0 && flow_proactive(&upside_down, 5) >= 1);
}

static void rounding_keeps_the_mean_and_stays_beside_the_number(void **state)
{
    (void)state;
    struct random random = random_stream(1, 0, RANDOM_TOKEN, 0);
    enum { DRAWS = 100000 };
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) {
        uint32_t rounded = flow_round(1.3, &random);
        assert_in_range(rounded, 1, 2);
        sum += rounded;
    }
    assert_true(fabs(sum / DRAWS - 1.3) < .01);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(flow_round(0, &random), 0);
        assert_int_equal(flow_round(2, &random), 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_token_account_follows_its_equations),
        cmocka_unit_test(rounding_keeps_the_mean_and_stays_beside_the_number),
    };
    return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
