/* How models are exchanged: pushed, pulled, both ways, by a token account. */
#include "tests/gossip/conversation.h"

static void fanout_reaches_different_peers(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    node.settings.fanout = 5;
    for (peer_id peer = 1; peer <= 7; peer++)
        gossip_peer_up(&node.gossip, peer);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    tick(&node);
    empty(&node);
    done(&node);
    assert_int_equal(count_of(&node, ACTION_SEND), 5);
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(node.actions.items[i].send.to, node.actions.items[j].send.to);
    end(&node);
}

static void a_node_that_hears_nobody_asks(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    assert_int_equal(asks_in(&node, 20), 0); /* there is nobody to ask */
    gossip_peer_up(&node.gossip, 1);
    receive(&node, 1, model_message(&node, 1, 1));
    assert_int_equal(asks_in(&node, ASK_PATIENCE), 0);
    assert_int_equal(asks_in(&node, 3), 3); /* one a round, beside what it sends */
    receive(&node, 1, model_message(&node, 1, 2));
    assert_int_equal(asks_in(&node, ASK_PATIENCE), 0);
    node.settings.exchange = EXCHANGE_PUSHPULL; /* what it sends asks */
    assert_int_equal(asks_in(&node, 20), 0);
    end(&node);
}

/* b = max(0.03, 1/(1 + 0.25 t)), t the passes since it began: anew with a model far ahead. */
static void push_pull_answers_with_ones_own_and_only_once(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    struct gossip_message message = model_message(&node, 1, 1);
    message.model.answer = true;
    receive(&node, 8, message);
    assert_int_equal(node.actions.count, 1);
    assert_int_equal(node.actions.items[0].send.to, 8);
    assert_false(node.actions.items[0].send.message.model.answer);
    end(&node);
}

static void begin_with_tokens(struct node *node)
{
    begin(node);
    node->settings.flow = (struct flow_settings){FLOW_TOKEN, 10, 20};
    node->settings.shuffle_most = 1000;
    node->gossip.next_shuffle = UINT32_MAX;
    for (peer_id peer = 1; peer <= 7; peer++)
        view_add(&node->gossip.view, peer);
    gossip_start(&node->gossip, (struct now){0}, &node->actions);
    node->gossip.next_shuffle = UINT32_MAX;
}

/* Whatever comes in, a node never has more than C tokens and, in the long run, sends no more than
 * one model a period and those C. */
static void a_token_account_never_spends_what_it_has_not(void **state)
{
    (void)state;
    for (uint32_t heard = 0; heard <= 3; heard++) {
        struct node node;
        begin_with_tokens(&node);
        node.gossip.tokens = 0;
        uint32_t sent = 0, least = UINT32_MAX;
        for (uint32_t round = 1; round <= 500; round++) {
            for (peer_id from = 1; from <= heard; from++)
                receive(&node, from, model_message(&node, round, round));
            tick(&node);
            done(&node);
            sent += (uint32_t)count_of(&node, ACTION_SEND);
            empty(&node);
            assert_in_range(node.gossip.tokens, 0, 20);
            /* a token a period, and none is lost */
            assert_int_equal(sent + node.gossip.tokens + node.gossip.to_tell, round);
            if (round > 50 && node.gossip.tokens < least)
                least = node.gossip.tokens;
        }
        assert_true(heard > 1 ? least < 10 : least >= 9);
        end(&node);
    }
}

