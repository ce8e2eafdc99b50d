#include "tests/world/laws.h"

#include <math.h>
#include <string.h>

#include "gossip/inbox.h"
#include "model/vector.h"
#include "tests/world/stand.h"

#define LATE_S 70        /* until chores notice that a membership has ended */
#define NORM_MOST 1000   /* of a model in a world where nobody means harm */
#define GROWTH_MOST 4000 /* of a convex one in a round: NORM_RATIO_MAX, some merges, a pass */
#define VECTORS_MOST 64  /* that a device holds, beside two for each place in its inbox */
#define HASTE_MOST 1.5   /* rounds a period: they jitter */
#define HASTE_SPARE 5
#define ROUNDING 1e-9

static const struct truth *truth_of(const struct world *world, const uint8_t *identity,
                                    const uint8_t *curve)
{
    for (uint32_t i = 0; i < world->plan.devices + world->plan.strangers; i++) {
        const struct truth *truth = &world->truths[i];
        if ((!identity || memcmp(truth->identity, identity, KEY_BYTES) == 0) &&
            (!curve || memcmp(truth->curve, curve, KEY_BYTES) == 0))
            return truth;
    }
    return NULL;
}

/* Whether the device has reason to think so by its own clock. */
static bool is_valid(const struct device *device, const struct truth *truth, int64_t late_s)
{
    const struct now *now = &device->node->now;
    return !wall_clock_set(now) || (now->wall_s >= truth->not_before - CLOCK_TOLERANCE_S &&
                                    now->wall_s <= truth->not_after + CLOCK_TOLERANCE_S + late_s);
}

/* Also one whose membership is over is heard by whoever does not know the time. */
bool laws_has_insiders(const struct world *world)
{
    for (uint32_t i = 0; i < world->plan.devices + world->plan.strangers; i++)
        if (world->truths[i].member && !world->truths[i].honest)
            return true;
    return false;
}

static void check_roster(struct device *device)
{
    struct world *world = device->world;
    const struct roster *roster = &device->node->roster;
    uint32_t members = 0;
    for (uint32_t i = 0; i < world->plan.devices + world->plan.strangers; i++)
        members += world->truths[i].member;
    if (roster->count > members)
        broken(world, "device %u knows %u peers, and there are %u members", device->number,
               roster->count, members);
    for (peer_id i = 0; i < roster->count; i++) {
        const struct peer_record *record = &roster->peers[i];
        const struct truth *truth = truth_of(world, record->identity, record->curve);
        if (!truth || !truth->member)
            broken(world, "device %u has peer %u in its roster, who is no member", device->number,
                   i);
        if (record->connected && i != ROSTER_SELF && !stand_transport_has(device->transport, i))
            broken(world, "device %u thinks peer %u connected", device->number, i);
        if (record->offences >= OFFENCES_MAX && !record->cut)
            broken(world, "device %u bears %u offences of peer %u", device->number,
                   record->offences, i);
    }
}

static void check_view(struct device *device)
{
    struct world *world = device->world;
    const struct gossip *gossip = &device->node->participant.gossip;
    const struct view *view = &gossip->view;
    if (view->count > view->capacity || view->capacity != device->config.gossip.view)
        broken(world, "device %u: %u in a view of %u", device->number, view->count, view->capacity);
    for (uint32_t i = 0; i < view->count; i++) {
        peer_id peer = view->entries[i].peer;
        if (peer == ROSTER_SELF || peer >= device->node->roster.count)
            broken(world, "device %u: %u in its own view", device->number, peer);
        for (uint32_t j = 0; j < i; j++)
            if (view->entries[j].peer == peer)
                broken(world, "device %u: peer %u is twice in its view", device->number, peer);
    }
}

