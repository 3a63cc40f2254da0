/* SPDX-License-Identifier: MIT */
/* The modes without a conversation: messages from standard input or the command line. */
#ifndef TINCAN_CLIENT_TALK_BATCH_H
#define TINCAN_CLIENT_TALK_BATCH_H

#include "client/options.h"

/*
 * Exchanges the messages that `options` ask for, one connection each, and writes the intact echoes
 * to standard output in order. Returns the exit status.
 */
int batch(const struct options *options);

#endif
