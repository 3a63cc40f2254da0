/* SPDX-License-Identifier: MIT */
/* What a fuzzer made up, taken piece by piece. Behind its end come zeros. */
#ifndef TINCAN_TESTS_FUZZ_INPUT_H
#define TINCAN_TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct input {
    const uint8_t *next;
    size_t left;
};

/* The target: tries one input. Returns 0; what must not happen aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Takes a byte; a number below `limit`, which is at most 256; a boolean. */
uint8_t input_byte(struct input *input);
size_t input_below(struct input *input, size_t limit);
bool input_bool(struct input *input);

/* Takes a string up to its null byte, cut to fit `size` bytes with a null byte. Returns its length.
 */
size_t input_string(struct input *input, char *string, size_t size);

/* Returns the byte that two of the INPUT_DIGITS stand for. */
#define INPUT_DIGITS "0123456789abcdef"
uint8_t input_hex(const char *digits);

/* Aborts with a sentence on what must hold if it does not. */
void require(bool holds, const char *what);

/* Defines the function that the linker's --wrap=NAME calls instead of NAME, which is __real_NAME.
 */
#define WRAP(type, name, ...)                                                                      \
    type __real_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__);                                                               \
    type __wrap_##name(__VA_ARGS__)

#endif
