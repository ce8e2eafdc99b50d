#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gossip/wire.h"
#include "model/random.h"
#include "model/vector.h"
#include "tests/gossip/vectors/examples.h"
#include "tests/gossip/vectors/vectors.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define CASES 2000

static enum refusal decode(const uint8_t *bytes, size_t size)
{
    struct gossip_message message;
    struct card cards[SHUFFLE_MAX];
    return message_decode(bytes, size, &message, cards);
}

static void a_refusal_has_the_name_that_outputs_use(void **state)
{
    (void)state;
    static const char *const wanted[REFUSALS] = {
        "accepted",      "no-membership", "expired", "not-yet-valid", "wrong-swarm", "revoked",
        "bad-signature", "no-curve",      "version", "task",          "rate",        "malformed",
    };
    for (int i = 0; i < REFUSALS; i++)
        assert_string_equal(refusal_name((enum refusal)i), wanted[i]);
}

/* Any number of bits, so that small and huge numbers are as likely. */
static uint64_t random_width(struct random *random)
{
    return random_u64(random) >> random_below(random, 64);
}

static struct gossip_message random_model(struct random *random)
{
    struct gossip_message message = {.kind = MESSAGE_MODEL};
    struct model_message *model = &message.model;
    for (int i = 0; i < TASK_ID_BYTES; i++)
        model->task[i] = (uint8_t)random_u32(random);
    model->piece.fragments = 1 + random_below(random, FRAGMENTS_MAX);
    model->piece.fragment = random_below(random, model->piece.fragments);
    model->piece.encoding = (enum encoding)random_below(random, ENCODINGS);
    model->piece.seed = random_u32(random) & 1 ? random_width(random) : 0;
    model->age = random_uniform(random) * (double)(random_width(random) % AGE_MAX);
    model->sequence = random_width(random);
    model->answer = random_u32(random) & 1;
    model->last = random_u32(random) & 1;
    model->piece.count = 1 + (uint32_t)(random_width(random) % PARAMETERS_MAX);
    return message;
}

static bool same_model(const struct model_message *a, const struct model_message *b)
{
    return memcmp(a->task, b->task, TASK_ID_BYTES) == 0 && a->piece.fragment == b->piece.fragment &&
           a->piece.fragments == b->piece.fragments && a->piece.count == b->piece.count &&
           a->piece.encoding == b->piece.encoding && a->piece.seed == b->piece.seed &&
           !(a->age < b->age) && !(a->age > b->age) && a->sequence == b->sequence &&
           a->answer == b->answer && a->last == b->last && !a->model && !b->model && !a->decoded &&
           !b->decoded;
}

static void a_model_header_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < CASES; seed++) {
        struct random random = random_stream(seed, 0, RANDOM_NETWORK, 0);
        struct gossip_message sent = random_model(&random), received;
        uint8_t bytes[HEADER_BYTES_MAX];
        size_t size = message_encode(&sent, NULL, bytes);
        struct card cards[SHUFFLE_MAX];
        if (size == 0 || message_encode(&sent, NULL, NULL) != size ||
            message_decode(bytes, size, &received, cards) != REFUSED_NOT ||
            received.kind != MESSAGE_MODEL || !same_model(&sent.model, &received.model))
            fail_msg("seed %llu", (unsigned long long)seed);
    }
}

