#include "gossip/protocol.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "gossip/conclude.h"
#include "gossip/inbox.h"

#define SEQUENCE_MASK ((UINT64_C(1) << 48) - 1) /* of a random stream's steps */

static struct ages ages_of_published(struct gossip *gossip)
{
    return (struct ages){gossip->settings->parameters, gossip->settings->fragments, gossip->ages,
                         &gossip->age};
}

static struct ages ages_in_training(struct gossip *gossip)
{
    uint32_t fragments = gossip->settings->fragments;
    return (struct ages){gossip->settings->parameters, fragments,
                         gossip->ages ? gossip->ages + fragments : NULL, &gossip->training_age};
}

void gossip_init(struct gossip *gossip, const struct gossip_settings *settings, peer_id self,
                 const struct gossip_storage *storage, struct version *model, double age)
{
    *gossip = (struct gossip){
        .settings = settings,
        .published = version_share(model),
        .ages = settings->fragments > 1 ? storage->ages : NULL,
        .news = settings->fragments > 1 ? storage->news : NULL,
        .next_tick_us = UINT64_MAX,
        .silent_passes = READOUT_PATIENCE,
        .shuffle_interval = 1,
        .shuffle_partner = PEER_NONE,
        .asked = PEER_NONE,
        .tokens = flow_first_tokens(&settings->flow),
    };
    const struct ages ages = ages_of_published(gossip);
    ages_set(&ages, age);
    view_init(&gossip->view, self, storage->entries, settings->view);
}

void gossip_clear(struct gossip *gossip)
{
    inbox_clear(gossip);
    version_release(&gossip->published);
    version_release(&gossip->asked_with);
}

struct action *actions_append(struct actions *actions, enum action_kind kind)
{
    assert(actions->count < ACTIONS_MAX);
    struct action *action = &actions->items[actions->count++];
    action->kind = kind;
    return action;
}

struct random gossip_stream(const struct gossip *gossip, enum random_purpose purpose, uint64_t step)
{
    return random_stream(gossip->settings->seed, gossip->view.self, purpose, step);
}

/* A period with jitter, Δ (1 + σ N(0,1)), never shorter than a fifth of Δ. */
static uint64_t draw_period(const struct gossip *gossip)
{
    struct random random = gossip_stream(gossip, RANDOM_PERIOD, gossip->round);
    double factor = 1 + gossip->settings->jitter * random_normal(&random);
    return (uint64_t)((double)gossip->settings->period_us * fmax(0.2, factor));
}

void gossip_start(struct gossip *gossip, struct now now, struct actions *actions)
{
    (void)actions;
    struct random random = gossip_stream(gossip, RANDOM_PERIOD, 0);
    double phase = random_uniform(&random) * !gossip->settings->in_step;
    gossip->next_tick_us =
        now.monotonic_us + (uint64_t)((double)gossip->settings->period_us * phase);
    /* A view that is full from the start has no hurry; spread the first shuffles out. */
    if (gossip->view.count == gossip->view.capacity)
        gossip->next_shuffle =
            gossip->round + random_below(&random, gossip->settings->shuffle_most);
    gossip->started = true;
}

uint64_t gossip_deadline(const struct gossip *gossip)
{
    return gossip->next_tick_us;
}

/* What the message with this sequence carries: a fragment with news, else a random one or, in
 * answer to a piece, the one that this is of. */
static struct piece choose_piece(struct gossip *gossip, const struct piece *answered)
{
    const struct gossip_settings *settings = gossip->settings;
    struct random random = gossip_stream(gossip, RANDOM_PIECE, gossip->sequence & SEQUENCE_MASK);
    uint32_t fragment = 0, fragments = settings->fragments;
    if (answered) {
        fragment = answered->fragment;
        fragments = answered->fragments;
    } else if (gossip->news_count > 0 && !gossip->training) {
        fragment = gossip->news[--gossip->news_count];
    } else if (fragments > 1) {
        fragment = random_below(&random, fragments);
    }
    struct piece piece =
        piece_of(settings->parameters, fragment, fragments, settings->sample, settings->encoding);
    if (piece_is_random(&piece, settings->parameters))
        piece.seed = random_u64(&random);
    return piece;
}

