#include "sim/results.h"

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/random.h"

static char base[256], run[300]; /* a folder for each test, and the run's folder in it */
static struct problem problem;

static int make_base(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    snprintf(base, sizeof base, "%s/starling-results-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(base));
    snprintf(run, sizeof run, "%s/run", base);
    problem = (struct problem){0};
    return 0;
}

static void remove_below(const char *dir)
{
    DIR *folder = opendir(dir);
    struct dirent *entry;
    while (folder && (entry = readdir(folder))) {
        char path[600];
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            remove(path) != 0) {
            remove_below(path);
            rmdir(path);
        }
    }
    if (folder)
        closedir(folder);
}

static int remove_base(void **state)
{
    (void)state;
    remove_below(base);
    return rmdir(base);
}

static char *slurp(const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", run, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    size_t size = fread(text, 1, (1 << 20) - 1, file);
    text[size] = '\0';
    fclose(file);
    return text;
}

static void write_file(const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", run, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool exists(const char *name)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", run, name);
    return access(path, F_OK) == 0;
}

static struct results *open_run(bool force)
{
    static struct config config;
    config_defaults(&config);
    strcpy(config.task.name, "trial");
    return results_open(run, &config, force, NULL, &problem);
}

static const struct round_row a_row = {
    .round = 3,
    .time_s = 1.5,
    .online = 8,
    .accuracy_mean = 0.84125,
    .accuracy_std = 0.0061,
    .accuracy_min = 0.83,
    .accuracy_p10 = 0.832,
    .accuracy_p50 = 0.841,
    .accuracy_p90 = 0.85,
    .loss_mean = 0.4321,
    .consensus_distance = 1.25,
    .age_mean = 3,
    .messages = 12345678901u,
    .bytes = 98765432109876u,
    .dropped = 2,
};

static struct summary a_summary(void)
{
    return (struct summary){
        .kind = "run",
        .complete = true,
        .nodes = 2,
        .rounds = 3,
        .seed = 1,
        .name = "trial",
        .data = "synth:writers",
        .model = "linear",
        .parameters = 7850,
        .accuracy = {0.84, 0.01, 0.83, 0.831, 0.84, 0.849, 0.85},
        .loss = 0.43,
        .local_accuracy = 0.79,
        .local_loss = 0.71,
        .central_accuracy = 0.87,
        .central_loss = 0.39,
        .messages = 6,
        .bytes = 188400,
        .passes = 6,
        .events = 40,
        .init_seconds = 0.1,
        .wall_seconds = 0.5,
        .train_seconds = 0.4,
        .eval_seconds = 0.05,
        .bytes_per_node = 1000,
        .updates_per_second = 12,
        .samples_per_second = 1200,
        .peak_rss_bytes = 1 << 20,
        .digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    };
}

static void a_run_leaves_rows_with_the_promised_columns(void **state)
{
    (void)state;
    struct results *results = open_run(false);
    assert_non_null(results);
    assert_int_equal(results_round(results, &a_row, &problem), STARLING_OK);
    char *rounds = slurp("rounds.csv"); /* before anything is closed */
    assert_string_equal(
        rounds, "round,time_s,online,accuracy_mean,accuracy_std,accuracy_min,accuracy_p10,"
                "accuracy_p50,accuracy_p90,loss_mean,consensus_distance,age_mean,messages,bytes,"
                "dropped\n"
                "3,1.5,8,0.84125,0.0061,0.83,0.832,0.841,0.85,0.4321,1.25,3,12345678901,"
                "98765432109876,2\n");
    free(rounds);
    const struct node_row nodes[] = {
        {0, 600, 3, 0.84, 0.43, 0.79, {60, 0.75, 0.8, 0.9, 25}, 1, 2, 30, 40, 17},
        {1, 601, 3.5, NAN, NAN, NAN, {0, NAN, NAN, NAN, NAN}, 5, 6, 70, 80, OVERLAY_AWAY},
        {2, 602, 4, 0.5, 0.7, NAN, {61, NAN, 0.5, 0.5, 0}, 1, 2, 3, 4, 0}};
    struct summary summary = a_summary();
    assert_int_equal(results_finish(results, &summary, nodes, 3, &problem), STARLING_OK);
    results_close(&results);
    char *table = slurp("nodes.csv");
    assert_string_equal(table, "node,examples,age,accuracy,loss,accuracy_alone,accuracy_personal,"
                               "messages_in,messages_out,bytes_in,bytes_out,own_tested,own_alone,"
                               "own_swarm,personal_steps,in_degree\n"
                               "0,600,3,0.84,0.43,0.79,0.9,1,2,30,40,60,0.75,0.8,25,17\n"
                               "1,601,3.5,,,,,5,6,70,80,,,,,\n"
                               "2,602,4,0.5,0.7,,0.5,1,2,3,4,61,,0.5,0,0\n");
    free(table);
    char *page = slurp("report.html");
    assert_non_null(strstr(page, "</html>"));
    free(page);
}

