/* Runs the built starlingctl, named by the environment variable STARLINGCTL, as a person would,
 * against folders of its own making and a node that this program plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "node/authority.h"
#include "node/config.h"
#include "tests/node/folder.h"

#define OUTPUT_MAX 65536

struct outcome {
    int exit;
    char out[OUTPUT_MAX], err[OUTPUT_MAX];
};

/* A node that answers every request with the same line, and remembers the last request. */
struct played_node {
    pthread_t thread;
    pthread_mutex_t lock; /* of the request */
    int listener;
    char path[600], answer[OUTPUT_MAX], request[OUTPUT_MAX];
    bool hang_up, stops; /* says nothing; ends after its first answer */
};

static struct folder folder;
static struct outcome got;

static int setup(void **state)
{
    (void)state;
    if (!getenv("STARLINGCTL"))
        return 0;
    if (folder_make(&folder))
        return -1;
    char program[PATH_MAX];
    if (!realpath(getenv("STARLINGCTL"), program))
        return -1;
    setenv("STARLINGCTL", program, 1);
    setenv("XDG_STATE_HOME", folder.path, 1);
    return chdir(folder.path);
}

static int teardown(void **state)
{
    (void)state;
    if (getenv("STARLINGCTL"))
        folder_remove(&folder);
    return chdir("/");
}

static void slurp(const char *name, char *into)
{
    long size = folder_read(&folder, name, into, OUTPUT_MAX - 1);
    into[size < 0 ? 0 : size] = '\0';
}

/* Runs "starlingctl ARGUMENTS" through the shell; fills `got`. */
static int ctl(const char *format, ...)
{
    char arguments[3000], line[9000];
    va_list list;
    if (!getenv("STARLINGCTL")) {
        print_message("STARLINGCTL is not set: skipped\n");
        skip();
    }
    va_start(list, format);
    vsnprintf(arguments, sizeof arguments, format, list);
    va_end(list);
    snprintf(line, sizeof line, "'%s' %s >'%s/out' 2>'%s/err'", getenv("STARLINGCTL"), arguments,
             folder.path, folder.path);
    int status = system(line);
    assert_true(WIFEXITED(status));
    got.exit = WEXITSTATUS(status);
    slurp("out", got.out);
    slurp("err", got.err);
    /* an error is one line on stderr, and says who speaks; a result leaves stderr alone */
    if (got.exit == 0)
        assert_string_equal(got.err, "");
    else if (strncmp(got.err, "starlingctl: ", 13) ||
             strchr(got.err, '\n') != got.err + strlen(got.err) - 1)
        fail_msg("%s: stderr is \"%s\"", arguments, got.err);
    return got.exit;
}

static void expect_done(const char *what)
{
    if (got.exit)
        fail_msg("exit %d: %s", got.exit, got.err);
    if (what && !strstr(got.out, what))
        fail_msg("\"%s\" is not in:\n%s", what, got.out);
}

static void expect_failed(int code, const char *said)
{
    if (got.exit != code || !strstr(got.err, said))
        fail_msg("exit %d (wanted %d): \"%s\" (wanted \"%s\")", got.exit, code, got.err, said);
    assert_string_equal(got.out, "");
}

static json_t *result(void)
{
    json_error_t error;
    json_t *value = json_loads(got.out, 0, &error);
    if (!value)
        fail_msg("no JSON: %s: %s", error.text, got.out);
    return value;
}

static void answer_one(struct played_node *node, int client)
{
    static _Thread_local char request[OUTPUT_MAX];
    size_t used = 0;
    while (used < sizeof request - 1 && (used == 0 || request[used - 1] != '\n')) {
        ssize_t size = recv(client, request + used, sizeof request - 1 - used, 0);
        if (size <= 0)
            break;
        used += (size_t)size;
    }
    request[used] = '\0';
    pthread_mutex_lock(&node->lock);
    strcpy(node->request, request);
    pthread_mutex_unlock(&node->lock);
    if (used > 0 && request[used - 1] == '\n' && !node->hang_up)
        (void)!send(client, node->answer, strlen(node->answer), MSG_NOSIGNAL);
}

/* The last request, whole: it is kept before it is answered. */
static const char *last_request(struct played_node *node)
{
    static char request[OUTPUT_MAX];
    pthread_mutex_lock(&node->lock);
    strcpy(request, node->request);
    pthread_mutex_unlock(&node->lock);
    return request;
}

