/* SPDX-License-Identifier: MIT */
#include "common/quantity.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit sizes[] = {
    {"", 1}, {"k", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {NULL, 0},
};

static const struct unit times[] = {
    {"", 1000000},   {"us", 1},         {"ms", 1000},       {"s", 1000000},
    {"m", 60000000}, {"h", 3600000000}, {"d", 86400000000}, {NULL, 0},
};

size_t quantity_digits(const char *text, size_t length, uint64_t most, uint64_t *number)
{
    uint64_t value = 0;
    size_t count = 0;

    for (; count < length && isdigit((unsigned char)text[count]); count++) {
        uint64_t digit = (uint64_t)(text[count] - '0');
        if (digit > most || value > (most - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    if (count > 0)
        *number = value;
    return count;
}

/* Reads digits, then `fraction` if there is a point and one is allowed, then a unit. */
static int parse(const char *text, const struct unit *unit, bool fractions, uint64_t least,
                 uint64_t most, uint64_t *result)
{
    const char *fraction = "";
    uint64_t value;
    size_t count = quantity_digits(text, SIZE_MAX, UINT64_MAX, &value);

    text += count;
    if (count > 0 && fractions && *text == '.') {
        fraction = text + 1;
        text = fraction + strspn(fraction, "0123456789");
        count = (size_t)(text - fraction);
    }
    while (unit->name && strcmp(unit->name, text) != 0)
        unit++;
    if (count == 0 || unit->factor == 0 || value > UINT64_MAX / unit->factor - 1)
        return -1;
    value *= unit->factor;
    /* `place` is ten times what a 1 in that place is worth: 0.25m is 15 s exactly. */
    for (uint64_t place = unit->factor; isdigit((unsigned char)*fraction); place /= 10)
        value += place * (uint64_t)(*fraction++ - '0') / 10;
    if (value < least || value > most)
        return -1;
    *result = value;
    return 0;
}

int quantity_size(const char *string, uint64_t least, uint64_t most, uint64_t *bytes)
{
    return parse(string, sizes, false, least, most, bytes);
}

int quantity_time(const char *string, uint64_t least, uint64_t most, uint64_t *usec)
{
    return parse(string, times, true, least, most, usec);
}