static void experiment_ini_reads_back_as_the_same_settings(void **state)
{
    (void)state;
    struct results *results = open_run(false);
    assert_non_null(results);
    assert_int_equal(results_round(results, &a_row, &problem), STARLING_OK);
    results_close(&results);
    static struct config config;
    config_defaults(&config);
    char path[600];
    snprintf(path, sizeof path, "%s/experiment.ini", run);
    assert_int_equal(config_load(&config, path, &problem), STARLING_OK);
    char *before = slurp("experiment.ini"), *after = NULL;
    size_t size;
    FILE *memory = open_memstream(&after, &size);
    assert_int_equal(config_write(&config, "task learn gossip sim", false, memory, &problem),
                     STARLING_OK);
    fclose(memory);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void summary_json_has_every_promised_key(void **state)
{
    (void)state;
    static const char *const keys[] = {"schema",
                                       "complete",
                                       "nodes",
                                       "rounds",
                                       "seed",
                                       "data",
                                       "model",
                                       "parameters",
                                       "accuracy",
                                       "loss",
                                       "baselines",
                                       "overlay",
                                       "messages",
                                       "bytes",
                                       "dropped",
                                       "rejected",
                                       "passes",
                                       "diverged",
                                       "samples_trained",
                                       "updates",
                                       "events",
                                       "init_seconds",
                                       "wall_seconds",
                                       "train_seconds",
                                       "eval_seconds",
                                       "bytes_per_node",
                                       "cpu",
                                       "blas_core",
                                       "updates_per_second",
                                       "samples_per_second",
                                       "peak_rss_bytes",
                                       "digest"};
    struct summary summary = a_summary();
    json_t *json = summary_json(&summary);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!json_object_get(json, keys[i]))
            fail_msg("summary.json lacks %s", keys[i]);
    static const char *const quantiles[] = {"mean", "std", "min", "p10", "p50", "p90", "max"};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        assert_true(json_is_real(json_object_get(json_object_get(json, "accuracy"), quantiles[i])));
    const json_t *baselines = json_object_get(json, "baselines");
    const json_t *local = json_object_get(json_object_get(baselines, "local"), "accuracy");
    assert_true(json_real_value(local) == 0.79);
    local = json_object_get(json_object_get(baselines, "local"), "loss");
    assert_true(json_real_value(local) == 0.71);
    const json_t *central = json_object_get(json_object_get(baselines, "central"), "loss");
    assert_true(json_real_value(central) == 0.39);
    assert_true(json_is_null(json_object_get(baselines, "fedavg")));
    assert_string_equal(json_string_value(json_object_get(json, "digest")), summary.digest);
    json_decref(json);
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    struct summary summary = a_summary();
    summary.loss = summary.central_accuracy = summary.train_seconds = NAN;
    summary.updates_per_second = INFINITY;
    summary.digest[0] = '\0';
    summary.name = NULL;
    json_t *json = summary_json(&summary);
    static const char *const unknown[] = {"loss", "train_seconds", "updates_per_second", "digest",
                                          "name"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        assert_true(json_is_null(json_object_get(json, unknown[i])));
    const json_t *central = json_object_get(json_object_get(json, "baselines"), "central");
    assert_true(json_is_null(json_object_get(central, "accuracy")));
    json_decref(json);
}

static void the_overlay_is_told_where_there_is_one(void **state)
{
    (void)state;
    struct summary summary = a_summary();
    json_t *json = summary_json(&summary);
    assert_true(json_is_null(json_object_get(json, "overlay")));
    json_decref(json);
    summary.overlay = (struct overlay){.nodes = 300,
                                       .out_degree = 6,
                                       .dead_share = 0.7,
                                       .in_degree = {6, 2.5, 1, 14},
                                       .clustering = 0.25,
                                       .clustering_nodes = 300,
                                       .components = 2,
                                       .largest = 299,
                                       .random = {2.4, 0.04}};
    json = summary_json(&summary);
    const json_t *overlay = json_object_get(json, "overlay");
    assert_int_equal(json_integer_value(json_object_get(overlay, "largest_component")), 299);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(overlay, "in_degree"), "max")), 14);
    assert_true(
        json_real_value(json_object_get(json_object_get(overlay, "random"), "clustering")) == 0.04);
    json_decref(json);
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    summary_print(&summary, memory);
    fclose(memory);
    assert_non_null(strstr(text, "overlay     in-degree 6.0 ± 2.50 (a random graph: ± 2.40), "
                                 "clustering 0.2500 (0.0400), in 2 pieces, 299 nodes in the "
                                 "largest\n"));
    free(text);
}