static void *play(void *self)
{
    struct played_node *node = self;
    for (;;) {
        int client = accept(node->listener, NULL, NULL);
        if (client < 0)
            return NULL;
        char byte;
        bool asked = recv(client, &byte, 1, MSG_PEEK) == 1; /* or it only knocked */
        if (asked)
            answer_one(node, client);
        close(client);
        if (asked && node->stops) {
            close(node->listener);
            unlink(node->path);
            return NULL;
        }
    }
}

static void node_begin(struct played_node *node, const char *dir, const char *answer)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(node->path, sizeof node->path, "%s/%s/control.sock", folder.path, dir);
    snprintf(node->answer, sizeof node->answer, "%s\n", answer);
    assert_true(strlen(node->path) < sizeof address.sun_path);
    strcpy(address.sun_path, node->path);
    node->listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(node->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(node->listener, 16), 0);
    assert_int_equal(pthread_mutex_init(&node->lock, NULL), 0);
    assert_int_equal(pthread_create(&node->thread, NULL, play, node), 0);
}

static void node_end(struct played_node *node)
{
    if (!node->stops) {
        shutdown(node->listener, SHUT_RDWR);
        unlink(node->path);
    }
    pthread_join(node->thread, NULL);
    if (!node->stops)
        close(node->listener);
}

static void help_teaches_in_a_screen(void **state)
{
    (void)state;
    static const char *const commands[] = {"swarm create", "swarm admit", "init",    "accept",
                                           "status",       "peers",       "history", "stop"};
    ctl("--help");
    expect_done("starlingctl init");
    size_t lines = 0;
    for (const char *c = got.out; *c; c++)
        lines += *c == '\n';
    assert_true(lines <= 40);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        ctl("--help");
        expect_done(commands[i]);
        ctl("%s --help", commands[i]);
        expect_done(commands[i]);
        assert_non_null(strstr(got.out, "starlingctl "));
    }
    ctl("--version");
    expect_done("starlingctl ");
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
        expect_failed(2, cases[i].said);
    }
}

static void no_node_is_3_and_says_what_to_do(void **state)
{
    (void)state;
    static const char *const commands[] = {"status", "peers", "history", "stop", "status --json"};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        ctl("--dir nowhere %s", commands[i]);
        expect_failed(3, "nowhere/control.sock: no node answers: start starling-node");
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
    expect_done("starling-node --dir");
    assert_int_equal(stat(folder_file(&folder, "starling"), &about), 0);
    assert_int_equal(about.st_mode & 07777, 0700);
    config_defaults(&config);
    if (config_load(&config, folder_file(&folder, "starling/node.ini"), &problem))
        fail_msg("%s", problem.text);
    assert_string_equal(config.node.listen, "tcp://*:7000");
    assert_int_equal(swarm_read(folder_file(&folder, "starling/swarm.pub"), swarm, NULL), 0);
    assert_int_equal(
        certificate_read(folder_file(&folder, "starling/membership.cert"), bytes, &size, NULL), 0);
    assert_int_equal(membership_verify(bytes, size, swarm, &membership), REFUSED_NOT);
    assert_true(membership.not_after > (int64_t)time(NULL) + INT64_C(9) * 365 * 86400);
    struct identity *identity = identity_load(folder_file(&folder, "starling"), NULL);
    assert_non_null(identity);
    assert_memory_equal(membership.identity, identity->keys.identity, KEY_BYTES);
    assert_memory_equal(membership.curve, identity->keys.curve, KEY_BYTES);
    identity_free(&identity);
    ctl("init");
    expect_failed(1, "there is a node already");
    /* its authority admits others */
    ctl("--dir b init --swarm starling/swarm.pub");
    expect_done("accept FILE.cert");
    ctl("swarm admit starling/swarm b/node.pub");
    expect_done("b/node.cert  node ");
    ctl("--dir b accept b/node.cert");
    expect_done("member of swarm ");
}

