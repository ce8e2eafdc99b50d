/* Any bytes as MNIST's four files, of which the last two may be missing. */
#include "tests/fuzz/fuzz_data.h"

static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part input = {data, size};
    uint8_t choice = part_byte(&input);
    struct folder *folder = fuzz_folder_once();
    for (size_t i = 0; i < 4; i++) {
        struct part file = part_next(&input);
        if (file.size > 0)
            must(folder_write(folder, names[i], file.bytes, file.size) == 0);
        else
            remove(folder_file(folder, names[i]));
    }
    char specification[1024];
    snprintf(specification, sizeof specification, "idx:%s%s", folder->path,
             choice & 4 ? "?classes=3" : "");
    check_data(specification, (enum dataset_scale)(choice % 4));
    return 0;
}
