/* Worlds that are written down and gone on with: the same bits; and files that are refused. */
#include "sim/checkpoint.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/random.h"
#include "sim/crash_world.h"
#include "tests/node/folder.h"
#include "tests/sim/setting.h"

#define CHECK_BYTES 32u
#define TABLE "task.data=csv:table.csv"

/* Everything that a world may hold, one way or another. */
static const char *const cases[][10] = {
    {NULL},
    {"gossip.exchange=pushpull", "gossip.fragments=3", "gossip.encoding=i8", "sim.drop=0.1",
     "sim.churn=exp:60s,20s", NULL},
    {"gossip.flow=token", "gossip.fanout=2", NULL},
    {"learn.optimizer=adam", "gossip.readout=off", NULL},
    {"gossip.order=update-merge", "gossip.exchange=pull", NULL},
    {"learn.momentum=0.9", "gossip.order=walk", NULL},
    {"sim.wire=on", "gossip.encoding=f16", "gossip.sample=0.5", NULL},
    {TABLE, "task.model=linear", "task.agree=on", NULL},
    {TABLE, "task.model=linear", "task.agree=on", "sim.wire=on", NULL},
    {"sim.crash=0.25@35s,0.5@55s:best", "sim.churn=exp:100s,10s",
     "sim.bandwidth=lognormal:200kbit/s,1", "sim.speed=lognormal:1", "sim.compute=10us", NULL},
    {TABLE, "sim.nodes=600", "sim.partition=draw:1", "task.model=linear",
     "sim.latency=uniform:1s-9s", NULL},
};
#define CASES (sizeof cases / sizeof *cases)

static void make_table(void)
{
    FILE *file = fopen("table.csv", "w");
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 0);
    assert_non_null(file);
    for (size_t row = 0; row < 480; row++) {
        double a = random_normal(&random), b = 100 * random_normal(&random);
        fprintf(file, "%g,%g,%d\n", a, b, a + b / 100 > 0);
    }
    fclose(file);
}

static void live_to(struct setting *setting, uint64_t until_us)
{
    struct problem problem = {0};
    uint64_t reached;
    if (crash_world_live(setting->world, setting->experiment, setting->pool, until_us, NULL,
                         &reached, &problem))
        fail_msg("%s", problem.text);
    assert_true(reached == until_us);
}

static void save(struct setting *setting, uint64_t rounds)
{
    struct problem problem = {0};
    struct round_row row = {.round = rounds, .accuracy_mean = 0.5};
    const struct checkpoint checkpoint = {
        .rounds = rounds, .wall_seconds = 1.5, .rows = &row, .row_count = rounds > 0};
    if (checkpoint_save(".", &checkpoint, setting->experiment, setting->world, &problem))
        fail_msg("%s", problem.text);
}

static void load(struct setting *setting, uint64_t rounds)
{
    struct problem problem = {0};
    struct checkpoint checkpoint;
    if (checkpoint_load(".", &checkpoint, setting->experiment, setting->world, &problem))
        fail_msg("%s", problem.text);
    assert_int_equal(checkpoint.rounds, rounds);
    assert_true(checkpoint.wall_seconds == 1.5);
    assert_int_equal(checkpoint.row_count, rounds > 0);
    if (rounds > 0)
        assert_true(checkpoint.rows[0].accuracy_mean == 0.5);
    free(checkpoint.rows);
}

static struct outcome tell(struct setting *setting)
{
    struct outcome outcome;
    world_digest(setting->world, outcome.digest);
    outcome.counts = *world_counts(setting->world);
    outcome.counts.train_seconds = 0;
    tear_down(setting);
    return outcome;
}

