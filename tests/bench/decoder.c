/* SPDX-License-Identifier: MIT */
/*
 * decoder ROUNDS: how fast the decoder takes a message of 1 MiB, whole and in pieces of 1,400
 * bytes; beside it memchr(3), which looks for the null byte alone, and after memcpy(3) too;
 * iconv(3) from UTF-8 to UCS-4, and u8_check of libunistring where that is installed, which check
 * all of it. Prints a line for each message: the kind of text, the contender, the round and MB/s.
 */
#include "common/clock.h"
#include "common/frame.h"
#include "tests/bench/turns.h"

#include <iconv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if __has_include(<unistr.h>)
#define HAVE_UNISTRING
#include <unistr.h>
#endif

#define MESSAGE_SIZE ((size_t)1 << 20)
#define PIECE_SIZE   ((size_t)1400)

static char message[MESSAGE_SIZE + 1], converted[MESSAGE_SIZE * 4];
static size_t length; /* of the message, without its null byte */
static iconv_t converter;

static const struct {
    const char *name, *text;
} kinds[] = {
    {"ASCII", "abcdefg "},
    {"2-byte", "\xc3\xa9"},
    {"3-byte", "\xe2\x82\xac"},
    {"4-byte", "\xf0\x9f\x98\x80"},
    {"mixed", "na\xc3\xafve caf\xc3\xa9, 5 \xe2\x82\xac \xf0\x9f\x98\x80; "},
};

#define KINDS (sizeof kinds / sizeof kinds[0])

static bool decode(size_t piece)
{
    struct frame frame;

    frame_init(&frame, MESSAGE_SIZE);
    for (size_t at = 0; at <= length; at += piece)
        frame_feed(&frame, message + at, length + 1 - at < piece ? length + 1 - at : piece);
    return frame.status == FRAME_COMPLETE;
}

static bool whole(void)
{
    return decode(MESSAGE_SIZE + 1);
}

static bool pieces(void)
{
    return decode(PIECE_SIZE);
}

static bool look_for_null(void)
{
    return memchr(message, 0, length + 1) == message + length;
}

static bool copy(void)
{
    memcpy(converted, message, length + 1);
    return memchr(converted, 0, length + 1) == converted + length;
}

#ifdef HAVE_UNISTRING
static bool check(void)
{
    return u8_check((const uint8_t *)message, length) == NULL;
}
#endif

static bool convert(void)
{
    char *in = message, *out = converted;
    size_t in_left = length, out_left = sizeof converted;

    return iconv(converter, &in, &in_left, &out, &out_left) == 0;
}

static const struct {
    const char *name;
    bool (*run)(void);
} contenders[] = {
    {"memchr", look_for_null},   {"memchr again", look_for_null},
    {"decoder", whole},          {"decoder, 1,400 bytes at a time", pieces},
    {"memcpy and memchr", copy}, {"iconv", convert},
#ifdef HAVE_UNISTRING
    {"libunistring", check},
#endif
};

#define CONTENDERS (sizeof contenders / sizeof contenders[0])

static void make_message(const char *text)
{
    size_t size = strlen(text);

    for (length = 0; length + size <= MESSAGE_SIZE; length += size)
        memcpy(message + length, text, size);
    message[length] = '\0';
}

/* Returns 0, or 1 if a contender found something wrong with the message. */
static int measure(const char *kind, int rounds)
{
    size_t order[CONTENDERS];

    for (size_t i = 0; i < CONTENDERS; i++)
        order[i] = i;
    for (int round = 0; round < rounds; round++) {
        turns_shuffle(order, CONTENDERS);
        for (size_t i = 0; i < CONTENDERS; i++) {
            int64_t begin = clock_now();
            if (!contenders[order[i]].run())
                return 1;
            printf("%s\t%s\t%d\t%.0f\n", kind, contenders[order[i]].name, round,
                   (double)length * 1000 / (double)(clock_now() - begin));
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 101; /* NOLINT(cert-err34-c) */
    int status = 0;

    converter = iconv_open("UCS-4", "UTF-8");
    for (size_t i = 0; i < KINDS && status == 0; i++) {
        make_message(kinds[i].text);
        status = measure(kinds[i].name, rounds);
    }
    if (status != 0)
        fprintf(stderr, "decoder: a contender refuses the message\n");
    iconv_close(converter);
    return status;
}
