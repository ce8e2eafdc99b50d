/* starling-sim live as a person runs it: real processes, real sockets. The program is named by the
 * environment variable STARLING_SIM; starling-node lies beside it. */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <jansson.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_S 120.0 /* for anything to happen, on a slow and busy machine */

static char base[128], out[160]; /* a test's own TMPDIR, and the results in it */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void rest(void)
{
    nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static int make_base(void **state)
{
    (void)state;
    strcpy(base, "/tmp/starling-live-test-XXXXXX");
    assert_non_null(mkdtemp(base));
    snprintf(out, sizeof out, "%s/out", base);
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

/* The process ids of nodes whose folders lie below `base`; returns how many. */
static size_t nodes_running(pid_t *processes, size_t most)
{
    DIR *folder = opendir("/proc");
    struct dirent *entry;
    size_t count = 0;
    assert_non_null(folder);
    while ((entry = readdir(folder))) {
        char path[300], line[4096];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        FILE *file = fopen(path, "re");
        size_t size = file ? fread(line, 1, sizeof line - 1, file) : 0;
        if (file)
            fclose(file);
        for (size_t i = 0; i < size; i++)
            if (!line[i])
                line[i] = ' ';
        line[size] = '\0';
        if (strstr(line, "starling-node ") && strstr(line, base)) {
            if (count < most)
                processes[count] = (pid_t)atol(entry->d_name);
            count++;
        }
    }
    closedir(folder);
    return count;
}

/* Nodes that outlive the launcher get a moment to heed SIGTERM. */
static void no_node_is_left(void)
{
    double deadline = seconds() + DEADLINE_S;
    while (nodes_running(NULL, 0) > 0) {
        if (seconds() > deadline)
            fail_msg("%zu nodes still run", nodes_running(NULL, 0));
        rest();
    }
}

static int remove_base(void **state)
{
    (void)state;
    pid_t processes[64];
    size_t count = nodes_running(processes, 64);
    for (size_t i = 0; i < count && i < 64; i++)
        kill(processes[i], SIGKILL);
    return nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void no_folder_is_left(void)
{
    DIR *folder = opendir(base);
    struct dirent *entry;
    assert_non_null(folder);
    while ((entry = readdir(folder)))
        if (strncmp(entry->d_name, "starling-live-", 14) == 0)
            fail_msg("%s/%s is left", base, entry->d_name);
    closedir(folder);
}

/* Starts `starling-sim live` with small data, fast rounds, and these options; it says what it says
 * into BASE/said. */
static pid_t begin_live(const char *const *options)
{
    const char *program = getenv("STARLING_SIM");
    if (!program) {
        print_message("STARLING_SIM names no starling-sim: skipped\n");
        skip();
    }
    char said[160];
    const char *arguments[40] = {
        program, "live", "--data", "synth:writers",       "--model", "linear",
        "--out", out,    "--set",  "gossip.period=100ms", "--set",   "sim.samples=60"};
    size_t count = 12;
    while (*options)
        arguments[count++] = *options++;
    snprintf(said, sizeof said, "%s/said", base);
    pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        setenv("TMPDIR", base, 1);
        int file = open(said, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        dup2(file, STDOUT_FILENO);
        dup2(file, STDERR_FILENO);
        execv(program, (char *const *)arguments);
        _exit(126);
    }
    return process;
}

static void slurp(const char *name, char *text, size_t size)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", base, name);
    FILE *file = fopen(path, "re");
    size_t got = file ? fread(text, 1, size - 1, file) : 0;
    text[got] = '\0';
    if (file)
        fclose(file);
}

/* The exit status, or 128 and the signal. */
static int status_of(pid_t process)
{
    double deadline = seconds() + DEADLINE_S;
    int status;
    while (waitpid(process, &status, WNOHANG) == 0) {
        if (seconds() > deadline) {
            kill(process, SIGKILL);
            fail_msg("starling-sim does not end");
        }
        rest();
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void must_be(int seen, int wanted)
{
    char said[4096];
    slurp("said", said, sizeof said);
    if (seen != wanted)
        fail_msg("exit status %d, wanted %d; it said:\n%s", seen, wanted, said);
}

static size_t lines_of(const char *name)
{
    char text[65536];
    size_t lines = 0;
    slurp(name, text, sizeof text);
    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    return lines;
}

static void wait_for_lines(const char *name, size_t lines)
{
    double deadline = seconds() + DEADLINE_S;
    while (lines_of(name) < lines) {
        if (seconds() > deadline) {
            char said[4096];
            slurp("said", said, sizeof said);
            fail_msg("%s never has %zu lines; it said:\n%s", name, lines, said);
        }
        rest();
    }
}

static json_t *summary(void)
{
    char path[300];
    snprintf(path, sizeof path, "%s/summary.json", out);
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    return json;
}

static void three_nodes_learn_and_leave_results(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes", "3", "--rounds", "3", NULL};
    must_be(status_of(begin_live(options)), 0);
    no_node_is_left();
    no_folder_is_left();
    char said[4096];
    slurp("said", said, sizeof said);
    assert_non_null(strstr(said, "3 nodes up, every connection CURVE, HELLO from all"));
    assert_int_equal(lines_of("out/nodes.csv"), 4);
    assert_in_range(lines_of("out/rounds.csv"), 2, 4); /* a busy machine leaves rounds out */
    json_t *json = summary();
    assert_true(json_is_true(json_object_get(json, "complete")));
    assert_int_equal(json_integer_value(json_object_get(json, "rounds")), 3);
    assert_true(json_integer_value(json_object_get(json, "messages")) > 0);
    assert_true(json_integer_value(json_object_get(json, "bytes")) > 0);
    assert_true(json_integer_value(json_object_get(json, "passes")) > 0);
    assert_true(json_integer_value(json_object_get(json, "samples_trained")) > 0);
    assert_true(json_real_value(json_object_get(json_object_get(json, "accuracy"), "mean")) > 0.1);
    assert_true(json_is_null(json_object_get(json, "digest")));
    json_decref(json);
}

static void one_node_learns_alone(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes", "1", "--rounds", "2", NULL};
    must_be(status_of(begin_live(options)), 0);
    no_node_is_left();
    assert_int_equal(lines_of("out/nodes.csv"), 2);
}

static void nodes_that_lack_a_label_learn_with_the_others(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes",     "3",         "--rounds", "2",
                                          "--partition", "classes:1", NULL};
    must_be(status_of(begin_live(options)), 0);
    no_node_is_left();
}

static void nodes_that_are_dealt_a_text_have_its_symbols(void **state)
{
    (void)state;
    char path[160], data[200];
    snprintf(path, sizeof path, "%s/text", base);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < 60; i++)
        fputs("a line that comes again\n", file);
    assert_int_equal(fclose(file), 0);
    snprintf(data, sizeof data, "text:%s?length=8", path);
    const char *const options[] = {"--nodes", "3",       "--rounds", "2", "--data",
                                   data,      "--model", "gru:4",    NULL};
    must_be(status_of(begin_live(options)), 0);
    no_node_is_left();
    json_t *json = summary();
    assert_true(json_real_value(json_object_get(json, "loss")) < 4);
    json_decref(json);
}

static void a_swarm_learns_from_pieces(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes",  "4",
                                          "--rounds", "60",
                                          "--set",    "gossip.encoding=i8",
                                          "--set",    "gossip.fragments=4",
                                          "--set",    "gossip.exchange=pushpull",
                                          NULL};
    must_be(status_of(begin_live(options)), 0);
    no_node_is_left();
    json_t *json = summary();
    double models = (double)json_integer_value(json_object_get(json, "messages"));
    double bytes = (double)json_integer_value(json_object_get(json, "bytes"));
    assert_int_equal(json_integer_value(json_object_get(json, "rejected")), 0);
    assert_true(bytes / models < 2600); /* of 7,850 parameters a whole model takes 31,400 */
    assert_true(json_real_value(json_object_get(json_object_get(json, "accuracy"), "mean")) > 0.4);
    json_decref(json);
}

static void a_final_phase_leaves_all_with_one_model(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes",      "3", "--rounds", "3", "--set",
                                          "sim.final=15", NULL};
    must_be(status_of(begin_live(options)), 0);
    no_node_is_left();
    json_t *json = summary(), *accuracy = json_object_get(json, "accuracy");
    assert_true(json_is_true(json_object_get(json, "complete")));
    assert_int_equal(json_integer_value(json_object_get(json, "rounds")), 18);
    assert_true(json_real_value(json_object_get(accuracy, "max")) -
                    json_real_value(json_object_get(accuracy, "min")) <
                0.01);
    json_decref(json);
}

