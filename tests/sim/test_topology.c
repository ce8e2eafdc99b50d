#include "sim/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/topology_regular.h"

static char path[] = "/tmp/starling-topology-XXXXXX";

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_file(void **state)
{
    (void)state;
    memcpy(path + sizeof path - 7, "XXXXXX", 6);
    int descriptor = mkstemp(path);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void made(struct topology *topology, const char *text, size_t nodes, uint64_t seed)
{
    struct problem problem = {0};
    if (topology_make(text, nodes, seed, topology, &problem))
        fail_msg("%s, %zu nodes, seed %llu: %s", text, nodes, (unsigned long long)seed,
                 problem.text);
}

static bool has(const struct topology *topology, size_t a, peer_id b)
{
    size_t count;
    const peer_id *neighbours = topology_neighbours(topology, a, &count);
    for (size_t i = 0; i < count; i++)
        if (neighbours[i] == b)
            return true;
    return false;
}

static size_t reached(const struct topology *topology)
{
    peer_id *queue = calloc(topology->nodes, sizeof *queue);
    bool *seen = calloc(topology->nodes, sizeof *seen);
    size_t count = 1;
    seen[0] = true;
    for (size_t i = 0; i < count; i++) {
        size_t degree;
        const peer_id *neighbours = topology_neighbours(topology, queue[i], &degree);
        for (size_t j = 0; j < degree; j++)
            if (!seen[neighbours[j]]) {
                seen[neighbours[j]] = true;
                queue[count++] = neighbours[j];
            }
    }
    free(queue);
    free(seen);
    return count;
}

/* Edges both ways, none to oneself, none twice, in order, and one graph. */
static void is_a_graph(const struct topology *topology, const char *text)
{
    for (size_t node = 0; node < topology->nodes; node++) {
        size_t count;
        const peer_id *neighbours = topology_neighbours(topology, node, &count);
        assert_in_range(count, 0, topology->degree_most);
        for (size_t i = 0; i < count; i++)
            if (neighbours[i] == node || neighbours[i] >= topology->nodes ||
                (i > 0 && neighbours[i] <= neighbours[i - 1]) ||
                !has(topology, neighbours[i], (peer_id)node))
                fail_msg("%s: node %zu, neighbour %u", text, node, neighbours[i]);
    }
    assert_int_equal(reached(topology), topology->nodes);
}

static void what_is_no_topology_is_refused_with_advice(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t nodes;
        const char *said;
    } cases[] = {
        {"", 10, "is no topology"},
        {"rnig", 10, "did you mean ring?"},
        {"ring:2", 10, "is no topology"},
        {"file:", 10, "is no topology"},
        {"regular", 10, "is no topology"},
        {"regular:", 10, "from 1 to 64"},
        {"regular:0", 10, "from 1 to 64"},
        {"regular:-3", 10, "from 1 to 64"},
        {"regular:65", 1000, "from 1 to 64"},
        {"regular:3x", 10, "from 1 to 64"},
        {"regular:10", 10, "fewer neighbours, or more nodes"},
        {"regular:3", 9, "must be even"},
        {"regular:1", 10, "2 or more"},
        {"regular:2", 1, "more nodes"},
        {"file:/nowhere/at/all", 10, "/nowhere/at/all: No such file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct topology topology;
        struct problem problem = {0};
        assert_int_equal(topology_make(cases[i].text, cases[i].nodes, 1, &topology, &problem),
                         STARLING_INVALID);
        if (!strstr(problem.text, cases[i].said) ||
            strncmp(problem.text, "sim.topology: ", 14) != 0)
            fail_msg("%s: %s", cases[i].text, problem.text);
    }
}

static void a_ring_is_a_ring(void **state)
{
    (void)state;
    static const size_t sizes[][2] = {{1, 0}, {2, 1}, {3, 2}, {10, 2}, {1000, 2}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct topology topology;
        made(&topology, "ring", sizes[i][0], 1);
        assert_int_equal(topology.degree_most, sizes[i][1]);
        is_a_graph(&topology, "ring");
        for (size_t node = 0; node < sizes[i][0] && sizes[i][0] > 1; node++)
            assert_true(has(&topology, node, (peer_id)((node + 1) % sizes[i][0])));
        topology_clear(&topology);
    }
}

static void regular_graphs_are_regular_for_any_seed(void **state)
{
    (void)state;
    /* rings in parts, odd and even degrees, nearly complete and complete */
    static const size_t sizes[][2] = {{2, 1},    {3, 2},    {4, 2},   {5, 2},   {6, 3},
                                      {7, 4},    {8, 5},    {8, 7},   {9, 8},   {12, 3},
                                      {40, 2},   {50, 3},   {65, 64}, {66, 63}, {70, 33},
                                      {129, 64}, {130, 64}, {300, 2}, {96, 7},  {500, 16}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (uint64_t seed = 0; seed < 20; seed++) {
            char text[32];
            size_t nodes = sizes[i][0], degree = sizes[i][1];
            snprintf(text, sizeof text, "regular:%zu", degree);
            struct topology topology;
            made(&topology, text, nodes, seed);
            is_a_graph(&topology, text);
            assert_int_equal(topology.start[nodes], nodes * degree);
            for (size_t node = 0; node < nodes; node++)
                assert_int_equal(topology.start[node + 1] - topology.start[node], degree);
            topology_clear(&topology);
        }
}

static void a_graph_follows_from_its_seed(void **state)
{
    (void)state;
    struct topology one, same, other;
    made(&one, "regular:5", 100, 7);
    made(&same, "regular:5", 100, 7);
    made(&other, "regular:5", 100, 8);
    size_t size = 500 * sizeof *one.neighbours;
    assert_memory_equal(one.neighbours, same.neighbours, size);
    assert_int_not_equal(memcmp(one.neighbours, other.neighbours, size), 0);
    topology_clear(&one);
    topology_clear(&same);
    topology_clear(&other);
}

/* In a random 2-regular graph on 5 nodes each of the 12 rings is as likely. */
static void every_graph_is_about_as_likely(void **state)
{
    (void)state;
    enum { DRAWS = 6000 };
    unsigned joined[5][5] = {{0}};
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        peer_id neighbours[10];
        assert_int_equal(regular_make(5, 2, seed, neighbours, NULL), STARLING_OK);
        for (size_t i = 0; i < 10; i++)
            joined[i / 2][neighbours[i]]++;
    }
    for (size_t a = 0; a < 5; a++)
        for (size_t b = 0; b < 5; b++)
            if (a != b)
                assert_in_range(joined[a][b], DRAWS / 2 - DRAWS / 20, DRAWS / 2 + DRAWS / 20);
}

static void edges_are_read_from_a_file(void **state)
{
    (void)state;
    char text[64];
    struct topology topology;
    write_file("# a star, and one edge\n\n0 1\n  0\t2 \r\n3 0\n1 0\n2 3");
    snprintf(text, sizeof text, "file:%s", path);
    made(&topology, text, 4, 1);
    is_a_graph(&topology, text);
    assert_int_equal(topology.degree_most, 3);
    static const size_t start[] = {0, 3, 4, 6, 8};
    static const peer_id neighbours[] = {1, 2, 3, 0, 0, 3, 0, 2};
    assert_memory_equal(topology.start, start, sizeof start);
    assert_memory_equal(topology.neighbours, neighbours, sizeof neighbours);
    topology_clear(&topology);
}

static void a_file_that_is_no_graph_is_refused_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", "no way leads from node 0 to node 1"},
        {"0 1\n2 3\n", "no way leads from node 0 to node 2"},
        {"0 1\n1 2\n2 4\n", ":3: there is no node 4: sim.nodes is 4"},
        {"0 1\n1 18446744073709551617\n", ":2: there is no node"},
        {"0 1\n2\n", ":2: is no edge"},
        {"0 1 2\n", ":1: is no edge"},
        {"0,1\n", ":1: is no edge"},
        {"-1 2\n", ":1: is no edge"},
        {"0 0\n", ":1: is no edge"},
        {"a b\n", ":1: is no edge"},
    };
    char text[64];
    snprintf(text, sizeof text, "file:%s", path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct topology topology;
        struct problem problem = {0};
        write_file(cases[i].text);
        assert_int_equal(topology_make(text, 4, 1, &topology, &problem), STARLING_INVALID);
        if (!strstr(problem.text, cases[i].said) || !strstr(problem.text, path))
            fail_msg("%s: %s", cases[i].text, problem.text);
    }
    char line[400];
    memset(line, ' ', sizeof line);
    snprintf(line + 300, 100, "0 1\n");
    write_file(line);
    struct topology topology;
    struct problem problem = {0};
    assert_int_equal(topology_make(text, 4, 1, &topology, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, ":1: the line is too long"));
}

