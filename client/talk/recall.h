/* SPDX-License-Identifier: MIT */
/*
 * The file of messages typed in earlier runs, one a line, which only its user can read. That it
 * can't be read or written harms nothing, so nothing here reports a failure.
 */
#ifndef TINCAN_CLIENT_TALK_RECALL_H
#define TINCAN_CLIENT_TALK_RECALL_H

#include <stddef.h>

/* How many messages a run begins with. */
#define RECALL_LINES ((size_t)1000)

struct recall {
    char path[4096]; /* empty when there is nowhere to keep the file */
};

/* Finds the file, in tincan/ under $XDG_STATE_HOME or else ~/.local/state. */
void recall_init(struct recall *recall);

/* Calls `take` with each of the last RECALL_LINES messages, the oldest first. */
void recall_load(const struct recall *recall, void (*take)(void *context, const char *text),
                 void *context);

/* Adds a message that has no newline; a very long one is left out. */
void recall_add(const struct recall *recall, const char *text);

#endif