static void check_bounds(struct device *device)
{
    struct world *world = device->world;
    const struct node *node = device->node;
    const struct gossip *gossip = &node->participant.gossip;
    const struct gossip_settings *settings = gossip->settings;
    if (gossip->waiting_count > gossip->waiting_room || gossip->waiting_room > settings->inbox)
        broken(world, "device %u: %u wait in an inbox of %u", device->number, gossip->waiting_count,
               settings->inbox);
    if (gossip->news_count > settings->inbox || gossip->tokens > settings->flow.token_most ||
        gossip->answered > PULLS_VIEWS * settings->view)
        broken(world, "device %u: %u news, %u tokens, %u pulls answered", device->number,
               gossip->news_count, gossip->tokens, gossip->answered);
    if (node->notes > 2 * 256 || node->seed_count > SEEDS_MAX)
        broken(world, "device %u: %zu notes wait", device->number, node->notes);
    size_t most = world->plan.devices * (VECTORS_MOST + 2 * (size_t)settings->inbox);
    if (stand_vectors() > most)
        broken(world, "%zu vectors are held, at most %zu should be", stand_vectors(), most);
}

static bool is_finite(const struct world *world, const struct version *version)
{
    return !version_made(version) || vector_finite(version->values, model_parameters(world->model));
}

static void check_models(struct device *device)
{
    struct seen *seen = &device->seen;
    const struct participant *participant = &device->node->participant;
    if ((seen->published != participant->gossip.published &&
         !is_finite(device->world, participant->gossip.published)) ||
        (seen->served != participant->served && !is_finite(device->world, participant->served)))
        broken(device->world, "device %u: a parameter is not finite", device->number);
    seen->published = participant->gossip.published;
    seen->served = participant->served;
}

static void check_ages(struct device *device)
{
    struct world *world = device->world;
    struct seen *seen = &device->seen;
    const struct gossip *gossip = &device->node->participant.gossip;
    bool walk = gossip->settings->order == ORDER_WALK; /* a model takes the other's place, however
                                                           young it is */
    if (!isfinite(gossip->age) || gossip->age < 0 || gossip->age > AGE_MAX)
        broken(world, "device %u: age %g", device->number, gossip->age);
    if (!walk && gossip->age < seen->age - ROUNDING * seen->age)
        broken(world, "device %u: age %.17g after %.17g", device->number, gossip->age, seen->age);
    if (!laws_has_insiders(world) && gossip->age > (double)world->total_passes + ROUNDING)
        broken(world, "device %u: age %g, and all have made %llu passes", device->number,
               gossip->age, (unsigned long long)world->total_passes);
    seen->age = gossip->age;
    for (uint32_t i = 0; gossip->ages && i < gossip->settings->fragments; i++) {
        if (!walk && gossip->ages[i] < seen->ages[i])
            broken(world, "device %u: age %.17g of fragment %u after %.17g", device->number,
                   gossip->ages[i], i, seen->ages[i]);
        seen->ages[i] = gossip->ages[i];
    }
}

static void check_order(struct device *device)
{
    struct seen *seen = &device->seen;
    const struct participant *participant = &device->node->participant;
    const struct gossip *gossip = &participant->gossip;
    if (gossip->round < seen->round || gossip->passes < seen->passes ||
        gossip->sequence < seen->sequence || participant->works < seen->works)
        broken(device->world, "device %u: a round or sequence ran backwards", device->number);
    double periods = (double)(device->world->now_us - seen->started_us) /
                     (double)device->config.gossip.period_us;
    if ((double)(gossip->round - seen->started_round) > HASTE_MOST * periods + HASTE_SPARE)
        broken(device->world, "device %u: %llu rounds in %.1f periods", device->number,
               (unsigned long long)(gossip->round - seen->started_round), periods);
    if (gossip->passes > participant->works || participant->works > gossip->passes + 1ull)
        broken(device->world, "device %u: %llu works begun, %u finished", device->number,
               (unsigned long long)participant->works, gossip->passes);
    seen->round = gossip->round;
    seen->passes = gossip->passes;
    seen->sequence = gossip->sequence;
    seen->works = participant->works;
    check_ages(device);
}

static void check_books(struct device *device)
{
    struct world *world = device->world;
    const struct totals *totals = &device->node->totals;
    const struct books *books = &world->books;
    if (totals->bytes_out != device->expected_out || totals->bytes_in != device->expected_in)
        broken(world, "device %u says %llu bytes out and %llu in, it is %llu and %llu",
               device->number, (unsigned long long)totals->bytes_out,
               (unsigned long long)totals->bytes_in, (unsigned long long)device->expected_out,
               (unsigned long long)device->expected_in);
    if (books->sent + books->repeated !=
        books->lost + books->unheard + books->refused + books->heard + books->under_way)
        broken(world, "%llu bytes sent are not those received and lost",
               (unsigned long long)books->sent);
}

