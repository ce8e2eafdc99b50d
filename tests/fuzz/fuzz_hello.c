/* Any bytes as a HELLO. What is accepted must be encoded again and come back the same, and nobody
 * but the example node is ever believed. */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "gossip/hello.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static bool same_card(const struct card *a, const struct card *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

static void check_again(const struct hello *hello)
{
    uint8_t bytes[HELLO_BYTES_MAX];
    size_t size = hello_encode(hello, bytes);
    struct hello again;
    must(size > 0 && hello_decode(bytes, size, &again) == REFUSED_NOT);
    must(hello->version_least == again.version_least && hello->version_most == again.version_most);
    must(memcmp(hello->swarm, again.swarm, KEY_BYTES) == 0);
    must(same_card(&hello->membership, &again.membership));
    must(same_card(&hello->descriptor, &again.descriptor));
    must(hello->revocation == again.revocation && hello->reply == again.reply);
    must(hello->task_count == again.task_count && hello->task_count <= HELLO_TASKS_MAX);
    must(memcmp(hello->tasks, again.tasks, sizeof hello->tasks) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is = hello_is(data, size);
    struct hello hello;
    if (hello_decode(data, size, &hello) != REFUSED_NOT)
        return 0;
    must(is);
    check_again(&hello);

    uint8_t seed[crypto_sign_SEEDBYTES], swarm[KEY_BYTES], secret[SECRET_KEY_BYTES];
    uint8_t identity[KEY_BYTES], curve[KEY_BYTES];
    memset(seed, 1, sizeof seed);
    crypto_sign_seed_keypair(swarm, secret, seed);
    memset(seed, 2, sizeof seed);
    crypto_sign_seed_keypair(identity, secret, seed);
    memset(curve, 3, sizeof curve);
    struct membership membership;
    struct descriptor descriptor;
    if (hello_judge(&hello, swarm, curve, 1700000000, true, &membership, &descriptor) ==
        REFUSED_NOT)
        must(memcmp(membership.identity, identity, KEY_BYTES) == 0 &&
             memcmp(descriptor.identity, identity, KEY_BYTES) == 0);
    return 0;
}
