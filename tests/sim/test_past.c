/* Runs read back from their folders: what was written comes back, and what is no run is refused
 * with the file and the line. */
#include "sim/past.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/table_read.h"
#include "tests/node/folder.h"

static struct folder folder;
static struct problem problem;

static int begin(void **state)
{
    (void)state;
    problem = (struct problem){0};
    return folder_make(&folder);
}

static int end(void **state)
{
    (void)state;
    folder_remove(&folder);
    return 0;
}

static struct summary a_summary(void)
{
    struct summary summary = {.kind = "run",
                              .complete = true,
                              .nodes = 3,
                              .rounds = 2,
                              .seed = 7,
                              .name = "trial",
                              .data = "synth:writers",
                              .model = "linear",
                              .parameters = 7850,
                              .accuracy = {0.84, 0.01, 0.83, 0.831, 0.84, 0.849, 0.85},
                              .loss = 0.43,
                              .local_accuracy = 0.79,
                              .local_loss = 0.71,
                              .central_accuracy = NAN,
                              .central_loss = NAN,
                              .overlay = {.nodes = 3,
                                          .out_degree = 2,
                                          .dead_share = 0.25,
                                          .in_degree = {2, 0.5, 1, 2},
                                          .clustering = 1,
                                          .clustering_nodes = 3,
                                          .components = 1,
                                          .largest = 3,
                                          .random = {0, 1}},
                              .messages = 12,
                              .bytes = 360000,
                              .dropped = 1,
                              .rejected = 2,
                              .passes = 6,
                              .samples_trained = 60,
                              .updates = 5,
                              .events = 40,
                              .init_seconds = 0.25,
                              .wall_seconds = 0.5,
                              .train_seconds = 0.375,
                              .eval_seconds = 0.125,
                              .bytes_per_node = 1000,
                              .updates_per_second = 12,
                              .samples_per_second = 120,
                              .peak_rss_bytes = 1 << 20,
                              .digest = "abc",
                              .machine = {"a processor", "ZEN", "avx2"}};
    summary.fedavg.accuracy = 0.81;
    summary.fedavg.loss = 0.56;
    summary.fedavg.rounds = 4;
    summary.fedavg.messages = 16;
    summary.fedavg.bytes = 4000000;
    summary.personal.nodes = 2;
    summary.personal.accuracy = 0.875;
    summary.personal.swarm = 0.75;
    summary.personal.alone = 0.5;
    return summary;
}

static const struct round_row rounds[] = {
    {1, 10, 3, 0.5, 0.1, 0.25, 0.3125, 0.5, 0.625, 1.5, 2.25, 1, 6, 180000, 0},
    {2, 20, 2, 0.75, 0.0625, 0.5, 0.5625, 0.75, 0.875, 0.5, 1.25, NAN, 12, 360000, 1}};

static const struct node_row nodes[] = {
    {0, 600, 3, 0.84, 0.43, 0.79, {60, 0.75, 0.8, 0.9, 25}, 1, 2, 30, 40, 2},
    {1, 601, 3.5, NAN, NAN, NAN, {0, NAN, NAN, NAN, NAN}, 5, 6, 70, 80, OVERLAY_AWAY},
    {2, 602, 4, 0.5, 0.7, NAN, {61, NAN, 0.5, 0.5, 0}, 1, 2, 3, 4, 1}};

static const struct baseline_row curves[] = {{"fedavg", 1, 80, 16, 800000, 0.5, 1.5},
                                             {"central", 1, 20, 0, 0, NAN, NAN}};

