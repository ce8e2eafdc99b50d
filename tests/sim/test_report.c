#include "sim/report.h"

#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/plot.h"

static struct config config;
static const struct baseline_row *curves; /* that the next page shows */
static size_t curve_count;
static bool running;

/* The page of a run with so many rounds and nodes, and figures that follow a curve. */
static char *page_of(size_t rounds, size_t nodes, const char *name, const struct summary *given)
{
    struct round_row *rows = calloc(rounds + 1, sizeof *rows);
    struct node_row *table = calloc(nodes + 1, sizeof *table);
    struct summary summary = {.kind = "run",
                              .complete = true,
                              .nodes = nodes,
                              .rounds = rounds,
                              .name = name,
                              .data = "synth:writers",
                              .model = "linear",
                              .accuracy = {0.8, 0.01, 0.7, 0.75, 0.8, 0.85, 0.9},
                              .loss = 0.5,
                              .local_accuracy = 0.6,
                              .central_accuracy = 0.9,
                              .bytes = 1000000,
                              .messages = 1000};
    assert_true(rows && table);
    if (given)
        summary = *given;
    for (size_t i = 0; i < rounds; i++) {
        double accuracy = 0.8 - 0.7 * exp(-(double)i / 5);
        rows[i] = (struct round_row){.round = i + 1,
                                     .time_s = (double)i,
                                     .online = nodes,
                                     .accuracy_mean = accuracy,
                                     .accuracy_std = 0.01,
                                     .accuracy_min = accuracy - 0.05,
                                     .accuracy_p10 = accuracy - 0.02,
                                     .accuracy_p50 = accuracy,
                                     .accuracy_p90 = accuracy + 0.02,
                                     .loss_mean = 1,
                                     .consensus_distance = 1,
                                     .age_mean = (double)i,
                                     .messages = i * nodes,
                                     .bytes = i * nodes * 1000};
    }
    for (size_t i = 0; i < nodes; i++)
        table[i] = (struct node_row){.node = i,
                                     .examples = 10,
                                     .accuracy = 0.8,
                                     .loss = NAN,
                                     .accuracy_alone = i % 2 ? NAN : 0.6,
                                     .own = {10, 0.6, 0.7, i % 3 ? 0.7 : 0.8, 5},
                                     .in_degree = (uint32_t)(18 + i % 5)};
    const struct report report = {&config, &summary, rows,        rounds, table,
                                  nodes,   curves,   curve_count, running};
    char *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    assert_int_equal(report_write(&report, memory, NULL), STARLING_OK);
    fclose(memory);
    free(rows);
    free(table);
    return text;
}

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    while ((text = strstr(text, part))) {
        count++;
        text += strlen(part);
    }
    return count;
}

static int make_config(void **state)
{
    (void)state;
    config_defaults(&config);
    curve_count = 0;
    running = false;
    return 0;
}

static void it_is_one_page_that_fetches_nothing(void **state)
{
    (void)state;
    char *page = page_of(20, 8, "trial", NULL);
    static const char *const fetching[] = {
        "<script", "<link", "<img", "http:", "https:", "url(", "@import"};
    for (size_t i = 0; i < sizeof fetching / sizeof *fetching; i++)
        if (strstr(page, fetching[i]))
            fail_msg("the page holds %s", fetching[i]);
    assert_int_equal(strncmp(page, "<!doctype html>", 15), 0);
    assert_non_null(strstr(page, "prefers-color-scheme:dark"));
    assert_non_null(strstr(page, "name=\"viewport\""));
    assert_int_equal(occurrences(page, "<svg"), occurrences(page, "</svg>"));
    free(page);
}

static void every_setting_is_in_the_page(void **state)
{
    (void)state;
    char *page = page_of(3, 2, "trial", NULL), *text = NULL;
    size_t size;
    FILE *memory = open_memstream(&text, &size);
    assert_int_equal(config_write(&config, "task learn gossip sim", false, memory, NULL),
                     STARLING_OK);
    fclose(memory);
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        char *equals = strchr(line, '='), cell[200];
        if (!equals || line[0] == '[')
            continue;
        while (equals > line && isspace((unsigned char)equals[-1]))
            equals--;
        snprintf(cell, sizeof cell, "<th>%.*s", (int)(equals - line), line);
        if (!strstr(page, cell))
            fail_msg("the page lacks %s", line);
    }
    free(text);
    free(page);
}

