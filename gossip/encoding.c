#include "gossip/encoding.h"

#include <assert.h>
#include <math.h>

#include "model/quantise.h"
#include "model/vector.h"

#define ALIGNED 256u /* fragments begin at multiples of this, where they have as many values */
#define CHUNK                                                                                      \
    2048u            /* values taken in hand at a time: whole blocks of i8, and a cache holds them \
                      */
#define PLACES 1024u /* places worked out at a time */

static_assert(CHUNK % I8_BLOCK == 0, "a chunk of i8 is whole blocks");

const char *const encoding_names[] = {"f32", "f16", "i8", NULL};

struct piece piece_of(size_t parameters, uint32_t fragment, uint32_t fragments, double sample,
                      enum encoding encoding)
{
    struct piece piece = {.fragment = fragment, .fragments = fragments, .encoding = encoding};
    size_t first, count;
    piece_range(&piece, parameters, &first, &count);
    piece.count = (uint32_t)count;
    if (sample < 1) {
        double share = fmax(1, floor(sample * (double)count + 0.5));
        piece.count = share < (double)count ? (uint32_t)share : (uint32_t)count;
    }
    return piece;
}

void piece_range_of_many(const struct piece *piece, size_t parameters, size_t *first, size_t *count)
{
    uint64_t unit = parameters / ALIGNED >= piece->fragments ? ALIGNED : 1;
    uint64_t units = (parameters + unit - 1) / unit;
    uint64_t begin = piece->fragment * units / piece->fragments * unit;
    uint64_t end = (piece->fragment + UINT64_C(1)) * units / piece->fragments * unit;
    *first = begin;
    *count = (end < parameters ? end : parameters) - begin;
}

bool piece_fits(const struct piece *piece, size_t parameters)
{
    if (piece->fragments < 1 || piece->fragments > FRAGMENTS_MAX || piece->fragments > parameters ||
        piece->fragment >= piece->fragments || (unsigned)piece->encoding >= ENCODINGS)
        return false;
    size_t first, count;
    piece_range(piece, parameters, &first, &count);
    return piece->count >= 1 && piece->count <= count;
}

double piece_share(const struct piece *piece, size_t parameters)
{
    size_t first, count;
    piece_range(piece, parameters, &first, &count);
    return (double)piece->count / (double)count;
}

size_t piece_common(const struct piece *piece, const struct piece *other, size_t parameters)
{
    size_t first, count, other_first, other_count;
    piece_range(piece, parameters, &first, &count);
    piece_range(other, parameters, &other_first, &other_count);
    size_t end = first + count, other_end = other_first + other_count;
    size_t begin = first > other_first ? first : other_first;
    end = end < other_end ? end : other_end;
    return end > begin ? end - begin : 0;
}

static size_t encoded_bytes(enum encoding encoding, size_t count)
{
    switch (encoding) {
    case ENCODING_F32:
        return 4 * count;
    case ENCODING_F16:
        return 2 * count;
    case ENCODING_I8:
    default:
        return i8_bytes(count);
    }
}

size_t piece_bytes(const struct piece *piece)
{
    return encoded_bytes(piece->encoding, piece->count);
}

/* A draw below `bound`, by stratum. */
static uint32_t draw(const struct piece_places *places, uint32_t stratum, uint32_t bound)
{
    return (uint32_t)((uint64_t)quantise_hash(~places->seed, stratum) * bound >> 32);
}

/* Of n values in m strata, stratum k begins at ⌊(k n + ρ) / m⌋ with ρ drawn below n; the last one
 * goes on at the fragment's beginning. Over all ρ each value falls into each place of a stratum
 * equally often. */
void piece_places_begin(struct piece_places *places, const struct piece *piece, size_t parameters)
{
    size_t first, values;
    piece_range(piece, parameters, &first, &values);
    uint32_t n = (uint32_t)values, m = piece->count;
    *places = (struct piece_places){
        .seed = piece->seed,
        .first = (uint32_t)first,
        .count = m,
        .width = n / m,
        .width_over = n % m,
    };
    uint32_t phase = draw(places, m, n);
    places->begin = phase / m;
    places->over = phase % m;
    uint32_t last = (uint32_t)(((m - UINT64_C(1)) * n + phase) / m);
    uint32_t wrapped = last + draw(places, m - 1, n - last + places->begin);
    places->wrapped_first = wrapped >= n;
    places->wrapped = wrapped >= n ? wrapped - n : wrapped;
}

static uint32_t next_place(struct piece_places *places)
{
    bool wraps = places->given == (places->wrapped_first ? 0 : places->count - 1);
    places->given++;
    if (wraps)
        return places->first + places->wrapped;
    uint32_t begin = places->begin, width = places->width;
    places->over += places->width_over;
    if (places->over >= places->count) {
        places->over -= places->count;
        width++;
    }
    places->begin += width;
    return places->first + begin + draw(places, places->stratum++, width);
}