static void a_shuffle_comes_back_as_it_was_sent(void **state)
{
    (void)state;
    static uint8_t content[SHUFFLE_MAX][CARD_BYTES_MAX];
    for (uint64_t seed = 0; seed < CASES; seed++) {
        struct random random = random_stream(seed, 1, RANDOM_NETWORK, 0);
        struct gossip_message sent = {
            .kind = random_u32(&random) & 1 ? MESSAGE_SHUFFLE : MESSAGE_SHUFFLE_REPLY,
            .shuffle = {.count = random_below(&random, SHUFFLE_MAX + 1),
                        .nonce = random_u32(&random)},
        };
        struct card cards[SHUFFLE_MAX], received_cards[SHUFFLE_MAX], sizes[SHUFFLE_MAX];
        for (uint32_t i = 0; i < sent.shuffle.count; i++) {
            sent.shuffle.entries[i].peer = i;
            sent.shuffle.entries[i].age = (uint16_t)(random_width(&random) & VIEW_AGE_MAX);
            memset(content[i], (int)random_below(&random, 256), CARD_BYTES_MAX);
            cards[i] = (struct card){content[i], 1 + random_below(&random, CARD_BYTES_MAX)};
            sizes[i] = (struct card){NULL, cards[i].size};
        }
        uint8_t bytes[HEADER_BYTES_MAX];
        size_t size = message_encode(&sent, cards, bytes);
        assert_true(size > 0);
        assert_int_equal(message_encode(&sent, sizes, NULL), size);
        struct gossip_message received;
        assert_int_equal(message_decode(bytes, size, &received, received_cards), REFUSED_NOT);
        assert_int_equal(received.kind, sent.kind);
        assert_int_equal(received.shuffle.count, sent.shuffle.count);
        assert_int_equal(received.shuffle.nonce, sent.shuffle.nonce);
        for (uint32_t i = 0; i < sent.shuffle.count; i++) {
            assert_int_equal(received.shuffle.entries[i].peer, PEER_NONE);
            assert_int_equal(received.shuffle.entries[i].age, sent.shuffle.entries[i].age);
            assert_int_equal(received_cards[i].size, cards[i].size);
            assert_memory_equal(received_cards[i].bytes, cards[i].bytes, cards[i].size);
            assert_true(received_cards[i].bytes > bytes && received_cards[i].bytes < bytes + size);
        }
    }
}

static void the_example_messages_are_the_published_bytes(void **state)
{
    (void)state;
    uint8_t bytes[HEADER_BYTES_MAX];
    struct gossip_message message = example_model();
    size_t size = message_encode(&message, NULL, bytes);
    assert_true(bytes_are("model", bytes, size, vector_model));
    assert_int_equal(decode(bytes, size), REFUSED_NOT);

    struct example_certificates certificates;
    example_certificates(&certificates);
    struct card card = {certificates.card, certificates.card_size};
    message = example_shuffle();
    size = message_encode(&message, &card, bytes);
    assert_true(bytes_are("shuffle", bytes, size, vector_shuffle));
    assert_int_equal(decode(bytes, size), REFUSED_NOT);

    message.kind = MESSAGE_SHUFFLE_REPLY;
    message.shuffle.count = 0;
    size = message_encode(&message, NULL, bytes);
    assert_true(bytes_are("shuffle_reply", bytes, size, vector_shuffle_reply));
    assert_int_equal(decode(bytes, size), REFUSED_NOT);

    message = example_pull();
    size = message_encode(&message, NULL, bytes);
    assert_true(bytes_are("pull", bytes, size, vector_pull));
    assert_int_equal(message_encode(&message, NULL, NULL), size);
    struct gossip_message received;
    assert_int_equal(message_decode(bytes, size, &received, NULL), REFUSED_NOT);
    assert_int_equal(received.kind, MESSAGE_PULL);
    assert_int_equal(received.pull.nonce, 7);
    assert_memory_equal(received.pull.task, message.pull.task, TASK_ID_BYTES);

    struct version *sums = sums_new(1);
    message = example_sums(sums);
    size = message_encode(&message, NULL, bytes);
    assert_true(bytes_are("sums", bytes, size, vector_sums));
    assert_int_equal(message_encode(&message, NULL, NULL), size);
    assert_int_equal(message_decode(bytes, size, &received, NULL), REFUSED_NOT);
    assert_int_equal(received.kind, MESSAGE_SUMS);
    assert_true(received.sums.settled && received.sums.heard == 2 && received.sums.features == 1);
    assert_memory_equal(received.sums.task, message.sums.task, TASK_ID_BYTES);
    sums_encode(sums_values(sums), 1, bytes);
    assert_true(bytes_are("sums_values", bytes, sums_bytes(1), vector_sums_values));
    version_release(&sums);

    message = example_piece();
    size = message_encode(&message, NULL, bytes);
    assert_true(bytes_are("piece", bytes, size, vector_piece));
    assert_int_equal(message_encode(&message, NULL, NULL), size);
    assert_int_equal(message_decode(bytes, size, &received, NULL), REFUSED_NOT);
    assert_true(same_model(&message.model, &received.model));
}

