/* What a node keeps, how it ends, and what it says when it cannot start. */
#include "tests/live/swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <time.h>

static double seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Starts it, and checks that it ends with this status and says this. */
static void assert_ends(struct device *device, const char *const *settings, int wanted,
                        const char *said)
{
    device_start(device, settings);
    int status = device_await_end(device);
    const char *log = device_log(device);
    const char *newline = strchr(log, '\n');
    if (status != wanted || !strstr(log, said))
        fail_msg("ended with %d, wanted %d; said \"%s\", wanted \"%s\"", status, wanted, log, said);
    if (!newline || newline[1])
        fail_msg("more than one line: \"%s\"", log);
}

static void kill_9_costs_at_most_a_round(void **state)
{
    (void)state;
    static const char *const every_round[] = {"node.save_every=0", "task.model=mlp:16", NULL};
    static const char *const waiting[] = {"node.autostart=off", "task.model=mlp:16", NULL};
    struct device device;
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "killed", tested_swarm.authority, VALID);
    double age = 0;
    for (int times = 0; times < 3; times++) {
        device_up(&device, every_round);
        age = device_await(&device, "age", age + 4);
        device_kill(&device, SIGKILL);
    }
    device_up(&device, waiting); /* over the socket that the killed one left behind */
    double kept = device_number(&device, "age");
    if (kept < age - 1)
        fail_msg("age %g was seen, %g was kept", age, kept);
    assert_true(device_number(&device, "round") >= kept);
    assert_true(device_number(&device, "samples") > 0);
    device_await_text(&device, "state", "waiting");
    device_stop(&device);
}

static void an_end_as_asked_keeps_everything(void **state)
{
    (void)state;
    static const char *const waiting[] = {"node.autostart=off", NULL};
    static const char *const stop[] = {"stop", NULL};
    struct device device;
    char said[1000];
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "stopped", tested_swarm.authority, VALID);
    device_up(&device, NULL);
    double age = device_await(&device, "age", 3);
    assert_int_equal(device_ctl(&device, said, sizeof said, stop), 0);
    assert_int_equal(device_await_end(&device), 0);
    assert_int_not_equal(access(strcat(strcpy(said, device.dir), "/control.sock"), F_OK), 0);
    device_up(&device, waiting);
    assert_true(device_number(&device, "age") >= age);
    json_t *answer = device_ask(&device, json_pack("{s:s, s:i}", "command", "history", "last", 5));
    json_t *rows = json_object_get(answer, "history");
    assert_true(json_array_size(rows) >= 3);
    for (size_t i = 0; i < json_array_size(rows); i++)
        assert_true(json_is_false(json_object_get(json_array_get(rows, i), "lost")));
    json_decref(answer);
    device_stop(&device);
}

static void a_long_pass_does_not_hold_up_the_end(void **state)
{
    (void)state;
    static const char *const slow[] = {"task.model=mlp:256,256", "learn.epochs=1000",
                                       "gossip.period=1ms", NULL};
    struct device device;
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "slow", tested_swarm.authority, VALID);
    device_up(&device, slow);
    device_await_text(&device, "state", "alone");
    device_await(&device, "round", 1);
    double before = seconds();
    device_stop(&device);
    assert_true(seconds() - before < 10); /* 2 s are promised; the pass takes a minute */
    assert_non_null(strstr(device_log(&device), "learning"));
}

/* What stands where a save is to be written first cannot be removed: it is a folder. */
static void block_saves(const struct device *device, bool block)
{
    char path[1024];
    for (int slot = 'a'; slot <= 'b'; slot++) {
        snprintf(path, sizeof path, "%s/parameters-%c.slot.tmp", device->dir, slot);
        assert_int_equal(block ? mkdir(path, 0700) : rmdir(path), 0);
    }
}

static void a_last_save_that_fails_is_said(void **state)
{
    (void)state;
    struct device device;
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "unsaved", tested_swarm.authority, VALID);
    block_saves(&device, true);
    device_up(&device, NULL);
    device_await(&device, "age", 2);
    kill(device.process, SIGTERM);
    assert_int_equal(device_await_end(&device), 1);
    assert_non_null(strstr(device_log(&device), "since the last save is lost: "));
    block_saves(&device, false);
}

static void a_save_that_fails_is_done_again(void **state)
{
    (void)state;
    static const char *const every_round[] = {"node.save_every=0", NULL};
    static const char *const waiting[] = {"node.autostart=off", NULL};
    struct device device;
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "blocked", tested_swarm.authority, VALID);
    block_saves(&device, true);
    device_up(&device, every_round);
    double age = device_await(&device, "age", 3);
    block_saves(&device, false);
    device_stop(&device);
    assert_non_null(strstr(device_log(&device), "cannot be removed"));
    device_up(&device, waiting);
    assert_true(device_number(&device, "age") >= age);
    device_stop(&device);
}

