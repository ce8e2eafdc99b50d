#include "gossip/view.h"

#include <assert.h>

void view_init(struct view *view, peer_id self, struct view_entry *entries, size_t capacity)
{
    assert(capacity >= 1 && capacity <= VIEW_MAX);
    *view = (struct view){.self = self, .capacity = (uint16_t)capacity, .entries = entries};
}

/* The place of a peer, or view->count. */
static size_t find(const struct view *view, peer_id peer)
{
    size_t place = 0;
    while (place < view->count && view->entries[place].peer != peer)
        place++;
    return place;
}

bool view_has(const struct view *view, peer_id peer)
{
    return find(view, peer) < view->count;
}

bool view_add(struct view *view, peer_id peer)
{
    if (peer == view->self || peer == PEER_NONE || view->count == view->capacity ||
        view_has(view, peer))
        return false;
    view->entries[view->count++] = (struct view_entry){.peer = peer, .age = 0};
    return true;
}

void view_remove(struct view *view, peer_id peer)
{
    size_t place = find(view, peer);
    if (place < view->count)
        view->entries[place] = view->entries[--view->count];
}

/* The place of the oldest entry, in a view that has any. */
static size_t find_oldest(const struct view *view)
{
    size_t oldest = 0;
    for (size_t i = 1; i < view->count; i++)
        if (view->entries[i].age > view->entries[oldest].age)
            oldest = i;
    return oldest;
}

void view_put_first(struct view *view, peer_id peer)
{
    if (peer == view->self || peer == PEER_NONE)
        return;
    size_t place = find(view, peer);
    if (place == view->count && view->count == view->capacity)
        place = find_oldest(view);
    else if (place == view->count)
        view->count++;
    view->entries[place] = view->entries[0]; /* the first of those as old is turned to */
    view->entries[0] = (struct view_entry){.peer = peer, .age = VIEW_AGE_MAX};
}

peer_id view_pick(const struct view *view, struct random *random)
{
    return view->count ? view->entries[random_below(random, view->count)].peer : PEER_NONE;
}

/* Up to `most` random entries other than `without` into `sent`, by a partial Fisher–Yates over
 * places, so that the view's own order stays as it is. */
static size_t sample(const struct view *view, struct random *random, peer_id without,
                     struct view_entry *sent, size_t most)
{
    uint8_t places[VIEW_MAX];
    uint32_t left = 0;
    for (size_t i = 0; i < view->count; i++)
        if (view->entries[i].peer != without)
            places[left++] = (uint8_t)i;
    size_t count = 0;
    while (count < most && left > 0) {
        uint32_t pick = random_below(random, left);
        sent[count++] = view->entries[places[pick]];
        places[pick] = places[--left];
    }
    return count;
}

size_t view_shuffle(struct view *view, struct random *random, peer_id *partner,
                    struct view_entry sent[SHUFFLE_MAX])
{
    *partner = PEER_NONE;
    if (view->count == 0)
        return 0;
    for (size_t i = 0; i < view->count; i++)
        if (view->entries[i].age < VIEW_AGE_MAX)
            view->entries[i].age++;
    *partner = view->entries[find_oldest(view)].peer;
    if (view->count > 1)
        view_remove(view, *partner);
    sent[0] = (struct view_entry){.peer = view->self, .age = 0};
    return 1 + sample(view, random, *partner, sent + 1, SHUFFLE_MAX - 1);
}

size_t view_answer(const struct view *view, struct random *random, peer_id asker,
                   struct view_entry sent[SHUFFLE_MAX])
{
    return sample(view, random, asker, sent, SHUFFLE_MAX);
}

/* A bit for a peer: a view whose entries' bits lack it need not be looked through. */
static uint64_t bit_of(peer_id peer)
{
    return UINT64_C(1) << peer % 64;
}

size_t view_merge(struct view *view, const struct view_entry *received, size_t received_count,
                  const struct view_entry *sent, size_t sent_count)
{
    size_t entered = 0, next_sent = 0;
    uint64_t held = 0;
    for (size_t i = 0; i < view->count; i++)
        held |= bit_of(view->entries[i].peer);
    for (size_t i = 0; i < received_count; i++) {
        peer_id peer = received[i].peer;
        if (peer == PEER_NONE || peer == view->self)
            continue;
        size_t place = held & bit_of(peer) ? find(view, peer) : view->count;
        if (place < view->count) {
            if (received[i].age < view->entries[place].age)
                view->entries[place].age = received[i].age;
            continue;
        }
        if (view->count < view->capacity) {
            place = view->count++;
        } else {
            place = view->count;
            while (place == view->count && next_sent < sent_count)
                place = find(view, sent[next_sent++].peer);
            if (place == view->count)
                break;
        }
        view->entries[place] = received[i];
        held |= bit_of(peer);
        entered++;
    }
    return entered;
}