static void the_example_parameters_are_the_published_bytes(void **state)
{
    (void)state;
    static const float values[] = {1.0f, -2.5f, 0.0f, 3.4028235e38f};
    static const float few[] = {127.0f, -2.5f, 0.0f, 0.25f};
    static const float ten[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    struct piece piece = piece_whole(4), sample = piece_of(10, 0, 1, .4, ENCODING_F32);
    uint8_t bytes[16];
    sample.seed = 0x0102030405060708;
    piece_encode(&piece, 4, values, bytes);
    assert_true(bytes_are("f32", bytes, piece_bytes(&piece), vector_parameters));
    piece.encoding = ENCODING_F16;
    piece_encode(&piece, 4, values, bytes);
    assert_true(bytes_are("f16", bytes, piece_bytes(&piece), vector_f16));
    piece.encoding = ENCODING_I8;
    piece.seed = sample.seed;
    piece_encode(&piece, 4, few, bytes);
    assert_true(bytes_are("i8", bytes, piece_bytes(&piece), vector_i8));
    piece_encode(&sample, 10, ten, bytes);
    assert_true(bytes_are("sample", bytes, piece_bytes(&sample), vector_sample));
}

static void the_published_variants_are_judged_as_published(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vector_headers); i++) {
        uint8_t bytes[64];
        size_t size = bytes_of_hex(vector_headers[i].hex, bytes, sizeof bytes);
        assert_true(size > 0);
        enum refusal refusal = decode(bytes, size);
        if (refusal != vector_headers[i].refusal)
            fail_msg("%s: %s", vector_headers[i].what, refusal_name(refusal));
    }
}

/* Under automake the tests run in the build tree, and `srcdir` names the source tree. */
static char *read_page(void)
{
    const char *source = getenv("srcdir");
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/protocol.md", source ? source : ".");
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    enum { PAGE_MAX = 1 << 20 };
    char *page = malloc(PAGE_MAX);
    size_t size = 0;
    /* Without white space, so that long lines of digits may be broken anywhere. */
    for (int c = page ? fgetc(file) : EOF; c != EOF && size < PAGE_MAX - 1; c = fgetc(file))
        if (c != ' ' && c != '\n')
            page[size++] = (char)c;
    fclose(file);
    if (page)
        page[size] = '\0';
    return page;
}

static void the_protocol_page_shows_every_vector(void **state)
{
    (void)state;
    static const char *const vectors[] = {
        vector_membership,
        vector_descriptor,
        vector_card,
        vector_hello,
        vector_hello_without_membership,
        vector_model,
        vector_parameters,
        vector_f16,
        vector_i8,
        vector_sample,
        vector_piece,
        vector_shuffle,
        vector_shuffle_reply,
        vector_pull,
        vector_sums,
        vector_sums_values,
    };
    char *page = read_page();
    if (!page) {
        print_message("docs/protocol.md is not below $srcdir or here\n");
        skip();
    }
    for (size_t i = 0; i < COUNT(vectors); i++)
        if (!strstr(page, vectors[i]))
            fail_msg("missing: %s", vectors[i]);
    for (size_t i = 0; i < COUNT(vector_headers); i++)
        if (!strstr(page, vector_headers[i].hex))
            fail_msg("missing: %s", vector_headers[i].what);
    free(page);
}

static void a_truncated_or_longer_header_is_malformed(void **state)
{
    (void)state;
    static const char *const vectors[] = {vector_model,         vector_piece, vector_shuffle,
                                          vector_shuffle_reply, vector_pull,  vector_sums};
    for (size_t v = 0; v < COUNT(vectors); v++) {
        uint8_t whole[2048];
        size_t size = bytes_of_hex(vectors[v], whole, sizeof whole - 1);
        for (size_t cut = 0; cut < size; cut++) {
            /* A block of its own, so that a sanitizer sees a read beyond the end. */
            uint8_t *bytes = malloc(cut ? cut : 1);
            assert_non_null(bytes);
            memcpy(bytes, whole, cut);
            assert_int_equal(decode(bytes, cut), REFUSED_MALFORMED);
            free(bytes);
        }
        whole[size] = 0xc0;
        assert_int_equal(decode(whole, size + 1), REFUSED_MALFORMED);
    }
    assert_int_equal(decode(NULL, 0), REFUSED_MALFORMED);
}

