/* random — counter-based random streams.
 *
 * A stream is named by (seed, node, purpose, step) and yields the same numbers wherever and in
 * whatever order it is drawn, so results do not depend on threads. Never used for anything that
 * protects somebody on a device: that comes from libsodium.
 *
 * Source: Philox4x32-10, Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011, section 4.
 */
#ifndef STARLING_RANDOM_H
#define STARLING_RANDOM_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* What a stream is for. A number, once used, keeps its meaning: results depend on it. */
enum random_purpose {
    RANDOM_INITIAL = 1,    /* the parameters every node starts from */
    RANDOM_BATCH = 2,      /* the order of examples within a pass; step = pass */
    RANDOM_PARTITION = 3,  /* dealing a data set out to nodes */
    RANDOM_SPLIT = 4,      /* setting test examples apart */
    RANDOM_WRITER = 5,     /* synth: a writer's hand; node = writer */
    RANDOM_DIGIT = 6,      /* synth: one digit; node = writer, step = example */
    RANDOM_PERIOD = 7,     /* gossip: phase and jitter of the periods; step = round */
    RANDOM_PEER = 8,       /* gossip: which peer; step = round */
    RANDOM_SHUFFLE = 9,    /* gossip: which descriptors; step = shuffle */
    RANDOM_NETWORK = 10,   /* sim: latency and loss of a message; node = sender, step = message */
    RANDOM_BOOTSTRAP = 11, /* sim: the first view of a node */
    RANDOM_EVALUATE = 12,  /* sim: which nodes and examples are evaluated */
    RANDOM_TOKEN = 14,     /* gossip: token account; step = 2 round, or 2 received + 1 */
    RANDOM_TOPOLOGY = 15,  /* sim: who may talk to whom; step = attempt, or 1 + a node's tick */
    RANDOM_CHURN = 16,     /* sim: when a node is away; step = change, 0 the beginning */
    RANDOM_FEDAVG = 17,    /* sim: which clients take part in FedAvg; step = round */
    RANDOM_PIECE = 18,     /* gossip: what a message carries of a model; step = its sequence */
    RANDOM_SUMS = 20,      /* gossip: when and to whom sums of features go; step = round */
    RANDOM_PERSONAL = 22,  /* the order of examples in fine-tuning; step = works, 4 looks each */
    RANDOM_PLACE = 30,     /* sim: which place of a matrix of latencies a node lies in */
    RANDOM_LINE = 31,      /* sim: a node's bandwidth */
    RANDOM_SIDE = 32,      /* sim: on which side of a split a node is; step = split */
    RANDOM_SPEED = 33,     /* sim: how fast a node computes */
    RANDOM_ZONE = 34,      /* sim: the time zone of a node */
    RANDOM_CRASH = 35,     /* sim: who crashes; step = crash */
};

struct random {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4]; /* numbers made and not yet given out: block[used..3] */
    uint32_t used;
};

/* The stream of (seed, node, purpose, step). step < 2^48; a stream yields 2^34 numbers.
 *
 * How its name becomes Philox's input: the key is the seed, low half first; the counter is
 *
 *   0  number of the block of four within the stream
 *   1  low 32 bits of step
 *   2  node
 *   3  purpose in the high 16 bits, bits 32 to 47 of step in the low
 *
 * so no two names share a block. */
static inline struct random random_stream(uint64_t seed, uint32_t node, enum random_purpose purpose,
                                          uint64_t step)
{
    assert(step < (uint64_t)1 << 48);
    struct random random; /* a block is made when it is needed */
    random.key[0] = (uint32_t)seed;
    random.key[1] = (uint32_t)(seed >> 32);
    random.counter[0] = 0;
    random.counter[1] = (uint32_t)step;
    random.counter[2] = node;
    random.counter[3] = (uint32_t)purpose << 16 | (uint32_t)(step >> 32);
    random.used = 4;
    return random;
}

/* Makes the next four numbers. */
void random_block(struct random *random);

static inline uint32_t random_u32(struct random *random)
{
    if (random->used == 4)
        random_block(random);
    return random->block[random->used++];
}

uint64_t random_u64(struct random *random);

/* Uniform in [0, bound), without bias (Lemire 2019, arXiv 1805.10941); bound > 0. */
uint32_t random_below(struct random *random, uint32_t bound);

/* Uniform in [0, 1), 53 bits. */
double random_uniform(struct random *random);

/* Standard normal (Box and Muller 1958, the cosine half). */
double random_normal(struct random *random);

/* Gamma with the given shape > 0 and scale 1 (Marsaglia and Tsang 2000; shape < 1 by their boost).
 */
double random_gamma(struct random *random, double shape);

/* A uniform permutation of items in place (Fisher and Yates). */
void random_permute(struct random *random, uint32_t *items, size_t count);

#endif
