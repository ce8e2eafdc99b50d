#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/partition.h"
#include "model/random.h"

/* Examples with labels drawn evenly from `classes`, and users with shares that grow with them. */
static void make(struct dataset *dataset, size_t examples, size_t classes, size_t users,
                 uint64_t seed)
{
    *dataset = (struct dataset){
        .examples = examples, .features = 1, .classes = classes, .user_count = users};
    assert_int_equal(dataset_allocate(dataset, 1, users > 0, NULL), STARLING_OK);
    memset(dataset->bytes, 0, examples);
    struct random random = random_stream(seed, 0, RANDOM_INITIAL, 0);
    for (size_t i = 0; i < examples; i++) {
        dataset->labels[i] = (uint16_t)random_below(&random, (uint32_t)classes);
        if (users)
            dataset->users[i] = (uint32_t)(sqrt(random_uniform(&random)) * (double)users);
    }
}

/* Deals, and holds that every row goes out at most once and that no node is empty or above the
 * cap. */
static struct partition *deal(const char *specification, const struct dataset *dataset,
                              size_t nodes, size_t samples, uint64_t seed)
{
    struct problem problem = {0};
    struct partition *partition =
        partition_new(specification, dataset, nodes, samples, seed, &problem);
    if (!partition)
        fail_msg("%s, %zu nodes, seed %d refused: %s", specification, nodes, (int)seed,
                 problem.text);
    bool *seen = calloc(dataset->examples, sizeof *seen);
    assert_int_equal(partition->nodes, nodes);
    for (size_t node = 0; node < nodes; node++) {
        size_t count;
        const uint32_t *rows = partition_rows(partition, node, &count);
        if (count < 1 || (samples && count > samples))
            fail_msg("%s, seed %d: node %zu holds %zu", specification, (int)seed, node, count);
        for (size_t i = 0; i < count; i++) {
            assert_true(rows[i] < dataset->examples);
            assert_false(seen[rows[i]]);
            seen[rows[i]] = true;
        }
    }
    free(seen);
    return partition;
}

static size_t labels_held(const struct partition *partition, const struct dataset *dataset,
                          size_t node, size_t *counts)
{
    size_t count, different = 0;
    const uint32_t *rows = partition_rows(partition, node, &count);
    memset(counts, 0, dataset->classes * sizeof *counts);
    for (size_t i = 0; i < count; i++)
        different += counts[dataset->labels[rows[i]]]++ == 0;
    return different;
}

static const char *const all[] = {"iid",       "dirichlet:0.3", "dirichlet:0.001",
                                  "classes:1", "classes:3",     "shards:2",
                                  "user",      "sizes:2-90",    "sizes:1-500,dirichlet:0.3"};

static void whatever_the_partition_rows_go_out_once_and_nobody_is_empty(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        for (uint64_t seed = 1; seed <= 10; seed++) {
            struct dataset dataset;
            make(&dataset, 3000, 10, 20, seed);
            const size_t nodes[] = {10, 37, 1 + 7 * seed};
            const size_t caps[] = {0, 5, 100};
            for (size_t i = 0; i < 9; i++) {
                struct partition *partition =
                    deal(all[k], &dataset, nodes[i / 3], caps[i % 3], seed);
                partition_free(&partition);
                assert_null(partition);
            }
            dataset_clear(&dataset);
        }
    }
}

static void the_seed_alone_decides(void **state)
{
    (void)state;
    struct dataset dataset;
    make(&dataset, 2000, 10, 20, 1);
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        struct partition *one = deal(all[k], &dataset, 20, 0, 1);
        struct partition *same = deal(all[k], &dataset, 20, 0, 1);
        struct partition *other = deal(all[k], &dataset, 20, 0, 2);
        size_t total = one->start[20];
        assert_memory_equal(one->start, same->start, 21 * sizeof *one->start);
        assert_memory_equal(one->rows, same->rows, total * sizeof *one->rows);
        size_t least = other->start[20] < total ? other->start[20] : total;
        assert_memory_not_equal(one->rows, other->rows, least * sizeof *one->rows);
        partition_free(&one);
        partition_free(&same);
        partition_free(&other);
    }
    dataset_clear(&dataset);
}