static void fedavg_tells_what_it_cost(void **state)
{
    (void)state;
    struct summary summary = a_summary();
    summary.fedavg.accuracy = 0.81;
    summary.fedavg.loss = 0.56;
    summary.fedavg.rounds = 4;
    summary.fedavg.messages = 16;
    summary.fedavg.bytes = 4000000;
    json_t *json = summary_json(&summary);
    const json_t *fedavg = json_object_get(json_object_get(json, "baselines"), "fedavg");
    assert_true(json_real_value(json_object_get(fedavg, "accuracy")) == 0.81);
    assert_true(json_real_value(json_object_get(fedavg, "loss")) == 0.56);
    assert_int_equal(json_integer_value(json_object_get(fedavg, "rounds")), 4);
    assert_int_equal(json_integer_value(json_object_get(fedavg, "messages")), 16);
    assert_int_equal(json_integer_value(json_object_get(fedavg, "bytes")), 4000000);
    json_decref(json);
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    summary_print(&summary, memory);
    fclose(memory);
    assert_non_null(strstr(text, "fedavg       81.00 %   0.5600   4 rounds, 2.0 MB a node\n"));
    free(text);
}

static void a_baseline_with_a_curve_has_a_table(void **state)
{
    (void)state;
    struct results *results = open_run(false);
    assert_non_null(results);
    assert_int_equal(results_round(results, &a_row, &problem), STARLING_OK);
    assert_false(exists("baselines.csv"));
    const struct baseline_row rows[] = {{"fedavg", 1, 300, 16, 12345678901u, 0.5, 1.25},
                                        {"central", 2, 600, 0, 0, 0.75, NAN}};
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(results_baseline(results, &rows[i], &problem), STARLING_OK);
    char *text = slurp("baselines.csv"); /* on disk at once */
    assert_string_equal(text, "baseline,round,samples,messages,bytes,accuracy,loss\n"
                              "fedavg,1,300,16,12345678901,0.5,1.25\n"
                              "central,2,600,0,0,0.75,\n");
    free(text);
    results_close(&results);
    results = open_run(true);
    assert_non_null(results);
    assert_false(exists("baselines.csv")); /* an earlier run's goes */
    results_close(&results);
}

static void the_file_and_the_flag_say_the_same(void **state)
{
    (void)state;
    struct results *results = open_run(false);
    assert_non_null(results);
    struct summary summary = a_summary();
    assert_int_equal(results_finish(results, &summary, NULL, 0, &problem), STARLING_OK);
    results_close(&results);
    char *file = slurp("summary.json"), *flag = NULL;
    size_t size;
    FILE *memory = open_memstream(&flag, &size);
    assert_int_equal(summary_write(&summary, memory, &problem), STARLING_OK);
    fclose(memory);
    assert_string_equal(file, flag);
    json_t *json = json_loads(file, 0, NULL);
    assert_non_null(json);
    json_decref(json);
    free(file);
    free(flag);
}

