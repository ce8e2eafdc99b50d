/* What starlingctl does by itself: help, folders of nodes, swarms and certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node/authority.h"
#include "node/config.h"
#include "tests/node/ctl.h"

static void help_teaches_in_a_screen(void **state)
{
    (void)state;
    static const char *const commands[] = {"swarm create", "swarm admit", "init",
                                           "accept",       "status",      "peers",
                                           "history",      "conclude",    "stop"};
    ctl("--help");
    ctl_done("starlingctl init");
    size_t lines = 0;
    for (const char *c = ctl_got.out; *c; c++)
        lines += *c == '\n';
    assert_true(lines <= 40);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        ctl("--help");
        ctl_done(commands[i]);
        ctl("%s --help", commands[i]);
        ctl_done(commands[i]);
        assert_non_null(strstr(ctl_got.out, "starlingctl "));
    }
    ctl("--version");
    ctl_done("starlingctl ");
}

static void wrong_usage_ends_in_one_line_and_2(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *said;
    } cases[] = {
        {"", "a command is missing"},
        {"statsu", "statsu: no such command: did you mean status?"},
        {"swarm", "swarm create or swarm admit"},
        {"swarm adimt", "did you mean swarm admit?"},
        {"renew", "renew: no such command"},
        {"qqqqqqqqqqqqqq", "no such command: see starlingctl --help"},
        {"--colour status", "--colour: no such option"},
        {"--dir", "--dir: its value is missing"},
        {"--dir= status", "--dir: is empty"},
        {"status now", "\"now\" is not expected"},
        {"history --lats 3", "--lats: no such option: did you mean --last?"},
        {"history --last", "--last: its value is missing"},
        {"history --last 0", "--last: \"0\" is not a whole number from 1"},
        {"history --last 3x", "--last: \"3x\""},
        {"history --last 3 --last 4", "--last: is given twice"},
        {"swarm create", "name one folder"},
        {"swarm create a b", "name one folder"},
        {"swarm admit a", "at least one node.pub"},
        {"swarm admit a b --days 0", "--days: \"0\""},
        {"swarm admit a b --days 1 --until 2030-01-01", "--days and --until: give one"},
        {"swarm admit a b --until 2030-02-30", "--until: \"2030-02-30\" is no time"},
        {"swarm admit a b --until 2030-1-1", "is no time"},
        {"swarm admit a b --until 2030-01-01T24:00", "is no time"},
        {"swarm admit a b --until @1x", "is no time"},
        {"swarm admit a b --until 1999-01-01", "--until: is not after now"},
        {"swarm admit a b --from 2030-01-01 --until 2029-01-01", "--until: is not after --from"},
        {"swarm admit a b --role king", "--role: \"king\" is no role"},
        {"init here", "\"here\" is not expected"},
        {"init --listen 127.0.0.1:80", "--listen: \"127.0.0.1:80\" is no endpoint"},
        {"init --listen tcp://x", "--listen: \"tcp://x\" is no endpoint"},
        {"init --seed abc", "seed \"abc\": does not begin with a key"},
        {"accept", "accept: name one certificate"},
        {"accept a b", "accept: name one certificate"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ctl("%s", cases[i].arguments);
        ctl_failed(2, cases[i].said);
    }
}

static void no_node_is_3_and_says_what_to_do(void **state)
{
    (void)state;
    static const char *const commands[] = {"status",   "peers", "history",
                                           "conclude", "stop",  "status --json"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        ctl("--dir nowhere %s", commands[i]);
        ctl_failed(3, "nowhere/control.sock: no node answers: start starling-node");
    }
}

static void a_node_alone_founds_a_swarm_of_its_own(void **state)
{
    (void)state;
    struct stat about;
    struct config config;
    struct problem problem = {0};
    struct membership membership;
    uint8_t swarm[KEY_BYTES], bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    ctl("init --listen 'tcp://*:7000'");
    ctl_done("starling-node --dir");
    assert_int_equal(stat(folder_file(&ctl_folder, "starling"), &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
    config_defaults(&config);
    if (config_load(&config, folder_file(&ctl_folder, "starling/node.ini"), &problem))
        fail_msg("%s", problem.text);
    assert_string_equal(config.node.listen, "tcp://*:7000");
    assert_int_equal(swarm_read(folder_file(&ctl_folder, "starling/swarm.pub"), swarm, NULL), 0);
    assert_int_equal(
        certificate_read(folder_file(&ctl_folder, "starling/membership.cert"), bytes, &size, NULL),
        0);
    assert_int_equal(membership_verify(bytes, size, swarm, &membership), REFUSED_NOT);
    assert_true(membership.not_after > (int64_t)time(NULL) + INT64_C(9) * 365 * 86400);
    struct identity *identity = identity_load(folder_file(&ctl_folder, "starling"), NULL);
    assert_non_null(identity);
    assert_memory_equal(membership.identity, identity->keys.identity, KEY_BYTES);
    assert_memory_equal(membership.curve, identity->keys.curve, KEY_BYTES);
    identity_free(&identity);
    ctl("init");
    ctl_failed(1, "there is a node already");
    /* its authority admits others */
    ctl("--dir b init --swarm starling/swarm.pub");
    ctl_done("accept FILE.cert");
    ctl("swarm admit starling/swarm b/node.pub");
    ctl_done("b/node.cert  node ");
    ctl("--dir b accept b/node.cert");
    ctl_done("member of swarm ");
}

