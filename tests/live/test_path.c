/* The way of somebody new, step by step with the real programs: a swarm, two nodes that learn
 * together, a node by itself, and what goes wrong on the way. */
#include "tests/live/swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define WORDS_MAX 24
#define POLL_MS 50
#define ROWS 60

static char out[32768], err[8192]; /* what the last command printed */

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void redirect(const char *name, int to)
{
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, to) < 0)
        _exit(126);
    close(file);
}

static void read_into(const char *name, char *text, size_t size)
{
    long got = folder_read(&tested_swarm.folder, name, text, size - 1);
    assert_true(got >= 0);
    text[got] = '\0';
}

/* A program named by the environment, with the words of `line`, in the swarm's folder; its exit
 * status. */
static int command(const char *program, const char *line)
{
    char *words[WORDS_MAX] = {"program"}, text[2048], *rest = text;
    size_t count = 1;
    int how;
    snprintf(text, sizeof text, "%s", line);
    for (char *word; (word = strsep(&rest, " "));) {
        assert_true(count < WORDS_MAX - 1);
        words[count++] = word;
    }
    pid_t process = fork();
    if (process == 0) {
        if (chdir(tested_swarm.folder.path))
            _exit(126);
        redirect("out", 1);
        redirect("err", 2);
        execv(getenv(program), words);
        _exit(127);
    }
    assert_int_equal(waitpid(process, &how, 0), process);
    read_into("out", out, sizeof out);
    read_into("err", err, sizeof err);
    return WIFSIGNALED(how) ? -WTERMSIG(how) : WEXITSTATUS(how);
}

/* starlingctl does it, says nothing of trouble, and prints `part`. */
static void does(const char *line, const char *part)
{
    int status = command("STARLINGCTL", line);
    if (status != 0 || err[0] || !strstr(out, part))
        fail_msg("%s: ended with %d, said \"%s\", printed \"%s\", wanted \"%s\"", line, status, err,
                 out, part);
}

/* It says in one line why it does not, and prints nothing. */
static void fails(const char *line, int wanted, const char *part)
{
    int status = command("STARLINGCTL", line);
    const char *newline = strchr(err, '\n');
    if (status != wanted || out[0] || !strstr(err, part) || strncmp(err, "starlingctl: ", 13) != 0)
        fail_msg("%s: ended with %d, said \"%s\", printed \"%s\", wanted %d and \"%s\"", line,
                 status, err, out, wanted, part);
    if (!newline || newline[1])
        fail_msg("%s: said not one line: \"%s\"", line, err);
}

/* What a command prints with --json. */
static json_t *told(const char *line)
{
    json_error_t error;
    does(line, "");
    json_t *value = json_loads(out, 0, &error);
    if (!value)
        fail_msg("%s: %s: %s", line, error.text, out);
    return value;
}

/* A folder that starlingctl init has made. */
static void adopt(struct device *device, const char *name)
{
    *device = (struct device){.swarm = &tested_swarm};
    snprintf(device->dir, sizeof device->dir, "%s/%s", tested_swarm.folder.path, name);
}

/* It ends by itself with this status and says this, in one line. */
static void ends(struct device *device, int wanted, const char *part)
{
    const char *log;
    device_start(device, NULL);
    int status = device_await_end(device);
    log = device_log(device);
    const char *newline = strchr(log, '\n');
    if (status != wanted || !strstr(log, part) || !newline || newline[1])
        fail_msg("ended with %d, wanted %d; said \"%s\", wanted \"%s\"", status, wanted, log, part);
}

/* Polls as a person would until it is connected to one peer and has heard from it. */
static void await_peer(const char *line)
{
    double deadline = seconds() + PATIENCE_S;
    for (bool met = false; !met; poll(NULL, 0, met ? 0 : POLL_MS)) {
        json_t *status = told(line);
        const json_t *peers = json_object_get(status, "peers");
        const json_t *messages = json_object_get(status, "messages");
        met = json_integer_value(json_object_get(peers, "connected")) == 1 &&
              json_integer_value(json_object_get(messages, "in")) > 0;
        json_decref(status);
        if (!met && seconds() > deadline)
            fail_msg("%s: no peer: %s", line, out);
    }
}

static void look_at_the_peer(const char *dir, const char *peer)
{
    char line[200], name[17];
    snprintf(name, sizeof name, "%s", peer);
    snprintf(line, sizeof line, "--dir %s peers", dir);
    does(line, name);
    assert_non_null(strstr(out, "connected"));
    assert_non_null(strstr(out, "BYTES IN"));
    snprintf(line, sizeof line, "--dir %s peers --json", dir);
    double deadline = seconds() + PATIENCE_S;
    for (bool heard = false; !heard; poll(NULL, 0, heard ? 0 : POLL_MS)) {
        json_t *peers = told(line), *one = json_array_get(peers, 0);
        assert_int_equal(json_array_size(peers), 1);
        assert_string_equal(json_string_value(json_object_get(one, "id")), peer);
        heard = json_integer_value(json_object_get(one, "models_in")) > 0;
        json_decref(peers);
        if (!heard && seconds() > deadline)
            fail_msg("%s: no model: %s", line, out);
    }
}

