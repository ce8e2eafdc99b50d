/* Finding peers: seeds from the configuration or the control socket, and those known before. */
#include "node/node_inside.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SEEK_FIRST_US UINT64_C(100000)
#define SEEK_MOST_US UINT64_C(5000000)
#define INTRODUCED_US UINT64_C(60000000)
#define SEEK_SEEDS 16 /* dialled at a time */
#define SEEK_KNOWN 4
#define APART_LEAST_US UINT64_C(60000000)
#define APART_PERIODS 20
#define REMEMBERED_MAX 256
#define SEED_SEPARATORS " \t\r\n,"

static void seed_keep(struct node *node, const struct seed *seed)
{
    for (size_t i = 0; i < node->seed_count; i++)
        if (memcmp(node->seeds[i].curve, seed->curve, KEY_BYTES) == 0) {
            node->seeds[i] = *seed;
            return;
        }
    if (node->seed_count < SEEDS_MAX)
        node->seeds[node->seed_count++] = *seed;
}

enum starling_error seeds_add(struct node *node, const char *text, bool introduced,
                              struct problem *problem)
{
    if (!node->seeds) {
        node->seeds = calloc(SEEDS_MAX, sizeof *node->seeds);
        if (!node->seeds)
            return problem_no_memory(problem, "the seeds");
    }
    while (*(text += strspn(text, SEED_SEPARATORS))) {
        char word[ENDPOINT_MAX + KEY_HEX_SIZE + 1];
        struct seed seed = {.until_us = introduced ? node->now.monotonic_us + INTRODUCED_US : 0};
        size_t length = strcspn(text, SEED_SEPARATORS);
        if (length >= sizeof word)
            return problem_set(problem, STARLING_INVALID,
                               "seed %.60s…: too long: write KEY@tcp://HOST:PORT", text);
        memcpy(word, text, length);
        word[length] = '\0';
        text += length;
        if (seed_parse(word, seed.curve, seed.endpoint, problem))
            return STARLING_INVALID;
        seed_keep(node, &seed);
    }
    return STARLING_OK;
}

bool node_keeps(void *self, peer_id peer)
{
    const struct node *node = self;
    const struct gossip *gossip = &node->participant.gossip;
    if (!node->has_participant)
        return false;
    if (view_has(&gossip->view, peer) || gossip->shuffle_partner == peer)
        return true;
    for (uint32_t i = 0; i < gossip->shuffle_sent_count; i++)
        if (gossip->shuffle_sent[i] == peer)
            return true;
    return false;
}

void node_unreachable(void *self, const uint8_t curve[KEY_BYTES], uint32_t failures)
{
    struct node *node = self;
    peer_id peer = roster_find_curve(&node->roster, curve);
    if (peer == PEER_NONE || peer == ROSTER_SELF)
        return;
    roster_peer(&node->roster, peer)->failures = failures;
    if (failures >= UNREACHABLE_FAILURES)
        gossip_peer_down(&node->participant.gossip, peer);
}

static void remember(void *self, const uint8_t *bytes, size_t size, int64_t last_seen)
{
    struct node *node = self;
    struct card card = {bytes, size};
    enum refusal refusal;
    peer_id evicted;
    (void)last_seen;
    if (size <= CARD_BYTES_MAX)
        roster_resolve(&node->roster, &card, node->now.wall_s, wall_clock_set(&node->now), &refusal,
                       &evicted);
}

/* What cannot be read back is found again by gossip. */
void peers_remember(struct node *node)
{
    struct problem problem = {0};
    if (node->has_swarm && store_peers(node->store, REMEMBERED_MAX, remember, node, &problem))
        log_write(node->log, LOG_WARN, "%s", problem.text);
}

size_t node_connected(const struct node *node)
{
    size_t connected = 0;
    for (peer_id i = ROSTER_SELF + 1; i < node->roster.count; i++)
        connected += roster_peer(&node->roster, i)->connected;
    return connected;
}

void node_seek_soon(struct node *node)
{
    node->seek_us = node->now.monotonic_us;
    node->seek_after_us = SEEK_FIRST_US;
}

static bool is_met(const struct node *node, const struct seed *seed)
{
    peer_id peer = roster_find_curve(&node->roster, seed->curve);
    return peer == ROSTER_SELF ||
           (peer != PEER_NONE && roster_peer(&node->roster, peer)->connected);
}