static void an_init_that_fails_leaves_nothing(void **state)
{
    (void)state;
    folder_write(&ctl_folder, "bad.pub", "starling-swarm 1\n", 17);
    ctl("--dir c init --swarm bad.pub");
    ctl_failed(1, "bad.pub:1: \"swarm\" is missing");
    assert_int_not_equal(access(folder_file(&ctl_folder, "c"), F_OK), 0);
    ctl("--dir c init --swarm absent.pub");
    ctl_failed(1, "absent.pub: cannot be opened");
    assert_int_not_equal(access(folder_file(&ctl_folder, "c"), F_OK), 0);
    /* something in the way of the last file but one */
    assert_int_equal(mkdir(folder_file(&ctl_folder, "d"), 0700), 0);
    assert_int_equal(mkdir(folder_file(&ctl_folder, "d/swarm.pub.tmp"), 0700), 0);
    ctl("--dir d init");
    ctl_failed(1, "swarm.pub.tmp");
    assert_int_not_equal(access(folder_file(&ctl_folder, "d/swarm"), F_OK), 0);
    assert_int_not_equal(access(folder_file(&ctl_folder, "d/membership.cert"), F_OK), 0);
    assert_int_not_equal(access(folder_file(&ctl_folder, "d/identity.key"), F_OK), 0);
    folder_write(&ctl_folder, "file", "", 0);
    ctl("--dir file init");
    ctl_failed(1, "file");
    ctl("--dir file/e init");
    ctl_failed(1, "file");
}

static void seeds_go_into_node_ini(void **state)
{
    (void)state;
    struct config config;
    struct problem problem = {0};
    char line[400], hex[KEY_HEX_SIZE];
    struct identity *identity = identity_new(NULL);
    key_hex(identity->keys.identity, hex);
    identity_free(&identity);
    ctl("--dir f init --seed %s@tcp://a:1 --seed=%s@tcp://b:2", hex, hex);
    ctl_done(NULL);
    config_defaults(&config);
    if (config_load(&config, folder_file(&ctl_folder, "f/node.ini"), &problem))
        fail_msg("%s", problem.text);
    snprintf(line, sizeof line, "%s@tcp://a:1 %s@tcp://b:2", hex, hex);
    assert_string_equal(config.node.seeds, line);
}

static void admission_writes_a_certificate_beside_each_key(void **state)
{
    (void)state;
    ctl("swarm create s");
    ctl_done("s/authority.key");
    for (int i = 1; i <= 3; i++) {
        ctl("--dir n%d init --swarm s/swarm.pub", i);
        ctl_done(NULL);
    }
    int64_t before = (int64_t)time(NULL);
    ctl("swarm admit s n1/node.pub n2/node.pub --json");
    json_t *all = ctl_result(), *list = json_object_get(all, "admitted");
    assert_int_equal(json_array_size(list), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *one = json_array_get(list, i);
        char file[64], own[1024], hex[KEY_HEX_SIZE];
        snprintf(file, sizeof file, "n%zu/node.cert", i + 1);
        assert_string_equal(json_string_value(json_object_get(one, "file")), file);
        assert_int_equal(json_integer_value(json_object_get(one, "serial")), i + 1);
        int64_t days = json_integer_value(json_object_get(one, "not_after")) - before;
        assert_true(days >= 90 * 86400 && days < 90 * 86400 + 60);
        assert_int_equal(access(file, F_OK), 0);
        struct public_keys keys;
        snprintf(own, sizeof own, "n%zu/node.pub", i + 1);
        assert_int_equal(public_keys_read(own, &keys, NULL), 0);
        key_hex(keys.identity, hex);
        assert_string_equal(json_string_value(json_object_get(one, "id")), hex);
    }
    json_decref(all);
    ctl("swarm admit s n3/node.pub --from 2020-01-01 --until 2031-12-31T23:59:59Z "
        "--role publisher --json");
    all = ctl_result();
    json_t *one = json_array_get(json_object_get(all, "admitted"), 0);
    assert_int_equal(json_integer_value(json_object_get(one, "not_before")), 1577836800);
    assert_int_equal(json_integer_value(json_object_get(one, "not_after")), 1956527999);
    assert_string_equal(json_string_value(json_array_get(json_object_get(one, "roles"), 1)),
                        "publisher");
    json_decref(all);
    ctl("--dir n3 --json accept n3/node.cert");
    all = ctl_result();
    assert_true(json_is_false(json_object_get(all, "running")));
    assert_int_equal(json_integer_value(json_object_get(all, "serial")), 3);
    json_decref(all);
    assert_int_equal(access("n3/membership.cert", F_OK), 0);
}

