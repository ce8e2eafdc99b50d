/* When a node speaks and learns, and what it does with what it hears. */
#include "tests/gossip/conversation.h"

#include <math.h>

static void nothing_is_due_before_the_start_or_the_deadline(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    assert_true(gossip_deadline(&node.gossip) == UINT64_MAX);
    gossip_start(&node.gossip, (struct now){500, 0}, &node.actions);
    assert_in_range(gossip_deadline(&node.gossip), 500, 1000500);
    gossip_tick(&node.gossip, (struct now){gossip_deadline(&node.gossip) - 1, 0}, &node.actions);
    assert_int_equal(node.actions.count, 0);
    end(&node);
}

static void a_node_alone_trains_once_a_period(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    for (int round = 1; round <= 50; round++) {
        tick(&node);
        assert_int_equal(count_of(&node, ACTION_TRAIN), 1);
        assert_int_equal(count_of(&node, ACTION_READOUT), 1);
        assert_int_equal(count_of(&node, ACTION_SEND), 0);
        assert_float_equal(find(&node, ACTION_TRAIN, 0)->train.age, round - 1, 0);
        empty(&node);
        done(&node);
        assert_int_equal(node.actions.count, 0);
        assert_float_equal(node.gossip.age, round, 0);
    }
    end(&node);
}

static void periods_jitter_around_their_mean(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    uint64_t first = gossip_deadline(&node.gossip), least = UINT64_MAX, most = 0;
    for (int round = 0; round < 1000; round++) {
        uint64_t before = gossip_deadline(&node.gossip);
        tick(&node);
        empty(&node);
        done(&node);
        uint64_t period = gossip_deadline(&node.gossip) - before;
        least = period < least ? period : least;
        most = period > most ? period : most;
    }
    double mean = (double)(gossip_deadline(&node.gossip) - first) / 1000;
    assert_true(fabs(mean - 1e6) < 1.5e4);
    assert_true(least > 500000 && least < 850000 && most > 1150000 && most < 1500000);
    end(&node);
}

static void a_finished_model_is_sent_once_a_period(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_peer_up(&node.gossip, 9);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    tick(&node);
    empty(&node);
    done(&node);
    const struct action *send = find(&node, ACTION_SEND, 0);
    assert_non_null(send);
    assert_int_equal(send->send.to, 9);
    assert_float_equal(send->send.message.model.age, 1, 0);
    assert_memory_equal(send->send.message.model.task, node.settings.task, TASK_ID_BYTES);
    assert_int_equal(count_of(&node, ACTION_SEND), 1);
    end(&node);
}

static void a_slow_pass_delays_the_next_but_not_the_sending(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    node.settings.shuffle_most = 1000;
    gossip_peer_up(&node.gossip, 9);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    tick(&node);
    assert_int_equal(count_of(&node, ACTION_TRAIN), 1);
    for (int late = 0; late < 3; late++) { /* three periods go by */
        empty(&node);
        node.gossip.next_shuffle = UINT32_MAX;
        tick(&node);
        assert_int_equal(count_of(&node, ACTION_TRAIN), 0);
        assert_int_equal(count_of(&node, ACTION_SEND), 1);
        assert_float_equal(find(&node, ACTION_SEND, 0)->send.message.model.age, 0, 0);
    }
    empty(&node);
    done(&node);
    assert_int_equal(count_of(&node, ACTION_TRAIN), 1); /* one, not three */
    assert_int_equal(count_of(&node, ACTION_SEND), 1);
    end(&node);
}

static void what_waits_is_merged_in_order_before_the_pass(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    assert_int_equal(receive(&node, 4, model_message(&node, 2, 1)), REFUSED_NOT);
    assert_int_equal(receive(&node, 2, model_message(&node, 6, 1)), REFUSED_NOT);
    assert_int_equal(receive(&node, 3, model_message(&node, 1, 1)), REFUSED_NOT);
    node.gossip.next_shuffle = UINT32_MAX;
    tick(&node);
    assert_int_equal(node.actions.count, 6);
    const struct action *items = node.actions.items;
    assert_int_equal(items[0].merge.from, 4); /* 0 against 2: all of it */
    assert_float_equal(items[0].merge.alpha, 1, 0);
    assert_int_equal(items[1].merge.from, 2); /* 2 against 6: adopted */
    assert_float_equal(items[1].merge.alpha, 1, 0);
    assert_int_equal(items[2].merge.from, 3); /* 6 against 1: ignored, told to be measured */
    assert_float_equal(items[2].merge.alpha, 0, 0);
    assert_int_equal(items[3].kind, ACTION_TRAIN);
    assert_float_equal(items[3].train.age, 6, 0);
    assert_int_equal(items[4].kind, ACTION_READOUT);
    assert_int_equal(items[5].kind, ACTION_EVALUATE);
    assert_int_equal(node.gossip.counters.merged, 2);
    assert_int_equal(node.gossip.counters.ignored, 1);
    end(&node);
}

