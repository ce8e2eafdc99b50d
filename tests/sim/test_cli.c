/* starling-sim as a hostile person runs it: what is wrong is said in one line and leaves nothing
 * behind, what is right is whole. The program is named by the environment variable STARLING_SIM. */
#include "tests/sim/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <zlib.h>

#define FEW "--nodes 4 --set sim.samples=30 "
#define SMALL FEW "--rounds 2 --model linear"

static size_t entries(void)
{
    size_t count = 0;
    DIR *dir = opendir(folder.path);
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* It fails so, and leaves nothing behind. */
static void fails(const char *arguments, int status, const char *part)
{
    size_t before = entries();
    run(arguments);
    expect_line(arguments, status, part);
    if (entries() != before)
        fail_msg("%s: left something behind", arguments);
}

struct wrong {
    const char *arguments, *said;
};

static void all_fail(const struct wrong *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fails(cases[i].arguments, 2, cases[i].said);
}

static void wrong_usage_is_one_line_that_names_the_flag(void **state)
{
    (void)state;
    static const struct wrong cases[] = {
        {"", "a command is missing"},
        {"rum", "rum: no such command: did you mean run?"},
        {"xyzzyxyzzy", "no such command: run, live"},
        {"run --bogus", "--bogus: no such option"},
        {"run --ndoes 4", "--ndoes: no such option: did you mean --nodes?"},
        {"run --ndoes=4", "--ndoes: no such option: did you mean --nodes?"},
        {"run --quiet -xy", "-x: no such option"},
        {"run --json=yes", "--json: takes no value"},
        {"run --nodes", "--nodes: needs a value"},
        {"run good.ini section.ini", "section.ini: one configuration file is enough"},
        {"run --nodes 0", "--nodes: sim.nodes is \"0\": write a whole number from 1"},
        {"run --nodes -1", "--nodes: sim.nodes is \"-1\""},
        {"run --nodes abc", "--nodes: sim.nodes is \"abc\""},
        {"run --nodes ''", "--nodes: sim.nodes is \"\""},
        {"run --nodes 99999999999999999999", "--nodes: sim.nodes is \"9999"},
        {"run --rounds 0", "--rounds: sim.rounds is \"0\""},
        {"run --rounds 1e3", "--rounds: sim.rounds is \"1e3\""},
        {"run --threads 100000", "--threads: sim.threads is \"100000\""},
        {"run --seed -1", "--seed: sim.seed is \"-1\""},
        {"run " FEW "--partition classes:99",
         "--partition: sim.partition: classes:99: the data has 10"},
        {"run " FEW "--partition dirichlet:0", "--partition: sim.partition: 'dirichlet:0'"},
        {"run " FEW "--partition dirichlet:nan", "--partition: sim.partition: 'dirichlet:nan'"},
        {"run " FEW "--partition dirichlet:-1", "--partition: sim.partition: 'dirichlet:-1'"},
        {"run " FEW "--partition shards:0", "--partition: sim.partition: 'shards:0'"},
        {"run " FEW "--partition halves", "--partition: sim.partition: 'halves' is no partition"},
        {"run " FEW "--model mlp:0", "--model: task.model: 'mlp:0'"},
        {"run " FEW "--model cnn",
         "--model: task.model: there is no model 'cnn': use linear, svm, mlp:"},
        {"run " FEW "--model ''", "--model: task.model: there is no model ''"},
        {"run --baseline fedmean", "--baseline: sim.baseline: there is no baseline \"fedmean\""},
        {"run --baseline local,lokal", "no baseline \"lokal\": did you mean local?"},
        {"run --baseline locals", "no baseline \"locals\""},
        {"run --set foo", "--set: \"foo\" is no setting: write section.key=value"},
        {"run --set sim.ndoes=4", "--set: there is no setting sim.ndoes: did you mean sim.nodes?"},
        {"run --set sim.latency=constant:0", "--set: sim.latency: 'constant:0'"},
        {"run --set sim.drop=2", "--set: sim.drop is \"2\""},
        {"run --set gossip.merge=median",
         "--set: gossip.merge is \"median\": write one of limited"},
        {"run --out ''", "--out: is empty"},
        {"run --out", "--out: needs a value"},
        {"run --out train.csv " SMALL, "train.csv: is a file"},
        {"live --nodes 0", "--nodes: sim.nodes is \"0\""},
        {"live --nodes 2000", "--nodes: sim.nodes: 2000 processes are more than live starts"},
        {"live " FEW "--model cnn", "--model: task.model: there is no model 'cnn'"},
        {"run --set sim.topology=rnig", "--set: sim.topology: 'rnig' is no topology: did you mean "
                                        "ring?"},
        {"run --nodes 9 --set sim.topology=regular:3", "one of the two numbers must be even"},
        {"live --set sim.topology=ring", "sim.topology: real nodes talk over the real network"},
        {"run --set sim.churn=daily", "--set: sim.churn: 'daily' is no churn: write none, exp:"},
        {"live --set sim.churn=exp:1m,1m", "sim.churn: real nodes talk over the real network"},
        {"live --set node.listen=tcp://127.0.0.1:7", "node.listen: is a setting of devices"},
        {"run --set node.save_every=1s", "--set: node.save_every: is a setting of devices"},
        {"live --set sim.compute=1us", "sim.compute: real nodes talk over the real network"},
        {"live --set sim.preset=af", "sim.preset: real nodes talk over the real network"},
        {"live --set sim.sync=rounds", "sim.sync: real nodes talk over the real network"},
        {"live --set sim.latency=later", "--set: sim.latency: 'later'"},
        {"live --data csv:absent.csv", "absent.csv: No such file"},
        {"live absent.ini", "absent.ini: cannot be opened"},
    };
    if (!program[0])
        skip();
    all_fail(cases, sizeof cases / sizeof cases[0]);
}

static void wrong_configuration_is_one_line_that_names_file_and_line(void **state)
{
    (void)state;
    static const struct wrong cases[] = {
        {"run absent.ini", "absent.ini: cannot be opened"},
        {"run idx", "idx: is not a regular file"},
        {"run key.ini", "key.ini:3: there is no setting gossip.fanuot: did you mean gossip.fanout"},
        {"run section.ini",
         "section.ini:2: there is no setting gosip.fanout: did you mean gossip."},
        {"run value.ini", "value.ini:2: gossip.fanout is \"many\": write a whole number"},
        {"run " FEW "--set gossip.order=walk --set gossip.merge=age",
         "--set: gossip.merge: with gossip.order = walk a received model takes"},
        {"run " FEW "--set gossip.order=update-merge --set learn.momentum=0.9",
         "--set: learn.momentum: with gossip.order = update-merge others' models"},
        {"run " FEW "--set gossip.order=update-merge --set learn.optimizer=adam",
         "--set: learn.optimizer: with gossip.order = update-merge others' models"},
        {"run " FEW "--set gossip.flow=token --set gossip.token_least=30",
         "--set: gossip.token_least: an account that holds 20 tokens at most never has 30"},
        {"run " FEW "--set gossip.token_most=30",
         "--set: gossip.token_most: without gossip.flow = token nobody saves tokens up"},
        {"run " FEW "--set gossip.token_least=3",
         "--set: gossip.token_least: without gossip.flow = token"},
        {"run " FEW "--set gossip.order=walk --set gossip.age_limit=3",
         "--set: gossip.age_limit: with gossip.order = walk nothing is merged: leave it out"},
        {"run " FEW "--set gossip.merge=age --set gossip.age_limit=3",
         "--set: gossip.age_limit: only gossip.merge = limited has a limit"},
        {"run " FEW "--set learn.holdout=0 --set learn.fold=1",
         "--set: learn.fold: with learn.holdout = 0 nothing is kept"},
        {"run " FEW "--set learn.schedule=constant --set learn.rate_floor=0.2",
         "--set: learn.rate_floor: a floor is for schedules that fall to it"},
        {"run " FEW "--model svm --set learn.rate_floor=0.2",
         "--set: learn.rate_floor: a floor is for schedules"},
        {"run " FEW "--set sim.topology=ring --set gossip.view=5",
         "--set: gossip.view: with sim.topology = ring a node knows its neighbours"},
        {"run " FEW "--set task.agree=on", "--set: task.agree: pixels are scaled to 0..1"},
        {"run --nodes 2 --data csv:train.csv --scale none --set task.agree=on",
         "--set: task.agree: with task.scale = none features stay as they are"},
        {"run " FEW "--set learn.personal=9 --samples 19",
         "--set: learn.personal: no node holds more than 0 examples out"},
        {"run " FEW "--set learn.personal=9 --set learn.holdout=0.1 --samples 20",
         "--set: learn.personal: no node holds more than 3 examples out"},
        {"run " FEW "--partition sizes:1-99999999", "--partition: sim.partition: sizes:1-99999999"},
        {"run " FEW "--set sim.fedavg_clients=0.5 --baseline local",
         "sim.fedavg_clients: no FedAvg is run: leave it out, or add fedavg"},
        {"run " FEW "--set learn.horizon=9", "--set: learn.horizon: no schedule ends but cosine"},
        {"run " FEW "--model svm --set learn.rate=1",
         "--set: learn.rate: the steps of Pegasos follow from learn.decay alone"},
        {"run " FEW "--model svm --set learn.optimizer=adam",
         "--set: learn.optimizer: the steps of Pegasos follow from learn.decay alone"},
        {"run " FEW "--model svm --set learn.momentum=0.5",
         "--set: learn.momentum: the steps of Pegasos follow from learn.decay alone"},
        {"run " FEW "--model svm --set learn.decay=0",
         "--set: learn.decay: a step of Pegasos is 1 / (decay · age) long"},
        {"run " FEW "--set learn.optimizer=quasi-global --set gossip.order=walk",
         "--set: learn.optimizer: quasi-global follows a model through its merges"},
        {"run " FEW "--set learn.optimizer=quasi-global --set learn.momentum=0",
         "--set: learn.optimizer: quasi-global without learn.momentum is sgd"},
        {"run " FEW "--set learn.fold=5",
         "--set: learn.fold: 5 is beyond the last: with learn.holdout 0.2 there are folds 0 to 4"},
        {"run text.ini", "text.ini:1: neither [section] nor key = value"},
        {"run model.ini " FEW, "model.ini:3: task.model: there is no model 'cnn'"},
        {"run model.ini " FEW "--model svn", "--model: task.model: there is no model 'svn'"},
        {"run latency.ini", "latency.ini:2: sim.latency: 'soon'"},
        {"live latency.ini", "latency.ini:2: sim.latency: 'soon'"},
        {"run data.ini", "absent.csv: No such file"},
        {"run good.ini --set sim.nodes=0", "--set: sim.nodes is \"0\""},
    };
    if (!program[0])
        skip();
    all_fail(cases, sizeof cases / sizeof cases[0]);
}

static void wrong_data_is_one_line_that_names_the_file(void **state)
{
    (void)state;
    static const struct wrong cases[] = {
        {"run --data csv:absent.csv", "absent.csv: No such file"},
        {"run --data csv:idx", "idx: is a folder"},
        {"run --data csv:text.csv", "text.csv:3: column 2: 'x' is not a number"},
        {"run --data csv:ragged.csv", "ragged.csv:2: 2 fields"},
        {"run --data csv:train.csv?test=test.csv", "test.csv:2: column 3: label out of range: '7'"},
        {"run --data csv:train.csv?label=nix", "nix"},
        {"run --data csv:train.csv?lable=3", "unknown option 'lable': did you mean 'label'?"},
        {"run --nodes 50 --data csv:train.csv", "examples are too few for 50 nodes"},
        {"run --nodes 2 --partition user --data csv:train.csv",
         "--partition: sim.partition: user: the data"},
        {"run --data idx:absent", "absent: No such file"},
        {"run --data idx:empty", "empty: has no train-images-idx3-ubyte"},
        {"run --data idx:short", "short/train-images-idx3-ubyte: ends before the examples"},
        {"run --data idx:zipped", "zipped/train-images-idx3-ubyte.gz: its gzip stream ends early"},
        {"run --data idx:labelled", "labelled/t10k-labels-idx1-ubyte: label out of range"},
        {"run --data synth:scribes", "synth:scribes: no such data"},
        {"run --data sinth:writers", "did you mean synth:?"},
        {"run --data writers", "writers: no kind of data that is known"},
        {"run --data ''", "no kind of data that is known"},
    };
    if (!program[0])
        skip();
    all_fail(cases, sizeof cases / sizeof cases[0]);
}

static void a_place_that_cannot_be_written_is_a_failure(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    fails("run --nodes 1000000 --partition draw:1 --data synth:writers?writers=4 --model mlp:4000",
          2, "take fewer nodes");
    fails("run --out train.csv/results " SMALL, 1, "train.csv/results: Not a directory: choose");
    fails("run --out /proc/results " SMALL, 1, "/proc/results: ");
}

static size_t count_of(const char *text, char wanted)
{
    size_t count = 0;
    for (; *text; text++)
        count += *text == wanted;
    return count;
}

static void a_full_disk_keeps_the_rows_written(void **state)
{
    (void)state;
    static const char arguments[] = "run --out o --quiet --nodes 4 --set sim.samples=30 "
                                    "--rounds 200 --model linear";
    char rows[4096];
    if (!program[0])
        skip();
    run_held(arguments, HOLD_FILE_SIZE);
    expect_line(arguments, 1, "o/rounds.csv: File too large: ");
    read_whole("o/rounds.csv", rows, sizeof rows);
    assert_true(count_of(rows, '\n') > 10);
    assert_false(is_there("o/summary.json"));
    discard("o");
}

static void a_result_that_cannot_be_printed_is_a_failure(void **state)
{
    (void)state;
    if (!program[0] || access("/dev/full", W_OK))
        skip();
    run_held("run --out o --quiet " SMALL, HOLD_FULL_STDOUT);
    expect_line("run >/dev/full", 1, "stdout: the result cannot be written");
    run_held("run --out o --force --json " SMALL, HOLD_FULL_STDOUT);
    expect_line("run --json >/dev/full", 1, "cannot be written");
    discard("o");
}

static void a_closed_stdout_is_not_mixed_with_the_results(void **state)
{
    (void)state;
    char rows[4096];
    if (!program[0])
        skip();
    run_held("run --out o --quiet " SMALL, HOLD_CLOSED_STDOUT);
    assert_int_equal(said.status, 0);
    read_whole("o/rounds.csv", rows, sizeof rows);
    assert_int_equal(count_of(rows, '\n'), 3);
    assert_int_equal(count_of(rows, ','), 3 * 14);
    discard("o");
}

static json_t *summary_of(const char *arguments)
{
    json_error_t error;
    run_well(arguments);
    if (said.err[0])
        fail_msg("%s: said \"%s\"", arguments, said.err);
    json_t *summary = json_loads(said.out, 0, &error);
    if (!summary)
        fail_msg("%s: %s: %s", arguments, error.text, said.out);
    return summary;
}

static void one_node_learns_alone(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    json_t *summary = summary_of("run --json --out o --nodes 1 --set sim.samples=200 --rounds 5");
    assert_true(json_is_true(json_object_get(summary, "complete")));
    assert_int_equal(json_integer_value(json_object_get(summary, "messages")), 0);
    double accuracy =
        json_number_value(json_object_get(json_object_get(summary, "accuracy"), "mean"));
    if (accuracy < 0.3)
        fail_msg("accuracy %g", accuracy);
    json_decref(summary);
    discard("o");
}

static void json_is_all_that_is_printed_and_has_every_key(void **state)
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
    static const char *const spread[] = {"mean", "std", "min", "p10", "p50", "p90", "max"};
    if (!program[0])
        skip();
    json_t *summary = summary_of("run --json --out o --baseline local,central " SMALL);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (!json_object_get(summary, keys[i]))
            fail_msg("%s is not there", keys[i]);
    for (size_t i = 0; i < sizeof spread / sizeof spread[0]; i++)
        assert_true(
            json_is_number(json_object_get(json_object_get(summary, "accuracy"), spread[i])));
    json_t *baselines = json_object_get(summary, "baselines"), *file;
    assert_true(json_is_number(json_object_get(json_object_get(baselines, "local"), "accuracy")));
    assert_true(json_is_number(json_object_get(json_object_get(baselines, "central"), "accuracy")));
    assert_true(json_is_null(json_object_get(baselines, "fedavg")));
    file = json_load_file(folder_file(&folder, "o/summary.json"), 0, NULL);
    assert_true(json_equal(summary, file));
    json_decref(summary);
    json_decref(file);
    discard("o");
}