/* A clock that others have set is another one from now on. */
static void see_clock(struct device *device)
{
    bool set = wall_clock_set(&device->node->now);
    if (set && !device->seen.clock_set)
        device->jumped_us = device->world->now_us;
    device->seen.clock_set = set;
}

void laws_check(struct device *device)
{
    see_clock(device);
    check_bounds(device);
    check_view(device);
    check_roster(device);
    check_order(device);
    check_models(device);
    check_books(device);
}

void laws_started(struct device *device)
{
    struct world *world = device->world;
    const struct gossip *gossip = &device->node->participant.gossip;
    const struct kept *kept = &device->kept;
    device->seen.started_us = world->now_us;
    device->seen.started_round = gossip->round;
    if (kept->slot && (gossip->age < kept->age || gossip->round < kept->round ||
                       gossip->passes < kept->works || gossip->sequence < kept->sequence))
        broken(world,
               "device %u starts at age %g, round %u, sequence %llu: on disk were %g, %llu, %llu",
               device->number, gossip->age, gossip->round, (unsigned long long)gossip->sequence,
               kept->age, (unsigned long long)kept->round, (unsigned long long)kept->sequence);
    if (device->node->descriptor_sequence <= kept->descriptor_sequence)
        broken(world, "device %u starts with descriptor %llu: on disk was %llu", device->number,
               (unsigned long long)device->node->descriptor_sequence,
               (unsigned long long)kept->descriptor_sequence);
    if (device->node->descriptor_sequence <= kept->told_sequence)
        broken(world, "device %u starts with descriptor %llu: the others know %llu", device->number,
               (unsigned long long)device->node->descriptor_sequence,
               (unsigned long long)kept->told_sequence);
}

void laws_ended(struct device *device)
{
    laws_check(device);
}

void laws_greets(struct device *device)
{
    uint64_t sequence = device->node->descriptor_sequence;
    if (sequence < device->kept.told_sequence)
        broken(device->world, "device %u tells descriptor %llu after %llu", device->number,
               (unsigned long long)sequence, (unsigned long long)device->kept.told_sequence);
    device->kept.told_sequence = sequence;
}

static void check_model(struct device *device, const struct model_message *model,
                        const struct packet *packet)
{
    struct world *world = device->world;
    size_t parameters = model_parameters(world->model);
    if (model->sequence > device->node->participant.gossip.sequence)
        broken(world, "device %u sends sequence %llu before its time", device->number,
               (unsigned long long)model->sequence);
    if (!piece_fits(&model->piece, parameters) ||
        !piece_decode(&model->piece, packet->payload, packet->payload_size, NULL))
        broken(world, "device %u sends a model that is none", device->number);
}

void laws_sent(struct device *device, const struct packet *packet)
{
    struct gossip_message message;
    struct card cards[SHUFFLE_MAX];
    device->expected_out += packet->wire_bytes;
    if (message_decode(packet->header, packet->header_size, &message, cards) != REFUSED_NOT)
        broken(device->world, "device %u sends what nobody can read", device->number);
    else if (message_wire_bytes(&message, packet->header_size) != packet->wire_bytes)
        broken(device->world, "device %u counts %zu bytes for a message of %zu", device->number,
               packet->wire_bytes, message_wire_bytes(&message, packet->header_size));
    else if (message.kind == MESSAGE_MODEL)
        check_model(device, &message.model, packet);
}

