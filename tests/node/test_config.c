#include "node/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "gossip/protocol.h"
#include "model/random.h"
#include "node/config_table.h"
#include "tests/node/folder.h"

#define ROUND_TRIPS 200

static void the_defaults_are_those_of_the_manual(void **state)
{
    (void)state;
    struct config config;
    config_defaults(&config);
    assert_string_equal(config.task.model, "mlp:64");
    assert_string_equal(config.task.data, "synth:writers");
    assert_int_equal(config.task.scale, SCALE_AUTO);
    assert_true(config.learn.rate == CONFIG_AUTO && config.learn.momentum == CONFIG_AUTO &&
                config.learn.horizon == CONFIG_AUTO);
    assert_true(config.learn.decay == 1e-4);
    assert_int_equal(config.learn.batch, 8);
    assert_int_equal(config.gossip.period_us, 10000000);
    assert_false(config_given(&config, "gossip.period"));
    assert_true(config.gossip.age_limit == 1);
    assert_true(config.gossip.readout);
    assert_int_equal(config.node.save_every_us, 60000000);
    assert_int_equal(config.node.max_model, 64 << 20);
    assert_true(config.node.autostart);
    assert_int_equal(config.sim.compute_ps, 6000);
    assert_string_equal(config.sim.latency, "constant:50ms");
    assert_int_equal(config.sim.nodes, 100);
    assert_false(config.sim.wire);
}

static void choices_are_numbered_as_their_enums(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        size_t offset;
        int wanted;
    } cases[] = {
        {"task.scale", "none", offsetof(struct config, task.scale), SCALE_NONE},
        {"task.scale", "standard", offsetof(struct config, task.scale), SCALE_STANDARD},
        {"task.scale", "log", offsetof(struct config, task.scale), SCALE_LOG},
        {"learn.schedule", "auto", offsetof(struct config, learn.schedule), SCHEDULE_AUTO},
        {"learn.schedule", "pegasos", offsetof(struct config, learn.schedule), SCHEDULE_PEGASOS},
        {"learn.schedule", "constant", offsetof(struct config, learn.schedule), SCHEDULE_CONSTANT},
        {"learn.schedule", "inverse", offsetof(struct config, learn.schedule), SCHEDULE_INVERSE},
        {"learn.schedule", "cosine", offsetof(struct config, learn.schedule), SCHEDULE_COSINE},
        {"learn.optimizer", "sgd", offsetof(struct config, learn.optimizer), OPTIMIZER_SGD},
        {"learn.optimizer", "adam", offsetof(struct config, learn.optimizer), OPTIMIZER_ADAM},
        {"learn.optimizer", "adamw", offsetof(struct config, learn.optimizer), OPTIMIZER_ADAMW},
        {"learn.optimizer", "quasi-global", offsetof(struct config, learn.optimizer),
         OPTIMIZER_QUASI_GLOBAL},
        {"gossip.exchange", "pushpull", offsetof(struct config, gossip.exchange),
         EXCHANGE_PUSHPULL},
        {"gossip.exchange", "pull", offsetof(struct config, gossip.exchange), EXCHANGE_PULL},
        {"gossip.order", "update-merge", offsetof(struct config, gossip.order), ORDER_UPDATE_MERGE},
        {"gossip.order", "walk", offsetof(struct config, gossip.order), ORDER_WALK},
        {"gossip.flow", "token", offsetof(struct config, gossip.flow), FLOW_TOKEN},
        {"sim.sync", "rounds", offsetof(struct config, sim.sync), SYNC_ROUNDS},
        {"sim.preset", "af", offsetof(struct config, sim.preset), PRESET_AF},
        {"gossip.encoding", "f16", offsetof(struct config, gossip.encoding), ENCODING_F16},
        {"gossip.encoding", "i8", offsetof(struct config, gossip.encoding), ENCODING_I8},
        {"gossip.merge", "average", offsetof(struct config, gossip.merge), 2},
    };
    struct config config;
    config_defaults(&config);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int got;
        assert_int_equal(config_set(&config, cases[i].name, cases[i].value, "test", NULL), 0);
        memcpy(&got, (char *)&config + cases[i].offset, sizeof got);
        assert_int_equal(got, cases[i].wanted);
    }
    assert_string_equal(merge_rule_names[config.gossip.merge], "average");
}

