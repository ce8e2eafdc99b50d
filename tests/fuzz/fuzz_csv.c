/* Any bytes as a table, and perhaps as its test set too: the first byte says with which options. */
#include "tests/fuzz/fuzz_data.h"

static const char *const options[] = {
    "",
    "?label=1",
    "?label=last&test=none",
    "?user=1&label=2",
    "?label=class&user=user",
    "?label=class&ignore=name,3",
    "?classes=3&shape=2x1",
    "?label=last&user=1&ignore=2&test=%s",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part input = {data, size};
    uint8_t choice = part_byte(&input);
    char path[1024], rest[2048], specification[4096];
    struct folder *folder = fuzz_folder_once();
    snprintf(path, sizeof path, "%s", folder_file(folder, "table"));
    must(folder_write(folder, "table", input.bytes, input.size) == 0);
    snprintf(rest, sizeof rest, options[choice % 8], path);
    snprintf(specification, sizeof specification, "csv:%s%s", path, rest);
    check_data(specification, (enum dataset_scale)(choice / 8 % 4));
    return 0;
}