static void ctrl_c_ends_with_what_there_is(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes", "3", "--rounds", "100000", NULL};
    pid_t process = begin_live(options);
    wait_for_lines("out/rounds.csv", 3);
    kill(process, SIGINT);
    must_be(status_of(process), 130);
    no_node_is_left();
    no_folder_is_left();
    assert_int_equal(lines_of("out/nodes.csv"), 4);
    json_t *json = summary();
    assert_true(json_is_false(json_object_get(json, "complete")));
    json_decref(json);
}

static void ctrl_c_before_the_start_ends_them_too(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes", "8", "--rounds", "100000", NULL};
    pid_t process = begin_live(options);
    double deadline = seconds() + DEADLINE_S;
    while (nodes_running(NULL, 0) == 0 && seconds() < deadline)
        rest();
    kill(process, SIGINT);
    must_be(status_of(process), 130);
    no_node_is_left();
    no_folder_is_left();
}

static void a_node_that_dies_is_named_and_ends_the_run(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes", "3", "--rounds", "100000", NULL};
    pid_t process = begin_live(options), nodes[8];
    wait_for_lines("out/rounds.csv", 2);
    assert_int_equal(nodes_running(nodes, 8), 3);
    kill(nodes[1], SIGKILL);
    must_be(status_of(process), 1);
    no_node_is_left();
    no_folder_is_left();
    char said[4096];
    slurp("said", said, sizeof said);
    assert_non_null(strstr(said, "node "));
    assert_non_null(strstr(said, "signal 9"));
    assert_true(lines_of("out/rounds.csv") >= 2);
}

