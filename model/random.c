#include "model/random.h"

#include <assert.h>
#include <math.h>

/* Ten rounds over counter and key into the next block of four numbers. */
void random_block(struct random *random)
{
    uint32_t c0 = random->counter[0], c1 = random->counter[1];
    uint32_t c2 = random->counter[2], c3 = random->counter[3];
    uint32_t k0 = random->key[0], k1 = random->key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t product0 = (uint64_t)0xD2511F53 * c0;
        uint64_t product1 = (uint64_t)0xCD9E8D57 * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    random->block[0] = c0;
    random->block[1] = c1;
    random->block[2] = c2;
    random->block[3] = c3;
    random->counter[0]++;
    random->used = 0;
}

uint64_t random_u64(struct random *random)
{
    uint64_t low = random_u32(random);
    return (uint64_t)random_u32(random) << 32 | low;
}

uint32_t random_below(struct random *random, uint32_t bound)
{
    assert(bound > 0);
    uint64_t product = (uint64_t)random_u32(random) * bound;
    if ((uint32_t)product < bound) {
        uint32_t threshold = -bound % bound; /* 2^32 mod bound */
        while ((uint32_t)product < threshold)
            product = (uint64_t)random_u32(random) * bound;
    }
    return (uint32_t)(product >> 32);
}

double random_uniform(struct random *random)
{
    return (double)(random_u64(random) >> 11) * 0x1p-53;
}

double random_normal(struct random *random)
{
    double radius = sqrt(-2.0 * log(1.0 - random_uniform(random)));
    return radius * cos(2.0 * M_PI * random_uniform(random));
}

double random_gamma(struct random *random, double shape)
{
    assert(shape > 0.0);
    if (shape < 1.0) {
        double more = random_gamma(random, shape + 1.0);
        return more * pow(1.0 - random_uniform(random), 1.0 / shape);
    }
    double d = shape - 1.0 / 3.0;
    double c = 1.0 / sqrt(9.0 * d);
    for (;;) {
        double x = random_normal(random);
        double v = 1.0 + c * x;
        if (v <= 0.0)
            continue;
        v = v * v * v;
        double u = 1.0 - random_uniform(random);
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

void random_permute(struct random *random, uint32_t *items, size_t count)
{
    assert(count <= UINT32_MAX);
    for (size_t left = count; left > 1; left--) {
        uint32_t chosen = random_below(random, (uint32_t)left);
        uint32_t last = items[left - 1];
        items[left - 1] = items[chosen];
        items[chosen] = last;
    }
}
