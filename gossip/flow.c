#include "gossip/flow.h"

#include <math.h>

uint32_t flow_first_tokens(const struct flow_settings *settings)
{
    uint64_t least = settings->token_least, most = settings->token_most;
    return (uint32_t)(least * most / (most + 1) < most ? least * most / (most + 1) : most);
}

double flow_proactive(const struct flow_settings *settings, uint32_t tokens)
{
    double a = tokens, least = settings->token_least, most = settings->token_most;
    if (a >= most)
        return 1;
    return a < least - 1 ? 0 : (a - least + 1) / (most - least + 1);
}

double flow_reactive(const struct flow_settings *settings, uint32_t tokens)
{
    return (double)tokens / settings->token_least;
}

uint32_t flow_round(double x, struct random *random)
{
    double whole = floor(x);
    return (uint32_t)whole + (random_uniform(random) < x - whole);
}
