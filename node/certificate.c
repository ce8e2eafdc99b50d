/* The small text files that go from hand to hand: certificates and swarm.pub. */
#include "node/authority.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/files.h"
#include "node/key_text.h"

#define FILE_TEXT_MAX 1024
#define CERTIFICATE_HEAD "starling-membership 1\n"
#define SWARM_KIND "starling-swarm"

static_assert(sizeof CERTIFICATE_HEAD +
                      sodium_base64_ENCODED_LEN(MEMBERSHIP_BYTES_MAX,
                                                sodium_base64_VARIANT_ORIGINAL) +
                      1 <
                  FILE_TEXT_MAX,
              "a certificate fits");

enum starling_error certificate_write(const char *file, const uint8_t *bytes, size_t size,
                                      struct problem *problem)
{
    char text[FILE_TEXT_MAX] = CERTIFICATE_HEAD;
    if (size == 0 || size > MEMBERSHIP_BYTES_MAX)
        return problem_set(problem, STARLING_INVALID, "%s: no certificate has %zu bytes", file,
                           size);
    size_t head = strlen(text);
    sodium_bin2base64(text + head, sizeof text - head, bytes, size, sodium_base64_VARIANT_ORIGINAL);
    strcat(text, "\n");
    struct file_part part = {text, strlen(text)};
    return file_write(file, 0644, &part, 1, problem);
}

enum starling_error certificate_read(const char *file, uint8_t bytes[MEMBERSHIP_BYTES_MAX],
                                     size_t *size, struct problem *problem)
{
    char text[FILE_TEXT_MAX + 1];
    size_t length;
    enum starling_error error = file_read(file, false, text, FILE_TEXT_MAX, &length, problem);
    if (error)
        return error;
    text[length] = '\0';
    size_t head = strlen(CERTIFICATE_HEAD);
    if (strncmp(text, "starling-membership ", strlen("starling-membership ")))
        return problem_set(problem, STARLING_INVALID,
                           "%s: is not a certificate: name the .cert file that the authority made",
                           file);
    if (strncmp(text, CERTIFICATE_HEAD, head))
        return problem_set(problem, STARLING_INVALID,
                           "%s:1: is not of version 1: use a newer starling", file);
    const char *end = NULL;
    if (sodium_base642bin(bytes, MEMBERSHIP_BYTES_MAX, text + head, length - head, " \r\n", size,
                          &end, sodium_base64_VARIANT_ORIGINAL) ||
        end != text + length || *size == 0)
        return problem_set(problem, STARLING_INVALID, "%s:2: is damaged: copy the file again",
                           file);
    return STARLING_OK;
}

enum starling_error swarm_write(const char *file, const uint8_t swarm[KEY_BYTES],
                                struct problem *problem)
{
    char text[FILE_TEXT_MAX], hex[KEY_HEX_SIZE];
    key_hex(swarm, hex);
    int length = snprintf(text, sizeof text, SWARM_KIND " 1\nswarm %s\n", hex);
    struct file_part part = {text, (size_t)length};
    return file_write(file, 0644, &part, 1, problem);
}

enum starling_error swarm_read(const char *file, uint8_t swarm[KEY_BYTES], struct problem *problem)
{
    char text[FILE_TEXT_MAX + 1];
    size_t length;
    struct key_text reader;
    enum starling_error error = file_read(file, false, text, FILE_TEXT_MAX, &length, problem);
    if (error)
        return error;
    text[length] = '\0';
    error = key_text_begin(&reader, file, SWARM_KIND, text, problem);
    if (!error)
        error = key_text_hex(&reader, "swarm", swarm, KEY_BYTES, problem);
    if (!error)
        error = key_text_end(&reader, problem);
    uint8_t curve[KEY_BYTES];
    if (!error && crypto_sign_ed25519_pk_to_curve25519(curve, swarm))
        error = problem_set(problem, STARLING_INVALID,
                            "%s: what it holds is no key: copy the file again", file);
    return error;
}