static void nodes_do_not_outlive_a_launcher_that_is_killed(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes", "3", "--rounds", "100000", NULL};
    pid_t process = begin_live(options);
    wait_for_lines("out/rounds.csv", 2);
    kill(process, SIGKILL);
    must_be(status_of(process), 128 + SIGKILL);
    no_node_is_left();
}

static void more_nodes_than_can_be_is_one_clear_line(void **state)
{
    (void)state;
    static const char *const options[] = {"--nodes", "5000", "--rounds", "1", NULL};
    must_be(status_of(begin_live(options)), 2);
    char said[4096];
    slurp("said", said, sizeof said);
    assert_non_null(strstr(said, "sim.nodes"));
    assert_int_not_equal(access(out, F_OK), 0); /* nothing half written */
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_base, remove_base)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(three_nodes_learn_and_leave_results),
        IN_A_FOLDER(one_node_learns_alone),
        IN_A_FOLDER(nodes_that_lack_a_label_learn_with_the_others),
        IN_A_FOLDER(nodes_that_are_dealt_a_text_have_its_symbols),
        IN_A_FOLDER(a_swarm_learns_from_pieces),
        IN_A_FOLDER(ctrl_c_ends_with_what_there_is),
        IN_A_FOLDER(a_final_phase_leaves_all_with_one_model),
        IN_A_FOLDER(ctrl_c_before_the_start_ends_them_too),
        IN_A_FOLDER(a_node_that_dies_is_named_and_ends_the_run),
        IN_A_FOLDER(nodes_do_not_outlive_a_launcher_that_is_killed),
        IN_A_FOLDER(more_nodes_than_can_be_is_one_clear_line),
    };
    return cmocka_run_group_tests_name("live", tests, NULL, NULL);
}