/* Not before it is merged, and then at once. */
static void something_of_use_is_told_in_a_burst(void **state)
{
    (void)state;
    struct node node;
    begin_with_tokens(&node);
    node.gossip.tokens = 8; /* PROACTIVE: 0 */
    tick(&node);
    node.gossip.tokens = 20;
    receive(&node, 1, model_message(&node, 2, 1));
    receive(&node, 2, model_message(&node, 2, 1));
    assert_int_equal(node.gossip.tokens + node.gossip.to_tell, 20);
    assert_in_range(node.gossip.to_tell, 3, 4); /* 20 / 10, then 18 / 10 */
    uint32_t told = node.gossip.to_tell;
    node.gossip.tokens = 8;
    empty(&node);
    done(&node); /* a pass that began before they came */
    assert_int_equal(count_of(&node, ACTION_SEND), 0);
    assert_int_equal(node.gossip.tokens, 9);
    node.gossip.tokens = 7;
    tick(&node);
    empty(&node);
    done(&node);
    assert_int_equal(count_of(&node, ACTION_SEND), told);
    for (size_t i = 0; i < told; i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(node.actions.items[i].send.to, node.actions.items[j].send.to);
    assert_float_equal(node.actions.items[0].send.message.model.age, 3, 0);
    empty(&node);
    node.gossip.tokens = 20;
    receive(&node, 1, model_message(&node, 5, 2));
    receive(&node, 1, model_message(&node, 5, 2)); /* the same again */
    assert_int_equal(node.gossip.to_tell, 2);
    node.gossip.age = 100;
    receive(&node, 2, model_message(&node, 5, 2)); /* the rule would ignore it */
    assert_int_equal(node.gossip.to_tell, 2);
    end(&node);
}

static struct gossip_message pull_message(const struct node *node, uint32_t nonce)
{
    struct gossip_message message = {.kind = MESSAGE_PULL, .pull = {.nonce = nonce}};
    memcpy(message.pull.task, node->settings.task, TASK_ID_BYTES);
    return message;
}

static void pull_asks_for_models_instead_of_sending_its_own(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    node.settings.exchange = EXCHANGE_PULL;
    node.settings.fanout = 2;
    for (peer_id peer = 1; peer <= 4; peer++)
        gossip_peer_up(&node.gossip, peer);
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    tick(&node);
    empty(&node);
    done(&node);
    assert_int_equal(node.actions.count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct gossip_message *message = &node.actions.items[i].send.message;
        assert_int_equal(message->kind, MESSAGE_PULL);
        assert_memory_equal(message->pull.task, node.settings.task, TASK_ID_BYTES);
        assert_int_equal(message->pull.nonce, i + 1);
    }
    assert_int_not_equal(node.actions.items[0].send.to, node.actions.items[1].send.to);
    assert_int_equal(node.gossip.counters.sent, 0);
    end(&node);
}

static void a_pull_is_answered_so_often_a_period(void **state)
{
    (void)state;
    struct node node;
    begin(&node);
    node.gossip.view.capacity = 3;
    gossip_start(&node.gossip, (struct now){0}, &node.actions);
    for (int period = 0; period < 2; period++) {
        for (uint32_t ask = 0; ask < 3 * PULLS_VIEWS; ask++) {
            assert_int_equal(receive(&node, 8, pull_message(&node, ask)), REFUSED_NOT);
            const struct action *answer = find(&node, ACTION_SEND, ask);
            assert_int_equal(answer->send.to, 8);
            assert_int_equal(answer->send.message.kind, MESSAGE_MODEL);
            assert_false(answer->send.message.model.answer);
        }
        assert_int_equal(receive(&node, 9, pull_message(&node, 99)), REFUSED_RATE);
        assert_int_equal(count_of(&node, ACTION_SEND), 3 * PULLS_VIEWS);
        assert_int_equal(node.gossip.counters.too_many, period + 1);
        empty(&node);
        node.gossip.next_shuffle = UINT32_MAX;
        tick(&node);
        empty(&node);
    }
    struct gossip_message message = pull_message(&node, 1);
    message.pull.task[0] ^= 1;
    assert_int_equal(receive(&node, 8, message), REFUSED_TASK);
    assert_int_equal(node.actions.count, 0);
    end(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fanout_reaches_different_peers),
        cmocka_unit_test(a_node_that_hears_nobody_asks),
        cmocka_unit_test(push_pull_answers_with_ones_own_and_only_once),
        cmocka_unit_test(a_token_account_never_spends_what_it_has_not),
        cmocka_unit_test(something_of_use_is_told_in_a_burst),
        cmocka_unit_test(pull_asks_for_models_instead_of_sending_its_own),
        cmocka_unit_test(a_pull_is_answered_so_often_a_period),
    };
    return cmocka_run_group_tests_name("exchange", tests, NULL, NULL);
}
