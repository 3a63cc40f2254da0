/* SPDX-License-Identifier: MIT */
/* While an exchange of a conversation runs: how long it has waited, and Ctrl-C, which ends it. */
#ifndef TINCAN_CLIENT_TALK_WAITING_H
#define TINCAN_CLIENT_TALK_WAITING_H

#include <stdbool.h>

/* Begins to wait: SIGINT no longer ends the program. With `show`, a terminal on standard output
 * shows the seconds. */
void waiting_begin(bool show);

/* For struct target: shows the seconds. Returns waiting_given_up(). */
bool waiting_interrupted(void);

/* Returns whether SIGINT came since waiting_begin(). */
bool waiting_given_up(void);

/* Returns the seconds since waiting_begin(). */
double waiting_seconds(void);

/* Takes the seconds off the screen, before something is printed there. */
void waiting_hide(void);

/* Ends it: SIGINT does what it did before. */
void waiting_end(void);

#endif
