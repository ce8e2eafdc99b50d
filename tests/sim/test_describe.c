/* `starling-sim data`: what it tells of data whose content is known. */
#include "tests/sim/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>

/* 40 rows of five columns: a: 0 to 39, b: always 7, c: missing in every fourth row, who, kind. */
static void write_table(void)
{
    char text[4000] = "a,b,c,who,kind\n";
    for (int i = 0; i < 40; i++) {
        char third[12] = "";
        if (i % 4)
            snprintf(third, sizeof third, "%d", -i);
        sprintf(text + strlen(text), "%d,7,%s,u%d,%s\n", i, third, i % 3, i < 30 ? "yes" : "no");
    }
    write_text("table.csv", text);
}

static int begin(void **state)
{
    (void)state;
    int result = command_begin();
    if (result == 0 && program[0])
        write_table();
    return result;
}

static int end(void **state)
{
    (void)state;
    command_end();
    return 0;
}

static json_t *describe(const char *arguments)
{
    run_well(arguments);
    assert_string_equal(said.err, "");
    json_t *json = json_loads(said.out, 0, NULL);
    if (!json)
        fail_msg("%s: no JSON: %s", arguments, said.out);
    return json;
}

/* The member at a path of keys parted by dots, places in lists as numbers. */
static const json_t *at(const json_t *json, const char *path)
{
    char keys[100], *rest = keys;
    snprintf(keys, sizeof keys, "%s", path);
    for (char *key; json && (key = strsep(&rest, "."));)
        json = *key >= '0' && *key <= '9' ? json_array_get(json, (size_t)atoi(key))
                                          : json_object_get(json, key);
    if (!json)
        fail_msg("no %s", path);
    return json;
}

static void assert_number(const json_t *json, const char *path, double wanted)
{
    const json_t *value = at(json, path);
    if (!json_is_number(value) || fabs(json_number_value(value) - wanted) > 1e-6 * fabs(wanted))
        fail_msg("%s: saw %g, wanted %g", path, json_number_value(value), wanted);
}

static void assert_text(const json_t *json, const char *path, const char *wanted)
{
    const char *value = json_string_value(at(json, path));
    if (!value || strcmp(value, wanted) != 0)
        fail_msg("%s: saw %s, wanted %s", path, value ? value : "no text", wanted);
}

static void a_table_is_described_as_it_lies(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    json_t *json = describe("data csv:table.csv?ignore=who --json");
    assert_number(json, "schema", 1);
    assert_text(json, "data", "csv:table.csv?ignore=who");
    assert_number(json, "examples.train", 36);
    assert_number(json, "examples.test", 4);
    assert_number(json, "features", 3);
    assert_true(json_is_null(at(json, "image")));
    assert_true(json_is_null(at(json, "symbols")));
    assert_true(json_is_null(at(json, "users")));
    assert_true(json_is_null(at(json, "split")));
    assert_number(json, "missing.features", 1);
    assert_number(json, "missing.values", 10);
    assert_number(json, "missing.share", 10.0 / 120);
    assert_text(json, "missing.worst.0.name", "c");
    assert_number(json, "missing.worst.0.feature", 3);
    assert_number(json, "missing.worst.0.share", 0.25);
    assert_int_equal(json_array_size(at(json, "constant")), 1);
    assert_text(json, "constant.0", "b");
    assert_int_equal(json_array_size(at(json, "classes")), 2);
    assert_text(json, "classes.0.name", "no");
    assert_number(json, "classes.0.train", 9);
    assert_number(json, "classes.0.test", 1);
    assert_number(json, "classes.1.train_share", 0.75);
    assert_text(json, "majority.name", "yes");
    assert_number(json, "majority.class", 1);
    assert_number(json, "majority.test_share", 0.75);
    assert_text(json, "scaled.scale", "auto");
    assert_in_range((uint64_t)json_number_value(at(json, "range.max")), 35, 39);
    json_decref(json);

    json = describe("data csv:table.csv?ignore=who --scale none --json");
    assert_text(json, "scaled.scale", "none");
    assert_true(json_number_value(at(json, "scaled.max")) ==
                json_number_value(at(json, "range.max")));
    json_decref(json);
}

