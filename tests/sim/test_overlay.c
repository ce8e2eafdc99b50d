/* The graph of who knows whom, on graphs whose figures are known or counted the slow way. */
#include "sim/overlay.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/random.h"
#include "sim/overlay_world.h"
#include "tests/sim/setting.h"

/* nodes × room: the peers of each. */
struct graph {
    size_t nodes, room;
    uint32_t *peers;
    size_t *degrees;
    bool *there;
};

static bool is_there(const void *self, size_t node)
{
    return ((const struct graph *)self)->there[node];
}

static size_t degree_of(const void *self, size_t node)
{
    return ((const struct graph *)self)->degrees[node];
}

static uint32_t peer_of(const void *self, size_t node, size_t index)
{
    const struct graph *graph = self;
    return graph->peers[node * graph->room + index];
}

static struct graph graph_new(size_t nodes, size_t room)
{
    struct graph graph = {nodes, room, calloc(nodes * room, sizeof(uint32_t)),
                          calloc(nodes, sizeof(size_t)), calloc(nodes, sizeof(bool))};
    assert_true(graph.peers && graph.degrees && graph.there);
    for (size_t i = 0; i < nodes; i++)
        graph.there[i] = true;
    return graph;
}

static void graph_clear(struct graph *graph)
{
    free(graph->peers);
    free(graph->degrees);
    free(graph->there);
}

static void link_to(struct graph *graph, size_t from, size_t to)
{
    assert_true(graph->degrees[from] < graph->room);
    graph->peers[from * graph->room + graph->degrees[from]++] = (uint32_t)to;
}

static struct overlay measure_graph(const struct graph *graph, uint32_t *in_degrees)
{
    const struct overlay_graph told = {graph->nodes, graph, is_there, degree_of, peer_of};
    struct overlay overlay;
    uint32_t *ours = in_degrees ? in_degrees : malloc(graph->nodes * sizeof *ours);
    assert_non_null(ours);
    assert_int_equal(overlay_measure(&told, 1, ours, &overlay, NULL), STARLING_OK);
    if (!in_degrees)
        free(ours);
    return overlay;
}

static void near(double got, double wanted, double most)
{
    if (!(fabs(got - wanted) <= most))
        fail_msg("%.12g, wanted %.12g", got, wanted);
}

static struct graph lattice(size_t nodes, size_t ahead)
{
    struct graph graph = graph_new(nodes, ahead);
    for (size_t i = 0; i < nodes; i++)
        for (size_t j = 1; j <= ahead; j++)
            link_to(&graph, i, (i + j) % nodes);
    return graph;
}

static void a_ring_has_one_component_and_no_clusters(void **state)
{
    (void)state;
    struct graph graph = lattice(50, 1);
    struct overlay overlay = measure_graph(&graph, NULL);
    assert_int_equal(overlay.nodes, 50);
    assert_int_equal(overlay.components, 1);
    assert_int_equal(overlay.largest, 50);
    near(overlay.in_degree.mean, 1, 0);
    near(overlay.in_degree.std, 0, 0);
    near(overlay.clustering, 0, 0);
    assert_int_equal(overlay.clustering_nodes, 50);
    graph_clear(&graph);
}

/* Watts and Strogatz 1998: a ring lattice of k neighbours has 3(k − 2) / 4(k − 1). */
static void a_lattice_clusters_as_its_formula_says(void **state)
{
    (void)state;
    for (size_t ahead = 1; ahead <= 5; ahead++) {
        struct graph graph = lattice(60, ahead);
        double k = 2.0 * (double)ahead;
        near(measure_graph(&graph, NULL).clustering, 3 * (k - 2) / (4 * (k - 1)), 1e-12);
        graph_clear(&graph);
    }
}

static void where_all_know_all_everything_is_one_cluster(void **state)
{
    (void)state;
    struct graph graph = graph_new(6, 5);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++)
            if (i != j)
                link_to(&graph, i, j);
    struct overlay overlay = measure_graph(&graph, NULL);
    near(overlay.clustering, 1, 0);
    near(overlay.random.clustering, 1, 0);
    near(overlay.in_degree.mean, 5, 0);
    near(overlay_random_nodes(&overlay, 5), 6, 0);
    near(overlay_random_nodes(&overlay, 4), 0, 0);
    graph_clear(&graph);
}

