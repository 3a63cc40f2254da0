/* SPDX-License-Identifier: MIT */
/*
 * Lines edited by libedit with the keys of the user's editrc(5), and their history, also of earlier
 * runs: a file in libedit's format. Failing to read or write it is harmless, so not reported.
 */
#include "client/talk/line.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_LINES 1000 /* kept; the file is shortened when it has twice as many */

struct line {
    EditLine *editor;
    History *history;
    FILE *screen;
    char *prompt;            /* not const, because libedit's prompts are not */
    char *text;              /* the last line, without its newline */
    char history_path[4096]; /* empty if there is nowhere to keep the file */
};

/* Finds the file below $XDG_STATE_HOME or ~/.local/state. */
static void find_history(struct line *line)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    const size_t size = sizeof line->history_path;
    int length;

    /* The XDG specification says to ignore relative paths. */
    if (state && state[0] == '/')
        length = snprintf(line->history_path, size, "%s/tincan/history", state);
    else
        length =
            snprintf(line->history_path, size, "%s/.local/state/tincan/history", home ? home : "");
    if (line->history_path[0] != '/' || (!home && !state) || (size_t)length >= size)
        line->history_path[0] = '\0';
}

static void make_directories(const struct line *line)
{
    char path[sizeof line->history_path];

    memcpy(path, line->history_path, sizeof path);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* Appends the history to a file that only its user can read. Returns 0 or -1. */
static int save_history(History *lines, const char *path, int flags)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | flags, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "a");
    HistEvent event;
    int saved;

    if (!file) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    fseek(file, 0, SEEK_END); /* at offset 0 libedit writes the mark of its format first */
    saved = history(lines, &event, H_SAVE_FP, file);
    return fclose(file) == 0 && saved >= 0 ? 0 : -1;
}

static void replace_history(const struct line *line)
{
    char path[sizeof line->history_path + 8];

    snprintf(path, sizeof path, "%s.new", line->history_path);
    if (save_history(line->history, path, O_TRUNC) < 0 || rename(path, line->history_path) < 0)
        unlink(path);
}

/* Reads a file of plain lines, which tincan 0.1.0 wrote. Returns 0, or -1 if there is none. */
static int load_plain(struct line *line)
{
    FILE *file = fopen(line->history_path, "re");
    char *text = NULL;
    size_t size = 0;
    HistEvent event;

    if (!file)
        return -1;
    while (getline(&text, &size, file) >= 0) {
        text[strcspn(text, "\n")] = '\0';
        if (text[0] != '\0')
            history(line->history, &event, H_ENTER, text);
    }
    free(text);
    fclose(file);
    return 0;
}

static void load_history(struct line *line)
{
    HistEvent event;
    int loaded;

    find_history(line);
    if (line->history_path[0] == '\0')
        return;
    loaded = history(line->history, &event, H_LOAD, line->history_path);
    if (loaded < 0 ? load_plain(line) == 0 : loaded > 2 * HISTORY_LINES)
        replace_history(line);
}

/* Appends one line to the file: what other terminals append at the same time stays. */
static void append_history(const struct line *line, const char *text)
{
    History *lines = line->history_path[0] != '\0' ? history_init() : NULL;
    HistEvent event;

    if (!lines)
        return;
    make_directories(line);
    history(lines, &event, H_SETSIZE, 1);
    history(lines, &event, H_ENTER, text);
    save_history(lines, line->history_path, 0);
    history_end(lines);
}

static char *show_prompt(EditLine *editor)
{
    struct line *line = NULL;

    el_get(editor, EL_CLIENTDATA, &line);
    return line->prompt;
}

static int open_editor(struct line *line)
{
    HistEvent event;

    line->screen = isatty(STDOUT_FILENO) ? stdout : stderr;
    line->history = history_init();
    if (!line->history)
        return -1;
    history(line->history, &event, H_SETSIZE, HISTORY_LINES);
    history(line->history, &event, H_SETUNIQUE, 1);
    line->editor = el_init("tincan", stdin, line->screen, stderr);
    if (!line->editor)
        return -1;
    el_set(line->editor, EL_CLIENTDATA, line);
    el_set(line->editor, EL_PROMPT, show_prompt);
    el_set(line->editor, EL_EDITOR, "emacs");
    el_set(line->editor, EL_HIST, history, line->history);
    el_set(line->editor, EL_SIGNAL, 1); /* a signal that ends or stops us restores the terminal */
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
    load_history(line);
    return line;
}

const char *line_read(struct line *line, size_t *length)
{
    int count = 0;
    const char *typed;

    /* libedit itself would show the prompt first, and lose what is typed just then. */
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
    HistEvent event;

    if (text[0] == '\0')
        return;
    history(line->history, &event, H_ENTER, text);
    append_history(line, text);
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