static void look_at_the_history(const char *dir)
{
    char line[200];
    snprintf(line, sizeof line, "--dir %s history", dir);
    does(line, "ACCURACY");
    snprintf(line, sizeof line, "--dir %s history --last 2 --json", dir);
    json_t *rows = told(line);
    assert_in_range(json_array_size(rows), 1, 2);
    assert_true(json_is_number(json_object_get(json_array_get(rows, 0), "accuracy")));
    json_decref(rows);
}

static void two_nodes_of_a_swarm_learn_together(void **state)
{
    (void)state;
    static const char *const settings[] = {"gossip.period=200ms", NULL};
    struct device a, b;
    char line[400], a_id[65], b_id[65];
    if (!swarm_ready)
        skip();
    does("swarm create S", "next: starlingctl init --swarm S/swarm.pub");
    fails("swarm create S", 1, "there is an authority already");
    does("--dir A init --swarm S/swarm.pub --listen tcp://127.0.0.1:*", "next: send A/node.pub");
    fails("--dir A init --swarm S/swarm.pub", 1, "there is a node already");

    /* the first runs before it is a member, and tells where it is */
    adopt(&a, "A");
    device_up(&a, settings);
    does("--dir A status", "awaiting membership");
    json_t *status = told("--dir A --json status");
    assert_string_equal(json_string_value(json_object_get(status, "state")), "awaiting membership");
    snprintf(a_id, sizeof a_id, "%s", json_string_value(json_object_get(status, "id")));
    snprintf(line, sizeof line,
             "--dir B init --swarm S/swarm.pub --listen tcp://127.0.0.1:* --seed %s",
             json_string_value(json_object_get(status, "seed")));
    json_decref(status);
    does(line, "next: send B/node.pub");

    does("swarm admit S A/node.pub B/node.pub", "B/node.cert  node ");
    fails("--dir B accept A/node.cert", 1, "A/node.cert: is for node ");
    does("--dir B accept B/node.cert", "next: starling-node --dir B");
    does("--dir A accept A/node.cert", "the running node has it");

    adopt(&b, "B");
    device_up(&b, settings);
    await_peer("--dir A --json status");
    await_peer("status --json --dir B");
    status = told("--dir B status --json");
    snprintf(b_id, sizeof b_id, "%s", json_string_value(json_object_get(status, "id")));
    json_decref(status);
    does("--dir A status", "peers     1 connected, 1 known\n");
    look_at_the_peer("A", b_id);
    look_at_the_peer("B", a_id);
    look_at_the_history("A");
    look_at_the_history("B");

    does("--dir A stop", "stopped");
    does("--dir B stop --json", "\"stopped\": true");
    assert_int_equal(device_await_end(&a), 0);
    assert_int_equal(device_await_end(&b), 0);
    fails("--dir A status", 3, "A/control.sock: no node answers: start starling-node");
}

static void write_table(void)
{
    char text[4096], *end = text;
    end += sprintf(end, "width,height,kind\n");
    for (int i = 0; i < ROWS; i++)
        end +=
            sprintf(end, "%d,%d,%s\n", i * 7 % 30, i * 11 % 13, i * 7 % 30 < 15 ? "low" : "high");
    assert_int_equal(folder_write(&tested_swarm.folder, "own.csv", text, (size_t)(end - text)), 0);
}

static void a_node_without_a_swarm_learns_from_its_own_table(void **state)
{
    (void)state;
    struct device alone;
    char data[1100];
    if (!swarm_ready)
        skip();
    write_table();
    does("--dir alone init", "This node is a swarm of its own");
    does("--dir=other init --json", "\"state\": \"member\"");
    snprintf(data, sizeof data, "task.data=csv:%s", folder_file(&tested_swarm.folder, "own.csv"));
    const char *settings[] = {data, NULL};
    adopt(&alone, "alone");
    const char *threads = getenv("OPENBLAS_NUM_THREADS");
    char threads_before[16];
    snprintf(threads_before, sizeof threads_before, "%s", threads ? threads : "1");
    setenv("OPENBLAS_NUM_THREADS", "2", 1); /* threads that it did not make itself */
    device_up(&alone, settings);
    setenv("OPENBLAS_NUM_THREADS", threads_before, 1);
    device_await(&alone, "age", 3);
    device_await(&alone, "accuracy", 0.3);
    does("--dir alone status", "state     alone, up ");
    does("--dir alone peers", "none yet");
    look_at_the_history("alone");
    double before = seconds();
    device_stop(&alone);
    assert_true(seconds() - before < 10); /* 2 s are promised, on a machine that is not busy */
}

