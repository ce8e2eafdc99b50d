#include "node/identity.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "node/files.h"
#include "node/key_text.h"

#define KEY_FILE_MAX 2048
#define IDENTITY_KIND "starling-identity"
#define PUBLIC_KIND "starling-node"

static const char z85_characters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

void key_hex(const uint8_t key[KEY_BYTES], char out[KEY_HEX_SIZE])
{
    sodium_bin2hex(out, KEY_HEX_SIZE, key, KEY_BYTES);
}

bool key_from_hex(const char *text, uint8_t key[KEY_BYTES])
{
    size_t got = 0;
    return strlen(text) == KEY_HEX_SIZE - 1 &&
           !sodium_hex2bin(key, KEY_BYTES, text, KEY_HEX_SIZE - 1, NULL, &got, NULL) &&
           got == KEY_BYTES;
}

static struct identity *allocate(struct problem *problem)
{
    struct identity *identity = NULL;
    if (sodium_init() >= 0)
        identity = calloc(1, sizeof *identity);
    if (identity) {
        identity->identity_secret = sodium_malloc(SECRET_KEY_BYTES);
        identity->curve_secret = sodium_malloc(KEY_BYTES);
    }
    if (!identity || !identity->identity_secret || !identity->curve_secret) {
        problem_set(problem, STARLING_NO_MEMORY,
                    "keys: no locked memory for them: raise ulimit -l or free memory");
        identity_free(&identity);
    }
    return identity;
}

struct identity *identity_new(struct problem *problem)
{
    struct identity *identity = allocate(problem);
    if (!identity)
        return NULL;
    crypto_sign_ed25519_keypair(identity->keys.identity, identity->identity_secret);
    if (crypto_sign_ed25519_pk_to_curve25519(identity->keys.curve, identity->keys.identity) ||
        crypto_sign_ed25519_sk_to_curve25519(identity->curve_secret, identity->identity_secret)) {
        problem_set(problem, STARLING_FAILED, "keys: cannot be made: try again");
        identity_free(&identity);
    }
    return identity;
}

void identity_free(struct identity **identity)
{
    struct identity *ours = *identity;
    *identity = NULL;
    if (!ours)
        return;
    sodium_free(ours->identity_secret);
    sodium_free(ours->curve_secret);
    free(ours);
}

static size_t format_secret(const struct identity *identity, char *text)
{
    char public[2][KEY_HEX_SIZE], curve_secret[KEY_HEX_SIZE], secret[2 * SECRET_KEY_BYTES + 1];
    key_hex(identity->keys.identity, public[0]);
    key_hex(identity->keys.curve, public[1]);
    sodium_bin2hex(secret, sizeof secret, identity->identity_secret, SECRET_KEY_BYTES);
    key_hex(identity->curve_secret, curve_secret);
    int length = snprintf(text, KEY_FILE_MAX,
                          IDENTITY_KIND " 1\n"
                                        "# Secret: whoever has this file is this node.\n"
                                        "identity %s\nidentity-secret %s\n"
                                        "curve %s\ncurve-secret %s\n",
                          public[0], secret, public[1], curve_secret);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(curve_secret, sizeof curve_secret);
    return (size_t)length;
}

enum starling_error identity_save(const struct identity *identity, const char *dir,
                                  struct problem *problem)
{
    char secret_path[PATH_MAX], public_path[PATH_MAX], text[KEY_FILE_MAX];
    enum starling_error error =
        file_path(secret_path, sizeof secret_path, dir, "identity.key", problem);
    if (!error)
        error = file_path(public_path, sizeof public_path, dir, "node.pub", problem);
    if (error)
        return error;
    size_t size = format_secret(identity, text);
    error = file_create(secret_path, 0600, text, size, problem);
    sodium_memzero(text, sizeof text);
    if (error)
        return error;
    char hex[2][KEY_HEX_SIZE];
    key_hex(identity->keys.identity, hex[0]);
    key_hex(identity->keys.curve, hex[1]);
    int length =
        snprintf(text, sizeof text, PUBLIC_KIND " 1\nidentity %s\ncurve %s\n", hex[0], hex[1]);
    error = file_create(public_path, 0644, text, (size_t)length, problem);
    if (error)
        unlink(secret_path);
    return error;
}

/* The public keys in the file must be those of the secrets: a mix-up would cut the node off. */
static bool fits(const struct identity *identity)
{
    uint8_t public[KEY_BYTES], secret[SECRET_KEY_BYTES], curve[KEY_BYTES];
    crypto_sign_ed25519_seed_keypair(public, secret, identity->identity_secret);
    bool good = !sodium_memcmp(public, identity->keys.identity, KEY_BYTES) &&
                !sodium_memcmp(secret, identity->identity_secret, SECRET_KEY_BYTES) &&
                !crypto_scalarmult_base(curve, identity->curve_secret) &&
                !sodium_memcmp(curve, identity->keys.curve, KEY_BYTES);
    sodium_memzero(secret, sizeof secret);
    return good;
}

