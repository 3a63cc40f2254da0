/* SPDX-License-Identifier: MIT */
/* Messages from standard input or the command line, without a user who waits at a prompt. */
#ifndef TINCAN_CLIENT_TALK_BATCH_H
#define TINCAN_CLIENT_TALK_BATCH_H

#include "client/options.h"

/*
 * Sends the messages that `options` ask for, one connection each, and writes the intact echoes to
 * standard output in order. Returns the exit status.
 */
int batch(const struct options *options);

#endif
