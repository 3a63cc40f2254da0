/* SPDX-License-Identifier: MIT */
/*
 * The known ways of altering text, each a function that is given what is left of a message and says
 * what becomes of its beginning.
 */
#ifndef TINCAN_CLIENT_PROBE_ALTER_H
#define TINCAN_CLIENT_PROBE_ALTER_H

#include <stdbool.h>
#include <stddef.h>

/* What is left of the message: at least one byte. */
struct rest {
    const unsigned char *at;
    size_t length;
    bool first; /* nothing was taken yet */
    /* From there on the message has nothing but line endings, or white space. */
    const unsigned char *last_endings, *last_blanks;
};

/* A piece of the altered message, made of the first `taken` bytes of the rest. */
struct piece {
    unsigned char bytes[8];
    size_t size, taken;
    bool last; /* the altered message ends with it */
};

static inline void alter_put(struct piece *piece, unsigned char byte)
{
    piece->bytes[piece->size++] = byte;
}

static inline bool alter_next_is(const struct rest *rest, size_t at, unsigned char byte)
{
    return at < rest->length && rest->at[at] == byte;
}

/* Fills in `piece`, of which `taken` is 1 and the rest zero. */
typedef void alter(const struct rest *rest, struct piece *piece);

/* Of lines, blanks, case and controls: alter_text.c. */
alter alter_lf_to_crlf, alter_bare_lf_to_crlf, alter_crlf_to_lf, alter_cr_removed, alter_cr_to_lf,
    alter_lf_to_cr, alter_endings_to_lf, alter_endings_to_crlf, alter_endings_removed,
    alter_last_ending_removed, alter_end_trimmed, alter_lowered, alter_raised, alter_swapped,
    alter_controls_removed, alter_tabs_to_spaces, alter_ending_added, alter_crlf_added;

/* Of bytes over 0x7f, and what telnet and conversions make of them: alter_bytes.c. */
alter alter_high_bit_stripped, alter_high_bytes_removed, alter_cut_after_cr, alter_latin1,
    alter_latin1_or_nothing, alter_latin1_iac_doubled, alter_latin1_iac_eaten,
    alter_latin1_iac_removed, alter_question_marks, alter_question_mark_bytes, alter_replacements,
    alter_replacement_bytes, alter_encoded_twice, alter_bom_added;

#endif