static enum starling_error parse_secret(struct identity *identity, const char *path,
                                        const char *text, struct problem *problem)
{
    struct key_text reader;
    enum starling_error error = key_text_begin(&reader, path, IDENTITY_KIND, text, problem);
    if (!error)
        error = key_text_hex(&reader, "identity", identity->keys.identity, KEY_BYTES, problem);
    if (!error)
        error = key_text_hex(&reader, "identity-secret", identity->identity_secret,
                             SECRET_KEY_BYTES, problem);
    if (!error)
        error = key_text_hex(&reader, "curve", identity->keys.curve, KEY_BYTES, problem);
    if (!error)
        error = key_text_hex(&reader, "curve-secret", identity->curve_secret, KEY_BYTES, problem);
    if (!error)
        error = key_text_end(&reader, problem);
    if (!error && !fits(identity))
        error = problem_set(problem, STARLING_INVALID,
                            "%s: its public and secret keys do not belong together: restore it "
                            "from a copy",
                            path);
    return error;
}

struct identity *identity_load(const char *dir, struct problem *problem)
{
    char path[PATH_MAX], text[KEY_FILE_MAX];
    size_t size;
    if (file_path(path, sizeof path, dir, "identity.key", problem))
        return NULL;
    struct identity *identity = allocate(problem);
    if (!identity)
        return NULL;
    enum starling_error error = file_read(path, true, text, sizeof text - 1, &size, problem);
    if (!error) {
        text[size] = '\0';
        error = parse_secret(identity, path, text, problem);
    }
    sodium_memzero(text, sizeof text);
    if (error)
        identity_free(&identity);
    return identity;
}

enum starling_error public_keys_read(const char *file, struct public_keys *keys,
                                     struct problem *problem)
{
    char text[KEY_FILE_MAX];
    size_t size;
    struct key_text reader;
    enum starling_error error = file_read(file, false, text, sizeof text - 1, &size, problem);
    if (error)
        return error;
    text[size] = '\0';
    error = key_text_begin(&reader, file, PUBLIC_KIND, text, problem);
    if (!error)
        error = key_text_hex(&reader, "identity", keys->identity, KEY_BYTES, problem);
    if (!error)
        error = key_text_hex(&reader, "curve", keys->curve, KEY_BYTES, problem);
    if (!error)
        error = key_text_end(&reader, problem);
    uint8_t curve[KEY_BYTES];
    if (!error && (crypto_sign_ed25519_pk_to_curve25519(curve, keys->identity) ||
                   sodium_is_zero(keys->curve, KEY_BYTES)))
        error = problem_set(problem, STARLING_INVALID,
                            "%s: what it holds is no key: copy the file again", file);
    return error;
}

/* The CURVE key that the first `length` characters of `text` name. */
static bool parse_key(const char *text, size_t length, uint8_t curve[KEY_BYTES])
{
    char key[KEY_HEX_SIZE];
    uint8_t identity[KEY_BYTES];
    if (length >= sizeof key)
        return false;
    memcpy(key, text, length);
    key[length] = '\0';
    if (length == KEY_Z85_SIZE - 1)
        return strspn(key, z85_characters) == length && zmq_z85_decode(curve, key) != NULL;
    return key_from_hex(key, identity) && !crypto_sign_ed25519_pk_to_curve25519(curve, identity);
}

enum starling_error seed_parse(const char *text, uint8_t curve[KEY_BYTES], char *endpoint,
                               struct problem *problem)
{
    /* An endpoint has no '@', a Z85 key may. */
    const char *at = strrchr(text, '@');
    if (!at || !parse_key(text, (size_t)(at - text), curve))
        return problem_set(problem, STARLING_INVALID,
                           "seed \"%.100s\": does not begin with a key: write KEY@ENDPOINT, KEY 64 "
                           "hexadecimal digits (identity) or 40 characters of Z85 (CURVE)",
                           text);
    if (!at[1] || strlen(at + 1) >= ENDPOINT_MAX || !endpoint_valid(at + 1))
        return problem_set(problem, STARLING_INVALID,
                           "seed \"%.100s…\": \"%.130s\" is no endpoint: write tcp://HOST:PORT",
                           text, at + 1);
    strcpy(endpoint, at + 1);
    return STARLING_OK;
}