static void send_model(struct gossip *gossip, peer_id to, bool answer, const struct piece *answered,
                       struct actions *actions)
{
    const struct gossip_settings *settings = gossip->settings;
    const struct ages ages = ages_of_published(gossip);
    struct action *action = actions_append(actions, ACTION_SEND);
    gossip->sequence++;
    struct piece piece = choose_piece(gossip, answered);
    action->send.to = to;
    action->send.message = (struct gossip_message){
        .kind = MESSAGE_MODEL,
        .model = {.piece = piece,
                  .age = ages_of(&ages, &piece),
                  .sequence = gossip->sequence,
                  .answer = answer,
                  .model = version_share(gossip->published)},
    };
    memcpy(action->send.message.model.task, settings->task, TASK_ID_BYTES);
    gossip->counters.sent++;
}

static void ask_for_model(struct gossip *gossip, peer_id peer, struct actions *actions)
{
    struct action *action = actions_append(actions, ACTION_SEND);
    action->send.to = peer;
    action->send.message =
        (struct gossip_message){.kind = MESSAGE_PULL, .pull = {.nonce = ++gossip->pull_nonce}};
    memcpy(action->send.message.pull.task, gossip->settings->task, TASK_ID_BYTES);
}

/* One exchange with a peer, in the way that the settings ask for. */
static void meet(struct gossip *gossip, peer_id peer, struct actions *actions)
{
    enum exchange exchange = gossip->settings->exchange;
    if (exchange == EXCHANGE_PULL)
        ask_for_model(gossip, peer, actions);
    else
        send_model(gossip, peer, exchange == EXCHANGE_PUSHPULL, NULL, actions);
}

/* Exchanges with `count` different random peers (all of them when there are fewer). */
static void meet_some(struct gossip *gossip, uint32_t count, struct random *random,
                      struct actions *actions)
{
    uint32_t peers[VIEW_MAX];
    uint32_t left = gossip->view.count;
    if (count == 1 && left > 0) { /* the usual case */
        meet(gossip, gossip->view.entries[random_below(random, left)].peer, actions);
        return;
    }
    for (uint32_t i = 0; i < left; i++)
        peers[i] = gossip->view.entries[i].peer;
    for (uint32_t met = 0; met < count && met < FANOUT_MAX && left > 0; met++) {
        uint32_t pick = random_below(random, left);
        meet(gossip, peers[pick], actions);
        peers[pick] = peers[--left];
    }
}

/* How many of this period's exchanges the token account lets happen; the others are put aside. */
static uint32_t draw_proactive(struct gossip *gossip)
{
    const struct gossip_settings *settings = gossip->settings;
    struct random random = gossip_stream(gossip, RANDOM_TOKEN, 2 * (uint64_t)gossip->round);
    uint32_t count = 0;
    for (uint32_t i = 0; i < settings->fanout; i++)
        if (random_uniform(&random) < flow_proactive(&settings->flow, gossip->tokens))
            count++;
        else
            gossip->tokens++;
    return count;
}

/* Nobody has sent a model for long, where hearing is left to others and a walk would not split. */
static bool wants_to_hear(const struct gossip *gossip)
{
    const struct gossip_settings *settings = gossip->settings;
    return gossip->silent_rounds > ASK_PATIENCE && settings->exchange == EXCHANGE_PUSH &&
           settings->flow.kind == FLOW_PERIODIC && settings->order != ORDER_WALK &&
           !settings->fixed_view && gossip->view.count > 0;
}

/* This period's exchanges, if they are due, and `news` more. */
static void speak(struct gossip *gossip, uint32_t news, struct actions *actions)
{
    struct random random = gossip_stream(gossip, RANDOM_PEER, gossip->round);
    bool tokens = gossip->settings->flow.kind == FLOW_TOKEN;
    uint32_t count = news;
    if (gossip->send_due)
        count += tokens ? draw_proactive(gossip) : gossip->settings->fanout;
    meet_some(gossip, count, &random, actions);
    if (gossip->send_due && wants_to_hear(gossip))
        ask_for_model(gossip, view_pick(&gossip->view, &random), actions);
    gossip->send_due = false;
}

/* Every period until the view is full or brings nothing new, then ever more rarely, at least once
 * in shuffle_most periods. */
