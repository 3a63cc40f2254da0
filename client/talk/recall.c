/* SPDX-License-Identifier: MIT */
#include "client/talk/recall.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST_TEXT ((size_t)4096)

void recall_init(struct recall *recall)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length;

    /* The XDG specification has relative paths ignored. */
    if (state && state[0] == '/')
        length = snprintf(recall->path, sizeof recall->path, "%s/tincan/history", state);
    else
        length = snprintf(recall->path, sizeof recall->path, "%s/.local/state/tincan/history",
                          home ? home : "");
    if (recall->path[0] != '/' || (!home && !state) || length >= (int)sizeof recall->path)
        recall->path[0] = '\0';
}

/* Makes the directories above the file that don't exist. */
static void make_directories(const struct recall *recall)
{
    char path[sizeof recall->path];

    memcpy(path, recall->path, sizeof path);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

/* Opens a file for its user only, with more `flags`; NULL when that failed. */
static FILE *open_private(const char *path, int flags)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOCTTY | flags, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "a");

    if (fd >= 0 && !file)
        close(fd);
    return file;
}

/* Shortens the file to the lines after the first `skip`, all of which the old one has. */
static void shorten(const struct recall *recall, FILE *old, size_t skip)
{
    char path[sizeof recall->path + 8], *text = NULL;
    size_t size = 0, number = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s.new", recall->path);
    file = open_private(path, O_TRUNC);
    if (!file)
        return;
    rewind(old);
    while (getline(&text, &size, old) >= 0)
        if (number++ >= skip)
            fputs(text, file);
    free(text);
    if (fclose(file) != 0 || rename(path, recall->path) < 0)
        unlink(path);
}

static size_t count_lines(FILE *file)
{
    char *text = NULL;
    size_t size = 0, lines = 0;

    while (getline(&text, &size, file) >= 0)
        lines++;
    free(text);
    rewind(file);
    return lines;
}

static void load_after(FILE *file, size_t skip, void (*take)(void *context, const char *text),
                       void *context)
{
    char *text = NULL;
    size_t size = 0;
    ssize_t length;

    for (size_t number = 0; (length = getline(&text, &size, file)) >= 0; number++) {
        if (length > 0 && text[length - 1] == '\n')
            text[length - 1] = '\0';
        if (number >= skip && text[0] != '\0')
            take(context, text);
    }
    free(text);
}

void recall_load(const struct recall *recall, void (*take)(void *context, const char *text),
                 void *context)
{
    FILE *file = recall->path[0] ? fopen(recall->path, "re") : NULL;
    size_t lines, skip;

    if (!file)
        return;
    lines = count_lines(file);
    skip = lines > RECALL_LINES ? lines - RECALL_LINES : 0;
    load_after(file, skip, take, context);
    if (skip > RECALL_LINES)
        shorten(recall, file, skip);
    fclose(file);
}

void recall_add(const struct recall *recall, const char *text)
{
    FILE *file;

    if (recall->path[0] == '\0' || text[0] == '\0' || strlen(text) > LONGEST_TEXT)
        return;
    make_directories(recall);
    file = open_private(recall->path, O_APPEND);
    if (!file)
        return;
    fprintf(file, "%s\n", text);
    fclose(file);
}
