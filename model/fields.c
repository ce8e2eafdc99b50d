#include "model/fields.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* True when two numbers of the line are parted by blanks alone: tabs then are blanks too. */
static bool blanks_part_numbers(const char *line)
{
    bool behind_number = false, parted = false;
    while (*line && !parted) {
        char word[64];
        size_t blanks = strspn(line, " \t"), length = strcspn(line + blanks, " \t");
        bool tabbed = memchr(line, '\t', blanks) != NULL;
        line += blanks;
        float value;
        bool number = length > 0 && length < sizeof word;
        if (number) {
            memcpy(word, line, length);
            word[length] = '\0';
            number = fields_number(word, &value) == NUMBER_FINE;
        }
        parted = number && behind_number && !tabbed;
        behind_number = number;
        line += length;
    }
    return parted;
}

char fields_separator(const char *line)
{
    const char *begin = line;
    static const char candidates[] = {',', ';', '\t'};
    size_t counts[sizeof candidates] = {0};
    bool quoted = false;
    for (; *line; line++) {
        quoted ^= *line == '"';
        for (size_t i = 0; i < sizeof candidates && !quoted; i++)
            counts[i] += *line == candidates[i];
    }
    size_t best = 0;
    for (size_t i = 1; i < sizeof candidates; i++)
        if (counts[i] > counts[best])
            best = i;
    if (counts[best] == 0 || (candidates[best] == '\t' && blanks_part_numbers(begin)))
        return FIELDS_WHITE;
    return candidates[best];
}

static bool ends_field(char c, char separator)
{
    return c == '\0' || c == separator || (separator == FIELDS_WHITE && c == '\t');
}

/* Blanks around a field; a tab is none where it parts fields. */
static char *skip_blanks(char *at, char separator)
{
    while (is_blank(*at) && (*at != separator || separator == FIELDS_WHITE))
        at++;
    return at;
}

/* Reads a field in quotes at `at` in place; `at` is left behind the closing quote. */
static enum fields_result read_quoted(char **at, char **text)
{
    char *from = *at + 1, *to = *at + 1;
    *text = to;
    for (;; from++) {
        if (*from == '\0')
            return FIELDS_OPEN_QUOTE;
        if (*from == '"') {
            if (from[1] != '"')
                break;
            from++;
        }
        *to++ = *from;
    }
    *at = from + 1;
    *to = '\0';
    return FIELDS_OK;
}

static void read_plain(char **at, char **text, char separator)
{
    char *end = *at;
    while (!ends_field(*end, separator))
        end++;
    *text = *at;
    *at = end;
}

static bool make_room(struct fields *fields)
{
    if (fields->count < fields->capacity)
        return true;
    size_t capacity = fields->capacity ? fields->capacity * 2 : 64;
    char **texts = realloc(fields->texts, capacity * sizeof *texts);
    if (!texts)
        return false;
    fields->texts = texts;
    fields->capacity = capacity;
    return true;
}

enum fields_result fields_split(struct fields *fields, char *line, char separator)
{
    fields->count = 0;
    char *at = skip_blanks(line, separator);
    for (;;) {
        if (!make_room(fields))
            return FIELDS_NO_MEMORY;
        char *text, *plain_end = NULL;
        if (*at == '"') {
            enum fields_result result = read_quoted(&at, &text);
            if (result)
                return result;
            if (!ends_field(*(separator == FIELDS_WHITE ? at : skip_blanks(at, separator)),
                            separator))
                return FIELDS_AFTER_QUOTE;
        } else {
            read_plain(&at, &text, separator);
            plain_end = at;
        }
        at = separator == FIELDS_WHITE ? at : skip_blanks(at, separator);
        fields->texts[fields->count++] = text;
        bool more = *at != '\0';
        char *next = more ? skip_blanks(at + 1, separator) : at;
        if (plain_end) {
            while (plain_end > text && is_blank(plain_end[-1]))
                plain_end--;
            *plain_end = '\0';
        }
        /* Blanks at the end of a line begin no field. */
        if (!more || (separator == FIELDS_WHITE && *next == '\0'))
            return FIELDS_OK;
        at = next;
    }
}

size_t fields_drop_empty(struct fields *fields)
{
    size_t kept = 0;
    for (size_t i = 0; i < fields->count; i++)
        if (*fields->texts[i])
            fields->texts[kept++] = fields->texts[i];
    fields->count = kept;
    return kept;
}

void fields_clear(struct fields *fields)
{
    free(fields->texts);
    *fields = (struct fields){0};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* True when all of `text` is [sign] digits [. digits] [e [sign] digits]. Where the value is exact
 * in a double by Clinger 1990 (15 digits, a power of ten up to 22) it is set and *exact too. */
static bool scan_decimal(const char *text, double *value, bool *exact)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool negative = *text == '-';
    text += *text == '-' || *text == '+';
    uint64_t mantissa = 0;
    int digits = 0, significant = 0, exponent = 0;
    bool fraction = false;
    for (; is_digit(*text) || (*text == '.' && !fraction); text++) {
        if (*text == '.') {
            fraction = true;
            continue;
        }
        digits = 1;
        if (significant < 19) {
            mantissa = mantissa * 10 + (uint64_t)(*text - '0');
            significant += mantissa > 0;
        } else {
            significant = 20;
        }
        exponent -= fraction;
    }
    if (!digits)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        bool down = *text == '-';
        text += *text == '-' || *text == '+';
        if (!is_digit(*text))
            return false;
        int written = 0;
        for (; is_digit(*text); text++)
            written = written < 100000 ? written * 10 + (*text - '0') : written;
        exponent += down ? -written : written;
    }
    *exact = significant <= 15 && exponent >= -22 && exponent <= 22;
    if (*exact) {
        double whole = (double)mantissa;
        *value = exponent < 0 ? whole / powers[-exponent] : whole * powers[exponent];
        *value = negative ? -*value : *value;
    }
    return *text == '\0';
}

bool fields_double(const char *text, double *value)
{
    bool exact;
    if (!scan_decimal(text, value, &exact))
        return false;
    if (!exact)
        *value = strtod(text, NULL);
    return isfinite(*value);
}

static bool is_not_finite_word(const char *text)
{
    text += *text == '-' || *text == '+';
    return !strcasecmp(text, "nan") || !strcasecmp(text, "inf") || !strcasecmp(text, "infinity");
}

enum number_kind fields_number(const char *text, float *value)
{
    if (*text == '\0' || (*text == '?' && text[1] == '\0')) {
        *value = NAN;
        return NUMBER_MISSING;
    }
    double number;
    bool exact;
    if (!scan_decimal(text, &number, &exact))
        return is_not_finite_word(text) ? NUMBER_NOT_FINITE : NUMBER_TEXT;
    if (!exact)
        number = strtod(text, NULL);
    if (!(fabs(number) <= FIELDS_NUMBER_MAX))
        return NUMBER_TOO_LARGE;
    *value = (float)number;
    return NUMBER_FINE;
}

const char *fields_shown(const char *text, char out[FIELDS_SHOWN])
{
    size_t length = 0;
    for (; length < FIELDS_SHOWN - 4 && text[length]; length++) {
        unsigned char c = (unsigned char)text[length];
        out[length] = c < 0x20 || c == 0x7f ? '?' : text[length];
    }
    strcpy(out + length, text[length] ? "..." : "");
    return out;
}
