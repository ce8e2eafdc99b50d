/* What starlingctl asks of a running node, and makes of its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/node/ctl.h"

static void a_running_node_is_handed_its_certificate(void **state)
{
    (void)state;
    static struct played_node node;
    ctl("swarm create w");
    ctl("--dir r1 init --swarm w/swarm.pub");
    ctl("swarm admit w r1/node.pub");
    played_begin(&node, "r1", "{\"ok\":true,\"accepted\":{}}");
    ctl("--dir r1 accept r1/node.cert");
    played_end(&node);
    ctl_done("the running node has it");
    assert_non_null(strstr(played_request(&node), "{\"command\":\"accept\",\"certificate\":\""));
    assert_int_not_equal(access("r1/membership.cert", F_OK), 0);
    played_begin(&node, "r1", "{\"ok\":false,\"error\":\"certificate: no: ask again\"}");
    ctl("--dir r1 accept r1/node.cert");
    played_end(&node);
    ctl_failed(1, "starlingctl: certificate: no: ask again\n");
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
    played_begin(&node, "q", status_answer);
    ctl("--dir q status");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        ctl_done(lines[i]);
    assert_null(strchr(ctl_got.out, '\033'));
    ctl("--dir q status --json");
    json_t *value = ctl_result();
    assert_null(json_object_get(value, "ok"));
    assert_int_equal(json_integer_value(json_object_get(value, "schema")), 1);
    assert_true(json_real_value(json_object_get(value, "accuracy")) == 0.862);
    assert_true(json_is_null(json_object_get(value, "accuracy_alone")));
    json_decref(value);
    played_end(&node);
    assert_string_equal(played_request(&node), "{\"command\":\"status\"}\n");
}

static void an_answer_with_nothing_in_it_is_all_unknown(void **state)
{
    (void)state;
    static struct played_node node;
    played_begin(&node, "q", "{\"ok\":true,\"peers\":[{}],\"history\":[{\"trend\":null}]}");
    ctl("--dir q status");
    ctl_done("state     -, up -\n");
    ctl_done("accuracy  - here\n");
    ctl_done("refused   none\n");
    ctl("--dir q peers");
    ctl_done("ENDPOINT");
    ctl("--dir q history");
    ctl_done("ACCURACY");
    played_end(&node);
}

static void peers_and_history_are_tables_or_lists(void **state)
{
    (void)state;
    static struct played_node node;
    played_begin(&node, "q",
                 "{\"ok\":true,\"peers\":[{\"id\":\"0123456789abcdef0123456789abcdef\","
                 "\"endpoint\":\"tcp://10.0.0.1:7000\",\"state\":\"connected\",\"last_seen_s\":1.5,"
                 "\"rtt_ms\":0.42,\"models_in\":5,\"models_out\":1234,\"bytes_in\":2048,"
                 "\"bytes_out\":0,\"accuracy_here\":0.5,\"rejected\":0},"
                 "{\"id\":\"ff\",\"endpoint\":\"tcp://evil\\u001b[2J:1\",\"rtt_ms\":null}]}");
    ctl("--dir q peers");
    ctl_done("0123456789abcdef  tcp://10.0.0.1:7000  connected  1.5 s ago  0.4 ms");
    ctl_done("1,234   2.0 KiB");
    ctl_done("50.0 %");
    ctl_done("tcp://evil?[2J:1");
    ctl("--dir q peers --json");
    json_t *value = ctl_result();
    assert_int_equal(json_array_size(value), 2);
    json_decref(value);
    played_end(&node);
    played_begin(&node, "q",
                 "{\"ok\":true,\"history\":[{\"round\":1,\"time\":1700000000,\"age\":1.0,"
                 "\"accuracy\":0.5,\"loss\":1.25,\"merged_accuracy\":null,\"merged_loss\":null,"
                 "\"distance\":null,\"merged\":0,\"trend\":\"starting\",\"lost\":false},"
                 "{\"round\":2,\"lost\":true}]}");
    ctl("--dir q history --last 2");
    ctl_done("ROUND  TIME");
    ctl_done("starting\n");
    ctl_done("(lost at a restart)\n");
    assert_string_equal(played_request(&node), "{\"command\":\"history\",\"last\":2}\n");
    ctl("--dir q --json history");
    value = ctl_result();
    assert_int_equal(json_array_size(value), 2);
    json_decref(value);
    played_end(&node);
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
        played_begin(&node, "q", cases[i].answer);
        ctl("--dir q peers");
        played_end(&node);
        ctl_failed(cases[i].code, cases[i].said);
    }
    node.hang_up = true;
    played_begin(&node, "q", "");
    ctl("--dir q peers");
    played_end(&node);
    ctl_failed(3, "hung up without an answer");
}

static void conclude_says_for_how_long(void **state)
{
    (void)state;
    static struct played_node node;
    assert_true(mkdir("q", 0700) == 0 || errno == EEXIST);
    played_begin(&node, "q", "{\"ok\":true,\"state\":\"concluding\",\"periods\":20}");
    ctl("--dir q conclude");
    ctl_done("concluding: averages with others for 20 periods, and then only serves\n");
    ctl("--dir q conclude --json");
    json_t *value = ctl_result();
    assert_int_equal(json_integer_value(json_object_get(value, "periods")), 20);
    json_decref(value);
    assert_string_equal(played_request(&node), "{\"command\":\"conclude\"}\n");
    ctl("--dir q conclude --periods 7");
    assert_string_equal(played_request(&node), "{\"command\":\"conclude\",\"periods\":7}\n");
    played_end(&node);
    ctl("--dir q conclude --periods 0");
    ctl_failed(2, "--periods");
    ctl("--dir q conclude now");
    ctl_failed(2, "now");
}

static void stop_waits_until_the_node_is_gone(void **state)
{
    (void)state;
    static struct played_node node;
    node.stops = true;
    played_begin(&node, "q", "{\"ok\":true}");
    ctl("--dir q stop");
    ctl_done("stopped\n");
    played_end(&node);
    assert_string_equal(played_request(&node), "{\"command\":\"stop\"}\n");
    played_begin(&node, "q", "{\"ok\":true}");
    ctl("--dir q stop --json");
    json_t *value = ctl_result();
    assert_true(json_is_true(json_object_get(value, "stopped")));
    json_decref(value);
    played_end(&node);
    ctl("--dir q stop");
    ctl_failed(3, "no node answers");
}

static void the_socket_of_node_ini_is_used(void **state)
{
    (void)state;
    static struct played_node node;
    static const char ini[] = "[control]\nsocket = q/control.sock\n";
    assert_true(mkdir("z", 0700) == 0 || errno == EEXIST);
    folder_write(&ctl_folder, "z/node.ini", ini, sizeof ini - 1);
    played_begin(&node, "q", status_answer);
    ctl("--dir z status");
    played_end(&node);
    ctl_done("node      ab12\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_running_node_is_handed_its_certificate),
        cmocka_unit_test(status_is_a_screen_or_the_answer_itself),
        cmocka_unit_test(an_answer_with_nothing_in_it_is_all_unknown),
        cmocka_unit_test(peers_and_history_are_tables_or_lists),
        cmocka_unit_test(a_node_that_answers_nonsense_is_said),
        cmocka_unit_test(conclude_says_for_how_long),
        cmocka_unit_test(stop_waits_until_the_node_is_gone),
        cmocka_unit_test(the_socket_of_node_ini_is_used),
    };
    return cmocka_run_group_tests_name("ctl-node", tests, ctl_setup, ctl_teardown);
}
