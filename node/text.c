#include "node/text.h"

#include <stddef.h>
#include <stdint.h>

/* Bytes of the whole character that begins here; 0 when none does. Overlong forms, surrogates and
 * what is beyond Unicode are none. */
static size_t character(const unsigned char *at)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (at[0] < 0x80)
        return 1;
    size_t size = at[0] < 0xc2 ? 0 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : at[0] < 0xf5 ? 4 : 0;
    uint32_t code = at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) /* so it is at the end of the text */
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    if (size == 0 || code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    return size;
}

void text_make_utf8(char *text)
{
    unsigned char *at = (unsigned char *)text;
    while (*at) {
        size_t size = character(at);
        if (size == 0)
            *at = '?';
        at += size > 0 ? size : 1;
    }
}
