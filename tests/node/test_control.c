#include "node/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "node/control_client.h"
#include "tests/node/folder.h"

#define DEADLINE_TURNS 20000

static void answer(void *self, const char *command, const json_t *request,
                   struct control_answer *answer)
{
    int *asked = self;
    (*asked)++;
    (void)request;
    if (strcmp(command, "bytes") == 0) {
        answer->size = 3000000;
        answer->bytes = malloc(answer->size);
        memset(answer->bytes, 'x', answer->size);
        answer->fields = json_object();
    } else if (strcmp(command, "refuse") == 0) {
        problem_set(&answer->problem, STARLING_INVALID, "refused: \"as asked\"");
    } else if (strcmp(command, "cut") == 0) {
        problem_set(&answer->problem, STARLING_INVALID, "cut within \xe2\x82, and \xff");
    } else {
        answer->fields = json_pack("{s:s}", "command", command);
    }
}

struct bench {
    struct folder folder;
    char path[1024];
    struct control *control;
    int asked;
    uint64_t now_us;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct problem problem;
    *state = bench;
    if (!bench || folder_make(&bench->folder))
        return -1;
    snprintf(bench->path, sizeof bench->path, "%s", folder_file(&bench->folder, "control.sock"));
    bench->now_us = 1;
    bench->control = control_open(bench->path, answer, &bench->asked, &problem);
    return bench->control ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    control_close(&bench->control);
    folder_remove(&bench->folder);
    free(bench);
    return 0;
}

static int plain_connect(const struct bench *bench)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", bench->path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Reads until `size` bytes, the end, or nothing more comes. Returns how many. */
static size_t hear(struct bench *bench, int fd, char *out, size_t size)
{
    size_t got = 0;
    for (int turn = 0; turn < DEADLINE_TURNS && got < size; turn++) {
        control_work(bench->control, bench->now_us);
        struct pollfd item = {.fd = fd, .events = POLLIN};
        if (poll(&item, 1, 1) <= 0)
            continue;
        ssize_t read = recv(fd, out + got, size - got, 0);
        if (read <= 0)
            break;
        got += (size_t)read;
        if (size < 1000 && memchr(out, '\n', got))
            break;
    }
    return got;
}

static void assert_line(struct bench *bench, int fd, const char *wanted)
{
    char line[512] = "";
    hear(bench, fd, line, sizeof line - 1);
    if (!strstr(line, wanted))
        fail_msg("heard \"%s\", wanted \"%s\"", line, wanted);
}

