/* Sweeps: which runs they make, what several runs say together, and the command as a person uses
 * it: resumed, interrupted, failing in part. */
#include "sim/sweep_figures.h"
#include "sim/sweep_plan.h"
#include "tests/sim/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>

#define FEW "--set sim.nodes=4 --set sim.samples=30 --set sim.rounds=2 --set task.model=linear "

static void near(double got, double wanted, double most)
{
    if (!(fabs(got - wanted) <= most))
        fail_msg("%.12g, wanted %.12g", got, wanted);
}

static const char few_ini[] =
    "[task]\nmodel = linear\n[sim]\nnodes = 4\nsamples = 30\nrounds = 2\n";

static void expect_values(const struct sweep_axis *axis, const char *const *wanted)
{
    size_t count = 0;
    while (wanted[count])
        count++;
    if (axis->count != count)
        fail_msg("%s: %zu values, wanted %zu", axis->name, axis->count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(axis->values[i], wanted[i]);
}

static void values_are_parted_by_commas_or_else_semicolons(void **state)
{
    (void)state;
    static const struct {
        const char *pair, *values[4];
    } cases[] = {
        {"sim.partition=iid,classes:1", {"iid", "classes:1"}},
        {"sim.partition = iid , classes:1 ", {"iid", "classes:1"}},
        {"task.model=mlp:64;mlp:256,128", {"mlp:64", "mlp:256,128"}},
        {"task.model=mlp:256,128;", {"mlp:256,128"}},
        {"sim.baseline=;local,central", {"", "local,central"}},
        {"learn.rate=auto,.1,0.2", {"auto", ".1", "0.2"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sweep_plan plan = {0};
        struct problem problem = {0};
        if (sweep_plan_vary(&plan, cases[i].pair, &problem))
            fail_msg("%s: %s", cases[i].pair, problem.text);
        expect_values(&plan.axes[0], cases[i].values);
        sweep_plan_clear(&plan);
    }
}

static void every_combination_is_there_once_and_in_order(void **state)
{
    (void)state;
    struct sweep_plan plan = {0};
    struct config base, config;
    char seen[2 * 3 * 3][128];
    config_defaults(&base);
    assert_int_equal(sweep_plan_vary(&plan, "gossip.fanout=1,2", NULL), 0);
    assert_int_equal(sweep_plan_vary(&plan, "task.model=mlp:8;mlp:8,4;linear", NULL), 0);
    assert_int_equal(sweep_plan_seeds(&plan, "4,7-8", NULL), 0);
    assert_int_equal(sweep_plan_finish(&plan, &base, NULL), 0);
    assert_int_equal(plan.row_count, 6);
    assert_int_equal(plan.run_count, 18);
    for (size_t run = 0; run < plan.run_count; run++) {
        assert_int_equal(sweep_plan_config(&plan, &base, run, &config, NULL), 0);
        snprintf(seen[run], sizeof seen[run], "%llu %.60s %llu",
                 (unsigned long long)config.gossip.fanout, config.task.model,
                 (unsigned long long)config.sim.seed);
        for (size_t i = 0; i < run; i++) {
            assert_string_not_equal(seen[i], seen[run]);
            assert_string_not_equal(plan.names[i], plan.names[run]);
        }
    }
    assert_string_equal(seen[0], "1 mlp:8 4");
    assert_string_equal(seen[1], "1 mlp:8 7");
    assert_string_equal(seen[5], "1 mlp:8,4 8");
    assert_string_equal(seen[17], "2 linear 8");
    assert_string_equal(plan.names[5], "fanout-1_model-mlp-8-4_seed-8");
    sweep_plan_clear(&plan);
}

static void names_of_runs_never_collide(void **state)
{
    (void)state;
    struct sweep_plan plan = {0};
    struct config base;
    char pair[512] = "task.name=a/b,a-b,", *end = pair + strlen(pair);
    config_defaults(&base);
    memset(end, 'x', 200); /* two long ones that differ at their ends */
    strcpy(end + 200, "1,");
    memset(end + 202, 'x', 200);
    strcpy(end + 402, "2");
    assert_int_equal(sweep_plan_vary(&plan, pair, NULL), 0);
    assert_int_equal(sweep_plan_finish(&plan, &base, NULL), 0);
    assert_string_equal(plan.names[0], "name-a-b_seed-1");
    for (size_t run = 0; run < plan.run_count; run++) {
        assert_null(strchr(plan.names[run], '/'));
        for (size_t i = 0; i < run; i++)
            assert_string_not_equal(plan.names[i], plan.names[run]);
    }
    sweep_plan_clear(&plan);
}

static void load(struct sweep_plan *plan, struct config *config, const char *text)
{
    struct problem problem = {0};
    struct folder place;
    assert_int_equal(folder_make(&place), 0);
    assert_int_equal(folder_write(&place, "s.ini", text, strlen(text)), 0);
    config_defaults(config);
    if (config_load_beyond(config, folder_file(&place, "s.ini"), sweep_plan_take, plan, &problem))
        fail_msg("%s", problem.text);
    folder_remove(&place);
}

static const char whole[] = "[sim]\nnodes = 7\n"
                            "[sweep]\nseeds = 2,4\nat = 5,10\n"
                            "task.model = mlp:4,2;linear;\nsim.nodes = 5,6\n"
                            "[case plain, as in the paper]\n"
                            "[case push]\ngossip.merge = average\ngossip.readout = off\n";

static void a_file_holds_cases_and_lists(void **state)
{
    (void)state;
    struct sweep_plan plan = {0};
    struct config base, config;
    load(&plan, &base, whole);
    assert_int_equal(base.sim.nodes, 7);
    assert_int_equal(plan.case_count, 2);
    assert_string_equal(plan.cases[0].name, "plain, as in the paper");
    assert_int_equal(plan.mark_count, 2);
    assert_int_equal(sweep_plan_finish(&plan, &base, NULL), 0);
    assert_int_equal(plan.run_count, 2 * 2 * 2 * 2);
    assert_int_equal(sweep_plan_config(&plan, &base, 0, &config, NULL), 0);
    assert_true(config.gossip.readout);
    assert_int_equal(config.sim.nodes, 5);
    assert_int_equal(sweep_plan_config(&plan, &base, 15, &config, NULL), 0);
    assert_false(config.gossip.readout);
    assert_string_equal(config.task.model, "linear");
    assert_int_equal(config.sim.seed, 4);
    sweep_plan_clear(&plan);
}

static void what_is_written_makes_the_same_plan_again(void **state)
{
    (void)state;
    static const char text[] = "\n[sweep]\nseeds = 2,4\nat = 5,10\n"
                               "task.model = mlp:4,2;linear;\n"
                               "sim.nodes = 5,6\n"
                               "\n[case plain]\n"
                               "\n[case push]\ngossip.merge = average\ngossip.readout = off\n";
    struct sweep_plan plan = {0};
    struct config base;
    char *wrote = NULL;
    size_t size;
    load(&plan, &base, text);
    FILE *file = open_memstream(&wrote, &size);
    sweep_plan_write(&plan, file);
    fclose(file);
    assert_string_equal(wrote, text);
    free(wrote);
    sweep_plan_clear(&plan);
}

static void flags_come_over_the_file(void **state)
{
    (void)state;
    struct sweep_plan plan = {0};
    struct config base;
    load(&plan, &base, "[sweep]\nseeds = 1-3\nsim.nodes = 5,6\n");
    assert_int_equal(sweep_plan_vary(&plan, "sim.nodes=8", NULL), 0);
    assert_int_equal(sweep_plan_seeds(&plan, "9", NULL), 0);
    assert_int_equal(sweep_plan_finish(&plan, &base, NULL), 0);
    assert_int_equal(plan.run_count, 1);
    assert_string_equal(plan.names[0], "nodes-8_seed-9");
    sweep_plan_clear(&plan);
}

static void students_quantile_is_that_of_the_tables(void **state)
{
    (void)state;
    static const struct {
        size_t freedom;
        double wanted;
    } cases[] = {{1, 12.706}, {4, 2.776},  {9, 2.262},   {20, 2.086},   {21, 2.080},
                 {30, 2.042}, {60, 2.000}, {120, 1.980}, {10000, 1.960}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (fabs(student_quantile(cases[i].freedom) - cases[i].wanted) > 5.1e-4)
            fail_msg("%zu: %g", cases[i].freedom, student_quantile(cases[i].freedom));
}

static void an_estimate_is_mean_and_interval(void **state)
{
    (void)state;
    struct figures *figures = figures_new(6);
    static const double values[] = {9, 1, 2, NAN, 4, 9};
    for (size_t i = 0; i < 6; i++)
        figures->values[i * FIGURES_MAX] = values[i];
    figures->count = 1;
    struct estimate estimate = figures_estimate(figures, 0, 1, 4);
    assert_int_equal(estimate.count, 3);
    near(estimate.mean, 7.0 / 3, 1e-12);
    near(estimate.ci95, 4.3027 * sqrt(7.0 / 9), 1e-4); /* s² = 7/3, n = 3 */
    estimate = figures_estimate(figures, 0, 2, 2);
    assert_int_equal(estimate.count, 1);
    assert_true(estimate.mean == 2 && isnan(estimate.ci95));
    estimate = figures_estimate(figures, 0, 3, 1);
    assert_true(estimate.count == 0 && isnan(estimate.mean));
    figures_free(&figures);
}

static void wrong_sweeps_are_one_line_and_run_nothing(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"sweep --vary gossip.fanuot=1,2", "--vary: there is no setting gossip.fanuot: did you"},
        {"sweep --vary fanout=1", "--vary: \"fanout\" does not name a setting"},
        {"sweep --vary gossip.fanout", "--vary: \"gossip.fanout\" names no values: write"},
        {"sweep --vary gossip.fanout=", "--vary: names no value"},
        {"sweep --vary gossip.fanout=1,99", "--vary: gossip.fanout is \"99\""},
        {"sweep --vary gossip.fanout=1,1", "--vary: gossip.fanout is \"1\" twice"},
        {"sweep --vary sim.seed=1,2", "--seeds 1-5"},
        {"sweep --vary node.listen=a,b", "node.listen: is a setting of devices"},
        {"sweep --vary sim.rounds=1 --vary sim.rounds=2", "sim.rounds is varied twice"},
        {"sweep --vary sim.latency=soon,later", "sim.latency: "},
        {"sweep --vary sim.baseline=local,middle", "sim.baseline: "},
        {"sweep --seeds 1-", "--seeds: \"1-\" is no list of seeds"},
        {"sweep --seeds 3-1", "is no list of seeds"},
        {"sweep --seeds 1,1", "1 is there twice"},
        {"sweep --seeds 1-5000", "more than 1000 seeds"},
        {"sweep --jobs 0", "--jobs: \"0\": write a whole number from 1"},
        {"sweep --at 0", "sweep: at: no run is tested after round 0: name multiples"},
        {"sweep --vary sim.rounds=5,9 --at 9,10", "no run is tested after round 10"},
        {"sweep --set sim.eval_every=4 --at 6", "no run is tested after round 6"},
        {"sweep --at 0x", "--at: \"0x\" is no list of rounds"},
        {"sweep --vary sim.nodes=1,2,3 --seeds 1-900 --vary gossip.fanout=1,2,3,4,5,6,7,8,9",
         "more than 10000 runs"},
        {"run --vary gossip.fanout=1", "--vary: is for many runs: use starling-sim sweep"},
        {"live --seeds 1-2", "--seeds: is for many runs"},
        {"sweep absent.ini", "absent.ini: cannot be opened: No such file"},
        {"sweep key.ini", "key.ini:2: there is no setting gossip.fanuot"},
        {"sweep word.ini", "word.ini:2: [sweep] has no \"sedes\""},
        {"sweep both.ini", "sim.nodes: is varied and set by case \"few\""},
        {"sweep twice.ini", "twice.ini:3: there is a case \"a\" already"},
        {"sweep name.ini", "name.ini:1: a case has a name"},
        {"sweep again.ini", "again.ini:3: seeds is given twice"},
        {"sweep --out train.csv", "train.csv: is a file"},
        {"sweep --out /proc/sweep", "/proc/sweep: "},
    };
    if (!program[0])
        skip();
    write_text("key.ini", "[sweep]\ngossip.fanuot = 1,2\n");
    write_text("word.ini", "[sweep]\nsedes = 1-5\n");
    write_text("both.ini", "[sweep]\nsim.nodes = 1,2\n[case few]\nsim.nodes = 3\n");
    write_text("twice.ini", "[case a]\n[case b]\n[case a]\n");
    write_text("name.ini", "[case ]\n");
    write_text("again.ini", "[sweep]\nseeds = 1\nseeds = 2\n");
    write_text("train.csv", "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run(cases[i][0]);
        int status = strstr(cases[i][0], "/proc") ? 1 : 2;
        expect_line(cases[i][0], status, cases[i][1]);
        if (is_there("runs"))
            fail_msg("%s: left something behind", cases[i][0]);
    }
}

static json_t *json_of(const char *name)
{
    json_t *json = json_load_file(folder_file(&folder, name), 0, NULL);
    if (!json)
        fail_msg("%s: is not there, or no JSON", name);
    return json;
}

static double accuracy_of(const char *name)
{
    json_t *summary = json_of(name);
    double accuracy =
        json_number_value(json_object_get(json_object_get(summary, "accuracy"), "mean"));
    json_decref(summary);
    return accuracy;
}

static double row_figure(json_t *sweep, size_t row, const char *figure, const char *what)
{
    json_t *figures =
        json_object_get(json_array_get(json_object_get(sweep, "rows"), row), "figures");
    json_t *value = json_object_get(json_object_get(figures, figure), what);
    if (!json_is_number(value))
        fail_msg("row %zu has no %s of %s", row, what, figure);
    return json_number_value(value);
}

static void a_sweep_makes_the_runs_that_run_makes(void **state)
{
    (void)state;
    char text[8192];
    if (!program[0])
        skip();
    write_text("few.ini", few_ini);
    run_well("sweep few.ini --vary sim.partition=iid,classes:2 --seeds 3-4 --at 1 --jobs 2 "
             "--baseline local --quiet");
    assert_string_equal(said.err, "");
    assert_non_null(strstr(said.out, "partition  n"));
    assert_non_null(strstr(said.out, "accuracy@1 %"));
    assert_non_null(strstr(said.out, "local %"));
    json_t *sweep = json_of("runs/few/sweep.json");
    assert_true(json_is_true(json_object_get(sweep, "complete")));
    double first = accuracy_of("runs/few/partition-classes-2_seed-3/summary.json");
    double second = accuracy_of("runs/few/partition-classes-2_seed-4/summary.json");
    near(row_figure(sweep, 1, "accuracy.mean", "mean"), (first + second) / 2, 1e-8);
    near(row_figure(sweep, 1, "accuracy.mean", "ci95"), 12.7062 * fabs(first - second) / 2, 1e-6);
    row_figure(sweep, 0, "accuracy@1", "mean");
    json_decref(sweep);
    read_whole("runs/few/sweep.csv", text, sizeof text);
    assert_int_equal(strncmp(text, "sim.partition,runs,", 19), 0);
    run_well("run few.ini --partition classes:2 --seed 4 --baseline local --quiet --out alone");
    json_t *theirs = json_of("runs/few/partition-classes-2_seed-4/summary.json"),
           *ours = json_of("alone/summary.json");
    assert_true(json_equal(json_object_get(ours, "digest"), json_object_get(theirs, "digest")));
    json_decref(ours);
    json_decref(theirs);
    run_well("sweep runs/few/sweep.ini --quiet --json --jobs 1 --out again");
    json_t *json = json_loads(said.out, 0, NULL), *file = json_of("again/sweep.json");
    assert_non_null(json);
    assert_true(json_equal(json, file));
    near(row_figure(json, 1, "accuracy.mean", "mean"), (first + second) / 2, 1e-8);
    json_decref(json);
    json_decref(file);
    discard("runs");
    discard("again");
    discard("alone");
}

static void what_is_complete_is_not_made_again(void **state)
{
    (void)state;
    static const char sweep[] = "sweep --seeds 1-3 --out o " FEW;
    char before[16384], after[16384];
    if (!program[0])
        skip();
    run_well(sweep);
    snprintf(before, sizeof before, "%s", said.out);
    write_text("o/seed-1/mark", "");
    unlink(folder_file(&folder, "o/seed-2/summary.json"));
    run_well(sweep);
    assert_string_equal(before, said.out);
    if (!strstr(said.err, "2 of 3 runs are there already"))
        fail_msg("said \"%s\"", said.err);
    assert_true(is_there("o/seed-2/summary.json"));
    read_whole("o/seed-1/experiment.ini", before, sizeof before);
    run("sweep --seeds 1-3 --out o --set learn.batch=4 " FEW);
    expect_line("another batch", 2, "o/seed-1: holds a run with another learn.batch: replace it");
    read_whole("o/seed-1/experiment.ini", after, sizeof after);
    assert_string_equal(before, after);
    run_well("sweep --seeds 1-3 --out o --set sim.threads=2 --quiet " FEW); /* changes nothing */
    assert_true(is_there("o/seed-1/mark"));
    run_well("sweep --seeds 1-3 --out o --force --quiet --set learn.batch=4 " FEW);
    read_whole("o/seed-1/experiment.ini", after, sizeof after);
    assert_non_null(strstr(after, "batch = 4"));
    run_well("run --quiet --out p/seed-1 " FEW);
    run("sweep --out p --quiet " FEW);
    expect_line("a run of somebody else's", 2, "p/seed-1: holds a run that is none of a sweep");
    discard("o");
    discard("p");
}

static void a_run_that_fails_is_told_and_the_rest_goes_on(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    run("sweep --vary task.data=csv:absent.csv,synth:writers --out o --quiet " FEW);
    assert_int_equal(said.status, 1);
    if (!strstr(said.err, "starling-sim: data-csv-absent.csv_seed-1: absent.csv: No such file"))
        fail_msg("said \"%s\"", said.err);
    assert_non_null(strstr(said.err, "sweep: 1 of 2 runs failed"));
    assert_non_null(strstr(said.out, "synth:writers   1"));
    assert_false(is_there("o/data-csv-absent.csv_seed-1"));
    json_t *sweep = json_of("o/sweep.json"), *failed = json_object_get(sweep, "failed");
    assert_false(json_is_true(json_object_get(sweep, "complete")));
    assert_int_equal(json_array_size(failed), 1);
    json_decref(sweep);
    discard("o");
}

static size_t rows_of(const char *name)
{
    static char rows[1 << 20];
    size_t count = 0;
    rows[0] = '\0';
    if (is_there(name))
        read_whole(name, rows, sizeof rows);
    for (const char *c = rows; *c; c++)
        count += *c == '\n';
    return count;
}

static void an_interrupted_sweep_goes_on_with_the_same_command(void **state)
{
    (void)state;
    static const char sweep[] = "sweep --vary sim.rounds=2,100000000 --jobs 1 --out o --set "
                                "sim.nodes=4 --set sim.samples=30 --set task.model=linear";
    static const int signals[] = {SIGINT, SIGTERM};
    if (!program[0])
        skip();
    for (size_t i = 0; i < 2; i++) {
        double deadline = seconds() + DEADLINE_S;
        pid_t process = launch(sweep, HOLD_NOT);
        while (rows_of("o/rounds-100000000_seed-1/rounds.csv") < 3 && seconds() < deadline)
            rest();
        kill(process, signals[i]);
        await(process, sweep);
        assert_int_equal(said.status, 130);
        if (!strstr(said.err, "1 of 2 runs are not made yet: the same command goes on"))
            fail_msg("said \"%s\"", said.err);
        if (i == 1 && !strstr(said.err, "1 of 2 runs are there already"))
            fail_msg("said \"%s\"", said.err);
        assert_true(is_there("o/rounds-2_seed-1/summary.json"));
        size_t rows = rows_of("o/rounds-100000000_seed-1/rounds.csv");
        rest();
        assert_int_equal(rows_of("o/rounds-100000000_seed-1/rounds.csv"), rows); /* it has ended */
        unlink(folder_file(&folder, "o/rounds-100000000_seed-1/rounds.csv"));
    }
    discard("o");
}

static void a_full_disk_ends_a_sweep_with_a_line(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    run_held("sweep --out o --quiet --set sim.rounds=200 --set sim.nodes=4 --set sim.samples=30 "
             "--set task.model=linear",
             HOLD_FILE_SIZE);
    assert_int_equal(said.status, 1);
    if (!strstr(said.err, "File too large"))
        fail_msg("said \"%s\"", said.err);
    discard("o");
}

static void run_takes_the_settings_of_a_sweep_alone_and_says_so(void **state)
{
    (void)state;
    char text[512];
    if (!program[0])
        skip();
    snprintf(text, sizeof text, "%s[sweep]\nsim.rounds = 3,4\n[case a]\nsim.nodes = 9\n", few_ini);
    write_text("s.ini", text);
    run_well("run s.ini --out o");
    assert_int_equal(strncmp(said.err, "s.ini: holds a sweep: ", 22), 0);
    read_whole("o/experiment.ini", said.out, sizeof said.out);
    assert_non_null(strstr(said.out, "rounds = 2\n"));
    assert_non_null(strstr(said.out, "nodes = 4\n"));
    run_well("run s.ini --out o --force --quiet");
    assert_string_equal(said.err, "");
    discard("o");
}

static int begin(void **state)
{
    (void)state;
    return command_begin();
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
        cmocka_unit_test(values_are_parted_by_commas_or_else_semicolons),
        cmocka_unit_test(every_combination_is_there_once_and_in_order),
        cmocka_unit_test(names_of_runs_never_collide),
        cmocka_unit_test(a_file_holds_cases_and_lists),
        cmocka_unit_test(what_is_written_makes_the_same_plan_again),
        cmocka_unit_test(flags_come_over_the_file),
        cmocka_unit_test(students_quantile_is_that_of_the_tables),
        cmocka_unit_test(an_estimate_is_mean_and_interval),
        cmocka_unit_test(wrong_sweeps_are_one_line_and_run_nothing),
        cmocka_unit_test(a_sweep_makes_the_runs_that_run_makes),
        cmocka_unit_test(what_is_complete_is_not_made_again),
        cmocka_unit_test(a_run_that_fails_is_told_and_the_rest_goes_on),
        cmocka_unit_test(an_interrupted_sweep_goes_on_with_the_same_command),
        cmocka_unit_test(a_full_disk_ends_a_sweep_with_a_line),
        cmocka_unit_test(run_takes_the_settings_of_a_sweep_alone_and_says_so),
    };
    return cmocka_run_group_tests_name("sweep", tests, begin, end);
}