static void shuffle(struct gossip *gossip, struct actions *actions)
{
    uint32_t most = gossip->settings->shuffle_most;
    uint32_t interval =
        gossip->view.count == gossip->view.capacity ? most : gossip->shuffle_interval * 2;
    gossip->shuffle_interval = interval < most ? interval : most;
    gossip->next_shuffle = gossip->round + gossip->shuffle_interval;
    struct random random = gossip_stream(gossip, RANDOM_SHUFFLE, 2 * (uint64_t)gossip->round);
    struct view_entry sent[SHUFFLE_MAX];
    gossip->shuffle_sent_count =
        (uint32_t)view_shuffle(&gossip->view, &random, &gossip->shuffle_partner, sent);
    if (gossip->shuffle_partner == PEER_NONE)
        return;
    for (uint32_t i = 0; i < gossip->shuffle_sent_count; i++)
        gossip->shuffle_sent[i] = sent[i].peer;
    struct action *action = actions_append(actions, ACTION_SEND);
    action->send.to = gossip->shuffle_partner;
    action->send.message = (struct gossip_message){
        .kind = MESSAGE_SHUFFLE,
        .shuffle = {.count = gossip->shuffle_sent_count, .nonce = ++gossip->shuffle_nonce},
    };
    memcpy(action->send.message.shuffle.entries, sent, gossip->shuffle_sent_count * sizeof sent[0]);
}

/* Of a model, by a message. */
static double carried_share(const struct gossip_settings *settings)
{
    return settings->sample / settings->fragments;
}

/* How the read-out moves: b_t = max(0.03, 1 / (1 + 0.25 t)), t the passes since it began. Of pieces
 * that are the share s of a model, s^1.5 of the passes: news of a parameter come as much more
 * rarely, and take longer to settle at first. */
static void follow(const struct gossip *gossip, struct action *action)
{
    const struct gossip_settings *settings = gossip->settings;
    bool own = gossip->silent_passes >= READOUT_PATIENCE;
    double passes = gossip->passes - gossip->readout_began;
    double share = carried_share(settings);
    if (!own && share < 1)
        passes *= pow(share, 1.5);
    action->readout.step = (float)fmax(0.03, 1 / (1 + 0.25 * passes));
    action->readout.own = own;
}

/* A fragment was merged: it goes on before what was merged earlier. */
static void note_news(struct gossip *gossip, const struct piece *piece)
{
    if (!gossip->news || piece->fragments != gossip->settings->fragments)
        return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < gossip->news_count; i++)
        if (gossip->news[i] != piece->fragment)
            gossip->news[kept++] = gossip->news[i];
    gossip->news[kept++] = piece->fragment;
    gossip->news_count = kept;
}

static void train(double age, bool each, struct actions *actions)
{
    struct action *action = actions_append(actions, ACTION_TRAIN);
    action->train.age = age;
    action->train.each = each;
}

/* Merges what waits, in order, and asks for a pass, or passes, after that or before it. */
static void begin_pass(struct gossip *gossip, struct actions *actions)
{
    const struct gossip_settings *settings = gossip->settings;
    const struct ages ages = ages_in_training(gossip);
    gossip->training_age = gossip->age;
    gossip->news_count = 0;
    if (gossip->ages)
        memcpy(ages.each, gossip->ages, settings->fragments * sizeof *gossip->ages);
    if (gossip->silent_passes < READOUT_PATIENCE)
        gossip->silent_passes++;
    if (settings->order == ORDER_UPDATE_MERGE)
        train(gossip->training_age, true, actions);
    for (uint32_t i = 0; i < gossip->waiting_count; i++) {
        struct waiting *waiting = &gossip->inbox[i];
        struct waiting_piece piece = inbox_piece(gossip, i);
        double ahead = waiting->age - ages_of(&ages, &piece.piece);
        struct merge_verdict verdict = inbox_judge(gossip, i, &ages);
        struct action *action = actions_append(actions, ACTION_MERGE);
        action->merge.from = waiting->from;
        action->merge.model = waiting->model;
        action->merge.piece = piece.piece;
        action->merge.decoded = piece.decoded;
        action->merge.age = waiting->age;
        action->merge.alpha = verdict.ignore ? 0 : verdict.alpha;
        action->merge.follow = settings->readout && (ahead >= -READOUT_BEHIND || !verdict.ignore);
        if (verdict.alpha == 1 && !verdict.ignore && ahead * carried_share(settings) > READOUT_LEAP)
            gossip->readout_began = gossip->passes;
        if (action->merge.follow)
            gossip->silent_passes = 0;
        if (!verdict.ignore)
            note_news(gossip, &piece.piece);
        if (verdict.ignore)
            gossip->counters.ignored++;
        else
            gossip->counters.merged += verdict.alpha > 0;
    }
    inbox_taken(gossip);
    gossip->telling = gossip->to_tell;
    gossip->to_tell = 0;
    gossip->training = true;
    gossip->pass_due = false;
    if (settings->order != ORDER_UPDATE_MERGE)
        train(gossip->training_age, false, actions);
    if (settings->readout)
        follow(gossip, actions_append(actions, ACTION_READOUT));
    actions_append(actions, ACTION_EVALUATE);
}