static void without_a_cap_everything_is_dealt(void **state)
{
    (void)state;
    struct dataset dataset;
    make(&dataset, 2003, 10, 20, 1);
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) {
        if (!strncmp(all[k], "sizes", 5))
            continue; /* they say how many */
        struct partition *partition = deal(all[k], &dataset, 21, 0, 3);
        assert_int_equal(partition->start[21], 2003);
        partition_free(&partition);
    }
    dataset_clear(&dataset);
}

static void iid_and_shards_deal_evenly(void **state)
{
    (void)state;
    struct dataset dataset;
    make(&dataset, 1003, 10, 0, 2);
    struct partition *iid = deal("iid", &dataset, 100, 0, 1);
    struct partition *shards = deal("shards:2", &dataset, 50, 0, 1);
    size_t count, counts[10];
    for (size_t node = 0; node < 100; node++) {
        partition_rows(iid, node, &count);
        assert_in_range(count, 10, 11);
    }
    for (size_t node = 0; node < 50; node++) {
        partition_rows(shards, node, &count);
        assert_in_range(count, 20, 22);
        assert_in_range(labels_held(shards, &dataset, node, counts), 1, 4);
    }
    partition_free(&iid);
    partition_free(&shards);
    dataset_clear(&dataset);
}

static void classes_holds_exactly_k_labels_a_node(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct dataset dataset;
        make(&dataset, 4000, 10, 0, seed);
        for (size_t k = 1; k <= 10; k++) {
            char specification[16] = "classes:10";
            if (k < 10)
                memcpy(specification,
                       (char[]){'c', 'l', 'a', 's', 's', 'e', 's', ':', (char)('0' + k), '\0'}, 10);
            size_t nodes = 7 + seed, holders[10] = {0}, counts[10];
            for (size_t samples = 0; samples <= 10; samples += 10) {
                struct partition *partition = deal(specification, &dataset, nodes, samples, seed);
                memset(holders, 0, sizeof holders);
                for (size_t node = 0; node < nodes; node++) {
                    assert_int_equal(labels_held(partition, &dataset, node, counts), k);
                    for (size_t c = 0; c < 10; c++)
                        holders[c] += counts[c] > 0;
                }
                for (size_t c = 0; c < 10; c++)
                    assert_in_range(holders[c], nodes * k / 10, (nodes * k + 9) / 10);
                partition_free(&partition);
            }
        }
        dataset_clear(&dataset);
    }
}

static void one_class_a_node_gives_ten_nodes_a_class_of_a_hundred(void **state)
{
    (void)state;
    struct dataset dataset;
    make(&dataset, 5000, 10, 0, 3);
    struct partition *partition = deal("classes:1", &dataset, 100, 0, 1);
    size_t holders[10] = {0}, counts[10];
    for (size_t node = 0; node < 100; node++) {
        labels_held(partition, &dataset, node, counts);
        for (size_t c = 0; c < 10; c++)
            holders[c] += counts[c] > 0;
    }
    for (size_t c = 0; c < 10; c++)
        assert_int_equal(holders[c], 10);
    partition_free(&partition);
    dataset_clear(&dataset);
}

static void dirichlet_is_even_at_large_alpha_and_skewed_at_small(void **state)
{
    (void)state;
    struct dataset dataset;
    make(&dataset, 20000, 10, 0, 4);
    const char *const specifications[] = {"dirichlet:10000", "dirichlet:1", "dirichlet:0.1"};
    double skew[3] = {0};
    for (size_t k = 0; k < 3; k++) {
        struct partition *partition = deal(specifications[k], &dataset, 20, 0, 1);
        for (size_t node = 0; node < 20; node++) {
            size_t counts[10], count;
            partition_rows(partition, node, &count);
            labels_held(partition, &dataset, node, counts);
            for (size_t c = 0; c < 10; c++)
                skew[k] += fabs((double)counts[c] / (double)count - 0.1) / 2 / 20;
        }
        partition_free(&partition);
    }
    if (!(skew[0] < 0.05 && skew[1] > 0.15 && skew[1] < 0.5 && skew[2] > 0.5))
        fail_msg("distance from even: %g at 10000, %g at 1, %g at 0.1", skew[0], skew[1], skew[2]);
    dataset_clear(&dataset);
}

