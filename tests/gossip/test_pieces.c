/* The protocol with models that go and come in pieces. */
#include "gossip/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/vector.h"

enum { PARAMETERS = 1024, FRAGMENTS = 4, INBOX = 4, VIEW = 3 };

struct node {
    struct gossip_settings settings;
    struct view_entry entries[VIEW];
    double ages[2 * FRAGMENTS];
    uint32_t news[INBOX];
    struct gossip gossip;
    struct actions actions;
    struct version *model;
};

static void begin(struct node *node, uint32_t fragments, double sample, enum encoding encoding)
{
    *node = (struct node){
        .settings = {.period_us = 1000,
                     .fanout = 1,
                     .merge = {.rule = merge_rule_find("limited"), .age_limit = 1, .alpha_max = 1},
                     .view = VIEW,
                     .fixed_view = true,
                     .inbox = INBOX,
                     .shuffle_most = 1000,
                     .readout = true,
                     .encoding = encoding,
                     .fragments = fragments,
                     .sample = sample,
                     .pieces = true,
                     .task = "a task of mine",
                     .parameters = PARAMETERS,
                     .seed = 5},
        .model = version_of(vector_new(PARAMETERS)),
    };
    const struct gossip_storage storage = {
        .entries = node->entries, .ages = node->ages, .news = node->news};
    gossip_init(&node->gossip, &node->settings, 0, &storage, node->model, 3);
    gossip_peer_up(&node->gossip, 1);
    gossip_start(&node->gossip, (struct now){0}, &node->actions);
}

static void empty(struct node *node)
{
    for (size_t i = 0; i < node->actions.count; i++) {
        struct action *action = &node->actions.items[i];
        if (action->kind == ACTION_MERGE)
            version_release(&action->merge.model);
        if (action->kind == ACTION_SEND)
            message_release(&action->send.message);
    }
    node->actions.count = 0;
}

static void end(struct node *node)
{
    empty(node);
    gossip_clear(&node->gossip);
    assert_int_equal(atomic_load(&node->model->references), 1);
    version_release(&node->model);
}

static enum refusal receive(struct node *node, peer_id from, struct piece piece, double age,
                            uint64_t sequence, bool answer)
{
    struct gossip_message message = {.kind = MESSAGE_MODEL,
                                     .model = {.piece = piece,
                                               .age = age,
                                               .sequence = sequence,
                                               .answer = answer,
                                               .decoded = true,
                                               .model = version_of(vector_new(PARAMETERS))}};
    memcpy(message.model.task, node->settings.task, TASK_ID_BYTES);
    return gossip_receive(&node->gossip, from, &message, (struct now){0}, &node->actions);
}

/* A period: what was merged and sent is in the actions. */
static void live(struct node *node)
{
    struct now now = {gossip_deadline(&node->gossip), 0};
    empty(node);
    gossip_tick(&node->gossip, now, &node->actions);
    gossip_done(&node->gossip, node->model, 1, now, &node->actions);
}

static const struct action *find(const struct node *node, enum action_kind kind, size_t skip)
{
    for (size_t i = 0; i < node->actions.count; i++)
        if (node->actions.items[i].kind == kind && skip-- == 0)
            return &node->actions.items[i];
    return NULL;
}

static struct piece fragment(uint32_t number)
{
    return piece_of(PARAMETERS, number, FRAGMENTS, 1, ENCODING_F32);
}

static void all_fragments_go_out_in_the_end(void **state)
{
    (void)state;
    struct node node;
    unsigned seen[FRAGMENTS] = {0};
    begin(&node, FRAGMENTS, .5, ENCODING_I8);
    uint64_t seed = 0;
    for (int round = 0; round < 200; round++) {
        live(&node);
        const struct model_message *sent = &find(&node, ACTION_SEND, 0)->send.message.model;
        assert_true(piece_fits(&sent->piece, PARAMETERS));
        assert_int_equal(sent->piece.fragments, FRAGMENTS);
        assert_int_equal(sent->piece.count, PARAMETERS / FRAGMENTS / 2);
        assert_int_equal(sent->piece.encoding, ENCODING_I8);
        assert_true(sent->piece.seed != seed); /* each message rounds and samples anew */
        assert_true(sent->age == 4 + round);
        seed = sent->piece.seed;
        seen[sent->piece.fragment]++;
    }
    for (int i = 0; i < FRAGMENTS; i++)
        assert_in_range(seen[i], 20, 90);
    end(&node);
}

