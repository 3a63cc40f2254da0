/* SPDX-License-Identifier: MIT */
#include "common/quantity.h"

#include <stddef.h>
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

static uint64_t unit_factor(const struct unit *units, const char *name)
{
    while (units->name && strcmp(units->name, name) != 0)
        units++;
    return units->factor;
}

static int is_digit(char character)
{
    return character >= '0' && character <= '9';
}

size_t quantity_digits(const char *text, size_t length, uint64_t most, uint64_t *number)
{
    uint64_t value = 0;
    size_t read = 0;

    for (; read < length && is_digit(text[read]); read++) {
        uint64_t digit = (uint64_t)(text[read] - '0');
        if (digit > most || value > (most - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    if (read > 0)
        *number = value;
    return read;
}

/* Reads the whole number at `*next` and moves it behind that; returns -1 if there is none. */
static int whole_number(const char **next, uint64_t *number)
{
    size_t read = quantity_digits(*next, SIZE_MAX, UINT64_MAX, number);

    *next += read;
    return read > 0 ? 0 : -1;
}

static int in_range(uint64_t value, uint64_t factor, uint64_t fraction, uint64_t least,
                    uint64_t most, uint64_t *result)
{
    if (factor == 0 || value > (UINT64_MAX - fraction) / factor)
        return -1;
    value = value * factor + fraction;
    if (value < least || value > most)
        return -1;
    *result = value;
    return 0;
}

int quantity_size(const char *string, uint64_t least, uint64_t most, uint64_t *bytes)
{
    uint64_t value;

    if (whole_number(&string, &value) < 0)
        return -1;
    return in_range(value, unit_factor(sizes, string), 0, least, most, bytes);
}

int quantity_time(const char *string, uint64_t least, uint64_t most, uint64_t *usec)
{
    const char *decimals = NULL;
    uint64_t value, factor, place, fraction = 0;

    if (whole_number(&string, &value) < 0)
        return -1;
    if (*string == '.') {
        decimals = ++string;
        while (is_digit(*string))
            string++;
        if (string == decimals)
            return -1;
    }
    factor = unit_factor(times, string);
    place = factor;
    for (; decimals && is_digit(*decimals) && place > 0; decimals++) {
        /* `place` is what a 1 here is worth, in tenths until divided: 0.25m is 15 s exactly. */
        fraction += place * (uint64_t)(*decimals - '0') / 10;
        place /= 10;
    }
    return in_range(value, factor, fraction, least, most, usec);
}
