/* Any bytes as each of the small text files of keys and certificates. What is read must be written
 * and read back the same. */
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

#include "node/authority.h"
#include "node/identity.h"

static const char *file_of(const char *name)
{
    return folder_file(fuzz_folder_once(), name);
}

static void check_certificate(void)
{
    uint8_t bytes[MEMBERSHIP_BYTES_MAX], again[MEMBERSHIP_BYTES_MAX];
    size_t size = 0, size_again = 0;
    struct problem problem = {0};
    if (certificate_read(file_of("file"), bytes, &size, &problem)) {
        must(problem.text[0]);
        return;
    }
    must(size >= 1 && size <= sizeof bytes);
    must(certificate_write(file_of("again"), bytes, size, NULL) == STARLING_OK);
    must(certificate_read(file_of("again"), again, &size_again, NULL) == STARLING_OK);
    must(size == size_again && memcmp(bytes, again, size) == 0);
}

static void check_swarm(void)
{
    uint8_t swarm[KEY_BYTES], again[KEY_BYTES];
    if (swarm_read(file_of("file"), swarm, NULL))
        return;
    must(swarm_write(file_of("again"), swarm, NULL) == STARLING_OK);
    must(swarm_read(file_of("again"), again, NULL) == STARLING_OK);
    must(memcmp(swarm, again, KEY_BYTES) == 0);
}

/* A secret is only taken with the public key that belongs to it. */
static void check_identity(void)
{
    struct identity *identity = identity_load(fuzz_folder_once()->path, NULL);
    if (!identity)
        return;
    uint8_t public[KEY_BYTES];
    must(crypto_sign_ed25519_sk_to_pk(public, identity->identity_secret) == 0);
    must(memcmp(public, identity->keys.identity, KEY_BYTES) == 0);
    identity_free(&identity);
}

static void check_seed(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), endpoint[ENDPOINT_MAX];
    uint8_t curve[KEY_BYTES];
    must(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (!seed_parse(text, curve, endpoint, NULL))
        must(strlen(endpoint) < ENDPOINT_MAX && endpoint_valid(endpoint));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct folder *folder = fuzz_folder_once();
    struct public_keys keys;
    must(folder_write(folder, "file", data, size) == 0);
    must(folder_write(folder, "identity.key", data, size) == 0);
    must(chmod(file_of("identity.key"), 0600) == 0);
    check_certificate();
    check_swarm();
    check_identity();
    public_keys_read(file_of("file"), &keys, NULL);
    check_seed(data, size);
    return 0;
}