static void an_existing_run_is_refused_and_left_alone(void **state)
{
    (void)state;
    struct results *results = open_run(false);
    assert_non_null(results);
    assert_int_equal(results_round(results, &a_row, &problem), STARLING_OK);
    results_close(&results);
    char *before = slurp("rounds.csv");
    assert_null(open_run(false));
    assert_int_equal(problem.error, STARLING_INVALID);
    assert_non_null(strstr(problem.text, run));
    assert_non_null(strstr(problem.text, "--force"));
    char *after = slurp("rounds.csv");
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static void force_replaces_results_and_nothing_else(void **state)
{
    (void)state;
    struct results *results = open_run(false);
    assert_non_null(results);
    struct summary summary = a_summary();
    assert_int_equal(results_finish(results, &summary, NULL, 0, &problem), STARLING_OK);
    results_close(&results);
    write_file("notes.txt", "mine");
    results = open_run(true);
    assert_non_null(results);
    assert_false(exists("summary.json")); /* an interrupted new run has none of the old one's */
    assert_false(exists("nodes.csv"));
    assert_false(exists("report.html"));
    results_close(&results);
    char *notes = slurp("notes.txt");
    assert_string_equal(notes, "mine");
    free(notes);
}

static void a_folder_of_other_things_may_be_used(void **state)
{
    (void)state;
    strcpy(run, base);
    write_file("notes.txt", "mine");
    struct results *results = open_run(false);
    assert_non_null(results);
    results_close(&results);
    assert_true(exists("notes.txt"));
    assert_false(exists("experiment.ini"));
}

static void a_run_that_never_began_leaves_nothing(void **state)
{
    (void)state;
    struct results *results = open_run(false);
    assert_non_null(results);
    assert_true(exists("experiment.ini"));
    results_close(&results);
    assert_int_not_equal(access(run, F_OK), 0);
}

static void parents_are_made(void **state)
{
    (void)state;
    snprintf(run, sizeof run, "%s/a/b/c", base);
    struct results *results = open_run(false);
    assert_non_null(results);
    assert_int_equal(results_round(results, &a_row, &problem), STARLING_OK);
    results_close(&results);
    assert_true(exists("rounds.csv"));
}

static void a_folder_that_cannot_be_is_one_clear_line(void **state)
{
    (void)state;
    strcpy(run, base);
    write_file("file", "");
    snprintf(run, sizeof run, "%s/file", base);
    assert_null(open_run(false));
    assert_non_null(strstr(problem.text, "--out"));
    snprintf(run, sizeof run, "%s/file/below", base);
    assert_null(open_run(false));
    assert_non_null(strstr(problem.text, "file"));
    assert_null(strchr(problem.text, '\n'));
}

static void a_run_without_its_nodes_is_not_complete(void **state)
{
    (void)state;
    static const struct node_row nodes[1000];
    struct results *results = open_run(false);
    assert_non_null(results);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){8192, old.rlim_max}; /* takes the summary and no more */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct summary summary = a_summary();
    summary.complete = true;
    enum starling_error end = results_finish(results, &summary, nodes, 1000, &problem);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(end, STARLING_FAILED);
    assert_non_null(strstr(problem.text, "nodes.csv"));
    results_close(&results);
    char *told = slurp("summary.json");
    assert_non_null(strstr(told, "\"complete\": false"));
    free(told);
    assert_false(exists("nodes.csv"));
}