void gossip_publish(struct gossip *gossip, struct version *version)
{
    version_share(version);
    version_release(&gossip->published);
    gossip->published = version;
}

void gossip_tick(struct gossip *gossip, struct now now, struct actions *actions)
{
    if (now.monotonic_us < gossip->next_tick_us)
        return;
    gossip->round++;
    gossip->silent_rounds++;
    gossip->answered = 0;
    gossip->next_tick_us += draw_period(gossip);
    if (gossip->next_tick_us <= now.monotonic_us)
        gossip->next_tick_us = now.monotonic_us + gossip->settings->period_us;
    if (gossip->concluding)
        conclude_tick(gossip, actions);
    else if (gossip->send_due) /* the pass of the last period still runs */
        speak(gossip, 0, actions);
    gossip->send_due = true;
    gossip->pass_due = true;
    if (gossip->round >= gossip->next_shuffle && !gossip->settings->fixed_view)
        shuffle(gossip, actions);
    if (!gossip->training && !gossip->concluding)
        begin_pass(gossip, actions);
}

void gossip_done(struct gossip *gossip, struct version *model, double share, struct now now,
                 struct actions *actions)
{
    (void)now;
    assert(gossip->training);
    version_release(&gossip->published);
    gossip->published = version_share(model);
    const struct ages ages = ages_of_published(gossip);
    gossip->age = gossip->training_age;
    if (gossip->ages)
        memcpy(ages.each, ages_in_training(gossip).each, ages.fragments * sizeof *ages.each);
    ages_add(&ages, share, AGE_MAX);
    gossip->training = false;
    gossip->passes++;
    if (gossip->concluding)
        return;
    speak(gossip, gossip->telling, actions);
    gossip->telling = 0;
    if (gossip->pass_due)
        begin_pass(gossip, actions);
}

/* By the ages at receipt; when its turn comes they may be others. */
static bool is_useful(struct gossip *gossip, const struct model_message *message)
{
    const struct ages ages = ages_of_published(gossip);
    double mine = ages_of(&ages, &message->piece);
    return gossip->settings->order == ORDER_WALK ||
           !merge_judge(&gossip->settings->merge, mine, message->age, 1).ignore;
}

/* Something of use was heard: spends tokens on telling others, once it is merged. */
static void react(struct gossip *gossip)
{
    const struct flow_settings *flow = &gossip->settings->flow;
    uint64_t step = 2 * (uint64_t)gossip->counters.received + 1;
    struct random random = gossip_stream(gossip, RANDOM_TOKEN, step);
    uint32_t count = flow_round(flow_reactive(flow, gossip->tokens), &random);
    gossip->tokens -= count;
    gossip->to_tell += count;
}

static bool is_taken(const struct gossip *gossip, const struct piece *piece, bool last)
{
    size_t parameters = gossip->settings->parameters;
    return piece_fits(piece, parameters) &&
           ((gossip->settings->pieces && !last) ||
            (piece->fragments == 1 && piece_is_plain(piece, parameters)));
}

static enum refusal receive_model(struct gossip *gossip, peer_id from,
                                  struct model_message *message, struct actions *actions)
{
    const struct gossip_settings *settings = gossip->settings;
    enum refusal refusal = REFUSED_NOT;
    if (memcmp(message->task, settings->task, TASK_ID_BYTES) != 0)
        refusal = REFUSED_TASK;
    else if (!is_taken(gossip, &message->piece, message->last) || !message->model ||
             !isfinite(message->age) || message->age < 0)
        refusal = REFUSED_MALFORMED;
    if (refusal != REFUSED_NOT) {
        version_release(&message->model);
        if (refusal == REFUSED_TASK)
            gossip->counters.unknown_task++;
        else
            gossip->counters.refused++;
        return refusal;
    }
    gossip->counters.received++;
    if (gossip->concluding || message->last) {
        if (gossip->concluding && message->last)
            conclude_receive(gossip, from, message, actions);
        version_release(&message->model); /* unless taken: the others are not there yet, or still */
        return REFUSED_NOT;
    }
    gossip->silent_rounds = 0;
    const struct piece answered = message->piece;
    bool useful = inbox_keep(gossip, from, message) && is_useful(gossip, message);
    message->model = NULL;
    if (useful && settings->flow.kind == FLOW_TOKEN)
        react(gossip);
    if (message->answer)
        send_model(gossip, from, false, &answered, actions);
    return REFUSED_NOT;
}