static void dirichlet_fills_every_node_even_when_there_is_one_example_each(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct dataset dataset;
        make(&dataset, 50, 3, 0, seed);
        struct partition *partition = deal("dirichlet:1e-300", &dataset, 50, 0, seed);
        partition_free(&partition);
        dataset_clear(&dataset);
    }
}

static void user_gives_each_node_its_user(void **state)
{
    (void)state;
    struct dataset dataset;
    make(&dataset, 2000, 10, 9, 5);
    for (size_t i = 0; i < dataset.examples; i++)
        if (dataset.users[i] == 4)
            dataset.users[i] = 5; /* a user without examples is passed over */
    const uint32_t present[] = {0, 1, 2, 3, 5, 6, 7, 8};
    for (size_t nodes = 3; nodes <= 20; nodes += 17) {
        struct partition *partition = deal("user", &dataset, nodes, 0, 1);
        for (size_t node = 0; node < nodes; node++) {
            size_t count;
            const uint32_t *rows = partition_rows(partition, node, &count);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(dataset.users[rows[i]], present[node % 8]);
        }
        partition_free(&partition);
    }
    dataset_clear(&dataset);
}

static void classes_passes_over_labels_without_examples(void **state)
{
    (void)state;
    struct dataset dataset;
    make(&dataset, 100, 3, 0, 6);
    dataset.classes = 5;
    struct partition *partition = deal("classes:3", &dataset, 4, 0, 1);
    size_t counts[5];
    for (size_t node = 0; node < 4; node++)
        assert_int_equal(labels_held(partition, &dataset, node, counts), 3);
    partition_free(&partition);
    dataset_clear(&dataset);
}