static void a_node_with_too_many_neighbours_is_refused(void **state)
{
    (void)state;
    char text[64];
    struct topology topology;
    struct problem problem = {0};
    FILE *file = fopen(path, "we");
    for (int i = 1; i <= 65; i++)
        fprintf(file, "0 %d\n", i);
    fclose(file);
    snprintf(text, sizeof text, "file:%s", path);
    assert_int_equal(topology_make(text, 66, 1, &topology, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "node 0 has 65 neighbours: 64 at most"));
    file = fopen(path, "we");
    for (int i = 0; i < 1000; i++)
        fputs("0 1\n", file);
    fclose(file);
    assert_int_equal(topology_make(text, 2, 1, &topology, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "holds more than 128 edges"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_topology_is_refused_with_advice),
        cmocka_unit_test(a_ring_is_a_ring),
        cmocka_unit_test(regular_graphs_are_regular_for_any_seed),
        cmocka_unit_test(a_graph_follows_from_its_seed),
        cmocka_unit_test(every_graph_is_about_as_likely),
        cmocka_unit_test_setup_teardown(edges_are_read_from_a_file, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_file_that_is_no_graph_is_refused_by_line, make_file,
                                        remove_file),
        cmocka_unit_test_setup_teardown(a_node_with_too_many_neighbours_is_refused, make_file,
                                        remove_file),
    };
    return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
