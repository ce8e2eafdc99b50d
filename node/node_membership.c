/* Who we are to others, and who others are to us. */
#include "node/node_inside.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "node/authority.h"
#include "node/files.h"

#define CERTIFICATE "membership.cert"
#define SWARM "swarm.pub"
#define SEQUENCE "descriptor-sequence"

static void say_when(int64_t seconds, char *out, size_t size)
{
    time_t time = (time_t)seconds;
    struct tm parts;
    if (!gmtime_r(&time, &parts) || strftime(out, size, "%Y-%m-%d %H:%M UTC", &parts) == 0)
        snprintf(out, size, "%lld s", (long long)seconds);
}

/* Whether a certificate makes this node a member now; if not, `problem` says why and what to do. */
static enum refusal judge_certificate(struct node *node, const uint8_t *bytes, size_t size,
                                      struct membership *membership, struct problem *problem)
{
    char when[40];
    enum refusal refusal = membership_verify(bytes, size, node->swarm, membership);
    if (refusal == REFUSED_WRONG_SWARM)
        problem_set(problem, STARLING_INVALID,
                    "the certificate is for another swarm than " SWARM " names: ask this swarm's "
                    "authority for one");
    else if (refusal == REFUSED_BAD_SIGNATURE)
        problem_set(problem, STARLING_INVALID,
                    "the certificate was not signed by this swarm's authority: get it again");
    else if (refusal != REFUSED_NOT)
        problem_set(problem, STARLING_INVALID,
                    "the certificate is damaged or of an unknown version: get it again");
    else if (memcmp(membership->identity, node->identity->keys.identity, KEY_BYTES) != 0 ||
             memcmp(membership->curve, node->identity->keys.curve, KEY_BYTES) != 0) {
        refusal = REFUSED_NO_MEMBERSHIP;
        problem_set(problem, STARLING_INVALID,
                    "the certificate is for another node's keys: send this node's node.pub to the "
                    "authority");
    } else if (wall_clock_set(&node->now)) {
        refusal = membership_valid_at(membership, node->now.wall_s);
        bool ended = refusal == REFUSED_EXPIRED;
        say_when(ended ? membership->not_after : membership->not_before, when, sizeof when);
        if (refusal != REFUSED_NOT)
            problem_set(problem, STARLING_INVALID,
                        ended ? "the membership ended at %s: ask the authority for a new one"
                              : "the membership begins at %s: wait, or set this device's clock",
                        when);
    }
    return refusal;
}

enum starling_error descriptor_renew(struct node *node, struct problem *problem)
{
    /* Never below the clock: a node that lost its store goes on above what it told before. */
    uint64_t sequence = node->descriptor_sequence + 1;
    if (node->now.wall_s > 0 && (uint64_t)node->now.wall_s > sequence)
        sequence = (uint64_t)node->now.wall_s;
    struct descriptor descriptor = {.sequence = sequence, .time = node->now.wall_s};
    memcpy(descriptor.identity, node->identity->keys.identity, KEY_BYTES);
    snprintf(descriptor.endpoint, sizeof descriptor.endpoint, "%s", node->endpoint);
    node->descriptor_sequence = sequence;
    node->descriptor_size =
        descriptor_sign(&descriptor, node->identity->identity_secret, node->descriptor);
    if (node->descriptor_size == 0)
        return problem_set(problem, STARLING_INVALID,
                           "node.advertise: %s cannot be told to others: set it to "
                           "tcp://HOST:PORT",
                           node->endpoint);
    note_number(node, SEQUENCE, sequence);
    return STARLING_OK;
}

static void become_member(struct node *node)
{
    char id[KEY_HEX_SIZE], swarm[KEY_HEX_SIZE], until[40];
    struct problem problem = {0};
    if (descriptor_renew(node, &problem)) {
        log_write(node->log, LOG_ERROR, "%s", problem.text);
        return;
    }
    struct card membership = {node->certificate, node->certificate_size};
    struct card descriptor = {node->descriptor, node->descriptor_size};
    if (!roster_set_self(&node->roster, &membership, &descriptor)) {
        log_write(node->log, LOG_ERROR, "out of memory for this node's own card");
        return;
    }
    node->member = true;
    node->awaiting[0] = '\0';
    transport_forget_failures(node->transport);
    transport_set_open(node->transport, true, node->now.monotonic_us);
    key_hex(node->identity->keys.identity, id);
    key_hex(node->swarm, swarm);
    say_when(node->membership.not_after, until, sizeof until);
    log_write(node->log, LOG_INFO, "node %.16s is a member of swarm %.16s until %s", id, swarm,
              until);
    node_seek_soon(node);
    if (node->autostart)
        learning_start(node);
}

static void await_membership(struct node *node, const char *why)
{
    if (node->member || strcmp(node->awaiting, why) != 0)
        log_write(node->log, LOG_WARN, "awaiting membership: %s", why);
    snprintf(node->awaiting, sizeof node->awaiting, "%s", why);
    node->member = false;
    transport_set_open(node->transport, false, node->now.monotonic_us);
}

void membership_check(struct node *node)
{
    struct problem problem = {0};
    if (!node->has_swarm || node->certificate_size == 0) {
        await_membership(node, node->has_swarm ? "no " CERTIFICATE
                                                 " yet: send node.pub to the swarm's "
                                                 "authority, then starlingctl accept FILE.cert"
                                               : "no " SWARM ": this node belongs to no swarm");
    } else if (judge_certificate(node, node->certificate, node->certificate_size, &node->membership,
                                 &problem) != REFUSED_NOT) {
        await_membership(node, problem.text);
    } else if (!node->member) {
        become_member(node);
    }
}

