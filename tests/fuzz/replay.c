/* SPDX-License-Identifier: MIT */
/* Stands in for a fuzzer: tries the inputs in a file, a line of hexadecimal digits each. Prints how
 * many there are. */
#include "tests/fuzz/input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Tries the input on a line. Its memory ends where the input ends. */
static void try_line(const char *line)
{
    size_t digits = strspn(line, INPUT_DIGITS), size = digits / 2;
    uint8_t *bytes = malloc(size + !size);

    require(line[digits] == '\n' && digits % 2 == 0, "a line has hexadecimal digits");
    if (!bytes)
        abort();
    for (size_t i = 0; i < size; i++)
        bytes[i] = input_hex(line + 2 * i);
    (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
    char *line = NULL;
    size_t room = 0, count = 0;

    if (!file) {
        (void)fprintf(stderr, "cannot open the file of inputs: %s\n", strerror(errno));
        return 2;
    }
    for (; getline(&line, &room, file) > 0; count++)
        try_line(line);
    free(line);
    (void)fclose(file);
    printf("%zu inputs\n", count);
    return count == 0;
}