static void a_bad_value_is_refused_with_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *pair, *said;
    } cases[] = {
        {"sim.nodes=0", "--set: sim.nodes is \"0\": write a whole number from 1 to 10000000"},
        {"sim.nodes=", "is \"\": write a whole number"},
        {"sim.nodes=-1", "is \"-1\""},
        {"sim.nodes=1e3", "is \"1e3\""},
        {"sim.nodes=10000001", "from 1 to 10000000"},
        {"sim.seed=9223372036854775808", "to 9223372036854775807"},
        {"learn.rate=fast", "write auto or a number from 0 to 1000"},
        {"learn.rate=nan", "is \"nan\""},
        {"learn.rate=inf", "is \"inf\""},
        {"learn.rate=-0.1", "is \"-0.1\""},
        {"learn.clip=-1", "write auto or a number from 0 to"},
        {"learn.rate=0.1x", "is \"0.1x\""},
        {"learn.decay=auto", "is \"auto\": write a number from 0 to 1"},
        {"learn.holdout=0.91", "from 0 to 0.9"},
        {"gossip.merge=limted", "did you mean limited? Or write one of limited, age, average"},
        {"gossip.merge=xyzzy", "is \"xyzzy\": write one of limited, age, average"},
        {"gossip.readout=maybe", "write on or off"},
        {"gossip.encoding=i9", "did you mean i8? Or write one of f32, f16, i8"},
        {"gossip.fragments=0", "is \"0\": write auto or a whole number from 1 to 65536"},
        {"gossip.fragments=65537", "write auto or a whole number"},
        {"gossip.fanout=auto", "is \"auto\": write a whole number from 1"},
        {"gossip.sample=0", "write a number from 1e-06 to 1"},
        {"gossip.period=10", "write a duration from 1ms to 1d, with its unit"},
        {"gossip.period=0.5ms", "is \"0.5ms\""},
        {"gossip.period=2d", "is \"2d\""},
        {"gossip.period=10 seconds", "is \"10 seconds\""},
        {"node.max_model=99999999999999999999MiB", "write a size from 1KiB to 4GiB"},
        {"node.max_model=10", "write a size"},
        {"sim.compute=6", "write a duration from 0 to 1s"},
        {"task.name=a # b", "comment mark"},
        {"task.name=a\nb", "control character"},
        {"gossip.perid=1s", "there is no setting gossip.perid: did you mean gossip.period?"},
        {"gosip.period=1s", "there is no setting gosip.period: did you mean gossip.period?"},
        {"gossip.rate=1", "there is no setting gossip.rate: did you mean learn.rate?"},
        {"gossip.byzantine=1", "there is no setting gossip.byzantine"},
        {"learn.dp_noise=1", "there is no setting learn.dp_noise"},
        {"qqqqqqqq.x=1", "there is no section [qqqqqqqq]: choose one of task"},
        {"period=1s", "does not name a setting: write section.key"},
        {"gossip.period", "is no setting: write section.key=value"},
    };
    struct config config, before;
    config_defaults(&config);
    before = config;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        assert_int_equal(config_set_pair(&config, cases[i].pair, "--set", &problem),
                         STARLING_INVALID);
        if (!strstr(problem.text, cases[i].said))
            fail_msg("%s: said \"%s\", wanted \"%s\"", cases[i].pair, problem.text, cases[i].said);
        assert_memory_equal(&config, &before, sizeof config);
    }
}

