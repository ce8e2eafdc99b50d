/* Two honest nodes learn with each other while strangers and bad members come by. */
#include "tests/live/swarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <czmq.h>
#include <math.h>
#include <sodium.h>

#include "gossip/hello.h"

static struct swarm swarm;
static struct authority *other_swarm;
static struct device alice, bob;
static bool ready;

/* What the honest two have done so far. */
struct progress {
    double age, merged;
};

static struct progress progress_of(struct device *device)
{
    return (struct progress){device_number(device, "age"), device_number(device, "merged")};
}

static void assert_they_learn_on(const struct progress before[2])
{
    struct device *devices[] = {&alice, &bob};
    for (int i = 0; i < 2; i++) {
        device_await(devices[i], "age", before[i].age + 3);
        device_await(devices[i], "merged", before[i].merged + 1);
        assert_true(device_number(devices[i], "peers.connected") >= 1);
    }
}

static double refused(const char *reason)
{
    char path[64];
    snprintf(path, sizeof path, "refused.%s", reason);
    return device_number(&alice, path);
}

static void await_refused(const char *reason, double least)
{
    char path[64];
    snprintf(path, sizeof path, "refused.%s", reason);
    device_await(&alice, path, least);
}

static const char *alice_endpoint(void)
{
    return strchr(device_seed(&alice), '@') + 1;
}

/* A stranger's end of a connection to alice: CURVE with these keys, by a binding of its own. */
static zsock_t *dial_alice(const struct identity *identity)
{
    zsock_t *sock = zsock_new(ZMQ_DEALER);
    zsock_set_linger(sock, 0);
    zsock_set_rcvtimeo(sock, 0);
    zsock_set_reconnect_ivl(sock, 100000);
    if (identity) {
        zcert_t *certificate = zcert_new_from(identity->keys.curve, identity->curve_secret);
        zcert_apply(certificate, sock);
        zcert_destroy(&certificate);
        zsock_set_curve_serverkey_bin(sock, alice.keys.curve);
    }
    assert_int_equal(zsock_connect(sock, "%s", alice_endpoint()), 0);
    return sock;
}

static void assert_nothing_came_back(zsock_t *sock)
{
    zmsg_t *heard = zmsg_recv(sock);
    if (heard)
        fail_msg("a stranger got an answer of %zu frames", zmsg_size(heard));
}

/* A HELLO that would be good but for what the caller changes. */
struct greeting {
    struct hello hello;
    uint8_t membership[MEMBERSHIP_BYTES_MAX], descriptor[DESCRIPTOR_BYTES_MAX];
    uint8_t bytes[HELLO_BYTES_MAX];
    size_t size;
};

static void greeting_make(struct greeting *greeting, const struct identity *identity,
                          struct authority *by, enum validity validity)
{
    size_t size;
    certify(by, &identity->keys, validity, greeting->membership, &size);
    struct descriptor descriptor = {
        .endpoint = "tcp://127.0.0.1:1", .sequence = (uint64_t)time(NULL), .time = time(NULL)};
    memcpy(descriptor.identity, identity->keys.identity, KEY_BYTES);
    greeting->hello = (struct hello){.version_least = PROTOCOL_VERSION,
                                     .version_most = PROTOCOL_VERSION,
                                     .membership = {greeting->membership, size},
                                     .descriptor = {greeting->descriptor, 0}};
    greeting->hello.descriptor.size =
        descriptor_sign(&descriptor, identity->identity_secret, greeting->descriptor);
    memcpy(greeting->hello.swarm, authority_swarm(swarm.authority), KEY_BYTES);
}

static void greeting_send(struct greeting *greeting, zsock_t *sock)
{
    greeting->size = hello_encode(&greeting->hello, greeting->bytes);
    assert_true(greeting->size > 0);
    zmq_send(zsock_resolve(sock), greeting->bytes, greeting->size, 0);
}

static void change_nothing(struct greeting *greeting)
{
    (void)greeting;
}

