/* SPDX-License-Identifier: MIT */
#include "client/probe/alter.h"

#include <string.h>

void alter_lf_to_crlf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\n')
        alter_put(piece, '\r');
    alter_put(piece, rest->at[0]);
}

/* As above, but leaving line endings alone that are CRLF already. */
void alter_bare_lf_to_crlf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\r' && alter_next_is(rest, 1, '\n')) {
        alter_put(piece, '\r');
        alter_put(piece, '\n');
        piece->taken = 2;
        return;
    }
    alter_lf_to_crlf(rest, piece);
}

void alter_crlf_to_lf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\r' && alter_next_is(rest, 1, '\n'))
        piece->taken = 2;
    alter_put(piece, rest->at[piece->taken - 1]);
}

void alter_cr_removed(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] != '\r')
        alter_put(piece, rest->at[0]);
}

void alter_cr_to_lf(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, rest->at[0] == '\r' ? '\n' : rest->at[0]);
}

void alter_lf_to_cr(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, rest->at[0] == '\n' ? '\r' : rest->at[0]);
}

/* Any line ending, CRLF, CR or LF, becomes one LF. */
void alter_endings_to_lf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\r' && alter_next_is(rest, 1, '\n'))
        piece->taken = 2;
    alter_put(piece, rest->at[0] == '\r' ? '\n' : rest->at[0]);
}

/* Any line ending becomes one CRLF. */
void alter_endings_to_crlf(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] == '\r' && alter_next_is(rest, 1, '\n'))
        piece->taken = 2;
    if (rest->at[0] == '\r' || rest->at[0] == '\n') {
        alter_put(piece, '\r');
        alter_put(piece, '\n');
    } else {
        alter_put(piece, rest->at[0]);
    }
}

void alter_endings_removed(const struct rest *rest, struct piece *piece)
{
    if (rest->at[0] != '\r' && rest->at[0] != '\n')
        alter_put(piece, rest->at[0]);
}

void alter_last_ending_removed(const struct rest *rest, struct piece *piece)
{
    if (rest->at >= rest->last_endings)
        piece->last = true;
    else
        alter_put(piece, rest->at[0]);
}

void alter_end_trimmed(const struct rest *rest, struct piece *piece)
{
    if (rest->at >= rest->last_blanks)
        piece->last = true;
    else
        alter_put(piece, rest->at[0]);
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
    alter_put(piece, lower(rest->at[0]));
}

void alter_raised(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, upper(rest->at[0]));
}

void alter_swapped(const struct rest *rest, struct piece *piece)
{
    unsigned char byte = rest->at[0];

    alter_put(piece, lower(byte) != byte ? lower(byte) : upper(byte));
}

static bool is_control(unsigned char byte)
{
    return (byte < 0x20 && !strchr("\t\r\n", byte)) || byte == 0x7f;
}

void alter_controls_removed(const struct rest *rest, struct piece *piece)
{
    if (!is_control(rest->at[0]))
        alter_put(piece, rest->at[0]);
}

void alter_tabs_to_spaces(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, rest->at[0] == '\t' ? ' ' : rest->at[0]);
}

void alter_ending_added(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, rest->at[0]);
    if (rest->length == 1)
        alter_put(piece, '\n');
}

void alter_crlf_added(const struct rest *rest, struct piece *piece)
{
    alter_put(piece, rest->at[0]);
    if (rest->length == 1) {
        alter_put(piece, '\r');
        alter_put(piece, '\n');
    }
}
