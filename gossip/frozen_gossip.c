#include "gossip/frozen_gossip.h"

#include <assert.h>
#include <string.h>

#include "gossip/inbox.h"

/* What is added to these must be added below. */
static_assert(sizeof(void *) != 8 || sizeof(struct gossip) == 272, "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct waiting) == 32, "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct piece) == 24, "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct agreement) == 64, "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct gossip_message) == 80, "all of it is written");

static void freeze_peer(struct frozen *frozen, peer_id *peer, const struct frozen_bounds *bounds)
{
    frozen_u32_to(frozen, peer, bounds->peers - 1);
}

/* One that is only held against others. */
static void freeze_name(struct frozen *frozen, peer_id *peer)
{
    frozen_u32(frozen, peer);
}

static void freeze_entry(struct frozen *frozen, struct view_entry *entry,
                         const struct frozen_bounds *bounds)
{
    peer_id peer = entry->peer;
    uint32_t age = entry->age;
    freeze_peer(frozen, &peer, bounds);
    frozen_u32_to(frozen, &age, VIEW_AGE_MAX);
    entry->peer = peer;
    entry->age = (uint16_t)age;
}

static void freeze_view(struct frozen *frozen, struct view *view,
                        const struct frozen_bounds *bounds)
{
    uint32_t count = view->count;
    frozen_u32_to(frozen, &count, view->capacity);
    view->count = (uint16_t)count;
    for (uint32_t i = 0; i < count; i++) {
        freeze_entry(frozen, &view->entries[i], bounds);
        if (view->entries[i].peer == view->self)
            frozen_refuse(frozen);
    }
}

static void freeze_piece(struct frozen *frozen, struct piece *piece, size_t parameters)
{
    uint32_t encoding = piece->encoding;
    frozen_u64(frozen, &piece->seed);
    frozen_u32(frozen, &piece->fragment);
    frozen_u32(frozen, &piece->fragments);
    frozen_u32(frozen, &piece->count);
    frozen_u32_to(frozen, &encoding, ENCODINGS - 1);
    piece->encoding = (enum encoding)encoding;
    if (frozen_reads(frozen) && !piece_fits(piece, parameters)) {
        frozen_refuse(frozen);
        *piece = piece_whole(parameters);
    }
}

static void freeze_inbox(struct frozen *frozen, struct gossip *gossip,
                         const struct frozen_bounds *bounds)
{
    uint32_t room = gossip->waiting_room, count = gossip->waiting_count;
    frozen_u32_to(frozen, &room, gossip->settings->inbox);
    frozen_u32_to(frozen, &count, room);
    if (frozen_reads(frozen)) {
        inbox_clear(gossip);
        if (room > 0 && !inbox_make_room(gossip, room)) {
            frozen_no_memory(frozen);
            count = 0;
        }
    }
    for (uint32_t i = 0; i < count && frozen_is_fine(frozen); i++) {
        struct waiting *waiting = &gossip->inbox[i];
        size_t values = bounds->parameters;
        if (gossip->pieces) {
            if (frozen_reads(frozen))
                gossip->pieces[i] = (struct waiting_piece){0};
            freeze_piece(frozen, &gossip->pieces[i].piece, bounds->parameters);
            frozen_flag(frozen, &gossip->pieces[i].decoded);
            values = gossip->pieces[i].decoded ? gossip->pieces[i].piece.count : values;
        }
        if (frozen_reads(frozen)) {
            waiting->model = NULL;
            gossip->waiting_count = i + 1;
        }
        frozen_version(frozen, &waiting->model, values, true);
        frozen_real_to(frozen, &waiting->age, AGE_MAX);
        frozen_u64(frozen, &waiting->sequence);
        freeze_peer(frozen, &waiting->from, bounds);
    }
    if (frozen_reads(frozen) && !frozen_is_fine(frozen))
        inbox_clear(gossip); /* a version may be missing */
}

static void freeze_ages(struct frozen *frozen, struct gossip *gossip)
{
    uint32_t fragments = gossip->settings->fragments;
    frozen_real_to(frozen, &gossip->age, AGE_MAX);
    frozen_real_to(frozen, &gossip->training_age, AGE_MAX);
    for (uint32_t i = 0; gossip->ages && i < 2 * fragments; i++)
        frozen_real_to(frozen, &gossip->ages[i], AGE_MAX);
    frozen_u32_to(frozen, &gossip->news_count, gossip->news ? gossip->settings->inbox : 0);
    for (uint32_t i = 0; i < gossip->news_count; i++)
        frozen_u32_to(frozen, &gossip->news[i], fragments - 1);
}