static void a_good_value_is_taken(void **state)
{
    (void)state;
    struct config config;
    config_defaults(&config);
    assert_int_equal(config_set_pair(&config, " gossip.period = 250 ms ", "--set", NULL), 0);
    assert_int_equal(config.gossip.period_us, 250000);
    assert_true(config_given(&config, "gossip.period"));
    assert_int_equal(config_set_pair(&config, "sim.seed=9223372036854775807", "--set", NULL), 0);
    assert_true(config.sim.seed == INT64_MAX);
    assert_int_equal(config_set_pair(&config, "sim.compute=1.5ps", "--set", NULL), 0);
    assert_int_equal(config.sim.compute_ps, 2);
    assert_int_equal(config_set_pair(&config, "node.save_every=0", "--set", NULL), 0);
    assert_int_equal(config.node.save_every_us, 0);
    assert_int_equal(config_set_pair(&config, "task.data=csv:a=b?label=1", "--set", NULL), 0);
    assert_string_equal(config.task.data, "csv:a=b?label=1");
    assert_true(config.gossip.fragments == CONFIG_AUTO_COUNT);
    assert_int_equal(config_set_pair(&config, "gossip.fragments=65536", "--set", NULL), 0);
    assert_int_equal(config.gossip.fragments, 65536);
    assert_int_equal(config_set_pair(&config, "gossip.fragments=auto", "--set", NULL), 0);
    assert_true(config.gossip.fragments == CONFIG_AUTO_COUNT);
    assert_int_equal(config_set_pair(&config, "gossip.readout=false", "--set", NULL), 0);
    assert_false(config.gossip.readout);
}

static void units_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool size, good;
        uint64_t wanted;
    } cases[] = {
        {"250ms", false, true, 250000},
        {"10s", false, true, 10000000},
        {"1m", false, true, 60000000},
        {"2h", false, true, 7200000000},
        {"1d", false, true, 86400000000},
        {"1.5h", false, true, 5400000000},
        {"0.000001s", false, true, 1},
        {"7us", false, true, 7},
        {"0", false, true, 0},
        {"10", false, false, 0},
        {"s", false, false, 0},
        {"", false, false, 0},
        {" 1s", false, false, 0},
        {"1.s", false, false, 0},
        {"-1s", false, false, 0},
        {"1S", false, false, 0},
        {"99999999999999d", false, false, 0},
        {"64KiB", true, true, 65536},
        {"1MB", true, true, 1000000},
        {"512", true, true, 512},
        {"1.5 MiB", true, true, 1572864},
        {"16GiB", true, true, UINT64_C(1) << 34},
        {"1TB", true, false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 77;
        bool good = cases[i].size ? config_size(cases[i].text, &value)
                                  : config_duration(cases[i].text, &value);
        if (good != cases[i].good || value != (good ? cases[i].wanted : 77))
            fail_msg("\"%s\" gave %d, %llu", cases[i].text, good, (unsigned long long)value);
    }
}

static enum starling_error load(struct folder *folder, const char *text, size_t size,
                                struct config *config, struct problem *problem)
{
    config_defaults(config);
    assert_int_equal(folder_write(folder, "x.ini", text, size), 0);
    return config_load(config, folder_file(folder, "x.ini"), problem);
}

static void a_file_is_read_over_what_is_there(void **state)
{
    static const char text[] = "\xEF\xBB\xBF# a comment\n"
                               "; another\r\n"
                               "\n"
                               "[gossip] # of peers\r\n"
                               "  period = 2s   # between blanks it is a comment\n"
                               "  fanout: 3\n"
                               "[node]\n"
                               "seeds = #a@tcp://x:1 ;b@tcp://y:2\n"
                               "[gossip]\n"
                               "merge=age";
    struct config config;
    struct problem problem = {0};
    assert_int_equal(load(*state, text, sizeof text - 1, &config, &problem), 0);
    assert_int_equal(config.gossip.period_us, 2000000);
    assert_true(config_given(&config, "gossip.period"));
    assert_int_equal(config.gossip.fanout, 3);
    assert_int_equal(config.gossip.merge, 1);
    assert_string_equal(config.node.seeds, "#a@tcp://x:1 ;b@tcp://y:2");
    assert_string_equal(config.task.model, "mlp:64");
}

