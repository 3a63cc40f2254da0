/* SPDX-License-Identifier: MIT */
/* Texts of any length, in front of continuation bytes or of a page that can't be read. */
#include "tests/exhaust/exhaust.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_MAX  ((size_t)1024)
#define PAGE_SIZE ((size_t)65536) /* the largest page of any machine */

/* Compares the `size` bytes at `text`, fed in pieces of `piece` bytes after the first `cut`. */
static void check(const unsigned char *text, size_t size, size_t max_bytes, size_t cut,
                  size_t piece)
{
    struct reference reference = {.max_bytes = max_bytes};
    struct frame frame;
    char split[64];

    for (size_t i = 0; i < size; i++)
        reference_feed(&reference, text[i]);
    frame_init(&frame, max_bytes);
    feed(&frame, text, cut);
    for (size_t at = cut; at < size; at += piece)
        feed(&frame, text + at, size - at < piece ? size - at : piece);
    if (reference_agrees(&reference, &frame))
        return;
    (void)snprintf(split, sizeof split, "%zu bytes, then %zu at a time", cut, piece);
    reference_differs(&reference, &frame, text, size, split);
}

/* What stands in front and behind: characters of one to four bytes, and of few and many bits. */
static const char *const fillings[] = {
    "\x01", "\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
};

#define FILLINGS (sizeof fillings / sizeof fillings[0])

/* Fills `text` with whole characters, as many as fit, then U+0001. */
static void fill(unsigned char *text, size_t size, const char *filling)
{
    size_t length = strlen(filling);

    for (size_t i = 0; i < size; i++)
        text[i] = i < size - size % length ? (unsigned char)filling[i % length] : 1;
}

/* Compares the text at each address up to 64, with continuation bytes behind it; then right in
 * front of `page_end`: each beginning of it, each split in two, and each limit. */
static void check_everywhere(unsigned char *page_end, const unsigned char *text, size_t size)
{
    for (size_t align = 0; align < 64; align++) {
        unsigned char *start = page_end - TEXT_MAX + align;
        memcpy(start, text, size);
        memset(start + size, 0xbf, 64);
        check(start, size, SIZE_MAX, 0, size);
    }
    memcpy(page_end - size, text, size);
    for (size_t cut = 0; cut <= size; cut++)
        check(page_end - size, size, SIZE_MAX, cut, cut % 16 + 1);
    for (size_t max_bytes = 0; max_bytes <= size; max_bytes++)
        check(page_end - size, size, max_bytes, 0, max_bytes % 3 ? size : 7);
    for (size_t end = 1; end < size; end++) {
        memcpy(page_end - end, text, end);
        check(page_end - end, end, SIZE_MAX, 0, end);
    }
}

/* The same with `sequence` at each offset across two blocks of 64 bytes. */
static void check_offsets(unsigned char *page_end, const char *sequence, size_t length,
                          const char *filling)
{
    unsigned char text[192];

    for (size_t offset = 0; offset <= 136; offset++) {
        fill(text, offset, filling);
        memcpy(text + offset, sequence, length);
        fill(text + offset + length, 9, filling);
        check_everywhere(page_end, text, offset + length + 9);
    }
}

/* Every byte at each offset across several stretches of ASCII that a decoder may take at once. */
static void check_bytes(unsigned char *page_end)
{
    unsigned char *text = page_end - 448;

    for (size_t i = 0; i < 2; i++) {
        fill(text, 448, fillings[i]);
        for (size_t offset = 0; offset < 448; offset++) {
            for (unsigned byte = 0; byte <= 0xff; byte++) {
                text[offset] = (unsigned char)byte;
                check(text, 448, SIZE_MAX, 0, 448);
            }
            text[offset] = (unsigned char)fillings[i][0];
        }
    }
}

/* Bytes next to a limit in RFC 3629, section 4. */
static const unsigned char edges[] = {
    0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
    0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
};

#define EDGES (sizeof edges / sizeof edges[0])

/* Compares the string with `offset` bytes of the filling in front of it, and a block of 64 behind.
 */
static void check_within(unsigned char *page_end, const unsigned char *string, size_t length,
                         size_t offset, const char *filling)
{
    size_t size = offset + length + 64;
    unsigned char *text = page_end - size;

    fill(text, offset, filling);
    memcpy(text + offset, string, length);
    fill(text + offset + length, 64, filling);
    check(text, size, SIZE_MAX, 0, size);
}

/* Every string of four edges with a continuation byte behind it; and of three, which are those in
 * front of the first edge, at each offset across a block of 64 bytes. */
static void check_edges(unsigned char *page_end, const char *filling)
{
    for (size_t i = 0; i < EDGES * EDGES * EDGES * EDGES; i++) {
        const unsigned char string[] = {
            edges[i % EDGES],
            edges[i / EDGES % EDGES],
            edges[i / EDGES / EDGES % EDGES],
            edges[i / EDGES / EDGES / EDGES],
            0x80,
        };
        check_within(page_end, string, sizeof string, 6, filling);
        for (size_t offset = 0; offset <= 66 && string[3] == edges[0]; offset++)
            check_within(page_end, string, 3, offset, filling);
    }
}

static void on_fault(int signal_number)
{
    static const char message[] = "the decoder reads past the end of its input\n";

    (void)signal_number;
    _exit(write(STDOUT_FILENO, message, sizeof message - 1) < 0 ? 2 : 1);
}

int try_blocks(void)
{
    static const char *const sequences[] = {
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xe0\x9f\xbf",
        "\xed\x9f\xbf",
        "\xed\xa0\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf1\x80\x80",
        "\x80",
        "\xc3",
        "\xff",
        "\x7f",
    };
    unsigned char *pages =
        mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned char *page_end = pages + PAGE_SIZE;

    if (pages == MAP_FAILED || mprotect(page_end, PAGE_SIZE, PROT_NONE) < 0 ||
        signal(SIGSEGV, on_fault) == SIG_ERR)
        return 2;
    for (size_t i = 0; i < FILLINGS; i++) {
        for (size_t j = 0; j < sizeof sequences / sizeof sequences[0]; j++)
            check_offsets(page_end, sequences[j], strlen(sequences[j]), fillings[i]);
        check_offsets(page_end, "", 1, fillings[i]);
    }
    check_bytes(page_end);
    check_edges(page_end, fillings[0]);
    check_edges(page_end, fillings[2]);
    printf("feeds %" PRIu64 "\n", feeds);
    return 0;
}

int print_verdicts(void)
{
    static unsigned char text[TEXT_MAX + 64];
    uint32_t size;

    memset(text, 0x80, sizeof text);
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        struct frame frame;
        size = ntohl(size);
        if (size > TEXT_MAX || fread(text, 1, size, stdin) != size)
            return 2;
        memset(text + size, 0x80, 64);
        check(text, size, SIZE_MAX, size / 2, 1);
        check(text, size, SIZE_MAX, size < 8 ? size : 8, 7);
        frame_init(&frame, SIZE_MAX);
        feed(&frame, text, size);
        printf("%s %zu\n", status_word(frame.status), frame.length);
    }
    return 0;
}