void laws_judged(struct device *device, const uint8_t curve[KEY_BYTES], const struct packet *packet,
                 enum refusal refusal, peer_id peer)
{
    struct world *world = device->world;
    const struct truth *truth = truth_of(world, NULL, curve);
    const struct peer_record *record =
        refusal == REFUSED_NOT ? roster_peer(&device->node->roster, peer) : NULL;
    bool may = truth && truth->member && is_valid(device, truth, 0);
    if (refusal == REFUSED_NOT &&
        (!may || !record || memcmp(record->identity, truth->identity, KEY_BYTES) != 0))
        broken(world, "device %u lets in somebody who is no member", device->number);
    bool must = may && truth->honest && packet->from->device && device->node->member;
    if (must && refusal != REFUSED_NOT)
        broken(world, "device %u refuses device %u: %s", device->number, packet->from->number,
               refusal_name(refusal));
}

static struct waiting_before waiting_at(const struct gossip *gossip, uint32_t place)
{
    const struct piece piece = inbox_piece(gossip, place).piece;
    return (struct waiting_before){.from = gossip->inbox[place].from,
                                   .fragment = piece.fragment,
                                   .fragments = piece.fragments,
                                   .sequence = gossip->inbox[place].sequence};
}

struct hearing laws_before(const struct device *device)
{
    const struct totals *totals = &device->node->totals;
    const struct gossip *gossip = &device->node->participant.gossip;
    struct hearing hearing = {.messages = totals->messages_in,
                              .bytes = totals->bytes_in,
                              .malformed = totals->refused[REFUSED_MALFORMED],
                              .badly_signed = totals->refused[REFUSED_BAD_SIGNATURE],
                              .waiting_count = gossip->waiting_count};
    for (uint32_t i = 0; i < hearing.waiting_count; i++)
        hearing.waiting[i] = waiting_at(gossip, i);
    return hearing;
}

/* The newest of each peer's models waits, or of each piece of it. */
static void check_waiting(struct device *device, const struct hearing *hearing)
{
    const struct gossip *gossip = &device->node->participant.gossip;
    for (uint32_t i = 0; i < gossip->waiting_count; i++) {
        const struct waiting_before now = waiting_at(gossip, i);
        for (uint32_t j = 0; j < hearing->waiting_count; j++) {
            const struct waiting_before *then = &hearing->waiting[j];
            if (then->from == now.from && then->fragment == now.fragment &&
                then->fragments == now.fragments && then->sequence > now.sequence)
                broken(device->world, "device %u keeps sequence %llu of peer %u and had %llu",
                       device->number, (unsigned long long)now.sequence, now.from,
                       (unsigned long long)then->sequence);
        }
    }
}

/* What was taken in is looked at once more, by plain arithmetic. */
static void check_heard(struct device *device, const struct packet *packet)
{
    struct gossip_message message;
    struct card cards[SHUFFLE_MAX];
    bool read = message_decode(packet->header, packet->header_size, &message, cards) == REFUSED_NOT;
    if (!read || (message.kind == MESSAGE_MODEL && !isfinite(message.model.age)))
        broken(device->world, "device %u handles what nobody can read", device->number);
    if (!read || message.kind != MESSAGE_MODEL || message.model.piece.encoding != ENCODING_F32)
        return;
    if (memcmp(message.model.task, device->node->settings.gossip.task, TASK_ID_BYTES) != 0 ||
        packet->payload_size != message.model.piece.count * sizeof(float))
        broken(device->world, "device %u handles a model that is none of its task's",
               device->number);
    for (size_t at = 0; at + sizeof(float) <= packet->payload_size; at += sizeof(float)) {
        float value;
        memcpy(&value, packet->payload + at, sizeof value);
        if (!isfinite(value)) {
            broken(device->world, "device %u handles a parameter that is not finite",
                   device->number);
            return;
        }
    }
}

