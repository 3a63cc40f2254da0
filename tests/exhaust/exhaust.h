/* SPDX-License-Identifier: MIT */
/*
 * Compares the decoder of common/frame.h with one that works another way: it assembles code points
 * and asks whether the bytes so far begin any character.
 */
#ifndef TINCAN_TESTS_EXHAUST_EXHAUST_H
#define TINCAN_TESTS_EXHAUST_EXHAUST_H

#include "common/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reference {
    size_t length, max_bytes;
    enum frame_status status;
    uint32_t code;       /* the bits of the character so far */
    unsigned size, left; /* bytes of the character, and how many of them are missing */
};

/* Feeds one byte; without effect if the status is final. */
void reference_feed(struct reference *reference, unsigned char byte);

/* Returns whether the decoder says the same. */
bool reference_agrees(const struct reference *reference, const struct frame *frame);

/* Prints how the decoder differs after the `size` bytes in this split, and exits 1. */
_Noreturn void reference_differs(const struct reference *reference, const struct frame *frame,
                                 const unsigned char *bytes, size_t size, const char *split);

/* Calls frame_feed() and counts the calls. */
enum frame_status feed(struct frame *frame, const void *bytes, size_t size);
extern uint64_t feeds;

/* Returns the word for a status, a constant. */
const char *status_word(enum frame_status status);

/* Two parts of the program (exhaust.c). They return its exit status. */
int try_blocks(void);
int print_verdicts(void);

#endif