static void a_split_is_described_node_by_node(void **state)
{
    (void)state;
    if (!program[0])
        skip();
    json_t *json = describe("data --json csv:table.csv?user=who --partition user --nodes 3");
    assert_number(json, "users.count", 3);
    assert_number(json, "users.examples.min", 12);
    assert_text(json, "split.partition", "user");
    assert_number(json, "split.nodes", 3);
    assert_number(json, "split.seed", 1);
    assert_true(json_is_null(at(json, "split.samples")));
    assert_number(json, "split.dealt", 37);
    assert_number(json, "split.examples.max", 13);
    assert_number(json, "split.classes.median", 2);
    double sum = 0;
    for (size_t node = 0; node < 3; node++) {
        const json_t *one = json_array_get(at(json, "split.node"), node);
        assert_number(one, "node", (double)node);
        assert_number(one, "examples",
                      json_number_value(at(one, "labels.0")) +
                          json_number_value(at(one, "labels.1")));
        sum += json_number_value(at(one, "examples"));
    }
    assert_true(sum == 37);
    json_decref(json);

    json = describe("data csv:table.csv?ignore=who --json --nodes 9 --samples 2 --seed 5");
    assert_text(json, "split.partition", "iid");
    assert_number(json, "split.samples", 2);
    assert_number(json, "split.seed", 5);
    assert_number(json, "split.dealt", 18);
    assert_int_equal(json_array_size(at(json, "split.node")), 9);
    json_decref(json);
}

static void a_person_sees_it_in_lines_that_fit(void **state)
{
    (void)state;
    static const char *const ways[] = {
        "data csv:table.csv?ignore=who",
        "data csv:table.csv?user=who --partition dirichlet:0.5 --nodes 30 --set sim.seed=2",
        "data --data csv:table.csv?label=who&ignore=kind --nodes 2",
        "data --nodes 4 --samples 30 --partition classes:2",
        "data data.ini",
    };
    if (!program[0])
        skip();
    write_text("data.ini", "[task]\ndata = csv:table.csv?ignore=who\n[sim]\nnodes = 3\n");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        run_well(ways[i]);
        assert_string_equal(said.err, "");
        assert_non_null(strstr(said.out, "  examples  "));
        assert_non_null(strstr(said.out, "  class  "));
        assert_int_equal(strstr(said.out, "  split  ") != NULL, i > 0);
        char *rest_of = said.out;
        for (char *line; (line = strsep(&rest_of, "\n"));)
            if (strlen(line) > 100)
                fail_msg("%s: too wide: %s", ways[i], line);
    }
}

static void what_is_missing_constant_and_most_frequent_is_named(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "  examples     36 training, 4 test\n",
        "  features     3\n",
        "  missing      in 1 feature, 8.3 % of all values: c 25 %\n",
        "  constant     1 feature: b\n",
        "  yes                      27  75.00 %          3  75.00 %\n",
        "  always yes, the most frequent, is right in 75.00 % of the test\n",
    };
    if (!program[0])
        skip();
    run_well("data csv:table.csv?ignore=who");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(said.out, parts[i]))
            fail_msg("wanted '%s' in\n%s", parts[i], said.out);
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *arguments, *says;
    } cases[] = {
        {"data csv:absent.csv", "absent.csv: No such file"},
        {"data cvs:table.csv", "did you mean csv:?"},
        {"data absent.ini", "absent.ini"},
        {"data csv:table.csv csv:table.csv", "one data set is enough"},
        {"data csv:table.csv --rounds 3", "data: takes --data, --partition"},
        {"data csv:table.csv --out here", "data: takes --data, --partition"},
        {"data csv:table.csv --quiet", "data: takes --data, --partition"},
        {"data csv:table.csv --seeds 1-3", "data: takes --data, --partition"},
        {"data csv:table.csv --scale large", "--scale"},
        {"data csv:table.csv", "table.csv:2: column 4: 'u0' is not a number"},
        {"data csv:table.csv?ignore=who --nodes 3 --partition user", "user"},
        {"data csv:table.csv?ignore=who --nodes 50", "too few for 50 nodes"},
        {"data csv:table.csv?ignore=who --nodes 3 --partition classes:3", "classes"},
    };
    if (!program[0])
        skip();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run(cases[i].arguments);
        expect_line(cases[i].arguments, 2, cases[i].says);
    }
    run_held("data csv:table.csv?ignore=who", HOLD_FULL_STDOUT);
    expect_line("data", 1, "stdout: the result cannot be written");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_described_as_it_lies),
        cmocka_unit_test(a_split_is_described_node_by_node),
        cmocka_unit_test(a_person_sees_it_in_lines_that_fit),
        cmocka_unit_test(what_is_missing_constant_and_most_frequent_is_named),
        cmocka_unit_test(what_is_wrong_is_said_in_one_line),
    };
    return cmocka_run_group_tests_name("describe", tests, begin, end);
}