static void one_bad_key_admits_nobody(void **state)
{
    (void)state;
    ctl("swarm create t");
    ctl("--dir m1 init --swarm t/swarm.pub");
    folder_write(&ctl_folder, "bad.pub", "starling-node 1\nidentity 12\n", 28);
    ctl("swarm admit t m1/node.pub bad.pub");
    ctl_failed(1, "bad.pub:2: \"identity\" is not 64 hexadecimal digits");
    assert_int_not_equal(access("m1/node.cert", F_OK), 0);
    ctl("swarm admit t m1/node.pub m1/../m1/node.pub");
    ctl_failed(2, "is the same node as");
    assert_int_not_equal(access("m1/node.cert", F_OK), 0);
    ctl("swarm admit nowhere m1/node.pub");
    ctl_failed(1, "nowhere/authority.key: cannot be opened");
    assert_int_equal(chmod("t/authority.key", 0644), 0);
    ctl("swarm admit t m1/node.pub");
    ctl_failed(1, "chmod 600 t/authority.key");
    assert_int_not_equal(access("m1/node.cert", F_OK), 0);
    ctl("swarm create t");
    ctl_failed(1, "there is an authority already");
}

static void a_certificate_that_does_not_count_is_refused_in_words(void **state)
{
    (void)state;
    ctl("swarm create u");
    ctl("swarm create v");
    ctl("--dir k1 init --swarm u/swarm.pub");
    ctl("--dir k2 init --swarm u/swarm.pub");
    ctl("swarm admit v k1/node.pub");
    ctl("--dir k1 accept k1/node.cert");
    ctl_failed(1, "k1/node.cert: is for another swarm");
    ctl("swarm admit u k2/node.pub");
    ctl("--dir k1 accept k2/node.cert");
    ctl_failed(1, "k2/node.cert: is for node ");
    ctl("swarm admit u k1/node.pub --from @0 --until @1000");
    ctl("--dir k1 accept k1/node.cert");
    ctl_failed(1, "k1/node.cert: ended at 1970-01-01 00:16 UTC");
    ctl("swarm admit u k1/node.pub --from 9000-01-01 --days 1");
    ctl("--dir k1 accept k1/node.cert");
    ctl_failed(1, "k1/node.cert: begins at 9000-01-01 00:00 UTC");
    ctl("--dir k1 accept u/swarm.pub");
    ctl_failed(1, "u/swarm.pub: is not a certificate");
    ctl("--dir nowhere accept k1/node.cert");
    ctl_failed(1, "nowhere/swarm.pub: cannot be opened");
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    ctl("swarm admit u k1/node.pub");
    assert_int_equal(certificate_read("k1/node.cert", bytes, &size, NULL), 0);
    bytes[size - 1] ^= 1;
    assert_int_equal(certificate_write("k1/node.cert", bytes, size, NULL), 0);
    ctl("--dir k1 accept k1/node.cert");
    ctl_failed(1, "k1/node.cert: was not signed by the authority of swarm ");
    assert_int_not_equal(access("k1/membership.cert", F_OK), 0);
}

static void a_full_disk_is_not_passed_over(void **state)
{
    (void)state;
    char line[6000];
    ctl("--version");
    snprintf(line, sizeof line, "'%s' --help >/dev/full 2>'%s/err'", getenv("STARLINGCTL"),
             ctl_folder.path);
    int status = system(line);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    ctl_slurp("err", ctl_got.err);
    assert_non_null(strstr(ctl_got.err, "cannot be written"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_teaches_in_a_screen),
        cmocka_unit_test(wrong_usage_ends_in_one_line_and_2),
        cmocka_unit_test(no_node_is_3_and_says_what_to_do),
        cmocka_unit_test(a_node_alone_founds_a_swarm_of_its_own),
        cmocka_unit_test(an_init_that_fails_leaves_nothing),
        cmocka_unit_test(seeds_go_into_node_ini),
        cmocka_unit_test(admission_writes_a_certificate_beside_each_key),
        cmocka_unit_test(one_bad_key_admits_nobody),
        cmocka_unit_test(a_certificate_that_does_not_count_is_refused_in_words),
        cmocka_unit_test(a_full_disk_is_not_passed_over),
    };
    return cmocka_run_group_tests_name("ctl", tests, ctl_setup, ctl_teardown);
}
