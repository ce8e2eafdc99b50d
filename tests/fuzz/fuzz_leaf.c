/* Any bytes as LEAF's JSON: the first byte says whether it is one file, two that are read one after
 * another, or training and test, and with which options. */
#include "tests/fuzz/fuzz_data.h"

static const char *const options[] = {"", "?classes=3", "?shape=2x1", "?classes=2&shape=1x2x1"};

static void write_file(struct folder *folder, const char *name, struct part bytes)
{
    must(folder_write(folder, name, bytes.bytes, bytes.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct part input = {data, size};
    uint8_t choice = part_byte(&input);
    bool two = choice / 4 % 2, divided = choice / 8 % 2;
    struct folder *folder = fuzz_folder_once();
    static const char *const folders[] = {"one", "pair", "both", "both/train", "both/test"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0] && !made; i++)
        must(mkdir(folder_file(folder, folders[i]), 0700) == 0);
    made = true;
    struct part first = two ? part_next(&input) : input;
    if (!two)
        write_file(folder, "one/a.json", first);
    else
        write_file(folder, divided ? "both/train/a.json" : "pair/a.json", first);
    if (two)
        write_file(folder, divided ? "both/test/b.json.gz" : "pair/b.json.gz", input);
    char specification[2048];
    snprintf(specification, sizeof specification, "leaf:%s%s",
             folder_file(folder, !two      ? "one"
                                 : divided ? "both"
                                           : "pair"),
             options[choice % 4]);
    check_data(specification, (enum dataset_scale)(choice / 16 % 4));
    return 0;
}
