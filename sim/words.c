#include "sim/words.h"

#include <string.h>

#include "model/fields.h"
#include "node/config.h"

bool words_begin(const char **text, const char *start)
{
    size_t length = strlen(start);
    if (strncmp(*text, start, length) != 0)
        return false;
    *text += length;
    return true;
}

bool words_next(const char **text, char separator, char word[WORD_MAX])
{
    const char *end = strchr(*text, separator);
    size_t length = end ? (size_t)(end - *text) : strlen(*text);
    if (length == 0 || length >= WORD_MAX)
        return false;
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length;
    if (!**text)
        return true;
    ++*text;
    return **text != '\0';
}

bool words_number(const char **text, char separator, double least, double most, double *number)
{
    char word[WORD_MAX];
    return words_next(text, separator, word) && fields_double(word, number) && *number >= least &&
           *number <= most;
}

bool words_duration(const char **text, char separator, uint64_t least_us, uint64_t most_us,
                    uint64_t *us)
{
    char word[WORD_MAX];
    return words_next(text, separator, word) && config_duration(word, us) && *us >= least_us &&
           *us <= most_us;
}
