#include "gossip/encoding.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/quantise.h"
#include "model/random.h"
#include "model/vector.h"

#define MOST 70000

static float *model, *other, *values, *more;
static uint8_t *bytes;

static int make(void **state)
{
    (void)state;
    struct random random = random_stream(1, 0, RANDOM_INITIAL, 0);
    model = vector_new(MOST);
    other = vector_new(MOST);
    values = vector_new(MOST);
    more = vector_new(MOST);
    bytes = malloc(5 * MOST);
    for (size_t i = 0; i < MOST; i++) {
        model[i] = (float)random_normal(&random);
        other[i] = (float)random_normal(&random);
    }
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    vector_free(model);
    vector_free(other);
    vector_free(values);
    vector_free(more);
    free(bytes);
    return 0;
}

/* A piece of any kind of a model of at most MOST values. */
static struct piece any_piece(struct random *random, size_t *parameters)
{
    static const size_t usual[] = {1, 2, 170, 255, 256, 257, 1000, 4096, MOST};
    static const double samples[] = {1, 1, .5, .37, .1, .001};
    *parameters = random_below(random, 2)
                      ? usual[random_below(random, sizeof usual / sizeof *usual)]
                      : 1 + random_below(random, MOST);
    size_t most = *parameters < FRAGMENTS_MAX ? *parameters : FRAGMENTS_MAX;
    uint32_t fragments = 1 + random_below(random, (uint32_t)(most < 20 ? most : 20));
    if (random_below(random, 10) == 0)
        fragments = 1 + random_below(random, (uint32_t)most);
    struct piece piece =
        piece_of(*parameters, random_below(random, fragments), fragments,
                 samples[random_below(random, 6)], (enum encoding)random_below(random, ENCODINGS));
    piece.seed = random_u64(random);
    return piece;
}

static void fragments_cover_a_model_in_order(void **state)
{
    (void)state;
    static const struct {
        size_t parameters;
        uint32_t fragments;
    } cases[] = {{1, 1},      {170, 1},     {170, 3},     {170, 170},       {255, 4},
                 {256, 1},    {768, 3},     {769, 3},     {1000, 3},        {50890, 3},
                 {50890, 17}, {50890, 198}, {50890, 199}, {1u << 31, 65536}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        size_t next = 0, least = SIZE_MAX, most = 0;
        bool aligned = cases[c].parameters / 256 >= cases[c].fragments;
        struct piece piece = {.fragments = cases[c].fragments};
        for (; piece.fragment < piece.fragments; piece.fragment++) {
            size_t first, count;
            piece_range(&piece, cases[c].parameters, &first, &count);
            assert_int_equal(first, next);
            assert_true(count > 0);
            assert_true(!aligned || first % 256 == 0);
            next = first + count;
            if (piece.fragment + 1 < piece.fragments)
                least = count < least ? count : least;
            most = count > most ? count : most;
        }
        assert_int_equal(next, cases[c].parameters);
        assert_true(least == SIZE_MAX || most - least <= (aligned ? 256 : 1));
    }
}

static void a_piece_that_cannot_be_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct piece piece;
        bool fits;
    } cases[] = {
        {"all", {.fragments = 1, .count = 1000}, true},
        {"one value", {.fragments = 1, .count = 1}, true},
        {"no value", {.fragments = 1, .count = 0}, false},
        {"a value too many", {.fragments = 1, .count = 1001}, false},
        {"no fragments", {.fragments = 0, .count = 1}, false},
        {"beyond the last", {.fragment = 2, .fragments = 2, .count = 1}, false},
        {"a fragment a value", {.fragment = 999, .fragments = 1000, .count = 1}, true},
        {"more fragments than values", {.fragments = 1001, .count = 1}, false},
        {"more than a fragment has", {.fragments = 3, .count = 257}, false},
        {"as many as it has", {.fragments = 3, .count = 256, .encoding = ENCODING_I8}, true},
        {"an encoding still to come", {.fragments = 1, .count = 1, .encoding = ENCODINGS}, false},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        if (piece_fits(&cases[c].piece, 1000) != cases[c].fits)
            fail_msg("%s: should%s fit", cases[c].what, cases[c].fits ? "" : " not");
}

