/* SPDX-License-Identifier: MIT */
/* Lines typed at a terminal. One of line_edit.c (libedit) and line_plain.c is linked. */
#ifndef TINCAN_CLIENT_TALK_LINE_H
#define TINCAN_CLIENT_TALK_LINE_H

#include <stddef.h>

struct line;

/*
 * Prepares to read lines from standard input; `prompt`, which must stay, is shown before each on
 * standard output, or on standard error when that is no terminal. Returns NULL with errno when that
 * failed; else the result ends with line_close.
 */
struct line *line_open(const char *prompt);

/*
 * Reads the next line, sets `*length`, and returns it without its newline but with a null byte; it
 * is valid until the next call. NULL at the end of input, which also leaves the cursor at the start
 * of a row, or when reading failed.
 */
const char *line_read(struct line *line, size_t *length);

/* Keeps the text for recalling it later, now and in another run, where that is possible. */
void line_keep(struct line *line, const char *text);

void line_close(struct line *line);

#endif