static void digest_of(const char *arguments, char digest[65])
{
    json_t *summary = summary_of(arguments);
    snprintf(digest, 65, "%s", json_string_value(json_object_get(summary, "digest")));
    assert_int_equal(strlen(digest), 64);
    json_decref(summary);
}

static void the_same_bits_come_out_however_it_is_run(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "run --json --force --out o --threads 1 " SMALL,
        "run --json --force --out o --threads 2 " SMALL,
        "run --json --force --out o --wire " SMALL,
        "run --json --force --out o fed.ini",
        "run --json --force --out o fed.ini --threads 1 --wire",
    };
    char first[65], again[65], from[1024];
    if (!program[0])
        skip();
    digest_of("run --json --out o " SMALL, first);
    snprintf(from, sizeof from, "%s", folder_file(&folder, "o/experiment.ini"));
    assert_int_equal(rename(from, folder_file(&folder, "fed.ini")), 0);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        digest_of(ways[i], again);
        if (strcmp(first, again) != 0)
            fail_msg("%s: %s, wanted %s", ways[i], again, first);
    }
    digest_of("run --json --force --out o fed.ini --seed 2", again);
    assert_string_not_equal(first, again);
    discard("fed.ini");
    discard("o");
}

static void an_earlier_run_is_replaced_by_force_only(void **state)
{
    (void)state;
    char before[8192], after[8192];
    if (!program[0])
        skip();
    run_well("run --quiet " SMALL);
    assert_non_null(strstr(said.out, "gossip"));
    assert_string_equal(said.err, "");
    read_whole("runs/writers-linear-1/summary.json", before, sizeof before);
    fails("run " SMALL, 2, "runs/writers-linear-1: holds a run already: replace it with --force");
    read_whole("runs/writers-linear-1/summary.json", after, sizeof after);
    assert_string_equal(before, after);
    run_well("run --quiet --force --rounds 3 --nodes 4 --set sim.samples=30 --model linear");
    read_whole("runs/writers-linear-1/summary.json", after, sizeof after);
    assert_non_null(strstr(after, "\"rounds\": 3"));
    discard("runs");
}

