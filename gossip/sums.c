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

size_t sums_bytes(const struct sums_message *message)
{
    return SUMS * message->features * sizeof(double);
}

void sums_encode(const struct sums_message *message, uint8_t *out)
{
    const double *sums = sums_values(message->sums);
    for (size_t i = 0; i < SUMS * message->features; i++, out += sizeof *sums) {
        uint64_t bits;
        memcpy(&bits, &sums[i], sizeof bits);
        bits = htole64(bits);
        memcpy(out, &bits, sizeof bits);
    }
}

enum refusal sums_decode(struct sums_message *message, const uint8_t *bytes, size_t size)
{
    if (size != sums_bytes(message))
        return REFUSED_MALFORMED;
    message->sums = sums_new(message->features);
    if (!message->sums)
        return REFUSED_RATE; /* out of memory: one message less */
    double *sums = sums_values(message->sums);
    for (size_t i = 0; i < SUMS * message->features; i++, bytes += sizeof *sums) {
        uint64_t bits;
        memcpy(&bits, bytes, sizeof bits);
        bits = le64toh(bits);
        memcpy(&sums[i], &bits, sizeof bits);
    }
    if (sums_sound(sums, message->features))
        return REFUSED_NOT;
    version_release(&message->sums);
    return REFUSED_MALFORMED;
}