static void a_bad_file_is_refused_by_line_and_changes_nothing(void **state)
{
    static const struct {
        const char *text;
        size_t size; /* 0: strlen */
        const char *said;
    } cases[] = {
        {"[gossip]\nfanout = 2\nperid = 1s\n", 0, "x.ini:3: there is no setting gossip.perid"},
        {"[gossip]\nfanout = 0\n", 0, "x.ini:2: gossip.fanout is \"0\""},
        {"[gossip]\nfanout = 2\n\nfanout = 3\n", 0,
         "x.ini:4: gossip.fanout is given twice, first on line 2"},
        {"fanout = 2\n", 0, "x.ini:1: a setting before any section"},
        {"[gossip]\nfanout\n", 0, "x.ini:2: neither [section] nor key = value"},
        {"[gossip\n", 0, "x.ini:1: a section's name ends with ]"},
        {"[gossip] fanout = 2\n", 0, "x.ini:1: a section's name ends with ]"},
        {"[gosip]\nfanout = 2\n", 0, "x.ini:2: there is no setting gosip.fanout: did you mean"},
        {"[gossip]\nwhat\nfanout = 0\n", 0, "x.ini:2: neither"},
        {"[gossip]\nfanout = 0\nwhat\n", 0, "x.ini:2: gossip.fanout"},
        {"[gossip]\nfanout = 2\n\vb\n", 0, "x.ini:3: neither [section] nor key = value"},
        {"[gossip]\nfanout = 2\n\fview\n", 0, "x.ini:3: neither [section] nor key = value"},
        {"[gossip]\nfan\0out = 2\n", 21, "x.ini:2: a zero byte"},
        {"[task]\n[gossip]\nfanout = 2 3\n", 0, "x.ini:3: gossip.fanout is \"2 3\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config, defaults;
        struct problem problem = {0};
        size_t size = cases[i].size ? cases[i].size : strlen(cases[i].text);
        config_defaults(&defaults);
        assert_int_equal(load(*state, cases[i].text, size, &config, &problem), STARLING_INVALID);
        if (!strstr(problem.text, cases[i].said))
            fail_msg("case %zu: said \"%s\", wanted \"%s\"", i, problem.text, cases[i].said);
        assert_memory_equal(&config, &defaults, sizeof config);
    }
}

static void a_long_value_is_taken_whole_or_refused_by_line(void **state)
{
    static const struct {
        const char *key;
        size_t length;
        bool good;
    } cases[] = {
        {"[task]\nname = ", 150, true},    {"[task]\nname = ", 1023, true},
        {"[task]\nname = ", 1024, false},  {"[node]\nseeds = ", 8191, true},
        {"[node]\nseeds = ", 8192, false}, {"[node]\nseeds = ", 100000, false},
    };
    static char text[100100];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config config;
        struct problem problem = {0};
        size_t head = strlen(cases[i].key);
        memcpy(text, cases[i].key, head);
        memset(text + head, 'x', cases[i].length);
        enum starling_error error = load(*state, text, head + cases[i].length, &config, &problem);
        assert_int_equal(error, cases[i].good ? STARLING_OK : STARLING_INVALID);
        if (!cases[i].good)
            assert_non_null(strstr(problem.text, "x.ini:2: "));
        else
            assert_int_equal(strlen(config.task.name) + strlen(config.node.seeds), cases[i].length);
    }
    /* a key that long is no key */
    struct config config;
    struct problem problem = {0};
    memset(text, 'k', 300);
    memcpy(text, "[task]\n", 7);
    memcpy(text + 300, " = 1\n", 6);
    assert_int_equal(load(*state, text, 305, &config, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "x.ini:2: "));
}

static void a_file_that_cannot_be_one_is_refused(void **state)
{
    struct folder *folder = *state;
    struct config config;
    struct problem problem = {0};
    config_defaults(&config);
    assert_int_not_equal(config_load(&config, folder_file(folder, "absent.ini"), &problem), 0);
    assert_non_null(strstr(problem.text, "absent.ini: cannot be opened: No such file"));
    assert_int_not_equal(config_load(&config, folder->path, &problem), 0);
    assert_non_null(strstr(problem.text, "is not a regular file"));
    char *large = calloc(1, 1048577);
    memset(large, '\n', 1048577);
    assert_int_equal(folder_write(folder, "large.ini", large, 1048577), 0);
    free(large);
    assert_int_not_equal(config_load(&config, folder_file(folder, "large.ini"), &problem), 0);
    assert_non_null(strstr(problem.text, "is larger than 1048576 bytes"));
}

