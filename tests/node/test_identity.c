#include "node/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <sodium.h>
#include <string.h>
#include <zmq.h>

#include "tests/node/folder.h"

static void a_saved_identity_loads_the_same(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    struct identity *made = identity_new(&problem);
    assert_non_null(made);
    assert_int_equal(identity_save(made, folder->path, &problem), 0);
    struct identity *loaded = identity_load(folder->path, &problem);
    assert_non_null(loaded);
    assert_memory_equal(&made->keys, &loaded->keys, sizeof made->keys);
    assert_memory_equal(made->identity_secret, loaded->identity_secret, SECRET_KEY_BYTES);
    assert_memory_equal(made->curve_secret, loaded->curve_secret, KEY_BYTES);
    struct public_keys keys;
    assert_int_equal(public_keys_read(folder_file(folder, "node.pub"), &keys, &problem), 0);
    assert_memory_equal(&made->keys, &keys, sizeof keys);
    struct stat about;
    assert_int_equal(stat(folder_file(folder, "identity.key"), &about), 0);
    assert_int_equal(about.st_mode & 07777, 0600);
    identity_free(&loaded);
    identity_free(&made);
    assert_null(made);
}

static void the_curve_key_is_the_x25519_form_of_the_identity(void **state)
{
    (void)state;
    uint8_t curve[KEY_BYTES];
    struct identity *identity = identity_new(NULL);
    assert_int_equal(crypto_scalarmult_base(curve, identity->curve_secret), 0);
    assert_memory_equal(curve, identity->keys.curve, KEY_BYTES);
    assert_int_equal(crypto_sign_ed25519_pk_to_curve25519(curve, identity->keys.identity), 0);
    assert_memory_equal(curve, identity->keys.curve, KEY_BYTES);
    identity_free(&identity);
}

static void saving_never_overwrites(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    struct identity *first = identity_new(NULL), *second = identity_new(NULL);
    assert_int_equal(identity_save(first, folder->path, NULL), 0);
    assert_int_equal(identity_save(second, folder->path, &problem), STARLING_INVALID);
    assert_non_null(strstr(problem.text, "identity.key: is there already"));
    struct identity *loaded = identity_load(folder->path, &problem);
    assert_memory_equal(&loaded->keys, &first->keys, sizeof first->keys);
    /* a node.pub in the way leaves no identity.key behind */
    assert_int_equal(unlink(folder_file(folder, "identity.key")), 0);
    assert_int_equal(identity_save(second, folder->path, &problem), STARLING_INVALID);
    assert_int_not_equal(access(folder_file(folder, "identity.key"), F_OK), 0);
    identity_free(&loaded);
    identity_free(&first);
    identity_free(&second);
}

static void a_secret_that_others_can_reach_is_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0666};
    struct folder *folder = *state;
    struct identity *identity = identity_new(NULL);
    assert_int_equal(identity_save(identity, folder->path, NULL), 0);
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct problem problem = {0};
        chmod(folder_file(folder, "identity.key"), modes[i]);
        assert_null(identity_load(folder->path, &problem));
        assert_non_null(strstr(problem.text, "chmod 600 "));
    }
    identity_free(&identity);
}