/* Dials some of the seeds, beginning anywhere; returns whether any is left to be met. */
static bool seek_seeds(struct node *node, bool alone)
{
    bool wanted = false;
    size_t count = node->seed_count, dialled = 0;
    size_t first = count > 0 ? randombytes_uniform((uint32_t)count) : 0;
    for (size_t i = 0; i < count && dialled < SEEK_SEEDS; i++) {
        struct seed *seed = &node->seeds[(first + i) % count];
        if (is_met(node, seed) || seed->until_us <= node->now.monotonic_us)
            seed->until_us = 0;
        wanted |= seed->until_us > 0;
        if (alone || seed->until_us > 0)
            dialled += transport_dial(node->transport, seed->curve, seed->endpoint,
                                      node->now.monotonic_us);
    }
    return wanted;
}

static void seek_known(struct node *node)
{
    for (size_t i = 0; i < SEEK_KNOWN; i++) {
        peer_id peer = 1 + randombytes_uniform(node->roster.count - 1);
        const struct peer_record *record = roster_peer(&node->roster, peer);
        transport_dial(node->transport, record->curve, record->endpoint, node->now.monotonic_us);
    }
}

/* The transport knows which of them failed lately, and waits longer each time. */
void node_seek(struct node *node)
{
    uint64_t now_us = node->now.monotonic_us;
    if (now_us < node->seek_us)
        return;
    bool alone = node_connected(node) == 0;
    bool known = alone && node->member && node->roster.count > 1;
    bool wanted = seek_seeds(node, alone);
    if (known)
        seek_known(node);
    if (!wanted && !known && (!alone || node->seed_count == 0)) {
        node->seek_us = UINT64_MAX;
        return;
    }
    node->seek_us = now_us + node->seek_after_us;
    node->seek_after_us *= 2;
    if (node->seek_after_us > SEEK_MOST_US)
        node->seek_after_us = SEEK_MOST_US;
}

/* Dials some of the seeds that were not met yet. True when one of them has come since: the next
 * shuffle is with it. */
static bool meet_seed(struct node *node)
{
    size_t count = node->seed_count, dialled = 0;
    size_t first = count > 0 ? randombytes_uniform((uint32_t)count) : 0;
    for (size_t i = 0; i < count && dialled < SEEK_SEEDS; i++) {
        struct seed *seed = &node->seeds[(first + i) % count];
        peer_id peer = roster_find_curve(&node->roster, seed->curve);
        if (seed->met || peer == ROSTER_SELF)
            continue;
        seed->met = is_met(node, seed);
        if (seed->met) {
            gossip_peer_next(&node->participant.gossip, peer);
            return true;
        }
        dialled +=
            transport_dial(node->transport, seed->curve, seed->endpoint, node->now.monotonic_us);
    }
    return false;
}

/* Somebody known who is not in the view. */
static void meet_known(struct node *node)
{
    struct gossip *gossip = &node->participant.gossip;
    peer_id chosen = PEER_NONE;
    uint32_t outside = 0;
    for (peer_id peer = ROSTER_SELF + 1; peer < node->roster.count; peer++) {
        const struct peer_record *record = roster_peer(&node->roster, peer);
        bool may = record->endpoint[0] || record->connected;
        if (may && !view_has(&gossip->view, peer) && randombytes_uniform(++outside) == 0)
            chosen = peer;
    }
    if (chosen != PEER_NONE)
        gossip_peer_next(gossip, chosen);
}

/* Parts of a swarm that came about apart, or that a long partition has made forget each other, are
 * each whole by themselves, and would stay apart. One such shuffle joins them again. */
void node_seek_apart(struct node *node)
{
    uint64_t now_us = node->now.monotonic_us;
    if (now_us < node->apart_us)
        return;
    uint64_t wait_us = APART_PERIODS * node->settings.gossip.period_us;
    if (wait_us < APART_LEAST_US)
        wait_us = APART_LEAST_US;
    bool begun = node->apart_us > 0;
    node->apart_us =
        now_us + wait_us / 2 + UINT64_C(1000) * randombytes_uniform((uint32_t)(wait_us / 1000));
    if (begun && node_learns(node) && !meet_seed(node))
        meet_known(node);
}