/* A run in the folder "run"; killed: before its end. */
static char *make_run(bool killed)
{
    static char dir[1024];
    static struct config config;
    const struct summary summary = a_summary();
    config_defaults(&config);
    config.sim.nodes = 3;
    config.sim.seed = 7;
    strcpy(config.task.name, "trial");
    snprintf(dir, sizeof dir, "%s", folder_file(&folder, "run"));
    struct results *results = results_open(dir, &config, false, NULL, &problem);
    if (!results)
        fail_msg("%s", problem.text);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(results_round(results, &rounds[i], &problem), STARLING_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(results_baseline(results, &curves[i], &problem), STARLING_OK);
    if (!killed)
        assert_int_equal(results_finish(results, &summary, nodes, 3, &problem), STARLING_OK);
    results_close(&results);
    return dir;
}

static struct past *read_well(const char *dir)
{
    struct past *past = past_read(dir, true, &problem);
    if (!past)
        fail_msg("%s", problem.text);
    return past;
}

static void same(double a, double b)
{
    if (a != b && !(isnan(a) && isnan(b)))
        fail_msg("%.12g, wanted %.12g", a, b);
}

static void what_was_written_comes_back(void **state)
{
    (void)state;
    struct past *past = read_well(make_run(false));
    assert_int_equal(past->round_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(past->rounds[i].round, rounds[i].round);
        assert_int_equal(past->rounds[i].bytes, rounds[i].bytes);
        same(past->rounds[i].time_s, rounds[i].time_s);
        same(past->rounds[i].accuracy_p10, rounds[i].accuracy_p10);
        same(past->rounds[i].consensus_distance, rounds[i].consensus_distance);
        same(past->rounds[i].age_mean, rounds[i].age_mean);
    }
    assert_int_equal(past->node_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(past->nodes[i].examples, nodes[i].examples);
        assert_int_equal(past->nodes[i].bytes_out, nodes[i].bytes_out);
        assert_int_equal(past->nodes[i].in_degree, nodes[i].in_degree);
        assert_int_equal(past->nodes[i].own.tested, nodes[i].own.tested);
        same(past->nodes[i].accuracy, nodes[i].accuracy);
        same(past->nodes[i].own.shared, nodes[i].own.shared);
        same(past->nodes[i].own.personal, nodes[i].own.personal);
    }
    assert_int_equal(past->curve_count, 2);
    assert_string_equal(past->curves[0].baseline, "fedavg");
    same(past->curves[1].accuracy, NAN);
    assert_int_equal(past->config.sim.seed, 7);
    past_free(&past);
}

/* Both directions together change nothing. */
static void summaries_read_back_as_the_same_json(void **state)
{
    (void)state;
    struct summary summary = a_summary(), again;
    for (int turn = 0; turn < 2; turn++) {
        json_t *first = summary_json(&summary);
        summary_read(first, &again);
        json_t *second = summary_json(&again);
        assert_true(json_equal(first, second));
        json_decref(first);
        json_decref(second);
        summary = (struct summary){.kind = "live", .loss = NAN}; /* of which little is known */
    }
}

static void a_page_drawn_again_is_the_same(void **state)
{
    (void)state;
    static char before[1 << 18], after[1 << 18];
    char *dir = make_run(false);
    long size = folder_read(&folder, "run/report.html", before, sizeof before - 1);
    assert_true(size > 0 && size < (long)sizeof before - 1);
    struct past *past = read_well(dir);
    const struct report report = past_report(past);
    assert_int_equal(report_save(&report, dir, &problem), STARLING_OK);
    past_free(&past);
    folder_read(&folder, "run/report.html", after, sizeof after - 1);
    assert_string_equal(before, after);
}

static void a_killed_run_tells_what_it_had(void **state)
{
    (void)state;
    struct past *past = read_well(make_run(true));
    assert_false(past->summary.complete);
    assert_int_equal(past->summary.nodes, 3);
    assert_int_equal(past->summary.rounds, 2);
    assert_int_equal(past->summary.bytes, 360000);
    same(past->summary.accuracy.mean, 0.75);
    same(past->summary.accuracy.max, NAN);
    same(past->summary.local_accuracy, NAN);
    assert_int_equal(past->node_count, 0);
    const struct report report = past_report(past);
    assert_int_equal(report_save(&report, past->dir, &problem), STARLING_OK);
    past_free(&past);
}

static void write_over(const char *name, const char *text)
{
    assert_int_equal(folder_write(&folder, name, text, strlen(text)), 0);
}

static void a_row_that_was_never_finished_is_left_out(void **state)
{
    (void)state;
    char *dir = make_run(true);
    write_over("run/rounds.csv", "round,accuracy_mean\r\n1,0.5\r\n2,0.625\n3,0.7");
    struct past *past = read_well(dir);
    assert_int_equal(past->round_count, 2);
    same(past->rounds[1].accuracy_mean, 0.625);
    same(past->rounds[1].loss_mean, NAN);
    past_free(&past);
}

static void what_is_no_run_is_refused_by_name(void **state)
{
    (void)state;
    static char long_line[TABLE_LINE_MAX + 100];
    memset(long_line, '1', sizeof long_line - 1);
    memcpy(long_line, "round\n", 6);
    const struct {
        const char *file, *text, *part;
    } cases[] = {
        {"run/rounds.csv", "", "rounds.csv: has no column round"},
        {"run/rounds.csv", "a,b\n1,2\n", "rounds.csv: has no column round"},
        {"run/rounds.csv", "round,bytes\n1,2\n2\n", "rounds.csv:3: has not as many fields"},
        {"run/rounds.csv", "round,bytes\n1,-2\n", "rounds.csv:2: bytes: \"-2\" is no number"},
        {"run/rounds.csv", "round,loss_mean\n1,<b>\n", "loss_mean: \"<b>\" is no number"},
        {"run/rounds.csv", "round,bytes\n1,99999999999999999999999\n", "is no number"},
        {"run/rounds.csv", "round,bytes\n1.5,1\n", "round: \"1.5\" is no number"},
        {"run/rounds.csv", long_line, "rounds.csv:2: is longer than a row can be"},
        {"run/nodes.csv", "node,examples\n0,x\n", "nodes.csv:2: examples: \"x\""},
        {"run/summary.json", "{", "summary.json: cannot be read"},
        {"run/summary.json", "[1]", "summary.json: cannot be read: no object"},
        {"run/experiment.ini", "[sim]\nnodes = many\n", "experiment.ini:2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *dir = make_run(false);
        write_over(cases[i].file, cases[i].text);
        struct past *past = past_read(dir, true, &problem);
        if (past || problem.error != STARLING_INVALID || !strstr(problem.text, cases[i].part))
            fail_msg("case %zu: \"%s\", wanted \"%s\"", i, past ? "read" : problem.text,
                     cases[i].part);
        folder_remove(&folder);
        folder_make(&folder);
    }
    assert_null(past_read("/nowhere/at/all", true, &problem));
    assert_non_null(strstr(problem.text, "/nowhere/at/all: holds no run"));
}

/* Values no run writes: nothing is drawn wrong, and nothing crashes. */
static void strange_figures_are_not_known(void **state)
{
    (void)state;
    char *dir = make_run(false);
    write_over("run/rounds.csv", "round,time_s,accuracy_mean,accuracy_p50,loss_mean\n"
                                 "1,nan,inf,-inf,1e400\n1,1e308,-1e308,1e308,\n");
    write_over("run/summary.json",
               "{\"nodes\": -3, \"accuracy\": [], \"name\": 7, \"loss\": \"much\", \"overlay\": "
               "{\"nodes\": 5, \"in_degree\": {\"min\": 9, \"max\": 9000000000000000000}}}");
    struct past *past = read_well(dir);
    same(past->rounds[0].accuracy_mean, NAN);
    same(past->rounds[0].loss_mean, NAN);
    assert_int_equal(past->summary.nodes, 0);
    same(past->summary.accuracy.mean, NAN);
    assert_null(past->summary.name);
    const struct report report = past_report(past);
    assert_int_equal(report_save(&report, past->dir, &problem), STARLING_OK);
    past_free(&past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_written_comes_back, begin, end),
        cmocka_unit_test(summaries_read_back_as_the_same_json),
        cmocka_unit_test_setup_teardown(a_page_drawn_again_is_the_same, begin, end),
        cmocka_unit_test_setup_teardown(a_killed_run_tells_what_it_had, begin, end),
        cmocka_unit_test_setup_teardown(a_row_that_was_never_finished_is_left_out, begin, end),
        cmocka_unit_test_setup_teardown(what_is_no_run_is_refused_by_name, begin, end),
        cmocka_unit_test_setup_teardown(strange_figures_are_not_known, begin, end),
    };
    return cmocka_run_group_tests_name("past", tests, NULL, NULL);
}