static void what_cannot_be_dealt_says_which_setting_to_change(void **state)
{
    (void)state;
    struct dataset dataset, people;
    make(&dataset, 100, 10, 0, 7);
    make(&people, 100, 10, 3, 7);
    const struct {
        const char *specification;
        size_t nodes, samples;
        const char *says;
        const struct dataset *dataset;
    } cases[] = {
        {"idd", 5, 0, "there are iid, dirichlet:ALPHA", &dataset},
        {"", 5, 0, "there are iid", &dataset},
        {"dirichlet", 5, 0, "there are iid", &dataset},
        {"iid:1", 5, 0, "there are iid", &dataset},
        {"dirichlet:", 5, 0, "no number above 0", &dataset},
        {"dirichlet:0", 5, 0, "no number above 0", &dataset},
        {"dirichlet:-1", 5, 0, "no number above 0", &dataset},
        {"dirichlet:nan", 5, 0, "no number above 0", &dataset},
        {"dirichlet:inf", 5, 0, "no number above 0", &dataset},
        {"dirichlet:1x", 5, 0, "no number above 0", &dataset},
        {"classes:0", 5, 0, "no number of 1 or more", &dataset},
        {"classes:", 5, 0, "no number of 1 or more", &dataset},
        {"classes:1.5", 5, 0, "no number of 1 or more", &dataset},
        {"classes:99999999999999999999", 5, 0, "no number of 1 or more", &dataset},
        {"classes:11", 5, 0, "the data has 10 classes", &dataset},
        {"classes:5", 5, 4, "sim.samples is 4", &dataset},
        {"classes:10", 60, 0, "lower sim.nodes", &dataset},
        {"shards:-2", 5, 0, "no number of 1 or more", &dataset},
        {"shards:51", 2, 0, "too few for 2 nodes", &dataset},
        {"shards:100000000", SIZE_MAX / 2, 0, "too few", &dataset},
        {"sizes:10", 5, 0, "write the least and the greatest size", &dataset},
        {"sizes:", 5, 0, "write the least and the greatest size", &dataset},
        {"sizes:0-10", 5, 0, "no number of 1 or more", &dataset},
        {"sizes:10-", 5, 0, "no number of 1 or more", &dataset},
        {"sizes:9-3", 5, 0, "above the greatest", &dataset},
        {"sizes:2-3,classes:1", 5, 0, "behind the sizes may stand dirichlet:ALPHA", &dataset},
        {"sizes:2-3,dirichlet:0", 5, 0, "no number above 0", &dataset},
        {"sizes:1-99999999", 5, 0, "a node can have 96 at most when 4 others have 1", &dataset},
        {"sizes:21-30", 5, 0, "too few for 5 nodes of at least 21", &dataset},
        {"iid", 101, 0, "100 examples are too few for 101 nodes", &dataset},
        {"dirichlet:1", 101, 0, "too few", &dataset},
        {"draw:0", 5, 0, "no number of 1 or more", &dataset},
        {"draw:", 5, 0, "no number of 1 or more", &dataset},
        {"draw:1,2", 5, 0, "no number of 1 or more", &dataset},
        {"user", 5, 0, "the data has no users", &dataset},
        {"user", 99, 0, "lower sim.nodes", &people},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        assert_null(partition_new(cases[i].specification, cases[i].dataset, cases[i].nodes,
                                  cases[i].samples, 1, &problem));
        assert_int_equal(problem.error, STARLING_INVALID);
        if (!strstr(problem.text, cases[i].says) ||
            strncmp(problem.text, "sim.partition: ", 15) != 0)
            fail_msg("'%s' says '%s', wanted '%s'", cases[i].specification, problem.text,
                     cases[i].says);
    }
    dataset_clear(&dataset);
    dataset_clear(&people);
}

/* More nodes than examples; every example about equally often; by the seed alone, and node by node,
 * so that a larger world begins with the nodes of a smaller one. */
static void drawing_gives_each_node_as_many_whatever_others_have(void **state)
{
    (void)state;
    enum { EXAMPLES = 50, NODES = 4000, EACH = 3 };
    struct dataset dataset;
    make(&dataset, EXAMPLES, 10, 0, 1);
    struct partition *many = partition_new("draw:3", &dataset, NODES, 0, 7, NULL);
    struct partition *fewer = partition_new("draw:3", &dataset, 100, 0, 7, NULL);
    struct partition *other = partition_new("draw:3", &dataset, 100, 0, 8, NULL);
    struct partition *capped = partition_new("draw:3", &dataset, 100, 2, 7, NULL);
    size_t times[EXAMPLES] = {0}, count;
    for (size_t node = 0; node < NODES; node++) {
        const uint32_t *rows = partition_rows(many, node, &count);
        assert_int_equal(count, EACH);
        for (size_t i = 0; i < EACH; i++) {
            assert_true(rows[i] < EXAMPLES);
            times[rows[i]]++;
        }
    }
    for (size_t i = 0; i < EXAMPLES; i++) /* 240 on average, a deviation of 15.3 */
        assert_in_range(times[i], 240 - 77, 240 + 77);
    assert_memory_equal(many->rows, fewer->rows, 100 * EACH * sizeof *many->rows);
    assert_memory_not_equal(many->rows, other->rows, 100 * EACH * sizeof *many->rows);
    partition_rows(capped, 99, &count);
    assert_int_equal(count, 2);
    partition_free(&many);
    partition_free(&fewer);
    partition_free(&other);
    partition_free(&capped);
    dataset_clear(&dataset);
}

static int by_size(const void *a, const void *b)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

