#include "node/frozen_participant.h"

#include <assert.h>

/* What is added to these must be added below. */
static_assert(sizeof(void *) != 8 || sizeof(struct participant) - sizeof(struct gossip) == 160,
              "all of it is written");
static_assert(sizeof(void *) != 8 || sizeof(struct optimizer_state) == 24, "all of it is written");

#define SHARE_MAX 1e12 /* of a pass, that a work is */

static void freeze_optimizer(struct frozen *frozen, struct optimizer_state *optimizer, size_t count)
{
    frozen_u64(frozen, &optimizer->steps);
    if (optimizer->first)
        frozen_floats(frozen, optimizer->first, count);
    if (optimizer->second)
        frozen_floats(frozen, optimizer->second, count);
}

/* The scaling that the agreement has led to, and whether it has. */
static void freeze_scaling(struct frozen *frozen, struct participant *participant)
{
    if (!participant->agreement)
        return;
    frozen_agreement(frozen, participant->agreement);
    frozen_version(frozen, &participant->scaling, 2 * participant->agreement->features, false);
}

void frozen_participant(struct frozen *frozen, struct participant *participant,
                        const struct frozen_bounds *bounds)
{
    size_t count = bounds->parameters;
    frozen_gossip(frozen, &participant->gossip, bounds);
    frozen_version(frozen, &participant->model, count, true);
    if (participant->settings->gossip.readout)
        frozen_version(frozen, &participant->readout, count, true);
    frozen_version(frozen, &participant->served, count, true);
    freeze_optimizer(frozen, &participant->optimizer, count);
    freeze_scaling(frozen, participant);
    frozen_u64(frozen, &participant->works);
    frozen_u64(frozen, &participant->samples);
    frozen_u32(frozen, &participant->pending_passes);
    frozen_real_to(frozen, &participant->pending_share, SHARE_MAX);
}