static void places_ascend_within_the_fragment(void **state)
{
    (void)state;
    struct random random = random_stream(2, 0, RANDOM_INITIAL, 0);
    for (int trial = 0; trial < 2000; trial++) {
        size_t parameters, first, count, given, total = 0;
        struct piece piece = any_piece(&random, &parameters);
        struct piece_places places;
        uint32_t at[1000], before = 0;
        piece_range(&piece, parameters, &first, &count);
        piece_places_begin(&places, &piece, parameters);
        while ((given = piece_places_next(&places, at, 1 + random_below(&random, 1000))) > 0)
            for (size_t i = 0; i < given; i++, total++) {
                if (at[i] < first || at[i] >= first + count || (total > 0 && at[i] <= before))
                    fail_msg("trial %d: %u after %u, in %zu to %zu", trial, at[i], before, first,
                             first + count);
                before = at[i];
            }
        assert_int_equal(total, piece.count);
    }
}

/* Each of n values is drawn m / n of the time, whatever n and m. */
static void every_place_is_as_likely(void **state)
{
    (void)state;
    static const struct {
        uint32_t n, m;
    } cases[] = {{10, 3}, {10, 7}, {16, 4}, {7, 1}, {30, 29}, {25, 24}};
    enum { SEEDS = 40000 };
    struct random random = random_stream(3, 0, RANDOM_INITIAL, 0);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        uint32_t hits[30] = {0};
        struct piece piece = {.fragments = 1, .count = cases[c].m};
        for (int s = 0; s < SEEDS; s++) {
            struct piece_places places;
            uint32_t at[30];
            piece.seed = random_u64(&random);
            piece_places_begin(&places, &piece, cases[c].n);
            size_t given = piece_places_next(&places, at, 30);
            for (size_t i = 0; i < given; i++)
                hits[at[i]]++;
        }
        double share = (double)cases[c].m / cases[c].n;
        double deviation = sqrt(SEEDS * share * (1 - share));
        for (uint32_t i = 0; i < cases[c].n; i++)
            if (fabs(hits[i] - SEEDS * share) > 5 * deviation)
                fail_msg("%u of %u: place %u was drawn %u times, wanted %.0f ± %.0f", cases[c].m,
                         cases[c].n, i, hits[i], SEEDS * share, deviation);
    }
}

static void a_roundtrip_is_what_decoding_the_encoded_gives(void **state)
{
    (void)state;
    struct random random = random_stream(4, 0, RANDOM_INITIAL, 0);
    for (int trial = 0; trial < 500; trial++) {
        size_t parameters;
        struct piece piece = any_piece(&random, &parameters);
        size_t size = piece_bytes(&piece);
        bytes[size] = 0xA5;
        piece_encode(&piece, parameters, model, bytes);
        assert_int_equal(bytes[size], 0xA5);
        assert_true(piece_decode(&piece, bytes, size, NULL));
        assert_true(piece_decode(&piece, bytes, size, values));
        piece_roundtrip(&piece, parameters, model, more);
        assert_memory_equal(values, more, piece.count * sizeof *values);
        piece_gather(&piece, parameters, model, more);
        float largest = 0;
        for (size_t i = 0; i < piece.count; i++)
            largest = fmaxf(largest, fabsf(more[i]));
        float step = piece.encoding == ENCODING_F32 ? 0 : largest / 126;
        for (size_t i = 0; i < piece.count; i++)
            assert_true(fabsf(values[i] - more[i]) <= step);
    }
}