static void the_newest_of_each_peer_waits_and_the_oldest_is_pushed_out(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    for (peer_id peer = 1; peer <= INBOX; peer++)
        receive(&node, peer, model_message(&node, 1, 10));
    receive(&node, 3, model_message(&node, 1, 10)); /* the same again */
    receive(&node, 3, model_message(&node, 1, 9));  /* overtaken on the way */
    assert_int_equal(node.gossip.counters.stale, 2);
    receive(&node, 3, model_message(&node, 2, 11)); /* newer: in its place, at the end */
    assert_int_equal(node.gossip.waiting_count, INBOX);
    assert_int_equal(node.gossip.inbox[INBOX - 1].from, 3);
    receive(&node, 50, model_message(&node, 1, 1)); /* full: peer 1 has waited longest */
    assert_int_equal(node.gossip.waiting_count, INBOX);
    assert_int_equal(node.gossip.inbox[0].from, 2);
    assert_int_equal(node.gossip.counters.pushed_out, 2);
    end(&node);
}

static void the_inbox_holds_what_the_settings_say(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    node.settings.inbox = 2;
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    for (peer_id peer = 1; peer <= 5; peer++)
        receive(&node, peer, model_message(&node, 1, 1));
    assert_int_equal(node.gossip.waiting_count, 2);
    assert_int_equal(node.gossip.inbox[0].from, 4);
    assert_int_equal(node.gossip.counters.pushed_out, 3);
    tick(&node);
    assert_int_equal(count_of(&node, ACTION_MERGE), 2);
    end(&node);
}

static void the_readout_begins_anew_with_a_model_far_ahead(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    asks_in(&node, 8);
    receive(&node, 1, model_message(&node, 8 + READOUT_LEAP, 1));
    tick(&node);
    assert_float_equal(find(&node, ACTION_READOUT, 0)->readout.step, 1 / 3.f, 1e-6f);
    empty(&node);
    done(&node);
    receive(&node, 1, model_message(&node, 31 + READOUT_LEAP, 2));
    tick(&node);
    assert_float_equal(find(&node, ACTION_READOUT, 0)->readout.step, 1, 0);
    assert_true(find(&node, ACTION_MERGE, 0)->merge.follow);
    empty(&node);
    done(&node);
    receive(&node, 1, model_message(&node, 55, 3));
    tick(&node);
    assert_float_equal(find(&node, ACTION_READOUT, 0)->readout.step, 0.8f, 1e-6f);
    end(&node);
}

/* With a wide limit on age, models come late where delays are long, and still count. */
static void the_readout_follows_what_is_merged(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    node.settings.merge.age_limit = 30;
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    asks_in(&node, 50);
    receive(&node, 1, model_message(&node, 25, 1));
    receive(&node, 2, model_message(&node, 10, 1));
    tick(&node);
    assert_true(find(&node, ACTION_MERGE, 0)->merge.follow);
    assert_false(find(&node, ACTION_MERGE, 1)->merge.follow);
    end(&node);
}

/* A claim is taken over step by step, so that one lie does not carry the swarm away; and an age at
 * the greatest there is can still be sent. */
static void one_claim_raises_an_age_by_a_leap_at_most(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    receive(&node, 1, model_message(&node, 1e9, 1));
    tick(&node);
    assert_float_equal(node.gossip.training_age, AGE_LEAP, 0);
    empty(&node);
    for (uint64_t round = 2; round < 60; round++) {
        done(&node);
        receive(&node, 1, model_message(&node, AGE_MAX, round));
        empty(&node);
        tick(&node);
        empty(&node);
    }
    done(&node);
    assert_true(node.gossip.age <= AGE_MAX);
    assert_true(message_encode(&find(&node, ACTION_SEND, 0)->send.message, NULL, NULL) > 0);
    end(&node);
}

