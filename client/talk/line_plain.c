/* SPDX-License-Identifier: MIT */
/* Lines as the terminal driver edits them, without history. */
#include "client/talk/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct line {
    const char *prompt;
    FILE *screen;
    char *text;
    size_t size;
};

struct line *line_open(const char *prompt)
{
    struct line *line = calloc(1, sizeof *line);

    if (!line)
        return NULL;
    line->prompt = prompt;
    line->screen = isatty(STDOUT_FILENO) ? stdout : stderr;
    return line;
}

const char *line_read(struct line *line, size_t *length)
{
    ssize_t got;

    fputs(line->prompt, line->screen);
    fflush(line->screen);
    got = getline(&line->text, &line->size, stdin);
    if (got < 0) {
        fputc('\n', line->screen);
        fflush(line->screen);
        return NULL;
    }
    if (got > 0 && line->text[got - 1] == '\n')
        line->text[--got] = '\0';
    *length = (size_t)got;
    return line->text;
}

void line_keep(struct line *line, const char *text)
{
    (void)line;
    (void)text;
}

void line_close(struct line *line)
{
    free(line->text);
    free(line);
}
