/* Any bytes as LIBSVM's sparse text, and perhaps as its test set too: the first byte says with
 * which options. */
#include "tests/fuzz/fuzz_data.h"

static const char *const options[] = {
    "",
    "?features=40",
    "?features=6&shape=2x3&test=none",
    "?features=9&classes=3",
    "?features=40&test=%s",
    "?features=12&classes=2&shape=2x2x3&test=%s",
    "?features=1",
    "?features=300&classes=10000",
};

/* A number of five digits may ask for a row of a million features: then it is memory that is tested
 * and not the reader, whose bounds features=N meets as well. */
static bool may_be_wide(struct part input)
{
    size_t digits = 0;
    for (size_t i = 0; i < input.size && digits < 5; i++)
        digits = input.bytes[i] >= '0' && input.bytes[i] <= '9' ? digits + 1 : 0;
    return digits == 5 || (input.size > 1 && input.bytes[0] == 0x1f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part input = {data, size};
    uint8_t choice = part_byte(&input);
    const char *option = options[choice % 8];
    if (!*option && may_be_wide(input))
        return 0;
    char path[1024], rest[2048], specification[4096];
    struct folder *folder = fuzz_folder_once();
    snprintf(path, sizeof path, "%s", folder_file(folder, "sparse"));
    must(folder_write(folder, "sparse", input.bytes, input.size) == 0);
    snprintf(rest, sizeof rest, option, path);
    snprintf(specification, sizeof specification, "libsvm:%s%s", path, rest);
    check_data(specification, (enum dataset_scale)(choice / 8 % 4));
    return 0;
}
