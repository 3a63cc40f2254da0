/* SPDX-License-Identifier: MIT */
#include "alter.h"

#include <string.h>

static void put(struct piece *piece, unsigned char byte)
{
    piece->bytes[piece->size++] = byte;
}

static bool next_is(const struct rest *rest, size_t at, unsigned char byte)
{
    return at < rest->length && rest->at[at] == byte;
}

void alter_lf_to_crlf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\n')
        put(piece, '\r');
    put(piece, rest->at[0]);
}

/* As above, but leaving line endings alone that are CRLF already. */
void alter_bare_lf_to_crlf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\r' && next_is(rest, 1, '\n')) {
        put(piece, '\r');
        put(piece, '\n');
        piece->taken = 2;
        return;
    }
    alter_lf_to_crlf(rest, piece);
}

void alter_crlf_to_lf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\r' && next_is(rest, 1, '\n'))
        piece->taken = 2;
    put(piece, rest->at[piece->taken - 1]);
}

void alter_cr_removed(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] != '\r')
        put(piece, rest->at[0]);
}

void alter_cr_to_lf(const struct rest *rest, struct piece *piece)
{
    put(piece, rest->at[0] == '\r' ? '\n' : rest->at[0]);
}

void alter_lf_to_cr(const struct rest *rest, struct piece *piece)
{
    put(piece, rest->at[0] == '\n' ? '\r' : rest->at[0]);
}

/* Any line ending, CRLF, CR or LF, becomes one LF. */
void alter_endings_to_lf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\r' && next_is(rest, 1, '\n'))
        piece->taken = 2;
    put(piece, rest->at[0] == '\r' ? '\n' : rest->at[0]);
}

/* Any line ending becomes one CRLF. */
void alter_endings_to_crlf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\r' && next_is(rest, 1, '\n'))
        piece->taken = 2;
    if (rest->at[0] == '\r' || rest->at[0] == '\n') {
        put(piece, '\r');
        put(piece, '\n');
    } else {
        put(piece, rest->at[0]);
    }
}

void alter_endings_removed(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] != '\r' && rest->at[0] != '\n')
        put(piece, rest->at[0]);
}

static bool all_are(const struct rest *rest, const char *characters)
{
    for (size_t i = 0; i < rest->length; i++)
        if (rest->at[i] == '\0' || !strchr(characters, rest->at[i]))
            return false;
    return true;
}

void alter_last_ending_removed(const struct rest *rest, struct piece *piece)
{
    if (all_are(rest, "\r\n"))
        piece->last = true;
    else
        put(piece, rest->at[0]);
}

void alter_end_trimmed(const struct rest *rest, struct piece *piece)
{
    if (all_are(rest, " \t\r\n\v\f"))
        piece->last = true;
    else
        put(piece, rest->at[0]);
}

static unsigned char lower(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 32) : byte;
}

static unsigned char upper(unsigned char byte)
{
    return byte >= 'a' && byte <= 'z' ? (unsigned char)(byte - 32) : byte;
}

void alter_lowered(const struct rest *rest, struct piece *piece)
{
    put(piece, lower(rest->at[0]));
}

void alter_raised(const struct rest *rest, struct piece *piece)
{
    put(piece, upper(rest->at[0]));
}

void alter_swapped(const struct rest *rest, struct piece *piece)
{
    unsigned char byte = rest->at[0];

    put(piece, lower(byte) != byte ? lower(byte) : upper(byte));
}

static bool is_control(unsigned char byte)
{
    return (byte < 0x20 && !strchr("\t\r\n", byte)) || byte == 0x7f;
}

void alter_controls_removed(const struct rest *rest, struct piece *piece)
{
    if (!is_control(rest->at[0]))
        put(piece, rest->at[0]);
}

void alter_tabs_to_spaces(const struct rest *rest, struct piece *piece)
{
    put(piece, rest->at[0] == '\t' ? ' ' : rest->at[0]);
}

void alter_ending_added(const struct rest *rest, struct piece *piece)
{
    put(piece, rest->at[0]);
    if (rest->length == 1)
        put(piece, '\n');
}

void alter_crlf_added(const struct rest *rest, struct piece *piece)
{
    put(piece, rest->at[0]);
    if (rest->length == 1) {
        put(piece, '\r');
        put(piece, '\n');
    }
}
