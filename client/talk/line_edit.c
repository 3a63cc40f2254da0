/* SPDX-License-Identifier: MIT */
/* Lines edited by libedit, with history and the keys of the user's editrc(5). */
#include "client/talk/line.h"

#include "client/talk/recall.h"

#include <errno.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct line {
    EditLine *editor;
    History *history;
    FILE *screen;
    char *prompt; /* not const, because libedit's prompts are not */
    char *text;   /* the last line, without its newline */
    struct recall recall;
};

static char *show_prompt(EditLine *editor)
{
    struct line *line = NULL;

    el_get(editor, EL_CLIENTDATA, &line);
    return line->prompt;
}

static void remember(void *context, const char *text)
{
    struct line *line = context;
    HistEvent event;

    history(line->history, &event, H_ENTER, text);
}

static int open_editor(struct line *line)
{
    HistEvent event;

    line->screen = isatty(STDOUT_FILENO) ? stdout : stderr;
    line->history = history_init();
    if (!line->history)
        return -1;
    history(line->history, &event, H_SETSIZE, (int)RECALL_LINES);
    history(line->history, &event, H_SETUNIQUE, 1);
    line->editor = el_init("tincan", stdin, line->screen, stderr);
    if (!line->editor)
        return -1;
    el_set(line->editor, EL_CLIENTDATA, line);
    el_set(line->editor, EL_PROMPT, show_prompt);
    el_set(line->editor, EL_EDITOR, "emacs");
    el_set(line->editor, EL_HIST, history, line->history);
    el_set(line->editor, EL_SIGNAL,
           1); /* the terminal is as it was when a signal ends or stops us */
    el_source(line->editor, NULL);
    return 0;
}

struct line *line_open(const char *prompt)
{
    struct line *line = calloc(1, sizeof *line);

    if (!line)
        return NULL;
    line->prompt = strdup(prompt);
    if (!line->prompt || open_editor(line) < 0) {
        line_close(line);
        errno = ENOMEM;
        return NULL;
    }
    recall_init(&line->recall);
    recall_load(&line->recall, remember, line);
    return line;
}

const char *line_read(struct line *line, size_t *length)
{
    int count = 0;
    const char *typed;

    /* libedit itself shows the prompt first, and loses what is typed just then. */
    el_set(line->editor, EL_PREP_TERM, 1);
    typed = el_gets(line->editor, &count);
    if (!typed || count <= 0) {
        fputc('\n', line->screen);
        fflush(line->screen);
        return NULL;
    }
    if (typed[count - 1] == '\n')
        count--;
    free(line->text);
    line->text = strndup(typed, (size_t)count);
    if (!line->text)
        return NULL;
    *length = strlen(line->text);
    return line->text;
}

void line_keep(struct line *line, const char *text)
{
    if (text[0] == '\0')
        return;
    remember(line, text);
    recall_add(&line->recall, text);
}

void line_close(struct line *line)
{
    if (line->editor)
        el_end(line->editor);
    if (line->history)
        history_end(line->history);
    free(line->prompt);
    free(line->text);
    free(line);
}
