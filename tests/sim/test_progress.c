#include "sim/progress.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* What `act` writes to stderr, which is a pseudo-terminal or a pipe. */
static char *heard(bool terminal, void act(void))
{
    static char text[65536];
    int ends[2], saved = dup(STDERR_FILENO);
    if (terminal) {
        ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
        ends[1] = -1;
        if (ends[0] >= 0 && grantpt(ends[0]) == 0 && unlockpt(ends[0]) == 0)
            ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
        if (ends[1] < 0) { /* a machine without /dev/pts */
            fprintf(stderr, "no pseudo-terminal is to be had here: skipped\n");
            close(saved);
            skip();
        }
    } else {
        assert_int_equal(pipe(ends), 0);
    }
    assert_true(saved >= 0 && ends[1] >= 0);
    fflush(stderr);
    dup2(ends[1], STDERR_FILENO);
    act();
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    size_t used = 0;
    ssize_t got;
    while (used < sizeof text - 1 && (got = read(ends[0], text + used, sizeof text - 1 - used)) > 0)
        used += (size_t)got;
    text[used] = '\0';
    close(ends[0]);
    close(ends[1]);
    close(saved);
    return text;
}

static const struct round_row half = {.round = 10, .accuracy_mean = 0.8412, .accuracy_std = 0.006};

static void ten_rounds(bool quiet)
{
    struct progress progress;
    progress_begin(&progress, "round", 20, quiet);
    for (uint64_t done = 0; done <= 9; done++)
        progress_show(&progress, done, NULL);
    for (int again = 0; again < 5; again++)
        progress_show(&progress, 10, &half);
    progress_note(&progress, "%d nodes up", 8);
    progress_end(&progress);
}

static void loudly(void)
{
    ten_rounds(false);
}

static void quietly(void)
{
    ten_rounds(true);
}

static void within_a_round(void)
{
    struct progress progress;
    progress_begin(&progress, "round", 20, false);
    progress_say(&progress, "making the nodes ready");
    progress_within(&progress, 10, 0.25, &half);
    progress.last_s = -1e9; /* as if a moment had passed */
    progress_within(&progress, 10, 0.5, &half);
    progress_end(&progress);
}

static void on_a_terminal_it_moves_within_a_round(void **state)
{
    (void)state;
    char *text = heard(true, within_a_round);
    assert_non_null(strstr(text, "making the nodes ready"));
    assert_non_null(strstr(text, "round 10.2/20  51%  accuracy 84.1%"));
    assert_non_null(strstr(text, "round 10.5/20  52%  accuracy 84.1%"));
    assert_non_null(strstr(text, " left"));
    assert_string_equal(heard(false, within_a_round), "");
}

static void off_a_terminal_it_is_a_line_an_evaluation(void **state)
{
    (void)state;
    char *text = heard(false, loudly);
    assert_int_equal(strncmp(text, "round 10/20  50%  accuracy 84.1% ±0.6  ", 40), 0);
    const char *end = strchr(text, '\n');
    assert_non_null(end);
    assert_string_equal(end + 1, "8 nodes up\n");
    assert_null(strchr(text, '\033'));
}

static void on_a_terminal_it_is_one_line_redrawn(void **state)
{
    (void)state;
    setenv("TERM", "xterm", 1);
    char *text = heard(true, loudly);
    assert_int_equal(strncmp(text, "\rround 0/20  0%", 15), 0);
    assert_non_null(strstr(text, "\r\033[K8 nodes up"));
    size_t drawn = 0;
    for (const char *at = text; (at = strchr(at, '\r')); at++)
        drawn++;
    assert_true(drawn <= 6); /* fourteen calls in far less than a second */
}

static void a_terminal_that_is_dumb_gets_plain_lines(void **state)
{
    (void)state;
    setenv("TERM", "dumb", 1);
    assert_null(strchr(heard(true, loudly), '\033'));
    setenv("TERM", "xterm", 1);
}

static void quiet_says_nothing(void **state)
{
    (void)state;
    assert_string_equal(heard(false, quietly), "");
    assert_string_equal(heard(true, quietly), "");
}

static void odd_counts(void)
{
    struct progress progress;
    progress_begin(&progress, "round", 0, false);
    progress_show(&progress, 0, &half);
    progress_show(&progress, 7, &(struct round_row){.round = 11});
    progress_end(&progress);
}

static void more_than_all_or_none_at_all_is_fine(void **state)
{
    (void)state;
    char *text = heard(false, odd_counts);
    assert_non_null(strstr(text, "round 0/0  100%"));
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
}

static void passes(void)
{
    struct progress progress;
    progress_begin(&progress, "central: pass", 10, false);
    nanosleep(&(struct timespec){0, 1000}, NULL); /* so that there is a speed */
    progress_show(&progress, 5, &half);
    progress_end(&progress);
}

static void speed_is_in_the_units_last_word(void **state)
{
    (void)state;
    char *text = heard(false, passes);
    assert_int_equal(strncmp(text, "central: pass 5/10  50%", 23), 0);
    assert_non_null(strstr(text, " passes/s  "));
    assert_null(strstr(text, "central: passes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_terminal_it_moves_within_a_round),
        cmocka_unit_test(off_a_terminal_it_is_a_line_an_evaluation),
        cmocka_unit_test(on_a_terminal_it_is_one_line_redrawn),
        cmocka_unit_test(a_terminal_that_is_dumb_gets_plain_lines),
        cmocka_unit_test(quiet_says_nothing),
        cmocka_unit_test(speed_is_in_the_units_last_word),
        cmocka_unit_test(more_than_all_or_none_at_all_is_fine),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