static void a_slot_that_cannot_be_read_is_not_written_over(void **state)
{
    (void)state;
    struct device device;
    char path[1024];
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "barred", tested_swarm.authority, VALID);
    snprintf(path, sizeof path, "%s/parameters-b.slot", device.dir);
    assert_int_equal(symlink("parameters-b.slot", path), 0);
    assert_ends(&device, NULL, 1, "parameters-b.slot: cannot be opened");
}

static void a_newcomer_is_admitted_while_it_runs(void **state)
{
    (void)state;
    struct device newcomer, member;
    char seeds[300], cert[1024], said[1000];
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    struct problem problem;
    if (!swarm_ready)
        skip();
    device_make(&member, &tested_swarm, "member", tested_swarm.authority, VALID);
    device_make(&newcomer, &tested_swarm, "newcomer", NULL, VALID);
    device_up(&member, NULL);
    snprintf(seeds, sizeof seeds, "node.seeds=%s", device_seed(&member));
    const char *settings[] = {seeds, NULL};
    device_up(&newcomer, settings);
    device_await_text(&newcomer, "state", "awaiting membership");
    device_await(&member, "refused.no-membership", 1);
    certify(tested_swarm.authority, &newcomer.keys, VALID, bytes, &size);
    snprintf(cert, sizeof cert, "%s/new.cert", tested_swarm.folder.path);
    assert_int_equal(certificate_write(cert, bytes, size, &problem), 0);
    const char *accept[] = {"accept", cert, NULL};
    if (device_ctl(&newcomer, said, sizeof said, accept) != 0)
        fail_msg("%s", said);
    device_await_text(&newcomer, "state", "learning");
    device_await(&newcomer, "merged", 1);
    device_await(&member, "merged", 1);
    device_stop(&newcomer);

    /* and is found again without seeds, by what it remembers */
    device_up(&newcomer, NULL);
    device_await(&newcomer, "merged", 1);
    assert_true(device_number(&newcomer, "peers.known") >= 1);
    device_stop(&newcomer);
    device_stop(&member);
}

static void a_reread_configuration_brings_new_seeds(void **state)
{
    (void)state;
    struct device one, two;
    char path[1024], text[400];
    if (!swarm_ready)
        skip();
    device_make(&one, &tested_swarm, "one", tested_swarm.authority, VALID);
    device_make(&two, &tested_swarm, "two", tested_swarm.authority, VALID);
    device_up(&one, NULL);
    device_up(&two, NULL);
    snprintf(path, sizeof path, "%s/node.ini", two.dir);
    snprintf(text, sizeof text, "[node]\nseeds = %s\n", device_seed(&one));
    FILE *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    kill(two.process, SIGHUP);
    device_await(&two, "peers.connected", 1);
    device_await(&one, "merged", 1);
    device_stop(&one);
    device_stop(&two);
}

static void a_folder_is_for_one_node(void **state)
{
    (void)state;
    struct device device;
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "twice", tested_swarm.authority, VALID);
    device_up(&device, NULL);
    struct device second = device;
    device_start(&second, NULL);
    assert_int_equal(device_await_end(&second), 1);
    assert_non_null(strstr(device_log(&device), "a node runs in this folder already"));
    assert_true(device_number(&device, "uptime_s") > 0);
    device_stop(&device);
}

static void what_is_wrong_at_the_start_is_said_in_a_line(void **state)
{
    (void)state;
    struct device device, busy;
    char listen[300];
    if (!swarm_ready)
        skip();
    device_make(&busy, &tested_swarm, "busy", tested_swarm.authority, VALID);
    device_up(&busy, NULL);
    snprintf(listen, sizeof listen, "node.listen=%s", strchr(device_seed(&busy), '@') + 1);
    const struct {
        const char *settings[3];
        int status;
        const char *said;
    } cases[] = {
        {{listen}, 1, "address already in use: set node.listen"},
        {{"gossip.perod=1s"}, 2, "gossip.perod"},
        {{"task.model=mlp:0"}, 2, "mlp:0"},
        {{"task.data=idx:/nowhere"}, 2, "/nowhere"},
        {{"task.model=mlp:4096,4096"}, 2, "node.max_model"},
        {{"node.seeds=somebody"}, 2, "somebody"},
        {{"node.advertise=here"}, 2, "node.advertise"},
        {{"node.listen=udp://127.0.0.1:1"}, 2, "node.listen"},
        {{"control.socket=/nowhere/at/all"}, 1, "control.socket"},
        {{"--log-level=loud"}, 2, "--log-level"},
        {{"--bogus"}, 2, "--bogus"},
        {{"--config=/nowhere.ini"}, 2, "/nowhere.ini"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "wrong-%zu", i);
        device_make(&device, &tested_swarm, name, tested_swarm.authority, VALID);
        assert_ends(&device, cases[i].settings, cases[i].status, cases[i].said);
    }
    device_stop(&busy);
}