static void an_init_that_fails_leaves_nothing(void **state)
{
    (void)state;
    folder_write(&folder, "bad.pub", "starling-swarm 1\n", 17);
    ctl("--dir c init --swarm bad.pub");
    expect_failed(1, "bad.pub:1: \"swarm\" is missing");
    assert_int_not_equal(access(folder_file(&folder, "c"), F_OK), 0);
    ctl("--dir c init --swarm absent.pub");
    expect_failed(1, "absent.pub: cannot be opened");
    assert_int_not_equal(access(folder_file(&folder, "c"), F_OK), 0);
    /* something in the way of the last file but one */
    assert_int_equal(mkdir(folder_file(&folder, "d"), 0700), 0);
    assert_int_equal(mkdir(folder_file(&folder, "d/swarm.pub.tmp"), 0700), 0);
    ctl("--dir d init");
    expect_failed(1, "swarm.pub.tmp");
    assert_int_not_equal(access(folder_file(&folder, "d/swarm"), F_OK), 0);
    assert_int_not_equal(access(folder_file(&folder, "d/membership.cert"), F_OK), 0);
    assert_int_not_equal(access(folder_file(&folder, "d/identity.key"), F_OK), 0);
    folder_write(&folder, "file", "", 0);
    ctl("--dir file init");
    expect_failed(1, "file");
    ctl("--dir file/e init");
    expect_failed(1, "file");
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
    expect_done(NULL);
    config_defaults(&config);
    if (config_load(&config, folder_file(&folder, "f/node.ini"), &problem))
        fail_msg("%s", problem.text);
    snprintf(line, sizeof line, "%s@tcp://a:1 %s@tcp://b:2", hex, hex);
    assert_string_equal(config.node.seeds, line);
}

static void admission_writes_a_certificate_beside_each_key(void **state)
{
    (void)state;
    ctl("swarm create s");
    expect_done("s/authority.key");
    for (int i = 1; i <= 3; i++) {
        ctl("--dir n%d init --swarm s/swarm.pub", i);
        expect_done(NULL);
    }
    int64_t before = (int64_t)time(NULL);
    ctl("swarm admit s n1/node.pub n2/node.pub --json");
    json_t *all = result(), *list = json_object_get(all, "admitted");
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
    all = result();
    json_t *one = json_array_get(json_object_get(all, "admitted"), 0);
    assert_int_equal(json_integer_value(json_object_get(one, "not_before")), 1577836800);
    assert_int_equal(json_integer_value(json_object_get(one, "not_after")), 1956527999);
    assert_string_equal(json_string_value(json_array_get(json_object_get(one, "roles"), 1)),
                        "publisher");
    json_decref(all);
    ctl("--dir n3 --json accept n3/node.cert");
    all = result();
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
    folder_write(&folder, "bad.pub", "starling-node 1\nidentity 12\n", 28);
    ctl("swarm admit t m1/node.pub bad.pub");
    expect_failed(1, "bad.pub:2: \"identity\" is not 64 hexadecimal digits");
    assert_int_not_equal(access("m1/node.cert", F_OK), 0);
    ctl("swarm admit t m1/node.pub m1/../m1/node.pub");
    expect_failed(2, "is the same node as");
    assert_int_not_equal(access("m1/node.cert", F_OK), 0);
    ctl("swarm admit nowhere m1/node.pub");
    expect_failed(1, "nowhere/authority.key: cannot be opened");
    assert_int_equal(chmod("t/authority.key", 0644), 0);
    ctl("swarm admit t m1/node.pub");
    expect_failed(1, "chmod 600 t/authority.key");
    assert_int_not_equal(access("m1/node.cert", F_OK), 0);
    ctl("swarm create t");
    expect_failed(1, "there is an authority already");
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
    expect_failed(1, "k1/node.cert: is for another swarm");
    ctl("swarm admit u k2/node.pub");
    ctl("--dir k1 accept k2/node.cert");
    expect_failed(1, "k2/node.cert: is for node ");
    ctl("swarm admit u k1/node.pub --from @0 --until @1000");
    ctl("--dir k1 accept k1/node.cert");
    expect_failed(1, "k1/node.cert: ended at 1970-01-01 00:16 UTC");
    ctl("swarm admit u k1/node.pub --from 9000-01-01 --days 1");
    ctl("--dir k1 accept k1/node.cert");
    expect_failed(1, "k1/node.cert: begins at 9000-01-01 00:00 UTC");
    ctl("--dir k1 accept u/swarm.pub");
    expect_failed(1, "u/swarm.pub: is not a certificate");
    ctl("--dir nowhere accept k1/node.cert");
    expect_failed(1, "nowhere/swarm.pub: cannot be opened");
    uint8_t bytes[MEMBERSHIP_BYTES_MAX];
    size_t size;
    ctl("swarm admit u k1/node.pub");
    assert_int_equal(certificate_read("k1/node.cert", bytes, &size, NULL), 0);
    bytes[size - 1] ^= 1;
    assert_int_equal(certificate_write("k1/node.cert", bytes, size, NULL), 0);
    ctl("--dir k1 accept k1/node.cert");
    expect_failed(1, "k1/node.cert: was not signed by the authority of swarm ");
    assert_int_not_equal(access("k1/membership.cert", F_OK), 0);
}