enum node_outcome membership_load(struct node *node, struct problem *problem)
{
    char path[PATH_MAX];
    if (file_path(path, sizeof path, node->dir, SWARM, problem))
        return NODE_WRONG;
    if (access(path, F_OK) == 0) {
        if (swarm_read(path, node->swarm, problem))
            return NODE_WRONG;
        node->has_swarm = true;
    }
    if (file_path(path, sizeof path, node->dir, CERTIFICATE, problem))
        return NODE_WRONG;
    if (access(path, F_OK) == 0 &&
        certificate_read(path, node->certificate, &node->certificate_size, problem))
        return NODE_WRONG;
    if (!node->options.require_membership)
        return NODE_ENDED;
    struct problem why = {0};
    if (!node->has_swarm || node->certificate_size == 0) {
        problem_set(problem, STARLING_INVALID,
                    "%s: no %s there: this node is not a member of a swarm: starlingctl accept "
                    "FILE.cert",
                    node->dir, node->has_swarm ? CERTIFICATE : SWARM);
        return NODE_NOT_A_MEMBER;
    }
    if (judge_certificate(node, node->certificate, node->certificate_size, &node->membership,
                          &why) == REFUSED_NOT)
        return NODE_ENDED;
    problem_set(problem, STARLING_INVALID, "%s: %s", path, why.text);
    return NODE_NOT_A_MEMBER;
}

enum starling_error membership_accept(struct node *node, const uint8_t *bytes, size_t size,
                                      struct problem *problem)
{
    char path[PATH_MAX];
    struct membership membership;
    if (!node->has_swarm)
        return problem_set(problem, STARLING_INVALID,
                           "no " SWARM " in the node's folder: put the swarm's there and restart");
    if (judge_certificate(node, bytes, size, &membership, problem) != REFUSED_NOT)
        return STARLING_INVALID;
    enum starling_error error = file_path(path, sizeof path, node->dir, CERTIFICATE, problem);
    if (!error)
        error = certificate_write(path, bytes, size, problem);
    if (error)
        return error;
    memcpy(node->certificate, bytes, size);
    node->certificate_size = size;
    /* Connections made with the former certificate are made again with this one. */
    node->member = false;
    transport_set_open(node->transport, false, node->now.monotonic_us);
    membership_check(node);
    return STARLING_OK;
}

void membership_expire_peers(struct node *node)
{
    if (!wall_clock_set(&node->now))
        return;
    for (peer_id i = ROSTER_SELF + 1; i < node->roster.count; i++) {
        const struct peer_record *record = roster_peer(&node->roster, i);
        struct membership membership = {.not_before = record->not_before,
                                        .not_after = record->not_after};
        if (!record->connected || membership_valid_at(&membership, node->now.wall_s) == REFUSED_NOT)
            continue;
        node_refused(node, REFUSED_EXPIRED, i, "");
        gossip_peer_down(&node->participant.gossip, i);
        transport_cut(node->transport, record->curve, REFUSED_EXPIRED, node->now.monotonic_us);
    }
}

size_t node_greet(void *self, bool reply, uint8_t *out)
{
    const struct node *node = self;
    struct hello hello = {
        .version_least = PROTOCOL_VERSION,
        .version_most = PROTOCOL_VERSION,
        .membership = {node->certificate, node->certificate_size},
        .descriptor = {node->descriptor, node->descriptor_size},
        .task_count = 1,
        .time = wall_clock_set(&node->now) ? node->now.wall_s : 0,
        .reply = reply,
    };
    memcpy(hello.swarm, node->swarm, KEY_BYTES);
    memcpy(hello.tasks[0], node->settings.gossip.task, TASK_ID_BYTES);
    return node->has_swarm ? hello_encode(&hello, out) : 0;
}

enum refusal node_judge(void *self, const uint8_t curve[KEY_BYTES], const uint8_t *bytes,
                        size_t size, peer_id *peer)
{
    struct node *node = self;
    struct hello hello;
    struct membership membership;
    struct descriptor descriptor;
    enum refusal refusal = hello_decode(bytes, size, &hello);
    if (refusal == REFUSED_NOT)
        refusal = hello_judge(&hello, node->swarm, curve, node->now.wall_s,
                              wall_clock_set(&node->now), &membership, &descriptor);
    if (refusal != REFUSED_NOT)
        return refusal;
    if (!node->member) /* it let us in, but we may not let it in */
        return REFUSED_NO_MEMBERSHIP;
    if (!endpoint_valid(descriptor.endpoint))
        return REFUSED_MALFORMED;
    peer_id evicted;
    *peer = roster_learn(&node->roster, &membership, &descriptor, &hello.membership,
                         &hello.descriptor, &evicted);
    if (evicted != PEER_NONE)
        node_forget(node, evicted);
    if (*peer == ROSTER_SELF) {
        log_limited(node->log, LOG_WARN, REFUSED_MALFORMED, node->now.monotonic_us,
                    "another node runs with this node's keys: give each node its own");
        return REFUSED_MALFORMED;
    }
    if (*peer == PEER_NONE)
        return REFUSED_RATE;
    if (wall_clock_hear(&node->clock, *peer, hello.time, &node->now))
        log_write(node->log, LOG_INFO, "the clock is unset: two members agree on the time");
    return REFUSED_NOT;
}
