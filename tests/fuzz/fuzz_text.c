/* Any bytes as a text, and perhaps as its test set or alphabet too: the first byte says with which
 * options. */
#include "tests/fuzz/fuzz_data.h"

static const char *const options[] = {
    "?length=2",
    "?length=5&test=none",
    "?length=3&by=speaker&test=none",
    "?length=8&by=speaker",
    "?length=2&windows=apart",
    "?length=4&test=%s",
    "?length=2&test=none&alphabet=%s",
    "",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part input = {data, size};
    uint8_t choice = part_byte(&input);
    char path[1024], rest[2048], specification[4096];
    struct folder *folder = fuzz_folder_once();
    snprintf(path, sizeof path, "%s", folder_file(folder, "text"));
    must(folder_write(folder, "text", input.bytes, input.size) == 0);
    snprintf(rest, sizeof rest, options[choice % 8], path);
    snprintf(specification, sizeof specification, "text:%s%s", path, rest);
    check_data(specification, SCALE_AUTO);
    return 0;
}
