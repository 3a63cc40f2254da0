/* SPDX-License-Identifier: MIT */
/* The two ways to send what a user says: in a conversation, and without one who waits. */
#ifndef TINCAN_CLIENT_TALK_TALK_H
#define TINCAN_CLIENT_TALK_TALK_H

#include "client/options.h"

/* Asks for messages at a terminal and sends them until the user quits. Returns the exit status. */
int chat(const struct options *options);

/*
 * Sends the messages that `options` ask for, from standard input or the command line, one
 * connection each, and writes the intact echoes to standard output in order. Returns the exit
 * status.
 */
int batch(const struct options *options);

#endif
