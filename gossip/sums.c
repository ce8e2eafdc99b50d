#include "gossip/sums.h"

#include <endian.h>
#include <math.h>
#include <string.h>

#include "model/dataset.h"
#include "model/vector.h"

#define FLOATS_IN_DOUBLE (sizeof(double) / sizeof(float))

double *sums_values(const struct version *version)
{
    return (double *)(void *)version->values; /* aligned for either, and written as doubles alone */
}

struct version *sums_new(size_t features)
{
    float *room = vector_new(SUMS * features * FLOATS_IN_DOUBLE);
    struct version *version = room ? version_of(room) : NULL;
    if (!version)
        vector_free(room);
    return version;
}

bool sums_sound(const double *sums, size_t features)
{
    const double *counts = sums, *values = sums + features, *squares = values + features;
    for (size_t f = 0; f < features; f++) {
        double most = counts[f] * squares[f];
        if (!(counts[f] >= 0 && squares[f] >= 0 && isfinite(most)) || !isfinite(values[f]) ||
            values[f] * values[f] > most * (1 + 1e-9) + 1e-300)
            return false;
    }
    return true;
}

size_t sums_bytes(size_t features)
{
    return SUMS * features * sizeof(double);
}

void sums_encode(const double *sums, size_t features, uint8_t *out)
{
    for (size_t i = 0; i < SUMS * features; i++, out += sizeof *sums) {
        uint64_t bits;
        memcpy(&bits, &sums[i], sizeof bits);
        bits = htole64(bits);
        memcpy(out, &bits, sizeof bits);
    }
}

bool sums_decode(const uint8_t *bytes, size_t features, double *sums)
{
    for (size_t i = 0; i < SUMS * features; i++, bytes += sizeof *sums) {
        uint64_t bits;
        memcpy(&bits, bytes, sizeof bits);
        bits = le64toh(bits);
        memcpy(&sums[i], &bits, sizeof bits);
    }
    return sums_sound(sums, features);
}

enum refusal sums_take(struct sums_message *message, const uint8_t *bytes, size_t size)
{
    if (size != sums_bytes(message->features))
        return REFUSED_MALFORMED;
    message->sums = sums_new(message->features);
    if (!message->sums)
        return REFUSED_RATE; /* out of memory: one message less */
    if (sums_decode(bytes, message->features, sums_values(message->sums)))
        return REFUSED_NOT;
    version_release(&message->sums);
    return REFUSED_MALFORMED;
}
