/* SPDX-License-Identifier: MIT */
/* The conversation at a terminal: a prompt, a message, its echo, and again. */
#ifndef TINCAN_CLIENT_TALK_CHAT_H
#define TINCAN_CLIENT_TALK_CHAT_H

#include "client/options.h"

/* Asks for messages and sends them until the user quits. Returns the exit status. */
int chat(const struct options *options);

#endif
