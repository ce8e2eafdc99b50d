#include "gossip/ages.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

void ages_set(const struct ages *ages, double age)
{
    for (uint32_t i = 0; ages->each && i < ages->fragments; i++)
        ages->each[i] = age;
    *ages->whole = age;
}

static void take_mean(const struct ages *ages)
{
    double sum = 0;
    for (uint32_t i = 0; i < ages->fragments; i++)
        sum += ages->each[i];
    *ages->whole = sum / ages->fragments;
}

/* How many of the parameters of one's own fragment are of the piece's; its size in *size. */
static size_t common(const struct ages *ages, uint32_t fragment, const struct piece *piece,
                     size_t *size)
{
    const struct piece own = {.fragment = fragment, .fragments = ages->fragments};
    size_t first;
    piece_range(&own, ages->parameters, &first, size);
    return piece_common(&own, piece, ages->parameters);
}

double ages_of(const struct ages *ages, const struct piece *piece)
{
    if (!ages->each)
        return *ages->whole;
    if (piece->fragments == ages->fragments)
        return ages->each[piece->fragment];
    double sum = 0;
    size_t met = 0, size;
    for (uint32_t i = 0; i < ages->fragments; i++) {
        size_t count = common(ages, i, piece, &size);
        sum += (double)count * ages->each[i];
        met += count;
    }
    return sum / (double)met;
}

static double renewed(double before, double age, double share)
{
    return share == 1 ? age : before + share * (age - before);
}

static void renew(const struct ages *ages, const struct piece *piece, double age, bool raise)
{
    double sampled = piece_share(piece, ages->parameters);
    size_t size, count;
    if (!ages->each) {
        piece_range(piece, ages->parameters, &size, &count);
        double share = (double)count / (double)ages->parameters;
        if (!raise || age > *ages->whole)
            *ages->whole = renewed(*ages->whole, age, share * sampled);
        return;
    }
    bool same = piece->fragments == ages->fragments;
    uint32_t first = same ? piece->fragment : 0;
    uint32_t end = same ? first + 1 : ages->fragments;
    for (uint32_t i = first; i < end; i++) {
        count = common(ages, i, piece, &size);
        double share = (double)count / (double)size;
        if (count > 0 && (!raise || age > ages->each[i]))
            ages->each[i] = renewed(ages->each[i], age, share * sampled);
    }
    take_mean(ages);
}

void ages_renew(const struct ages *ages, const struct piece *piece, double age)
{
    renew(ages, piece, age, false);
}

void ages_raise(const struct ages *ages, const struct piece *piece, double age)
{
    renew(ages, piece, age, true);
}

void ages_add(const struct ages *ages, double share, double most)
{
    if (!ages->each) {
        *ages->whole = fmin(*ages->whole + share, most);
        return;
    }
    for (uint32_t i = 0; i < ages->fragments; i++)
        ages->each[i] = fmin(ages->each[i] + share, most);
    take_mean(ages);
}