static void nothing_random_has_no_seed(void **state)
{
    (void)state;
    struct node node;
    begin(&node, FRAGMENTS, 1, ENCODING_F16);
    live(&node);
    assert_int_equal(find(&node, ACTION_SEND, 0)->send.message.model.piece.seed, 0);
    end(&node);
}

static void what_was_merged_goes_on_first_and_once(void **state)
{
    (void)state;
    struct node node;
    begin(&node, FRAGMENTS, 1, ENCODING_F32);
    node.settings.fanout = 3;
    gossip_peer_up(&node.gossip, 2);
    gossip_peer_up(&node.gossip, 3);
    for (int round = 0; round < 20; round++) {
        double age = node.gossip.age;
        receive(&node, 1, fragment(2), age + 30, 10 + (uint64_t)round, false);
        receive(&node, 2, fragment(1), age + 30, 10 + (uint64_t)round, false);
        receive(&node, 3, fragment(3), 0, 10 + (uint64_t)round, false); /* much too old */
        live(&node);
        assert_int_equal(find(&node, ACTION_SEND, 0)->send.message.model.piece.fragment, 1);
        assert_int_equal(find(&node, ACTION_SEND, 1)->send.message.model.piece.fragment, 2);
        assert_non_null(find(&node, ACTION_SEND, 2));
        assert_int_equal(node.gossip.news_count, 0);
    }
    end(&node);
}

static void a_fragment_is_merged_by_its_own_age(void **state)
{
    (void)state;
    struct node node;
    begin(&node, FRAGMENTS, 1, ENCODING_F32);
    receive(&node, 1, fragment(2), 9, 1, false); /* far ahead: taken over */
    receive(&node, 1, fragment(1), 3, 2, false); /* as old: half */
    receive(&node, 2, fragment(2), 3, 1, false); /* far behind the first by then */
    live(&node);
    const struct action *merge = find(&node, ACTION_MERGE, 0);
    assert_int_equal(merge->merge.piece.fragment, 2);
    assert_true(merge->merge.decoded);
    assert_float_equal(merge->merge.alpha, 1, 0);
    assert_float_equal(find(&node, ACTION_MERGE, 1)->merge.alpha, .5, 1e-6);
    assert_float_equal(find(&node, ACTION_MERGE, 2)->merge.alpha, 0, 0);
    assert_int_equal(node.gossip.counters.ignored, 1);
    assert_float_equal(find(&node, ACTION_TRAIN, 0)->train.age, (3 + 3 + 9 + 3) / 4., 1e-12);
    assert_true(node.ages[0] == 4 && node.ages[1] == 4 && node.ages[2] == 10 && node.ages[3] == 4);
    assert_float_equal(node.gossip.age, 5.5, 1e-12);
    end(&node);
}

static void the_newest_of_each_fragment_waits(void **state)
{
    (void)state;
    struct node node;
    begin(&node, FRAGMENTS, 1, ENCODING_F32);
    receive(&node, 1, fragment(0), 3, 5, false);
    receive(&node, 1, fragment(1), 3, 6, false);
    receive(&node, 1, fragment(0), 3, 7, false); /* in place of the first */
    receive(&node, 1, fragment(1), 3, 6, false); /* again */
    assert_int_equal(node.gossip.waiting_count, 2);
    assert_int_equal(node.gossip.counters.stale, 1);
    assert_int_equal(node.gossip.pieces[1].piece.fragment, 0);
    assert_int_equal(node.gossip.inbox[1].sequence, 7);
    receive(&node, 2, fragment(3), 3, 1, false);
    receive(&node, 2, fragment(2), 3, 2, false);
    receive(&node, 2, fragment(1), 3, 3, false); /* pushes out what waited longest */
    assert_int_equal(node.gossip.waiting_count, INBOX);
    assert_int_equal(node.gossip.counters.pushed_out, 2);
    assert_int_equal(node.gossip.pieces[0].piece.fragment, 0);
    assert_int_equal(node.gossip.pieces[INBOX - 1].piece.fragment, 1);
    end(&node);
}

