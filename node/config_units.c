#include "node/config_units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "node/config.h"

const struct unit duration_units[] = {
    {"us", 1},
    {"ms", 1000},
    {"s", 1000000},
    {"m", UINT64_C(60000000)},
    {"h", UINT64_C(3600000000)},
    {"d", UINT64_C(86400000000)},
    {NULL, 0},
};

const struct unit pace_units[] = {
    {"ps", 1},
    {"ns", 1000},
    {"us", 1000000},
    {"ms", UINT64_C(1000000000)},
    {"s", UINT64_C(1000000000000)},
    {NULL, 0},
};

const struct unit size_units[] = {
    {"", 1},
    {"B", 1},
    {"kB", 1000},
    {"KB", 1000},
    {"KiB", 1024},
    {"MB", 1000000},
    {"MiB", UINT64_C(1) << 20},
    {"GB", 1000000000},
    {"GiB", UINT64_C(1) << 30},
    {NULL, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const struct unit *find(const struct unit *units, const char *name)
{
    for (; units->name; units++)
        if (!strcmp(units->name, name))
            return units;
    return NULL;
}

bool units_read(const struct unit *units, const char *text, uint64_t *value)
{
    uint64_t whole = 0;
    double fraction = 0, place = 1;
    if (!is_digit(*text))
        return false;
    for (; is_digit(*text); text++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(*text - '0'), &whole))
            return false;
    if (*text == '.') {
        if (!is_digit(*++text))
            return false;
        for (; is_digit(*text); text++)
            fraction += (place /= 10) * (*text - '0');
    }
    text += strspn(text, " \t");
    if (!*text && whole == 0 && fraction == 0) {
        *value = 0;
        return true;
    }
    const struct unit *unit = find(units, text);
    uint64_t result;
    if (!unit || __builtin_mul_overflow(whole, unit->factor, &result) ||
        __builtin_add_overflow(result, (uint64_t)(fraction * (double)unit->factor + 0.5), &result))
        return false;
    *value = result;
    return true;
}

void units_write(const struct unit *units, uint64_t value, char out[UNITS_TEXT_MAX])
{
    const struct unit *best = units;
    for (const struct unit *unit = units; unit->name; unit++)
        if (value > 0 && value % unit->factor == 0 && unit->factor > best->factor)
            best = unit;
    snprintf(out, UNITS_TEXT_MAX, "%" PRIu64 "%s", value / best->factor,
             value > 0 ? best->name : "");
}

bool config_duration(const char *text, uint64_t *microseconds)
{
    return units_read(duration_units, text, microseconds);
}

bool config_size(const char *text, uint64_t *bytes)
{
    return units_read(size_units, text, bytes);
}