static void a_star_falls_apart_without_its_middle(void **state)
{
    (void)state;
    uint32_t in_degrees[9];
    struct graph graph = graph_new(9, 1);
    for (size_t i = 1; i < 9; i++)
        link_to(&graph, i, 0);
    struct overlay overlay = measure_graph(&graph, in_degrees);
    assert_int_equal(in_degrees[0], 8);
    assert_int_equal(in_degrees[1], 0);
    assert_int_equal(overlay.in_degree.min, 0);
    assert_int_equal(overlay.in_degree.max, 8);
    assert_int_equal(overlay.components, 1);
    graph.there[0] = false;
    overlay = measure_graph(&graph, in_degrees);
    assert_int_equal(in_degrees[0], OVERLAY_AWAY);
    assert_int_equal(overlay.nodes, 8);
    assert_int_equal(overlay.components, 8);
    assert_int_equal(overlay.largest, 1);
    near(overlay.dead_share, 1, 0);
    near(overlay.out_degree, 0, 0);
    graph_clear(&graph);
}

static void two_rings_are_two_components(void **state)
{
    (void)state;
    struct graph graph = graph_new(7, 1);
    static const size_t next[] = {1, 2, 0, 4, 5, 6, 3}; /* a triangle and a ring of four */
    for (size_t i = 0; i < 7; i++)
        link_to(&graph, i, next[i]);
    struct overlay overlay = measure_graph(&graph, NULL);
    assert_int_equal(overlay.components, 2);
    assert_int_equal(overlay.largest, 4);
    near(overlay.clustering, 3.0 / 7, 1e-12);
    graph_clear(&graph);
}

static void nobody_is_no_graph(void **state)
{
    (void)state;
    struct graph graph = graph_new(3, 2);
    link_to(&graph, 0, 1);
    for (size_t i = 0; i < 3; i++)
        graph.there[i] = false;
    struct overlay overlay = measure_graph(&graph, NULL);
    assert_int_equal(overlay.nodes, 0);
    assert_int_equal(overlay.components, 0);
    near(overlay_random_nodes(&overlay, 0), 0, 0);
    graph_clear(&graph);
}

/* `degree` distinct others for each. */
static struct graph random_graph(size_t nodes, size_t degree, uint64_t seed, double away)
{
    struct graph graph = graph_new(nodes, degree);
    struct random random = random_stream(seed, 0, RANDOM_TOPOLOGY, 0);
    for (size_t i = 0; i < nodes; i++) {
        graph.there[i] = random_uniform(&random) >= away;
        while (graph.degrees[i] < degree) {
            uint32_t peer = random_below(&random, (uint32_t)nodes);
            bool known = peer == i;
            for (size_t j = 0; j < graph.degrees[i]; j++)
                known |= graph.peers[i * degree + j] == peer;
            if (!known)
                link_to(&graph, i, peer);
        }
    }
    return graph;
}

static bool linked(const struct graph *graph, size_t a, size_t b)
{
    for (size_t i = 0; i < graph->degrees[a]; i++)
        if (peer_of(graph, a, i) == b)
            return true;
    return false;
}

static bool neighbours(const struct graph *graph, size_t a, size_t b)
{
    return graph->there[a] && graph->there[b] && a != b &&
           (linked(graph, a, b) || linked(graph, b, a));
}

static double slow_clustering(const struct graph *graph, size_t there)
{
    double sum = 0;
    for (size_t node = 0; node < graph->nodes; node++) {
        size_t pairs = 0, closed = 0;
        for (size_t a = 0; a < graph->nodes; a++)
            for (size_t b = a + 1; b < graph->nodes; b++)
                if (neighbours(graph, node, a) && neighbours(graph, node, b)) {
                    pairs++;
                    closed += neighbours(graph, a, b);
                }
        sum += pairs ? (double)closed / (double)pairs : 0;
    }
    return sum / (double)there;
}

static size_t visit(const struct graph *graph, size_t node, bool *seen)
{
    size_t count = 1;
    seen[node] = true;
    for (size_t other = 0; other < graph->nodes; other++)
        if (!seen[other] && neighbours(graph, node, other))
            count += visit(graph, other, seen);
    return count;
}