/* Answered with the last finished model, as often in a period as is fair. */
static enum refusal receive_pull(struct gossip *gossip, peer_id from,
                                 const struct pull_message *message, struct actions *actions)
{
    if (memcmp(message->task, gossip->settings->task, TASK_ID_BYTES) != 0) {
        gossip->counters.unknown_task++;
        return REFUSED_TASK;
    }
    if (gossip->answered >= PULLS_VIEWS * gossip->view.capacity) {
        gossip->counters.refused++;
        gossip->counters.too_many++;
        return REFUSED_RATE;
    }
    gossip->answered++;
    send_model(gossip, from, false, NULL, actions);
    return REFUSED_NOT;
}

static enum refusal receive_shuffle(struct gossip *gossip, peer_id from,
                                    const struct shuffle_message *message, struct actions *actions)
{
    if (message->count > SHUFFLE_MAX)
        return REFUSED_MALFORMED;
    /* odd steps are answers, even ones this node's own shuffles */
    uint64_t step = ((uint64_t)(message->nonce & 0x7fff) << 33) | ((uint64_t)from << 1) | 1;
    struct random random = gossip_stream(gossip, RANDOM_SHUFFLE, step);
    struct action *action = actions_append(actions, ACTION_SEND);
    action->send.to = from;
    action->send.message = (struct gossip_message){.kind = MESSAGE_SHUFFLE_REPLY};
    struct shuffle_message *reply = &action->send.message.shuffle;
    reply->nonce = message->nonce;
    reply->count = (uint32_t)view_answer(&gossip->view, &random, from, reply->entries);
    view_merge(&gossip->view, message->entries, message->count, reply->entries, reply->count);
    return REFUSED_NOT;
}

static enum refusal receive_shuffle_reply(struct gossip *gossip, peer_id from,
                                          const struct shuffle_message *message)
{
    if (message->count > SHUFFLE_MAX)
        return REFUSED_MALFORMED;
    if (from != gossip->shuffle_partner || message->nonce != gossip->shuffle_nonce)
        return REFUSED_NOT; /* too late, or asked by nobody: no harm, no use */
    gossip->shuffle_partner = PEER_NONE;
    struct view_entry sent[SHUFFLE_MAX];
    for (uint32_t i = 0; i < gossip->shuffle_sent_count; i++)
        sent[i] = (struct view_entry){.peer = gossip->shuffle_sent[i]};
    size_t entered = view_merge(&gossip->view, message->entries, message->count, sent,
                                gossip->shuffle_sent_count);
    if (entered > 0 && gossip->view.count < gossip->view.capacity) {
        gossip->shuffle_interval = 1;
        gossip->next_shuffle = gossip->round + 1;
    }
    return REFUSED_NOT;
}

enum refusal gossip_receive(struct gossip *gossip, peer_id from, struct gossip_message *message,
                            struct now now, struct actions *actions)
{
    (void)now;
    if (!gossip->settings->fixed_view)
        view_add(&gossip->view, from); /* a sign of life, where there is room for it */
    switch (message->kind) {
    case MESSAGE_MODEL:
        return receive_model(gossip, from, &message->model, actions);
    case MESSAGE_SHUFFLE:
        return receive_shuffle(gossip, from, &message->shuffle, actions);
    case MESSAGE_SHUFFLE_REPLY:
        return receive_shuffle_reply(gossip, from, &message->shuffle);
    case MESSAGE_PULL:
        return receive_pull(gossip, from, &message->pull, actions);
    case MESSAGE_SUMS: /* for the participant, where a scaling is agreed on */
        break;
    }
    message_release(message);
    gossip->counters.refused++;
    return REFUSED_MALFORMED;
}

void gossip_peer_up(struct gossip *gossip, peer_id peer)
{
    if (view_add(&gossip->view, peer) && gossip->view.count < gossip->view.capacity)
        gossip->next_shuffle = gossip->round;
}

void gossip_peer_down(struct gossip *gossip, peer_id peer)
{
    view_remove(&gossip->view, peer);
}

void gossip_peer_next(struct gossip *gossip, peer_id peer)
{
    if (!gossip->settings->fixed_view)
        view_put_first(&gossip->view, peer);
}
