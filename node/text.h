/* text — words from outside that go into JSON, which takes nothing but UTF-8. */
#ifndef STARLING_TEXT_H
#define STARLING_TEXT_H

/* Replaces every byte that is not part of a whole UTF-8 character by '?': a file's name may be any
 * bytes, and a text that was cut to fit may end within a character. */
void text_make_utf8(char *text);

#endif