/* Of a fragment two weigh a third each with one's own, whatever comes of the others; a whole model
 * is the second or so of its kind. */
static void uniform_merging_counts_by_fragment(void **state)
{
    (void)state;
    struct node node;
    begin(&node, FRAGMENTS, 1, ENCODING_F32);
    node.settings.merge.rule = merge_rule_find("uniform");
    receive(&node, 1, fragment(0), 3, 1, false);
    receive(&node, 1, fragment(1), 3, 2, false);
    receive(&node, 2, fragment(0), 3, 1, false);
    receive(&node, 3, piece_whole(PARAMETERS), 3, 1, false);
    live(&node);
    static const float alphas[] = {1 / 2.f, 1 / 2.f, 1 / 3.f, 1 / 3.f};
    for (size_t i = 0; i < 4; i++)
        assert_float_equal(find(&node, ACTION_MERGE, i)->merge.alpha, alphas[i], 1e-6);
    end(&node);
}

static void an_answer_carries_the_fragment_it_answers(void **state)
{
    (void)state;
    struct node node;
    begin(&node, FRAGMENTS, 1, ENCODING_I8);
    for (uint32_t i = 0; i < FRAGMENTS; i++) {
        empty(&node);
        assert_int_equal(receive(&node, 1, fragment(i), 3, i + 1, true), REFUSED_NOT);
        const struct model_message *sent = &find(&node, ACTION_SEND, 0)->send.message.model;
        assert_int_equal(sent->piece.fragment, i);
        assert_false(sent->answer);
    }
    empty(&node);
    receive(&node, 1, piece_whole(PARAMETERS), 3, 9, true); /* one that sends wholes gets a whole */
    assert_int_equal(find(&node, ACTION_SEND, 0)->send.message.model.piece.count, PARAMETERS);
    end(&node);
}

static void impossible_pieces_are_refused(void **state)
{
    (void)state;
    static const struct piece pieces[] = {
        {.fragments = 0, .count = 1},
        {.fragments = 1, .count = 0},
        {.fragments = 1, .count = PARAMETERS + 1},
        {.fragments = FRAGMENTS, .fragment = FRAGMENTS, .count = 1},
        {.fragments = FRAGMENTS, .count = PARAMETERS / FRAGMENTS + 1},
        {.fragments = PARAMETERS + 1, .count = 1},
        {.fragments = UINT32_MAX, .fragment = UINT32_MAX - 1, .count = 1},
        {.fragments = 1, .count = 1, .encoding = ENCODINGS},
    };
    struct node node;
    begin(&node, FRAGMENTS, 1, ENCODING_F32);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_int_equal(receive(&node, 1, pieces[i], 3, 1 + i, true), REFUSED_MALFORMED);
        assert_int_equal(node.gossip.counters.refused, i + 1);
    }
    assert_int_equal(node.gossip.waiting_count, 0);
    assert_int_equal(node.actions.count, 0);
    node.settings.pieces = false; /* who takes no pieces takes wholes alone */
    assert_int_equal(receive(&node, 1, fragment(0), 3, 1, false), REFUSED_MALFORMED);
    assert_int_equal(receive(&node, 1, piece_whole(PARAMETERS), 3, 1, false), REFUSED_NOT);
    end(&node);
}

static enum refusal receive_readout(struct node *node, peer_id from, bool answer,
                                    struct piece piece)
{
    struct gossip_message message = {.kind = MESSAGE_MODEL,
                                     .model = {.piece = piece,
                                               .age = 1,
                                               .sequence = 99,
                                               .answer = answer,
                                               .last = true,
                                               .decoded = true,
                                               .model = version_of(vector_new(PARAMETERS))}};
    memcpy(message.model.task, node->settings.task, TASK_ID_BYTES);
    return gossip_receive(&node->gossip, from, &message, (struct now){0}, &node->actions);
}