void laws_after(struct device *device, const uint8_t curve[KEY_BYTES], const struct packet *packet,
                const struct hearing *hearing)
{
    struct world *world = device->world;
    const struct totals *totals = &device->node->totals;
    const struct truth *truth = truth_of(world, NULL, curve);
    bool handled = totals->messages_in > hearing->messages;
    uint64_t bytes = totals->bytes_in - hearing->bytes;
    if (handled && (!truth || !truth->member))
        broken(world, "device %u handles a message of somebody who is no member", device->number);
    else if (handled && !is_valid(device, truth, LATE_S) &&
             world->now_us - device->jumped_us > LATE_S * UINT64_C(1000000))
        broken(world, "device %u handles a message of somebody whose membership has ended",
               device->number);
    check_waiting(device, hearing);
    if (handled)
        check_heard(device, packet);
    bool offended = totals->refused[REFUSED_MALFORMED] > hearing->malformed ||
                    totals->refused[REFUSED_BAD_SIGNATURE] > hearing->badly_signed;
    if (packet->from->device && offended)
        broken(world, "device %u takes a message of device %u for an offence", device->number,
               packet->from->number);
    if (packet->from->device && handled && bytes != packet->wire_bytes)
        broken(world, "device %u counts %llu bytes for a message of %zu", device->number,
               (unsigned long long)bytes, packet->wire_bytes);
    device->handled++;
    device->expected_in += packet->from->device ? handled * packet->wire_bytes : bytes;
    world->books.under_way -= packet->wire_bytes;
    *(handled ? &world->books.heard : &world->books.refused) += packet->wire_bytes;
}

void laws_unheard(struct device *device, const struct packet *packet)
{
    device->world->books.under_way -= packet->wire_bytes;
    device->world->books.unheard += packet->wire_bytes;
}

void laws_cut(struct device *device, const uint8_t curve[KEY_BYTES], enum refusal reason)
{
    const struct truth *truth = truth_of(device->world, NULL, curve);
    bool blamed = reason == REFUSED_MALFORMED || reason == REFUSED_BAD_SIGNATURE;
    if (truth && truth->honest && blamed && !laws_has_insiders(device->world))
        broken(device->world, "device %u cuts a device that broke no rule", device->number);
}

struct lesson laws_before_work(struct device *device, const struct work *work)
{
    size_t count = model_parameters(device->world->model);
    const struct gossip *gossip = &device->node->participant.gossip;
    struct lesson lesson = {.norm = sqrt(vector_norm2(work->from->values, count)),
                            .age = gossip->age,
                            .heard = work->heard_count};
    for (uint32_t i = 0; gossip->ages && i < gossip->settings->fragments; i++)
        lesson.age = fmax(lesson.age, gossip->ages[i]);
    return lesson;
}

void laws_after_work(struct device *device, const struct work *work, const struct lesson *lesson)
{
    struct world *world = device->world;
    const struct participant *participant = &device->node->participant;
    size_t count = model_parameters(world->model);
    double norm = sqrt(vector_norm2(participant->model->values, count)), most = lesson->age;
    world->total_passes++;
    for (uint32_t i = 0; i < lesson->heard; i++)
        most = 2 * most + AGE_LEAP;
    if (work->age > most * (1 + ROUNDING))
        broken(world, "device %u: age %g after %g and %u merges", device->number, work->age,
               lesson->age, lesson->heard);
    if (!isfinite(norm) || !is_finite(world, participant->model) ||
        (participant->readout && !is_finite(world, participant->readout)))
        broken(world, "device %u: a round's result is not finite", device->number);
    if (!laws_has_insiders(world) && norm > NORM_MOST)
        broken(world, "device %u: a model of length %g", device->number, norm);
    if (model_convex(world->model) && norm > GROWTH_MOST * (1 + lesson->norm))
        broken(world, "device %u: a model of length %g after %g", device->number, norm,
               lesson->norm);
}

static void note_saved(struct device *device, const struct saved *saved)
{
    struct kept *kept = &device->kept;
    kept->before.slot = kept->slot && !kept->spoilt;
    kept->spoilt = false;
    kept->before.age = kept->age;
    kept->before.round = kept->round;
    kept->before.works = kept->works;
    kept->before.sequence = kept->sequence;
    kept->slot = true;
    kept->age = saved->age;
    kept->round = saved->round;
    kept->works = saved->works;
    kept->sequence = saved->sequence;
}

void laws_noted(struct device *device, const struct note_job *job)
{
    if (job->problem.error)
        broken(device->world, "device %u cannot write: %s", device->number, job->problem.text);
    else if (job->kind == NOTE_SAVE)
        note_saved(device, &job->save.saved);
    else if (job->kind == NOTE_NUMBER && strcmp(job->number.name, "descriptor-sequence") == 0)
        device->kept.descriptor_sequence = job->number.value;
}
