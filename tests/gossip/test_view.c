#include "gossip/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_owner_nobody_and_the_known_are_not_added(void **state)
{
    (void)state;
    struct view_entry entries[3];
    struct view view;
    view_init(&view, 7, entries, 3);
    assert_false(view_add(&view, 7));
    assert_false(view_add(&view, PEER_NONE));
    assert_true(view_add(&view, 1));
    assert_false(view_add(&view, 1));
    assert_true(view_add(&view, 2));
    assert_true(view_add(&view, 3));
    assert_false(view_add(&view, 4)); /* full */
    view_remove(&view, 2);
    assert_false(view_has(&view, 2));
    assert_int_equal(view.count, 2);
}

static void an_empty_view_picks_nobody_and_shuffles_with_nobody(void **state)
{
    (void)state;
    struct view_entry entries[3], sent[SHUFFLE_MAX];
    struct view view;
    peer_id partner = 5;
    struct random random = random_stream(1, 0, RANDOM_PEER, 0);
    view_init(&view, 7, entries, 3);
    assert_int_equal(view_pick(&view, &random), PEER_NONE);
    assert_int_equal(view_shuffle(&view, &random, &partner, sent), 0);
    assert_int_equal(partner, PEER_NONE);
}

static void every_peer_is_picked_equally_often(void **state)
{
    (void)state;
    struct view_entry entries[10];
    struct view view;
    unsigned picked[10] = {0};
    struct random random = random_stream(3, 0, RANDOM_PEER, 0);
    view_init(&view, 99, entries, 10);
    for (peer_id peer = 0; peer < 10; peer++)
        view_add(&view, peer);
    for (int i = 0; i < 10000; i++)
        picked[view_pick(&view, &random)]++;
    for (int i = 0; i < 10; i++)
        assert_in_range(picked[i], 850, 1150);
}

static void a_shuffle_goes_to_the_oldest_and_names_oneself(void **state)
{
    (void)state;
    struct view_entry entries[10], sent[SHUFFLE_MAX];
    struct view view;
    peer_id partner;
    struct random random = random_stream(4, 0, RANDOM_SHUFFLE, 0);
    view_init(&view, 99, entries, 10);
    for (peer_id peer = 0; peer < 10; peer++)
        view_add(&view, peer);
    view.entries[6].age = 3;
    size_t count = view_shuffle(&view, &random, &partner, sent);
    assert_int_equal(partner, 6);
    assert_int_equal(count, SHUFFLE_MAX);
    assert_int_equal(sent[0].peer, 99);
    assert_int_equal(sent[0].age, 0);
    assert_false(view_has(&view, 6));
    for (size_t i = 1; i < count; i++) {
        assert_true(view_has(&view, sent[i].peer));
        assert_int_equal(sent[i].age, 1);
        for (size_t j = 1; j < i; j++)
            assert_int_not_equal(sent[i].peer, sent[j].peer);
    }
}

static void the_last_peer_stays_though_it_may_be_dead(void **state)
{
    (void)state;
    struct view_entry entries[4], sent[SHUFFLE_MAX];
    struct view view;
    peer_id partner;
    struct random random = random_stream(5, 0, RANDOM_SHUFFLE, 0);
    view_init(&view, 0, entries, 4);
    view_add(&view, 1);
    assert_int_equal(view_shuffle(&view, &random, &partner, sent), 1);
    assert_int_equal(partner, 1);
    assert_true(view_has(&view, 1));
}

static void what_comes_back_replaces_what_was_sent(void **state)
{
    (void)state;
    struct view_entry entries[4];
    struct view view;
    view_init(&view, 0, entries, 4);
    for (peer_id peer = 1; peer <= 4; peer++)
        view_add(&view, peer);
    const struct view_entry sent[] = {{0, 0}, {2, 1}, {3, 1}};
    const struct view_entry received[] = {{10, 2}, {0, 1}, {1, 0}, {11, 3}, {12, 4}};
    assert_int_equal(view_merge(&view, received, 5, sent, 3), 2);
    assert_int_equal(view.count, 4);
    assert_true(view_has(&view, 10) && view_has(&view, 11));
    assert_true(view_has(&view, 1) && view_has(&view, 4)); /* never sent: never lost */
    assert_false(view_has(&view, 0) || view_has(&view, 12));
}

