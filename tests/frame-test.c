/* SPDX-License-Identifier: MIT */
/*
 * The decoder's unit tests, one a name: `frame-test NAME` exits 0 if it holds, and else says what
 * did not. The reference that the decoder is held against works the other way round: it encodes
 * every code point and knows what came out.
 */
#include "common/frame.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LIMIT SIZE_MAX

static void fail(const char *what, const unsigned char *bytes, size_t size)
{
    fprintf(stderr, "%s:", what);
    for (size_t i = 0; i < size && i < 16; i++)
        fprintf(stderr, " %02x", bytes[i]);
    fprintf(stderr, "\n");
    exit(1);
}

/* Encodes a Unicode scalar value; returns the number of bytes, 0 for what is none. */
static size_t encode(uint32_t code, unsigned char *out)
{
    static const unsigned char lead[] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 0;
    for (size_t i = size - 1; i > 0; i--, code >>= 6)
        out[i] = (unsigned char)(0x80 | (code & 0x3f));
    out[0] = (unsigned char)(lead[size] | code);
    return size;
}

/*
 * The reference: what the first one, two or three bytes of a sequence are, filled in by encoding
 * every character there is. Behind a prefix of three bytes, any continuation byte makes a
 * character: the last six bits of a code point of four bytes are free.
 */
enum kind { NONE, PREFIX, WHOLE };
static unsigned char kinds[3][1 << 24];

static uint32_t index_of(const unsigned char *bytes, size_t size)
{
    uint32_t index = 0;

    for (size_t i = 0; i < size; i++)
        index = index << 8 | bytes[i];
    return index;
}

static void fill_kinds(void)
{
    unsigned char bytes[4];

    for (uint32_t code = 1; code <= 0x10ffff; code++) {
        size_t size = encode(code, bytes);
        for (size_t i = 1; i <= size && i <= 3; i++)
            kinds[i - 1][index_of(bytes, i)] = i == size ? WHOLE : PREFIX;
    }
}

static enum kind kind_of(const unsigned char *bytes, size_t size)
{
    if (size < 4)
        return kinds[size - 1][index_of(bytes, size)];
    return (bytes[3] & 0xc0) == 0x80 ? WHOLE : NONE;
}

/* What the decoder must say after `bytes`, and what `length` it must have then. */
static enum frame_status expected(const unsigned char *bytes, size_t size, size_t *length)
{
    size_t start = 0;

    for (*length = 0; *length < size; ++*length) {
        enum kind kind = kind_of(bytes + start, *length - start + 1);
        if (bytes[*length] == 0 && start == *length)
            return FRAME_COMPLETE;
        if (kind == NONE)
            return FRAME_INVALID;
        if (kind == WHOLE)
            start = *length + 1;
    }
    return FRAME_MORE;
}

static void check(const unsigned char *bytes, size_t size)
{
    size_t length;
    enum frame_status want = expected(bytes, size, &length);
    struct frame whole, split;

    frame_init(&whole, NO_LIMIT);
    if (frame_feed(&whole, bytes, size) != want || whole.length != length)
        fail("wrong at once", bytes, size);
    frame_init(&split, NO_LIMIT);
    for (size_t i = 0; i < size; i++)
        frame_feed(&split, bytes + i, 1);
    if (split.status != want || split.length != length)
        fail("wrong byte by byte", bytes, size);
}

/* Every sequence of three bytes, and every fourth byte behind those that can have one. */
static void test_sequences(void)
{
    unsigned char bytes[4];

    fill_kinds();
    for (uint32_t i = 0; i < 1u << 24; i++) {
        bytes[0] = (unsigned char)(i >> 16);
        bytes[1] = (unsigned char)(i >> 8);
        bytes[2] = (unsigned char)i;
        check(bytes, 3);
        if (bytes[0] < 0xf0 || (bytes[1] & 0xc0) != 0x80 || (bytes[2] & 0xc0) != 0x80)
            continue;
        for (unsigned last = 0; last < 256; last++) {
            bytes[3] = (unsigned char)last;
            check(bytes, 4);
        }
    }
}

/* Every character there is, ended by the null byte, cut at every place, is a message. */
static void test_characters(void)
{
    unsigned char bytes[5];

    for (uint32_t code = 1; code <= 0x10ffff; code++) {
        size_t size = encode(code, bytes);
        if (size == 0)
            continue;
        bytes[size] = 0;
        for (size_t cut = 0; cut <= size; cut++) {
            struct frame frame;
            frame_init(&frame, NO_LIMIT);
            frame_feed(&frame, bytes, cut);
            if (frame_feed(&frame, bytes + cut, size + 1 - cut) != FRAME_COMPLETE ||
                frame.length != size)
                fail("a character is refused", bytes, size);
        }
    }
}

/* The limit holds at every length around the word that the decoder takes at once, in any split. */
static void test_limit(void)
{
    unsigned char bytes[64];

    memset(bytes, 'a', sizeof bytes);
    for (size_t limit = 0; limit < 40; limit++) {
        for (size_t size = 0; size < 48; size++) {
            for (size_t cut = 0; cut <= size + 1; cut++) {
                struct frame frame;
                bytes[size] = 0;
                frame_init(&frame, limit);
                frame_feed(&frame, bytes, cut);
                frame_feed(&frame, bytes + cut, size + 1 - cut);
                if (frame.status != (size > limit ? FRAME_TOO_LONG : FRAME_COMPLETE) ||
                    frame.length != (size > limit ? limit : size))
                    fail("the limit is wrong", bytes, size);
                bytes[size] = 'a';
            }
        }
    }
}

/* A null, a high or an invalid byte at each offset behind ASCII is found at that offset. */
static void test_offsets(void)
{
    static const struct {
        unsigned char byte;
        enum frame_status status;
    } cases[] = {{0, FRAME_COMPLETE}, {0x80, FRAME_INVALID}, {0xff, FRAME_INVALID},
                 {0xc3, FRAME_MORE},  {0x01, FRAME_MORE},    {0x7f, FRAME_MORE}};
    unsigned char bytes[48];

    for (size_t at = 0; at < sizeof bytes; at++) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct frame frame;
            memset(bytes, 1, sizeof bytes);
            bytes[at] = cases[i].byte;
            frame_init(&frame, NO_LIMIT);
            frame_feed(&frame, bytes, at + 1);
            if (frame.status != cases[i].status ||
                frame.length != at + (frame.status == FRAME_MORE))
                fail("found at the wrong offset", bytes, at + 1);
        }
    }
}

/* Once decided, nothing that follows changes the status or the length. */
static void test_final(void)
{
    static const char *const endings[] = {"a\0b\377", "a\377b\0", "aaaab\0"};
    static const size_t sizes[] = {4, 4, 6};

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        struct frame frame, before;
        frame_init(&frame, 4);
        frame_feed(&frame, endings[i], sizes[i]);
        before = frame;
        frame_feed(&frame, "x\0", 2);
        if (before.status == FRAME_MORE || frame.status != before.status ||
            frame.length != before.length)
            fail("what follows changes the verdict", (const unsigned char *)endings[i], sizes[i]);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {{"sequences", test_sequences},
                 {"characters", test_characters},
                 {"limit", test_limit},
                 {"offsets", test_offsets},
                 {"final", test_final}};

    for (size_t i = 0; argc == 2 && i < sizeof tests / sizeof tests[0]; i++) {
        if (strcmp(argv[1], tests[i].name) == 0) {
            tests[i].run();
            return 0;
        }
    }
    fprintf(stderr, "frame-test: no such test\n");
    return 2;
}
