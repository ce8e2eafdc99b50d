/* Any text as a setting of the network or the people, any bytes as a matrix of latencies or a trace
 * of nodes: the first byte says as what. What is taken keeps its promises. */
#include "tests/fuzz/fuzz.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/bandwidth.h"
#include "sim/churn.h"
#include "sim/crashes.h"
#include "sim/latency.h"
#include "sim/speed.h"
#include "sim/splits.h"

#define PERIOD_US 10000000u
#define END_US 500000000u
#define NODES 50u

static void check_latency(const char *text)
{
    struct latency latency;
    struct problem problem = {0};
    if (latency_parse(text, &latency, &problem)) {
        must(problem.error == STARLING_INVALID && problem.text[0]);
        return;
    }
    if (latency_open(&latency, NODES, 1, &problem) == STARLING_OK)
        for (peer_id node = 0; node < NODES; node++) {
            struct random random = random_stream(1, node, RANDOM_NETWORK, 0);
            uint64_t us = latency_draw(&latency, node, (node * 7 + 1) % NODES, &random);
            must(us >= latency_least_us(&latency) && us <= latency_most_us(&latency));
            must(us >= LATENCY_LEAST_US && us <= LATENCY_MOST_US);
        }
    else
        must(problem.text[0]);
    latency_clear(&latency);
}

static void check_bandwidth(const char *text)
{
    struct bandwidth bandwidth;
    if (bandwidth_parse(text, PERIOD_US, 1, &bandwidth, NULL) || !bandwidth_is_on(&bandwidth))
        return;
    uplink line = 0;
    for (uint64_t i = 0; i < 20; i++) {
        uint64_t takes_us, before = line;
        bool sent = bandwidth_send(&bandwidth, &line, 1, (peer_id)(2 + i), (size_t)1 << i,
                                   1000000 * i, &takes_us);
        must(sent ? line > before && takes_us > 0 : line == before);
    }
}

static void check_splits(const char *text)
{
    struct splits splits;
    if (splits_parse(text, END_US, 1, &splits, NULL))
        return;
    must(splits.count <= SPLITS_MAX);
    for (size_t i = 0; i < splits.count; i++) {
        must(splits.splits[i].from_us < splits.splits[i].until_us);
        for (peer_id node = 0; node < NODES; node++)
            must(splits_side(&splits, i, node) < SPLIT_PARTS_MAX);
    }
    must(!splits_part(&splits, 3, 3, 0, END_US));
}

static void check_speed(const char *text)
{
    struct speed speed;
    if (speed_parse(text, 1, &speed, NULL))
        return;
    for (peer_id node = 0; node < NODES; node++)
        must(speed_of(&speed, node) >= SPEED_LEAST && speed_of(&speed, node) <= SPEED_MOST);
}

static void check_churn(const char *text)
{
    struct churn churn;
    struct problem problem = {0};
    if (churn_parse(text, PERIOD_US, 1, &churn, &problem)) {
        must(problem.error == STARLING_INVALID && problem.text[0]);
        return;
    }
    if (churn_open(&churn, NODES, &problem))
        must(problem.text[0]);
    else
        for (peer_id node = 0; churn.kind != CHURN_NONE && node < NODES; node++) {
            uint64_t until_us;
            bool online = churn_begin(&churn, node, &until_us);
            for (uint64_t change = 1; change < 20 && until_us < END_US; change++) {
                uint64_t lasts_us = churn_lasts(&churn, node, change, online = !online, until_us);
                must(lasts_us >= CHURN_LEAST_US && lasts_us <= (uint64_t)1 << 50);
                until_us += lasts_us;
            }
        }
    churn_clear(&churn);
}

static void check_crashes(const char *text)
{
    struct crashes crashes;
    uint32_t left[NODES];
    double accuracy[NODES] = {0};
    if (crashes_parse(text, END_US, 1, &crashes, NULL))
        return;
    must(crashes.count <= CRASHES_MAX);
    for (size_t i = 0; i < crashes.count; i++) {
        for (uint32_t node = 0; node < NODES; node++)
            left[node] = node;
        size_t chosen = crashes_choose(&crashes, i, left, NODES, accuracy);
        must(chosen > 0 && chosen < NODES && crashes.crashes[i].at_us < END_US);
        must(i == 0 || crashes.crashes[i].at_us >= crashes.crashes[i - 1].at_us);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const char *) = {check_latency, check_bandwidth, check_splits,
                                                   check_speed,   check_churn,     check_crashes};
    struct part input = {data, size};
    unsigned choice = part_byte(&input) % 8;
    char text[4096];
    if (choice < 6) {
        snprintf(text, sizeof text, "%.*s", (int)input.size, (const char *)input.bytes);
        checks[choice](text);
        return 0;
    }
    struct folder *folder = fuzz_folder_once();
    snprintf(text, sizeof text, "file:%s", folder_file(folder, "people"));
    must(folder_write(folder, "people", input.bytes, input.size) == 0);
    (choice == 6 ? check_latency : check_churn)(text);
    return 0;
}