static void the_socket_is_for_its_owner_alone(void **state)
{
    struct bench *bench = *state;
    struct stat about;
    assert_int_equal(stat(bench->path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
}

static void lines_are_answered_one_by_one(void **state)
{
    static const struct {
        const char *said, *heard;
    } cases[] = {
        {"{\"command\":\"status\"}\n", "{\"command\": \"status\""},
        {"{\"command\":\"refuse\"}\n", "\"error\":\"refused: \\\"as asked\\\"\""},
        {"no json\n", "\"ok\":false"},
        {"[1,2]\n", "\"ok\":false"},
        {"{\"command\":7}\n", "\"ok\":false"},
        {"\n", "\"ok\":false"},
        {"{\"command\":\"a\",\"command\":\"b\"}\n", "\"ok\":false"},
        {"{\"command\":\"cut\"}\n", "\"error\":\"cut within ??, and ?\""},
    };
    struct bench *bench = *state;
    int fd = plain_connect(bench);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(send(fd, cases[i].said, strlen(cases[i].said), 0) > 0);
        char *compact = strdup(cases[i].heard), *blank = strchr(compact, ' ');
        if (i == 0 && blank)
            memmove(blank, blank + 1, strlen(blank));
        assert_line(bench, fd, compact);
        free(compact);
    }
    assert_int_equal(bench->asked, 3);
    close(fd);
}

static void a_line_may_come_in_pieces_and_several_at_once(void **state)
{
    struct bench *bench = *state;
    int fd = plain_connect(bench);
    send(fd, "{\"comm", 6, 0);
    for (int i = 0; i < 5; i++)
        control_work(bench->control, bench->now_us);
    assert_int_equal(bench->asked, 0);
    static const char rest[] = "and\":\"one\"}\n{\"command\":\"two\"}\n{\"command\":\"three\"}\n";
    send(fd, rest, strlen(rest), 0);
    shutdown(fd, SHUT_WR); /* what was asked before hanging up is answered */
    char heard[2000] = "";
    hear(bench, fd, heard, sizeof heard - 1);
    assert_non_null(strstr(heard, "one"));
    assert_non_null(strstr(heard, "two"));
    assert_non_null(strstr(heard, "three"));
    assert_int_equal(bench->asked, 3);
    close(fd);
}

static void many_bytes_follow_their_line(void **state)
{
    struct bench *bench = *state;
    int fd = plain_connect(bench);
    static const char request[] = "{\"command\":\"bytes\"}\n";
    send(fd, request, strlen(request), 0);
    char *heard = malloc(3001000);
    size_t got = hear(bench, fd, heard, 3000000 + strlen("{\"ok\":true,\"bytes\":3000000}\n"));
    char *end = memchr(heard, '\n', got);
    assert_non_null(end);
    assert_int_equal(got - (size_t)(end + 1 - heard), 3000000);
    assert_int_equal(end[1], 'x');
    assert_int_equal(heard[got - 1], 'x');
    free(heard);
    close(fd);
}

static void a_line_without_end_is_refused(void **state)
{
    struct bench *bench = *state;
    int fd = plain_connect(bench);
    char *long_line = malloc(CONTROL_LINE_MAX + 100000);
    memset(long_line, ' ', CONTROL_LINE_MAX + 100000);
    size_t sent = 0;
    for (int turn = 0; turn < DEADLINE_TURNS && sent < CONTROL_LINE_MAX + 100000; turn++) {
        ssize_t put = send(fd, long_line + sent, CONTROL_LINE_MAX + 100000 - sent,
                           MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put > 0)
            sent += (size_t)put;
        else if (errno != EAGAIN)
            break;
        control_work(bench->control, bench->now_us);
    }
    char heard[512] = "";
    hear(bench, fd, heard, sizeof heard - 1);
    assert_true(heard[0] == '\0' || strstr(heard, "longer than"));
    assert_int_equal(bench->asked, 0);
    free(long_line);
    close(fd);
}

static void who_says_nothing_is_sent_away(void **state)
{
    struct bench *bench = *state;
    int fd = plain_connect(bench);
    control_work(bench->control, bench->now_us);
    assert_int_equal(control_deadline(bench->control), bench->now_us + CONTROL_QUIET_US + 1);
    bench->now_us += CONTROL_QUIET_US + 1;
    char byte;
    assert_int_equal(hear(bench, fd, &byte, 1), 0);
    assert_int_equal(control_deadline(bench->control), UINT64_MAX);
    close(fd);
}

static void no_more_than_so_many_at_a_time(void **state)
{
    struct bench *bench = *state;
    int fds[CONTROL_CLIENTS_MAX + 2];
    for (int i = 0; i < CONTROL_CLIENTS_MAX + 2; i++) {
        fds[i] = plain_connect(bench);
        control_work(bench->control, bench->now_us);
    }
    zmq_pollitem_t items[CONTROL_ITEMS_MAX];
    assert_int_equal(control_poll(bench->control, items), CONTROL_CLIENTS_MAX);
    static const char request[] = "{\"command\":\"hello\"}\n";
    send(fds[CONTROL_CLIENTS_MAX], request, strlen(request), 0);
    close(fds[0]); /* the next in line gets its place */
    assert_line(bench, fds[CONTROL_CLIENTS_MAX], "hello");
    for (int i = 1; i < CONTROL_CLIENTS_MAX + 2; i++)
        close(fds[i]);
}

static void a_place_that_is_taken_is_left_alone(void **state)
{
    struct bench *bench = *state;
    struct problem problem;
    assert_null(control_open(bench->path, answer, &bench->asked, &problem));
    assert_non_null(strstr(problem.text, "another node"));
    int fd = plain_connect(bench); /* still there */
    close(fd);
    assert_int_equal(folder_write(&bench->folder, "file", "x", 1), 0);
    assert_null(control_open(folder_file(&bench->folder, "file"), answer, &bench->asked, &problem));
    assert_non_null(strstr(problem.text, "is no socket"));
    char longer[300];
    memset(longer, 'a', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_null(control_open(longer, answer, &bench->asked, &problem));
    assert_non_null(strstr(problem.text, "control.socket"));
}

static void a_socket_file_that_nobody_answers_at_is_replaced(void **state)
{
    struct bench *bench = *state;
    struct problem problem;
    char stale[1024];
    snprintf(stale, sizeof stale, "%s", folder_file(&bench->folder, "stale.sock"));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%.100s", stale);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
    struct control *control = control_open(stale, answer, &bench->asked, &problem);
    assert_non_null(control);
    control_close(&control);
    assert_int_equal(access(stale, F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_socket_is_for_its_owner_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_are_answered_one_by_one, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_may_come_in_pieces_and_several_at_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(many_bytes_follow_their_line, setup, teardown),
        cmocka_unit_test_setup_teardown(a_line_without_end_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(who_says_nothing_is_sent_away, setup, teardown),
        cmocka_unit_test_setup_teardown(no_more_than_so_many_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_place_that_is_taken_is_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(a_socket_file_that_nobody_answers_at_is_replaced, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
