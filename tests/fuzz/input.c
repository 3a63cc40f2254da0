/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/input.h"

#include <stdio.h>
#include <stdlib.h>

uint8_t input_byte(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->next++;
}

size_t input_below(struct input *input, size_t limit)
{
    return input_byte(input) % limit;
}

bool input_bool(struct input *input)
{
    return (input_byte(input) & 1) != 0;
}

size_t input_string(struct input *input, char *string, size_t size)
{
    size_t length = 0;

    while (length + 1 < size && (string[length] = (char)input_byte(input)) != '\0')
        length++;
    string[length] = '\0';
    return length;
}

uint8_t input_hex(const char *digits)
{
    const char both[3] = {digits[0], digits[1]};

    return (uint8_t)strtoul(both, NULL, 16);
}

void require(bool holds, const char *what)
{
    if (holds)
        return;
    (void)fprintf(stderr, "it does not hold that %s\n", what);
    abort();
}
