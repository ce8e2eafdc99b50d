#include "sim/latency.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/model/files.h"

static struct latency opened(const char *path, size_t nodes)
{
    static char text[4096];
    struct latency latency;
    struct problem problem = {0};
    snprintf(text, sizeof text, "file:%s", path);
    if (latency_parse(text, &latency, &problem) || latency_open(&latency, nodes, 5, &problem))
        fail_msg("%s", problem.text);
    return latency;
}

static uint64_t between(const struct latency *latency, peer_id from, peer_id to)
{
    struct random random = random_stream(1, from, RANDOM_NETWORK, 0);
    return latency_draw(latency, from, to, &random);
}

static void bad_latencies_are_refused_with_advice(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",           "constant",         "constant:",           "constant:fast",
        "constant:0", "constant:999us",   "uniform:10ms",        "uniform:20ms-10ms",
        "lognormal:", "lognormal:50ms",   "lognormal:50ms,-1",   "lognormal:50ms,nan",
        "normal:5ms", "lognormal:50ms,x", "uniform:10ms-20ms-3", "constant:10d",
        "file:",      "lognormal:5ms,",   "lognormal:5ms,1,",    "lognormal:5ms, 1",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct latency latency;
        struct problem problem = {0};
        if (!latency_parse(cases[i], &latency, &problem))
            fail_msg("'%s' was taken", cases[i]);
        assert_int_equal(problem.error, STARLING_INVALID);
        assert_non_null(strstr(problem.text, "sim.latency"));
        assert_non_null(strstr(problem.text, "constant:50ms"));
    }
}

static int by_size(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* Their 5th, 50th and 95th percentiles are what the law says. */
static void latencies_have_the_shape_that_was_asked_for(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static const struct {
        const char *text;
        double quantiles_ms[3];
    } cases[] = {
        {"constant:50ms", {50, 50, 50}},
        {"uniform:20ms-80ms", {23, 50, 77}},
        {"lognormal:100ms,0.5", {43.94, 100, 227.6}}, /* median · exp(± 1.645 σ) */
        {"lognormal:100ms,0", {100, 100, 100}},
    };
    static uint64_t drawn[COUNT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct latency latency;
        assert_int_equal(latency_parse(cases[i].text, &latency, NULL), STARLING_OK);
        for (uint64_t number = 0; number < COUNT; number++) {
            struct random random = random_stream(7, 3, RANDOM_NETWORK, number);
            drawn[number] = latency_draw(&latency, 3, 4, &random);
            assert_true(drawn[number] >= latency_least_us(&latency));
            assert_true(drawn[number] <= latency_most_us(&latency));
        }
        qsort(drawn, COUNT, sizeof *drawn, by_size);
        for (size_t q = 0; q < 3; q++) {
            double ms = (double)drawn[COUNT / 20 + q * (COUNT * 9 / 20)] / 1000;
            double wanted = cases[i].quantiles_ms[q];
            if (fabs(ms - wanted) > .03 * wanted)
                fail_msg("%s: quantile %zu is %g ms, wanted %g", cases[i].text, q, ms, wanted);
        }
    }
}

static void a_way_is_half_a_round_trip_and_gaps_are_filled(void **state)
{
    (void)state;
    /* 1 → 2 is missing and 2 → 1 is not; 0 and 2 have neither, and get the median of 10, 12, 30 */
    static const char text[] = "# ms\n0 20 ?\n24 0 -1\n0 60 0\n";
    struct latency latency = opened(files_text("gaps", text), 3);
    assert_int_equal(latency.places, 3);
    static const uint32_t wanted[] = {1000, 10000, 12000, 12000, 1000, 30000, 12000, 30000, 1000};
    for (size_t i = 0; i < 9; i++)
        assert_int_equal(latency.matrix_us[i], wanted[i]);
    assert_int_equal(latency_least_us(&latency), 10000);
    assert_int_equal(latency_most_us(&latency), 30000);
    latency_clear(&latency);
}

static void what_is_shorter_than_the_least_takes_the_least(void **state)
{
    (void)state;
    struct latency latency = opened(files_text("near.gz", "0\t0.2\n0.3\t0\n"), 2);
    assert_int_equal(between(&latency, 0, 1), LATENCY_LEAST_US);
    assert_int_equal(latency_least_us(&latency), LATENCY_LEAST_US);
    latency_clear(&latency);
}

/* Each place once before any twice; two nodes of one are as near as can be. */
static void nodes_are_dealt_out_to_places_evenly(void **state)
{
    (void)state;
    static const char text[] = "0,20,30\n20,0,40\n30,40,0\n";
    struct latency latency = opened(files_text("even", text), 6);
    assert_int_equal(latency_least_us(&latency), LATENCY_LEAST_US);
    uint64_t sum = 0;
    for (peer_id node = 0; node < 6; node++) {
        assert_int_equal(between(&latency, node, (node + 3) % 6), LATENCY_LEAST_US);
        sum += between(&latency, node, node < 3 ? (node + 1) % 3 : 3 + (node + 1) % 3);
        assert_true(between(&latency, node, (node + 1) % 6) ==
                    between(&latency, (node + 1) % 6, node));
    }
    assert_int_equal(sum, 2 * (10000 + 15000 + 20000));
    latency_clear(&latency);
}

static void a_matrix_that_is_none_is_refused_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "is empty"},
        {"# nothing\n", "is empty"},
        {"5\n", ":1: a row of 1 times"},
        {"0 1\n1\n", ":2: a row of 1 times, where the first has 2"},
        {"0 1\n", "1 rows of 2 times: the matrix must be square"},
        {"0 1\n1 0\n1 1\n", ":3: there are more rows than columns"},
        {"0 far\n1 0\n", ":1: 'far' is no time in ms"},
        {"0 1e9\n1 0\n", ":1: '1e9' is a round trip of more than 2 hours"},
        {"0 1e39\n1 0\n", ":1: '1e39' is a round trip of more than 2 hours"},
        {"0 0\n-1 0\n", "no time in it is above 0"},
        {"0 nan\n? 0\n", "no time in it is above 0"},
        {"0 \"1\n1 0\n", ":1: there are quotes in it"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4096];
        struct latency latency;
        struct problem problem = {0};
        snprintf(text, sizeof text, "file:%s", files_text("bad", cases[i].text));
        assert_int_equal(latency_parse(text, &latency, &problem), STARLING_OK);
        if (!latency_open(&latency, 3, 1, &problem))
            fail_msg("'%s' was taken", cases[i].text);
        if (strncmp(problem.text, "sim.latency: /", 14) != 0 ||
            !strstr(problem.text, cases[i].says) || strchr(problem.text, '\n'))
            fail_msg("'%s': %s", cases[i].text, problem.text);
        latency_clear(&latency);
    }
    struct latency latency;
    struct problem problem = {0};
    assert_int_equal(latency_parse("file:/absent/matrix", &latency, &problem), STARLING_OK);
    assert_int_equal(latency_open(&latency, 3, 1, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "/absent/matrix: No such file"));
    latency_clear(&latency);
}