static void nobody_there_is_told_from_trouble(void **state)
{
    (void)state;
    static const char *const questions[] = {"status", "peers", "history", "stop", "status --json"};
    char line[100];
    if (!swarm_ready)
        skip();
    does("--dir asleep init", "");
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++) {
        snprintf(line, sizeof line, "--dir asleep %s", questions[i]);
        fails(line, 3, "asleep/control.sock: no node answers");
        snprintf(line, sizeof line, "--dir nowhere %s", questions[i]);
        fails(line, 3, "nowhere/control.sock: no node answers");
    }
    fails("--dir asleep stats", 2, "stats: no such command: did you mean status?");
    fails("--dir asleep status --jsn", 2, "--jsn: no such option: did you mean --json?");
    fails("--dir asleep status --json=1", 2, "--json: takes no value");
    fails("--jsno status", 2, "--jsno: no such option: did you mean --json?");
    fails("--dir asleep accept absent.cert", 1, "absent.cert: ");
}

static void a_port_in_use_is_said(void **state)
{
    (void)state;
    struct device first, second;
    char line[400];
    if (!swarm_ready)
        skip();
    does("--dir first init", "");
    adopt(&first, "first");
    device_up(&first, NULL);
    const char *endpoint = strchr(device_seed(&first), '@') + 1;
    snprintf(line, sizeof line, "--dir second init --listen %s", endpoint);
    does(line, "");
    adopt(&second, "second");
    ends(&second, 1, "address already in use: set node.listen");
    device_stop(&first);
}

static void a_second_node_in_the_same_folder_is_refused(void **state)
{
    (void)state;
    struct device first;
    char line[700];
    if (!swarm_ready)
        skip();
    does("--dir once init", "");
    adopt(&first, "once");
    device_up(&first, NULL);
    snprintf(line, sizeof line, "--dir %s --set task.data=synth:writers?writers=1", first.dir);
    assert_int_equal(command("STARLING_NODE", line), 1);
    assert_non_null(strstr(err, "a node runs in this folder already"));
    does("--dir once status", "alone");
    device_stop(&first);
}

static void a_bad_line_of_node_ini_is_named(void **state)
{
    (void)state;
    struct device device;
    char text[8192], where[64];
    size_t lines = 2;
    if (!swarm_ready)
        skip();
    does("--dir misspelt init", "");
    read_into("misspelt/node.ini", text, sizeof text - 100);
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    strcat(text, "[gossip]\nfanuot = 2\n");
    assert_int_equal(folder_write(&tested_swarm.folder, "misspelt/node.ini", text, strlen(text)),
                     0);
    adopt(&device, "misspelt");
    snprintf(where, sizeof where, "/misspelt/node.ini:%zu: there is no setting", lines);
    ends(&device, 2, where);
    assert_non_null(strstr(device_log(&device), "gossip.fanuot: did you mean gossip.fanout?"));
}

/* A word that only its user can judge is wrong later, when it is used: the line is still named. */
static void a_setting_that_proves_wrong_is_named_by_its_line(void **state)
{
    (void)state;
    if (!swarm_ready)
        skip();
    assert_int_equal(folder_write(&tested_swarm.folder, "cnn.ini", "[task]\nmodel = cnn\n", 19), 0);
    does("--dir unmade init", "");
    assert_int_equal(command("STARLING_NODE", "--dir unmade --config cnn.ini"), 2);
    assert_non_null(strstr(err, "starling-node: cnn.ini:2: task.model: there is no model 'cnn'"));
    assert_int_equal(command("STARLING_NODE", "--dir unmade --config cnn.ini --set task.model=svn"),
                     2);
    assert_non_null(strstr(err, "starling-node: --set: task.model: there is no model 'svn'"));
    assert_int_equal(command("STARLING_NODE", "--dir unmade --require-membrship"), 2);
    assert_non_null(strstr(err, "did you mean --require-membership?"));
    assert_int_equal(command("STARLING_NODE", "--dir unmade --log-level"), 2);
    assert_non_null(strstr(err, "--log-level: its value is missing"));
}

static void every_help_fits_a_screen(void **state)
{
    (void)state;
    static const char *const pages[] = {"--help",       "swarm create --help", "swarm admit --help",
                                        "init --help",  "accept --help",       "status --help",
                                        "peers --help", "history --help",      "stop --help",
                                        "--help"};
    size_t count = sizeof pages / sizeof pages[0];
    if (!swarm_ready)
        skip();
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(command(i + 1 < count ? "STARLINGCTL" : "STARLING_NODE", pages[i]), 0);
        char *rest = out;
        for (char *line; (line = strsep(&rest, "\n"));)
            if (strlen(line) > 79)
                fail_msg("%s: too wide: %s", pages[i], line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_nodes_of_a_swarm_learn_together),
        cmocka_unit_test(a_node_without_a_swarm_learns_from_its_own_table),
        cmocka_unit_test(nobody_there_is_told_from_trouble),
        cmocka_unit_test(a_port_in_use_is_said),
        cmocka_unit_test(a_second_node_in_the_same_folder_is_refused),
        cmocka_unit_test(a_bad_line_of_node_ini_is_named),
        cmocka_unit_test(a_setting_that_proves_wrong_is_named_by_its_line),
        cmocka_unit_test(every_help_fits_a_screen),
    };
    return cmocka_run_group_tests_name("path", tests, swarm_setup, swarm_teardown);
}