/* A random value within the bounds, in the struct itself. */
static void scramble(struct config *config, const struct setting *setting, struct random *random)
{
    char *to = (char *)config + setting->offset;
    double real;
    uint64_t number;
    int choice = 0;
    bool on;
    switch (setting->kind) {
    case SETTING_TEXT:
        memset(to, 0, setting->size);
        for (size_t i = 0, length = random_below(random, 60); i < length; i++)
            to[i] = "abc:/@=#;-.,[]xyz0189"[random_below(random, 21)];
        if (!to[1])
            to[0] = '\0'; /* a mark alone would be a comment, and config_set refuses it */
        break;
    case SETTING_REAL:
        real = setting->floor + random_uniform(random) * (setting->ceiling - setting->floor);
        if (setting->may_be_auto && random_below(random, 4) == 0)
            real = CONFIG_AUTO;
        memcpy(to, &real, sizeof real);
        break;
    case SETTING_CHOICE:
        while (setting->words[choice + 1] && random_below(random, 2))
            choice++;
        memcpy(to, &choice, sizeof choice);
        break;
    case SETTING_SWITCH:
        on = random_below(random, 2) == 1;
        memcpy(to, &on, sizeof on);
        break;
    default:
        number = setting->least + (uint64_t)(random_uniform(random) *
                                             (double)(setting->most / 2 - setting->least / 2));
        if (setting->may_be_auto && random_below(random, 4) == 0)
            number = CONFIG_AUTO_COUNT;
        memcpy(to, &number, sizeof number);
    }
}

static void what_is_written_reads_back_the_same(void **state)
{
    struct folder *folder = *state;
    for (uint64_t seed = 0; seed < ROUND_TRIPS; seed++) {
        struct random random = random_stream(seed, 0, RANDOM_INITIAL, 0);
        struct config wrote, got;
        struct problem problem = {0};
        memset(&wrote, 0, sizeof wrote);
        for (size_t i = 0; i < config_setting_count; i++)
            scramble(&wrote, &config_settings[i], &random);
        for (size_t i = 0; i < config_setting_count; i++)
            wrote.given[i] = true;
        FILE *file = fopen(folder_file(folder, "y.ini"), "w");
        assert_int_equal(
            config_write(&wrote, "task learn gossip node control sim", seed % 2, file, &problem),
            0);
        fclose(file);
        config_defaults(&got);
        if (config_load(&got, folder_file(folder, "y.ini"), &problem))
            fail_msg("seed %llu: %s", (unsigned long long)seed, problem.text);
        if (memcmp(&wrote, &got, sizeof got))
            fail_msg("seed %llu: differs", (unsigned long long)seed);
    }
}

static void a_full_disk_is_said(void **state)
{
    (void)state;
    struct config config;
    struct problem problem = {0};
    config_defaults(&config);
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        skip();
    assert_int_equal(config_write(&config, "sim", false, full, &problem), STARLING_FAILED);
    fclose(full);
    assert_non_null(strstr(problem.text, "cannot be written"));
}