static void drop_membership(struct greeting *greeting)
{
    greeting->hello.membership.size = 0;
}

static void name_other_swarm(struct greeting *greeting)
{
    memcpy(greeting->hello.swarm, authority_swarm(other_swarm), KEY_BYTES);
}

static void take_bobs_membership(struct greeting *greeting)
{
    char path[1024];
    struct problem problem;
    snprintf(path, sizeof path, "%s/membership.cert", bob.dir);
    if (certificate_read(path, greeting->membership, &greeting->hello.membership.size, &problem))
        fail_msg("%s", problem.text);
}

static void forge(struct greeting *greeting)
{
    greeting->membership[greeting->hello.membership.size - 1] ^= 1;
}

static void speak_later_version(struct greeting *greeting)
{
    greeting->hello.version_least = greeting->hello.version_most = PROTOCOL_VERSION + 1;
}

static void strangers_get_nothing_and_are_counted_with_their_reason(void **state)
{
    (void)state;
    static const struct {
        const char *reason;
        bool other;
        enum validity validity;
        void (*change)(struct greeting *);
    } cases[] = {
        {"no-membership", false, VALID, drop_membership},
        {"no-membership", false, VALID, take_bobs_membership},
        {"expired", false, EXPIRED, change_nothing},
        {"not-yet-valid", false, NOT_YET_VALID, change_nothing},
        {"wrong-swarm", true, VALID, change_nothing},
        {"wrong-swarm", true, VALID, name_other_swarm},
        {"bad-signature", false, VALID, forge},
        {"version", false, VALID, speak_later_version},
    };
    if (!ready)
        skip();
    struct progress before[] = {progress_of(&alice), progress_of(&bob)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double count = refused(cases[i].reason);
        struct identity *identity = identity_new(NULL);
        struct greeting greeting;
        greeting_make(&greeting, identity, cases[i].other ? other_swarm : swarm.authority,
                      cases[i].validity);
        cases[i].change(&greeting);
        zsock_t *sock = dial_alice(identity);
        greeting_send(&greeting, sock);
        await_refused(cases[i].reason, count + 1);
        assert_nothing_came_back(sock);
        zsock_destroy(&sock);
        identity_free(&identity);
    }
    assert_they_learn_on(before);
}

static void without_curve_there_is_no_way_in(void **state)
{
    (void)state;
    if (!ready)
        skip();
    struct progress before[] = {progress_of(&alice), progress_of(&bob)};
    double count = refused("no-curve");
    zsock_t *sock = dial_alice(NULL);
    zsock_send(sock, "s", "hello");
    await_refused("no-curve", count + 1);
    assert_nothing_came_back(sock);
    zsock_destroy(&sock);

    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons((uint16_t)atoi(strrchr(alice_endpoint(), ':') + 1))};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_true(send(fd, request, strlen(request), MSG_NOSIGNAL) > 0);
    await_refused("no-curve", count + 2);
    close(fd);
    assert_they_learn_on(before);
}

static void nodes_that_are_no_members_are_counted_too(void **state)
{
    (void)state;
    static const struct {
        const char *name, *reason, *awaiting;
        bool certified, other;
        enum validity validity;
    } cases[] = {
        {"uncertified", "no-membership", "no membership.cert yet", false, false, VALID},
        {"expired", "expired", "the membership ended at", true, false, EXPIRED},
        {"foreign", "wrong-swarm", "the certificate is for another swarm", true, true, VALID},
    };
    if (!ready)
        skip();
    struct progress before[] = {progress_of(&alice), progress_of(&bob)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct device device;
        double count = refused(cases[i].reason);
        char seeds[300];
        device_make(&device, &swarm, cases[i].name,
                    !cases[i].certified ? NULL
                    : cases[i].other    ? other_swarm
                                        : swarm.authority,
                    cases[i].validity);
        snprintf(seeds, sizeof seeds, "node.seeds=%s", device_seed(&alice));
        const char *settings[] = {seeds, NULL};
        device_up(&device, settings);
        device_await_text(&device, "state", "awaiting membership");
        await_refused(cases[i].reason, count + 1);
        assert_non_null(strstr(device_log(&device), cases[i].awaiting));
        assert_true(device_number(&device, "peers.connected") == 0);
        assert_true(device_number(&device, "age") == 0);
        device_stop(&device);
    }
    assert_they_learn_on(before);
}