static void a_model_of_another_task_or_shape_is_refused(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    struct gossip_message message = model_message(&node, 1, 1);
    message.model.task[0] ^= 1;
    assert_int_equal(receive(&node, 1, message), REFUSED_TASK);
    message = model_message(&node, 1, 2);
    message.model.piece.count--;
    assert_int_equal(receive(&node, 1, message), REFUSED_MALFORMED);
    message = model_message(&node, 1, 3);
    message.model.piece.fragments = 2;
    assert_int_equal(receive(&node, 1, message), REFUSED_MALFORMED);
    message = model_message(&node, NAN, 4);
    assert_int_equal(receive(&node, 1, message), REFUSED_MALFORMED);
    message = model_message(&node, -1, 5);
    assert_int_equal(receive(&node, 1, message), REFUSED_MALFORMED);
    assert_int_equal(node.gossip.waiting_count, 0);
    assert_int_equal(node.gossip.counters.unknown_task, 1);
    assert_int_equal(node.gossip.counters.refused, 4);
    end(&node);
}

static void a_shuffle_is_answered_and_a_late_answer_changes_nothing(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_peer_up(&node.gossip, 1);
    gossip_peer_up(&node.gossip, 2);
    struct gossip_message message = {
        .kind = MESSAGE_SHUFFLE, .shuffle = {.count = 2, .nonce = 77, .entries = {{3, 0}, {4, 1}}}};
    receive(&node, 3, message);
    assert_int_equal(node.actions.count, 1);
    const struct gossip_message *reply = &node.actions.items[0].send.message;
    assert_int_equal(reply->kind, MESSAGE_SHUFFLE_REPLY);
    assert_int_equal(reply->shuffle.nonce, 77);
    assert_int_equal(reply->shuffle.count, 2);
    assert_true(view_has(&node.gossip.view, 3) && view_has(&node.gossip.view, 4));
    empty(&node);
    message.kind = MESSAGE_SHUFFLE_REPLY;
    message.shuffle.entries[0].peer = 90;
    receive(&node, 3, message); /* nobody asked */
    assert_false(view_has(&node.gossip.view, 90));
    message.shuffle.count = SHUFFLE_MAX + 1;
    assert_int_equal(receive(&node, 3, message), REFUSED_MALFORMED);
    end(&node);
}

static void a_clock_that_jumps_ticks_once(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    struct now later = {3600ull * 1000000, 0};
    gossip_tick(&node.gossip, later, &node.actions);
    assert_int_equal(node.gossip.round, 1);
    assert_true(gossip_deadline(&node.gossip) > later.monotonic_us);
    end(&node);
}

static void a_fixed_view_is_left_to_whoever_fills_it(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    node.settings.fixed_view = node.settings.in_step = true;
    node.settings.jitter = 0;
    view_add(&node.gossip.view, 3);
    gossip_start(&node.gossip, (struct now){7, 0}, &node.actions);
    assert_int_equal(gossip_deadline(&node.gossip), 7); /* in step: at once */
    for (uint64_t round = 0; round < 30; round++) {
        gossip_tick(&node.gossip, (struct now){7 + round * 1000000, 0}, &node.actions);
        assert_int_equal(gossip_deadline(&node.gossip), 7 + (round + 1) * 1000000);
        gossip_done(&node.gossip, node.model, 1, (struct now){8 + round * 1000000, 0},
                    &node.actions);
        assert_int_equal(count_of(&node, ACTION_SEND), 1);
        assert_int_equal(find(&node, ACTION_SEND, 0)->send.message.kind, MESSAGE_MODEL);
        struct gossip_message message = {.kind = MESSAGE_MODEL,
                                         .model = {.piece = piece_whole(PARAMETERS),
                                                   .sequence = round + 1,
                                                   .model = version_share(node.model)}};
        memcpy(message.model.task, node.settings.task, TASK_ID_BYTES);
        assert_int_equal(
            gossip_receive(&node.gossip, 9, &message, (struct now){9, 0}, &node.actions),
            REFUSED_NOT);
        empty(&node);
    }
    assert_int_equal(node.gossip.view.count, 1);
    assert_true(view_has(&node.gossip.view, 3));
    end(&node);
}