static void text_from_outside_is_escaped(void **state)
{
    (void)state;
    strcpy(config.task.data, "csv:<u>&'\".csv");
    char *page = page_of(3, 2, "<script>alert('x')</script>", NULL);
    assert_null(strstr(page, "<script"));
    assert_null(strstr(page, "<u>"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    assert_non_null(strstr(page, "csv:&lt;u&gt;&amp;&#39;&quot;.csv"));
    free(page);
}

static void figures_that_are_not_known_are_never_nan(void **state)
{
    (void)state;
    const struct summary bare = {
        .complete = false,
        .nodes = 1,
        .accuracy =
            {.mean = NAN, .std = NAN, .min = NAN, .p10 = NAN, .p50 = NAN, .p90 = NAN, .max = NAN},
        .loss = NAN,
        .local_accuracy = NAN,
        .central_accuracy = NAN,
        .wall_seconds = NAN,
        .train_seconds = NAN,
        .eval_seconds = NAN,
        .init_seconds = NAN,
        .bytes_per_node = NAN,
        .updates_per_second = NAN,
        .samples_per_second = NAN};
    const size_t sizes[][2] = {{0, 0}, {0, 1}, {1, 1}, {2, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *page = page_of(sizes[i][0], sizes[i][1], NULL, &bare);
        for (char *c = page; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        assert_null(strstr(page, "nan"));
        assert_null(strstr(page, "inf\""));
        assert_null(strstr(page, "inf "));
        assert_non_null(strstr(page, "ended before its last round"));
        free(page);
    }
}

static void a_long_run_makes_no_larger_page(void **state)
{
    (void)state;
    char *shorter = page_of(PLOT_POINTS_MAX, 300, "trial", NULL);
    char *longer = page_of(100000, 20000, "trial", NULL);
    assert_true(strlen(longer) < strlen(shorter) + strlen(shorter) / 4);
    assert_non_null(strstr(longer, "round 100,000\n")); /* the last point is drawn */
    free(shorter);
    free(longer);
}

static void the_curve_of_fedavg_is_in_all_charts_of_accuracy_and_loss(void **state)
{
    (void)state;
    static const struct baseline_row rows[] = {{"central", 1, 10, 0, 0, 0.9, 1},
                                               {"fedavg", 1, 80, 16, 800000, 0.5, 1},
                                               {"fedavg", 2, 160, 32, 1600000, NAN, 1},
                                               {"fedavg", 3, 240, 48, 2400000, 0.7, 1},
                                               {"central", 2, 20, 0, 0, 0.91, 1}};
    char *without = page_of(3, 8, "trial", NULL);
    curves = rows;
    curve_count = sizeof rows / sizeof *rows;
    char *with = page_of(3, 8, "trial", NULL);
    assert_int_equal(occurrences(without, "</i>FedAvg</li>"), 0);
    assert_int_equal(occurrences(with, "</i>FedAvg</li>"), 4); /* and its loss */
    assert_non_null(strstr(with, ">300 kB</text>")); /* the axis reaches its traffic a node */
    assert_null(strstr(with, "nan"));
    /* a run of which nothing else is known */
    free(without);
    without = page_of(0, 0, "trial", NULL);
    free(without);
    free(with);
}

/* Every chart of a run that has all there is, each of them once. */
static void every_chart_is_there_when_there_is_something_to_show(void **state)
{
    (void)state;
    static const char *const charts[] = {"accuracy", "by-round", "by-time",   "by-traffic",
                                         "loss",     "traffic",  "baselines", "spread",
                                         "personal", "overlay",  "consensus"};
    struct summary full = {.kind = "run",
                           .complete = true,
                           .nodes = 40,
                           .rounds = 20,
                           .name = "trial",
                           .accuracy = {0.8, 0.01, 0.7, 0.75, 0.8, 0.85, 0.9},
                           .local_accuracy = 0.6,
                           .local_loss = 2,
                           .central_accuracy = 0.9,
                           .central_loss = 0.4,
                           .overlay = {.nodes = 40,
                                       .out_degree = 20,
                                       .in_degree = {20, 1.4, 18, 22},
                                       .clustering = 0.5,
                                       .clustering_nodes = 40,
                                       .components = 1,
                                       .largest = 40,
                                       .random = {3.1, 0.6}}};
    full.personal.nodes = 40;
    full.personal.accuracy = 0.73;
    full.personal.swarm = 0.7;
    full.personal.alone = 0.6;
    char *page = page_of(20, 40, "trial", &full), id[40];
    for (size_t i = 0; i < sizeof charts / sizeof *charts; i++) {
        snprintf(id, sizeof id, " id=\"%s\"", charts[i]);
        if (occurrences(page, id) != 1)
            fail_msg("%s is there %zu times", charts[i], occurrences(page, id));
    }
    assert_non_null(strstr(page, "all 40 nodes are one piece"));
    assert_non_null(strstr(page, "Better for 14 nodes, worse for 0, the same for 26."));
    assert_null(strstr(page, " id=\"online\""));          /* nobody was away */
    assert_non_null(strstr(page, ">central 0.4</text>")); /* loss has its levels too */
    assert_non_null(strstr(page, ">alone 2</text>"));
    assert_non_null(strstr(page, "gossip 70.0%, alone 60.0%, on what 40 nodes held out"));
    assert_non_null(strstr(page, "<th>personal<th>swarm, same examples<th>known by"));
    full.personal.alone = NAN; /* no baseline was asked for */
    free(page);
    page = page_of(20, 40, "trial", &full);
    assert_non_null(strstr(page, "gossip 70.0%, on what 40 nodes held out"));
    full.personal.nodes = 0;
    free(page);
    page = page_of(20, 40, "trial", &full);
    assert_null(strstr(page, " id=\"personal\""));
    assert_null(strstr(page, "<dt>Personal"));
    full.overlay.components = 3;
    full.overlay.largest = 38;
    full.overlay.dead_share = 0.7;
    free(page);
    page = page_of(20, 40, "trial", &full);
    assert_non_null(strstr(page, "3 pieces; the largest has 38 of 40 nodes"));
    assert_non_null(strstr(page, "70.0% lead to nodes that are away"));
    free(page);
}

static void a_page_of_a_run_that_goes_on_reads_itself_again(void **state)
{
    (void)state;
    char *page = page_of(3, 2, "trial", NULL);
    assert_null(strstr(page, "http-equiv"));
    free(page);
    running = true;
    page = page_of(3, 2, "trial", NULL);
    assert_non_null(strstr(page, "<meta http-equiv=\"refresh\""));
    assert_non_null(strstr(page, "Running: round 3 of 50."));
    free(page);
}

static void values_read_as_a_person_writes_them(void **state)
{
    (void)state;
    static const struct {
        double value;
        enum plot_unit unit;
        const char *text;
    } cases[] = {
        {0.8412, PLOT_PERCENT, "84.1%"},
        {1234567, PLOT_WHOLE, "1,234,567"},
        {0, PLOT_WHOLE, "0"},
        {12, PLOT_BYTES, "12 B"},
        {1500, PLOT_BYTES, "1.5 kB"},
        {32480000, PLOT_BYTES, "32.5 MB"},
        {999999, PLOT_BYTES, "1.0 MB"},
        {0.03125, PLOT_NUMBER, "0.03125"},
        {NAN, PLOT_PERCENT, "–"},
        {INFINITY, PLOT_NUMBER, "–"},
        {3e9, PLOT_WHOLE, "3 G"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        plot_value(cases[i].value, cases[i].unit, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

/* Every coordinate of a chart lies within it, whatever the values. */
static void charts_stay_inside_their_frame(void **state)
{
    (void)state;
    static const double shapes[][4] = {{0.1, 0.1, 0.1, 0.1},     {0, 0, 0, 0},
                                       {1e-9, 2e-9, 3e-9, 4e-9}, {1e12, 2e12, 5e12, 9e12},
                                       {NAN, 0.5, NAN, 0.7},     {-INFINITY, 1, INFINITY, 2},
                                       {NAN, NAN, NAN, NAN}};
    static const double x[] = {1, 2, 3, 4};
    for (size_t shape = 0; shape < sizeof shapes / sizeof *shapes; shape++)
        for (int unit = PLOT_NUMBER; unit <= PLOT_BYTES; unit++) {
            const struct plot plot = {.title = "t",
                                      .x_name = "round",
                                      .x_unit = PLOT_WHOLE,
                                      .y_unit = (enum plot_unit)unit,
                                      .count = 4,
                                      .x = x,
                                      .lines = {{.name = "l", .y = shapes[shape]}},
                                      .line_count = 1};
            char *text = NULL;
            size_t size;
            FILE *memory = open_memstream(&text, &size);
            plot_write(&plot, memory);
            fclose(memory);
            if (strstr(text, "nan") || strstr(text, "inf"))
                fail_msg("shape %zu, unit %d: %s", shape, unit, text);
            for (const char *at = text; unit != PLOT_PERCENT && (at = strstr(at, " d=\"M"));) {
                double x_at, y_at;
                at += strlen(" d=\"M");
                if (sscanf(at, "%lf %lf", &x_at, &y_at) == 2 &&
                    (x_at < 0 || x_at > 1000 || y_at < 0 || y_at > PLOT_HEIGHT))
                    fail_msg("shape %zu, unit %d: a point at %g, %g", shape, unit, x_at, y_at);
            }
            free(text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_is_one_page_that_fetches_nothing, make_config),
        cmocka_unit_test_setup(every_setting_is_in_the_page, make_config),
        cmocka_unit_test_setup(text_from_outside_is_escaped, make_config),
        cmocka_unit_test_setup(figures_that_are_not_known_are_never_nan, make_config),
        cmocka_unit_test_setup(a_long_run_makes_no_larger_page, make_config),
        cmocka_unit_test_setup(the_curve_of_fedavg_is_in_all_charts_of_accuracy_and_loss,
                               make_config),
        cmocka_unit_test_setup(every_chart_is_there_when_there_is_something_to_show, make_config),
        cmocka_unit_test_setup(a_page_of_a_run_that_goes_on_reads_itself_again, make_config),
        cmocka_unit_test(values_read_as_a_person_writes_them),
        cmocka_unit_test(charts_stay_inside_their_frame),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
