/* starling-sim run --resume: runs that were ended go on as if they had not been. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/sim/command.h"

#define SMALL "--quiet --nodes 12 --set sim.samples=40 --model mlp:8"

static void must_have_program(void)
{
    if (!program[0])
        skip();
}

static void compare_files(const char *one, const char *other)
{
    static char texts[2][65536];
    read_whole(one, texts[0], sizeof texts[0]);
    read_whole(other, texts[1], sizeof texts[1]);
    assert_true(texts[0][0] != '\0');
    assert_string_equal(texts[0], texts[1]);
}

static void find_digest(const char *name, char digest[65])
{
    static char text[65536];
    read_whole(name, text, sizeof text);
    const char *found = strstr(text, "\"digest\": \"");
    assert_non_null(found);
    memcpy(digest, found + strlen("\"digest\": \""), 64);
    digest[64] = '\0';
}

static void compare_runs(const char *one, const char *other)
{
    static const char *const files[] = {"rounds.csv", "nodes.csv"};
    char names[2][64], digests[2][65];
    for (size_t i = 0; i < 2; i++) {
        snprintf(names[0], 64, "%s/%s", one, files[i]);
        snprintf(names[1], 64, "%s/%s", other, files[i]);
        compare_files(names[0], names[1]);
    }
    snprintf(names[0], 64, "%s/summary.json", one);
    snprintf(names[1], 64, "%s/summary.json", other);
    find_digest(names[0], digests[0]);
    find_digest(names[1], digests[1]);
    assert_string_equal(digests[0], digests[1]);
}

static void refuse(const char *arguments, const char *part)
{
    run(arguments);
    expect_line(arguments, 2, part);
}

/* Starts it, and ends it once there is a checkpoint and it has gone on for a while. */
static void run_and_end(const char *arguments, const char *dir, int number, size_t rests)
{
    char name[64];
    double begun = seconds();
    snprintf(name, sizeof name, "%s/checkpoint", dir);
    pid_t process = launch(arguments, HOLD_NOT);
    while (!is_there(name) && seconds() - begun < DEADLINE_S)
        rest();
    for (size_t i = 0; i < rests; i++)
        rest();
    kill(process, number);
    await(process, arguments);
}

static void a_run_that_was_ended_goes_on(void **state)
{
    (void)state;
    must_have_program();
    run_well("run --out whole --rounds 400 --threads 2 " SMALL);
    run_and_end("run --out parts --rounds 400 --set sim.checkpoint=1us " SMALL, "parts", SIGKILL,
                3);
    assert_int_equal(said.status, -SIGKILL);
    assert_false(is_there("parts/summary.json"));
    run_and_end("run --resume parts --threads 2 --quiet", "parts", SIGKILL, 1);
    run_and_end("run --resume parts --threads 1", "parts", SIGINT, 20);
    if (said.status == 130) {
        assert_true(is_there("parts/summary.json"));
        assert_non_null(strstr(said.err, "go on with: starling-sim run --resume parts\n"));
    }
    if (said.status != 0) /* else it was done by then */
        run_well("run --resume parts --quiet");
    assert_false(is_there("parts/checkpoint"));
    compare_runs("whole", "parts");
    refuse("run --resume parts", "parts: has no checkpoint: the run is complete");
}

static void a_run_goes_on_as_it_began(void **state)
{
    (void)state;
    must_have_program();
    run_and_end("run --out some --rounds 100000 --set sim.checkpoint=1us " SMALL, "some", SIGKILL,
                1);
    refuse("run --resume some --nodes 13",
           "--resume: sim.nodes is another one than in some/experiment.ini");
    refuse("run --resume some --set gossip.view=3", "--resume: gossip.view");
    refuse("run --resume some --wire", "--resume: sim.wire");
    refuse("run --resume some some/experiment.ini", "leave the configuration file out");
    refuse("run --resume some --force", "leave --out and --force out");
    refuse("run --resume some --out else", "leave --out and --force out");
    refuse("run --resume ''", "--resume: is empty");
    refuse("run --resume none", "none/experiment.ini: cannot be opened");
    refuse("live --resume some", "--resume: is for starling-sim run");
    refuse("sweep --resume some", "--resume: is for starling-sim run");
    refuse("live --set sim.checkpoint=1m", "sim.checkpoint: real nodes");
    assert_true(is_there("some/checkpoint"));
    run_and_end("run --resume some --nodes 12 --quiet --set sim.checkpoint=0s", "some", SIGINT, 30);
    assert_int_equal(said.status, 130); /* the same settings again are no others */
    write_text("some/checkpoint", "starckpt and nothing more");
    refuse("run --resume some", "some/checkpoint: is no checkpoint");
    refuse("run --out some " SMALL, "holds a run already");
    assert_true(is_there("some/rounds.csv"));
    run_well("run --out some --force --rounds 3 " SMALL);
    assert_false(is_there("some/checkpoint"));
}

/* Files may not grow: the run says so and goes on, and what there was is as it was. */
static void a_full_disk_leaves_the_last_one(void **state)
{
    (void)state;
    must_have_program();
    static uint8_t bytes[1 << 22], after[1 << 22];
    run_and_end("run --out full --rounds 60 --set sim.checkpoint=1us " SMALL, "full", SIGKILL, 0);
    long size = folder_read(&folder, "full/checkpoint", bytes, sizeof bytes);
    assert_true(size > 2048 && (size_t)size < sizeof bytes);
    run_held("run --resume full --set sim.checkpoint=1us", HOLD_FILE_SIZE);
    assert_int_equal(said.status, 1); /* for its results have no room either */
    assert_non_null(strstr(said.err, "full/checkpoint: cannot be written"));
    assert_non_null(strstr(said.err, "goes on without a checkpoint of round "));
    assert_false(is_there("full/checkpoint.tmp"));
    assert_int_equal(folder_read(&folder, "full/checkpoint", after, sizeof after), size);
    assert_memory_equal(bytes, after, (size_t)size);
    run_well("run --resume full --quiet");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_was_ended_goes_on),
        cmocka_unit_test(a_run_goes_on_as_it_began),
        cmocka_unit_test(a_full_disk_leaves_the_last_one),
    };
    if (command_begin() != 0)
        return 1;
    int failed = cmocka_run_group_tests_name("resume", tests, NULL, NULL);
    command_end();
    return failed;
}