static void an_interrupted_run_keeps_what_it_has(void **state)
{
    (void)state;
    static const char arguments[] =
        "run --quiet --out o --nodes 4 --set sim.samples=30 --rounds 1000000 --model linear "
        "--baseline local";
    static char rows[1 << 20];
    if (!program[0])
        skip();
    double deadline = seconds() + DEADLINE_S;
    pid_t process = launch(arguments, HOLD_NOT);
    do {
        rest();
        if (is_there("o/rounds.csv"))
            read_whole("o/rounds.csv", rows, sizeof rows);
    } while (count_of(rows, '\n') < 4 && seconds() < deadline);
    kill(process, SIGINT);
    await(process, arguments);
    assert_int_equal(said.status, 130);
    assert_string_equal(said.err, "");
    assert_non_null(strstr(said.out, "(interrupted"));
    json_t *summary = json_load_file(folder_file(&folder, "o/summary.json"), 0, NULL);
    assert_true(json_is_false(json_object_get(summary, "complete")));
    size_t rounds = (size_t)json_integer_value(json_object_get(summary, "rounds"));
    read_whole("o/rounds.csv", rows, sizeof rows);
    if (rounds < 3 || (count_of(rows, '\n') != rounds + 1 && strlen(rows) < sizeof rows - 1))
        fail_msg("%zu rounds, %zu rows", rounds, count_of(rows, '\n') - 1);
    read_whole("o/nodes.csv", rows, sizeof rows);
    assert_int_equal(count_of(rows, '\n'), 5);
    json_decref(summary);
    discard("o");
}

