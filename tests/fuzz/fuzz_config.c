/* Any bytes as an INI file. What is refused changes nothing; what is taken must be written out and
 * read back the same. */
#include "tests/fuzz/fuzz.h"

#include "node/config.h"

#define SECTIONS "task learn gossip node control sim"

static char *written(const struct config *config, size_t *size)
{
    char *text = NULL;
    FILE *file = open_memstream(&text, size);
    must(file);
    must(config_write(config, SECTIONS, false, file, NULL) == STARLING_OK);
    must(fclose(file) == 0);
    return text;
}

static void check_again(const struct config *config)
{
    struct folder *folder = fuzz_folder_once();
    struct config again;
    size_t size, size_again;
    char *text = written(config, &size);
    must(folder_write(folder, "again.ini", text, size) == 0);
    config_defaults(&again);
    must(config_load(&again, folder_file(folder, "again.ini"), NULL) == STARLING_OK);
    char *text_again = written(&again, &size_again);
    must(size == size_again && memcmp(text, text_again, size) == 0);
    free(text);
    free(text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config before, config;
    struct folder *folder = fuzz_folder_once();
    struct problem problem = {0};
    must(folder_write(folder, "node.ini", data, size) == 0);
    config_defaults(&before);
    config = before;
    if (config_load(&config, folder_file(folder, "node.ini"), &problem)) {
        must(problem.error == STARLING_INVALID);
        must(memcmp(&before, &config, sizeof config) == 0);
        must(strncmp(problem.text, folder->name, strlen(folder->name)) == 0);
    } else {
        check_again(&config);
    }
    return 0;
}
