#include "sim/network.h"

#include "model/random.h"
#include "sim/experiment.h"

enum starling_error network_parse(const struct config *config, struct network *network,
                                  struct problem *problem)
{
    uint64_t seed = config->sim.seed, period_us = config->gossip.period_us;
    *network = (struct network){.drop = config->sim.drop, .seed = seed};
    enum starling_error error = latency_parse(config->sim.latency, &network->latency, problem);
    if (!error)
        error =
            bandwidth_parse(config->sim.bandwidth, period_us, seed, &network->bandwidth, problem);
    if (!error)
        error = splits_parse(config->sim.partitions, experiment_end_us(config), seed,
                             &network->splits, problem);
    return error;
}

enum starling_error network_make(const struct config *config, struct network *network,
                                 struct problem *problem)
{
    enum starling_error error = network_parse(config, network, problem);
    if (!error)
        error = latency_open(&network->latency, config->sim.nodes, network->seed, problem);
    return error;
}

void network_clear(struct network *network)
{
    latency_clear(&network->latency);
}

uint64_t network_least_us(const struct network *network)
{
    return latency_least_us(&network->latency);
}

uint64_t network_most_us(const struct network *network)
{
    return network_has_lines(network) ? UINT64_MAX : latency_most_us(&network->latency);
}

bool network_has_lines(const struct network *network)
{
    return bandwidth_is_on(&network->bandwidth);
}

bool network_carry(const struct network *network, uplink *line, peer_id sender, uint64_t number,
                   peer_id receiver, size_t bytes, uint64_t now_us, uint64_t *delay_us)
{
    struct random random = random_stream(network->seed, sender, RANDOM_NETWORK, number);
    uint64_t takes_us = 0;
    if (network_has_lines(network) &&
        !bandwidth_send(&network->bandwidth, line, sender, receiver, bytes, now_us, &takes_us))
        return false;
    if (network->drop > 0 && random_uniform(&random) < network->drop)
        return false;
    *delay_us = takes_us + latency_draw(&network->latency, sender, receiver, &random);
    return !splits_part(&network->splits, sender, receiver, now_us, now_us + *delay_us);
}
