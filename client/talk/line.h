/* SPDX-License-Identifier: MIT */
/* Lines typed at a terminal. Either line_edit.c (libedit) or line_plain.c is linked. */
#ifndef TINCAN_CLIENT_TALK_LINE_H
#define TINCAN_CLIENT_TALK_LINE_H

#include <stddef.h>

struct line;

/*
 * Prepares to read lines from standard input. `prompt`, which must outlive the result, is shown
 * before each line, on standard output if that is a terminal, else on standard error. Returns NULL
 * with errno on failure; otherwise the caller ends it with line_close.
 */
struct line *line_open(const char *prompt);

/*
 * Reads the next line, sets `*length`, and returns it with a null byte in place of its newline,
 * valid until the next call. Returns NULL at the end of input or if reading failed; the cursor is
 * then at the start of a row.
 */
const char *line_read(struct line *line, size_t *length);

/* Adds the text to the history of this run and, where possible, of later ones. */
void line_keep(struct line *line, const char *text);

void line_close(struct line *line);

#endif