static void a_matrix_too_wide_is_refused_before_it_takes_memory(void **state)
{
    (void)state;
    size_t length = 2 * (LATENCY_PLACES_MAX + 1);
    char *line = malloc(length + 1), text[4096];
    for (size_t i = 0; i < length; i++)
        line[i] = i % 2 ? ' ' : '1';
    line[length] = '\0';
    struct latency latency;
    struct problem problem = {0};
    snprintf(text, sizeof text, "file:%s", files_text("wide", line));
    free(line);
    assert_int_equal(latency_parse(text, &latency, &problem), STARLING_OK);
    assert_int_equal(latency_open(&latency, 3, 1, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "a row of 4097 times"));
    latency_clear(&latency);
}

/* Medians of what is in the folder's README. */
static void a_measured_network_is_read(void **state)
{
    (void)state;
    const char *path = files_real("latency/PlanetLabData_1.gz");
    if (!path)
        skip();
    struct latency latency = opened(path, 490);
    assert_int_equal(latency.places, 490);
    enum { COUNT = 489 };
    static uint64_t drawn[COUNT];
    for (peer_id node = 1; node <= COUNT; node++)
        drawn[node - 1] = between(&latency, 0, node);
    qsort(drawn, COUNT, sizeof *drawn, by_size);
    assert_in_range(drawn[COUNT / 2], 10000, 300000);
    size_t all = 490 * 490;
    double sum = 0;
    for (size_t i = 0; i < all; i++)
        sum += latency.matrix_us[i];
    assert_in_range(sum / (double)all, 60000, 85000);
    assert_int_equal(latency_least_us(&latency), LATENCY_LEAST_US);
    assert_in_range(latency_most_us(&latency), 1000000, 2000000);
    latency_clear(&latency);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_latencies_are_refused_with_advice),
        cmocka_unit_test(latencies_have_the_shape_that_was_asked_for),
        cmocka_unit_test(a_way_is_half_a_round_trip_and_gaps_are_filled),
        cmocka_unit_test(what_is_shorter_than_the_least_takes_the_least),
        cmocka_unit_test(nodes_are_dealt_out_to_places_evenly),
        cmocka_unit_test(a_matrix_that_is_none_is_refused_in_one_line),
        cmocka_unit_test(a_matrix_too_wide_is_refused_before_it_takes_memory),
        cmocka_unit_test(a_measured_network_is_read),
    };
    return cmocka_run_group_tests_name("latency", tests, files_setup, files_teardown);
}