static void a_bad_line_of_the_configuration_is_named(void **state)
{
    (void)state;
    struct device device;
    char path[1024];
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "misspelt", tested_swarm.authority, VALID);
    snprintf(path, sizeof path, "%s/node.ini", device.dir);
    FILE *file = fopen(path, "w");
    fputs("[gossip]\nfanout = 2\nfan_out = 3\n", file);
    fclose(file);
    assert_ends(&device, NULL, 2, "node.ini:3");
}

static void a_folder_that_is_no_nodes_is_said_so(void **state)
{
    (void)state;
    struct device device;
    char path[1024];
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "keyless", tested_swarm.authority, VALID);
    snprintf(path, sizeof path, "%s/identity.key", device.dir);
    chmod(path, 0644);
    assert_ends(&device, NULL, 2, "identity.key");
    snprintf(path, sizeof path, "%s/log", device.dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/identity.key", device.dir);
    unlink(path);
    assert_ends(&device, NULL, 2, "starlingctl --dir");
}

static void another_task_does_not_overwrite_what_was_learned(void **state)
{
    (void)state;
    static const char *const another[] = {"task.model=mlp:8", NULL};
    struct device device;
    char path[1024];
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "retasked", tested_swarm.authority, VALID);
    device_up(&device, NULL);
    device_await(&device, "age", 2);
    device_stop(&device);
    snprintf(path, sizeof path, "%s/log", device.dir);
    unlink(path);
    assert_ends(&device, another, 2, "another task");
    device_up(&device, NULL);
    assert_true(device_number(&device, "age") >= 2);
    device_stop(&device);
}

static void a_required_membership_is_checked_at_the_start(void **state)
{
    (void)state;
    static const char *const required[] = {"--require-membership", NULL};
    struct device device;
    struct problem problem;
    if (!swarm_ready)
        skip();
    device_make(&device, &tested_swarm, "uncertified", NULL, VALID);
    assert_ends(&device, required, 3, "not a member");
    device_make(&device, &tested_swarm, "expired", tested_swarm.authority, EXPIRED);
    assert_ends(&device, required, 3, "ended at");
    struct authority *other =
        authority_create(folder_file(&tested_swarm.folder, "other"), &problem);
    assert_non_null(other);
    device_make(&device, &tested_swarm, "foreign", other, VALID);
    assert_ends(&device, required, 3, "another swarm");
    authority_close(&other);
}

static void a_node_that_nobody_answers_learns_alone(void **state)
{
    (void)state;
    struct device device, nobody;
    char seeds[300], id[KEY_HEX_SIZE];
    if (!swarm_ready)
        skip();
    device_make(&nobody, &tested_swarm, "nobody", NULL, VALID);
    device_make(&device, &tested_swarm, "alone", tested_swarm.authority, VALID);
    key_hex(nobody.keys.identity, id);
    snprintf(seeds, sizeof seeds, "node.seeds=%s@tcp://127.0.0.1:9", id);
    const char *settings[] = {seeds, NULL};
    device_up(&device, settings);
    device_await(&device, "age", 3);
    device_await_text(&device, "state", "alone");
    device_stop(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_9_costs_at_most_a_round),
        cmocka_unit_test(an_end_as_asked_keeps_everything),
        cmocka_unit_test(a_long_pass_does_not_hold_up_the_end),
        cmocka_unit_test(a_last_save_that_fails_is_said),
        cmocka_unit_test(a_save_that_fails_is_done_again),
        cmocka_unit_test(a_slot_that_cannot_be_read_is_not_written_over),
        cmocka_unit_test(a_newcomer_is_admitted_while_it_runs),
        cmocka_unit_test(a_reread_configuration_brings_new_seeds),
        cmocka_unit_test(a_folder_is_for_one_node),
        cmocka_unit_test(what_is_wrong_at_the_start_is_said_in_a_line),
        cmocka_unit_test(a_bad_line_of_the_configuration_is_named),
        cmocka_unit_test(a_folder_that_is_no_nodes_is_said_so),
        cmocka_unit_test(another_task_does_not_overwrite_what_was_learned),
        cmocka_unit_test(a_required_membership_is_checked_at_the_start),
        cmocka_unit_test(a_node_that_nobody_answers_learns_alone),
    };
    return cmocka_run_group_tests_name("restart", tests, swarm_setup, swarm_teardown);
}