static void average_done(struct node *node)
{
    const struct action *action = find(node, ACTION_AVERAGE, 0);
    assert_non_null(action);
    struct version *theirs = action->average.theirs, *mine = action->average.mine;
    version_release(&theirs);
    version_release(&mine);
    node->actions.count = 0;
}

static void the_final_phase_is_between_those_in_it(void **state)
{
    (void)state;
    struct node node;
    const struct piece whole = piece_whole(PARAMETERS);
    begin(&node, FRAGMENTS, 1, ENCODING_I8);
    live(&node);
    empty(&node);
    assert_int_equal(receive_readout(&node, 1, true, whole), REFUSED_NOT); /* not there yet */
    assert_int_equal(node.actions.count, 0);
    receive(&node, 1, fragment(1), 4, 1, false);
    gossip_conclude(&node.gossip);
    assert_int_equal(node.gossip.waiting_count, 0);

    struct now now = {gossip_deadline(&node.gossip), 0};
    gossip_tick(&node.gossip, now, &node.actions);
    assert_int_equal(node.actions.count, 1); /* and no pass */
    const struct model_message *sent = &find(&node, ACTION_SEND, 0)->send.message.model;
    assert_true(sent->last && sent->answer);
    assert_true(piece_is_plain(&sent->piece, PARAMETERS) && sent->piece.count == PARAMETERS);
    empty(&node);

    receive(&node, 1, fragment(1), 4, 2, true);                             /* an ordinary model */
    assert_int_equal(receive_readout(&node, 2, false, whole), REFUSED_NOT); /* asked by nobody */
    assert_int_equal(receive_readout(&node, 1, true, fragment(1)), REFUSED_MALFORMED);
    assert_int_equal(node.actions.count, 0);

    assert_int_equal(receive_readout(&node, 2, true, whole), REFUSED_NOT);
    sent = &find(&node, ACTION_SEND, 0)->send.message.model;
    assert_true(sent->last && !sent->answer);
    struct gossip_message answer = find(&node, ACTION_SEND, 0)->send.message;
    message_release(&answer);
    average_done(&node);
    assert_int_equal(receive_readout(&node, 1, false, whole), REFUSED_NOT);
    average_done(&node);
    receive_readout(&node, 1, false, whole); /* once more: it was answered */
    assert_int_equal(node.actions.count, 0);
    end(&node);
}

static void a_pass_is_finished_before_the_final_phase(void **state)
{
    (void)state;
    struct node node;
    begin(&node, 1, 1, ENCODING_F32);
    struct now now = {gossip_deadline(&node.gossip), 0};
    gossip_tick(&node.gossip, now, &node.actions);
    empty(&node);
    gossip_conclude(&node.gossip);
    assert_int_equal(receive_readout(&node, 1, true, piece_whole(PARAMETERS)), REFUSED_NOT);
    now.monotonic_us = gossip_deadline(&node.gossip);
    gossip_tick(&node.gossip, now, &node.actions);
    assert_int_equal(node.actions.count, 0);
    gossip_done(&node.gossip, node.model, 1, now, &node.actions);
    assert_int_equal(node.actions.count, 0);
    gossip_publish(&node.gossip, node.model);
    receive_readout(&node, 1, true, piece_whole(PARAMETERS));
    struct gossip_message answer = find(&node, ACTION_SEND, 0)->send.message;
    message_release(&answer);
    average_done(&node);
    end(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_fragments_go_out_in_the_end),
        cmocka_unit_test(nothing_random_has_no_seed),
        cmocka_unit_test(what_was_merged_goes_on_first_and_once),
        cmocka_unit_test(a_fragment_is_merged_by_its_own_age),
        cmocka_unit_test(the_newest_of_each_fragment_waits),
        cmocka_unit_test(uniform_merging_counts_by_fragment),
        cmocka_unit_test(an_answer_carries_the_fragment_it_answers),
        cmocka_unit_test(impossible_pieces_are_refused),
        cmocka_unit_test(the_final_phase_is_between_those_in_it),
        cmocka_unit_test(a_pass_is_finished_before_the_final_phase),
    };
    return cmocka_run_group_tests_name("pieces", tests, NULL, NULL);
}