static size_t read_checkpoint(uint8_t *bytes, size_t most)
{
    FILE *file = fopen(CHECKPOINT_NAME, "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, most, file);
    fclose(file);
    assert_true(size < most);
    return size;
}

static void a_world_that_was_written_down_goes_on(void **state)
{
    (void)state;
    static const uint64_t stops_us[] = {0, 33300000, 50000000, 67123456};
    enum { STOPS = sizeof stops_us / sizeof *stops_us, END_US = 90000000 };
    static uint8_t bytes[1 << 24];
    for (size_t i = 0; i < CASES; i++) {
        struct setting setting;
        set_up(&setting, 2, cases[i]);
        live_to(&setting, END_US);
        struct outcome whole = tell(&setting), parts;
        for (size_t stop = 0; stop < STOPS; stop++) { /* again and again, on one thread or two */
            set_up(&setting, 1 + stop % 2, cases[i]);
            if (stop > 0)
                load(&setting, stop - 1);
            live_to(&setting, stops_us[stop] ? stops_us[stop] : 1);
            save(&setting, stop);
            tear_down(&setting);
        }
        set_up(&setting, 2, cases[i]);
        load(&setting, STOPS - 1);
        size_t size = read_checkpoint(bytes, sizeof bytes);
        save(&setting, STOPS - 1);
        assert_int_equal(read_checkpoint(bytes, sizeof bytes), size); /* models are shared again */
        live_to(&setting, END_US);
        parts = tell(&setting);
        if (strcmp(parts.digest, whole.digest) != 0)
            fail_msg("case %zu: other bits", i);
        assert_memory_equal(&parts.counts, &whole.counts, sizeof whole.counts);
    }
}

/* Tries the file on a world. Whether it was taken; then the world can go on. */
static bool is_taken(const char *const *pairs, const char *part)
{
    struct setting setting;
    struct problem problem = {0};
    struct checkpoint checkpoint;
    set_up(&setting, 1, pairs);
    enum starling_error error =
        checkpoint_load(".", &checkpoint, setting.experiment, setting.world, &problem);
    if (error) {
        assert_int_equal(error, STARLING_INVALID);
        assert_null(checkpoint.rows);
        assert_non_null(strstr(problem.text, "./checkpoint: "));
        if (part && !strstr(problem.text, part))
            fail_msg("%s", problem.text);
    } else {
        uint64_t reached;
        world_live(setting.world, 60000000, NULL, &reached, NULL);
    }
    free(checkpoint.rows);
    tear_down(&setting);
    return !error;
}

static void write_checkpoint(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(CHECKPOINT_NAME, "wb");
    assert_non_null(file);
    assert_true(fwrite(bytes, 1, size, file) == size);
    assert_int_equal(fclose(file), 0);
}

/* How often, for longer trials than a test has time for. */
static size_t tries(size_t ordinary)
{
    const char *asked = getenv("STARLING_TRIES");
    return asked ? (size_t)strtoul(asked, NULL, 10) : ordinary;
}

static void a_file_that_is_not_whole_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 22];
    struct setting setting;
    static const char *const pairs[] = {"task.model=linear", "sim.nodes=6", NULL};
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 1);
    set_up(&setting, 1, pairs);
    live_to(&setting, 35000000);
    save(&setting, 3);
    tear_down(&setting);
    size_t size = read_checkpoint(bytes, sizeof bytes);
    for (size_t i = 0; i < tries(30); i++) {
        size_t place = random_below(&random, (uint32_t)size);
        uint8_t bit = (uint8_t)(1u << random_below(&random, 8));
        bytes[place] ^= bit;
        write_checkpoint(bytes, size);
        assert_false(is_taken(pairs, NULL));
        bytes[place] ^= bit;
        write_checkpoint(bytes, random_below(&random, (uint32_t)size));
        assert_false(is_taken(pairs, NULL));
    }
    write_checkpoint(bytes, 0);
    assert_false(is_taken(pairs, "is no checkpoint"));
    checkpoint_remove(".");
    assert_false(is_taken(pairs, "cannot be opened"));
}

/* As the format has it: over all that is before. */
static void set_check(uint8_t *bytes, size_t size)
{
    crypto_generichash(bytes + size - CHECK_BYTES, CHECK_BYTES, bytes, size - CHECK_BYTES, NULL, 0);
}

static void a_file_that_makes_no_sense_does_no_harm(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 23], spoilt[1 << 23];
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 2);
    for (size_t i = 0; i < CASES - 1; i++) {
        struct setting setting;
        set_up(&setting, 1, cases[i]);
        live_to(&setting, 43000000);
        save(&setting, 4);
        tear_down(&setting);
        size_t size = read_checkpoint(bytes, sizeof bytes), header = 44;
        for (size_t k = 0; k < tries(12); k++) {
            memcpy(spoilt, bytes, size);
            for (size_t count = 1 + random_below(&random, 3); count > 0; count--) {
                size_t place = header + random_below(&random, (uint32_t)(size - header));
                if (random_below(&random, 2))
                    spoilt[place] = (uint8_t)random_below(&random, 256);
                else
                    spoilt[place] ^= (uint8_t)(1u << random_below(&random, 8));
            }
            size_t now = random_below(&random, 4)
                             ? size
                             : header + CHECK_BYTES + random_below(&random, (uint32_t)(size / 2));
            set_check(spoilt, now);
            write_checkpoint(spoilt, now);
            is_taken(cases[i], NULL);
        }
    }
}

static void a_file_of_something_else_is_refused(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 22];
    static const char *const ours[] = {"task.model=linear", "sim.nodes=6", NULL};
    static const char *const others[][4] = {
        {"task.model=linear", "sim.nodes=7", NULL},
        {"task.model=mlp:3", "sim.nodes=6", NULL},
        {"task.model=linear", "sim.nodes=6", "sim.seed=2", NULL},
        {"task.model=linear", "sim.nodes=6", "task.data=synth:writers?writers=5", NULL},
    };
    struct setting setting;
    set_up(&setting, 1, ours);
    live_to(&setting, 35000000);
    save(&setting, 3);
    tear_down(&setting);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(is_taken(others[i], "is of other settings or data"));
    assert_true(is_taken(ours, NULL));
    size_t size = read_checkpoint(bytes, sizeof bytes);
    bytes[8]++;
    set_check(bytes, size);
    write_checkpoint(bytes, size);
    assert_false(is_taken(ours, "another version of starling-sim"));
    bytes[8]--;
    bytes[0]++;
    set_check(bytes, size);
    write_checkpoint(bytes, size);
    assert_false(is_taken(ours, "is no checkpoint"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_world_that_was_written_down_goes_on),
        cmocka_unit_test(a_file_that_is_not_whole_is_refused),
        cmocka_unit_test(a_file_that_makes_no_sense_does_no_harm),
        cmocka_unit_test(a_file_of_something_else_is_refused),
    };
    static struct folder folder; /* the working folder of all of them */
    if (folder_make(&folder) || chdir(folder.path) || sodium_init() < 0)
        return 1;
    make_table();
    int failed = cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
    folder_remove(&folder);
    return failed;
}
