/* SPDX-License-Identifier: MIT */
/*
 * Compares the decoder with a reference (exhaust.h). Behind what is fed stand continuation bytes or
 * a page that can't be read, so that reading too far shows.
 *
 *   exhaust strings BYTE...  all strings of four bytes that begin with one of these, in any split,
 *                            and within a block
 *   exhaust blocks           what crosses the blocks that a decoder may take at once, at any limit
 *   exhaust verdicts         of texts on standard input, each behind its size in four bytes: prints
 *                            status and length for each
 *
 * Prints its counts. At the first difference it prints the bytes and their split, and exits 1.
 */
#include "tests/exhaust/exhaust.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At least as long as what a decoder takes at once. */
#define BLOCK_SIZE 64

struct counts {
    uint64_t strings;
    uint64_t valid;    /* UTF-8 in which U+0000 is allowed */
    uint64_t messages; /* UTF-8 without U+0000 */
};

/* The string, then room for a null byte, then what no decoder may take. */
static unsigned char string[16];

/*
 * Decoder and reference after the prefixes of `string`, by length. extend() shows, for a byte more,
 * that the decoder's state does not depend on how a prefix was split. So a piece of each length,
 * fed to the decoder after what is in front of it, makes all splits there are.
 */
static struct frame frames[6];
static struct reference references[6];

/* Returns whether two decoders do the same from here on. */
static bool is_same(const struct frame *one, const struct frame *other)
{
    if (one->status != other->status || one->length != other->length)
        return false;
    if (one->status != FRAME_MORE)
        return true;
    return one->pending == other->pending &&
           (one->pending == 0 || (one->low == other->low && one->high == other->high));
}

/* Makes the prefix of `size` bytes from each shorter one. */
static void extend(size_t size)
{
    struct reference *reference = &references[size];
    char split[64];

    *reference = references[size - 1];
    reference_feed(reference, string[size - 1]);
    for (size_t start = size; start-- > 0;) {
        struct frame frame = frames[start];
        feed(&frame, string + start, size - start);
        if (start == size - 1)
            frames[size] = frame;
        if (reference_agrees(reference, &frame) && is_same(&frame, &frames[size]))
            continue;
        (void)snprintf(split, sizeof split, "the last %zu at once", size - start);
        reference_differs(reference, &frame, string, size, split);
    }
}

/* Feeds `block` at once, and compares. */
static void feed_block(const unsigned char *block, const struct reference *expected)
{
    struct frame frame;

    frame_init(&frame, SIZE_MAX);
    feed(&frame, block, BLOCK_SIZE);
    if (!reference_agrees(expected, &frame))
        reference_differs(expected, &frame, block, BLOCK_SIZE, "in a block");
}

/*
 * Compares the string within a block that a decoder may take at once, and at its end. The block
 * begins with a character of two bytes, lest the decoder take it as ASCII.
 */
static void try_in_block(void)
{
    static unsigned char within[BLOCK_SIZE], end[BLOCK_SIZE];
    struct reference expected = references[4];

    if (within[0] == 0) {
        memset(within, 'a', sizeof within);
        memcpy(within, "\xc3\xa9", 2);
        memcpy(end, within, sizeof end);
    }
    memcpy(end + BLOCK_SIZE - 4, string, 4);
    expected.length += BLOCK_SIZE - 4;
    feed_block(end, &expected);
    memcpy(within + 2, string, 4);
    expected.length = references[4].length + 2;
    if (expected.status == FRAME_MORE && expected.left == 0)
        expected.length = BLOCK_SIZE;
    else if (expected.status == FRAME_MORE)
        expected.status = FRAME_INVALID;
    feed_block(within, &expected);
}

/* Returns whether `string` from `start` on is messages, each with its null byte but the last. */
static bool is_valid(size_t start)
{
    struct frame frame;

    while (start < 4) {
        frame_init(&frame, SIZE_MAX);
        if (feed(&frame, string + start, 4 - start) != FRAME_COMPLETE)
            return frame.status == FRAME_MORE && frame.pending == 0;
        start += frame.length + 1;
    }
    return true;
}

static void count_string(struct counts *counts)
{
    counts->strings++;
    if (frames[4].status == FRAME_MORE) {
        string[4] = 0;
        extend(5);
        counts->messages += frames[5].status == FRAME_COMPLETE;
        counts->valid += frames[4].pending == 0;
    } else if (frames[4].status == FRAME_COMPLETE) {
        counts->valid += is_valid(frames[4].length + 1);
    }
}

/* Tries all strings that begin with the byte. */
static void try_first(unsigned char first, struct counts *counts)
{
    for (uint32_t others = 0; others < 1u << 24; others++) {
        const unsigned char bytes[] = {
            first,
            (unsigned char)(others >> 16),
            (unsigned char)(others >> 8),
            (unsigned char)others,
        };
        size_t same = others & 0xff ? 3 : others & 0xffff ? 2 : others ? 1 : 0;
        for (size_t size = same; size < 4; size++) {
            memset(string + size, others & 1 ? 0xbf : 0x80, sizeof string - size);
            string[size] = bytes[size];
            extend(size + 1);
        }
        try_in_block();
        count_string(counts);
    }
}

static int try_strings(int count, char **first)
{
    struct counts counts = {0};

    frame_init(&frames[0], SIZE_MAX);
    references[0] = (struct reference){.max_bytes = SIZE_MAX};
    for (int i = 0; i < count; i++)
        try_first((unsigned char)strtoul(first[i], NULL, 0), &counts);
    printf("strings %" PRIu64 " valid %" PRIu64 " messages %" PRIu64 " feeds %" PRIu64 "\n",
           counts.strings, counts.valid, counts.messages, feeds);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 2;

    if (argc > 2 && strcmp(argv[1], "strings") == 0)
        status = try_strings(argc - 2, argv + 2);
    else if (argc == 2 && strcmp(argv[1], "blocks") == 0)
        status = try_blocks();
    else if (argc == 2 && strcmp(argv[1], "verdicts") == 0)
        status = print_verdicts();
    else
        fprintf(stderr, "usage: exhaust strings BYTE... | exhaust blocks | exhaust verdicts\n");
    return fflush(stdout) == 0 ? status : 2;
}