/* Deals by sizes from 10 to 1,000 to 100 nodes; fills in their sizes in order, returns the sum. */
static size_t deal_by_size(const char *specification, const struct dataset *dataset, size_t *sizes)
{
    struct partition *partition = deal(specification, dataset, 100, 0, 4);
    size_t sum = partition->start[100];
    for (size_t node = 0; node < 100; node++)
        partition_rows(partition, node, &sizes[node]);
    qsort(sizes, 100, sizeof *sizes, by_size);
    partition_free(&partition);
    return sum;
}

/* With examples enough, the i-th of n has 10 · 100^((i + ½)/n); with few, all are used up and the
 * sizes still reach from end to end. */
static void sizes_are_spread_by_their_logarithm_as_far_as_data_goes(void **state)
{
    (void)state;
    static const size_t examples[] = {25000, 7494};
    for (size_t e = 0; e < 2; e++) {
        struct dataset dataset;
        size_t sizes[100];
        make(&dataset, examples[e], 10, 0, 5);
        size_t sum = deal_by_size("sizes:10-1000", &dataset, sizes);
        assert_true(sizes[0] >= 10 && sizes[0] <= 11 && sizes[99] <= 1000);
        for (size_t i = 0; i < 100 && e == 0; i++)
            if (fabs((double)sizes[i] - 10 * pow(100, ((double)i + .5) / 100)) > 0.51)
                fail_msg("the %zu-th size is %zu", i, sizes[i]);
        assert_true(e == 0 ? sum > 21000 && sum < 22000 : sum > 7400 && sum <= 7494);
        assert_true(sizes[99] > (e == 0 ? 970 : 500));
        assert_int_equal(deal_by_size("sizes:10-1000,dirichlet:0.1", &dataset, sizes), sum);
        dataset_clear(&dataset);
    }
}

static void sizes_may_come_with_skewed_labels(void **state)
{
    (void)state;
    struct dataset dataset;
    make(&dataset, 20000, 10, 0, 5);
    static const char *const specifications[] = {"sizes:50-200", "sizes:50-200,dirichlet:100",
                                                 "sizes:50-200,dirichlet:0.1"};
    double shares[3] = {0}; /* of a node's commonest label, on average */
    for (size_t s = 0; s < 3; s++) {
        struct partition *partition = deal(specifications[s], &dataset, 100, 0, 4);
        for (size_t node = 0; node < 100; node++) {
            size_t counts[10], most = 0, sum = 0;
            labels_held(partition, &dataset, node, counts);
            for (size_t c = 0; c < 10; c++) {
                most = counts[c] > most ? counts[c] : most;
                sum += counts[c];
            }
            shares[s] += (double)most / (double)sum / 100;
        }
        partition_free(&partition);
    }
    if (!(shares[0] < 0.25 && shares[1] < 0.25 && shares[2] > 0.6))
        fail_msg("%g %g %g", shares[0], shares[1], shares[2]);
    dataset_clear(&dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_the_partition_rows_go_out_once_and_nobody_is_empty),
        cmocka_unit_test(the_seed_alone_decides),
        cmocka_unit_test(without_a_cap_everything_is_dealt),
        cmocka_unit_test(iid_and_shards_deal_evenly),
        cmocka_unit_test(classes_holds_exactly_k_labels_a_node),
        cmocka_unit_test(one_class_a_node_gives_ten_nodes_a_class_of_a_hundred),
        cmocka_unit_test(dirichlet_is_even_at_large_alpha_and_skewed_at_small),
        cmocka_unit_test(dirichlet_fills_every_node_even_when_there_is_one_example_each),
        cmocka_unit_test(user_gives_each_node_its_user),
        cmocka_unit_test(classes_passes_over_labels_without_examples),
        cmocka_unit_test(sizes_are_spread_by_their_logarithm_as_far_as_data_goes),
        cmocka_unit_test(sizes_may_come_with_skewed_labels),
        cmocka_unit_test(drawing_gives_each_node_as_many_whatever_others_have),
        cmocka_unit_test(what_cannot_be_dealt_says_which_setting_to_change),
    };
    return cmocka_run_group_tests_name("partition", tests, NULL, NULL);
}
