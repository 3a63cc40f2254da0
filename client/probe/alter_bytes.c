/* SPDX-License-Identifier: MIT */
#include "client/probe/alter.h"

#include <stdint.h>

/* The number of bytes of the UTF-8 character at the start. */
static size_t character_size(const struct rest *rest)
{
    size_t size = 1;

    while (size < rest->length && size < 4 && (rest->at[size] & 0xc0) == 0x80)
        size++;
    return size;
}

static uint32_t code_point(const struct rest *rest)
{
    static const unsigned char bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    size_t size = character_size(rest);
    uint32_t code = rest->at[0] & bits[size];

    for (size_t i = 1; i < size; i++)
        code = code << 6 | (rest->at[i] & 0x3f);
    return code;
}

void alter_high_bit_stripped(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, rest->at[0] & 0x7f);
}

void alter_high_bytes_removed(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] < 0x80)
        alter_put(piece, rest->at[0]);
}

/* Telnet ends a bare CR with a null byte, which ends the message. */
void alter_cut_after_cr(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, rest->at[0]);
    piece->last = rest->at[0] == '\r' && !alter_next_is(rest, 1, '\n');
}

/* Latin-1, what is not in it becoming `other`, or nothing when that is 0. */
static void to_latin1(const struct rest *rest, struct piece *piece, unsigned char other)
{
    uint32_t code = code_point(rest);

    piece->taken = character_size(rest);
    if (code <= 0xff)
        alter_put(piece, (unsigned char)code);
    else if (other)
        alter_put(piece, other);
}

void alter_latin1(const struct rest *rest, struct piece *piece)
{
    to_latin1(rest, piece, '?');
}

void alter_latin1_or_nothing(const struct rest *rest, struct piece *piece)
{
    to_latin1(rest, piece, 0);
}

void alter_latin1_iac_doubled(const struct rest *rest, struct piece *piece)
{
    to_latin1(rest, piece, '?');
    if (piece->size == 1 && piece->bytes[0] == 0xff)
        alter_put(piece, 0xff);
}

/* IAC and the command behind it: three bytes for WILL, WONT, DO, DONT; IAC IAC is one 0xff. */
void alter_latin1_iac_eaten(const struct rest *rest, struct piece *piece)
{
    struct rest next = *rest;
    uint32_t command;

    to_latin1(rest, piece, '?');
    if (piece->size == 0 || piece->bytes[0] != 0xff || piece->taken == rest->length)
        return;
    next.at += piece->taken;
    next.length -= piece->taken;
    command = code_point(&next);
    piece->taken += character_size(&next);
    piece->size = command == 0xff ? 1 : 0;
    if (command >= 0xfb && command < 0xff && piece->taken < rest->length) {
        next.at = rest->at + piece->taken;
        next.length = rest->length - piece->taken;
        piece->taken += character_size(&next);
    }
}

void alter_latin1_iac_removed(const struct rest *rest, struct piece *piece)
{
    to_latin1(rest, piece, '?');
    if (piece->size == 1 && piece->bytes[0] == 0xff)
        piece->size = 0;
}

void alter_question_marks(const struct rest *rest, struct piece *piece)
{
    piece->taken = character_size(rest);
    alter_put(piece, rest->at[0] < 0x80 ? rest->at[0] : '?');
}

void alter_question_mark_bytes(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, rest->at[0] < 0x80 ? rest->at[0] : '?');
}

static void add_replacement(struct piece *piece)
{
    alter_put(piece, 0xef);
    alter_put(piece, 0xbf);
    alter_put(piece, 0xbd);
}

void alter_replacements(const struct rest *rest, struct piece *piece)
{
    piece->taken = character_size(rest);
    if (rest->at[0] < 0x80)
        alter_put(piece, rest->at[0]);
    else
        add_replacement(piece);
}

void alter_replacement_bytes(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] < 0x80)
        alter_put(piece, rest->at[0]);
    else
        add_replacement(piece);
}

/* Each byte is taken for a character of Latin-1 and encoded once more. */
void alter_encoded_twice(const struct rest *rest, struct piece *piece)
{
    unsigned char byte = rest->at[0];

    if (byte >= 0x80) {
        alter_put(piece, (unsigned char)(0xc0 | byte >> 6));
        byte = (unsigned char)(0x80 | (byte & 0x3f));
    }
    alter_put(piece, byte);
}

void alter_bom_added(const struct rest *rest, struct piece *piece)
{
    if (rest->first) {
        alter_put(piece, 0xef);
        alter_put(piece, 0xbb);
        alter_put(piece, 0xbf);
    }
    alter_put(piece, rest->at[0]);
}
