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

#endif