/* merge-update: merges, then the pass. update-merge: all passes, then the merges. walk: the last.
 */
static void the_order_says_what_is_trained_and_when(void **state)
{
    (void)state;
    static const struct {
        enum order order;
        enum action_kind first;
        double trained, result; /* ages */
        float alpha[2];
    } cases[] = {
        {ORDER_MERGE_UPDATE, ACTION_MERGE, 3, 4, {.75f, .25f}},
        {ORDER_UPDATE_MERGE, ACTION_TRAIN, 1, 4, {.75f, .25f}},
        {ORDER_WALK, ACTION_MERGE, 1, 2, {0, 1}},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct node node;
        begin(&node);
        node.settings.order = cases[c].order;
        gossip_start(&node.gossip, (struct now){0}, &node.actions);
        tick(&node);
        empty(&node);
        done(&node);
        receive(&node, 3, model_message(&node, 3, 1));
        receive(&node, 2, model_message(&node, 1, 1));
        empty(&node);
        tick(&node);
        assert_int_equal(node.actions.items[0].kind, cases[c].first);
        const struct action *train = find(&node, ACTION_TRAIN, 0);
        assert_float_equal(train->train.age, cases[c].trained, 0);
        assert_int_equal(train->train.each, cases[c].order == ORDER_UPDATE_MERGE);
        for (size_t i = 0; i < 2; i++)
            assert_float_equal(find(&node, ACTION_MERGE, i)->merge.alpha, cases[c].alpha[i], 1e-6f);
        empty(&node);
        done(&node);
        assert_float_equal(node.gossip.age, cases[c].result, 0);
        end(&node);
    }
}

/* Though its view is full and knows nothing of the other. */
static void the_next_shuffle_is_with_whom_the_driver_says(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    node.settings.view = 2;
    const struct gossip_storage storage = {.entries = node.entries};
    gossip_clear(&node.gossip);
    gossip_init(&node.gossip, &node.settings, 0, &storage, node.model, 0);
    gossip_peer_up(&node.gossip, 1);
    gossip_peer_up(&node.gossip, 2);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    gossip_peer_next(&node.gossip, 9);
    const struct action *shuffle = NULL;
    for (uint32_t round = 0; round <= node.settings.shuffle_most && !shuffle; round++) {
        empty(&node);
        tick(&node);
        done(&node);
        for (size_t i = 0; i < node.actions.count; i++)
            if (node.actions.items[i].kind == ACTION_SEND &&
                node.actions.items[i].send.message.kind == MESSAGE_SHUFFLE)
                shuffle = &node.actions.items[i];
    }
    assert_non_null(shuffle);
    assert_int_equal(shuffle->send.to, 9);
    end(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_before_the_start_or_the_deadline),
        cmocka_unit_test(a_node_alone_trains_once_a_period),
        cmocka_unit_test(the_order_says_what_is_trained_and_when),
        cmocka_unit_test(periods_jitter_around_their_mean),
        cmocka_unit_test(a_finished_model_is_sent_once_a_period),
        cmocka_unit_test(a_slow_pass_delays_the_next_but_not_the_sending),
        cmocka_unit_test(what_waits_is_merged_in_order_before_the_pass),
        cmocka_unit_test(the_newest_of_each_peer_waits_and_the_oldest_is_pushed_out),
        cmocka_unit_test(the_inbox_holds_what_the_settings_say),
        cmocka_unit_test(the_readout_begins_anew_with_a_model_far_ahead),
        cmocka_unit_test(the_readout_follows_what_is_merged),
        cmocka_unit_test(one_claim_raises_an_age_by_a_leap_at_most),
        cmocka_unit_test(a_model_of_another_task_or_shape_is_refused),
        cmocka_unit_test(a_shuffle_is_answered_and_a_late_answer_changes_nothing),
        cmocka_unit_test(the_next_shuffle_is_with_whom_the_driver_says),
        cmocka_unit_test(a_fixed_view_is_left_to_whoever_fills_it),
        cmocka_unit_test(a_clock_that_jumps_ticks_once),
    };
    return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