/* A member in good standing, for as long as it behaves. */
static zsock_t *join(struct identity **identity)
{
    *identity = identity_new(NULL);
    struct greeting greeting;
    greeting_make(&greeting, *identity, swarm.authority, VALID);
    zsock_t *sock = dial_alice(*identity);
    greeting_send(&greeting, sock);
    zsock_set_rcvtimeo(sock, PATIENCE_S * 1000);
    zmsg_t *answer = zmsg_recv(sock);
    assert_non_null(answer);
    zframe_t *frame = zmsg_first(answer);
    assert_true(hello_is(zframe_data(frame), zframe_size(frame)));
    zmsg_destroy(&answer);
    return sock;
}

static json_t *peer_of_alice(const struct identity *identity)
{
    char id[KEY_HEX_SIZE];
    size_t index;
    json_t *answer = device_ask(&alice, json_pack("{s:s}", "command", "peers")), *peer,
           *found = NULL;
    key_hex(identity->keys.identity, id);
    json_array_foreach(json_object_get(answer, "peers"), index, peer)
    {
        if (strcmp(json_string_value(json_object_get(peer, "id")), id) == 0)
            found = json_incref(peer);
    }
    json_decref(answer);
    return found;
}

static void assert_peer_state(const struct identity *identity, const char *wanted)
{
    json_t *peer = peer_of_alice(identity);
    assert_string_equal(json_string_value(json_object_get(peer, "state")), wanted);
    json_decref(peer);
}

static void a_member_that_breaks_the_rules_is_cut(void **state)
{
    (void)state;
    if (!ready)
        skip();
    struct progress before[] = {progress_of(&alice), progress_of(&bob)};
    struct identity *identity;
    zsock_t *sock = join(&identity);
    double count = refused("malformed");
    for (int i = 0; i < 3; i++)
        zsock_send(sock, "s", "no message at all");
    await_refused("malformed", count + 3);
    json_t *peer = peer_of_alice(identity);
    assert_string_equal(json_string_value(json_object_get(peer, "state")), "cut");
    assert_int_equal(json_integer_value(json_object_get(peer, "rejected")), 3);
    json_decref(peer);
    zsock_destroy(&sock);

    /* denied when it comes back: no HELLO is even read */
    struct greeting greeting;
    greeting_make(&greeting, identity, swarm.authority, VALID);
    sock = dial_alice(identity);
    greeting_send(&greeting, sock);
    await_refused("malformed", count + 4);
    assert_nothing_came_back(sock);
    zsock_destroy(&sock);
    identity_free(&identity);
    assert_they_learn_on(before);
}

static void send_model(zsock_t *sock, const char *task_hex, const float *values, size_t said,
                       size_t count)
{
    struct gossip_message message = {
        .kind = MESSAGE_MODEL, .model = {.piece = piece_whole(said), .age = 1, .sequence = 1}};
    uint8_t header[HEADER_BYTES_MAX];
    sodium_hex2bin(message.model.task, TASK_ID_BYTES, task_hex, strlen(task_hex), NULL, NULL, NULL);
    size_t size = message_encode(&message, NULL, header);
    assert_true(size > 0);
    zmq_send(zsock_resolve(sock), header, size, ZMQ_SNDMORE);
    zmq_send(zsock_resolve(sock), values, count * sizeof *values, 0);
}