static void it_agrees_with_the_slow_way(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        size_t nodes = 5 + seed, degree = 1 + seed % 4, there = 0, components = 0, largest = 0;
        struct graph graph = random_graph(nodes, degree, seed, seed % 2 ? 0 : 0.4);
        bool *seen = calloc(nodes, sizeof *seen);
        assert_non_null(seen);
        for (size_t i = 0; i < nodes; i++) {
            there += graph.there[i];
            if (!graph.there[i] || seen[i])
                continue;
            size_t size = visit(&graph, i, seen);
            largest = size > largest ? size : largest;
            components++;
        }
        struct overlay overlay = measure_graph(&graph, NULL);
        if (overlay.nodes != there || overlay.components != components ||
            overlay.largest != largest)
            fail_msg("seed %llu: %llu nodes, %llu components, %llu in the largest; wanted %zu, "
                     "%zu, %zu",
                     (unsigned long long)seed, (unsigned long long)overlay.nodes,
                     (unsigned long long)overlay.components, (unsigned long long)overlay.largest,
                     there, components, largest);
        if (there > 0)
            near(overlay.clustering, slow_clustering(&graph, there), 1e-12);
        free(seen);
        graph_clear(&graph);
    }
}

static void a_random_graph_is_like_a_random_graph(void **state)
{
    (void)state;
    struct graph graph = random_graph(10000, 20, 3, 0);
    struct overlay overlay = measure_graph(&graph, NULL), again = measure_graph(&graph, NULL);
    assert_int_equal(overlay.clustering_nodes, OVERLAY_SAMPLE_MAX);
    assert_memory_equal(&overlay, &again, sizeof overlay);
    near(overlay.in_degree.mean, 20, 0);
    near(overlay.random.in_degree_std, sqrt(20 * (1 - 20.0 / 9999)), 1e-9);
    near(overlay.in_degree.std, overlay.random.in_degree_std, 0.15);
    near(overlay.clustering, overlay.random.clustering, 0.0002);
    near(overlay.random.clustering, 0.004, 0.0001);
    double expected = 0, mean = 0;
    for (uint64_t in_degree = 0; in_degree < 200; in_degree++) {
        expected += overlay_random_nodes(&overlay, in_degree);
        mean += (double)in_degree * overlay_random_nodes(&overlay, in_degree);
    }
    near(expected, 10000, 1e-3);
    near(mean / expected, 20, 1e-6);
    graph_clear(&graph);
}

static void most_may_die_and_a_random_graph_holds(void **state)
{
    (void)state;
    struct graph graph = random_graph(10000, 20, 5, 0.7);
    struct overlay overlay = measure_graph(&graph, NULL);
    assert_int_equal(overlay.components, 1);
    assert_int_equal(overlay.largest, overlay.nodes);
    near(overlay.dead_share, 0.7, 0.02);
    graph_clear(&graph);
}

/* Cyclon keeps in-degrees at least as even as chance does. */
static void shuffled_views_stay_close_to_a_random_graph(void **state)
{
    (void)state;
    static const char *const pairs[] = {"sim.nodes=300",
                                        "task.data=synth:writers?writers=40",
                                        "sim.samples=600",
                                        "gossip.view=10",
                                        "task.model=linear",
                                        "gossip.merge=average",
                                        NULL};
    struct setting setting;
    struct node_row rows[300];
    struct overlay overlay;
    set_up(&setting, 2, pairs);
    live(&setting, 40);
    assert_int_equal(overlay_world(setting.world, 300, 1, rows, &overlay, NULL), STARLING_OK);
    tear_down(&setting);
    uint64_t known = 0;
    for (size_t i = 0; i < 300; i++)
        known += rows[i].in_degree;
    near((double)known, overlay.out_degree * 300, 1e-6);
    assert_int_equal(overlay.components, 1);
    assert_true(overlay.out_degree > 9);
    assert_true(overlay.in_degree.std < 1.25 * overlay.random.in_degree_std);
    assert_true(overlay.clustering < 2 * overlay.random.clustering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_has_one_component_and_no_clusters),
        cmocka_unit_test(a_lattice_clusters_as_its_formula_says),
        cmocka_unit_test(where_all_know_all_everything_is_one_cluster),
        cmocka_unit_test(a_star_falls_apart_without_its_middle),
        cmocka_unit_test(two_rings_are_two_components),
        cmocka_unit_test(nobody_is_no_graph),
        cmocka_unit_test(it_agrees_with_the_slow_way),
        cmocka_unit_test(a_random_graph_is_like_a_random_graph),
        cmocka_unit_test(most_may_die_and_a_random_graph_holds),
        cmocka_unit_test(shuffled_views_stay_close_to_a_random_graph),
    };
    return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
