/* conversation — one node under test in its conversation, and the list that its actions go to. */
#ifndef STARLING_TEST_CONVERSATION_H
#define STARLING_TEST_CONVERSATION_H

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "gossip/protocol.h"
#include "model/vector.h"

enum { PARAMETERS = 4, INBOX = 8 };

struct node {
    struct gossip_settings settings;
    struct view_entry entries[VIEW_MAX];
    struct gossip gossip;
    struct actions actions;
    struct version *model;
};

static inline struct version *new_model(void)
{
    return version_of(vector_new(PARAMETERS));
}

static inline void begin(struct node *node)
{
    *node = (struct node){
        .settings = {.period_us = 1000000,
                     .jitter = 0.1,
                     .fanout = 1,
                     .exchange = EXCHANGE_PUSH,
                     .merge = {.rule = merge_rule_find("limited"), .age_limit = 3, .alpha_max = 1},
                     .view = 20,
                     .inbox = INBOX,
                     .shuffle_most = 10,
                     .readout = true,
                     .fragments = 1,
                     .sample = 1,
                     .task = "a task of mine",
                     .parameters = PARAMETERS,
                     .seed = 5},
        .model = new_model(),
    };
    const struct gossip_storage storage = {.entries = node->entries};
    gossip_init(&node->gossip, &node->settings, 0, &storage, node->model, 0);
}

/* The driver's side of the bargain: references that the actions carry. */
static inline void empty(struct node *node)
{
    for (size_t i = 0; i < node->actions.count; i++) {
        struct action *action = &node->actions.items[i];
        if (action->kind == ACTION_MERGE)
            version_release(&action->merge.model);
        if (action->kind == ACTION_SEND && action->send.message.kind == MESSAGE_MODEL)
            version_release(&action->send.message.model.model);
    }
    node->actions.count = 0;
}

static inline void end(struct node *node)
{
    empty(node);
    gossip_clear(&node->gossip);
    assert_int_equal(atomic_load(&node->model->references), 1); /* nothing was kept or lost */
    version_release(&node->model);
}

static inline size_t count_of(const struct node *node, enum action_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < node->actions.count; i++)
        count += node->actions.items[i].kind == kind;
    return count;
}

static inline const struct action *find(const struct node *node, enum action_kind kind, size_t skip)
{
    for (size_t i = 0; i < node->actions.count; i++)
        if (node->actions.items[i].kind == kind && skip-- == 0)
            return &node->actions.items[i];
    return NULL;
}

static inline struct now at_deadline(const struct node *node)
{
    return (struct now){gossip_deadline(&node->gossip), 0};
}

static inline void tick(struct node *node)
{
    gossip_tick(&node->gossip, at_deadline(node), &node->actions);
}

static inline void done(struct node *node)
{
    gossip_done(&node->gossip, node->model, 1, (struct now){0}, &node->actions);
}

static inline struct gossip_message model_message(const struct node *node, double age,
                                                  uint64_t sequence)
{
    struct gossip_message message = {.kind = MESSAGE_MODEL,
                                     .model = {.piece = piece_whole(PARAMETERS),
                                               .age = age,
                                               .sequence = sequence,
                                               .model = new_model()}};
    memcpy(message.model.task, node->settings.task, TASK_ID_BYTES);
    return message;
}

static inline enum refusal receive(struct node *node, peer_id from, struct gossip_message message)
{
    return gossip_receive(&node->gossip, from, &message, (struct now){0}, &node->actions);
}

/* How often it asks in so many rounds in which nobody is heard. */
static inline size_t asks_in(struct node *node, int rounds)
{
    size_t asks = 0;
    for (int round = 0; round < rounds; round++) {
        tick(node);
        done(node);
        for (size_t i = 0; i < node->actions.count; i++)
            asks += node->actions.items[i].kind == ACTION_SEND &&
                    node->actions.items[i].send.message.kind == MESSAGE_PULL;
        empty(node);
    }
    return asks;
}

#endif
