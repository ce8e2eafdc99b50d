#include "gossip/inbox.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 1

void inbox_clear(struct gossip *gossip)
{
    for (uint32_t i = 0; i < gossip->waiting_count; i++)
        version_release(&gossip->inbox[i].model);
    inbox_taken(gossip);
}

void inbox_taken(struct gossip *gossip)
{
    free(gossip->inbox);
    gossip->inbox = NULL;
    gossip->pieces = NULL;
    gossip->waiting_count = gossip->waiting_room = 0;
}

bool inbox_make_room(struct gossip *gossip, uint32_t room)
{
    uint32_t count = gossip->waiting_count;
    size_t each = sizeof *gossip->inbox + gossip->settings->pieces * sizeof *gossip->pieces;
    struct waiting *inbox = malloc(room * each);
    if (!inbox)
        return false;
    struct waiting_piece *pieces = (struct waiting_piece *)(inbox + room);
    if (count > 0)
        memcpy(inbox, gossip->inbox, count * sizeof *inbox);
    if (count > 0 && gossip->pieces)
        memcpy(pieces, gossip->pieces, count * sizeof *pieces);
    free(gossip->inbox);
    gossip->inbox = inbox;
    gossip->pieces = gossip->settings->pieces ? pieces : NULL;
    gossip->waiting_room = room;
    return true;
}

/* Room for one more, up to settings->inbox; false when there is none to be had. */
static bool has_room(struct gossip *gossip)
{
    uint32_t room = gossip->waiting_room ? 2 * gossip->waiting_room : ROOM_FIRST;
    uint32_t most = gossip->settings->inbox;
    room = room < most ? room : most;
    if (gossip->waiting_count < gossip->waiting_room || room == gossip->waiting_room)
        return gossip->waiting_count < gossip->waiting_room;
    return inbox_make_room(gossip, room);
}

struct waiting_piece inbox_piece(const struct gossip *gossip, uint32_t place)
{
    if (gossip->pieces)
        return gossip->pieces[place];
    return (struct waiting_piece){.piece = piece_whole(gossip->settings->parameters)};
}

/* Which model this is, of those that wait and carry a given parameter, from 1: of pieces, most
 * likely. */
static unsigned order_of(const struct gossip *gossip, uint32_t place)
{
    size_t parameters = gossip->settings->parameters;
    const struct waiting_piece *pieces = gossip->pieces;
    if (!pieces)
        return place + 1;
    const struct piece *piece = &pieces[place].piece;
    size_t first, size;
    double before = 0;
    piece_range(piece, parameters, &first, &size);
    for (uint32_t i = 0; i < place; i++)
        before += piece_share(&pieces[i].piece, parameters) *
                  (double)piece_common(&pieces[i].piece, piece, parameters) / (double)size;
    return 1 + (unsigned)(before + .5);
}

/* Whether nothing that came later carries the same. */
static bool is_last(const struct gossip *gossip, uint32_t place)
{
    const struct piece piece = inbox_piece(gossip, place).piece;
    for (uint32_t i = place + 1; i < gossip->waiting_count; i++) {
        const struct piece later = inbox_piece(gossip, i).piece;
        if (piece_common(&piece, &later, gossip->settings->parameters) > 0)
            return false;
    }
    return true;
}

/* A walk takes the last one over; and no single claim carries a node away. */
struct merge_verdict inbox_judge(const struct gossip *gossip, uint32_t place,
                                 const struct ages *ages)
{
    const struct gossip_settings *settings = gossip->settings;
    const struct waiting_piece piece = inbox_piece(gossip, place);
    double theirs = gossip->inbox[place].age, mine = ages_of(ages, &piece.piece);
    struct merge_verdict verdict;
    if (settings->order != ORDER_WALK)
        verdict = merge_judge(&settings->merge, mine, theirs, order_of(gossip, place));
    else if (is_last(gossip, place))
        verdict = (struct merge_verdict){.alpha = 1, .age = theirs};
    else
        verdict = (struct merge_verdict){.ignore = true, .age = mine};
    double age = fmin(verdict.age, 2 * mine + AGE_LEAP);
    if (settings->order == ORDER_WALK && !verdict.ignore)
        ages_renew(ages, &piece.piece, age);
    else if (!verdict.ignore)
        ages_raise(ages, &piece.piece, age);
    return verdict;
}

/* Whether what waits at this place is the same fragment of the same peer's model. */
static bool is_older(const struct gossip *gossip, uint32_t place, peer_id from,
                     const struct piece *piece)
{
    const struct piece waiting = inbox_piece(gossip, place).piece;
    return gossip->inbox[place].from == from && waiting.fragments == piece->fragments &&
           waiting.fragment == piece->fragment;
}

static void push_out(struct gossip *gossip, uint32_t place)
{
    size_t after = --gossip->waiting_count - place;
    version_release(&gossip->inbox[place].model);
    gossip->counters.pushed_out++;
    memmove(&gossip->inbox[place], &gossip->inbox[place + 1], after * sizeof gossip->inbox[0]);
    if (gossip->pieces)
        memmove(&gossip->pieces[place], &gossip->pieces[place + 1],
                after * sizeof gossip->pieces[0]);
}

bool inbox_keep(struct gossip *gossip, peer_id from, const struct model_message *message)
{
    uint32_t place = 0;
    while (place < gossip->waiting_count && !is_older(gossip, place, from, &message->piece))
        place++;
    bool known = place < gossip->waiting_count;
    if (known && message->sequence <= gossip->inbox[place].sequence) {
        struct version *stale = message->model;
        version_release(&stale);
        gossip->counters.stale++;
        return false;
    }
    if (known)
        push_out(gossip, place);
    else if (!has_room(gossip) && gossip->waiting_count > 0)
        push_out(gossip, 0);
    if (gossip->waiting_count == gossip->waiting_room) { /* memory is out */
        struct version *lost = message->model;
        version_release(&lost);
        gossip->counters.pushed_out++;
        return false;
    }
    if (gossip->pieces)
        gossip->pieces[gossip->waiting_count] =
            (struct waiting_piece){message->piece, message->decoded};
    gossip->inbox[gossip->waiting_count++] = (struct waiting){
        .model = message->model, .age = message->age, .sequence = message->sequence, .from = from};
    return true;
}