static void the_data_may_name_environment_variables(void **state)
{
    static const char name[] = "variables.ini";
    struct folder *folder = *state;
    struct problem problem = {0};
    struct config config;
    setenv("STARLING_TEST_FOLDER", "/data sets/a", 1);
    setenv("STARLING_TEST_EMPTY", "", 1);
    config_defaults(&config);
    static const char *const good[][2] = {
        {"csv:${STARLING_TEST_FOLDER}/x.csv?test=${STARLING_TEST_FOLDER}/y.csv",
         "csv:/data sets/a/x.csv?test=/data sets/a/y.csv"},
        {"csv:$HOME/$x${STARLING_TEST_EMPTY}", "csv:$HOME/$x"},
        {"${STARLING_TEST_FOLDER}", "/data sets/a"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(config_set(&config, "task.data", good[i][0], "--data", &problem), 0);
        assert_string_equal(config.task.data, good[i][1]);
    }
    static const char text[] = "[task]\nmodel = ${STARLING_TEST_FOLDER}\n"
                               "data = idx:${STARLING_TEST_FOLDER}\n";
    assert_int_equal(folder_write(folder, name, text, strlen(text)), 0);
    assert_int_equal(config_load(&config, folder_file(folder, name), &problem), 0);
    assert_string_equal(config.task.data, "idx:/data sets/a");
    assert_string_equal(config.task.model, "${STARLING_TEST_FOLDER}"); /* data alone */
}

static void a_variable_that_cannot_be_had_is_refused(void **state)
{
    (void)state;
    char longer[CONFIG_TEXT_MAX + 1];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    unsetenv("STARLING_TEST_UNSET");
    setenv("STARLING_TEST_NESTED", "a${b}", 1);
    setenv("STARLING_TEST_LONG", longer, 1);
    setenv("STARLING_TEST_LINES", "a\nb", 1);
    static const char *const cases[][2] = {
        {"csv:${STARLING_TEST_UNSET}/x", "--data: task.data: the environment variable "
                                         "STARLING_TEST_UNSET is not set: set it"},
        {"csv:${STARLING_TEST_NESTED}", "holds ${ itself"},
        {"csv:${STARLING_TEST_LONG}", "task.data is \"csv:xxx"},
        {"csv:${STARLING_TEST_LINES}", "control character"},
        {"csv:${", "\"${\" names no environment variable"},
        {"csv:${}", "names no environment variable"},
        {"csv:${9A}", "names no environment variable"},
        {"csv:${A B}", "names no environment variable: write ${NAME}"},
        {"csv:${A", "names no environment variable"},
    };
    struct config config;
    config_defaults(&config);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        assert_int_equal(config_set(&config, "task.data", cases[i][0], "--data", &problem),
                         STARLING_INVALID);
        if (!strstr(problem.text, cases[i][1]))
            fail_msg("%s: said \"%s\", wanted \"%s\"", cases[i][0], problem.text, cases[i][1]);
        assert_string_equal(config.task.data, "synth:writers");
    }
}

static void help_names_every_setting_of_a_section(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    config_help(file, "task learn gossip node control sim");
    fclose(file);
    for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") < 80);
    for (size_t i = 0; i < config_setting_count; i++) {
        char name[100];
        snprintf(name, sizeof name, "  %s.%s (", config_settings[i].section,
                 config_settings[i].name);
        assert_non_null(strstr(text, name));
    }
    free(text);
}

static void the_nearest_word_is_found_or_none(void **state)
{
    (void)state;
    static const char *const words[] = {"limited", "age", "average", NULL};
    assert_string_equal(config_nearest("limitd", words), "limited");
    assert_string_equal(config_nearest("avrage", words), "average");
    assert_null(config_nearest("zzzzzz", words));
    assert_null(config_nearest("", words));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_manual),
        cmocka_unit_test(choices_are_numbered_as_their_enums),
        cmocka_unit_test(a_bad_value_is_refused_with_what_would_be_right),
        cmocka_unit_test(a_good_value_is_taken),
        cmocka_unit_test(units_are_read),
        cmocka_unit_test(a_file_is_read_over_what_is_there),
        cmocka_unit_test(a_bad_file_is_refused_by_line_and_changes_nothing),
        cmocka_unit_test(a_long_value_is_taken_whole_or_refused_by_line),
        cmocka_unit_test(a_file_that_cannot_be_one_is_refused),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(a_full_disk_is_said),
        cmocka_unit_test(the_data_may_name_environment_variables),
        cmocka_unit_test(a_variable_that_cannot_be_had_is_refused),
        cmocka_unit_test(help_names_every_setting_of_a_section),
        cmocka_unit_test(the_nearest_word_is_found_or_none),
    };
    return cmocka_run_group_tests_name("config", tests, folder_setup, folder_teardown);
}
