/* SPDX-License-Identifier: MIT */
#include "client/pattern.h"

#include "common/quantity.h"

#include <stdlib.h>
#include <string.h>

/* Each text is made of whole characters. */
static const char *const texts[] = {
    /* As long as the default message, which then always contains a line ending. */
    [PATTERN_TEXT] = "Two cans and a line: what goes in here comes out there.\n",
    [PATTERN_ASCII] =
        "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14"
        "\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f !\"#$%&'()*+,-./0123456789:;<=>?@"
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f",
    /* U+007F U+0080 U+07FF U+0800 U+D7FF U+E000 U+FFFD U+FFFF U+10000 U+10FFFF, and letters, one of
     * them with its mark put together (NFC) and taken apart (NFD). */
    [PATTERN_UTF8] = "a\x7f\xc2\x80\xc3\xa9"
                     "e\xcc\x81\xdf\xbf\xe0\xa0\x80\xe2\x82\xac\xed\x9f\xbf"
                     "\xee\x80\x80\xef\xbf\xbd\xef\xbf\xbf\xf0\x90\x80\x80\xf0\x9f\xa5\xab"
                     "\xf4\x8f\xbf\xbf",
    [PATTERN_CRLF] = "lf\ncrlf\r\ncr\rlfcr\n\rempty\n\n\r\n\r\n\r\rblank \nend\t\r\n",
    /* U+00F0 to U+00FF, which are telnet's commands in Latin-1, and CR before several bytes. */
    [PATTERN_IAC] =
        "\xc3\xbf\xc3\xbf\xc3\xbb\x01\xc3\xbf\xc3\xbd\x18\xc3\xb0\xc3\xb1\xc3\xb2\xc3\xb3"
        "\xc3\xb4\xc3\xb5\xc3\xb6\xc3\xb7\xc3\xb8\xc3\xb9\xc3\xba\xc3\xbc\xc3\xbe\r\r\n\r"
        "x\n\x08\x7f\x03\x1d end\r\n",
};

static int reject(const char *string, const char *problem, struct text *reason)
{
    text_addf(reason, "'%s' %s", string, problem);
    return -1;
}

/* Returns what follows the prefix, or NULL if the string does not begin with it. */
static const char *after(const char *string, const char *prefix)
{
    size_t length = strlen(prefix);

    return strncmp(string, prefix, length) == 0 ? string + length : NULL;
}

int pattern_parse(const char *string, struct pattern *pattern, struct text *reason)
{
    static const char *const names[] = {"text", "ascii", "utf8", "crlf", "iac"};
    const char *seed = after(string, "random:"), *path = after(string, "file:");
    size_t kind = 0, digits;

    *pattern = (struct pattern){.name = string};
    if (seed) {
        pattern->kind = PATTERN_RANDOM;
        digits = quantity_digits(seed, SIZE_MAX, UINT64_MAX, &pattern->seed);
        if (digits == 0 || seed[digits] != '\0')
            return reject(string, "needs a whole number below 2^64 as its seed", reason);
        return 0;
    }
    if (path) {
        pattern->kind = PATTERN_FILE;
        pattern->path = path;
        return *path ? 0 : reject(string, "needs the path of a file", reason);
    }
    while (kind < PATTERN_RANDOM && strcmp(string, names[kind]) != 0)
        kind++;
    pattern->kind = (enum pattern_kind)kind;
    return kind < PATTERN_RANDOM
               ? 0
               : reject(string, "is none of text, ascii, utf8, crlf, iac, random:SEED, file:PATH",
                        reason);
}

/* Returns the next number of the generator: splitmix64, in which every seed is good. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/* Writes a character of 1 to 4 bytes, each length equally likely, and returns its length. */
static size_t random_character(uint64_t *state, char character[4])
{
    static const uint32_t first[] = {0x01, 0x80, 0x800, 0x10000},
                          last[] = {0x7f, 0x7ff, 0xffff, 0x10ffff};
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    uint64_t random = next_random(state);
    size_t longer = random & 3;
    uint32_t code = first[longer] + (uint32_t)((random >> 2) % (last[longer] - first[longer] + 1));

    if (code >= 0xd800 && code <= 0xdfff) /* surrogates are not characters */
        code -= 0x800;
    for (size_t i = longer; i > 0; i--, code >>= 6)
        character[i] = (char)(0x80 | (code & 0x3f));
    character[0] = (char)(lead[longer] | code);
    return longer + 1;
}

static void fill_random(uint64_t seed, char *message, size_t size)
{
    size_t at = 0;

    while (at < size) {
        char character[4];
        size_t length = random_character(&seed, character);

        if (length > size - at) {
            memset(message + at, '.', size - at);
            return;
        }
        memcpy(message + at, character, length);
        at += length;
    }
}

/* Returns the greatest length up to `length` that cuts no character. */
static size_t whole_characters(const char *bytes, size_t length)
{
    while (length > 0 && ((unsigned char)bytes[length] & 0xc0) == 0x80)
        length--;
    return length;
}

static void fill_repeating(const char *text, size_t length, char *message, size_t size)
{
    size_t at = 0, rest;

    for (; size - at >= length; at += length)
        memcpy(message + at, text, length);
    rest = whole_characters(text, size - at);
    memcpy(message + at, text, rest);
    memset(message + at + rest, '.', size - at - rest);
}

char *pattern_make(const struct pattern *pattern, const char *own, size_t own_length, size_t size)
{
    char *message = malloc(size + 1); /* never 0 bytes */

    if (!message)
        return NULL;
    if (pattern->kind == PATTERN_RANDOM)
        fill_random(pattern->seed, message, size);
    else if (pattern->kind == PATTERN_FILE)
        fill_repeating(own, own_length, message, size);
    else
        fill_repeating(texts[pattern->kind], strlen(texts[pattern->kind]), message, size);
    return message;
}