static void a_running_node_is_handed_its_certificate(void **state)
{
    (void)state;
    static struct played_node node;
    ctl("swarm create w");
    ctl("--dir r1 init --swarm w/swarm.pub");
    ctl("swarm admit w r1/node.pub");
    node_begin(&node, "r1", "{\"ok\":true,\"accepted\":{}}");
    ctl("--dir r1 accept r1/node.cert");
    node_end(&node);
    expect_done("the running node has it");
    assert_non_null(strstr(last_request(&node), "{\"command\":\"accept\",\"certificate\":\""));
    assert_int_not_equal(access("r1/membership.cert", F_OK), 0);
    node_begin(&node, "r1", "{\"ok\":false,\"error\":\"certificate: no: ask again\"}");
    ctl("--dir r1 accept r1/node.cert");
    node_end(&node);
    expect_failed(1, "starlingctl: certificate: no: ask again\n");
}

static const char status_answer[] =
    "{\"ok\":true,\"schema\":1,\"state\":\"learning\",\"id\":\"ab12\",\"task\":\"digits\","
    "\"model\":\"mlp:64\",\"parameters\":50890,\"age\":12.5,\"round\":1300,\"accuracy\":0.862,"
    "\"loss\":0.4125,\"accuracy_alone\":null,\"accuracy_personal\":0.881,"
    "\"network\":{\"accuracy\":null,\"loss\":null,\"nodes\":null},"
    "\"peers\":{\"connected\":3,\"known\":8},\"bytes\":{\"in\":12897484,\"out\":512},"
    "\"messages\":{\"in\":120,\"out\":121,\"rejected\":2},"
    "\"refused\":{\"expired\":1,\"no-membership\":0,\"malformed\":4},\"trend\":\"converged\","
    "\"uptime_s\":7380.5,\"privacy\":{\"epsilon\":null,\"delta\":null}}";

static void status_is_a_screen_or_the_answer_itself(void **state)
{
    (void)state;
    static struct played_node node;
    static const char *const lines[] = {
        "node      ab12\n",
        "state     learning, up 2 h 03 min\n",
        "task      digits\n",
        "model     mlp:64, 50,890 parameters\n",
        "age       12.5 passes, round 1,300\n",
        "accuracy  86.2 % here   88.1 % personal\n",
        "loss      0.4125 here\n",
        "trend     converged\n",
        "peers     3 connected, 8 known\n",
        "received  12.3 MiB in 120 messages, 2 rejected\n",
        "sent      512 B in 121 messages\n",
        "refused   1 expired, 4 malformed\n",
    };
    assert_true(mkdir("q", 0700) == 0 || errno == EEXIST);
    node_begin(&node, "q", status_answer);
    ctl("--dir q status");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        expect_done(lines[i]);
    assert_null(strchr(got.out, '\033'));
    ctl("--dir q status --json");
    json_t *value = result();
    assert_null(json_object_get(value, "ok"));
    assert_int_equal(json_integer_value(json_object_get(value, "schema")), 1);
    assert_true(json_real_value(json_object_get(value, "accuracy")) == 0.862);
    assert_true(json_is_null(json_object_get(value, "accuracy_alone")));
    json_decref(value);
    node_end(&node);
    assert_string_equal(last_request(&node), "{\"command\":\"status\"}\n");
}

static void an_answer_with_nothing_in_it_is_all_unknown(void **state)
{
    (void)state;
    static struct played_node node;
    node_begin(&node, "q", "{\"ok\":true,\"peers\":[{}],\"history\":[{\"trend\":null}]}");
    ctl("--dir q status");
    expect_done("state     -, up -\n");
    expect_done("accuracy  - here\n");
    expect_done("refused   none\n");
    ctl("--dir q peers");
    expect_done("ENDPOINT");
    ctl("--dir q history");
    expect_done("ACCURACY");
    node_end(&node);
}