/* Invariants hold whatever is shuffled with whom, and the overlay is as even as a random graph. */
static void many_shuffles_leave_a_random_overlay(void **state)
{
    (void)state;
    enum { NODES = 500, VIEW = 20, CYCLES = 60 };
    struct view *views = calloc(NODES, sizeof *views);
    struct view_entry(*entries)[VIEW] = calloc(NODES, sizeof *entries);
    for (peer_id node = 0; node < NODES; node++) {
        view_init(&views[node], node, entries[node], VIEW);
        for (peer_id near = 1; near <= VIEW; near++) /* a ring: as far from random as can be */
            view_add(&views[node], (node + near) % NODES);
    }
    for (uint64_t cycle = 0; cycle < CYCLES; cycle++)
        for (peer_id node = 0; node < NODES; node++) {
            struct view_entry sent[SHUFFLE_MAX], answer[SHUFFLE_MAX];
            struct random random = random_stream(6, node, RANDOM_SHUFFLE, cycle);
            peer_id partner;
            size_t count = view_shuffle(&views[node], &random, &partner, sent);
            size_t back = view_answer(&views[partner], &random, node, answer);
            view_merge(&views[partner], sent, count, answer, back);
            view_merge(&views[node], answer, back, sent, count);
        }
    unsigned known[NODES] = {0};
    for (peer_id node = 0; node < NODES; node++) {
        assert_true(views[node].count >= VIEW - 1);
        for (size_t i = 0; i < views[node].count; i++) {
            assert_int_not_equal(views[node].entries[i].peer, node);
            for (size_t j = 0; j < i; j++)
                assert_int_not_equal(views[node].entries[i].peer, views[node].entries[j].peer);
            known[views[node].entries[i].peer]++;
        }
    }
    /* In-degree of a random graph: 20 ± 3 · √20. Cyclon's is narrower. */
    for (peer_id node = 0; node < NODES; node++)
        assert_in_range(known[node], 20 - 14, 20 + 14);
    free(views);
    free(entries);
}

static void whoever_is_put_first_is_shuffled_with_next(void **state)
{
    (void)state;
    struct view_entry entries[3], sent[SHUFFLE_MAX];
    struct view view;
    peer_id partner;
    struct random random = random_stream(1, 0, RANDOM_PEER, 0);
    view_init(&view, 7, entries, 3);
    view_put_first(&view, 7);
    view_put_first(&view, PEER_NONE);
    assert_int_equal(view.count, 0);
    view_put_first(&view, 1);
    view_add(&view, 2);
    view_add(&view, 3);
    view_put_first(&view, 3); /* known already */
    assert_int_equal(view.count, 3);
    view_shuffle(&view, &random, &partner, sent);
    assert_int_equal(partner, 3);
    view_add(&view, 3);
    entries[1].age = 50; /* the oldest of a full view makes room */
    peer_id oldest = entries[1].age > entries[0].age ? entries[1].peer : entries[0].peer;
    view_put_first(&view, 4);
    assert_int_equal(view.count, 3);
    assert_false(view_has(&view, oldest));
    view_shuffle(&view, &random, &partner, sent);
    assert_int_equal(partner, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_owner_nobody_and_the_known_are_not_added),
        cmocka_unit_test(an_empty_view_picks_nobody_and_shuffles_with_nobody),
        cmocka_unit_test(every_peer_is_picked_equally_often),
        cmocka_unit_test(a_shuffle_goes_to_the_oldest_and_names_oneself),
        cmocka_unit_test(the_last_peer_stays_though_it_may_be_dead),
        cmocka_unit_test(what_comes_back_replaces_what_was_sent),
        cmocka_unit_test(whoever_is_put_first_is_shuffled_with_next),
        cmocka_unit_test(many_shuffles_leave_a_random_overlay),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
