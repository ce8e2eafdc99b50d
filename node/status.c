#include "node/status.h"

#include <math.h>
#include <stdio.h>

#include "node/node_inside.h"
#include "node/task.h"

static json_t *count_json(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* NaN is null. */
static json_t *number_json(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *key_json(const uint8_t key[KEY_BYTES])
{
    char hex[KEY_HEX_SIZE];
    key_hex(key, hex);
    return json_string(hex);
}

const char *status_state(const struct node *node)
{
    if (!node->member)
        return "awaiting membership";
    if (!node->started)
        return "waiting";
    if (!participant_ready(&node->participant))
        return "agreeing on the scaling of features";
    if (node->concluding)
        return node->concluded ? "concluded" : "concluding";
    return node_connected(node) > 0 ? "learning" : "alone";
}

static json_t *refused_json(const struct node *node)
{
    json_t *refused = json_object();
    for (int i = REFUSED_NOT + 1; i < REFUSALS; i++)
        json_object_set_new(refused, refusal_name((enum refusal)i),
                            count_json(node->totals.refused[i]));
    return refused;
}

static json_t *gossip_json(const struct gossip *gossip)
{
    const struct gossip_counters *counters = &gossip->counters;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "merged", (json_int_t)counters->merged,
                     "ignored", (json_int_t)counters->ignored, "pushed_out",
                     (json_int_t)counters->pushed_out, "stale", (json_int_t)counters->stale, "sent",
                     (json_int_t)counters->sent, "received", (json_int_t)counters->received, "view",
                     (json_int_t)gossip->view.count);
}

/* What a friend puts into node.seeds. */
static json_t *seed_json(const struct node *node)
{
    char hex[KEY_HEX_SIZE];
    if (node->endpoint[0] == '\0')
        return json_null();
    key_hex(node->identity->keys.identity, hex);
    return json_sprintf("%s@%s", hex, node->endpoint);
}

static void put_identity(const struct node *node, json_t *status)
{
    char curve[KEY_Z85_SIZE], task[TASK_HEX_SIZE];
    task_hex(node->settings.gossip.task, task);
    json_object_set_new(status, "schema", json_integer(1));
    json_object_set_new(status, "state", json_string(status_state(node)));
    json_object_set_new(status, "awaiting",
                        node->member ? json_null() : json_string(node->awaiting));
    json_object_set_new(status, "id", key_json(node->identity->keys.identity));
    json_object_set_new(status, "curve",
                        json_string(zmq_z85_encode(curve, node->identity->keys.curve, KEY_BYTES)));
    json_object_set_new(status, "swarm", node->has_swarm ? key_json(node->swarm) : json_null());
    json_object_set_new(status, "not_after",
                        node->member ? json_integer((json_int_t)node->membership.not_after)
                                     : json_null());
    json_object_set_new(status, "endpoint", json_string(transport_endpoint(node->transport)));
    json_object_set_new(status, "seed", seed_json(node));
    json_object_set_new(status, "clock", json_string(wall_clock_set(&node->now) ? "set" : "unset"));
    json_object_set_new(status, "task", json_string(task));
}

static void put_learning(const struct node *node, json_t *status)
{
    const struct participant *participant = &node->participant;
    const struct evaluation *reported = &node->reported, *personal = &node->reported_personal;
    bool known = reported->examples > 0;
    json_object_set_new(status, "model", json_string(model_name(node->model)));
    json_object_set_new(status, "parameters", count_json(model_parameters(node->model)));
    json_object_set_new(status, "examples", count_json(participant->train_count));
    json_object_set_new(status, "age", json_real(participant->gossip.age));
    json_object_set_new(status, "round", count_json(participant->gossip.round));
    json_object_set_new(status, "passes", count_json(participant->gossip.passes));
    json_object_set_new(status, "samples", count_json(participant->samples));
    json_object_set_new(status, "merged", count_json(participant->gossip.counters.merged));
    json_object_set_new(status, "accuracy",
                        number_json(known ? evaluation_accuracy(reported) : NAN));
    json_object_set_new(status, "loss", number_json(known ? evaluation_loss(reported) : NAN));
    json_object_set_new(status, "accuracy_alone", json_null());
    json_object_set_new(status, "accuracy_personal",
                        number_json(personal->examples > 0 ? evaluation_accuracy(personal) : NAN));
    json_object_set_new(status, "network", json_null());
    json_object_set_new(status, "trend", json_string(trend_name(trend_of(&node->trend))));
    json_object_set_new(status, "privacy", json_null());
}

json_t *status_json(const struct node *node)
{
    const struct totals *totals = &node->totals;
    uint64_t up_us = node->now.monotonic_us - node->started_us;
    json_t *status = json_object();
    put_identity(node, status);
    put_learning(node, status);
    json_object_set_new(status, "peers",
                        json_pack("{s:I, s:I}", "connected", (json_int_t)node_connected(node),
                                  "known", (json_int_t)node->roster.count - 1));
    json_object_set_new(status, "bytes",
                        json_pack("{s:I, s:I}", "in", (json_int_t)totals->bytes_in, "out",
                                  (json_int_t)totals->bytes_out));
    json_object_set_new(status, "messages",
                        json_pack("{s:I, s:I, s:I, s:I}", "in", (json_int_t)totals->messages_in,
                                  "out", (json_int_t)totals->messages_out, "rejected",
                                  (json_int_t)totals->rejected, "unsent",
                                  (json_int_t)totals->unsent));
    json_object_set_new(status, "refused", refused_json(node));
    json_object_set_new(status, "gossip", gossip_json(&node->participant.gossip));
    json_object_set_new(status, "uptime_s", json_real((double)(up_us / 1000) * 1e-3));
    return status;
}

static const char *peer_state(const struct node *node, const struct peer_record *record)
{
    if (record->connected)
        return "connected";
    if (record->cut)
        return "cut";
    if (transport_dialling(node->transport, record->curve))
        return "dialling";
    return record->failures > 0 ? "unreachable" : "known";
}

static json_t *peer_json(const struct node *node, const struct peer_record *record)
{
    double seen_s = record->heard_us > 0
                        ? (double)((node->now.monotonic_us - record->heard_us) / 1000) * 1e-3
                        : NAN;
    double round_trip_ms = record->round_trip_known ? (double)record->round_trip_us * 1e-3 : NAN;
    json_t *peer = json_object();
    json_object_set_new(peer, "id", key_json(record->identity));
    json_object_set_new(peer, "endpoint",
                        record->endpoint[0] ? json_string(record->endpoint) : json_null());
    json_object_set_new(peer, "state", json_string(peer_state(node, record)));
    json_object_set_new(peer, "last_seen_s", number_json(seen_s));
    json_object_set_new(peer, "rtt_ms", number_json(round_trip_ms));
    json_object_set_new(peer, "models_in", count_json(record->models_in));
    json_object_set_new(peer, "models_out", count_json(record->models_out));
    json_object_set_new(peer, "bytes_in", count_json(record->bytes_in));
    json_object_set_new(peer, "bytes_out", count_json(record->bytes_out));
    json_object_set_new(peer, "accuracy_here", number_json(record->accuracy_here));
    json_object_set_new(peer, "rejected", count_json(record->rejected));
    return peer;
}

/* An answer is one line of at most 1 MiB: connected peers first, and as many others as fit. */
#define PEERS_SHOWN 2500

json_t *peers_json(const struct node *node)
{
    json_t *peers = json_array();
    for (int connected = 1; connected >= 0; connected--)
        for (peer_id i = ROSTER_SELF + 1; i < node->roster.count; i++) {
            const struct peer_record *record = roster_peer(&node->roster, i);
            if (record->connected == (connected == 1) && json_array_size(peers) < PEERS_SHOWN)
                json_array_append_new(peers, peer_json(node, record));
        }
    return peers;
}

json_t *history_json(const struct history_row *rows, size_t count)
{
    json_t *history = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct history_row *row = &rows[i];
        json_t *item = json_object();
        json_object_set_new(item, "round", count_json(row->round));
        json_object_set_new(item, "time", json_integer((json_int_t)row->time));
        json_object_set_new(item, "age", number_json(row->age));
        json_object_set_new(item, "accuracy", number_json(row->accuracy));
        json_object_set_new(item, "loss", number_json(row->loss));
        json_object_set_new(item, "merged_accuracy", number_json(row->merged_accuracy));
        json_object_set_new(item, "merged_loss", number_json(row->merged_loss));
        json_object_set_new(item, "distance", number_json(row->distance));
        json_object_set_new(item, "merged", count_json(row->merged));
        json_object_set_new(item, "trend", json_string(row->trend));
        json_object_set_new(item, "lost", json_boolean(row->lost));
        json_array_append_new(history, item);
    }
    return history;
}
