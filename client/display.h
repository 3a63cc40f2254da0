/* SPDX-License-Identifier: MIT */
/* Printing bytes from anywhere so that they do nothing to a terminal but appear on it. */
#ifndef TINCAN_CLIENT_DISPLAY_H
#define TINCAN_CLIENT_DISPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Sets the character set of the terminal, as nl_langinfo(3) names it. UTF-8 until then. */
void display_set_charset(const char *name);

/*
 * Writes the bytes to `stream`: printable UTF-8 as it is, every other byte as \xNN. The others are
 * control characters, those that change the direction of text, line and paragraph separators,
 * noncharacters, and what is not UTF-8; in another character set also all that is not ASCII, as a
 * byte of it may be a control character there. With `lines`, newlines and tabs are written as they
 * are.
 */
void display(FILE *stream, const char *bytes, size_t length, bool lines);

/* Returns how many columns that takes, without `lines`, if each character takes one. */
int display_width(const char *bytes, size_t length);

/* When to use colours. */
enum display_colour {
    DISPLAY_COLOUR_AUTO, /* on a terminal that is not dumb, unless NO_COLOR is set */
    DISPLAY_COLOUR_ALWAYS,
    DISPLAY_COLOUR_NEVER,
};

void display_set_colour(enum display_colour when);

/* Writes the bytes as display() does, without `lines`, and in red where colours are used. */
void display_red(FILE *stream, const char *bytes, size_t length);

/* Returns whether the stream is a terminal on which the cursor can be moved. */
bool display_is_screen(FILE *stream);

/* Returns how many columns the stream's terminal has; 80 if that is not known. */
size_t display_columns(FILE *stream);

#endif