static void a_disk_that_fills_up_keeps_what_was_written(void **state)
{
    (void)state;
    struct results *results = open_run(false);
    assert_non_null(results);
    assert_int_equal(results_round(results, &a_row, &problem), STARLING_OK);
    char *before = slurp("rounds.csv");
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = (struct rlimit){strlen(before), old.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum starling_error row = results_round(results, &a_row, &problem);
    struct problem last = {0};
    struct summary summary = a_summary();
    enum starling_error end = results_finish(results, &summary, NULL, 0, &last);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(row, STARLING_FAILED);
    assert_non_null(strstr(problem.text, "rounds.csv"));
    assert_int_equal(end, STARLING_FAILED);
    assert_false(exists("summary.json")); /* whole or not at all */
    results_close(&results);
    char *after = slurp("rounds.csv");
    assert_memory_equal(before, after, strlen(before));
    free(before);
    free(after);
}

static void spread_is_that_of_a_plain_count(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct random random = random_stream(seed, 0, RANDOM_EVALUATE, 0);
        size_t count = 1 + random_below(&random, 40), below = 0;
        double values[40], mean = 0, square = 0;
        for (size_t i = 0; i < count; i++)
            mean += (values[i] = random_uniform(&random)) / (double)count;
        for (size_t i = 0; i < count; i++)
            square += (values[i] - mean) * (values[i] - mean) / (double)count;
        struct spread spread = spread_of(values, count);
        for (size_t i = 0; i < count; i++)
            below += values[i] < spread.p50;
        if (fabs(spread.mean - mean) > 1e-12 || fabs(spread.std - sqrt(square)) > 1e-9 ||
            below > count / 2 || spread.min > spread.p10 || spread.p10 > spread.p50 ||
            spread.p50 > spread.p90 || spread.p90 > spread.max)
            fail_msg("seed %llu: mean %g for %g, std %g for %g", (unsigned long long)seed,
                     spread.mean, mean, spread.std, sqrt(square));
    }
    double known[] = {5, NAN, 1, 3, 2, 4, NAN};
    struct spread spread = spread_of(known, 7);
    assert_true(spread.min == 1 && spread.max == 5 && spread.p50 == 3 && spread.mean == 3);
    assert_true(fabs(spread.p10 - 1.4) < 1e-12 && fabs(spread.p90 - 4.6) < 1e-12);
    assert_true(isnan(spread_of(NULL, 0).mean));
}

#define PRINTED_MAX 4096

static void print_into(const struct summary *summary, char text[PRINTED_MAX])
{
    FILE *memory = fmemopen(text, PRINTED_MAX, "w");
    assert_non_null(memory);
    summary_print(summary, memory);
    fclose(memory);
}

static void the_table_compares_alone_gossip_and_central(void **state)
{
    (void)state;
    struct summary summary = a_summary();
    char text[PRINTED_MAX];
    print_into(&summary, text);
    assert_non_null(strstr(text, "79.00 %"));
    assert_non_null(strstr(strstr(text, "79.00 %"), "84.00 %"));
    assert_non_null(strstr(strstr(text, "84.00 %"), "87.00 %"));
    assert_non_null(strstr(text, "79.00 %   0.7100\n"));
    assert_non_null(strstr(text, "84.00 %   0.4300   ± 1.00 between nodes"));
    assert_non_null(strstr(text, "87.00 %   0.3900\n"));
    assert_non_null(strstr(text, "188 kB"));
    summary.local_accuracy = summary.central_accuracy = summary.accuracy.mean = NAN;
    summary.complete = false;
    print_into(&summary, text);
    assert_null(strstr(text, "alone"));
    assert_null(strstr(text, "nan"));
    assert_non_null(strstr(text, "interrupted"));
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_base, remove_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_run_leaves_rows_with_the_promised_columns),
        IN_A_FOLDER(experiment_ini_reads_back_as_the_same_settings),
        cmocka_unit_test(summary_json_has_every_promised_key),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(the_overlay_is_told_where_there_is_one),
        cmocka_unit_test(fedavg_tells_what_it_cost),
        IN_A_FOLDER(a_baseline_with_a_curve_has_a_table),
        IN_A_FOLDER(the_file_and_the_flag_say_the_same),
        IN_A_FOLDER(an_existing_run_is_refused_and_left_alone),
        IN_A_FOLDER(force_replaces_results_and_nothing_else),
        IN_A_FOLDER(a_folder_of_other_things_may_be_used),
        IN_A_FOLDER(a_run_that_never_began_leaves_nothing),
        IN_A_FOLDER(parents_are_made),
        IN_A_FOLDER(a_folder_that_cannot_be_is_one_clear_line),
        IN_A_FOLDER(a_run_without_its_nodes_is_not_complete),
        IN_A_FOLDER(a_disk_that_fills_up_keeps_what_was_written),
        cmocka_unit_test(spread_is_that_of_a_plain_count),
        cmocka_unit_test(the_table_compares_alone_gossip_and_central),
    };
    return cmocka_run_group_tests_name("results", tests, NULL, NULL);
}