static void help_fits_a_screen(void **state)
{
    (void)state;
    static const char *const ways[] = {"--help", "run --help", "live -h", "--settings",
                                       "run --settings"};
    if (!program[0])
        skip();
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        run_well(ways[i]);
        assert_string_equal(said.err, "");
        char *rest_of = said.out;
        for (char *line; (line = strsep(&rest_of, "\n"));)
            if (strlen(line) > 79)
                fail_msg("%s: too wide: %s", ways[i], line);
    }
    run_well("--version");
    assert_int_equal(strncmp(said.out, "starling-sim ", 13), 0);
}

/* MNIST's four files with 4 examples of 2 × 2 pixels each, the images cut to `bytes` and zipped or
 * not, and `last` the last test label. */
static void write_idx(const char *dir, size_t bytes, bool zipped, char last)
{
    static const char images[32] = "\0\0\x08\x03\0\0\0\x04\0\0\0\x02\0\0\0\x02 1234567890123";
    char labels[12] = "\0\0\x08\x01\0\0\0\x04\0\1\0\1", name[256];
    mkdir(folder_file(&folder, dir), 0700);
    snprintf(name, sizeof name, "%s/train-labels-idx1-ubyte", dir);
    assert_int_equal(folder_write(&folder, name, labels, 12), 0);
    labels[11] = last;
    snprintf(name, sizeof name, "%s/t10k-labels-idx1-ubyte", dir);
    assert_int_equal(folder_write(&folder, name, labels, 12), 0);
    snprintf(name, sizeof name, "%s/t10k-images-idx3-ubyte", dir);
    assert_int_equal(folder_write(&folder, name, images, 32), 0);
    snprintf(name, sizeof name, "%s/train-images-idx3-ubyte%s", dir, zipped ? ".gz" : "");
    if (!zipped) {
        assert_int_equal(folder_write(&folder, name, images, bytes), 0);
        return;
    }
    gzFile file = gzopen(folder_file(&folder, name), "wb");
    assert_int_equal(gzwrite(file, images, 32), 32);
    gzclose(file);
    assert_int_equal(truncate(folder.name, (off_t)bytes), 0);
}

