/* encoding — what a message carries of a model: which of the parameters, and in how many bits.
 *
 * A piece is a fragment of the parameters, or a random subsample of one, as f32, f16 or i8. All of
 * this is a pure function of the values and the piece: a message may carry the bytes, or its
 * sender's values and the piece, and its receiver gets the same values either way.
 *
 * Fragments are equal parts in whole blocks of 256 values, the last block perhaps shorter; of fewer
 * than 256 values each, they are plain equal parts. A subsample takes one value at random out of
 * each of `count` equal strata of its fragment, at a random phase: every value is as likely, they
 * come in ascending order, and both ends work them out from the seed. No indices are sent.
 *
 * Sources: subsampled and partitioned models, Hegedűs, Danner, Jelasity 2021 (JPDC 148); fragments
 * to different peers, Biswas et al. 2024 (DivShare, arXiv 2410.12918); i8, Alistarh et al. 2017
 * (QSGD, arXiv 1610.02132). The bytes are written down in docs/protocol.md.
 */
#ifndef STARLING_ENCODING_H
#define STARLING_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAGMENTS_MAX 65536u

/* Numbers on the wire: they keep their meaning for good. */
enum encoding {
    ENCODING_F32, /* 4 bytes a value, as it is */
    ENCODING_F16, /* 2 bytes: half precision */
    ENCODING_I8,  /* 1 byte, and 4 for every 256: rounded by chance, right on average */
    ENCODINGS,
};

/* "f32", "f16", "i8", NULL: by their numbers. */
extern const char *const encoding_names[];

struct piece {
    uint64_t seed; /* of what is random in it; 0 where nothing is */
    uint32_t fragment, fragments;
    uint32_t count; /* values carried, at least 1: all of the fragment's, or a subsample */
    enum encoding encoding;
};

/* All `parameters` of a model, as they are. */
static inline struct piece piece_whole(size_t parameters)
{
    return (struct piece){.fragments = 1, .count = (uint32_t)parameters};
}

/* The share `sample` (0 to 1) of a fragment, at least one value; no seed yet. */
struct piece piece_of(size_t parameters, uint32_t fragment, uint32_t fragments, double sample,
                      enum encoding encoding);

/* Where the fragment lies: *count values from *first on; the same of one of many. */
void piece_range_of_many(const struct piece *piece, size_t parameters, size_t *first,
                         size_t *count);
static inline void piece_range(const struct piece *piece, size_t parameters, size_t *first,
                               size_t *count)
{
    *first = 0;
    *count = parameters;
    if (piece->fragments != 1) /* the usual case without a call, nor a division */
        piece_range_of_many(piece, parameters, first, count);
}

/* Whether a piece said by somebody else can be of a model with so many parameters: no more
 * fragments than those, no more values than the fragment has. All functions below ask for such a
 * piece. */
bool piece_fits(const struct piece *piece, size_t parameters);

/* Whether it is a subsample of its fragment. */
static inline bool piece_is_sampled(const struct piece *piece, size_t parameters)
{
    size_t first, count;
    piece_range(piece, parameters, &first, &count);
    return piece->count < count;
}

/* A whole fragment in f32: its values are those of the model, where they lie. */
static inline bool piece_is_plain(const struct piece *piece, size_t parameters)
{
    return piece->encoding == ENCODING_F32 && !piece_is_sampled(piece, parameters);
}

/* The share of its fragment that it carries, above 0: 1 for all of it. */
double piece_share(const struct piece *piece, size_t parameters);

/* How many parameters the fragments of both are of: those that both may carry. */
size_t piece_common(const struct piece *piece, const struct piece *other, size_t parameters);

/* Whether anything in it is random. */
static inline bool piece_is_random(const struct piece *piece, size_t parameters)
{
    return piece->encoding == ENCODING_I8 || piece_is_sampled(piece, parameters);
}

/* Bytes of the encoded values. */
size_t piece_bytes(const struct piece *piece);

/* From the whole model's values into piece_bytes(). */
void piece_encode(const struct piece *piece, size_t parameters, const float *model, uint8_t *bytes);

/* Takes `size` bytes from outside apart into `values` (piece->count floats, undefined when
 * refused), or with NULL only looks at them. False unless they are exactly as many as the piece
 * takes and every value comes out finite. */
bool piece_decode(const struct piece *piece, const uint8_t *bytes, size_t size, float *values);

/* From the whole model's values: bit for bit what decoding the encoded would give. */
void piece_roundtrip(const struct piece *piece, size_t parameters, const float *model,
                     float *values);

/* The values that the piece carries, as they are in `model`. */
void piece_gather(const struct piece *piece, size_t parameters, const float *model, float *values);

/* model = model + alpha (values − model) in the places of the piece's values; elsewhere it stays.
 */
void piece_blend(const struct piece *piece, size_t parameters, const float *values, float alpha,
                 float *model);

/* The places of the values in the whole model, in ascending order. */
struct piece_places {
    uint64_t seed;
    uint32_t first, count;      /* the fragment's first place; values carried */
    uint32_t given;             /* so many of them */
    uint32_t stratum;           /* number of the next */
    uint32_t begin, over;       /* where it begins, and what was left over of that division */
    uint32_t width, width_over; /* the fragment's values / count, and what is left over */
    uint32_t wrapped;           /* the place drawn from the stratum that spans the fragment's end */
    bool wrapped_first;         /* it is the first in order, not the last */
};
void piece_places_begin(struct piece_places *places, const struct piece *piece, size_t parameters);
/* At most `most` of them into `out`; how many, 0 at the end. */
size_t piece_places_next(struct piece_places *places, uint32_t *out, size_t most);

#endif