static void models_that_make_no_sense_are_refused_and_an_unknown_task_is_no_crime(void **state)
{
    (void)state;
    if (!ready)
        skip();
    struct progress before[] = {progress_of(&alice), progress_of(&bob)};
    struct identity *identity;
    zsock_t *sock = join(&identity);
    json_t *status = device_ask(&alice, json_pack("{s:s}", "command", "status"));
    char task[64];
    snprintf(task, sizeof task, "%s", json_string_value(json_object_get(status, "task")));
    size_t parameters = (size_t)json_integer_value(json_object_get(status, "parameters"));
    json_decref(status);
    float *values = calloc(parameters + 10, sizeof *values);

    double tasks = refused("task"), malformed = refused("malformed");
    for (int i = 1; i <= 5; i++)
        send_model(sock, "00112233445566778899aabbccddeeff", values, parameters, parameters);
    await_refused("task", tasks + 5);
    assert_peer_state(identity, "connected");

    values[3] = NAN;
    send_model(sock, task, values, parameters, parameters);
    await_refused("malformed", malformed + 1);
    values[3] = 0;
    send_model(sock, task, values, parameters, parameters + 1); /* not what the header says */
    await_refused("malformed", malformed + 2);
    assert_peer_state(identity, "connected");
    send_model(sock, task, values, parameters + 2, parameters + 2); /* not what the task has */
    await_refused("malformed", malformed + 3);
    assert_peer_state(identity, "cut");
    free(values);
    zsock_destroy(&sock);
    identity_free(&identity);
    assert_they_learn_on(before);
}

static void a_frame_that_is_too_large_ends_its_connection_alone(void **state)
{
    (void)state;
    if (!ready)
        skip();
    struct progress before[] = {progress_of(&alice), progress_of(&bob)};
    struct identity *identity;
    zsock_t *sock = join(&identity);
    size_t size = (size_t)100 << 20;
    uint8_t *large = calloc(1, size);
    zmq_send(zsock_resolve(sock), large, size, 0);
    double deadline = (double)zclock_mono() + PATIENCE_S * 1000;
    for (bool gone = false; !gone; zclock_sleep(20)) {
        json_t *peer = peer_of_alice(identity);
        gone = strcmp(json_string_value(json_object_get(peer, "state")), "connected") != 0;
        json_decref(peer);
        assert_true((double)zclock_mono() < deadline);
    }
    free(large);
    zsock_destroy(&sock);
    identity_free(&identity);
    assert_they_learn_on(before);
}

static int begin(void **state)
{
    (void)state;
    struct problem problem;
    zsys_handler_set(NULL);
    ready = swarm_begin(&swarm);
    if (!ready)
        return 0;
    other_swarm = authority_create(folder_file(&swarm.folder, "other"), &problem);
    if (!other_swarm)
        return -1;
    device_make(&alice, &swarm, "alice", swarm.authority, VALID);
    device_make(&bob, &swarm, "bob", swarm.authority, VALID);
    device_up(&alice, NULL);
    char seeds[300];
    snprintf(seeds, sizeof seeds, "node.seeds=%s", device_seed(&alice));
    const char *settings[] = {seeds, "sim.seed=2", NULL};
    device_up(&bob, settings);
    device_await(&bob, "merged", 1);
    device_await(&alice, "merged", 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (!ready)
        return 0;
    device_stop(&alice);
    device_stop(&bob);
    authority_close(&other_swarm);
    swarm_end(&swarm);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_get_nothing_and_are_counted_with_their_reason),
        cmocka_unit_test(without_curve_there_is_no_way_in),
        cmocka_unit_test(nodes_that_are_no_members_are_counted_too),
        cmocka_unit_test(a_member_that_breaks_the_rules_is_cut),
        cmocka_unit_test(models_that_make_no_sense_are_refused_and_an_unknown_task_is_no_crime),
        cmocka_unit_test(a_frame_that_is_too_large_ends_its_connection_alone),
    };
    return cmocka_run_group_tests_name("strangers", tests, begin, end);
}