static void write_inputs(void)
{
    write_text("good.ini", "[sim]\nnodes = 4\n");
    write_text("key.ini", "# experiment\n[gossip]\nfanuot = 1\n");
    write_text("section.ini", "[gosip]\nfanout = 1\n");
    write_text("value.ini", "[gossip]\nfanout = many\n");
    write_text("text.ini", "hello\n");
    write_text("model.ini", "[task]\ndata = synth:writers\nmodel = cnn\n");
    write_text("latency.ini", "[sim]\nlatency = soon\n");
    write_text("data.ini", "[task]\ndata = csv:absent.csv\n");
    write_text("text.csv", "a,b,y\n1,2,0\n3,x,1\n2,1,0\n");
    write_text("ragged.csv", "1,2,0\n3,1\n");
    write_text("train.csv", "1,2,0\n3,4,1\n2,1,0\n1,1,1\n");
    write_text("test.csv", "1,2,0\n3,4,7\n");
    mkdir(folder_file(&folder, "empty"), 0700);
    write_idx("idx", 32, false, 1);
    write_idx("short", 30, false, 1);
    write_idx("zipped", 30, true, 1);
    write_idx("labelled", 32, false, 9);
}

static int begin(void **state)
{
    (void)state;
    if (command_begin())
        return -1;
    if (program[0])
        write_inputs();
    return 0;
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
        cmocka_unit_test(wrong_usage_is_one_line_that_names_the_flag),
        cmocka_unit_test(wrong_configuration_is_one_line_that_names_file_and_line),
        cmocka_unit_test(wrong_data_is_one_line_that_names_the_file),
        cmocka_unit_test(a_place_that_cannot_be_written_is_a_failure),
        cmocka_unit_test(a_full_disk_keeps_the_rows_written),
        cmocka_unit_test(a_result_that_cannot_be_printed_is_a_failure),
        cmocka_unit_test(a_closed_stdout_is_not_mixed_with_the_results),
        cmocka_unit_test(one_node_learns_alone),
        cmocka_unit_test(json_is_all_that_is_printed_and_has_every_key),
        cmocka_unit_test(the_same_bits_come_out_however_it_is_run),
        cmocka_unit_test(an_earlier_run_is_replaced_by_force_only),
        cmocka_unit_test(an_interrupted_run_keeps_what_it_has),
        cmocka_unit_test(help_fits_a_screen),
    };
    return cmocka_run_group_tests_name("cli", tests, begin, end);
}