static void what_is_no_identity_file_is_refused(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    assert_null(identity_load(folder->path, &problem));
    assert_non_null(strstr(problem.text, "identity.key: cannot be opened"));
    assert_int_equal(mkfifo(folder_file(folder, "identity.key"), 0600), 0);
    assert_null(identity_load(folder->path, &problem));
    assert_non_null(strstr(problem.text, "is not a regular file"));
    unlink(folder_file(folder, "identity.key"));
    static const struct {
        const char *text, *said;
    } cases[] = {
        {"", "is not a starling-identity file"},
        {"starling-node 1\n", "is not a starling-identity file"},
        {"starling-identity 2\n", "is of version 2, known is version 1"},
        {"starling-identity 1\nidentity 00\n", "identity.key:2: \"identity\" is not 64"},
        {"starling-identity 1\n\n# x\n", "\"identity\" is missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        folder_write(folder, "identity.key", cases[i].text, strlen(cases[i].text));
        chmod(folder_file(folder, "identity.key"), 0600);
        assert_null(identity_load(folder->path, &problem));
        if (!strstr(problem.text, cases[i].said))
            fail_msg("said \"%s\", wanted \"%s\"", problem.text, cases[i].said);
    }
    static char large[4096];
    memset(large, 'x', sizeof large);
    folder_write(folder, "identity.key", large, sizeof large);
    assert_null(identity_load(folder->path, &problem));
    assert_non_null(strstr(problem.text, "is larger than"));
}

/* Every byte changed, and every length cut: refused, or (a comment, a letter's case) the same. */
static void a_damaged_identity_is_refused(void **state)
{
    struct folder *folder = *state;
    char text[2048], changed[2048];
    struct identity *identity = identity_new(NULL);
    assert_int_equal(identity_save(identity, folder->path, NULL), 0);
    long size = folder_read(folder, "identity.key", text, sizeof text);
    assert_true(size > 0);
    for (long i = 0; i < size; i++) {
        struct problem problem = {0};
        memcpy(changed, text, (size_t)size);
        changed[i] = (char)(changed[i] ^ 1);
        folder_write(folder, "identity.key", changed, (size_t)size);
        struct identity *loaded = identity_load(folder->path, &problem);
        if (loaded)
            assert_memory_equal(&loaded->keys, &identity->keys, sizeof loaded->keys);
        else
            assert_non_null(strstr(problem.text, "identity.key"));
        identity_free(&loaded);
        if (i + 1 < size) {
            folder_write(folder, "identity.key", text, (size_t)i);
            assert_null(identity_load(folder->path, &problem));
        }
    }
    identity_free(&identity);
}

static void keys_of_two_nodes_mixed_are_refused(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    struct identity *one = identity_new(NULL), *two = identity_new(NULL);
    uint8_t *secrets[] = {one->identity_secret, one->curve_secret};
    for (int i = 0; i < 2; i++) {
        uint8_t *kept = secrets[i];
        if (i == 0)
            one->identity_secret = two->identity_secret;
        else
            one->curve_secret = two->curve_secret;
        assert_int_equal(identity_save(one, folder->path, NULL), 0);
        assert_null(identity_load(folder->path, &problem));
        assert_non_null(strstr(problem.text, "do not belong together"));
        unlink(folder_file(folder, "identity.key"));
        unlink(folder_file(folder, "node.pub"));
        one->identity_secret = i == 0 ? kept : one->identity_secret;
        one->curve_secret = i == 1 ? kept : one->curve_secret;
    }
    identity_free(&one);
    identity_free(&two);
}

static void a_node_pub_with_no_key_in_it_is_refused(void **state)
{
    struct folder *folder = *state;
    struct problem problem = {0};
    struct public_keys keys;
    char text[400], zeros[65];
    memset(zeros, '0', 64);
    zeros[64] = '\0';
    snprintf(text, sizeof text, "starling-node 1\nidentity %s\ncurve %s\n", zeros, zeros);
    folder_write(folder, "node.pub", text, strlen(text));
    assert_int_not_equal(public_keys_read(folder_file(folder, "node.pub"), &keys, &problem), 0);
    assert_non_null(strstr(problem.text, "what it holds is no key"));
    strcat(text, "more\n");
    folder_write(folder, "node.pub", text, strlen(text));
    assert_int_not_equal(public_keys_read(folder_file(folder, "node.pub"), &keys, &problem), 0);
    assert_non_null(strstr(problem.text, "node.pub:4: more than belongs"));
}

static void a_seed_names_its_peer_by_either_key(void **state)
{
    (void)state;
    struct identity *identity = identity_new(NULL);
    char hex[KEY_HEX_SIZE], z85[KEY_Z85_SIZE], text[300], endpoint[ENDPOINT_MAX];
    uint8_t curve[KEY_BYTES];
    key_hex(identity->keys.identity, hex);
    zmq_z85_encode(z85, identity->keys.curve, KEY_BYTES);
    const char *keys[] = {hex, z85};
    for (size_t i = 0; i < 2; i++) {
        snprintf(text, sizeof text, "%s@tcp://[::1]:7000", keys[i]);
        memset(curve, 0, sizeof curve);
        assert_int_equal(seed_parse(text, curve, endpoint, NULL), 0);
        assert_memory_equal(curve, identity->keys.curve, KEY_BYTES);
        assert_string_equal(endpoint, "tcp://[::1]:7000");
    }
    identity_free(&identity);
}

static void a_seed_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char z85[] = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    static const struct {
        const char *key, *rest;
    } cases[] = {
        {"", ""},
        {"", "@tcp://a:1"},
        {"abc", "@tcp://a:1"},
        {z85, ""},
        {z85, "@"},
        {z85, "@tcp://a"},
        {z85, "@ipc://a:1"},
        {z85, "@tcp://a:0"},
        {z85, "@tcp://a:65536"},
        {z85 + 1, "@tcp://a:1"},
        {"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf~", "@tcp://a:1"},
        {"0000000000000000000000000000000000000000000000000000000000000000", "@tcp://a:1"},
        {"g000000000000000000000000000000000000000000000000000000000000000", "@tcp://a:1"},
    };
    char text[300], endpoint[ENDPOINT_MAX];
    uint8_t curve[KEY_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct problem problem = {0};
        snprintf(text, sizeof text, "%s%s", cases[i].key, cases[i].rest);
        if (!seed_parse(text, curve, endpoint, &problem))
            fail_msg("\"%s\" was taken", text);
        assert_non_null(strstr(problem.text, "seed "));
    }
    snprintf(text, sizeof text, "%s@tcp://a:1", z85);
    assert_int_equal(seed_parse(text, curve, endpoint, NULL), 0);
    char long_seed[400];
    memset(long_seed, 'h', sizeof long_seed);
    memcpy(long_seed, z85, 40);
    memcpy(long_seed + 40, "@tcp://", 7);
    strcpy(long_seed + 390, ":1");
    assert_int_not_equal(seed_parse(long_seed, curve, endpoint, NULL), 0);
}

static void a_key_as_hex_reads_back(void **state)
{
    (void)state;
    uint8_t key[KEY_BYTES], back[KEY_BYTES];
    char hex[KEY_HEX_SIZE + 1];
    randombytes_buf(key, sizeof key);
    key_hex(key, hex);
    assert_true(key_from_hex(hex, back));
    assert_memory_equal(key, back, sizeof key);
    strcat(hex, "0");
    assert_false(key_from_hex(hex, back));
    hex[63] = '\0';
    assert_false(key_from_hex(hex, back));
    assert_false(key_from_hex("", back));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_saved_identity_loads_the_same, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(the_curve_key_is_the_x25519_form_of_the_identity),
        cmocka_unit_test_setup_teardown(saving_never_overwrites, folder_setup, folder_teardown),
        cmocka_unit_test_setup_teardown(a_secret_that_others_can_reach_is_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_identity_file_is_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_damaged_identity_is_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(keys_of_two_nodes_mixed_are_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test_setup_teardown(a_node_pub_with_no_key_in_it_is_refused, folder_setup,
                                        folder_teardown),
        cmocka_unit_test(a_seed_names_its_peer_by_either_key),
        cmocka_unit_test(a_seed_that_makes_no_sense_is_refused),
        cmocka_unit_test(a_key_as_hex_reads_back),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
