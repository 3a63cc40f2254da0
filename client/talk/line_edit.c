/* SPDX-License-Identifier: MIT */
/*
 * Lines edited by libedit with the keys of the user's editrc(5), and their history, also of earlier
 * runs: a file in libedit's format. Failing to read or write it is harmless, so not reported.
 */
#include "client/talk/line.h"

#include "client/display.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#define HISTORY_LINES 1000 /* kept; the file is shortened when it has twice as many */

struct line {
    EditLine *editor;
    History *history;
    FILE *screen;
    const char *prompt;
    char *text;              /* the last line, without its newline */
    bool by_line_feed;       /* LF, not CR, ends the present line */
    bool after_return;       /* CR ended the line before */
    char history_path[4096]; /* empty if there is nowhere to keep the file */
};

/* Finds the file below $XDG_STATE_HOME or ~/.local/state. */
static void find_history(struct line *line)
{
    const char *folder = getenv("XDG_STATE_HOME"), *below = "";
    const size_t size = sizeof line->history_path;

    /* The XDG specification says to ignore relative paths. */
    if (!folder || *folder != '/') {
        folder = getenv("HOME");
        below = "/.local/state";
    }
    if (!folder || *folder != '/')
        return;
    if ((size_t)snprintf(line->history_path, size, "%s%s/tincan/history", folder, below) >= size)
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

static void load_history(struct line *line)
{
    HistEvent event;

    find_history(line);
    if (line->history_path[0] != '\0' &&
        history(line->history, &event, H_LOAD, line->history_path) > 2 * HISTORY_LINES)
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
    return (char *)line->prompt; /* libedit does not change it */
}

/* --- pasted text --- */

/* Terminals that know bracketed paste send these around it while the mode is on. */
#define PASTE_BEGINS "\033[200~"
#define PASTE_ENDS   L"\033[201~"

static int screen_fd = -1;            /* of a terminal in that mode, or -1 */
static volatile sig_atomic_t editing; /* a line */

static void set_paste_mode(bool on)
{
    if (screen_fd >= 0)
        (void)!write(screen_fd, on ? "\033[?2004h" : "\033[?2004l", 8);
}

/* A signal that ends or stops the program must not leave the terminal in the mode. */
static void on_end_signal(int signal)
{
    set_paste_mode(false);
    raise(signal);
}

/* Has the signal handled once, unless it is ignored. */
static void watch_end_signal(int signal)
{
    const struct sigaction action = {.sa_handler = on_end_signal, .sa_flags = (int)SA_RESETHAND};
    struct sigaction present;

    if (sigaction(signal, NULL, &present) == 0 && present.sa_handler != SIG_IGN)
        sigaction(signal, &action, NULL);
}

/* The shell has had the terminal meanwhile. */
static void on_continue(int signal)
{
    (void)signal;
    watch_end_signal(SIGTSTP);
    if (editing)
        set_paste_mode(true);
}

static void watch_signals(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
    const struct sigaction action = {.sa_handler = on_continue, .sa_flags = (int)SA_RESTART};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        watch_end_signal(signals[i]);
    sigaction(SIGCONT, &action, NULL);
}

/* Inserts a character; LF for CR, which terminals send for LF, but not for CR LF. */
static void insert(EditLine *editor, wchar_t character, wchar_t *last)
{
    const wchar_t text[] = {character == L'\r' ? L'\n' : character, L'\0'};

    if (character == L'\n' && *last == L'\r')
        el_deletestr(editor, 1);
    el_winsertstr(editor, character == L'\n' && *last == L'\r' ? L"\r\n" : text);
    *last = character;
}

/* The "key" PASTE_BEGINS: inserts what comes up to PASTE_ENDS. */
static unsigned char paste(EditLine *editor, int key)
{
    size_t matched = 0;
    wchar_t character, last = L'\0';

    (void)key;
    while (matched < wcslen(PASTE_ENDS)) {
        if (el_wgetc(editor, &character) != 1)
            return CC_EOF;
        if (character == PASTE_ENDS[matched]) {
            matched++;
            continue;
        }
        for (size_t i = 0; i < matched; i++)
            insert(editor, PASTE_ENDS[i], &last);
        matched = character == PASTE_ENDS[0];
        if (matched == 0)
            insert(editor, character, &last);
    }
    return CC_REFRESH;
}

/* The key LF ends a line as CR does, but not one more line in the CRLF of a paste without marks. */
static unsigned char line_feed(EditLine *editor, int key)
{
    const LineInfo *typed = el_line(editor);
    struct line *line = NULL;
    bool ignored;

    (void)key;
    el_get(editor, EL_CLIENTDATA, &line);
    ignored = line->after_return && typed->lastchar == typed->buffer;
    line->after_return = false;
    if (!ignored) {
        line->by_line_feed = true;
        el_push(editor, "\r");
    }
    return CC_NORM;
}

/* el_set() would lose memory for the names of functions. */
static void bind_keys(EditLine *editor)
{
    el_set(editor, EL_SETTY, "-d", "-inlcr", "-icrnl", NULL); /* CR and LF are two keys */
    el_wset(editor, EL_ADDFN, L"tincan-line-feed", L"End the line", line_feed);
    el_set(editor, EL_BIND, "^J", "tincan-line-feed", NULL);
    el_set(editor, EL_BIND, "^I", "ed-insert", NULL);
    el_wset(editor, EL_ADDFN, L"tincan-paste", L"Insert pasted text", paste);
    el_set(editor, EL_BIND, PASTE_BEGINS, "tincan-paste", NULL);
}

/* --- */

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
    bind_keys(line->editor);
    el_source(line->editor, NULL);
    if (display_is_screen(line->screen) && isatty(STDIN_FILENO)) {
        screen_fd = fileno(line->screen);
        watch_signals();
    }
    return 0;
}

struct line *line_open(const char *prompt)
{
    struct line *line = calloc(1, sizeof *line);

    if (!line)
        return NULL;
    line->prompt = prompt;
    if (open_editor(line) < 0) {
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
    editing = true;
    set_paste_mode(true);
    line->by_line_feed = false;
    typed = el_gets(line->editor, &count);
    line->after_return = !line->by_line_feed;
    editing = false;
    set_paste_mode(false);
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
    size_t length = strlen(text);
    char *entry;

    if (length == 0)
        return;
    /* libedit takes a newline and then a blank off the end of what it brings back. */
    if (asprintf(&entry, "%s%s", text, strchr("\n ", text[length - 1]) ? " " : "") < 0)
        return;
    history(line->history, &event, H_ENTER, entry);
    append_history(line, entry);
    free(entry);
}

void line_close(struct line *line)
{
    if (line->editor)
        el_end(line->editor);
    if (line->history)
        history_end(line->history);
    free(line->text);
    free(line);
}