static void peers_and_history_are_tables_or_lists(void **state)
{
    (void)state;
    static struct played_node node;
    node_begin(&node, "q",
               "{\"ok\":true,\"peers\":[{\"id\":\"0123456789abcdef0123456789abcdef\","
               "\"endpoint\":\"tcp://10.0.0.1:7000\",\"state\":\"connected\",\"last_seen_s\":1.5,"
               "\"rtt_ms\":0.42,\"models_in\":5,\"models_out\":1234,\"bytes_in\":2048,"
               "\"bytes_out\":0,\"accuracy_here\":0.5,\"rejected\":0},"
               "{\"id\":\"ff\",\"endpoint\":\"tcp://evil\\u001b[2J:1\",\"rtt_ms\":null}]}");
    ctl("--dir q peers");
    expect_done("0123456789abcdef  tcp://10.0.0.1:7000  connected  1.5 s ago  0.4 ms");
    expect_done("1,234   2.0 KiB");
    expect_done("50.0 %");
    expect_done("tcp://evil?[2J:1");
    ctl("--dir q peers --json");
    json_t *value = result();
    assert_int_equal(json_array_size(value), 2);
    json_decref(value);
    node_end(&node);
    node_begin(&node, "q",
               "{\"ok\":true,\"history\":[{\"round\":1,\"time\":1700000000,\"age\":1.0,"
               "\"accuracy\":0.5,\"loss\":1.25,\"merged_accuracy\":null,\"merged_loss\":null,"
               "\"distance\":null,\"merged\":0,\"trend\":\"starting\",\"lost\":false},"
               "{\"round\":2,\"lost\":true}]}");
    ctl("--dir q history --last 2");
    expect_done("ROUND  TIME");
    expect_done("starting\n");
    expect_done("(lost at a restart)\n");
    assert_string_equal(last_request(&node), "{\"command\":\"history\",\"last\":2}\n");
    ctl("--dir q --json history");
    value = result();
    assert_int_equal(json_array_size(value), 2);
    json_decref(value);
    node_end(&node);
}

static void a_node_that_answers_nonsense_is_said(void **state)
{
    (void)state;
    static struct played_node node;
    static const struct {
        const char *answer, *said;
        int code;
    } cases[] = {
        {"hello", "does not answer in JSON", 3},
        {"[1]", "does not answer in JSON", 3},
        {"{}", "refused without a reason", 1},
        {"{\"ok\":true}", "the node's answer has no \"peers\"", 1},
        {"{\"ok\":true,\"bytes\":-1}", "promises more bytes than make sense", 3},
        {"{\"ok\":true,\"bytes\":99999999999999}", "promises more bytes than make sense", 3},
        {"{\"ok\":true,\"bytes\":1000000000}\nabc", "hung up without an answer", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        node_begin(&node, "q", cases[i].answer);
        ctl("--dir q peers");
        node_end(&node);
        expect_failed(cases[i].code, cases[i].said);
    }
    node.hang_up = true;
    node_begin(&node, "q", "");
    ctl("--dir q peers");
    node_end(&node);
    expect_failed(3, "hung up without an answer");
}

static void stop_waits_until_the_node_is_gone(void **state)
{
    (void)state;
    static struct played_node node;
    node.stops = true;
    node_begin(&node, "q", "{\"ok\":true}");
    ctl("--dir q stop");
    expect_done("stopped\n");
    node_end(&node);
    assert_string_equal(last_request(&node), "{\"command\":\"stop\"}\n");
    node_begin(&node, "q", "{\"ok\":true}");
    ctl("--dir q stop --json");
    json_t *value = result();
    assert_true(json_is_true(json_object_get(value, "stopped")));
    json_decref(value);
    node_end(&node);
    ctl("--dir q stop");
    expect_failed(3, "no node answers");
}

static void the_socket_of_node_ini_is_used(void **state)
{
    (void)state;
    static struct played_node node;
    static const char ini[] = "[control]\nsocket = q/control.sock\n";
    assert_true(mkdir("z", 0700) == 0 || errno == EEXIST);
    folder_write(&folder, "z/node.ini", ini, sizeof ini - 1);
    node_begin(&node, "q", status_answer);
    ctl("--dir z status");
    node_end(&node);
    expect_done("node      ab12\n");
}

static void a_full_disk_is_not_passed_over(void **state)
{
    (void)state;
    char line[6000];
    ctl("--version");
    snprintf(line, sizeof line, "'%s' --help >/dev/full 2>'%s/err'", getenv("STARLINGCTL"),
             folder.path);
    int status = system(line);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    slurp("err", got.err);
    assert_non_null(strstr(got.err, "cannot be written"));
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
        cmocka_unit_test(a_running_node_is_handed_its_certificate),
        cmocka_unit_test(status_is_a_screen_or_the_answer_itself),
        cmocka_unit_test(an_answer_with_nothing_in_it_is_all_unknown),
        cmocka_unit_test(peers_and_history_are_tables_or_lists),
        cmocka_unit_test(a_node_that_answers_nonsense_is_said),
        cmocka_unit_test(stop_waits_until_the_node_is_gone),
        cmocka_unit_test(the_socket_of_node_ini_is_used),
        cmocka_unit_test(a_full_disk_is_not_passed_over),
    };
    return cmocka_run_group_tests_name("ctl", tests, setup, teardown);
}