size_t piece_places_next(struct piece_places *places, uint32_t *out, size_t most)
{
    size_t left = places->count - places->given, count = left < most ? left : most;
    for (size_t i = 0; i < count; i++)
        out[i] = next_place(places);
    return count;
}

/* The piece's next `count` values of the whole model: where they lie, or collected in `own`. */
static const float *next_values(struct piece_places *places, bool sampled, size_t done,
                                const float *model, size_t count, float *own)
{
    if (!sampled)
        return model + places->first + done;
    uint32_t at[CHUNK];
    piece_places_next(places, at, count);
    for (size_t i = 0; i < count; i++)
        own[i] = model[at[i]];
    return own;
}

static void encode(const struct piece *piece, const float *values, size_t done, size_t count,
                   uint8_t *bytes)
{
    switch (piece->encoding) {
    case ENCODING_F32:
        quantise_f32(values, count, bytes);
        break;
    case ENCODING_F16:
        quantise_f16(values, count, bytes);
        break;
    case ENCODING_I8:
    default:
        quantise_i8(values, count, piece->seed, done, bytes);
    }
}

static void decode(enum encoding encoding, const uint8_t *bytes, size_t count, float *values)
{
    switch (encoding) {
    case ENCODING_F32:
        dequantise_f32(bytes, count, values);
        break;
    case ENCODING_F16:
        dequantise_f16(bytes, count, values);
        break;
    case ENCODING_I8:
    default:
        dequantise_i8(bytes, count, values);
    }
}

/* Chunk by chunk, so that both ways below encode the same values in the same calls. Exactly one of
 * `bytes` and `values` is wanted. */
static void encode_chunks(const struct piece *piece, size_t parameters, const float *model,
                          uint8_t *bytes, float *values)
{
    struct piece_places places;
    bool sampled = piece_is_sampled(piece, parameters);
    float own[CHUNK];
    uint8_t encoded[CHUNK * sizeof(float)];
    piece_places_begin(&places, piece, parameters);
    for (size_t done = 0; done < piece->count; done += CHUNK) {
        size_t left = piece->count - done, count = left < CHUNK ? left : CHUNK;
        const float *from = next_values(&places, sampled, done, model, count, own);
        encode(piece, from, done, count, values ? encoded : bytes);
        if (values)
            decode(piece->encoding, encoded, count, values + done);
        else
            bytes += encoded_bytes(piece->encoding, count);
    }
}

void piece_encode(const struct piece *piece, size_t parameters, const float *model, uint8_t *bytes)
{
    encode_chunks(piece, parameters, model, bytes, NULL);
}

void piece_roundtrip(const struct piece *piece, size_t parameters, const float *model,
                     float *values)
{
    encode_chunks(piece, parameters, model, NULL, values);
}

static bool sound(enum encoding encoding, const uint8_t *bytes, size_t count)
{
    return encoding == ENCODING_F16 ? f16_finite(bytes, count) : i8_sound(bytes, count);
}

bool piece_decode(const struct piece *piece, const uint8_t *bytes, size_t size, float *values)
{
    if (size != piece_bytes(piece))
        return false;
    float own[CHUNK];
    for (size_t done = 0; done < piece->count; done += CHUNK) {
        size_t left = piece->count - done, count = left < CHUNK ? left : CHUNK;
        float *to = values ? values + done : own;
        bool plain = piece->encoding == ENCODING_F32; /* looked at once it is aligned */
        if (!plain && !sound(piece->encoding, bytes, count))
            return false;
        if (plain || values)
            decode(piece->encoding, bytes, count, to);
        if (plain && !vector_finite(to, count))
            return false;
        bytes += encoded_bytes(piece->encoding, count);
    }
    return true;
}

void piece_gather(const struct piece *piece, size_t parameters, const float *model, float *values)
{
    struct piece plain = *piece;
    plain.encoding = ENCODING_F32;
    piece_roundtrip(&plain, parameters, model, values);
}

void piece_blend(const struct piece *piece, size_t parameters, const float *values, float alpha,
                 float *model)
{
    struct piece_places places;
    uint32_t at[PLACES];
    size_t first, count;
    piece_range(piece, parameters, &first, &count);
    if (piece->count == count) {
        vector_blend(model + first, values, alpha, count);
        return;
    }
    piece_places_begin(&places, piece, parameters);
    while ((count = piece_places_next(&places, at, PLACES)) > 0) {
        for (size_t i = 0; i < count; i++)
            model[at[i]] += alpha * (values[i] - model[at[i]]);
        values += count;
    }
}