static void a_flipped_bit_gives_a_refusal_or_another_sound_message(void **state)
{
    (void)state;
    static const char *const vectors[] = {vector_model, vector_shuffle, vector_pull, vector_sums};
    for (size_t v = 0; v < COUNT(vectors); v++) {
        uint8_t bytes[2048], again[HEADER_BYTES_MAX];
        size_t size = bytes_of_hex(vectors[v], bytes, sizeof bytes);
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct gossip_message message;
            struct card cards[SHUFFLE_MAX];
            if (message_decode(bytes, size, &message, cards) == REFUSED_NOT)
                assert_true(message_encode(&message, cards, again) > 0);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static void a_bomb_is_refused_before_msgpack_sees_it(void **state)
{
    (void)state;
    static const struct {
        const char *what, *hex;
    } bombs[] = {
        {"array32 of 2^26", "dd04000000"},
        {"array32 of 2^32 - 1", "ddffffffff"},
        {"map32 of 2^31", "df80000000"},
        {"map16 of 2^16 - 1", "deffff"},
        {"str32 of 4 GiB", "dbffffffff"},
        {"bin32 of 4 GiB", "c6ffffffff"},
        {"ext32 of 4 GiB", "c9ffffffff00"},
        {"the byte that is never used", "c1"},
        {"arrays that share the bytes that are left", "939300000000"},
        {"two values", "c0c0"},
        {"nothing", "91"},
    };
    for (size_t i = 0; i < COUNT(bombs); i++) {
        uint8_t bytes[64];
        size_t size = bytes_of_hex(bombs[i].hex, bytes, sizeof bytes);
        assert_true(size > 0);
        struct wire_reader reader;
        if (wire_open(&reader, bytes, size) != REFUSED_MALFORMED || reader.unpacked.zone)
            fail_msg("%s", bombs[i].what);
        wire_close(&reader);
    }
}

static void depth_and_elements_are_bounded_exactly(void **state)
{
    (void)state;
    static uint8_t bytes[HEADER_BYTES_MAX];
    struct wire_reader reader;
    for (size_t depth = 1; depth <= 2000; depth++) {
        memset(bytes, 0x91, depth - 1);
        bytes[depth - 1] = 0x90;
        bool opened = wire_open(&reader, bytes, depth) == REFUSED_NOT;
        wire_close(&reader);
        assert_int_equal(opened, depth <= WIRE_DEPTH_MAX);
    }
    for (size_t count = WIRE_ELEMENTS_MAX - 3; count < WIRE_ELEMENTS_MAX + 3; count++) {
        struct wire_writer writer = wire_writer(bytes, sizeof bytes);
        wire_put_array(&writer, count);
        for (size_t i = 0; i < count; i++)
            wire_put_uint(&writer, i);
        bool opened = wire_open(&reader, bytes, wire_written(&writer)) == REFUSED_NOT;
        wire_close(&reader);
        assert_int_equal(opened, count + 1 <= WIRE_ELEMENTS_MAX);
    }
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(decode(bytes, HEADER_BYTES_MAX + 1), REFUSED_MALFORMED);
}

static void a_writer_that_is_full_says_so(void **state)
{
    (void)state;
    uint8_t bytes[8];
    for (size_t capacity = 0; capacity <= sizeof bytes; capacity++) {
        struct wire_writer writer = wire_writer(bytes, capacity);
        wire_put_array(&writer, 1);
        wire_put_bytes(&writer, (const uint8_t *)"starl", 5);
        assert_int_equal(wire_written(&writer), capacity < 8 ? 0 : 8);
    }
}

/* The second key of the example is its encoding: −1, 2. */
static void an_encoding_still_to_come_is_refused_as_such(void **state)
{
    (void)state;
    struct gossip_message message = example_piece();
    uint8_t bytes[256];
    size_t size = message_encode(&message, NULL, bytes);
    uint8_t *key = memchr(bytes, 0xff, size);
    assert_true(key && key[1] == ENCODING_I8);
    for (uint8_t encoding = 0; encoding < 128; encoding++) {
        key[1] = encoding;
        assert_int_equal(decode(bytes, size), encoding < ENCODINGS ? REFUSED_NOT : REFUSED_VERSION);
    }
    message.model.piece.encoding = ENCODINGS;
    assert_int_equal(message_encode(&message, NULL, NULL), 0);
}

static void every_number_of_a_model_header_is_bounded(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint32_t fragment, fragments;
        double age;
        uint64_t parameters;
        bool sound;
    } cases[] = {
        {"the least", 0, 1, 0, 1, true},
        {"the most", FRAGMENTS_MAX - 1, FRAGMENTS_MAX, (double)AGE_MAX, PARAMETERS_MAX, true},
        {"no fragments", 0, 0, 0, 1, false},
        {"too many fragments", 0, FRAGMENTS_MAX + 1, 0, 1, false},
        {"a fragment that is not one of them", 3, 3, 0, 1, false},
        {"a negative age", 0, 1, -1e-9, 1, false},
        {"an age beyond belief", 0, 1, 1.001e15, 1, false},
        {"an infinite age", 0, 1, INFINITY, 1, false},
        {"an age that is no number", 0, 1, NAN, 1, false},
        {"no parameters", 0, 1, 0, 0, false},
        {"too many parameters", 0, 1, 0, (uint64_t)PARAMETERS_MAX + 1, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gossip_message message = example_model();
        message.model.piece.fragment = cases[i].fragment;
        message.model.piece.fragments = cases[i].fragments;
        message.model.age = cases[i].age;
        message.model.piece.count = (uint32_t)cases[i].parameters;
        if ((message_encode(&message, NULL, NULL) > 0) != cases[i].sound)
            fail_msg("encoding: %s", cases[i].what);

        uint8_t bytes[256];
        struct wire_writer writer = wire_writer(bytes, sizeof bytes);
        wire_put_map(&writer, 9);
        for (int64_t key = 0; key < 9; key++) {
            wire_put_key(&writer, key);
            switch (key) {
            case 2:
                wire_put_bytes(&writer, message.model.task, TASK_ID_BYTES);
                break;
            case 3:
                wire_put_uint(&writer, cases[i].fragment);
                break;
            case 4:
                wire_put_uint(&writer, cases[i].fragments);
                break;
            case 5:
                wire_put_double(&writer, cases[i].age);
                break;
            case 7:
                wire_put_bool(&writer, true);
                break;
            case 8:
                wire_put_uint(&writer, cases[i].parameters);
                break;
            default: /* version, kind and sequence */
                wire_put_uint(&writer, 1);
            }
        }
        if (decode(bytes, wire_written(&writer)) !=
            (cases[i].sound ? REFUSED_NOT : REFUSED_MALFORMED))
            fail_msg("decoding: %s", cases[i].what);
    }
}

static void a_value_of_the_wrong_type_is_malformed(void **state)
{
    (void)state;
    uint8_t whole[256];
    size_t size = bytes_of_hex(vector_model, whole, sizeof whole);
    /* Where the values of the example lie, and nil in place of each that is one byte. */
    static const size_t places[] = {2, 4, 25, 27, 39, 41, 43};
    for (size_t i = 0; i < COUNT(places); i++) {
        uint8_t kept = whole[places[i]];
        whole[places[i]] = 0xc0;
        assert_int_equal(decode(whole, size), REFUSED_MALFORMED);
        whole[places[i]] = kept;
    }
    assert_int_equal(decode(whole, size), REFUSED_NOT);
}

static void a_shuffle_of_too_many_or_with_a_wrong_card_is_refused(void **state)
{
    (void)state;
    static const uint8_t content[CARD_BYTES_MAX + 1];
    static const struct {
        uint32_t count;
        size_t size;
        bool sound;
    } cases[] = {
        {0, 1, true},  {SHUFFLE_MAX, CARD_BYTES_MAX, true},      {SHUFFLE_MAX + 1, 1, false},
        {1, 0, false}, {SHUFFLE_MAX, CARD_BYTES_MAX + 1, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gossip_message message = {.kind = MESSAGE_SHUFFLE,
                                         .shuffle = {.count = cases[i].count}};
        struct card cards[SHUFFLE_MAX + 1];
        for (size_t c = 0; c < COUNT(cards); c++)
            cards[c] = (struct card){content, cases[i].size};
        assert_int_equal(message_encode(&message, cards, NULL) > 0, cases[i].sound);

        static uint8_t bytes[HEADER_BYTES_MAX];
        struct wire_writer writer = wire_writer(bytes, sizeof bytes);
        wire_put_map(&writer, 4);
        for (int64_t key = 0; key < 3; key++) { /* version, kind 2, nonce */
            wire_put_key(&writer, key);
            wire_put_uint(&writer, key == 1 ? 2 : 1);
        }
        wire_put_key(&writer, 3);
        wire_put_array(&writer, cases[i].count);
        for (uint32_t entry = 0; entry < cases[i].count; entry++) {
            wire_put_map(&writer, 2);
            wire_put_key(&writer, 0);
            wire_put_uint(&writer, entry);
            wire_put_key(&writer, 1);
            wire_put_bytes(&writer, content, cases[i].size);
        }
        assert_int_equal(decode(bytes, wire_written(&writer)),
                         cases[i].sound ? REFUSED_NOT : REFUSED_MALFORMED);
    }
}

static void what_a_newer_sender_demands_in_an_entry_refuses_the_message(void **state)
{
    (void)state;
    uint8_t bytes[64];
    size_t size = bytes_of_hex("84000101020201039183000001c40155e000", bytes, sizeof bytes);
    assert_true(size > 0);
    assert_int_equal(decode(bytes, size), REFUSED_VERSION);
    bytes[size - 2] = 0x7f;
    assert_int_equal(decode(bytes, size), REFUSED_NOT);
}

static void a_hello_is_no_gossip_message(void **state)
{
    (void)state;
    uint8_t bytes[HELLO_BYTES_MAX];
    size_t size = bytes_of_hex(vector_hello, bytes, sizeof bytes);
    assert_true(size > 0);
    assert_int_equal(decode(bytes, size), REFUSED_MALFORMED);
}

/* Lengths around a block of the check and of the vector kernels, at every alignment. */
static void parameters_come_back_bit_for_bit_from_unaligned_bytes(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 15, 16, 17, 4095, 4096, 4097, 10007};
    for (size_t c = 0; c < COUNT(counts); c++) {
        struct piece piece = piece_whole(counts[c]);
        size_t size = counts[c] * sizeof(float);
        float *sent = vector_new(counts[c]), *received = vector_new(counts[c]);
        uint8_t *bytes = malloc(size + 4);
        assert_true(sent && received && bytes);
        struct random random = random_stream(c, 0, RANDOM_NETWORK, 1);
        for (size_t i = 0; i < counts[c]; i++)
            sent[i] = (float)(random_normal(&random) * exp(20 * random_normal(&random)));
        sent[0] = -0.0f;
        for (size_t offset = 0; offset < 4; offset++) {
            piece_encode(&piece, counts[c], sent, bytes + offset);
            assert_true(piece_decode(&piece, bytes + offset, size, NULL));
            assert_true(piece_decode(&piece, bytes + offset, size, received));
            assert_memory_equal(sent, received, size);
        }
        free(bytes);
        vector_free(sent);
        vector_free(received);
    }
}

static void a_value_that_is_not_finite_is_found_wherever_it_hides(void **state)
{
    (void)state;
    static const uint32_t bad[] = {0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff};
    enum { VALUES = 4099 };
    static float values[VALUES], out[VALUES];
    static uint8_t bytes[sizeof values + 1];
    struct piece piece = piece_whole(VALUES);
    for (size_t place = 0; place < VALUES; place += place < 40 || place > 4080 ? 1 : 37) {
        uint32_t bits = bad[place % COUNT(bad)], fine = 0;
        for (size_t i = 0; i < sizeof bits; i++)
            bytes[1 + place * 4 + i] = (uint8_t)(bits >> (8 * i));
        assert_false(piece_decode(&piece, bytes + 1, sizeof values, NULL));
        assert_false(piece_decode(&piece, bytes + 1, sizeof values, out));
        memcpy(bytes + 1 + place * 4, &fine, sizeof fine);
    }
    assert_true(piece_decode(&piece, bytes + 1, sizeof values, NULL));
}

static void a_parameter_frame_of_the_wrong_size_is_malformed(void **state)
{
    (void)state;
    static const uint8_t bytes[64];
    static const size_t wanted[ENCODINGS] = {16, 8, 8};
    for (int encoding = 0; encoding < ENCODINGS; encoding++) {
        struct piece piece = piece_of(4, 0, 1, 1, (enum encoding)encoding);
        for (size_t size = 0; size < sizeof bytes; size++)
            assert_int_equal(piece_decode(&piece, bytes, size, NULL), size == wanted[encoding]);
    }
    struct piece piece = piece_whole(1u << 30); /* times four it would be 0 in 32 bits */
    assert_false(piece_decode(&piece, bytes, 0, NULL));
}

/* Measured between two libzmq 4.3 sockets over TCP. */
static void bytes_on_the_wire_are_those_of_zmtp_with_curve(void **state)
{
    (void)state;
    static const struct {
        size_t header, parameters, bytes;
    } cases[] = {
        {1, 0, 36},         {13, 0, 48},        {222, 0, 257},
        {223, 0, 265},      {16384, 0, 16426},  {46, 1, 120},
        {46, 55, 81 + 255}, {46, 56, 81 + 266}, {46, 100000, 81 + 400042},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gossip_message message = {.kind = MESSAGE_SHUFFLE};
        if (cases[i].parameters > 0) {
            message.kind = MESSAGE_MODEL;
            message.model.piece = piece_whole(cases[i].parameters);
        }
        assert_int_equal(message_wire_bytes(&message, cases[i].header), cases[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_has_the_name_that_outputs_use),
        cmocka_unit_test(a_model_header_comes_back_as_it_was_sent),
        cmocka_unit_test(a_shuffle_comes_back_as_it_was_sent),
        cmocka_unit_test(the_example_messages_are_the_published_bytes),
        cmocka_unit_test(the_example_parameters_are_the_published_bytes),
        cmocka_unit_test(the_published_variants_are_judged_as_published),
        cmocka_unit_test(the_protocol_page_shows_every_vector),
        cmocka_unit_test(a_truncated_or_longer_header_is_malformed),
        cmocka_unit_test(a_flipped_bit_gives_a_refusal_or_another_sound_message),
        cmocka_unit_test(a_bomb_is_refused_before_msgpack_sees_it),
        cmocka_unit_test(depth_and_elements_are_bounded_exactly),
        cmocka_unit_test(a_writer_that_is_full_says_so),
        cmocka_unit_test(an_encoding_still_to_come_is_refused_as_such),
        cmocka_unit_test(every_number_of_a_model_header_is_bounded),
        cmocka_unit_test(a_value_of_the_wrong_type_is_malformed),
        cmocka_unit_test(a_shuffle_of_too_many_or_with_a_wrong_card_is_refused),
        cmocka_unit_test(what_a_newer_sender_demands_in_an_entry_refuses_the_message),
        cmocka_unit_test(a_hello_is_no_gossip_message),
        cmocka_unit_test(parameters_come_back_bit_for_bit_from_unaligned_bytes),
        cmocka_unit_test(a_value_that_is_not_finite_is_found_wherever_it_hides),
        cmocka_unit_test(a_parameter_frame_of_the_wrong_size_is_malformed),
        cmocka_unit_test(bytes_on_the_wire_are_those_of_zmtp_with_curve),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