static void freeze_numbers(struct frozen *frozen, struct gossip *gossip)
{
    struct gossip_counters *counters = &gossip->counters;
    uint32_t *const numbers[] = {&gossip->round,         &gossip->passes,
                                 &gossip->next_shuffle,  &gossip->shuffle_interval,
                                 &gossip->tokens,        &gossip->to_tell,
                                 &gossip->telling,       &gossip->pull_nonce,
                                 &gossip->answered,      &gossip->silent_passes,
                                 &gossip->silent_rounds, &gossip->readout_began,
                                 &gossip->shuffle_nonce, &counters->merged,
                                 &counters->ignored,     &counters->pushed_out,
                                 &counters->stale,       &counters->unknown_task,
                                 &counters->refused,     &counters->too_many,
                                 &counters->sent,        &counters->received};
    bool *const flags[] = {&gossip->concluding, &gossip->started, &gossip->training,
                           &gossip->pass_due, &gossip->send_due};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        frozen_u32(frozen, numbers[i]);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        frozen_flag(frozen, flags[i]);
    frozen_u64(frozen, &gossip->next_tick_us);
    frozen_u64(frozen, &gossip->sequence);
}

void frozen_gossip(struct frozen *frozen, struct gossip *gossip, const struct frozen_bounds *bounds)
{
    freeze_view(frozen, &gossip->view, bounds);
    freeze_numbers(frozen, gossip);
    freeze_ages(frozen, gossip);
    frozen_u32_to(frozen, &gossip->shuffle_sent_count, SHUFFLE_MAX);
    for (uint32_t i = 0; i < gossip->shuffle_sent_count; i++)
        freeze_name(frozen, &gossip->shuffle_sent[i]);
    freeze_name(frozen, &gossip->shuffle_partner);
    freeze_name(frozen, &gossip->asked);
    frozen_version(frozen, &gossip->published, bounds->parameters, true);
    frozen_version(frozen, &gossip->asked_with, bounds->parameters, false);
    freeze_inbox(frozen, gossip, bounds);
}

static void freeze_model(struct frozen *frozen, struct model_message *model, bool bare,
                         const struct frozen_bounds *bounds)
{
    bool *const flags[] = {&model->answer, &model->last, &model->decoded};
    frozen_bytes(frozen, model->task, TASK_ID_BYTES);
    freeze_piece(frozen, &model->piece, bounds->parameters);
    frozen_real_to(frozen, &model->age, AGE_MAX);
    frozen_u64(frozen, &model->sequence);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        frozen_flag(frozen, flags[i]);
    if (!bare)
        frozen_version(frozen, &model->model,
                       model->decoded ? model->piece.count : bounds->parameters, true);
}

static void freeze_shuffle(struct frozen *frozen, struct shuffle_message *shuffle,
                           const struct frozen_bounds *bounds)
{
    frozen_u32_to(frozen, &shuffle->count, SHUFFLE_MAX);
    frozen_u32(frozen, &shuffle->nonce);
    for (uint32_t i = 0; i < shuffle->count; i++) {
        freeze_entry(frozen, &shuffle->entries[i], bounds);
    }
}

size_t frozen_sums_floats(size_t features)
{
    return SUMS * features * (sizeof(double) / sizeof(float));
}

static void freeze_sums(struct frozen *frozen, struct sums_message *sums, bool bare,
                        const struct frozen_bounds *bounds)
{
    frozen_bytes(frozen, sums->task, TASK_ID_BYTES);
    frozen_flag(frozen, &sums->settled);
    frozen_u32(frozen, &sums->heard);
    frozen_size_to(frozen, &sums->features, bounds->features);
    if (frozen_reads(frozen) && sums->features != bounds->features)
        frozen_refuse(frozen);
    if (!bare)
        frozen_version(frozen, &sums->sums, frozen_sums_floats(bounds->features), true);
}

void frozen_message(struct frozen *frozen, struct gossip_message *message, bool bare,
                    const struct frozen_bounds *bounds)
{
    uint32_t kind = message->kind;
    frozen_u32_to(frozen, &kind, MESSAGE_SUMS);
    if (frozen_reads(frozen)) {
        memset(message, 0, sizeof *message);
        message->kind = kind == 0 ? MESSAGE_PULL : (enum message_kind)kind;
        if (kind == 0)
            frozen_refuse(frozen);
    }
    switch (message->kind) {
    case MESSAGE_MODEL:
        freeze_model(frozen, &message->model, bare, bounds);
        break;
    case MESSAGE_SHUFFLE:
    case MESSAGE_SHUFFLE_REPLY:
        freeze_shuffle(frozen, &message->shuffle, bounds);
        break;
    case MESSAGE_PULL:
        frozen_bytes(frozen, message->pull.task, TASK_ID_BYTES);
        frozen_u32(frozen, &message->pull.nonce);
        break;
    case MESSAGE_SUMS:
        freeze_sums(frozen, &message->sums, bare, bounds);
        break;
    }
}

void frozen_agreement(struct frozen *frozen, struct agreement *agreement)
{
    frozen_doubles(frozen, agreement->sums, SUMS * agreement->features);
    frozen_u64(frozen, &agreement->next_us);
    frozen_u32(frozen, &agreement->rounds);
    frozen_u32(frozen, &agreement->lonely);
    frozen_u32(frozen, &agreement->heard);
    frozen_flag(frozen, &agreement->settled);
}