static void a_blend_moves_what_the_piece_carries(void **state)
{
    (void)state;
    struct random random = random_stream(5, 0, RANDOM_INITIAL, 0);
    float *into = vector_new(MOST);
    for (int trial = 0; trial < 200; trial++) {
        size_t parameters, given, total = 0;
        struct piece piece = any_piece(&random, &parameters);
        struct piece_places places;
        uint32_t at[512];
        memcpy(into, other, MOST * sizeof *into);
        piece_gather(&piece, parameters, model, values);
        piece_blend(&piece, parameters, values, .25f, into);
        piece_gather(&piece, parameters, into, more);
        for (size_t i = 0; i < piece.count; i++)
            values[i] = .25f * values[i];
        piece_places_begin(&places, &piece, parameters);
        while ((given = piece_places_next(&places, at, 512)) > 0)
            for (size_t i = 0; i < given; i++, total++) {
                assert_float_equal(into[at[i]], .75f * other[at[i]] + .25f * model[at[i]], 1e-5f);
                assert_true(more[total] == into[at[i]]);
                into[at[i]] = other[at[i]];
            }
        assert_memory_equal(into, other, MOST * sizeof *into); /* nothing else had moved */
    }
    vector_free(into);
}

static void bytes_that_do_not_hold_water_are_refused(void **state)
{
    (void)state;
    for (int e = 0; e < ENCODINGS; e++) {
        struct piece piece = piece_of(MOST, 0, 2, 1, (enum encoding)e);
        size_t size = piece_bytes(&piece);
        piece_encode(&piece, MOST, model, bytes);
        assert_false(piece_decode(&piece, bytes, size - 1, values));
        assert_false(piece_decode(&piece, bytes, size + 1, values));
        assert_false(piece_decode(&piece, bytes, 0, values));
        /* the last scale, or a value near the end, becomes an infinity */
        size_t block = I8_SCALE_BYTES + I8_BLOCK;
        size_t at = e == ENCODING_F32   ? size - 8
                    : e == ENCODING_F16 ? size - 2
                                        : size / block * block;
        if (e == ENCODING_I8 && at == size)
            at -= block;
        const uint8_t infinity[] = {0, 0, 0x80, 0x7F}, infinite_half[] = {0, 0x7C};
        if (e == ENCODING_F16)
            memcpy(bytes + at, infinite_half, 2);
        else
            memcpy(bytes + at, infinity, 4);
        assert_false(piece_decode(&piece, bytes, size, values));
        assert_false(piece_decode(&piece, bytes, size, NULL));
    }
}

static void what_is_random_asks_for_a_seed(void **state)
{
    (void)state;
    struct piece piece = piece_of(1000, 0, 2, 1, ENCODING_F16);
    assert_false(piece_is_random(&piece, 1000));
    assert_false(piece_is_plain(&piece, 1000));
    piece = piece_of(1000, 0, 2, .5, ENCODING_F32);
    assert_true(piece_is_random(&piece, 1000));
    assert_false(piece_is_plain(&piece, 1000));
    piece = piece_of(1000, 0, 2, 1, ENCODING_I8);
    assert_true(piece_is_random(&piece, 1000));
    piece = piece_of(1000, 1, 2, 1, ENCODING_F32);
    assert_true(piece_is_plain(&piece, 1000));
    piece = piece_of(3, 0, 1, 1e-9, ENCODING_F32);
    assert_int_equal(piece.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_cover_a_model_in_order),
        cmocka_unit_test(a_piece_that_cannot_be_is_found),
        cmocka_unit_test(places_ascend_within_the_fragment),
        cmocka_unit_test(every_place_is_as_likely),
        cmocka_unit_test(a_roundtrip_is_what_decoding_the_encoded_gives),
        cmocka_unit_test(a_blend_moves_what_the_piece_carries),
        cmocka_unit_test(bytes_that_do_not_hold_water_are_refused),
        cmocka_unit_test(what_is_random_asks_for_a_seed),
    };
    return cmocka_run_group_tests_name("encoding", tests, make, unmake);
}
